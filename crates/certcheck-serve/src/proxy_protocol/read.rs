//! Headers of proxies in front.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::crc32c::crc32c;
use super::header::{Addresses, Header, SIGNATURE, kind};

/// The longest header of version 1, with its line end.
const MAX_V1: usize = 107;
/// The fixed part of version 2: signature, version, family, length.
const FIXED: usize = 16;
/// The most bytes behind the fixed part that are accepted.
const MAX_V2: usize = 16 << 10;
/// The most TLVs.
const MAX_TLVS: usize = 256;

/// How far a header is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// So many further bytes belong to it, at least.
    Need(usize),
    /// It is complete.
    Done(Header),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderFault {
    NoHeader,
    TooLong,
    Line,
    Version(u8),
    Family(u8),
    Length,
    Tlv,
    Checksum,
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("the connection does not begin with a PROXY protocol header"),
            Self::TooLong => write!(
                f,
                "the PROXY protocol header is longer than {MAX_V1} bytes in version 1, or {MAX_V2} in version 2"
            ),
            Self::Line => f.write_str("the PROXY protocol header of version 1 cannot be parsed"),
            Self::Version(byte) => {
                write!(f, "the PROXY protocol header has version and command 0x{byte:02x}, not 0x20 or 0x21")
            }
            Self::Family(byte) => {
                write!(
                    f,
                    "the PROXY protocol header has the address family 0x{byte:02x}, which is not of streams"
                )
            }
            Self::Length => f.write_str("the PROXY protocol header is too short for its addresses"),
            Self::Tlv => {
                f.write_str("a TLV of the PROXY protocol header goes beyond its end, or there are too many")
            }
            Self::Checksum => f.write_str("the checksum of the PROXY protocol header is wrong"),
        }
    }
}

/// Parses what has come of a header.
pub(crate) fn parse(bytes: &[u8]) -> Result<Progress, HeaderFault> {
    // No header is shorter than the signature.
    if bytes.is_empty() {
        return Ok(Progress::Need(SIGNATURE.len()));
    }
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(one, other)| one == other);
    if begins(&SIGNATURE) {
        return if bytes.len() < FIXED { Ok(Progress::Need(FIXED - bytes.len())) } else { v2(bytes) };
    }
    if !begins(b"PROXY ") {
        return Err(HeaderFault::NoHeader);
    }
    v1(bytes)
}

fn v1(bytes: &[u8]) -> Result<Progress, HeaderFault> {
    const SHORTEST: usize = b"PROXY UNKNOWN\r\n".len();
    if bytes.len() < SHORTEST {
        return Ok(Progress::Need(SHORTEST - bytes.len()));
    }
    let Some(line) = bytes.strip_suffix(b"\r\n") else {
        let is_broken = bytes.iter().rev().skip(1).any(|byte| matches!(byte, b'\r' | b'\n'));
        if is_broken || bytes.ends_with(b"\n") {
            return Err(HeaderFault::Line);
        }
        return match MAX_V1.checked_sub(bytes.len()) {
            None | Some(0) => Err(HeaderFault::TooLong),
            Some(_) if bytes.ends_with(b"\r") => Ok(Progress::Need(1)),
            Some(left) => Ok(Progress::Need(left.min(2))),
        };
    };
    let line = str::from_utf8(line).map_err(|_| HeaderFault::Line)?;
    if line.contains(['\r', '\n']) {
        return Err(HeaderFault::Line);
    }
    let fields: Vec<&str> = line.split(' ').collect();
    let addresses = match fields.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", family @ ("TCP4" | "TCP6"), source, destination, from, to] => {
            let address = |text: &str, port: &str| -> Option<SocketAddr> {
                let ip = match *family {
                    "TCP4" => text.parse::<Ipv4Addr>().ok()?.into(),
                    _ => IpAddr::from(text.parse::<Ipv6Addr>().ok()?),
                };
                Some(SocketAddr::new(ip, port_of(port)?))
            };
            let (source, destination) = (address(source, from), address(destination, to));
            let (Some(source), Some(destination)) = (source, destination) else {
                return Err(HeaderFault::Line);
            };
            Some(Addresses { source, destination })
        }
        _ => return Err(HeaderFault::Line),
    };
    Ok(Progress::Done(Header { addresses, is_local: false }))
}

/// A port in its only spelling.
fn port_of(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn v2(bytes: &[u8]) -> Result<Progress, HeaderFault> {
    let Some(([_, _, _, _, _, _, _, _, _, _, _, _, command, family, high, low], rest)) =
        bytes.split_first_chunk::<FIXED>()
    else {
        return Err(HeaderFault::NoHeader);
    };
    let is_local = match command {
        0x20 => true,
        0x21 => false,
        other => return Err(HeaderFault::Version(*other)),
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > MAX_V2 {
        return Err(HeaderFault::TooLong);
    }
    if rest.len() < length {
        return Ok(Progress::Need(length - rest.len()));
    }
    let content = rest.get(..length).unwrap_or_default();
    let header = bytes.get(..FIXED + length).unwrap_or_default();
    // What a proxy says of itself is ignored, its family too.
    if is_local {
        return Ok(Progress::Done(Header { addresses: None, is_local }));
    }
    let (addresses, size) = match family {
        0x00 => (None, 0),
        0x11 => (Some(v4(content)?), 12),
        0x21 => (Some(v6(content)?), 36),
        0x31 => (None, 216),
        other => return Err(HeaderFault::Family(*other)),
    };
    let tlvs = content.get(size..).ok_or(HeaderFault::Length)?;
    verify_tlvs(header, tlvs)?;
    Ok(Progress::Done(Header { addresses, is_local }))
}

fn v4(content: &[u8]) -> Result<Addresses, HeaderFault> {
    let Some(([a, b, c, d, e, f, g, h, i, j, k, l], _)) = content.split_first_chunk::<12>() else {
        return Err(HeaderFault::Length);
    };
    Ok(Addresses {
        source: SocketAddr::new(IpAddr::from([*a, *b, *c, *d]), u16::from_be_bytes([*i, *j])),
        destination: SocketAddr::new(IpAddr::from([*e, *f, *g, *h]), u16::from_be_bytes([*k, *l])),
    })
}

fn v6(content: &[u8]) -> Result<Addresses, HeaderFault> {
    let parts = content.split_first_chunk::<16>().and_then(|(source, rest)| {
        let (destination, rest) = rest.split_first_chunk::<16>()?;
        let ([a, b, c, d], _) = rest.split_first_chunk::<4>()?;
        Some((*source, *destination, u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
    });
    let (source, destination, from, to) = parts.ok_or(HeaderFault::Length)?;
    Ok(Addresses {
        source: SocketAddr::new(IpAddr::from(source), from),
        destination: SocketAddr::new(IpAddr::from(destination), to),
    })
}

/// Every TLV ends within the header, and the checksum is right if there is one. What TLVs say is not used.
fn verify_tlvs(header: &[u8], mut tlvs: &[u8]) -> Result<(), HeaderFault> {
    let mut has_checksum = false;
    let mut number = 0;
    while let Some(([kind, high, low], rest)) = tlvs.split_first_chunk::<3>() {
        number += 1;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(HeaderFault::Tlv)?;
        if number > MAX_TLVS {
            return Err(HeaderFault::Tlv);
        }
        if *kind == kind::CRC32C {
            let at = header.len() - rest.len() - value.len();
            let expected: [u8; 4] = value.try_into().map_err(|_| HeaderFault::Checksum)?;
            let zeroed = header
                .iter()
                .enumerate()
                .map(|(number, byte)| if (at..at + value.len()).contains(&number) { 0 } else { *byte });
            if has_checksum || crc32c(zeroed) != u32::from_be_bytes(expected) {
                return Err(HeaderFault::Checksum);
            }
            has_checksum = true;
        }
        tlvs = rest;
    }
    if tlvs.is_empty() { Ok(()) } else { Err(HeaderFault::Tlv) }
}
