//! The DER that this crate writes: subtrees from settings, and OCSP requests. Signed data is never encoded again.

/// Appends one element.
pub(crate) fn push(to: &mut Vec<u8>, tag: u8, value: &[u8]) {
    push_header(to, tag, value.len());
    to.extend_from_slice(value);
}

/// Appends the header of an element with `length` bytes of content.
pub(crate) fn push_header(to: &mut Vec<u8>, tag: u8, length: usize) {
    to.push(tag);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => to.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = bytes.get(bytes.len() - length_bytes(length)..).unwrap_or_default();
            to.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            to.extend_from_slice(significant);
        }
    }
}

/// The size of an element with this many bytes of content.
pub(crate) const fn size(content: usize) -> usize {
    2 + content + if content <= 0x7f { 0 } else { length_bytes(content) }
}

/// The number of bytes of a length that does not fit in seven bits.
const fn length_bytes(length: usize) -> usize {
    let mut count = 1;
    let mut rest = length >> 8;
    while rest > 0 {
        count += 1;
        rest >>= 8;
    }
    count
}

/// Returns one element.
pub(crate) fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(size(value.len()));
    push(&mut out, tag, value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let out = element(0x30, &vec![0; length]);
            assert_eq!((out.len(), out.capacity()), (size(length), size(length)));
            let mut reader = crate::der::Reader::new(&out);
            assert_eq!(reader.any("test").map(|tlv| tlv.value.len()), Ok(length));
            assert!(reader.is_empty());
        }
    }
}
