//! What a check came to, in facts: who asks decides how to tell them.

use core::fmt;

use crate::budget::Spent;
use crate::key_ring::{KeyRing, RingCertificate};
use crate::oid::{Oid, OidBuf};
use crate::reason::{Reason, Rejection};
use crate::remedy::Remedy;
use crate::revocation::Considered;
use crate::status::{Cause, Status};
use crate::time::Time;
use crate::x509::{Certificate, OwnedCertificate};

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
    /// The anchor is not self-signed and is one only since its issuer is not in the ring
    /// ([`RingCertificate::is_promoted`]).
    AnchorPromoted {
        /// The name of the issuer that is missing.
        issuer: String,
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

impl Warning {
    /// The stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AnchorOutsideValidity { .. } => "anchor-outside-validity",
            Self::AnchorPromoted { .. } => "anchor-promoted",
            Self::RevocationLetPass { .. } => "revocation-tolerated",
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
            Self::RevocationLetPass { at, cause } => {
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
    /// Evidence that was given or fetched and did not count, the first pieces. Filled in where a status is unknown, and
    /// where [`Policy::explain`](crate::Policy::explain) asks for it.
    pub considered: Vec<Considered>,
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

    /// What would help in this case: by the reason, and where revocation is unknown by the evidence that did not
    /// count. `None` if accepted.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.refusal().map(|refusal| refusal.remedy())
    }

    /// Why the certificate is refused, in one sentence. `None` if accepted.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.sentence())
    }

    /// As [`Report::sentence`], with the piece of evidence that explains it, if one does. `None` if accepted.
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

/// Why a certificate is refused, with what the report knows about it.
struct Refusal<'r> {
    rejection: &'r Rejection,
    considered: &'r [Considered],
    /// Whether the certificate names itself as its issuer.
    is_self_issued: bool,
}

impl Refusal<'_> {
    /// The piece of evidence that explains best why a status is unknown: about that certificate, and for that cause.
    fn explanation(&self) -> Option<&Considered> {
        let Reason::RevocationUnknown(cause) = self.rejection.reason else { return None };
        let is_about = |piece: &&Considered| piece.at.is_none_or(|at| at == self.rejection.at);
        let is_cause = |piece: &&Considered| match cause {
            // Nothing counted at all: the first piece says why.
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

/// A report that keeps what it tells of: it outlives the chain, and needs only its ring to be read again.
#[derive(Clone, Debug)]
pub struct OwnedReport {
    verdict: Verdict,
    reason: Option<Rejection>,
    path: Vec<OwnedMember>,
    policies: Vec<OidBuf>,
    valid_until: Option<Time>,
    attempts: Vec<(Vec<OwnedCertificate>, Rejection)>,
    considered: Vec<Considered>,
    warnings: Vec<Warning>,
    spent: Spent,
}

/// One certificate of the path.
#[derive(Clone, Debug)]
pub(crate) struct OwnedMember {
    pub(crate) role: PathRole,
    pub(crate) certificate: OwnedCertificate,
    /// Its place in the ring.
    pub(crate) in_ring: Option<usize>,
    pub(crate) revocation: Status,
}

impl OwnedReport {
    /// Keeps a report of a check against this ring.
    #[must_use]
    pub fn new(report: &Report<'_>, ring: &KeyRing) -> Self {
        let place = |entry: &RingCertificate| ring.place(entry);
        let path = report.path.iter().map(|member| OwnedMember {
            role: member.role,
            certificate: member.certificate.to_owned(),
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
            policies: report.policies.iter().map(|policy| OidBuf::from(*policy)).collect(),
            valid_until: report.valid_until,
            attempts: attempts.collect(),
            considered: report.considered.clone(),
            warnings: report.warnings.clone(),
            spent: report.spent,
        }
    }

    /// Of a path that is good.
    pub(crate) const fn accepted(
        path: Vec<OwnedMember>,
        policies: Vec<OidBuf>,
        valid_until: Option<Time>,
        warnings: Vec<Warning>,
        spent: Spent,
    ) -> Self {
        Self {
            verdict: Verdict::Accept,
            reason: None,
            path,
            policies,
            valid_until,
            attempts: Vec::new(),
            considered: Vec::new(),
            warnings,
            spent,
        }
    }

    pub(crate) fn members(&self) -> &[OwnedMember] {
        &self.path
    }

    /// With so many signatures spent in all.
    pub(crate) const fn with_signatures(mut self, signatures: u32) -> Self {
        self.spent.signatures = signatures;
        self
    }

    /// The report, with the ring it is about.
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
            policies: self.policies.iter().map(OidBuf::as_oid).collect(),
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

    /// Why, unless accepted.
    #[must_use]
    pub const fn reason(&self) -> Option<&Rejection> {
        self.reason.as_ref()
    }

    /// See [`Report::considered`].
    #[must_use]
    pub fn considered(&self) -> &[Considered] {
        &self.considered
    }

    /// See [`Report::remedy`].
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.refusal().map(|refusal| refusal.remedy())
    }

    /// See [`Report::message`].
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

    /// See [`Report::valid_until`].
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

    /// The same path, found good again by these statuses.
    #[must_use]
    pub fn with_good_statuses(&self, statuses: impl IntoIterator<Item = Status>) -> Self {
        let mut report = Self { verdict: Verdict::Accept, reason: None, ..self.clone() };
        report.warnings.retain(|warning| !matches!(warning, Warning::RevocationLetPass { .. }));
        for (member, status) in report.path.iter_mut().zip(statuses) {
            member.revocation = status;
        }
        report
    }
}
