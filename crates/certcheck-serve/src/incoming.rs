//! The PROXY protocol header of a connection from a proxy in front.

use core::fmt;
use std::io;

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

/// Whether a connection from there begins with a header.
pub(crate) fn has_header(proxies: &ProxyPeers, peer: Peer) -> bool {
    match peer {
        Peer::Tcp(address) => proxies.nets.iter().any(|net| net.contains(&address.ip())),
        Peer::Unix => proxies.unix,
    }
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
