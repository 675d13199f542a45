//! State that the engine and its tasks share, and the checks that they make.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use certcheck_core::reason::Reason;
use certcheck_core::report::OwnedReport;
use certcheck_core::{Time, Verdict};
use pki_types::CertificateDer;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;

use crate::cache::known_paths::KnownPath;
use crate::chain::owned;
use crate::engine::begin::{Beginning, begin};
use crate::engine::driver::{Driver, Reach, Renewal};
use crate::engine::outcome::CheckOutcome;
use crate::engine::report::{CheckReport, Inner, tolerated};
use crate::engine::snapshot::Snapshot;
use crate::engine::watch::Watches;
use crate::fetcher::Fetcher;
use crate::fetcher::parties::{Names, Party};
use crate::fetcher::permits::{Permit, Permits};
use crate::limits::FetchLimits;
use crate::metrics as names;

/// How long a check may take that nothing waits for: the time of a whole CRL, and a little more.
const PREFETCH_TIMEOUT: Duration = Duration::from_secs(150);

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
        names::count(&names::ACCEPTED_KNOWN);
        let inner = Inner::Known { path, evidence_set, now };
        let (sources, missing) = (Vec::new(), Names::new());
        Some(CheckReport { inner, sources, missing, unkept_until: None, evaluations: 0 })
    }

    /// The path of a known client, whatever its evidence says.
    pub(crate) fn known_path(&self, leaf: &[u8]) -> Option<Arc<KnownPath>> {
        self.snapshot.load().paths.get(leaf)
    }

    /// Begins a check. It is decided at once if all evidence that matters is in memory.
    pub(crate) fn begin(&self, chain: &[CertificateDer<'_>], now: Time, reach: Reach) -> Begun {
        if let Some(report) = self.known(chain, now, reach) {
            return Begun::Decided(report);
        }
        let snapshot = self.snapshot();
        if let Some(report) = refused_before(&snapshot, chain, now) {
            return Begun::Decided(report);
        }
        match begin(&self.fetcher, &snapshot, owned(chain), now, None) {
            Beginning::Accepted(outcome) => Begun::Decided(self.close(&snapshot, chain, now, outcome)),
            Beginning::Open(driver) if driver.is_settled() => Begun::Decided(self.close_from_memory(*driver)),
            Beginning::Open(driver) => Begun::Open(driver),
        }
    }

    pub(crate) fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        match self.begin(chain, now, Reach::MemoryOnly) {
            Begun::Decided(report) => report,
            Begun::Open(driver) => self.close_from_memory(*driver),
        }
    }

    /// Begins a check and completes it.
    pub(crate) async fn check(
        self: Arc<Self>,
        chain: Arc<[CertificateDer<'static>]>,
        now: Time,
        deadline: Instant,
    ) -> CheckReport {
        match self.begin(&chain, now, Reach::AllSources) {
            Begun::Decided(report) => report,
            Begun::Open(driver) => self.complete(*driver, deadline).await,
        }
    }

    /// Completes a check with evidence from anywhere, and remembers what can be kept of it.
    pub(crate) async fn complete(self: Arc<Self>, driver: Driver, deadline: Instant) -> CheckReport {
        let waits = tokio::time::timeout_at(deadline, self.checks.acquire()).await;
        if !matches!(waits, Ok(Ok(_))) {
            return self.close_from_memory(driver);
        }
        let (snapshot, inputs) = (Arc::clone(&driver.snapshot), driver.inputs().clone());
        let outcome = driver.run(deadline).await;
        let unfinished = outcome.unfinished.clone();
        let report = self.close(&snapshot, &inputs.chain, inputs.now, outcome);
        if !unfinished.is_empty() {
            self.fetch_in_background(&report, unfinished, inputs.chain, inputs.now);
        }
        report
    }

    /// Decides a check by memory, and remembers what can be kept of it.
    pub(crate) fn close_from_memory(&self, driver: Driver) -> CheckReport {
        let (snapshot, inputs) = (Arc::clone(&driver.snapshot), driver.inputs().clone());
        self.close(&snapshot, &inputs.chain, inputs.now, driver.finish_from_memory())
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

    /// Fetches the missing evidence of a check in the background.
    pub(crate) fn prefetch(
        self: &Arc<Self>,
        runtime: &Handle,
        report: &CheckReport,
        chain: Arc<[CertificateDer<'static>]>,
        now: Time,
    ) {
        let Some(permit) = self.permit_to_prefetch(report, report.missing.clone(), &chain) else { return };
        let shared = Arc::clone(self);
        runtime.spawn(async move {
            // A fetch that has begun goes on even if nothing waits for it.
            let _done = permit.spend(shared.check(chain, now, Instant::now() + PREFETCH_TIMEOUT)).await;
        });
    }

    /// Takes in evidence that a check could not wait for, so that later checks find it.
    fn fetch_in_background(
        self: &Arc<Self>,
        report: &CheckReport,
        unfinished: Names,
        chain: Arc<[CertificateDer<'static>]>,
        now: Time,
    ) {
        let Some(permit) = self.permit_to_prefetch(report, unfinished, &chain) else { return };
        let shared = Arc::clone(self);
        self.fetcher.runtime().spawn(async move {
            let (snapshot, deadline) = (shared.snapshot(), Instant::now() + PREFETCH_TIMEOUT);
            let presented = Arc::clone(&chain);
            let begun = begin(&shared.fetcher, &snapshot, presented, now, None);
            if let Ok(outcome) = permit.spend(begun.run(deadline)).await {
                let _report = shared.close(&snapshot, &chain, now, outcome);
            }
        });
    }

    /// Looks again for the evidence under a key, for a path that uses it.
    pub(crate) async fn renew(
        &self,
        path: &KnownPath,
        renewal: Renewal,
        now: Time,
        deadline: Instant,
    ) -> bool {
        let snapshot = self.snapshot();
        let before = self.fetcher.memory.get(&renewal.key);
        let begun = begin(&self.fetcher, &snapshot, path.chain(), now, Some(renewal));
        let _driven = begun.run(deadline).await;
        match (before, self.fetcher.memory.get(&renewal.key)) {
            (Some(before), Some(after)) => !Arc::ptr_eq(&before, &after),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    pub(crate) fn close(
        &self,
        snapshot: &Snapshot,
        chain: &[CertificateDer<'_>],
        now: Time,
        outcome: CheckOutcome,
    ) -> CheckReport {
        let CheckOutcome { report, sources, slots, missing, unkept_until, evaluations, .. } = outcome;
        let report = Arc::new(report);
        let verdict = report.verdict();
        match verdict {
            Verdict::Accept => names::count(&names::ACCEPTED_FULL),
            _ => metrics::counter!(names::CHECKS, "verdict" => verdict.code(), "by" => "full").increment(1),
        }
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
        let report = CheckReport::full(&snapshot.basis, report, now, sources);
        CheckReport { missing, unkept_until, evaluations, ..report }
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

/// A check that has begun.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The verdict is final.
    Decided(CheckReport),
    /// Evidence is missing.
    Open(Box<Driver>),
}

/// For tasks that must not keep the engine alive.
pub(crate) type WeakShared = Weak<Shared>;
