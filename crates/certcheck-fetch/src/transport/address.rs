//! Kinds of addresses, and the IPv4 addresses inside IPv6 addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 address behind a prefix of this length (RFC 6052 2.2): the bits after it, without bits 64 to 71.
pub(crate) fn v4_behind(address: Ipv6Addr, length: u8) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let places = match length {
        32 => [4, 5, 6, 7],
        40 => [5, 6, 7, 9],
        48 => [6, 7, 9, 10],
        56 => [7, 9, 10, 11],
        64 => [9, 10, 11, 12],
        96 => [12, 13, 14, 15],
        _ => return None,
    };
    Some(Ipv4Addr::from(places.map(|place| bytes[place])))
}

/// The IPv4 addresses that an address below the prefix for local use, 64:ff9b:1::/48 (RFC 8215), leads to if the
/// network's own prefix is shorter than 96 bits. Only the network knows that length.
pub(crate) fn locally_embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 1, ..] => {
            [48, 56, 64].into_iter().filter_map(|length| v4_behind(address, length)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether this address is of this host or its cloud alone.
pub(crate) fn is_own(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_link_local() || is_metadata(address)
}

/// Addresses where clouds keep credentials, in addition to 169.254.169.254.
const fn is_metadata(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [100, 100, 100, 200] | [168, 63, 129, 16])
}

/// The kind of an address for the guard.
pub(crate) enum AddressKind {
    Blocked(&'static str),
    Private,
    Public,
}

/// The IPv4 address inside: mapped (RFC 4291 2.5.5.2), compatible, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056) and
/// the server of Teredo are all ways to reach one.
pub(crate) fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] | [0, 0, 0, 0, 0xffff, 0] => Some(v4(g, h)),
        [0x64, 0xff9b, 1, ..] => Some(v4(g, h)),
        // `::` and `::1` have no IPv4 address inside.
        [0, 0, 0, 0, 0, 0] if (g, h) != (0, 0) && (g, h) != (0, 1) => Some(v4(g, h)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

pub(crate) fn kind_of_v4(address: Ipv4Addr) -> AddressKind {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) => AddressKind::Blocked("of this network (RFC 1122 3.2.1.3)"),
        (127, ..) => AddressKind::Blocked("loopback"),
        // This includes 169.254.169.254, where clouds keep credentials.
        (169, 254, _) => AddressKind::Blocked("link-local"),
        _ if is_metadata(address) => AddressKind::Blocked("a metadata service"),
        (192, 0, 0) => AddressKind::Blocked("of protocol assignments (RFC 6890)"),
        (224..=239, ..) => AddressKind::Blocked("multicast"),
        (240..=255, ..) => AddressKind::Blocked("reserved or broadcast"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18..=19, _) => {
            AddressKind::Private
        }
        _ => AddressKind::Public,
    }
}

pub(crate) fn kind_of_v6(address: Ipv6Addr) -> AddressKind {
    if address.is_unspecified() {
        return AddressKind::Blocked("unspecified");
    }
    if address.is_loopback() {
        return AddressKind::Blocked("loopback");
    }
    // Clouds keep metadata at these addresses in the private range.
    let [a, b, ..] = address.segments();
    match a {
        0xfd00 if b == 0x0ec2 || b == 0x00c1 => AddressKind::Blocked("a metadata service"),
        0xfd20 if b == 0x00ce => AddressKind::Blocked("a metadata service"),
        0xfe80..=0xfebf => AddressKind::Blocked("link-local"),
        0xff00..=0xffff => AddressKind::Blocked("multicast"),
        0x2001 if b == 0 => AddressKind::Blocked("Teredo, which leads to any IPv4 address"),
        0xfc00..=0xfdff | 0xfec0..=0xfeff => AddressKind::Private,
        _ => AddressKind::Public,
    }
}
