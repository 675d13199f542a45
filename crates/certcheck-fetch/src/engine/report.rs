//! The result of a check, and the sources that were asked.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::reason::{Reason, Rejection};
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::{Considered, EvidenceKind};
use certcheck_core::status::{Cause, Status};
use certcheck_core::{Remedy, Report, Time, Verdict};
use pki_types::CertificateDer;
use smallvec::SmallVec;

use crate::basis::Basis;
use crate::cache::evidence::Origin;
use crate::cache::known_paths::{EvidenceSet, KnownPath};
use crate::fetcher::parties::{Names, Parties, Party, of_path};
use crate::transport::refusal::Refusal;

/// A source that was tried in a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceTried {
    /// The certificate of the path that it is about. 0 is the target.
    pub at: usize,
    /// What was asked for.
    pub kind: EvidenceKind,
    /// The URL.
    pub url: Arc<str>,
    /// The origin of the answer. `None` if there was none.
    pub from: Option<Origin>,
    /// How long this check waited for it.
    pub elapsed: Duration,
    /// The size of the answer in bytes.
    pub bytes: usize,
    /// Why it could not be used: the cause, and what happened.
    pub failure: Option<(Cause, String)>,
    /// The rule by which the guard refused it, if it did.
    pub refusal: Option<Refusal>,
}

/// The result of a check. It outlives the chain, and keeps the ring and policy that it was made with.
#[derive(Clone)]
#[must_use]
pub struct CheckReport {
    pub(crate) inner: Inner,
    pub(crate) sources: Vec<SourceTried>,
    /// Evidence that was not in memory, if only memory was searched.
    pub(crate) missing: Names,
    /// When evidence that has no slot in memory is to be fetched again.
    pub(crate) unkept_until: Option<Time>,
    pub(crate) evaluations: u32,
}

#[derive(Clone)]
pub(crate) enum Inner {
    /// A client that is known, and no evidence in memory is against it. Its statuses are looked up again when they
    /// are asked for.
    Known {
        path: Arc<KnownPath>,
        evidence_set: Arc<EvidenceSet>,
        now: Time,
    },
    Full {
        basis: Arc<Basis>,
        report: Arc<OwnedReport>,
        now: Time,
    },
}

/// See [`CheckReport::tolerated`].
pub(crate) fn tolerated(report: &OwnedReport) -> Option<Cause> {
    let unknown = report.statuses().find_map(|status| match status {
        Status::Unknown(cause) => Some(*cause),
        _ => None,
    });
    unknown.filter(|_| report.verdict() == Verdict::Accept)
}

impl CheckReport {
    /// The result of a whole check.
    pub(crate) fn full(
        basis: &Arc<Basis>,
        report: Arc<OwnedReport>,
        now: Time,
        sources: Vec<SourceTried>,
    ) -> Self {
        let inner = Inner::Full { basis: Arc::clone(basis), report, now };
        Self { inner, sources, missing: Names::new(), unkept_until: None, evaluations: 0 }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        match &self.inner {
            Inner::Known { .. } => Verdict::Accept,
            Inner::Full { report, .. } => report.verdict(),
        }
    }

    /// Whether the certificate is good for what was asked.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict() == Verdict::Accept
    }

    /// The reason. `None` if accepted.
    #[must_use]
    pub fn reason(&self) -> Option<&Rejection> {
        match &self.inner {
            Inner::Known { .. } => None,
            Inner::Full { report, .. } => report.reason(),
        }
    }

    /// Why the certificate is refused, with the piece of evidence that explains it. `None` if accepted.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.owned_refusal()?.message()
    }

    /// What would help, as a value. `None` if accepted.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.owned_refusal()?.remedy()
    }

    /// The evidence that was given or fetched and did not count. Filled in if a status is unknown, or if the policy
    /// asks for an explanation.
    #[must_use]
    pub fn considered(&self) -> &[Considered] {
        match &self.inner {
            Inner::Known { .. } => &[],
            Inner::Full { report, .. } => report.considered(),
        }
    }

    fn owned_refusal(&self) -> Option<&OwnedReport> {
        match &self.inner {
            Inner::Known { .. } => None,
            Inner::Full { report, .. } => Some(report),
        }
    }

    /// The stable code: that of the reason, or `accept`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason().map_or_else(|| self.verdict().code(), |rejection| rejection.reason.code())
    }

    /// The last second for which the path is good with the evidence of this report.
    #[must_use]
    pub fn valid_until(&self) -> Option<Time> {
        self.owned().valid_until()
    }

    /// Whether evidence that is not in memory might change the verdict. It might if a revocation status is unknown,
    /// even one that the policy tolerates, if the evidence of a revocation has passed its nextUpdate, so that a hold
    /// may have been lifted, or if an issuer that may be fetched is missing (`Policy::aia`). Nothing is missing where
    /// the policy tolerates that no source is named.
    #[must_use]
    pub fn is_missing_evidence(&self) -> bool {
        let Inner::Full { basis, report, now } = &self.inner else { return false };
        let is_open = |status: &Status| matches!(status, Status::Unknown(cause) if *cause != Cause::NoSource);
        match report.verdict() {
            Verdict::Undetermined => true,
            Verdict::Accept => report.statuses().any(is_open),
            Verdict::Reject => match report.reason().map(|rejection| &rejection.reason) {
                Some(Reason::CertificateRevoked(revoked)) => {
                    revoked.proof.next_update.is_some_and(|next| next < *now)
                }
                Some(Reason::UnknownIssuer) => basis.policy.aia,
                _ => false,
            },
        }
    }

    /// Why the status of the first certificate is unknown whose revocation status the policy tolerates. `None` if all
    /// statuses are known, and if the report does not accept.
    #[must_use]
    pub fn tolerated(&self) -> Option<Cause> {
        // All statuses of a known path are known.
        match &self.inner {
            Inner::Known { .. } => None,
            Inner::Full { report, .. } => tolerated(report),
        }
    }

    fn owned(&self) -> &Arc<OwnedReport> {
        match &self.inner {
            Inner::Known { path, .. } => &path.report,
            Inner::Full { report, .. } => report,
        }
    }

    /// The bytes of the certificate that was checked, if it can be parsed.
    pub(crate) fn leaf(&self) -> Option<&Arc<[u8]>> {
        self.owned().path().next().map(|leaf| leaf.der())
    }

    /// The chain for a later check: what was presented, and those certificates of the path that were not, without the
    /// anchor.
    pub(crate) fn chain_with(&self, presented: &[CertificateDer<'_>]) -> Arc<[CertificateDer<'static>]> {
        let path = self.owned().path();
        let below = path.len().saturating_sub(1).max(1);
        let fetched = path.take(below).map(|member| &**member.der());
        let given = || presented.iter().map(|der| &**der);
        let missing = fetched.filter(|der| !given().any(|known| known == *der));
        // The leaf is the report's, whatever comes first.
        let leaf = self.leaf().map(|leaf| &**leaf);
        let rest = given().chain(missing).filter(|der| Some(*der) != leaf);
        leaf.into_iter().chain(rest).map(|der| CertificateDer::from(der.to_vec())).collect()
    }

    /// The client and the issuers of its path, which share permits.
    pub(crate) fn parties(&self, chain: &[CertificateDer<'_>]) -> Parties {
        let client = Party::hashed(chain.first().map(|leaf| &**leaf));
        let keys: Vec<_> = self.owned().path().skip(1).map(|issuer| issuer.view().spki().raw).collect();
        of_path(client, keys.into_iter())
    }

    /// The known path of the report, if there is one.
    pub(crate) fn known_path(&self) -> Option<&Arc<KnownPath>> {
        match &self.inner {
            Inner::Known { path, .. } => Some(path),
            Inner::Full { .. } => None,
        }
    }

    /// The sources that were tried, in the order in which they were done. Empty if all evidence was in memory.
    #[must_use]
    pub fn sources(&self) -> &[SourceTried] {
        &self.sources
    }

    /// How often the core evaluated the check: once, and once more for each answer that arrived later. 0 if the verdict
    /// needed no evaluation, because the client was known, or was refused a moment ago.
    #[must_use]
    pub const fn evaluations(&self) -> u32 {
        self.evaluations
    }

    /// Whether the path was known, so that only its revocation was looked up.
    #[must_use]
    pub const fn is_of_known_path(&self) -> bool {
        matches!(self.inner, Inner::Known { .. })
    }

    /// The whole report of the core.
    #[must_use]
    pub fn details(&self) -> Details {
        match &self.inner {
            Inner::Full { basis, report, .. } => {
                Details { basis: Arc::clone(basis), report: Arc::clone(report) }
            }
            Inner::Known { path, evidence_set, now } => {
                let mut statuses: SmallVec<[Status; 4]> = SmallVec::new();
                let each = |_, status: &Status<&Arc<str>>| statuses.push(status.to_owned());
                let _until = path.look_up(evidence_set, *now, each);
                let report = Arc::new(path.report.with_good_statuses(statuses));
                Details { basis: Arc::clone(&path.basis), report }
            }
        }
    }
}

impl fmt::Debug for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckReport")
            .field("verdict", &self.verdict())
            .field("reason", &self.reason())
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

/// A whole report, and the ring that it is about.
#[derive(Debug)]
pub struct Details {
    basis: Arc<Basis>,
    report: Arc<OwnedReport>,
}

impl Details {
    /// The report.
    pub fn view(&self) -> Report<'_> {
        self.report.view(&self.basis.ring)
    }
}
