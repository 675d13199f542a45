//! A socket that listens.

use core::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use super::inherited::{Inherited, InheritedSocket};
use super::unix_socket::OwnSocket;
use crate::config::ListenAddress;
use crate::stream::Stream;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// A socket that listens.
pub(crate) struct Bound {
    kind: Kind,
    /// The address that was asked for.
    address: String,
}

enum Kind {
    Tcp(TcpListener),
    /// With the file that is removed at the end, if it is ours.
    Unix(UnixListener, #[expect(dead_code, reason = "it is there for its drop")] Option<OwnSocket>),
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Unix,
}

impl Peer {
    pub(crate) const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(address),
            Self::Unix => None,
        }
    }
}

/// Why an address cannot be listened on.
#[derive(Debug)]
pub(crate) struct BindError {
    pub(crate) address: String,
    pub(crate) what: String,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be listened on: {}", self.address, self.what)
    }
}

impl Bound {
    /// Listens on one socket of TCP.
    pub(crate) fn tcp(address: SocketAddr) -> Result<Self, BindError> {
        let fault = |error: io::Error| BindError { address: address.to_string(), what: error.to_string() };
        let listener = bind_tcp(address).map_err(fault)?;
        Ok(Self { kind: Kind::Tcp(listener), address: address.to_string() })
    }

    /// Listens on what is no TCP address: a Unix socket, or all sockets of systemd with a name.
    pub(crate) fn other(address: &ListenAddress, inherited: &Inherited) -> Result<Vec<Self>, BindError> {
        let text = address.to_string();
        let fault = |what: String| BindError { address: text.clone(), what };
        match address {
            ListenAddress::Tcp { .. } => Ok(Vec::new()),
            ListenAddress::Unix(path) => {
                let (listener, own) = OwnSocket::bind(path).map_err(|error| fault(error.to_string()))?;
                Ok(vec![Self { kind: Kind::Unix(listener, Some(own)), address: text }])
            }
            ListenAddress::Systemd(name) => {
                let sockets = inherited.named(name).map_err(fault)?;
                let bound = sockets.into_iter().map(|socket| {
                    let kind = match socket {
                        InheritedSocket::Tcp(listener) => TcpListener::from_std(listener).map(Kind::Tcp),
                        InheritedSocket::Unix(listener) => {
                            UnixListener::from_std(listener).map(|listener| Kind::Unix(listener, None))
                        }
                    };
                    let kind = kind.map_err(|error| fault(error.to_string()))?;
                    Ok(Self { kind, address: text.clone() })
                });
                bound.collect()
            }
        }
    }

    /// The address for logs.
    pub(crate) fn shown(&self) -> String {
        self.local_address().map_or_else(|| self.address.clone(), |address| address.to_string())
    }

    /// The address that it really listens on, of TCP.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Whether it is a Unix socket.
    pub(crate) const fn is_unix(&self) -> bool {
        matches!(self.kind, Kind::Unix(..))
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.kind {
            Kind::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::tcp(stream), Peer::Tcp(canonical(peer))))
            }
            Kind::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), Peer::Unix))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // So that [::] and 0.0.0.0 can be listened on next to each other.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// An IPv4 address that came as an IPv6 one, as IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match Ipv6Addr::to_ipv4_mapped(v6.ip()) {
            Some(v4) => SocketAddr::new(v4.into(), v6.port()),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}
