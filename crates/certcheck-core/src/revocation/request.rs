//! The evidence that a check needs, and the answers.

use std::sync::Arc;

use bytes::Bytes;
use pki_types::CertificateDer;

use super::{Dismissal, OcspEvidence};
use crate::crl::Crl;
use crate::status::Cause;

/// A request for evidence from a location. URLs are those in certificates and CRLs. The driver decides which schemes
/// and addresses are allowed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EvidenceRequest {
    /// The CRL at this URL.
    Crl {
        /// The URL, from a distribution point.
        url: Arc<str>,
    },
    /// The response of an OCSP responder.
    Ocsp {
        /// The URL, from authorityInfoAccess.
        url: Arc<str>,
        /// The request in DER, to be sent unchanged.
        request: Bytes,
        /// The nonce in the request. A response to a request with a nonce must not be used for another request.
        nonce: Option<Bytes>,
    },
    /// Certificates of an issuer.
    Issuers {
        /// The URL, from authorityInfoAccess.
        url: Arc<str>,
    },
}

/// The kind of evidence that a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must decide about every kind")]
pub enum EvidenceKind {
    /// A CRL.
    Crl,
    /// An OCSP response.
    Ocsp,
    /// Certificates of an issuer.
    Issuers,
}

impl EvidenceKind {
    /// The stable code: `crl`, `ocsp`, `issuers`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
            Self::Issuers => "issuers",
        }
    }
}

impl EvidenceRequest {
    /// The kind of evidence that it is for.
    #[must_use]
    pub const fn kind(&self) -> EvidenceKind {
        match self {
            Self::Crl { .. } => EvidenceKind::Crl,
            Self::Ocsp { .. } => EvidenceKind::Ocsp,
            Self::Issuers { .. } => EvidenceKind::Issuers,
        }
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &Arc<str> {
        match self {
            Self::Crl { url } | Self::Ocsp { url, .. } | Self::Issuers { url } => url,
        }
    }
}

/// Evidence that a check needs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Need {
    /// The position of the certificate in the path that it is for. 0 is the target.
    pub at: usize,
    /// The request.
    pub request: EvidenceRequest,
    /// The SubjectPublicKeyInfo of the certificate's issuer, the most likely signer of the answer. A driver may use it
    /// to verify a large CRL while parsing it. It decides nothing.
    pub signer: Box<[u8]>,
}

impl Need {
    /// A need that no check has named, for callers that fetch a given URL.
    #[must_use]
    pub const fn new(at: usize, request: EvidenceRequest, signer: Box<[u8]>) -> Self {
        Self { at, request, signer }
    }
}

/// The answer to an [`EvidenceRequest`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A CRL, parsed but not verified.
    Crl(Arc<Crl>),
    /// An OCSP response, parsed but not verified.
    Ocsp(Arc<OcspEvidence>),
    /// Certificates. They help to build paths and are not trusted.
    Issuers(Vec<CertificateDer<'static>>),
    /// No evidence, and why.
    Failed(Cause),
}

/// What an answer would change: see `CheckSession::preview`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnswerPreview {
    /// Why it would not be useful. Evidence with such a fault must not be cached for other checks.
    pub fault: Option<Dismissal>,
    /// Whether something else would be requested then.
    pub asks_on: bool,
    /// Whether a certificate would be known to be revoked. Evidence that is not useful otherwise is useful for that.
    pub finds_revoked: bool,
}
