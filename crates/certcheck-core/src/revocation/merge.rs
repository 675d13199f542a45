//! Evidence that came because it was asked for: each certificate's own, and all of a path's together.

use std::sync::Arc;

use super::{Answer, AssessContext, Assessor, CheckedCertificate, Considered, Evidence};
use crate::budget::Spent;
use crate::status::Status;
use crate::time::Time;
use crate::x509::Certificate;

/// What came for one certificate.
#[derive(Debug, Default)]
pub(crate) struct OwnEvidence {
    pub(super) evidence: Evidence,
    /// More than CRLs of its issuer and responses about it had a say in its status.
    pub(super) looked_beyond: bool,
}

/// All evidence that was asked for on behalf of a path.
#[derive(Default)]
pub(crate) struct FetchedEvidence<'s> {
    evidence: Evidence,
    /// Certificates that came for its signers.
    signers: Vec<&'s [u8]>,
}

impl<'s> FetchedEvidence<'s> {
    pub(crate) fn of(answers: impl Iterator<Item = &'s Answer>) -> Self {
        let mut fetched = Self::default();
        for answer in answers {
            match answer {
                Answer::Crl(crl) => fetched.evidence.add_crl(Arc::clone(crl)),
                Answer::Ocsp(response) => fetched.evidence.add_ocsp(response),
                Answer::Issuers(found) => fetched.signers.extend(found.iter().map(AsRef::as_ref)),
                Answer::Failed(_) => {}
            }
        }
        fetched
    }

    pub(crate) fn into_evidence(self) -> Evidence {
        self.evidence
    }

    /// A certificate's status by all of it, if that can be another than by its own: what was asked about one certificate may
    /// list another, and revoked in any is revoked.
    pub(crate) fn merge_into(
        &self,
        context: AssessContext<'_>,
        given: Option<&Evidence>,
        checked: &CheckedCertificate<'_, '_>,
        own: &OwnEvidence,
        status: &mut Status,
        spent: &mut Spent,
    ) {
        let certificate = checked.certificate;
        let says_same = !own.looked_beyond
            && self.signers.is_empty()
            && self.evidence.is_same_about(&own.evidence, certificate.issuer(), certificate.serial().bytes());
        if says_same {
            return;
        }
        let (by_all, _) = assess(context, given, Some(&self.evidence), &self.signers, checked, spent);
        match (&by_all, &*status) {
            (Status::Revoked(_), _) | (Status::Good(_), Status::Unknown(_)) => *status = by_all,
            _ => {}
        }
    }

    /// What of it, and of what was given, did not count for any of these, at most so many pieces.
    pub(crate) fn considered(
        &self,
        context: AssessContext<'_>,
        given: Option<&Evidence>,
        checked_certificates: &[CheckedCertificate<'_, '_>],
        max: usize,
    ) -> Vec<Considered> {
        with_signers(context, &self.signers, |context| {
            Assessor::new(context, &[given, Some(&self.evidence)], Spent::default())
                .considered(checked_certificates, max)
        })
    }

    /// The last second at which all of it says of these what it says now.
    pub(crate) fn until(
        &self,
        context: AssessContext<'_>,
        given: Option<&Evidence>,
        checked_certificates: &[CheckedCertificate<'_, '_>],
    ) -> Time {
        let mut assessor = Assessor::new(context, &[given, Some(&self.evidence)], Spent::default());
        for checked in checked_certificates {
            let _status = assessor.status(checked);
        }
        assessor.until()
    }
}

/// The status by all this evidence, and whether more than evidence of the issuer's and about the certificate had a say.
pub(super) fn assess(
    context: AssessContext<'_>,
    given: Option<&Evidence>,
    fetched: Option<&Evidence>,
    signers: &[&[u8]],
    checked: &CheckedCertificate<'_, '_>,
    spent: &mut Spent,
) -> (Status, bool) {
    with_signers(context, signers, |context| {
        let mut assessor = Assessor::new(context, &[given, fetched], *spent);
        let status = assessor.status(checked).to_owned();
        *spent = assessor.spent();
        (status, assessor.looked_beyond() || !signers.is_empty())
    })
}

/// With what came for signers beside what was presented, for them alone.
pub(super) fn with_signers<T>(
    context: AssessContext<'_>,
    signers: &[&[u8]],
    run: impl FnOnce(AssessContext<'_>) -> T,
) -> T {
    if signers.is_empty() {
        return run(context);
    }
    let mut presented = context.presented.to_vec();
    presented.extend(signers.iter().filter_map(|der| Certificate::parse(der).ok()));
    let pool = context.pool.with_presented(presented.clone());
    run(AssessContext { pool: &pool, presented: &presented, ..context })
}
