//! OCSP requests (RFC 6960 4.1.1).

use crate::der::tag;
use crate::encode::{element, push, push_header, size};
use crate::oid::{self, Oid};
use crate::provider::digest;
use crate::x509::Certificate;

/// The hash of a CertID, which identifies an issuer. It signs nothing, so SHA-1 is good enough.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CertIdHash {
    /// SHA-1, which every responder supports.
    Sha1,
    /// SHA-256, which RFC 9919 recommends.
    Sha256,
    /// SHA-384, only in responses.
    Sha384,
    /// SHA-512, only in responses.
    Sha512,
}

impl CertIdHash {
    pub(crate) fn of(oid: Oid<'_>) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|hash| hash.oid() == oid)
    }

    const fn oid(self) -> Oid<'static> {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    pub(crate) fn digest(self, bytes: &[u8]) -> digest::Digest {
        digest::digest(
            match self {
                Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
                Self::Sha256 => &digest::SHA256,
                Self::Sha384 => &digest::SHA384,
                Self::Sha512 => &digest::SHA512,
            },
            bytes,
        )
    }
}

/// The hashes of an issuer for a CertID.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashedIssuer {
    hash: CertIdHash,
    name: digest::Digest,
    key: digest::Digest,
}

impl HashedIssuer {
    /// The hashes of the issuer's name as in the certificate, and of its key without the count of unused bits.
    ///
    /// RFC 6960 4.1.1.
    #[doc(alias = "RFC 6960 section 4.1.1")]
    pub(crate) fn new(certificate: &Certificate<'_>, issuer: &Certificate<'_>, hash: CertIdHash) -> Self {
        let (name, key) = (certificate.issuer().raw(), issuer.spki().public_key);
        Self { hash, name: hash.digest(name), key: hash.digest(key) }
    }

    pub(crate) const fn hash(&self) -> CertIdHash {
        self.hash
    }
}

/// A builder for requests: for one certificate (RFC 9919) or several, with extensions.
///
/// ```asn1
/// TBSRequest ::= SEQUENCE {
///      version [0] DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
///      requestList SEQUENCE OF SEQUENCE { reqCert CertID }, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Debug, Default)]
pub struct OcspRequest {
    requestor: Option<Vec<u8>>,
    list: Vec<u8>,
    nonce: Option<Vec<u8>>,
    preferred: Vec<u8>,
}

/// A nonce that is empty or longer than 128 bytes (RFC 9654 2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "there is only one way to have a wrong length")]
pub struct BadNonce;

impl core::fmt::Display for BadNonce {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a nonce must have 1 to 128 bytes")
    }
}

impl core::error::Error for BadNonce {}

impl OcspRequest {
    /// The length of the nonces that RFC 9654 tells clients to send, in bytes.
    pub const NONCE_LENGTH: usize = 32;

    /// A request without a certificate so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a certificate and its issuer.
    ///
    /// ```asn1
    /// CertID ::= SEQUENCE {
    ///      hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
    ///      serialNumber INTEGER }
    /// ```
    ///
    /// RFC 6960 4.1.1.
    #[doc(alias = "RFC 6960 section 4.1.1")]
    #[must_use]
    pub fn about(self, certificate: &Certificate<'_>, issuer: &Certificate<'_>, hash: CertIdHash) -> Self {
        self.about_serial(certificate.serial().bytes(), &HashedIssuer::new(certificate, issuer, hash))
    }

    /// Like [`OcspRequest::about`], for a certificate of an issuer whose hashes are known.
    pub(crate) fn about_serial(mut self, serial: &[u8], issuer: &HashedIssuer) -> Self {
        let HashedIssuer { hash, name, key } = issuer;
        let (oid, name, key) = (hash.oid().content(), name.as_ref(), key.as_ref());
        let algorithm = size(oid.len()) + size(0);
        let cert_id = size(algorithm) + size(name.len()) + size(key.len()) + size(serial.len());
        let list = &mut self.list;
        list.reserve(size(size(cert_id)));
        push_header(list, tag::SEQUENCE, size(cert_id));
        push_header(list, tag::SEQUENCE, cert_id);
        push_header(list, tag::SEQUENCE, algorithm);
        push(list, tag::OID, oid);
        push(list, tag::NULL, &[]);
        push(list, tag::OCTET_STRING, name);
        push(list, tag::OCTET_STRING, key);
        push(list, tag::INTEGER, serial);
        self
    }

    /// Asks the responder to repeat this nonce (RFC 9654). The caller provides random bytes, because the core has no
    /// randomness.
    ///
    /// # Errors
    /// [`BadNonce`]
    ///
    /// RFC 9654 2.1.
    #[doc(alias = "RFC 9654 section 2.1")]
    pub fn with_nonce(mut self, nonce: &[u8]) -> Result<Self, BadNonce> {
        if !(1..=128).contains(&nonce.len()) {
            return Err(BadNonce);
        }
        self.nonce = Some(nonce.to_vec());
        Ok(self)
    }

    /// Names a preferred signature algorithm, as the DER of its AlgorithmIdentifier (RFC 6960 4.4.7). The first one has
    /// the highest preference.
    #[doc(alias = "RFC 6960 section 4.4.7")]
    #[must_use]
    pub fn preferring(mut self, algorithm: &[u8]) -> Self {
        push(&mut self.preferred, tag::SEQUENCE, algorithm);
        self
    }

    /// Names the requestor: the subject of a certificate. A signed request must have one (RFC 6960 4.1.2).
    #[must_use]
    pub fn by(mut self, requestor: &Certificate<'_>) -> Self {
        let name = element(tag::context_constructed(4), requestor.subject().raw());
        self.requestor = Some(element(tag::context_constructed(1), &name));
        self
    }

    /// The `tbsRequest`, over which a signature is made.
    #[must_use]
    pub fn tbs(&self) -> Vec<u8> {
        let extensions = self.extensions();
        let mut out = Vec::with_capacity(size(self.content_length(&extensions)));
        self.push_tbs(&extensions, &mut out);
        out
    }

    /// The request in DER.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let extensions = self.extensions();
        let tbs = size(self.content_length(&extensions));
        let mut out = Vec::with_capacity(size(tbs));
        push_header(&mut out, tag::SEQUENCE, tbs);
        self.push_tbs(&extensions, &mut out);
        out
    }

    /// The `requestExtensions` with their headers, if there are any.
    fn extensions(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        if let Some(nonce) = &self.nonce {
            extensions.extend(extension(oid::OCSP_NONCE, &element(tag::OCTET_STRING, nonce)));
        }
        if !self.preferred.is_empty() {
            let list = element(tag::SEQUENCE, &self.preferred);
            extensions.extend(extension(oid::OCSP_PREFERRED_ALGORITHMS, &list));
        }
        if extensions.is_empty() {
            return extensions;
        }
        element(tag::context_constructed(2), &element(tag::SEQUENCE, &extensions))
    }

    fn content_length(&self, extensions: &[u8]) -> usize {
        self.requestor.as_ref().map_or(0, Vec::len) + size(self.list.len()) + extensions.len()
    }

    fn push_tbs(&self, extensions: &[u8], to: &mut Vec<u8>) {
        push_header(to, tag::SEQUENCE, self.content_length(extensions));
        to.extend_from_slice(self.requestor.as_deref().unwrap_or_default());
        push(to, tag::SEQUENCE, &self.list);
        to.extend_from_slice(extensions);
    }

    /// The request with a signature over [`OcspRequest::tbs`], for responders that require one (RFC 6960 4.1.2).
    /// `algorithm` is the DER of its AlgorithmIdentifier. The responder may need `certificates` to verify it.
    #[doc(alias = "RFC 6960 section 4.1.2")]
    #[must_use]
    pub fn encode_signed(&self, algorithm: &[u8], signature: &[u8], certificates: &[&[u8]]) -> Vec<u8> {
        let bits = element(tag::BIT_STRING, &[&[0], signature].concat());
        let mut content = [algorithm, &bits].concat();
        if !certificates.is_empty() {
            let list = element(tag::SEQUENCE, &certificates.concat());
            push(&mut content, tag::context_constructed(0), &list);
        }
        let optional = element(tag::context_constructed(0), &element(tag::SEQUENCE, &content));
        element(tag::SEQUENCE, &[self.tbs(), optional].concat())
    }
}

fn extension(oid: Oid<'_>, value: &[u8]) -> Vec<u8> {
    element(tag::SEQUENCE, &[element(tag::OID, oid.content()), element(tag::OCTET_STRING, value)].concat())
}
