//! The findings of an evaluation, with certificates by where they are stored, and the reports that are made of them.

use super::Check;
use crate::budget::Spent;
use crate::key_ring::{RingCertificate, Role};
use crate::oid::OidBuf;
use crate::path::build;
use crate::path::candidate::CertificateRef;
use crate::path::pool::Pool;
use crate::path::verify::Valid;
use crate::policy::AnchorValidity;
use crate::reason::{Reason, Rejection};
use crate::report::{Attempt, OwnedMember, OwnedReport, PathCertificate, PathRole, Report, Verdict, Warning};
use crate::revocation::Considered;
use crate::status::Status;
use crate::time::Time;

/// The content of a report. The fields are those of [`Report`].
pub(super) struct Findings {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Rejection>,
    pub(super) path: Vec<CertificateRef>,
    /// The statuses of the first certificates of the path. The others are not checked.
    pub(super) statuses: Vec<Status>,
    pub(super) policies: Vec<OidBuf>,
    pub(super) valid_until: Option<Time>,
    pub(super) attempts: Vec<build::Attempt>,
    pub(super) considered: Vec<Considered>,
    pub(super) warnings: Vec<Warning>,
    pub(super) spent: Spent,
}

impl Findings {
    /// A rejection without a path.
    pub(super) fn rejected(rejection: Rejection) -> Self {
        Self {
            verdict: Verdict::Reject,
            reason: Some(rejection),
            path: Vec::new(),
            statuses: Vec::new(),
            policies: Vec::new(),
            valid_until: None,
            attempts: Vec::new(),
            considered: Vec::new(),
            warnings: Vec::new(),
            spent: Spent::default(),
        }
    }

    /// Whether a certificate of the path, or of one that was given up, is revoked.
    pub(super) fn finds_revoked(&self) -> bool {
        let was_revoked = |reason: &Reason| matches!(reason, Reason::CertificateRevoked(_));
        self.statuses.iter().any(|status| matches!(status, Status::Revoked(_)))
            || self.attempts.iter().any(|attempt| was_revoked(&attempt.rejection.reason))
    }

    /// The report of a target that has no path.
    pub(super) fn without_path(self) -> Report<'static> {
        let Self { verdict, reason, policies, valid_until, considered, warnings, spent, .. } = self;
        let (path, attempts) = (Vec::new(), Vec::new());
        Report { verdict, reason, path, policies, valid_until, attempts, considered, warnings, spent }
    }

    /// The report, with the certificates of this pool.
    pub(super) fn into_report<'e>(mut self, pool: &Pool<'e>) -> Report<'e> {
        let mut statuses = core::mem::take(&mut self.statuses).into_iter();
        let mut path = Vec::with_capacity(self.path.len());
        for (at, reference) in self.path.iter().enumerate() {
            let Some(certificate) = pool.certificate(*reference) else { continue };
            path.push(PathCertificate {
                role: self.role(pool, at, *reference),
                certificate,
                in_ring: pool.in_ring(*reference),
                revocation: statuses.next().unwrap_or(Status::NotChecked),
            });
        }
        let attempt = |attempt: &build::Attempt| {
            let path = attempt.path.iter().filter_map(|at| pool.certificate(*at)).collect();
            Attempt { path, rejection: attempt.rejection.clone() }
        };
        let attempts = self.attempts.iter().map(attempt).collect();
        Report { path, attempts, ..self.without_path() }
    }

    /// The report with copies of the certificates that are not in the ring.
    pub(super) fn into_owned_report(mut self, pool: &Pool<'_>) -> OwnedReport {
        let mut statuses = core::mem::take(&mut self.statuses).into_iter();
        let mut path = Vec::with_capacity(self.path.len());
        for (at, reference) in self.path.iter().enumerate() {
            let Some(certificate) = pool.to_owned_certificate(*reference) else { continue };
            path.push(OwnedMember {
                role: self.role(pool, at, *reference),
                certificate,
                in_ring: match reference {
                    CertificateRef::Ring(at) => usize::try_from(*at).ok(),
                    CertificateRef::Target | CertificateRef::Presented(_) => None,
                },
                revocation: statuses.next().unwrap_or(Status::NotChecked),
            });
        }
        let attempt = |attempt: &build::Attempt| {
            let path = attempt.path.iter().filter_map(|at| pool.to_owned_certificate(*at)).collect();
            (path, attempt.rejection.clone())
        };
        let attempts = self.attempts.iter().map(attempt).collect();
        let Self { verdict, reason, policies, valid_until, considered, warnings, spent, .. } = self;
        OwnedReport { verdict, reason, path, policies, valid_until, attempts, considered, warnings, spent }
    }

    fn role(&self, pool: &Pool<'_>, at: usize, reference: CertificateRef) -> PathRole {
        match pool.in_ring(reference) {
            _ if at == 0 => PathRole::Leaf,
            Some(entry) if entry.role() == Role::Anchor && at + 1 == self.path.len() => PathRole::Anchor,
            _ => PathRole::Intermediate,
        }
    }
}

/// The last second for which all certificates of a path are valid. The anchor's validity counts if the policy or the
/// settings of the ring enforce it.
pub(super) fn valid_until(
    check: &Check<'_>,
    pool: &Pool<'_>,
    path: &[CertificateRef],
    anchor: Option<&RingCertificate>,
) -> Option<Time> {
    let counted = match check.policy.anchor_validity {
        AnchorValidity::Enforce => path.len(),
        _ => path.len().saturating_sub(1).max(1),
    };
    let ends = path.iter().take(counted).filter_map(|at| pool.not_after(*at));
    ends.chain(anchor.and_then(|anchor| anchor.constraints().not_after)).min()
}

/// The warnings about the anchor of a path.
pub(super) fn warnings_of_anchor(valid: &Valid, anchor: &RingCertificate) -> Vec<Warning> {
    let certificate = anchor.certificate();
    let outside = valid.anchor_outside_validity.then(|| Warning::AnchorOutsideValidity {
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
    });
    let promoted =
        anchor.is_promoted().then(|| Warning::AnchorPromoted { issuer: certificate.issuer().to_string() });
    outside.into_iter().chain(promoted).collect()
}
