//! The little DER this crate writes: settings' subtrees and OCSP requests. Nothing that was signed is written again.

/// Appends one element.
pub(crate) fn push(to: &mut Vec<u8>, tag: u8, value: &[u8]) {
    to.push(tag);
    match u8::try_from(value.len()) {
        Ok(short @ 0..=0x7f) => to.push(short),
        _ => {
            let octets = value.len().to_be_bytes();
            let significant = octets.iter().copied().skip_while(|octet| *octet == 0);
            let length: Vec<u8> = significant.collect();
            to.push(0x80 | u8::try_from(length.len()).unwrap_or(0));
            to.extend_from_slice(&length);
        }
    }
    to.extend_from_slice(value);
}

/// One element.
pub(crate) fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 6);
    push(&mut out, tag, value);
    out
}
