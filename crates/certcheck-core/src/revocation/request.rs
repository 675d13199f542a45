//! The evidence that a check needs, and what it is answered with.

use std::sync::Arc;

use bytes::Bytes;
use pki_types::CertificateDer;

use super::{Dismissal, OcspEvidence};
use crate::crl::Crl;
use crate::status::Cause;

/// What is to be got, and from where. URLs are as certificates and CRLs have them: whoever follows them decides which
/// schemes and addresses are allowed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EvidenceRequest {
    /// The CRL at this URL.
    Crl {
        /// Out of a distribution point.
        url: Arc<str>,
    },
    /// The answer of a responder.
    Ocsp {
        /// Out of authorityInfoAccess.
        url: Arc<str>,
        /// The request in DER, to be sent as it is.
        request: Bytes,
        /// The nonce in it. An answer with one cannot serve anyone else.
        nonce: Option<Bytes>,
    },
    /// Certificates of an issuer.
    Issuers {
        /// Out of authorityInfoAccess.
        url: Arc<str>,
    },
}

/// Which kind of evidence a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "who obtains evidence must decide about every kind of it")]
pub enum EvidenceKind {
    /// A CRL.
    Crl,
    /// An OCSP response.
    Ocsp,
    /// Certificates of an issuer.
    Issuers,
}

impl EvidenceKind {
    /// The stable word: `crl`, `ocsp`, `issuers`.
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
    /// Which kind of evidence it is for.
    #[must_use]
    pub const fn kind(&self) -> EvidenceKind {
        match self {
            Self::Crl { .. } => EvidenceKind::Crl,
            Self::Ocsp { .. } => EvidenceKind::Ocsp,
            Self::Issuers { .. } => EvidenceKind::Issuers,
        }
    }

    /// Where.
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
    /// Which certificate of the path it is for; 0 is the target.
    pub at: usize,
    /// What is to be got.
    pub request: EvidenceRequest,
    /// SubjectPublicKeyInfo of who issued the certificate, who most likely signs what comes: for who verifies a large CRL
    /// while it reads it. It decides nothing.
    pub signer: Box<[u8]>,
}

impl Need {
    /// Something to be got that no check has named: for who looks into what is at a URL.
    #[must_use]
    pub const fn new(at: usize, request: EvidenceRequest, signer: Box<[u8]>) -> Self {
        Self { at, request, signer }
    }
}

/// The answer to an [`EvidenceRequest`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A CRL. Read, and not yet believed.
    Crl(Arc<Crl>),
    /// An OCSP response. Read, and not yet believed.
    Ocsp(Arc<OcspEvidence>),
    /// Certificates. They help to build paths and are trusted in nothing.
    Issuers(Vec<CertificateDer<'static>>),
    /// Nothing, and why.
    Failed(Cause),
}

/// What an answer would change, if it were given: see `CheckSession::preview`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnswerPreview {
    /// Why it would be of no use. Who keeps evidence for others keeps none that has such a fault.
    pub fault: Option<Dismissal>,
    /// Whether something else would be asked for then.
    pub asks_on: bool,
    /// Whether some certificate would be known to be revoked: evidence of no other use is of that use.
    pub finds_revoked: bool,
}
