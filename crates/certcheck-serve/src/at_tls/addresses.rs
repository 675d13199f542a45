//! Addresses of conditions: one, a prefix, a range, or all.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses from the first to the last, of one family, or all of both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AddressRange {
    /// All addresses.
    All,
    /// From the first to the last, as a prefix if it was written as one.
    Range {
        /// The first address.
        first: IpAddr,
        /// The last address.
        last: IpAddr,
        /// The length of the prefix.
        prefix: Option<u8>,
    },
}

impl AddressRange {
    /// The addresses of a text.
    ///
    /// # Errors
    /// Why the text is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        if let Some((address, length)) = text.split_once('/') {
            return prefix(one(address)?, length);
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (one(first)?, one(last)?),
            None => (one(text)?, one(text)?),
        };
        if first.is_ipv4() != last.is_ipv4() || first > last {
            return Err("a range is from an address to a higher one of the same family".to_owned());
        }
        Ok(Self::Range { first, last, prefix: None })
    }

    /// The one address, if it is one.
    #[must_use]
    pub fn single(&self) -> Option<IpAddr> {
        match self {
            Self::Range { first, last, .. } if first == last => Some(*first),
            _ => None,
        }
    }

    /// The networks that have exactly these addresses: address and length of the prefix. None if it is all addresses.
    #[must_use]
    pub fn networks(&self) -> Vec<(IpAddr, u8)> {
        let Self::Range { first, last, .. } = self else { return Vec::new() };
        let bits: u32 = if first.is_ipv4() { 32 } else { 128 };
        let back = |number: u128| match u32::try_from(number) {
            Ok(number) if bits == 32 => IpAddr::V4(Ipv4Addr::from_bits(number)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
        };
        let (mut low, high) = (number(*first), number(*last));
        let mut networks = Vec::new();
        loop {
            // The largest network that begins here and does not end beyond.
            let aligned = low.trailing_zeros().min(bits);
            let left = high - low;
            let fitting = if left == u128::MAX { 128 } else { 127 - (left + 1).leading_zeros() };
            let host = aligned.min(fitting);
            networks.push((back(low), u8::try_from(bits - host).unwrap_or_default()));
            let size = 1_u128.checked_shl(host).unwrap_or(0);
            match low.checked_add(size) {
                Some(next) if size > 0 && next <= high => low = next,
                _ => return networks,
            }
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("All"),
            Self::Range { first, prefix: Some(length), .. } => write!(f, "{first}/{length}"),
            Self::Range { first, last, .. } if first == last => write!(f, "{first}"),
            Self::Range { first, last, .. } => write!(f, "{first}-{last}"),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn one(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text.parse().map_err(|_| format!("`{text}` is not an IP address"))?;
    match address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Err(format!("`{text}` is an IPv4 address in IPv6 form; write it as IPv4"))
        }
        address => Ok(address),
    }
}

fn prefix(address: IpAddr, length: &str) -> Result<AddressRange, String> {
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if is_number { length.parse::<u32>().ok() } else { None };
    let Some(parsed) = parsed.filter(|parsed| *parsed <= bits) else {
        return Err(format!("a prefix of such an address has 0 to {bits} bits, not `{length}`"));
    };
    let host = 1_u128.checked_shl(bits - parsed).map_or(u128::MAX, |size| size - 1);
    let (low, high) = (number(address) & !host, number(address) | host);
    let back = |number: u128| match (address, u32::try_from(number)) {
        (IpAddr::V4(_), Ok(number)) => IpAddr::V4(Ipv4Addr::from_bits(number)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
    };
    if low != number(address) {
        return Err(format!("it has bits behind the prefix; write {}/{parsed}", back(low)));
    }
    Ok(AddressRange::Range { first: back(low), last: back(high), prefix: u8::try_from(parsed).ok() })
}
