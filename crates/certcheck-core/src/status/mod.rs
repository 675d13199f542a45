//! The revocation status of certificates.

mod cause;
mod revocation_reason;

use std::sync::Arc;

pub use cause::Cause;
pub use revocation_reason::RevocationReason;

use crate::time::Time;

/// The kind of evidence by which a status is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Means {
    /// A certificate revocation list.
    Crl,
    /// An OCSP response.
    Ocsp,
}

impl Means {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
        }
    }

    /// The clause that defines how the status is determined.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Crl => "RFC 5280 6.3.3",
            Self::Ocsp => "RFC 6960 2.2",
        }
    }
}

/// The evidence for a status. `S` is the type of its source: owned, or borrowed from the evidence by a caller that
/// keeps nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proof<S = Arc<str>> {
    /// The kind of evidence.
    pub by: Means,
    /// The URL or file from which it was read.
    pub source: S,
    /// Its thisUpdate: the time for which the status holds.
    pub this_update: Time,
    /// Its nextUpdate, if it has one.
    pub next_update: Option<Time>,
}

/// A revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Revoked<S = Arc<str>> {
    /// The evidence for it.
    pub proof: Proof<S>,
    /// The time of revocation. A time in the future is treated as now, since an issuer that revokes in advance does not
    /// mean the certificate to be trusted until then.
    pub at: Time,
    /// The reason. A certificate on hold is revoked like any other, but the hold may be lifted.
    pub reason: RevocationReason,
    /// The invalidityDate (RFC 5280 5.3.2): since when the key has been suspected.
    pub invalid_since: Option<Time>,
}

/// The status of one certificate: good, revoked or unknown, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Status<S = Arc<str>> {
    /// Not checked: anchors, revocation off, or a path that is rejected anyway.
    NotChecked,
    /// Good: current evidence covers the certificate, and does not list it.
    Good(Proof<S>),
    /// Revoked.
    Revoked(Revoked<S>),
    /// Good: the issuer never publishes a status for it (RFC 9608).
    NoRevAvail,
    /// Unknown, with the cause.
    Unknown(Cause),
}

impl Proof<&Arc<str>> {
    fn to_owned(&self) -> Proof {
        let Self { by, source, this_update, next_update } = *self;
        Proof { by, source: Arc::clone(source), this_update, next_update }
    }
}

impl Status<&Arc<str>> {
    /// The same status with an owned source.
    pub fn to_owned(&self) -> Status {
        match self {
            Self::NotChecked => Status::NotChecked,
            Self::Good(proof) => Status::Good(proof.to_owned()),
            Self::Revoked(Revoked { proof, at, reason, invalid_since }) => Status::Revoked(Revoked {
                proof: proof.to_owned(),
                at: *at,
                reason: *reason,
                invalid_since: *invalid_since,
            }),
            Self::NoRevAvail => Status::NoRevAvail,
            Self::Unknown(cause) => Status::Unknown(*cause),
        }
    }
}

impl<S> Status<S> {
    /// Whether further evidence is not needed.
    pub(crate) const fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Whether it is a hold, the only revocation that can be lifted (RFC 5280 5.3.1).
    pub(crate) fn is_hold(&self) -> bool {
        matches!(self, Self::Revoked(revoked) if revoked.reason == RevocationReason::CertificateHold)
    }

    /// The evidence for the status, if there is any.
    #[must_use]
    pub const fn proof(&self) -> Option<&Proof<S>> {
        match self {
            Self::Good(proof) | Self::Revoked(Revoked { proof, .. }) => Some(proof),
            _ => None,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Good(_) | Self::NoRevAvail => "good",
            Self::Revoked(_) => "revoked",
            Self::Unknown(_) => "unknown",
        }
    }
}
