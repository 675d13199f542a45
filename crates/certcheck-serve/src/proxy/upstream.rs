//! Connects to the service behind the front.

use core::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use crate::config::Upstream;
use crate::stream::Stream;

/// Why the service cannot be reached.
#[derive(Debug)]
pub(crate) enum UpstreamError {
    Io(io::Error),
    /// Its name has no address on this machine, and others are not allowed.
    Remote(String),
    Timeout(Duration),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Remote(host) => {
                write!(
                    f,
                    "`{host}` has no address on this machine; allow others with `allow_remote_upstream`"
                )
            }
            Self::Timeout(after) => write!(f, "no connection after {after:?}"),
        }
    }
}

/// Connects to the service, and sends it a header if there is one, within a time. Without `allow_remote` only addresses
/// of this machine are tried.
pub(super) async fn connect(
    upstream: &Upstream,
    allow_remote: bool,
    within: Duration,
    header: Option<&[u8]>,
) -> Result<Stream, UpstreamError> {
    let connected = async {
        let mut stream = connect_now(upstream, allow_remote).await?;
        if let Some(header) = header {
            stream.write_all(header).await.map_err(UpstreamError::Io)?;
        }
        Ok(stream)
    };
    match timeout(within, connected).await {
        Ok(outcome) => outcome,
        Err(_) => Err(UpstreamError::Timeout(within)),
    }
}

async fn connect_now(upstream: &Upstream, allow_remote: bool) -> Result<Stream, UpstreamError> {
    let (host, port) = match upstream {
        Upstream::Unix(path) => {
            return UnixStream::connect(path).await.map(Stream::Unix).map_err(UpstreamError::Io);
        }
        Upstream::Tcp { host, port } => (host, *port),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return tcp(SocketAddr::new(address, port)).await;
    }
    let mut outcome = Err(UpstreamError::Remote(host.clone()));
    for address in lookup_host((host.as_str(), port)).await.map_err(UpstreamError::Io)? {
        if allow_remote || address.ip().is_loopback() {
            outcome = tcp(address).await;
            if outcome.is_ok() {
                break;
            }
        }
    }
    outcome
}

async fn tcp(address: SocketAddr) -> Result<Stream, UpstreamError> {
    TcpStream::connect(address).await.map(Stream::tcp).map_err(UpstreamError::Io)
}
