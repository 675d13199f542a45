//! The nonce of OCSP (RFC 9654).

use bytes::Bytes;

use crate::der::tag;
use crate::digest::Sha256;

/// The nonce for a request to this URL, derived from a seed. The same request always has the same nonce in a check. A
/// digest has an allowed length for a nonce (RFC 9654 2.1).
pub(crate) fn derive(seed: &[u8; 32], url: &str, request: &[u8]) -> Bytes {
    let mut hasher = Sha256::new();
    hasher.update(seed);
    hasher.update(url.as_bytes());
    hasher.update(request);
    Bytes::copy_from_slice(&hasher.finish())
}

/// Whether the nonce of a response is the nonce of its request. Deviation: bytes without the OCTET STRING that RFC 9654
/// 2.1 has around them are accepted too, because some responders return them so.
pub(crate) fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
    strip_header(theirs) == ours || theirs == ours
}

/// The content of an OCTET STRING of less than 128 bytes.
fn strip_header(value: &[u8]) -> &[u8] {
    match value {
        [tag::OCTET_STRING, length, content @ ..] if usize::from(*length) == content.len() => content,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{derive, is_same};

    #[test]
    fn a_nonce_depends_on_seed_url_and_request() {
        let nonce = derive(&[1; 32], "http://a.example/", b"request");
        assert_eq!(nonce, derive(&[1; 32], "http://a.example/", b"request"));
        for other in [
            derive(&[2; 32], "http://a.example/", b"request"),
            derive(&[1; 32], "http://b.example/", b"request"),
            derive(&[1; 32], "http://a.example/", b"another"),
        ] {
            assert_ne!(nonce, other);
        }
    }

    #[test]
    fn a_nonce_is_the_same_with_its_header_and_without() {
        assert!(is_same(&[7, 8], &[4, 2, 7, 8]));
        assert!(is_same(&[7, 8], &[7, 8]));
        assert!(!is_same(&[7, 8], &[4, 3, 7, 8]));
        assert!(!is_same(&[7, 8], &[4, 2, 7, 9]));
        assert!(!is_same(&[7, 8], &[]));
    }
}
