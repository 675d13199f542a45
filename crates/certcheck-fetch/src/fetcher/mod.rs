//! The fetcher: evidence is fetched once for all that ask, then kept in memory and in the store.
//!
//! Evidence is kept only after a check has found that it counts: see `keep` and `reject`.

mod exchange;
mod health;
mod heavy;
mod in_flight;
mod mirror_news;
mod mirrors;
pub(crate) mod parties;
pub(crate) mod permits;
mod persist;
pub(crate) mod read;

use std::sync::{Arc, OnceLock};

use certcheck_core::revocation::{EvidenceRequest, Need};
use certcheck_core::status::Cause;
use certcheck_core::{Policy, Time};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, debug, info_span};

use crate::cache::entry::Memory;
use crate::cache::evidence::{CachedEvidence, Origin};
use crate::cache::key::EvidenceKey;
use crate::failure::Failure;
use crate::limits::FetchLimits;
use crate::metrics as names;
use crate::printable::printable;
use crate::store::{Lease, News, Store};
use crate::transport::Network;
pub(crate) use exchange::Behalf;
pub use exchange::Observer;
use exchange::{Exchange, Exchanges};
pub(crate) use health::HostState;
use health::{Health, Host};
pub(crate) use heavy::Heavy;
use in_flight::{Entered, FetchTable};
pub(crate) use in_flight::{FetchOutcome, FetchWatcher, Level, State};
pub(crate) use mirror_news::Announced;
pub use mirror_news::MirrorNews;
pub(crate) use mirrors::Mirrors;
use persist::Persist;
pub(crate) use persist::{Looked, StoreTrust, StoreUsed, folder};

/// Fetches evidence.
pub(crate) struct Fetcher {
    /// `None` offline.
    exchanges: Option<Exchanges>,
    mirrors: Option<Mirrors>,
    /// Where this process announces evidence that a mirror may have in a newer version.
    own_news: OnceLock<mpsc::Sender<Announced>>,
    persist: Option<Arc<Persist>>,
    pub(crate) memory: Memory,
    health: Arc<Health>,
    fetches: FetchTable,
    /// Large evidence is parsed and checked a few pieces at a time.
    pub(crate) heavy: Arc<Heavy>,
    runtime: Handle,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("exchanges", &self.exchanges)
            .field("store", &self.store())
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    pub(crate) fn new(
        network: Option<Network>,
        mirrors: Option<Mirrors>,
        store: Option<StoreUsed>,
        limits: &Arc<FetchLimits>,
        (memory, heavy): (Memory, Arc<Heavy>),
        runtime: Handle,
        observer: Option<Observer>,
    ) -> Self {
        let health = Arc::new(Health::new(limits));
        let persist = store.map(|used| Arc::new(Persist::new(used, &heavy, &runtime)));
        let exchanges = network
            .map(|network| (Arc::new(network), Origin::Network))
            .map(|network| Exchanges::new(network, persist.clone(), &health, limits, &heavy, observer));
        Self {
            exchanges,
            mirrors,
            own_news: OnceLock::new(),
            persist,
            memory,
            health,
            fetches: FetchTable::default(),
            heavy,
            runtime,
        }
    }

    /// The store, if there is one.
    pub(crate) fn store(&self) -> Option<&Arc<dyn Store>> {
        self.persist.as_ref().map(|persist| persist.store())
    }

    fn exchanges(&self) -> Result<&Exchanges, Failure> {
        self.exchanges.as_ref().ok_or_else(|| Failure::new(Cause::NotTried, "offline"))
    }

    /// Begins a fetch, or joins one that has begun. `known` is good evidence in memory that may have changed.
    pub(crate) fn begin(
        self: &Arc<Self>,
        need: &Need,
        level: Level,
        known: Option<&Arc<CachedEvidence>>,
        behalf: &Behalf,
        policy: &Arc<Policy>,
    ) -> Result<FetchWatcher, Failure> {
        let key = EvidenceKey::of(&need.request);
        if let Some(key) = key
            && let Some(watcher) = self.fetches.join(key, level)
        {
            return Ok(watcher);
        }
        let route = match level {
            Level::Store | Level::Near => None,
            Level::Mirror => {
                // What may not be asked of its source is not asked of a mirror.
                self.exchanges()?.target(&need.request)?;
                None
            }
            Level::Network => {
                let (target, host) = self.exchanges()?.target(&need.request)?;
                self.health.ensure_allowed(&keys_of(need), &host)?;
                Some((target, host))
            }
        };
        let (begun, watcher) = match self.fetches.enter(key, level) {
            // Another was faster.
            Entered::Joined(watcher) => return Ok(watcher),
            Entered::Begun(begun, watcher) => (begun, watcher),
        };
        let (fetcher, need, known, policy) =
            (Arc::clone(self), need.clone(), known.cloned(), Arc::clone(policy));
        let behalf = behalf.clone();
        let kind = need.request.kind().code();
        let span = info_span!(
            target: "certcheck::fetch", "fetch",
            kind, url = %printable(need.request.url()), level = ?level
        );
        // In a task of its own: the check that began it may go away, and others wait for the same.
        self.runtime.spawn(
            async move {
                let outcome = match &route {
                    None if level == Level::Mirror => {
                        let fetched =
                            fetcher.mirrored(&need, known.as_ref(), &behalf, &policy, &begun.sender);
                        fetched.await.map(|cached| (cached, None))
                    }
                    None => fetcher.load(&need, level, &policy).await.map(|cached| (cached, None)),
                    Some((target, host)) => {
                        let exchange = Exchange { need: &need, target, known, behalf, policy: &policy };
                        fetcher.fetch(exchange, host, &begun.sender).await
                    }
                };
                fetcher.fetches.finish_fetch(begun, outcome).await;
            }
            .instrument(span),
        );
        Ok(watcher)
    }

    /// The evidence that the store of this level has, parsed and verified again.
    pub(crate) async fn load(
        &self,
        need: &Need,
        level: Level,
        policy: &Arc<Policy>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        match &self.persist {
            Some(persist) => persist.load(need, level, policy).await,
            None => Err(Failure::new(Cause::NotTried, "not in the store")),
        }
    }

    /// Whether there is a store at this level.
    pub(crate) fn has_store(&self, level: Level) -> bool {
        self.persist.as_ref().is_some_and(|persist| level == Level::Store || persist.near().is_some())
    }

    /// Whether there are mirrors, asked or not.
    pub(crate) const fn has_mirrors(&self) -> bool {
        self.mirrors.is_some()
    }

    /// Whether a mirror may be asked for this now.
    pub(crate) fn may_ask_mirrors(&self, request: &EvidenceRequest) -> bool {
        self.mirrors.as_ref().is_some_and(|mirrors| mirrors.may_be_asked(request))
    }

    /// Announces what the store and the mirrors announce, as long as anyone listens.
    pub(crate) fn announce(&self, announce: &mpsc::Sender<Announced>) {
        if self.mirrors.is_some() {
            // It is set once.
            let _set = self.own_news.set(announce.clone());
        }
        for feed in self.mirrors.iter().flat_map(Mirrors::feeds) {
            self.runtime.spawn(mirror_news::follow(Arc::new(feed), announce.clone()));
        }
        if let Some(mut news) = self.store().and_then(|store| store.news()) {
            let announce = announce.clone();
            self.runtime.spawn(async move {
                while let Some(one) = news.next().await {
                    let one = match one {
                        // What a store has lost is put back by a look at it.
                        News::Newer(key) | News::Lost(key) => Announced::Key(key),
                        News::Missed => Announced::Any,
                    };
                    if announce.send(one).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    async fn mirrored(
        &self,
        need: &Need,
        known: Option<&Arc<CachedEvidence>>,
        behalf: &Behalf,
        policy: &Arc<Policy>,
        sender: &watch::Sender<State>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        match &self.mirrors {
            Some(mirrors) => mirrors.fetch(need, known, behalf, policy, sender).await,
            None => Err(Failure::new(Cause::NotTried, "there is no mirror")),
        }
    }

    async fn fetch(
        &self,
        exchange: Exchange<'_>,
        host: &Host,
        sender: &watch::Sender<State>,
    ) -> Result<(Arc<CachedEvidence>, Option<Lease>), Failure> {
        self.exchanges()?.fetch(exchange, host, sender).await
    }

    /// Fetches from the network alone, to examine the answer, and keeps it nowhere. `known` is an earlier answer that may
    /// not have changed.
    pub(crate) async fn obtain(
        &self,
        need: &Need,
        known: Option<&Arc<CachedEvidence>>,
        policy: &Arc<Policy>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        let (target, host) = self.exchanges()?.target(&need.request)?;
        let (sender, _) = watch::channel(State::Waiting);
        let (known, behalf) = (known.cloned(), Behalf::default());
        let exchange = Exchange { need, target: &target, known, behalf, policy };
        self.fetch(exchange, &host, &sender).await.map(|(cached, _)| cached)
    }

    /// The same from the mirrors.
    pub(crate) async fn obtain_mirrored(
        &self,
        need: &Need,
        known: Option<&Arc<CachedEvidence>>,
        policy: &Arc<Policy>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        // What may not be asked of its source is not asked of a mirror.
        self.exchanges()?.target(&need.request)?;
        let (sender, _) = watch::channel(State::Waiting);
        self.mirrored(need, known, &Behalf::default(), policy, &sender).await
    }

    /// Notes that a check found that evidence counts. It is kept for others if its signer is known.
    pub(crate) fn keep(&self, need: &Need, outcome: &Arc<FetchOutcome>, level: Level, now: Time) {
        let cached = &outcome.cached;
        let Some(key) = EvidenceKey::of(&cached.request) else { return };
        // Evidence that is not verified does not replace older evidence.
        if !cached.is_signed() || !outcome.settle() {
            return;
        }
        let lease = outcome.take_lease();
        self.fetches.end(key, level, outcome);
        if !self.memory.replace(key, cached) {
            return;
        }
        if let (Some(this), _) = cached.times() {
            let age = now.unix().saturating_sub(this.unix()).max(0);
            metrics::histogram!(names::AGE, "kind" => cached.kind().code()).record(age as f64);
        }
        metrics::gauge!(names::MEMORY).set((self.memory.kib() << 10) as f64);
        match level {
            // A mirror may have got newer evidence while this process did not run.
            Level::Store | Level::Near => {
                if let Some(news) = self.own_news.get() {
                    // If there are too many, it is due by itself in time.
                    let _sent = news.try_send(Announced::Key(key));
                }
            }
            Level::Mirror => self.mirrors.iter().for_each(|mirrors| mirrors.served(&key)),
            // Another process had fetched it.
            Level::Network if cached.is_from_store() => {}
            Level::Network => {
                self.health.served(&key);
                self.health.served(&key.for_signer(&need.signer));
            }
        }
        if let Some(persist) = &self.persist {
            persist.write(key, cached, lease);
        }
    }

    /// Ends a fetch whose outcome is neither kept nor rejected, so that the next one asks again.
    pub(crate) fn leave(&self, need: &Need, outcome: &FetchOutcome, level: Level) {
        if let Some(key) = EvidenceKey::of(&need.request) {
            self.fetches.end(key, level, outcome);
        }
    }

    /// Notes that evidence did not count for a check. Its source is not asked for a while, for those who trust the
    /// same issuer. It may count for other checks: those that wait for it decide for themselves, and it stays in the
    /// store.
    pub(crate) fn reject(&self, need: &Need, outcome: &Arc<FetchOutcome>, level: Level, failure: &Failure) {
        let (Some(key), cause) = (EvidenceKey::of(&need.request), failure.cause) else { return };
        let cached = &outcome.cached;
        // It is too old, and signed by a signer that may sign it: its entries are still revoked, and it shows that an
        // older one is older.
        if cause == Cause::Stale
            && cached.is_signed()
            && self.memory.get(&key).is_none_or(|known| known.is_older_than(cached))
        {
            self.memory.replace(key, cached);
        }
        match level {
            Level::Store | Level::Near => self.refuse_stored(need, &key, level, cause),
            // Another process had put it into the store. The source was not asked.
            Level::Network if cached.is_from_store() => {
                drop(outcome.take_lease());
                self.fetches.end(key, level, outcome);
                self.refuse_stored(need, &key, Level::Store, cause);
            }
            Level::Mirror => {
                self.fetches.end(key, level, outcome);
                self.mirrors.iter().for_each(|mirrors| mirrors.failed(&key, failure));
                debug!(
                    name: "mirror-answer-unsuitable", target: "certcheck::fetch",
                    url = %printable(need.request.url()), cause = cause.code(), "answer of a mirror did not count"
                );
                metrics::counter!(names::MIRROR_REFUSED, "cause" => cause.code()).increment(1);
            }
            Level::Network => {
                drop(outcome.take_lease());
                // Those that wait for it have it. A later check asks again, if the source may be asked.
                self.fetches.end(key, level, outcome);
                let labels = [("kind", outcome.cached.kind().code()), ("cause", cause.code())];
                metrics::counter!(names::FAILURES, &labels).increment(1);
                if let Some(exchanges) = &self.exchanges
                    && let Ok((_, host)) = exchanges.target(&need.request)
                {
                    self.health.failed(Some(&key.for_signer(&need.signer)), &host, failure);
                }
            }
        }
    }

    fn refuse_stored(&self, need: &Need, key: &EvidenceKey, level: Level, cause: Cause) {
        debug!(
            name: "store-entry-unsuitable", target: "certcheck::store",
            url = %printable(need.request.url()), cause = cause.code(), "entry of the store did not count"
        );
        metrics::counter!(names::STORE_REFUSED, "why" => cause.code()).increment(1);
        let Some(persist) = &self.persist else { return };
        match persist.near().filter(|_| level == Level::Near) {
            Some(near) => near.did_not_count(key),
            None => persist.did_not_count(key),
        }
    }

    /// Writes evidence to the store, if there is one.
    pub(crate) fn store_in_background(&self, cached: &CachedEvidence) {
        if let Some((persist, key)) = self.persist.as_ref().zip(EvidenceKey::of(&cached.request)) {
            persist.write(key, cached, None);
        }
    }

    /// Waits until all evidence is written.
    pub(crate) async fn flush(&self) {
        if let Some(persist) = &self.persist {
            persist.flush().await;
        }
    }

    /// Whether this source has failed, and its pause is over.
    pub(crate) fn may_be_asked_again(&self, key: &EvidenceKey) -> bool {
        self.health.may_be_asked_again(key)
    }

    /// Whether this source has failed, and is not asked for now.
    pub(crate) fn is_paused(&self, key: &EvidenceKey) -> bool {
        self.health.is_paused(key)
    }

    pub(crate) fn hosts(&self) -> Vec<HostState> {
        self.health.hosts()
    }

    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// The keys of a source's health: for all, and for those that trust this issuer.
fn keys_of(need: &Need) -> Vec<EvidenceKey> {
    let key = EvidenceKey::of(&need.request);
    key.into_iter().flat_map(|key| [key, key.for_signer(&need.signer)]).collect()
}
