//! The engine: checks with evidence from memory, store and network.

mod advice;
pub(crate) mod builder;
pub(crate) mod driver;
pub mod measure;
mod refresh;
pub(crate) mod report;
pub(crate) mod shared;
pub(crate) mod snapshot;
pub(crate) mod summary;
mod waiting;
pub(crate) mod watch;
mod watch_loop;

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Evidence, KeyRing, Policy, Time};
use pki_types::CertificateDer;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::chain::owned;
use crate::engine::driver::{CheckOutcome, CheckRequest, Reach};
use crate::engine::report::CheckReport;
use crate::engine::shared::{PREFETCH_TIMEOUT, Shared};
use crate::engine::snapshot::Snapshot;
use crate::engine::watch::Watch;
use crate::store::Store;

/// The longest that anybody waits: a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// How much later than its deadline a check may end.
const GRACE: Duration = Duration::from_millis(200);

/// Checks certificates with evidence that it gets itself, and never twice.
///
/// It has threads of its own, so that a check can be asked for from any runtime, or from none.
///
/// ```no_run
/// use std::time::Duration;
///
/// use certcheck_core::{KeyRing, Policy, Revocation, Time, certificates_of};
/// use certcheck_fetch::Engine;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = KeyRing::from_paths(&["keyring"])?;
/// let engine = Engine::builder(ring, Policy::client(Revocation::HardFail)).build()?;
///
/// let chain = certificates_of(&std::fs::read("client.pem")?)?;
/// let report = engine.check(&chain, Time::from_unix(1_798_848_000), Duration::from_secs(10)).await;
/// println!("{}", report.verdict().code());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) runtime: Option<Runtime>,
}

impl Engine {
    /// The ring and policy that checks begin with from here on. Evidence stays: each check decides about it.
    pub fn reload(&self, ring: KeyRing, policy: Policy, given: Evidence) {
        self.shared.snapshot.store(Arc::new(Snapshot::new(
            Arc::new(ring),
            policy,
            given,
            &self.shared.limits,
        )));
        self.shared.watches.basis_changed();
    }

    /// The number of the snapshot that checks begin with now.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.snapshot.load().generation()
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.shared.clock)()
    }

    /// Watches the client of a live connection, by what it presented and the report that it was accepted with: once later
    /// evidence revokes it, its time is up, or ring and policy have changed against it, the watch says so, within a second
    /// of the news. The evidence about it is kept fresh meanwhile, like that of clients that come again.
    ///
    /// All that are watched are looked at in turn: where ring or policy change, each of them takes a whole check, and very many
    /// take longer than that second.
    pub fn watch(&self, report: &CheckReport, presented: &[CertificateDer<'_>]) -> Watch {
        let known = || report.leaf().and_then(|leaf| self.shared.known_path(leaf));
        let path = report.known_path().cloned().or_else(known);
        let watch = self.shared.watches.add(path, report, presented);
        // News between the report and now would be nobody's.
        self.shared.watches.look_again(report);
        watch
    }

    /// The ring and policy that checks begin with now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Checks by what is in memory, and waits for nothing. Of a client that is known and good this takes less than a
    /// microsecond and allocates nothing.
    ///
    /// Where evidence is missing, it is fetched for the next time: the caller must know that who presents the certificate holds
    /// its key, or anyone who has seen it could have us fetch. See [`Engine::look_up`] for who does not know yet.
    pub fn check_cached(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        let report = self.look_up(chain, now);
        if report.is_missing_evidence() {
            self.prefetch_for(&report, chain, now);
        }
        report
    }

    /// As [`Engine::check_cached`], and fetches nothing either.
    pub fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        self.shared.look_up(chain, now)
    }

    /// Checks, and gets what evidence is missing, within this time. What has not come by then counts as unreachable; it goes on
    /// coming, for who asks next.
    pub async fn check(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> CheckReport {
        if let Some(report) = self.shared.at_hand(chain, now, Reach::AllSources) {
            return report;
        }
        let deadline = Instant::now() + within.min(LONGEST);
        let Some(handle) = self.runtime.as_ref().map(Runtime::handle) else {
            return self.look_up(chain, now);
        };
        let (shared, owned) = (Arc::clone(&self.shared), owned(chain));
        let task = handle.spawn(async move { shared.check(owned, now, deadline).await });
        match task.await {
            Ok(report) => report,
            // Shutting down: by what is at hand.
            Err(_) => self.look_up(chain, now),
        }
    }

    /// As [`Engine::check`], for threads that wait. The check itself runs on the engine's own threads; yet a runtime whose
    /// thread waits here serves nobody else meanwhile.
    pub fn check_blocking(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> CheckReport {
        if let Some(report) = self.shared.at_hand(chain, now, Reach::AllSources) {
            return report;
        }
        let within = within.min(LONGEST);
        let deadline = Instant::now() + within;
        let Some(runtime) = self.runtime.as_ref() else { return self.look_up(chain, now) };
        let (shared, owned) = (Arc::clone(&self.shared), owned(chain));
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            let _nobody_waits = sender.try_send(shared.check(owned, now, deadline).await);
        });
        // It ends by itself at the deadline; where threads are short, not much later.
        receiver.recv_timeout(within + GRACE).unwrap_or_else(|_| self.look_up(chain, now))
    }

    /// Gets what a check of this chain would miss, in the background. What is being got for another is not asked for twice;
    /// and where as much is under way as may be, for all, for this client or for clients of its issuers, nothing is begun.
    pub fn prefetch(&self, chain: &[CertificateDer<'_>], now: Time) {
        self.prefetch_for(&self.look_up(chain, now), chain, now);
    }

    fn prefetch_for(&self, report: &CheckReport, chain: &[CertificateDer<'_>], now: Time) {
        let missing = report.missing.clone();
        let Some(permit) = self.shared.permit_to_prefetch(report, missing, chain) else { return };
        let Some(runtime) = &self.runtime else { return };
        let (shared, owned) = (Arc::clone(&self.shared), owned(chain));
        runtime.spawn(async move {
            // What has begun to come comes, though nobody waits for it any more.
            let _done = permit.spend(shared.check(owned, now, Instant::now() + PREFETCH_TIMEOUT)).await;
        });
    }

    /// Gets the evidence about every CA of the ring, with a report about each.
    pub async fn prefetch_ring(&self, now: Time, within: Duration) -> Vec<CheckReport> {
        let snapshot = self.snapshot();
        let mut policy = snapshot.policy().clone();
        policy.purpose = certcheck_core::Purpose::Any;
        policy.initial_policies = Vec::new();
        policy.require_explicit_policy = false;
        let mut reports = Vec::new();
        let below = snapshot.ring().certificates().iter();
        for entry in below.filter(|entry| entry.role() == certcheck_core::key_ring::Role::Intermediate) {
            let chain = [CertificateDer::from(entry.certificate().der().to_vec())];
            reports.push(self.check_with(&policy, &chain, now, within).await);
        }
        reports
    }

    /// Checks under another policy than the snapshot's. Nothing of it is kept but evidence.
    async fn check_with(
        &self,
        policy: &Policy,
        chain: &[CertificateDer<'_>],
        now: Time,
        within: Duration,
    ) -> CheckReport {
        let ring = Arc::new(self.snapshot().with_policy(policy.clone(), &self.shared.limits));
        let Some(runtime) = &self.runtime else { return self.look_up(chain, now) };
        let (fetcher, owned) = (Arc::clone(&self.shared.fetcher), owned(chain));
        let deadline = Instant::now() + within.min(LONGEST);
        let snapshot = Arc::clone(&ring);
        let task = runtime.spawn(async move {
            let request =
                CheckRequest { chain: &owned, now, deadline, renew: None, reach: Reach::AllSources };
            driver::drive(&fetcher, &snapshot, request).await
        });
        match task.await {
            Ok(CheckOutcome { report, sources, .. }) => {
                CheckReport::full(&ring.basis, Arc::new(report), now, sources)
            }
            Err(_) => self.look_up(chain, now),
        }
    }

    /// Until all that came is in the store. For programs that end.
    pub async fn flush(&self) {
        self.shared.fetcher.flush().await;
    }

    /// As [`Engine::flush`], for threads that wait.
    pub fn flush_blocking(&self) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(self.flush());
        }
    }

    /// The store, if there is one.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        self.shared.fetcher.store()
    }

    /// Forgets which clients are known: each is validated again. Evidence stays.
    pub fn forget_paths(&self) {
        self.shared.snapshot().paths.clear();
    }

    /// Forgets all evidence in memory: what is in a store stays.
    pub fn forget(&self) {
        self.shared.fetcher.memory.clear_all();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Where a runtime is dropped inside another it would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
