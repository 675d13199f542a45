//! The engine: checks with evidence from memory, store and network.

use core::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use certcheck_core::reason::Reason;
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::Need;
use certcheck_core::{Evidence, KeyRing, Policy, Time, Verdict};
use pki_types::CertificateDer;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::drive::{self, Driven, Order};
use crate::failure::Failure;
use crate::fetcher::{Fetcher, Observer};
use crate::first_seen::{self, FirstSeen};
use crate::guard::Guard;
use crate::held::Held;
use crate::key::Key;
use crate::known::KnownPath;
use crate::limits::Limits;
use crate::memory::Memory;
use crate::metrics as names;
use crate::refresh;
use crate::report::{Inner, Report, SourceTried};
use crate::resolve::Resolve;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::transport::{Network, Route};
use crate::watch::{self, Watch, Watches};

/// Checks that are begun ahead for clients that had to be refused for want of evidence.
const PREFETCHES_AT_ONCE: usize = 256;
/// How long such a check may take: a whole CRL, and then some.
const PREFETCH_PATIENCE: Duration = Duration::from_secs(150);
/// How much later than its deadline a check may end.
const GRACE: Duration = Duration::from_millis(200);

/// Why an engine cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// No thread, no I/O driver.
    Runtime(std::io::Error),
    /// The HTTP client cannot be made, or its proxy is none.
    Network(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "no runtime: {error}"),
            Self::Network(error) => write!(f, "no HTTP client: {error}"),
        }
    }
}

impl core::error::Error for EngineError {}

/// An engine in the making.
pub struct Builder {
    ring: KeyRing,
    policy: Policy,
    given: Evidence,
    limits: Limits,
    route: Route,
    store: Option<Arc<dyn Store>>,
    is_offline: bool,
    refreshes: bool,
    clock: fn() -> Time,
    observer: Option<Observer>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("limits", &self.limits)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Evidence that is at hand from the start, beside what is fetched.
    #[must_use]
    pub fn evidence(mut self, given: Evidence) -> Self {
        self.given = given;
        self
    }

    /// What fetching and caching may cost.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Which URLs and addresses are followed.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.route.guard = guard;
        self
    }

    /// What resolves names, instead of the system.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.route.resolver = Some(resolver);
        self
    }

    /// An HTTP proxy (AT-TLS: HttpCdpProxyServer). It resolves names, so names and literals alone are judged.
    #[must_use]
    pub fn proxy(mut self, proxy: url::Url) -> Self {
        self.route.proxy = Some(proxy);
        self
    }

    /// `host[:port]` of the directory for LDAP URLs without a host (System SSL: GSK_LDAP_SERVER).
    #[must_use]
    pub fn directory(mut self, directory: String) -> Self {
        self.route.directory = Some(directory);
        self
    }

    /// Whether short OCSP requests are asked with GET, which caches on the way can answer (RFC 9919 5). They are by
    /// default; AT-TLS: OcspRetrieveViaGet.
    #[must_use]
    pub const fn ocsp_get(mut self, get: bool) -> Self {
        self.route.use_ocsp_get = get;
        self
    }

    /// Where evidence outlives the process.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Nothing is fetched: what is in memory and in the store is all there is.
    #[must_use]
    pub const fn offline(mut self, is_offline: bool) -> Self {
        self.is_offline = is_offline;
        self
    }

    /// Whether evidence in use is fetched anew ahead of its end. It is by default.
    #[must_use]
    pub const fn refreshes(mut self, refreshes: bool) -> Self {
        self.refreshes = refreshes;
        self
    }

    /// The clock of what goes on in the background, instead of the system's.
    #[must_use]
    pub const fn clock(mut self, clock: fn() -> Time) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told of octets as they arrive, to show progress.
    #[must_use]
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Makes the engine, with threads of its own.
    ///
    /// # Errors
    /// What the system lacks.
    pub fn build(self) -> Result<Engine, EngineError> {
        let Self { ring, policy, given, limits, route, store, is_offline, refreshes, clock, observer } = self;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("certcheck")
            .enable_all()
            .build()
            .map_err(EngineError::Runtime)?;
        let limits = Arc::new(limits);
        let folder: PathBuf = Fetcher::folder(store.as_ref());
        let network = if is_offline {
            None
        } else {
            // The client takes hold of the runtime that it is made in.
            let _inside = runtime.enter();
            Some(Network::new(route, &limits, &folder).map_err(EngineError::Network)?)
        };
        let watches = Arc::<Watches>::default();
        let memory = Memory::new(&limits, Arc::clone(&watches));
        let fetcher =
            Fetcher::new(network, store, &limits, memory, runtime.handle().clone(), observer, !refreshes);
        let shared = Arc::new(Shared {
            fetcher: Arc::new(fetcher),
            snapshot: ArcSwap::from_pointee(Snapshot::new(Arc::new(ring), policy, given, &limits)),
            checks: Arc::new(Semaphore::new(limits.checks_at_once)),
            prefetches: Arc::new(Semaphore::new(PREFETCHES_AT_ONCE)),
            limits,
            clock,
            watches,
        });
        runtime.spawn(watch::keep_watch(Arc::downgrade(&shared)));
        if refreshes && !is_offline {
            runtime.spawn(refresh::keep_fresh(Arc::downgrade(&shared)));
        }
        Ok(Engine { shared, runtime: Some(runtime) })
    }
}

/// What the engine and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fetcher: Arc<Fetcher>,
    snapshot: ArcSwap<Snapshot>,
    /// Checks that may wait at once.
    checks: Arc<Semaphore>,
    prefetches: Arc<Semaphore>,
    limits: Arc<Limits>,
    pub(crate) clock: fn() -> Time,
    pub(crate) watches: Arc<Watches>,
}

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
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Engine {
    /// An engine for a ring and a policy.
    #[must_use]
    pub fn builder(ring: KeyRing, policy: Policy) -> Builder {
        Builder {
            ring,
            policy,
            given: Evidence::new(),
            limits: Limits::default(),
            route: Route { use_ocsp_get: true, ..Route::default() },
            store: None,
            is_offline: false,
            refreshes: true,
            clock: crate::transport::now,
            observer: None,
        }
    }

    /// The ring and policy that checks begin with from here on. Evidence stays: it is judged by whoever uses it.
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

    /// Watches the client of a live connection, by the report that it was admitted with: once later evidence revokes it,
    /// its time is up, or ring and policy have changed against it, the watch says so, within a second of the news. The
    /// evidence about it is kept fresh meanwhile, like that of clients that come anew.
    pub fn watch(&self, report: &Report) -> Watch {
        let path = report.leaf().and_then(|leaf| self.shared.known_path(leaf));
        let watch = self.shared.watches.add(path, report);
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
    /// Where evidence lacks, it is fetched for the next time: the caller must know that who presents the certificate holds
    /// its key, lest anyone who has seen it could have us fetch. See [`Engine::look_up`] for who does not know yet.
    pub fn check_cached(&self, chain: &[CertificateDer<'_>], now: Time) -> Report {
        let report = self.look_up(chain, now);
        if report.lacks_evidence() {
            self.prefetch(chain, now);
        }
        report
    }

    /// As [`Engine::check_cached`], and fetches nothing either.
    pub fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> Report {
        self.shared.look_up(chain, now)
    }

    /// Checks, and gets what evidence lacks, within this time. What has not come by then counts as unreachable; it goes on
    /// coming, for who asks next.
    pub async fn check(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> Report {
        if let Some(report) = self.shared.at_hand(chain, now, true) {
            return report;
        }
        let deadline = Instant::now() + within;
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
    pub fn check_blocking(&self, chain: &[CertificateDer<'_>], now: Time, within: Duration) -> Report {
        if let Some(report) = self.shared.known(chain, now, true) {
            return report;
        }
        let deadline = Instant::now() + within;
        let Some(runtime) = self.runtime.as_ref() else { return self.look_up(chain, now) };
        let (shared, owned) = (Arc::clone(&self.shared), owned(chain));
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            let _nobody_waits = tell.try_send(shared.check(owned, now, deadline).await);
        });
        // It ends by itself at the deadline; where threads are short, not much later.
        told.recv_timeout(within + GRACE).unwrap_or_else(|_| self.look_up(chain, now))
    }

    /// Gets what a check of this chain would lack, in the background.
    pub fn prefetch(&self, chain: &[CertificateDer<'_>], now: Time) {
        // Beyond so many at once the next attempt will have to ask again.
        let Ok(permit) = Arc::clone(&self.shared.prefetches).try_acquire_owned() else { return };
        let Some(runtime) = &self.runtime else { return };
        let (shared, owned) = (Arc::clone(&self.shared), owned(chain));
        runtime.spawn(async move {
            let _done = shared.check(owned, now, Instant::now() + PREFETCH_PATIENCE).await;
            drop(permit);
        });
    }

    /// Gets the evidence about every CA of the ring, and tells what came of each.
    pub async fn prefetch_ring(&self, now: Time, within: Duration) -> Vec<Report> {
        let snapshot = self.snapshot();
        let mut policy = snapshot.policy().clone();
        policy.purpose = certcheck_core::Purpose::Any;
        policy.initial_policies = Vec::new();
        policy.require_explicit_policy = false;
        let mut reports = Vec::new();
        let below = snapshot.ring().certificates().iter();
        for entry in below.filter(|entry| entry.role() == certcheck_core::ring::Role::Intermediate) {
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
    ) -> Report {
        let ring = Arc::new(self.snapshot().with_policy(policy.clone(), &self.shared.limits));
        let Some(runtime) = &self.runtime else { return self.look_up(chain, now) };
        let (fetcher, owned) = (Arc::clone(&self.shared.fetcher), owned(chain));
        let deadline = Instant::now() + within;
        let snapshot = Arc::clone(&ring);
        let task = runtime.spawn(async move {
            let order = Order { chain: &owned, now, deadline, renew: None, only_memory: false };
            drive::drive(&fetcher, &snapshot, order).await
        });
        match task.await {
            Ok(Driven { report, sources, .. }) => Report::full(&ring, Arc::new(report), sources),
            Err(_) => self.look_up(chain, now),
        }
    }

    /// What a check of this chain would ask, in order, were nothing in memory or store and every source failed in its turn.
    pub fn plan(&self, chain: &[CertificateDer<'_>], now: Time) -> (Report, Vec<Need>) {
        let snapshot = self.snapshot();
        let (report, needs) = drive::plan(&snapshot, chain, now);
        (Report::full(&snapshot, Arc::new(report), Vec::new()), needs)
    }

    /// Gets what is named from the network within this time, for who looks into it: nothing is judged, and nothing kept.
    ///
    /// # Errors
    /// Why nothing came, or nothing that reads.
    pub fn obtain_blocking(&self, need: &Need, within: Duration) -> Result<Arc<Held>, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::unreachable("shutting down")) };
        let snapshot = self.snapshot();
        let obtained = self.shared.fetcher.obtain(need, &snapshot.basis.policy);
        runtime.block_on(async {
            let late = |_| Failure::unreachable(format!("not there after {within:?}"));
            tokio::time::timeout(within, obtained).await.map_err(late)?
        })
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
        self.shared.fetcher.store.as_ref()
    }

    /// Forgets which clients are known: each is validated anew. Evidence stays.
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

fn owned(chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect()
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// A client that is known and good by all that is at hand.
    /// Who can wait does not take what policy admits beyond its end before something newer was asked for.
    fn known(&self, chain: &[CertificateDer<'_>], now: Time, can_wait: bool) -> Option<Report> {
        let snapshot = self.snapshot.load();
        let path = snapshot.paths.get(chain.first()?)?;
        if !path.is_valid(now) {
            return None;
        }
        let compiled = path.compiled();
        if can_wait && compiled.is_due(now) {
            return None;
        }
        if !path.is_good(&compiled, now) {
            return None;
        }
        for slot in &path.slots {
            slot.touch(now);
        }
        metrics::counter!(names::CHECKS, "verdict" => "accept", "by" => "known").increment(1);
        let compiled = Arc::clone(&compiled);
        Some(Report { inner: Inner::Known { path, compiled, now }, sources: Vec::new() })
    }

    /// The path of a client that is known, whatever its evidence says.
    pub(crate) fn known_path(&self, leaf: &[u8]) -> Option<Arc<KnownPath>> {
        self.snapshot.load().paths.get(leaf)
    }

    /// What can be said by what is at hand without a whole check: of who is known, of who was refused a moment ago, and of
    /// who is good and of a kind that is known.
    fn at_hand(&self, chain: &[CertificateDer<'_>], now: Time, can_wait: bool) -> Option<Report> {
        if let Some(report) = self.known(chain, now, can_wait) {
            return Some(report);
        }
        let snapshot = self.snapshot();
        if let Some(report) = refused_before(&snapshot, chain, now) {
            return Some(report);
        }
        let FirstSeen { path, sources } = first_seen::admit(&self.fetcher, &snapshot, chain, now)?;
        metrics::counter!(names::CHECKS, "verdict" => "accept", "by" => "full").increment(1);
        let report = Arc::clone(&path.report);
        snapshot.paths.insert(Arc::new(path));
        Some(Report::full(&snapshot, report, sources))
    }

    pub(crate) fn look_up(&self, chain: &[CertificateDer<'_>], now: Time) -> Report {
        if let Some(report) = self.at_hand(chain, now, false) {
            return report;
        }
        let snapshot = self.snapshot();
        let driven = drive::answer_from_memory(&self.fetcher, &snapshot, chain, now);
        self.close(snapshot, chain, now, driven)
    }

    /// Drives a check and remembers what may be remembered of it.
    async fn check(
        self: Arc<Self>,
        chain: Vec<CertificateDer<'static>>,
        now: Time,
        deadline: Instant,
    ) -> Report {
        let chain = &chain[..];
        let snapshot = self.snapshot();
        if let Some(report) = refused_before(&snapshot, chain, now) {
            return report;
        }
        let waits = tokio::time::timeout_at(deadline, self.checks.acquire()).await;
        if !matches!(waits, Ok(Ok(_))) {
            return self.look_up(chain, now);
        }
        let order = Order { chain, now, deadline, renew: None, only_memory: false };
        let driven = drive::drive(&self.fetcher, &snapshot, order).await;
        if driven.left_something {
            self.go_on_later(chain, now);
        }
        self.close(snapshot, chain, now, driven)
    }

    /// Takes in what a check could not wait for, so that who asks next finds it.
    fn go_on_later(self: &Arc<Self>, chain: &[CertificateDer<'_>], now: Time) {
        let Ok(permit) = Arc::clone(&self.prefetches).try_acquire_owned() else { return };
        let (shared, chain) = (Arc::clone(self), owned(chain));
        self.fetcher.runtime().spawn(async move {
            let snapshot = shared.snapshot();
            let deadline = Instant::now() + PREFETCH_PATIENCE;
            let order = Order { chain: &chain, now, deadline, renew: None, only_memory: false };
            let driven = drive::drive(&shared.fetcher, &snapshot, order).await;
            let _report = shared.close(snapshot, &chain, now, driven);
            drop(permit);
        });
    }

    /// Fetches what stands under this key anew, on behalf of a path that uses it.
    pub(crate) async fn renew(&self, path: &KnownPath, key: Key, now: Time, deadline: Instant) -> bool {
        let snapshot = self.snapshot();
        let order = Order { chain: &path.chain(), now, deadline, renew: Some(key), only_memory: false };
        let before = self.fetcher.memory.get(&key);
        let _driven = drive::drive(&self.fetcher, &snapshot, order).await;
        match (before, self.fetcher.memory.get(&key)) {
            (Some(before), Some(after)) => !Arc::ptr_eq(&before, &after),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    fn close(
        &self,
        snapshot: Arc<Snapshot>,
        chain: &[CertificateDer<'_>],
        now: Time,
        driven: Driven,
    ) -> Report {
        let Driven { report, sources, slots, .. } = driven;
        let report = Arc::new(report);
        let verdict = report.verdict();
        metrics::counter!(names::CHECKS, "verdict" => verdict.code(), "by" => "full").increment(1);
        match verdict {
            Verdict::Accept => {
                if let Some(path) = KnownPath::new(Arc::clone(&report), chain, slots, &snapshot.basis) {
                    snapshot.paths.insert(Arc::new(path));
                }
            }
            Verdict::Reject if is_of_path(&report) && sources.is_empty() => {
                snapshot.refusals.insert(chain, now, Arc::clone(&report));
            }
            Verdict::Reject => {
                if let Some(leaf) = chain.first() {
                    snapshot.paths.remove(leaf);
                }
            }
            Verdict::Undetermined => {}
        }
        Report::full(&snapshot, report, sources)
    }
}

impl Report {
    fn full(snapshot: &Snapshot, report: Arc<OwnedReport>, sources: Vec<SourceTried>) -> Self {
        Self { inner: Inner::Full { basis: Arc::clone(&snapshot.basis), report }, sources }
    }
}

/// Refused for its path, which another try a moment later does not change. What is not valid yet may be.
fn is_of_path(report: &OwnedReport) -> bool {
    let reason = report.reason().map(|rejection| &rejection.reason);
    !matches!(
        reason,
        None | Some(
            Reason::CertificateRevoked(_) | Reason::RevocationUnknown(_) | Reason::NotYetValid { .. }
        )
    )
}

fn refused_before(snapshot: &Arc<Snapshot>, chain: &[CertificateDer<'_>], now: Time) -> Option<Report> {
    Some(Report::full(snapshot, snapshot.refusals.get(chain, now)?, Vec::new()))
}

/// For tasks that must not keep the engine alive.
pub(crate) type WeakShared = Weak<Shared>;
