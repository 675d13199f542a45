//! OCSP requests (RFC 6960 4.1.1).

use ring::digest;

use crate::der::tag;
use crate::encode::{element, push};
use crate::oid::{self, Oid};
use crate::view::Certificate;

/// The hash that names an issuer in a CertID. It signs nothing: SHA-1 is as good as any here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CertIdHash {
    /// What every responder understands.
    Sha1,
    /// What RFC 9919 recommends.
    Sha256,
    /// Seen in answers only.
    Sha384,
    /// Seen in answers only.
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

    pub(crate) fn digest(self, octets: &[u8]) -> digest::Digest {
        digest::digest(
            match self {
                Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
                Self::Sha256 => &digest::SHA256,
                Self::Sha384 => &digest::SHA384,
                Self::Sha512 => &digest::SHA512,
            },
            octets,
        )
    }
}

/// A request in the making: about one certificate (RFC 9919) or several, with what is asked of the answer.
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

/// A nonce that is empty or has more than 128 octets (RFC 9654 2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadNonce;

impl core::fmt::Display for BadNonce {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a nonce has 1 to 128 octets")
    }
}

impl core::error::Error for BadNonce {}

impl OcspRequest {
    /// Octets of a nonce that RFC 9654 has clients send.
    pub const NONCE_LENGTH: usize = 32;

    /// About nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks about a certificate and who issued it.
    ///
    /// ```asn1
    /// CertID ::= SEQUENCE {
    ///      hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
    ///      serialNumber INTEGER }
    /// ```
    #[must_use]
    pub fn about(
        mut self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        hash: CertIdHash,
    ) -> Self {
        let algorithm = [element(tag::OID, hash.oid().content()), element(tag::NULL, &[])].concat();
        let cert_id = [
            element(tag::SEQUENCE, &algorithm),
            // Over the issuer's name as the certificate has it, and the key without the count of unused bits.
            element(tag::OCTET_STRING, hash.digest(certificate.issuer().raw()).as_ref()),
            element(tag::OCTET_STRING, hash.digest(issuer.spki().public_key).as_ref()),
            element(tag::INTEGER, certificate.serial().octets()),
        ]
        .concat();
        push(&mut self.list, tag::SEQUENCE, &element(tag::SEQUENCE, &cert_id));
        self
    }

    /// Asks that the answer repeat these octets (RFC 9654), of randomness that the caller has: the core has none.
    ///
    /// # Errors
    /// [`BadNonce`]
    pub fn with_nonce(mut self, nonce: &[u8]) -> Result<Self, BadNonce> {
        if !(1..=128).contains(&nonce.len()) {
            return Err(BadNonce);
        }
        self.nonce = Some(nonce.to_vec());
        Ok(self)
    }

    /// Says which signature algorithm the answer had best have, given as the DER of its AlgorithmIdentifier
    /// (RFC 6960 4.4.7). The first that is named is liked best.
    #[must_use]
    pub fn preferring(mut self, algorithm: &[u8]) -> Self {
        push(&mut self.preferred, tag::SEQUENCE, algorithm);
        self
    }

    /// Says who asks: the subject of a certificate. A request that is signed must (RFC 6960 4.1.2).
    #[must_use]
    pub fn by(mut self, requestor: &Certificate<'_>) -> Self {
        let name = element(tag::context_constructed(4), requestor.subject().raw());
        self.requestor = Some(element(tag::context_constructed(1), &name));
        self
    }

    /// `tbsRequest`: what a signature is made over.
    #[must_use]
    pub fn tbs(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        if let Some(nonce) = &self.nonce {
            extensions.extend(extension(oid::OCSP_NONCE, &element(tag::OCTET_STRING, nonce)));
        }
        if !self.preferred.is_empty() {
            let list = element(tag::SEQUENCE, &self.preferred);
            extensions.extend(extension(oid::OCSP_PREFERRED_ALGORITHMS, &list));
        }
        let mut content = self.requestor.clone().unwrap_or_default();
        push(&mut content, tag::SEQUENCE, &self.list);
        if !extensions.is_empty() {
            push(&mut content, tag::context_constructed(2), &element(tag::SEQUENCE, &extensions));
        }
        element(tag::SEQUENCE, &content)
    }

    /// The request in DER.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        element(tag::SEQUENCE, &self.tbs())
    }

    /// The request with a signature over [`OcspRequest::tbs`], for responders that demand one (RFC 6960 4.1.2).
    /// `algorithm` is the DER of its AlgorithmIdentifier; `certificates` help the responder to verify it.
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
