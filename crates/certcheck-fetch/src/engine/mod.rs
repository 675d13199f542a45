//! The engine: checks with evidence from memory, store and network.

mod advice;
mod begin;
pub(crate) mod builder;
pub(crate) mod driver;
pub(crate) mod inventory;
pub mod measure;
pub mod mirror;
mod news;
mod outcome;
pub(crate) mod pending;
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
use crate::engine::begin::begin;
use crate::engine::driver::Reach;
use crate::engine::outcome::CheckOutcome;
use crate::engine::pending::{LONGEST, PendingCheck};
use crate::engine::report::CheckReport;
use crate::engine::shared::Shared;
use crate::engine::snapshot::Snapshot;
use crate::engine::watch::Watch;
use crate::store::Store;

/// Checks certificates, and fetches the evidence it needs for that, each piece only once.
///
/// It has threads of its own, so any runtime can use it, and code without a runtime too. Share one engine in an
/// `Arc`.
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
    /// Replaces the ring, the policy and the given evidence. Checks begin with them from now on. Fetched evidence
    /// stays: each check decides whether it counts.
    pub fn reload(&self, ring: KeyRing, policy: Policy, given: Evidence) {
        self.shared.snapshot.store(Arc::new(Snapshot::new(
            Arc::new(ring),
            policy,
            given,
            &self.shared.limits,
        )));
        self.shared.watches.basis_changed();
    }

    /// The number of the current snapshot.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.snapshot.load().generation()
    }

    /// The current time of the engine's clock: the system's, unless
    /// [`EngineBuilder::clock`](builder::EngineBuilder::clock) sets another.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.shared.clock)()
    }

    /// Watches the client of a live connection, given what it presented and the report that accepted it. The watch
    /// resolves within a second once evidence that arrives revokes the client, its certificate expires, or ring and
    /// policy have changed against it. Evidence about the client is kept fresh in the meantime.
    ///
    /// Watched clients are looked at one after the other. When ring or policy change, each takes a whole check, so
    /// very many of them take longer than a second.
    pub fn watch(&self, report: &CheckReport, presented: &[CertificateDer<'_>]) -> Watch {
        let known = || report.leaf().and_then(|leaf| self.shared.known_path(leaf));
        let path = report.known_path().cloned().or_else(known);
        let watch = self.shared.watches.add(path, report, presented);
        // Evidence that arrived between the report and now has caused no look.
        self.shared.watches.look_again(report);
        watch
    }

    /// The current ring and policy.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Begins a check. It is decided at once if all evidence that matters is in memory. For a client that is known and
    /// good this takes less than a microsecond and allocates nothing.
    ///
    /// Nothing is fetched before [`PendingCheck::complete`]. Call that only when the client has proved that it holds
    /// the certificate's key: otherwise anyone who has seen the certificate could cause fetches.
    #[must_use]
    pub fn begin(&self, chain: &[CertificateDer<'_>], now: Time) -> PendingCheck {
        let generation = self.generation();
        let begun = self.shared.begin(chain, now, Reach::AllSources);
        let runtime = self.runtime.as_ref().map(Runtime::handle);
        PendingCheck::new(&self.shared, runtime, generation, now, begun)
    }

    /// Checks by the evidence in memory, without waiting.
    ///
    /// Missing evidence is fetched in the background for the next time. Call this only when the client has proved
    /// that it holds the certificate's key: otherwise anyone who has seen the certificate could cause fetches. Before
    /// that, use [`Engine::look_up`].
    pub fn check_cached(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        let report = self.look_up(chain, now);
        if report.is_missing_evidence() {
            self.prefetch_for(&report, chain, now);
        }
        report
    }

    /// As [`Engine::check_cached`], without fetching anything.
    pub fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> CheckReport {
        self.shared.look_up(chain, now)
    }

    /// Checks, and fetches missing evidence within this time. Evidence that has not arrived by then counts as
    /// unreachable. Its fetch goes on for later checks.
    pub async fn check(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> CheckReport {
        self.begin(chain, now).complete(within).await
    }

    /// As [`Engine::check`], for threads that may wait. The check runs on the engine's own threads. Do not call it in
    /// an asynchronous task, whose thread it would hold.
    pub fn check_blocking(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> CheckReport {
        self.begin(chain, now).complete_blocking(within)
    }

    /// Fetches the evidence that a check of this chain would miss, in the background. Evidence that is already being
    /// fetched is not asked for twice. Nothing is fetched where a limit is reached, for all, for this client or for
    /// clients of its issuers.
    pub fn prefetch(&self, chain: &[CertificateDer<'_>], now: Time) {
        self.prefetch_for(&self.look_up(chain, now), chain, now);
    }

    fn prefetch_for(&self, report: &CheckReport, chain: &[CertificateDer<'_>], now: Time) {
        if let Some(runtime) = &self.runtime {
            self.shared.prefetch(runtime.handle(), report, owned(chain), now);
        }
    }

    /// Fetches the evidence about every CA of the ring. Returns a report about each.
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

    /// Checks under another policy than the snapshot's. Only the evidence is kept.
    async fn check_with(
        &self,
        policy: &Policy,
        chain: &[CertificateDer<'_>],
        now: Time,
        within: Duration,
    ) -> CheckReport {
        let ring = Arc::new(self.snapshot().with_policy(policy.clone(), &self.shared.limits));
        let Some(runtime) = &self.runtime else { return self.look_up(chain, now) };
        let deadline = Instant::now() + within.min(LONGEST);
        let begun = begin(&self.shared.fetcher, &ring, owned(chain), now, None);
        let task = runtime.spawn(begun.run(deadline));
        match task.await {
            Ok(CheckOutcome { report, sources, .. }) => {
                CheckReport::full(&ring.basis, Arc::new(report), now, sources)
            }
            Err(_) => self.look_up(chain, now),
        }
    }

    /// Waits until all evidence is written to the store. Call it at the end of a program.
    pub async fn flush(&self) {
        self.shared.fetcher.flush().await;
    }

    /// As [`Engine::flush`], for threads that may wait.
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

    /// Forgets which clients are known, so that each is validated again. Evidence stays.
    pub fn forget_paths(&self) {
        self.shared.snapshot().paths.clear();
    }

    /// Forgets all evidence in memory. Evidence in the store stays.
    pub fn forget(&self) {
        self.shared.fetcher.memory.clear_all();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Dropping a runtime inside another one panics.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
