//! Evidence that was requested: for each certificate, and for a path together.

use std::sync::Arc;

use super::{
    Answer, AssessContext, Assessor, CheckedCertificate, Considered, Dismissal, Evidence, EvidenceRequest,
};
use crate::budget::Spent;
use crate::status::Status;
use crate::time::Time;
use crate::x509::Certificate;

/// The evidence that was received for one certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnEvidence {
    pub(super) evidence: Evidence,
    /// Whether anything was used in addition to CRLs of its issuer and responses for it.
    pub(crate) looked_beyond: bool,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct AskedEvidence {
    pub(crate) request: EvidenceRequest,
    pub(crate) answer: Answer,
    /// Why the answer was not useful.
    pub(crate) fault: Option<Dismissal>,
}

/// All evidence that was requested for a path.
#[derive(Default)]
pub(crate) struct FetchedEvidence<'s> {
    evidence: Evidence,
    /// The certificates that were received for signers.
    signers: Vec<&'s [u8]>,
}

impl<'s> FetchedEvidence<'s> {
    /// The evidence that answered these requests, in their order. A response to another request is no evidence.
    pub(crate) fn of(asked: impl Iterator<Item = &'s AskedEvidence>) -> Self {
        let mut fetched = Self::default();
        for asked in asked.filter(|asked| asked.fault != Some(Dismissal::NonceMismatch)) {
            match &asked.answer {
                Answer::Crl(crl) => fetched.evidence.add_crl(Arc::clone(crl)),
                Answer::Ocsp(response) => fetched.evidence.add_ocsp(response),
                Answer::Issuers(found) => fetched.signers.extend(found.iter().map(AsRef::as_ref)),
                Answer::Failed(_) => {}
            }
        }
        fetched
    }

    /// Determines a certificate's status by all of it, if it can differ from the status by its own evidence. Evidence
    /// that was requested for one certificate may list another, and revoked by any is revoked.
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

    /// The fetched and given evidence that was not used for any of these certificates, at most `max` pieces.
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

    /// The last second for which all of it gives the same statuses for these certificates.
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

/// The status by all this evidence, and whether anything was used in addition to evidence from the issuer and for the
/// certificate.
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

/// Runs a function with the certificates for signers in addition to the presented ones.
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
