//! What a check came to, in facts: who asks decides how to tell them.

use core::fmt;

use crate::budget::Spent;
use crate::oid::Oid;
use crate::reason::{Reason, Rejection};
use crate::revocation::{Cause, Status};
use crate::ring::RingCertificate;
use crate::time::Time;
use crate::view::Certificate;

/// The outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth outcome, and callers must match all three")]
pub enum Verdict {
    /// The certificate is good for what was asked.
    Accept,
    /// It is not.
    Reject,
    /// The path is good, revocation could not be established, and policy does not let that pass.
    Undetermined,
}

impl Verdict {
    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undetermined => "undetermined",
        }
    }
}

/// What a certificate is in a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathRole {
    /// The certificate that was asked about.
    Leaf,
    /// A CA between.
    Intermediate,
    /// Where trust begins.
    Anchor,
}

impl PathRole {
    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Anchor => "anchor",
        }
    }
}

/// One certificate of the path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PathCertificate<'a> {
    /// What it is in the path.
    pub role: PathRole,
    /// The certificate.
    pub certificate: Certificate<'a>,
    /// The ring's entry; `None` if it was presented.
    pub in_ring: Option<&'a RingCertificate>,
    /// What is known of its revocation.
    pub revocation: Status,
}

/// A path that was tried and failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// Target first; the anchor is last if one was reached.
    pub path: Vec<Certificate<'a>>,
    /// Why it failed.
    pub rejection: Rejection,
}

/// What is worth telling and refuses nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The anchor is before or after its validity.
    AnchorOutsideValidity {
        /// The first second of validity.
        not_before: Time,
        /// The last.
        not_after: Time,
    },
    /// Nothing is known of a certificate's revocation, and policy lets that pass.
    RevocationLetPass {
        /// Which certificate of the path.
        at: usize,
        /// Why nothing is known.
        cause: Cause,
    },
    /// A presented certificate does not read and was left out.
    PresentedMalformed {
        /// Which, counted from 0, the target included.
        index: usize,
        /// Why.
        reason: Reason,
    },
    /// More certificates were presented than are looked at.
    PresentedTooMany {
        /// How many are.
        allowed: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnchorOutsideValidity { not_before, not_after } => {
                write!(f, "the anchor is outside its validity, {not_before} to {not_after}")
            }
            Self::RevocationLetPass { at, cause } => {
                write!(
                    f,
                    "revocation of certificate {at} is unknown ({}) and let pass by policy",
                    cause.code()
                )
            }
            Self::PresentedMalformed { index, reason } => {
                write!(f, "presented certificate {index} was left out: {reason}")
            }
            Self::PresentedTooMany { allowed } => {
                write!(f, "presented certificates after the first {allowed} were not looked at")
            }
        }
    }
}

/// The whole outcome of a check.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Report<'a> {
    /// The outcome.
    pub verdict: Verdict,
    /// Why, unless accepted.
    pub reason: Option<Rejection>,
    /// The path that is good, or the one that got furthest. Empty if the target does not read.
    pub path: Vec<PathCertificate<'a>>,
    /// user-constrained-policy-set (RFC 5280 6.1.6), in the anchor's domain.
    pub policies: Vec<Oid<'a>>,
    /// The last second for which the path is good as it stands.
    pub valid_until: Option<Time>,
    /// The paths that failed, the first few.
    pub attempts: Vec<Attempt<'a>>,
    /// What else is worth telling.
    pub warnings: Vec<Warning>,
    /// What the check spent.
    pub spent: Spent,
}

impl Report<'_> {
    /// Whether the certificate is good for what was asked.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accept
    }
}
