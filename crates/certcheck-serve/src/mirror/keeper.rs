//! The keeper of all sources: finds them, fetches what is missing, looks at each before its evidence ends, and announces
//! what it has replaced.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use certcheck_rustls::certcheck_core::status::Cause;
use certcheck_rustls::certcheck_fetch::CachedEvidence;
use certcheck_rustls::certcheck_fetch::mirror::{self, MirrorNews};
use certcheck_rustls::{Engine, Time};
use metrics::{counter, gauge};
use tokio::sync::{Semaphore, broadcast};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use url::Url;

use super::active::{Active, Listed, host_of, listed};
use super::kept::KeptEvidence;
use super::places::{Place, Places};
use super::select::{NotServed, Refusal, is_good, is_news, may_replace};
use super::series::{Digest, Expected};
use super::source::{Source, canonical_of, key_of};
use super::table::Table;
use crate::config::MirrorConfig;
use crate::{events, metrics as names};

/// The pause between two looks at the clock.
const PAUSE: Duration = Duration::from_millis(500);
/// Sources that are looked at in the background at once.
const LOOKS: usize = 32;
/// The time for one look.
const WITHIN: Duration = Duration::from_secs(150);
/// News that wait for a slow listener.
const NEWS: usize = 1_024;

/// Evidence that can be served, when its source is looked at again, and until when it may be used.
pub(super) struct Served {
    pub(super) held: Arc<KeptEvidence>,
    pub(super) next_look: Time,
    pub(super) end: Time,
}

/// All sources, and what is done with them.
pub(crate) struct Keeper {
    active: ArcSwap<Active>,
    table: Mutex<Table>,
    news: broadcast::Sender<MirrorNews>,
    looks: Arc<Semaphore>,
    places: Arc<Places>,
}

impl Keeper {
    pub(super) fn new(config: MirrorConfig, engine: Arc<Engine>) -> Arc<Self> {
        let keeper = Arc::new(Self {
            active: ArcSwap::from_pointee(Active::new(config.clone(), Arc::clone(&engine), &[])),
            table: Mutex::default(),
            news: broadcast::Sender::new(NEWS),
            looks: Arc::new(Semaphore::new(LOOKS)),
            places: Arc::default(),
        });
        keeper.reload(config, engine);
        tokio::spawn(keep(Arc::downgrade(&keeper)));
        keeper
    }

    /// Uses another configuration. What is served stays, if it is good by the new ring.
    pub(super) fn reload(&self, config: MirrorConfig, engine: Arc<Engine>) {
        let listed = listed(&config, &engine);
        let active = Active::new(config, engine, &listed);
        let now = active.engine.now();
        {
            let mut table = self.table();
            table.unlist();
            for Listed { request, key, keys } in listed {
                table.add(Source::listed(request, key, keys.into(), now));
            }
            table.retain(|source| active.may_ask(&source.request).is_ok());
            // Each is looked at again, by the new ring.
            table.all().for_each(|source| source.state().next = now);
        }
        self.active.store(Arc::new(active));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by the engine's clock.
    pub(super) fn now(&self) -> Time {
        self.active.load().engine.now()
    }

    /// What is announced from now on.
    pub(super) fn news(&self) -> broadcast::Receiver<MirrorNews> {
        self.news.subscribe()
    }

    /// All sources, by URL.
    pub(super) fn sources(&self) -> Vec<Arc<Source>> {
        let mut sources: Vec<_> = self.table().all().map(Arc::clone).collect();
        sources.sort_by(|one, other| {
            let place = |source: &Source| (source.kind().code(), Arc::clone(source.request.url()));
            place(one).cmp(&place(other)).then(one.key.cmp(&other.key))
        });
        sources
    }

    /// Whether this is the URL of a source that may be asked.
    pub(super) fn is_source(&self, url: &Url) -> bool {
        self.active.load().is_source(url)
    }

    /// The evidence of a source, current and good: what is kept, or what the source sends now.
    pub(super) async fn current(
        self: &Arc<Self>,
        request: &EvidenceRequest,
        client: IpAddr,
    ) -> Result<Served, NotServed> {
        let active = self.active.load_full();
        let now = active.engine.now();
        let key = key_of(request).ok_or(NotServed::NotASource)?;
        let found = self.table().find(request.kind(), key, now);
        let mut place = None;
        let source = match found {
            Some(source) => source,
            None => {
                active.may_ask(request)?;
                // Who finds no place makes up no source.
                place = Some(self.place(request, client).ok_or(NotServed::Busy)?);
                self.table().add(Source::new(canonical_of(request), key, Some(client), now))
            }
        };
        if let Some(served) = good(&source, &active, now) {
            return Ok(served);
        }
        // One look for all that wait.
        let looking = Arc::clone(&source.looking).lock_owned().await;
        let now = active.engine.now();
        if let Some(served) = good(&source, &active, now) {
            return Ok(served);
        }
        let state = source.state().clone();
        if let Some((_, refusal)) = state.failure.filter(|_| state.next > now) {
            return Err(NotServed::Refused(refusal, state.next.unix().saturating_sub(now.unix())));
        }
        let place = place.or_else(|| self.place(request, client)).ok_or(NotServed::Busy)?;
        let (keeper, looked) = (Arc::clone(self), Arc::clone(&source));
        // In a task of its own: the client may go away, and the next one asks for the same.
        let looked = tokio::spawn(async move {
            let outcome = keeper.look(&looked).await;
            drop((looking, place));
            outcome
        });
        match looked.await {
            Ok(Ok(())) => good(&source, &active, active.engine.now())
                .ok_or(NotServed::Refused(Refusal::NotCurrent(Cause::Stale), 1)),
            Ok(Err(refusal)) => {
                let wait = source.state().next.unix().saturating_sub(active.engine.now().unix());
                Err(NotServed::Refused(refusal, wait))
            }
            Err(_) => Err(NotServed::Busy),
        }
    }

    /// A place among those that are asked for clients.
    fn place(&self, request: &EvidenceRequest, client: IpAddr) -> Option<Place> {
        self.places.enter(host_of(&Url::parse(request.url()).ok()?)?, client)
    }

    /// An OCSP response for one client alone, as the responder sends it.
    pub(super) async fn through(
        &self,
        request: &EvidenceRequest,
        client: IpAddr,
    ) -> Result<Arc<CachedEvidence>, NotServed> {
        let active = self.active.load_full();
        active.may_ask(request)?;
        let place = self.place(request, client).ok_or(NotServed::Busy)?;
        let need = Need::new(0, request.clone(), Box::default());
        // In a task of its own, so that it has its place for as long as it goes on.
        let fetched = tokio::spawn(async move {
            let fetched = mirror::fetch(&active.engine, &need, None, WITHIN).await.map_err(Refusal::Failed);
            drop(place);
            let snapshot = active.engine.snapshot();
            let now = active.engine.now();
            fetched.and_then(|cached| {
                is_good(&cached, (snapshot.ring(), snapshot.policy()), now).map(|_| cached)
            })
        });
        let fetched = fetched.await.unwrap_or_else(|error| Err(ended(&error)));
        fetched.map_err(|refusal| NotServed::Refused(refusal, 1))
    }

    /// Asks a source, and serves what it sends if that is good. The caller has its turn.
    async fn look(&self, source: &Arc<Source>) -> Result<(), Refusal> {
        let active = self.active.load_full();
        let longest = active.config.refresh;
        // What was served before a restart, or before it lost its place, is not forgotten.
        if source.held().is_none() {
            self.restore_one(source, &active).await;
        }
        let before = source.held();
        let outcome = self.ask(source, &active).await;
        let now = active.engine.now();
        let kind = source.kind().code();
        let result = match outcome {
            Ok((held, is_new)) => {
                let is_news = is_new && is_news(before.as_ref().map(|held| &*held.cached), &held.cached);
                source.looked(&held, now, longest);
                self.table().hold(source, &held, active.bounds());
                if is_new {
                    counter!(names::MIRROR_REPLACED, "kind" => kind).increment(1);
                    if let Some(news) = MirrorNews::of(&source.request).filter(|_| is_news) {
                        // Nobody may listen.
                        let _listeners = self.news.send(news);
                    }
                }
                Ok(())
            }
            Err(refusal) => {
                // What a client has made up is counted, and fills no log.
                if before.is_some() || source.state().is_listed {
                    events::mirror_refused(source.request.url(), refusal.code(), &refusal);
                }
                counter!(names::MIRROR_REFUSED, "kind" => kind, "code" => refusal.code()).increment(1);
                source.failed(refusal.clone(), now, longest);
                self.drop_what_is_not_good(source, &active).await;
                Err(refusal)
            }
        };
        let bytes = self.table().bytes();
        #[expect(clippy::cast_precision_loss, reason = "bytes for a gauge")]
        gauge!(names::MIRROR_BYTES).set(bytes as f64);
        result
    }

    /// Stops serving what no CA of the present ring signed: a reload may have taken it away. What has ended stays, so that
    /// nothing older takes its place.
    async fn drop_what_is_not_good(&self, source: &Arc<Source>, active: &Arc<Active>) {
        let Some(held) = source.held() else { return };
        let active = Arc::clone(active);
        let examined = spawn_blocking(move || {
            let snapshot = active.engine.snapshot();
            is_good(&held.cached, (snapshot.ring(), snapshot.policy()), active.engine.now())
        });
        if matches!(examined.await, Ok(Err(Refusal::Unsigned(_)))) {
            self.table().drop_held(source);
        }
    }

    /// What a source sends, if it is good and may take the place of what is kept, and whether it is other evidence.
    async fn ask(
        &self,
        source: &Arc<Source>,
        active: &Arc<Active>,
    ) -> Result<(Arc<KeptEvidence>, bool), Refusal> {
        let before = source.held();
        let cached = match &active.config.tree {
            Some(tree) => {
                let (tree, active, need) = (tree.clone(), Arc::clone(active), source.need());
                let read = spawn_blocking(move || active.read_file(&tree, &need)).await;
                read.unwrap_or_else(|error| Err(ended(&error)))?
            }
            None => {
                let known = before.as_ref().map(|held| &held.cached);
                // A larger site's mirror, unless what it has cannot be served.
                let of_mirror =
                    mirror::fetch_from_mirrors(&active.engine, &source.need(), known, WITHIN).await;
                if let Ok(cached) = of_mirror
                    && let Ok(selected) = self.select(active, source, cached, Origin::Source).await
                {
                    return Ok(selected);
                }
                let fetched = mirror::fetch(&active.engine, &source.need(), known, WITHIN).await;
                fetched.map_err(Refusal::Failed)?
            }
        };
        self.select(active, source, cached, Origin::Source).await
    }

    /// Evidence as it is served, if it is good and may take the place of what was before. Verifying, hashing and compressing take time for large CRLs.
    async fn select(
        &self,
        active: &Arc<Active>,
        source: &Arc<Source>,
        cached: Arc<CachedEvidence>,
        origin: Origin,
    ) -> Result<(Arc<KeptEvidence>, bool), Refusal> {
        let (active, source) = (Arc::clone(active), Arc::clone(source));
        let selected = spawn_blocking(move || {
            let snapshot = active.engine.snapshot();
            let (ring, policy, now) = (snapshot.ring(), snapshot.policy(), active.engine.now());
            let key: Option<Digest> = is_good(&cached, (ring, policy), now)?;
            let before = source.held();
            if let Some(before) = &before
                && before.cached.body().bytes == cached.body().bytes
            {
                // The same bytes need no other look.
                return Ok((Arc::new(before.seen_again(cached, key)), false));
            }
            let kept = KeptEvidence::new(cached, key, &active.folder());
            if let Some(before) = before {
                let keys = Arc::clone(&source.state().keys);
                let expected = Expected { url: source.request.url(), keys: &keys };
                let (of_before, of_kept) = ((&*before.cached, before.key), (&*kept.cached, kept.key));
                may_replace(of_before, of_kept, expected, (policy, now))?;
            }
            // Another series may have been served since.
            if let Some((series, this_update)) = kept.series()
                && source.last_of(&series).is_some_and(|last| this_update < last)
            {
                return Err(Refusal::Rollback);
            }
            if origin == Origin::Source {
                mirror::store(&active.engine, &kept.cached);
            }
            Ok((Arc::new(kept), true))
        });
        selected.await.unwrap_or_else(|error| Err(ended(&error)))
    }

    /// Takes what the store has kept over a restart.
    async fn restore(&self) {
        let active = self.active.load_full();
        let Some(store) = active.engine.store() else { return };
        let Ok(entries) = store.list().await else { return };
        for entry in entries {
            let is_mirrored = matches!(entry.request.kind(), EvidenceKind::Crl | EvidenceKind::Ocsp);
            if !is_mirrored || active.may_ask(&entry.request).is_err() {
                continue;
            }
            let Some(key) = key_of(&entry.request) else { continue };
            let source = Source::new(canonical_of(&entry.request), key, None, active.engine.now());
            let source = self.table().add(source);
            let _looking = source.looking.lock().await;
            if source.held().is_none() {
                self.restore_one(&source, &active).await;
            }
        }
    }

    /// Takes what the store has kept of a source. The caller has its turn.
    async fn restore_one(&self, source: &Arc<Source>, active: &Arc<Active>) {
        if active.engine.store().is_none() {
            return;
        }
        let Ok(cached) = mirror::load(&active.engine, &source.need()).await else { return };
        if let Ok((held, _)) = self.select(active, source, cached, Origin::Store).await {
            let now = active.engine.now();
            source.looked(&held, now, active.config.refresh);
            self.table().hold(source, &held, active.bounds());
            // It may have changed meanwhile.
            source.state().next = now;
        }
    }
}

/// Where evidence comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    Source,
    Store,
}

fn ended(error: &tokio::task::JoinError) -> Refusal {
    Refusal::Ended(error.to_string())
}

/// What is kept of a source, if it can be served now.
fn good(source: &Source, active: &Active, now: Time) -> Option<Served> {
    let held = source.held()?;
    let end = held.ends(active.engine.snapshot().policy());
    (now <= end).then(|| Served { held, next_look: source.state().next, end })
}

/// Looks at sources that are due, as long as the mirror is there.
async fn keep(keeper: Weak<Keeper>) {
    if let Some(keeper) = keeper.upgrade() {
        keeper.restore().await;
    }
    loop {
        let Some(keeper) = keeper.upgrade() else { return };
        let now = keeper.now();
        let mut due: Vec<Arc<Source>> =
            keeper.table().all().filter(|source| source.is_due(now)).cloned().collect();
        due.sort_by_key(|source| source.state().next.unix());
        for source in due {
            let Ok(place) = Arc::clone(&keeper.looks).try_acquire_owned() else { break };
            let keeper = Arc::clone(&keeper);
            tokio::spawn(async move {
                // The look that goes on is for all.
                let Ok(_looking) = source.looking.try_lock() else { return };
                if source.state().next <= keeper.now() {
                    let _refused = keeper.look(&source).await;
                }
                drop(place);
            });
        }
        drop(keeper);
        sleep(PAUSE).await;
    }
}
