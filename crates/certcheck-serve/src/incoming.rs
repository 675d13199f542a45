//! The PROXY protocol header of a connection from a proxy in front.

use core::fmt;
use std::io;
use std::net::SocketAddr;

use ipnet::IpNet;

use tokio::io::AsyncReadExt as _;

use crate::config::ProxyPeers;
use crate::listener::Peer;
use crate::proxy_protocol::{self, Header, HeaderFault, Progress};
use crate::stream::Stream;

/// Why there is no header.
pub(crate) enum HeaderError {
    Fault(HeaderFault),
    Io(io::Error),
    Deadline,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Io(error) => write!(f, "the connection ended within the PROXY protocol header: {error}"),
            Self::Deadline => f.write_str("the PROXY protocol header was not complete before the deadline"),
        }
    }
}

/// Whether a connection comes from one of these.
pub(crate) fn is_listed(proxies: &ProxyPeers, peer: Peer) -> bool {
    match peer {
        Peer::Tcp(address) => proxies.nets.iter().any(|net| net.contains(&address.ip())),
        Peer::Unix => proxies.unix,
    }
}

/// Whether a client at this address may connect. One whose address is unknown may only if all may.
pub(crate) fn may_connect(clients: &[IpNet], peer: Option<SocketAddr>) -> bool {
    let is_in = |address: SocketAddr| clients.iter().any(|net| net.contains(&address.ip().to_canonical()));
    clients.is_empty() || peer.is_some_and(is_in)
}

/// Reads a header, and not a byte of what is behind it.
pub(crate) async fn read_header(io: &mut Stream) -> Result<Header, HeaderError> {
    let mut bytes = Vec::with_capacity(64);
    loop {
        match proxy_protocol::parse(&bytes).map_err(HeaderError::Fault)? {
            Progress::Done(header) => return Ok(header),
            Progress::Need(more) => {
                let before = bytes.len();
                bytes.resize(before + more, 0);
                let rest = bytes.get_mut(before..).unwrap_or_default();
                io.read_exact(rest).await.map_err(HeaderError::Io)?;
            }
        }
    }
}
