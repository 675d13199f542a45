//! Bytes and numbers in lower-case hexadecimal, bounded: what is shown must not be as large as hostile input.

use data_encoding::HEXLOWER;

use crate::flags::magnitude;

/// The most bytes that are shown, as many as a nonce may have (RFC 9654 2.1).
const MAX_BYTES: usize = 128;

/// All bytes; of very many the first, and dots.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    let mut shown = HEXLOWER.encode(bytes.get(..MAX_BYTES).unwrap_or(bytes));
    if bytes.len() > MAX_BYTES {
        shown.push_str("...");
    }
    shown
}

/// The content of an INTEGER, as serial numbers are shown: without leading zeros, and zero as one byte.
pub(crate) fn number(content: &[u8]) -> String {
    match magnitude(content) {
        [] => "00".to_owned(),
        shown => bytes(shown),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sign_bytes_are_not_shown() {
        assert_eq!(super::number(&[0, 0x80]), "80");
        assert_eq!(super::number(&[0]), "00");
        assert_eq!(super::number(&[0x7f, 0]), "7f00");
    }

    #[test]
    fn endless_ones_are_cut() {
        assert_eq!(super::bytes(&[1; 128]).len(), 256);
        assert_eq!(super::bytes(&[1; 1000]).len(), 259);
    }
}
