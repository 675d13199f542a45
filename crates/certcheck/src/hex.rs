//! Octets and numbers in lower-case hexadecimal, bounded: what is shown must not be as large as hostile input.

use data_encoding::HEXLOWER;

use crate::flags::magnitude;

/// Octets that are shown: a nonce has no more (RFC 9654 2.1).
const MAX_OCTETS: usize = 128;

/// All octets; of very many the first, and dots.
pub(crate) fn octets(octets: &[u8]) -> String {
    let mut shown = HEXLOWER.encode(octets.get(..MAX_OCTETS).unwrap_or(octets));
    if octets.len() > MAX_OCTETS {
        shown.push_str("...");
    }
    shown
}

/// The content of an INTEGER, as serial numbers are shown: without leading zeros, and zero as one octet.
pub(crate) fn number(content: &[u8]) -> String {
    match magnitude(content) {
        [] => "00".to_owned(),
        shown => octets(shown),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sign_octets_are_not_shown() {
        assert_eq!(super::number(&[0, 0x80]), "80");
        assert_eq!(super::number(&[0]), "00");
        assert_eq!(super::number(&[0x7f, 0]), "7f00");
    }

    #[test]
    fn endless_ones_are_cut() {
        assert_eq!(super::octets(&[1; 128]).len(), 256);
        assert_eq!(super::octets(&[1; 1000]).len(), 259);
    }
}
