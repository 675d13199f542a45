//! What is known of a certificate's revocation.

mod cause;
mod revocation_reason;

use std::sync::Arc;

pub use cause::Cause;
pub use revocation_reason::RevocationReason;

use crate::time::Time;

/// By what a status is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Means {
    /// A certificate revocation list.
    Crl,
    /// An OCSP response.
    Ocsp,
}

impl Means {
    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
        }
    }

    /// Where the RFCs say how it is read.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Crl => "RFC 5280 6.3.3",
            Self::Ocsp => "RFC 6960 2.2",
        }
    }
}

/// The evidence that a status rests on. `S` is how its source is held: owned, or borrowed from the evidence by who looks
/// up a status and keeps nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proof<S = Arc<str>> {
    /// Of which kind.
    pub by: Means,
    /// The URL or file it came from.
    pub source: S,
    /// As of when it speaks.
    pub this_update: Time,
    /// Until when there is nothing newer, if it says.
    pub next_update: Option<Time>,
}

/// A revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Revoked<S = Arc<str>> {
    /// What says so.
    pub proof: Proof<S>,
    /// Since when. A time to come counts as now: who revokes ahead does not mean to trust till then.
    pub at: Time,
    /// Why. certificateHold is revoked like any other, and may be lifted.
    pub reason: RevocationReason,
    /// invalidityDate (RFC 5280 5.3.2): since when the key is suspected.
    pub invalid_since: Option<Time>,
}

/// The status of one certificate: three-valued, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Status<S = Arc<str>> {
    /// It was not asked: anchors, revocation off, a path that is refused anyway.
    NotChecked,
    /// Current evidence that covers it does not list it.
    Good(Proof<S>),
    /// It is revoked.
    Revoked(Revoked<S>),
    /// Its issuer says that there will be no status (RFC 9608).
    NoRevAvail,
    /// Nothing is known, and why.
    Unknown(Cause),
}

impl Proof<&Arc<str>> {
    fn to_owned(&self) -> Proof {
        let Self { by, source, this_update, next_update } = *self;
        Proof { by, source: Arc::clone(source), this_update, next_update }
    }
}

impl Status<&Arc<str>> {
    /// The same, keeping the name of its source.
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
    /// Whether nothing more needs to be asked.
    pub(crate) const fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Revoked for now: the one revocation that may be lifted (RFC 5280 5.3.1).
    pub(crate) fn is_hold(&self) -> bool {
        matches!(self, Self::Revoked(revoked) if revoked.reason == RevocationReason::CertificateHold)
    }

    /// The evidence it rests on, if it rests on any.
    #[must_use]
    pub const fn proof(&self) -> Option<&Proof<S>> {
        match self {
            Self::Good(proof) | Self::Revoked(Revoked { proof, .. }) => Some(proof),
            _ => None,
        }
    }

    /// The stable word.
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
