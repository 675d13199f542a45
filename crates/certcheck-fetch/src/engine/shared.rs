//! State that the engine and its tasks share, and the checks that they make.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use certcheck_core::reason::Reason;
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::EvidenceKind;
use certcheck_core::{Time, Verdict};
use pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;

use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;
use crate::cache::known_paths::KnownPath;
use crate::cache::path_templates::{FirstSeen, Found};
use crate::chain::owned;
use crate::engine::driver::{self, CheckOutcome, CheckRequest, Reach};
use crate::engine::report::{CheckReport, Inner, SourceTried, tolerated};
use crate::engine::snapshot::Snapshot;
use crate::engine::watch::Watches;
use crate::fetcher::Fetcher;
use crate::fetcher::permits::{Names, Party, Permit, Permits};
use crate::limits::FetchLimits;
use crate::metrics as names;

/// How long a check may take that nothing waits for: the time of a whole CRL, and a little more.
pub(crate) const PREFETCH_TIMEOUT: Duration = Duration::from_secs(150);

/// State that the engine and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Checks that may wait at once.
    pub(crate) checks: Arc<Semaphore>,
    pub(crate) prefetches: Arc<Permits>,
    pub(crate) limits: Arc<FetchLimits>,
    pub(crate) clock: fn() -> Time,
    pub(crate) watches: Arc<Watches>,
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The report for a client that is known and good by the evidence in memory.
    ///
    /// If there is time for more than memory, evidence that has passed its end is not used before newer evidence was
    /// asked for, even if the policy tolerates it.
    pub(crate) fn known(&self, chain: &[CertificateDer<'_>], now: Time, reach: Reach) -> Option<CheckReport> {
        let snapshot = self.snapshot.load();
        let path = snapshot.paths.get(chain.first()?)?;
        if !path.is_valid(now) {
            return None;
        }
        let evidence_set = path.evidence_set();
        if reach == Reach::AllSources && evidence_set.is_due(now) {
            return None;
        }
        if !path.is_good(&evidence_set, now) {
            return None;
        }
        for slot in &path.slots {
            slot.touch(now);
        }
        metrics::counter!(names::CHECKS, "verdict" => "accept", "by" => "known").increment(1);
        let evidence_set = Arc::clone(&evidence_set);
        let inner = Inner::Known { path, evidence_set, now };
        Some(CheckReport { inner, sources: Vec::new(), missing: Names::new(), unkept_until: None })
    }

    /// The path of a known client, whatever its evidence says.
    pub(crate) fn known_path(&self, leaf: &[u8]) -> Option<Arc<KnownPath>> {
        self.snapshot.load().paths.get(leaf)
    }

    /// The report for a client that can be decided by memory without a whole check: one that is known, one that was
    /// refused a moment ago, and one that is good and of a known profile.
    pub(crate) fn at_hand(
        &self,
        chain: &[CertificateDer<'_>],
        now: Time,
        reach: Reach,
    ) -> Option<CheckReport> {
        if let Some(report) = self.known(chain, now, reach) {
            return Some(report);
        }
        let snapshot = self.snapshot();
        if let Some(report) = refused_before(&snapshot, chain, now) {
            return Some(report);
        }
        let FirstSeen { path, found } =
            snapshot.templates.accept_fast(&self.fetcher.memory, &snapshot.basis, chain, now)?;
        let sources = sources_of(&found);
        metrics::counter!(names::CHECKS, "verdict" => "accept", "by" => "full").increment(1);
        let report = Arc::clone(&path.report);
        snapshot.paths.insert(Arc::new(path));
        Some(CheckReport::full(&snapshot.basis, report, now, sources))
    }

    pub(crate) fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        if let Some(report) = self.at_hand(chain, now, Reach::MemoryOnly) {
            return report;
        }
        let snapshot = self.snapshot();
        let outcome = driver::answer_from_memory(&self.fetcher, &snapshot, chain, now);
        self.close(snapshot, chain, now, outcome)
    }

    /// Drives a check and remembers what can be kept of it.
    pub(crate) async fn check(
        self: Arc<Self>,
        chain: Vec<CertificateDer<'static>>,
        now: Time,
        deadline: Instant,
    ) -> CheckReport {
        let chain = &chain[..];
        let snapshot = self.snapshot();
        if let Some(report) = refused_before(&snapshot, chain, now) {
            return report;
        }
        let waits = tokio::time::timeout_at(deadline, self.checks.acquire()).await;
        if !matches!(waits, Ok(Ok(_))) {
            return self.look_up(chain, now);
        }
        let request = CheckRequest { chain, now, deadline, renew: None, reach: Reach::AllSources };
        let outcome = driver::drive(&self.fetcher, &snapshot, request).await;
        let unfinished = outcome.unfinished.clone();
        let report = self.close(snapshot, chain, now, outcome);
        if !unfinished.is_empty() {
            self.fetch_in_background(&report, unfinished, chain, now);
        }
        report
    }

    /// A permit to fetch missing evidence of a client in the background, unless all of it is being fetched. If there
    /// is no permit, the client's next attempt asks again.
    pub(crate) fn permit_to_prefetch(
        &self,
        report: &CheckReport,
        missing: Names,
        chain: &[CertificateDer<'_>],
    ) -> Option<Permit> {
        let mut missing = missing;
        if missing.is_empty() {
            missing.push(Party::hashed(chain.first().map(|leaf| &**leaf)));
        }
        match self.prefetches.try_acquire_any(missing, report.parties(chain)) {
            Ok(permit) => Some(permit),
            Err(full) => {
                debug!(
                    name: "prefetch-skipped", target: "certcheck::fetch",
                    %full, "missing evidence not fetched in the background"
                );
                None
            }
        }
    }

    /// Takes in evidence that a check could not wait for, so that later checks find it.
    fn fetch_in_background(
        self: &Arc<Self>,
        report: &CheckReport,
        unfinished: Names,
        chain: &[CertificateDer<'_>],
        now: Time,
    ) {
        let Some(permit) = self.permit_to_prefetch(report, unfinished, chain) else { return };
        let (shared, chain) = (Arc::clone(self), owned(chain));
        self.fetcher.runtime().spawn(async move {
            let snapshot = shared.snapshot();
            let deadline = Instant::now() + PREFETCH_TIMEOUT;
            let request =
                CheckRequest { chain: &chain, now, deadline, renew: None, reach: Reach::AllSources };
            if let Ok(outcome) = permit.spend(driver::drive(&shared.fetcher, &snapshot, request)).await {
                let _report = shared.close(snapshot, &chain, now, outcome);
            }
        });
    }

    /// Fetches the evidence under this key again, for a path that uses it.
    pub(crate) async fn renew(
        &self,
        path: &KnownPath,
        key: EvidenceKey,
        now: Time,
        deadline: Instant,
    ) -> bool {
        let snapshot = self.snapshot();
        let request =
            CheckRequest { chain: &path.chain(), now, deadline, renew: Some(key), reach: Reach::AllSources };
        let before = self.fetcher.memory.get(&key);
        let _driven = driver::drive(&self.fetcher, &snapshot, request).await;
        match (before, self.fetcher.memory.get(&key)) {
            (Some(before), Some(after)) => !Arc::ptr_eq(&before, &after),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    pub(crate) fn close(
        &self,
        snapshot: Arc<Snapshot>,
        chain: &[CertificateDer<'_>],
        now: Time,
        outcome: CheckOutcome,
    ) -> CheckReport {
        let CheckOutcome { report, sources, slots, missing, unkept_until, .. } = outcome;
        let report = Arc::new(report);
        let verdict = report.verdict();
        metrics::counter!(names::CHECKS, "verdict" => verdict.code(), "by" => "full").increment(1);
        if let Some(cause) = tolerated(&report) {
            metrics::counter!(names::TOLERATED, "cause" => cause.code()).increment(1);
        }
        match verdict {
            Verdict::Accept => {
                if let Some(path) = KnownPath::new(Arc::clone(&report), chain, slots, &snapshot.basis) {
                    snapshot.paths.insert(Arc::new(path));
                }
            }
            Verdict::Reject if is_of_path(&report) && sources.is_empty() => {
                snapshot.rejections.insert(chain, now, Arc::clone(&report));
            }
            Verdict::Reject => {
                if let Some(leaf) = chain.first() {
                    snapshot.paths.remove(leaf);
                }
            }
            Verdict::Undetermined => {}
        }
        CheckReport { missing, unkept_until, ..CheckReport::full(&snapshot.basis, report, now, sources) }
    }
}

/// Whether it is refused for its path, which another attempt a moment later would not change. A certificate that is
/// not valid yet may become valid.
fn is_of_path(report: &OwnedReport) -> bool {
    let reason = report.reason().map(|rejection| &rejection.reason);
    !matches!(
        reason,
        None | Some(
            Reason::CertificateRevoked(_) | Reason::RevocationUnknown(_) | Reason::NotYetValid { .. }
        )
    )
}

fn refused_before(snapshot: &Arc<Snapshot>, chain: &[CertificateDer<'_>], now: Time) -> Option<CheckReport> {
    Some(CheckReport::full(&snapshot.basis, snapshot.rejections.get(chain, now)?, now, Vec::new()))
}

/// The evidence that a client was accepted by, counted and as reports name it.
fn sources_of(found: &[Found]) -> Vec<SourceTried> {
    let (mut crls, mut responses) = (0, 0);
    let source = |found: &Found| {
        let kind = found.cached.kind();
        match kind {
            EvidenceKind::Ocsp => responses += 1,
            _ => crls += 1,
        }
        SourceTried {
            at: found.at,
            kind,
            url: Arc::clone(found.request.url()),
            from: Some(Origin::Memory),
            elapsed: Duration::ZERO,
            bytes: found.cached.bytes(),
            failure: None,
            refusal: None,
        }
    };
    let sources = found.iter().map(source).collect();
    if crls > 0 {
        metrics::counter!(names::ANSWERS, "kind" => "crl", "from" => "memory").increment(crls);
    }
    if responses > 0 {
        metrics::counter!(names::ANSWERS, "kind" => "ocsp", "from" => "memory").increment(responses);
    }
    sources
}

/// For tasks that must not keep the engine alive.
pub(crate) type WeakShared = Weak<Shared>;
