//! Octets and numbers in lower-case hexadecimal.

use crate::flags::magnitude;

/// All octets.
pub(crate) fn octets(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
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
}
