//! Headers of DER elements (X.690 8.1), of elements that are cut off too.
//!
//! The reader of the core refuses an element that is not whole. Here the question is how much is missing, or what a file
//! is by its first bytes.

/// The tag of an element, and its lengths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// The length of the header itself.
    pub(crate) length: usize,
    /// The length of the content. `None`: the indefinite length of BER.
    pub(crate) content: Option<u64>,
}

impl Header {
    /// The header at the beginning of these bytes. `None` if it is cut off, or its length is not one of DER or BER up to
    /// four bytes.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let [tag, first, rest @ ..] = bytes else { return None };
        let more = length_bytes(*first)?;
        let content = match *first {
            0x80 => None,
            short @ ..0x80 => Some(u64::from(short)),
            _ => Some(rest.get(..more)?.iter().fold(0, |length, byte| length << 8 | u64::from(*byte))),
        };
        Some(Self { tag: *tag, length: 2 + more, content })
    }
}

/// How many bytes of a header follow this second one.
pub(crate) fn length_bytes(second: u8) -> Option<usize> {
    match second {
        ..=0x80 => Some(0),
        0x81..=0x84 => Some(usize::from(second & 0x7f)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_length() {
        let header = |length, content| Some(Header { tag: 0x30, length, content });
        for (bytes, read) in [
            (&[0x30, 0x7f][..], header(2, Some(0x7f))),
            (&[0x30, 0x80, 1], header(2, None)),
            (&[0x30, 0x81, 0xff], header(3, Some(0xff))),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], header(6, Some(0xffff_ffff))),
            (&[0x30, 0x82, 1], None),
            (&[0x30, 0x85, 0, 0, 0, 0, 1], None),
            (&[0x30], None),
        ] {
            assert_eq!(Header::read(bytes), read, "{bytes:x?}");
        }
    }
}
