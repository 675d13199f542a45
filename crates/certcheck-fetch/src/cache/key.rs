//! Keys of evidence in memory and in stores.

use core::fmt;

use certcheck_core::digest::Sha256;
use certcheck_core::revocation::EvidenceRequest;
use data_encoding::HEXLOWER;

/// A key of evidence: a digest of the request and of the issuer it is about.
///
/// A key says where bytes came from, not that they can be trusted. The core checks what is found under it for the
/// certificate in question, and another source is asked if it cannot be used. That it cannot be used is remembered
/// for that issuer alone, so two issuers may name the same URL.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EvidenceKey([u8; 32]);

impl EvidenceKey {
    /// The key of a request. `None` for a request with a nonce: its answer is for one client alone.
    #[must_use]
    pub fn of(request: &EvidenceRequest) -> Option<Self> {
        let der: &[u8] = match request {
            EvidenceRequest::Ocsp { nonce: Some(_), .. } => return None,
            EvidenceRequest::Ocsp { request: der, .. } => der,
            _ => &[],
        };
        let mut digest = Sha256::new();
        // Neither codes nor URLs have a zero byte.
        for part in [b"certcheck 1", request.kind().code().as_bytes(), request.url().as_bytes()] {
            digest.update(part);
            digest.update(&[0]);
        }
        digest.update(der);
        Some(Self(digest.finish()))
    }

    /// The key in hexadecimal: the name of a file, or the end of a key in a shared store.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The key for evidence from there that is evaluated with this signer's key. What cannot be used with one signer
    /// may be right with another.
    pub(crate) fn for_signer(&self, signer: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update(&self.0);
        digest.update(signer);
        Self(digest.finish())
    }

    /// The first bytes, to make something that differs between keys.
    pub(crate) fn leading(&self) -> u64 {
        self.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Parses hexadecimal in lower case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for EvidenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvidenceKey({})", self.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let crl = |url: &str| EvidenceRequest::Crl { url: url.into() };
        let key = EvidenceKey::of(&crl("http://a/")).unwrap();
        assert_eq!(EvidenceKey::from_hex(&key.to_hex()), Some(key));
        assert_ne!(EvidenceKey::of(&crl("http://b/")), Some(key));
        assert_ne!(EvidenceKey::of(&EvidenceRequest::Issuers { url: "http://a/".into() }), Some(key));
        let ocsp = |nonce: Option<&'static [u8]>| EvidenceRequest::Ocsp {
            url: "http://a/".into(),
            request: bytes::Bytes::from_static(b"x"),
            nonce: nonce.map(bytes::Bytes::from_static),
        };
        assert!(EvidenceKey::of(&ocsp(None)).is_some());
        assert_eq!(EvidenceKey::of(&ocsp(Some(b"n"))), None);
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"G".repeat(64), &"A".repeat(64)] {
            assert_eq!(EvidenceKey::from_hex(text), None, "{text}");
        }
    }
}
