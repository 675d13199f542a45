//! What a header says.

use std::net::SocketAddr;

/// Begins a header of version 2.
pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Kinds of TLVs.
pub(super) mod kind {
    pub(in super::super) const ALPN: u8 = 0x01;
    pub(in super::super) const AUTHORITY: u8 = 0x02;
    pub(in super::super) const CRC32C: u8 = 0x03;
    pub(in super::super) const SSL: u8 = 0x20;
    pub(in super::super) const SSL_VERSION: u8 = 0x21;
    pub(in super::super) const SSL_CN: u8 = 0x22;
    pub(in super::super) const SSL_CIPHER: u8 = 0x23;
    pub(in super::super) const SSL_SIG_ALG: u8 = 0x24;
    pub(in super::super) const SSL_KEY_ALG: u8 = 0x25;
    pub(in super::super) const SSL_CLIENT_CERT: u8 = 0x28;
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Header {
    /// The addresses of the client and of the server that it meant. `None` if the header names none: the proxy itself
    /// connects, or the client is no TCP one.
    pub(crate) addresses: Option<Addresses>,
    /// Whether the proxy says that it connects itself, as for a health check.
    pub(crate) is_local: bool,
}

/// Two addresses of one family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Addresses {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

impl Addresses {
    /// The two, if they are of one family. An IPv4 address is put into IPv6 where the other is IPv6.
    pub(crate) fn new(source: SocketAddr, destination: SocketAddr) -> Self {
        let to_v6 = |address: SocketAddr| match address {
            SocketAddr::V4(v4) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            SocketAddr::V6(_) => address,
        };
        if source.is_ipv4() == destination.is_ipv4() {
            Self { source, destination }
        } else {
            Self { source: to_v6(source), destination: to_v6(destination) }
        }
    }
}
