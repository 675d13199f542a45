//! The result of a check as facts. The caller decides how to show them.

use core::fmt;

use crate::budget::Spent;
use crate::key_ring::{KeyRing, RingCertificate};
use crate::oid::OidBuf;
use crate::reason::{Reason, Rejection};
use crate::remedy::Remedy;
use crate::revocation::Considered;
use crate::status::{Cause, Status};
use crate::time::Time;
use crate::x509::{Certificate, OwnedCertificate};

/// The outcome of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth outcome, and callers must match all three")]
pub enum Verdict {
    /// The certificate is valid for the purpose.
    Accept,
    /// The certificate is not valid for the purpose.
    Reject,
    /// The path is valid, but a revocation status is unknown, and the policy does not tolerate that.
    Undetermined,
}

impl Verdict {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undetermined => "undetermined",
        }
    }
}

/// The role of a certificate in a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathRole {
    /// The certificate that is checked.
    Leaf,
    /// A CA certificate between leaf and anchor.
    Intermediate,
    /// The trust anchor.
    Anchor,
}

impl PathRole {
    /// The stable code.
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
    /// Its role in the path.
    pub role: PathRole,
    /// The certificate.
    pub certificate: Certificate<'a>,
    /// Its entry in the ring. `None` if it was presented.
    pub in_ring: Option<&'a RingCertificate>,
    /// Its revocation status.
    pub revocation: Status,
}

/// A path that was tried and failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The certificates, target first. The anchor is last if one was reached.
    pub path: Vec<Certificate<'a>>,
    /// Why it failed.
    pub rejection: Rejection,
}

/// A notable fact that is no reason for rejection.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// An anchor outside its validity.
    AnchorOutsideValidity {
        /// The first second of validity.
        not_before: Time,
        /// The last second of validity.
        not_after: Time,
    },
    /// An anchor that is not self-signed, and is one only because its issuer is not in the ring
    /// ([`RingCertificate::is_promoted`]).
    AnchorPromoted {
        /// The name of the missing issuer.
        issuer: String,
    },
    /// An unknown revocation status that the policy tolerates.
    RevocationTolerated {
        /// The position of the certificate in the path.
        at: usize,
        /// Why the status is unknown.
        cause: Cause,
    },
    /// A presented certificate that cannot be parsed, and was skipped.
    PresentedMalformed {
        /// Its position, counted from 0. The target is 0.
        index: usize,
        /// Why it cannot be parsed.
        reason: Reason,
    },
    /// More presented certificates than are used.
    PresentedTooMany {
        /// How many are used.
        allowed: u32,
    },
}

impl Warning {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AnchorOutsideValidity { .. } => "anchor-outside-validity",
            Self::AnchorPromoted { .. } => "anchor-promoted",
            Self::RevocationTolerated { .. } => "revocation-tolerated",
            Self::PresentedMalformed { .. } => "presented-malformed",
            Self::PresentedTooMany { .. } => "presented-too-many",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnchorOutsideValidity { not_before, not_after } => {
                write!(f, "the anchor is outside its validity, {not_before} to {not_after}")
            }
            Self::AnchorPromoted { issuer } => write!(
                f,
                "the anchor is not self-signed: it is an anchor only because its issuer is not in the ring: {issuer}"
            ),
            Self::RevocationTolerated { at, cause } => {
                write!(
                    f,
                    "the revocation status of certificate {at} is unknown ({}), which the policy tolerates",
                    cause.code()
                )
            }
            Self::PresentedMalformed { index, reason } => {
                write!(f, "presented certificate {index} was left out: {reason}")
            }
            Self::PresentedTooMany { allowed } => {
                write!(f, "only the first {allowed} presented certificates were used")
            }
        }
    }
}

/// The result of a check.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Report<'a> {
    /// The outcome.
    pub verdict: Verdict,
    /// The reason, unless accepted.
    pub reason: Option<Rejection>,
    /// The valid path, or the one that got furthest. Empty if the target cannot be parsed.
    pub path: Vec<PathCertificate<'a>>,
    /// The user-constrained-policy-set (RFC 5280 6.1.6), in the anchor's domain.
    pub policies: Vec<OidBuf>,
    /// The last second for which the path is valid, if nothing else changes.
    pub valid_until: Option<Time>,
    /// The paths that failed, the first few of them.
    pub attempts: Vec<Attempt<'a>>,
    /// The evidence that was given or fetched and not used, the first pieces of it. Filled in if a status is unknown,
    /// or if [`Policy::explain`](crate::Policy::explain) is set.
    pub considered: Vec<Considered>,
    /// Warnings.
    pub warnings: Vec<Warning>,
    /// What the check spent.
    pub spent: Spent,
}

impl Report<'_> {
    /// Whether the certificate is valid for the purpose.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accept
    }

    /// The remedy for the rejection. It depends on the reason and, for an unknown status, on the evidence that was not
    /// used. `None` if accepted.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.refusal().map(|refusal| refusal.remedy())
    }

    /// Why the certificate is rejected, in one sentence. `None` if accepted.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.sentence())
    }

    /// The sentence of [`Report::sentence`], with the piece of evidence that explains it, if there is one. `None` if
    /// accepted.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.message())
    }

    fn refusal(&self) -> Option<Refusal<'_>> {
        let rejection = self.reason.as_ref()?;
        let blamed = self.path.get(rejection.at);
        let is_self_issued = blamed.is_some_and(|member| member.certificate.is_self_issued());
        Some(Refusal { rejection, considered: &self.considered, is_self_issued })
    }
}

/// A rejection, with what the report knows about it.
struct Refusal<'r> {
    rejection: &'r Rejection,
    considered: &'r [Considered],
    /// Whether the certificate names itself as its issuer.
    is_self_issued: bool,
}

impl Refusal<'_> {
    /// The piece of evidence that best explains an unknown status: one for that certificate and that cause.
    fn explanation(&self) -> Option<&Considered> {
        let Reason::RevocationUnknown(cause) = self.rejection.reason else { return None };
        let is_about = |piece: &&Considered| piece.at.is_none_or(|at| at == self.rejection.at);
        let is_cause = |piece: &&Considered| match cause {
            // No evidence was used at all: the first piece explains it.
            Cause::NoSource | Cause::NotTried => true,
            cause => piece.why.cause() == cause,
        };
        self.considered.iter().filter(is_about).find(is_cause)
    }

    fn remedy(&self) -> Remedy {
        if self.is_unknown_self_issued() {
            return Remedy::ReplaceSelfSigned;
        }
        let by_evidence = self.explanation().map(|piece| piece.why.remedy());
        by_evidence.unwrap_or_else(|| self.rejection.reason.remedy())
    }

    fn sentence(&self) -> String {
        match self.rejection.reason {
            Reason::RevocationUnknown(Cause::NoSource) => {
                let given = if self.considered.is_empty() {
                    "none was given"
                } else {
                    "the evidence that was given cannot be used"
                };
                format!("the certificate names no source of revocation evidence, and {given}")
            }
            Reason::UnknownIssuer if self.is_self_issued => {
                "the certificate is self-signed, and it is not an anchor in the ring".to_owned()
            }
            ref reason => reason.to_string(),
        }
    }

    fn message(&self) -> String {
        let sentence = self.sentence();
        match self.explanation() {
            Some(piece) => format!("{sentence}: {piece}"),
            None => sentence,
        }
    }

    fn is_unknown_self_issued(&self) -> bool {
        self.is_self_issued && self.rejection.reason == Reason::UnknownIssuer
    }
}

/// A report that owns its data. It outlives the chain, and needs only its ring for [`OwnedReport::view`].
#[derive(Clone, Debug)]
pub struct OwnedReport {
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<Rejection>,
    pub(crate) path: Vec<OwnedMember>,
    pub(crate) policies: Vec<OidBuf>,
    pub(crate) valid_until: Option<Time>,
    pub(crate) attempts: Vec<(Vec<OwnedCertificate>, Rejection)>,
    pub(crate) considered: Vec<Considered>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) spent: Spent,
}

/// One certificate of the path.
#[derive(Clone, Debug)]
pub(crate) struct OwnedMember {
    pub(crate) role: PathRole,
    pub(crate) certificate: OwnedCertificate,
    /// Its position in the ring.
    pub(crate) in_ring: Option<usize>,
    pub(crate) revocation: Status,
}

impl OwnedReport {
    /// Copies the report of a check with this ring.
    #[must_use]
    pub fn new(report: &Report<'_>, ring: &KeyRing) -> Self {
        let place = |entry: &RingCertificate| ring.place(entry);
        let path = report.path.iter().map(|member| OwnedMember {
            role: member.role,
            certificate: member
                .in_ring
                .map_or_else(|| member.certificate.to_owned(), |entry| entry.certificate.clone()),
            in_ring: member.in_ring.and_then(place),
            revocation: member.revocation.clone(),
        });
        let attempts = report.attempts.iter().map(|attempt| {
            let path = attempt.path.iter().map(Certificate::to_owned).collect();
            (path, attempt.rejection.clone())
        });
        Self {
            verdict: report.verdict,
            reason: report.reason.clone(),
            path: path.collect(),
            policies: report.policies.clone(),
            valid_until: report.valid_until,
            attempts: attempts.collect(),
            considered: report.considered.clone(),
            warnings: report.warnings.clone(),
            spent: report.spent,
        }
    }

    /// Whether the certificate is valid for the purpose.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accept
    }

    /// The report with this total of signatures.
    pub(crate) const fn with_signatures(mut self, signatures: u32) -> Self {
        self.spent.signatures = signatures;
        self
    }

    /// The report as a view, with the ring of the check.
    pub fn view<'r>(&'r self, ring: &'r KeyRing) -> Report<'r> {
        let path = self.path.iter().map(|member| PathCertificate {
            role: member.role,
            certificate: member.certificate.view(),
            in_ring: member.in_ring.and_then(|at| ring.certificates().get(at)),
            revocation: member.revocation.clone(),
        });
        let attempts = self.attempts.iter().map(|(path, rejection)| Attempt {
            path: path.iter().map(OwnedCertificate::view).collect(),
            rejection: rejection.clone(),
        });
        Report {
            verdict: self.verdict,
            reason: self.reason.clone(),
            path: path.collect(),
            policies: self.policies.clone(),
            valid_until: self.valid_until,
            attempts: attempts.collect(),
            considered: self.considered.clone(),
            warnings: self.warnings.clone(),
            spent: self.spent,
        }
    }

    /// The outcome.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The reason, unless accepted.
    #[must_use]
    pub const fn reason(&self) -> Option<&Rejection> {
        self.reason.as_ref()
    }

    /// The same as [`Report::considered`].
    #[must_use]
    pub fn considered(&self) -> &[Considered] {
        &self.considered
    }

    /// The same as [`Report::remedy`].
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.refusal().map(|refusal| refusal.remedy())
    }

    /// The same as [`Report::message`].
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.message())
    }

    fn refusal(&self) -> Option<Refusal<'_>> {
        let rejection = self.reason.as_ref()?;
        let blamed = self.path.get(rejection.at);
        let is_self_issued = blamed.is_some_and(|member| member.certificate.view().is_self_issued());
        Some(Refusal { rejection, considered: &self.considered, is_self_issued })
    }

    /// The same as [`Report::valid_until`].
    #[must_use]
    pub const fn valid_until(&self) -> Option<Time> {
        self.valid_until
    }

    /// The certificates of the path, target first.
    pub fn path(&self) -> impl ExactSizeIterator<Item = &OwnedCertificate> {
        self.path.iter().map(|member| &member.certificate)
    }

    /// The statuses of the path's certificates, in the same order.
    pub fn statuses(&self) -> impl ExactSizeIterator<Item = &Status> {
        self.path.iter().map(|member| &member.revocation)
    }

    /// The same path, found good again with these statuses.
    #[must_use]
    pub fn with_good_statuses(&self, statuses: impl IntoIterator<Item = Status>) -> Self {
        let mut report = Self { verdict: Verdict::Accept, reason: None, ..self.clone() };
        report.warnings.retain(|warning| !matches!(warning, Warning::RevocationTolerated { .. }));
        for (member, status) in report.path.iter_mut().zip(statuses) {
            member.revocation = status;
        }
        report
    }
}
