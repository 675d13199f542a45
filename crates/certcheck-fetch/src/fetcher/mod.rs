//! Evidence, got once however many ask: single flight for each source, then memory and the store.
//!
//! What lands is not kept before a check has found it to be of use: see `keep` and `reject`.

mod exchange;
mod health;
mod heavy;
pub(crate) mod permits;
mod persist;
mod read;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_core::revocation::Need;
use certcheck_core::status::Cause;
use certcheck_core::{Policy, Time};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::{Instrument as _, debug, info_span, warn};

use crate::cache::entry::Memory;
use crate::cache::evidence::Held;
use crate::cache::key::Key;
use crate::failure::Failure;
use crate::fetcher::health::Health;
use crate::fetcher::heavy::Heavy;
use crate::fetcher::permits::{Bounds, Permits};
use crate::limits::{Kind, Limits};
use crate::metrics as names;
use crate::store::{Lease, Store, StoreError};
use crate::transport::Network;
pub(crate) use exchange::Behalf;
use exchange::Exchange;
use persist::stored_of;

/// What has landed and nobody has judged yet is given to who asks meanwhile, for so long.
const LINGER: Duration = Duration::from_secs(1);
/// How long another's turn is waited for, for what is small and for CRLs. After it both fetch: no harm.
const TURN: Duration = Duration::from_secs(5);
const TURN_OF_CRL: Duration = Duration::from_secs(30);
/// A turn that comes within this was free.
const AT_ONCE: Duration = Duration::from_millis(15);
/// How long a store is waited for.
const STORE: Duration = Duration::from_secs(5);
/// How long a fetch waits for its permit.
const QUEUE: Duration = Duration::from_secs(10);
/// Answers that wait to be written to the store. What is beyond is not written.
const WRITES: usize = 4_096;
/// How long a program that ends waits for them.
const FLUSH: Duration = Duration::from_secs(10);
/// Flights that are remembered before those that have landed are let go.
const MANY: usize = 1_024;

/// Which way evidence comes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Level {
    Store,
    Network,
}

/// How far a flight is.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Waiting,
    /// Octets that have come, and how many there will be, if that is known.
    Arriving(u64, Option<u64>),
    Landed(Result<Arc<Landing>, Failure>),
}

/// What a flight brought.
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) held: Arc<Held>,
    pub(crate) elapsed: Duration,
    /// Nobody in the fleet fetches the same before this is kept or rejected.
    lease: Mutex<Option<Lease>>,
    is_settled: AtomicBool,
    /// Which flight it was.
    number: u64,
}

impl Landing {
    fn take_lease(&self) -> Option<Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Flight {
    state: watch::Receiver<State>,
    begun: Instant,
    number: u64,
}

/// How a check of many sources watches the download of one.
pub(crate) type Flying = watch::Receiver<State>;

/// A store, and whether indexes and signatures in it are taken as they were kept: the caller that builds the engine says so.
#[derive(Clone, Debug)]
pub(crate) struct StoreUsed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) is_trusted: bool,
}

/// Gets evidence.
pub(crate) struct Fetcher {
    /// `None` offline.
    network: Option<Network>,
    pub(crate) store: Option<Arc<dyn Store>>,
    /// Indexes and signatures in the store are taken as they were kept: the caller that built the engine said so.
    trusts_store: bool,
    pub(crate) memory: Memory,
    health: Health,
    flights: Mutex<HashMap<(Key, Level), Flight>>,
    numbers: AtomicU64,
    permits: Arc<Permits>,
    limits: Arc<Limits>,
    /// Large evidence is read and judged a few at a time.
    pub(crate) heavy: Heavy,
    runtime: Handle,
    /// What is being written to the store.
    writing: Mutex<JoinSet<()>>,
    observer: Option<Observer>,
}

/// Told of octets as they arrive: from where, how many are there, and how many there will be, if that is known.
pub type Observer = Arc<dyn Fn(&str, u64, Option<u64>) + Send + Sync>;

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("network", &self.network)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    pub(crate) fn new(
        network: Option<Network>,
        store: Option<StoreUsed>,
        limits: &Arc<Limits>,
        memory: Memory,
        runtime: Handle,
        observer: Option<Observer>,
    ) -> Self {
        let trusts_store = store.as_ref().is_some_and(|used| used.is_trusted);
        Self {
            network,
            store: store.map(|used| used.store),
            trusts_store,
            memory,
            health: Health::new(limits),
            flights: Mutex::default(),
            numbers: AtomicU64::new(0),
            permits: Permits::new(Bounds {
                all: limits.at_once,
                client: limits.at_once_per_client,
                host: limits.at_once_per_host,
                address: limits.at_once_per_address,
            }),
            limits: Arc::clone(limits),
            heavy: Heavy::new(),
            runtime,
            writing: Mutex::default(),
            observer,
        }
    }

    /// Where temporary files go.
    pub(crate) fn folder(store: Option<&StoreUsed>) -> PathBuf {
        store.and_then(|used| used.store.folder()).map_or_else(std::env::temp_dir, ToOwned::to_owned)
    }

    /// Begins to get what is needed, or joins who has begun. `known` is what is at hand and good, and may have changed.
    pub(crate) fn begin(
        self: &Arc<Self>,
        need: &Need,
        level: Level,
        known: Option<&Arc<Held>>,
        behalf: &Behalf,
        policy: &Arc<Policy>,
    ) -> Result<Flying, Failure> {
        let key = Key::of(&need.ask);
        if let Some(key) = key
            && let Some(flying) = self.join(key, level)
        {
            return Ok(flying);
        }
        let route = match level {
            Level::Store => None,
            Level::Network => {
                let network =
                    self.network.as_ref().ok_or_else(|| Failure::new(Cause::NotTried, "offline"))?;
                let target = network.judge(&need.ask)?;
                let host = self.health.host(&target.host_key());
                self.health.admit(&keys_of(need), &host)?;
                Some((target, host))
            }
        };
        let (sender, receiver) = watch::channel(State::Waiting);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        if let Some(key) = key {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            if flights.len() > MANY {
                flights.retain(|_, flight| is_of_use(flight));
            }
            // Someone may have been faster.
            if let Some(flight) = flights.get(&(key, level)).filter(|flight| is_of_use(flight)) {
                return Ok(flight.state.clone());
            }
            flights.insert((key, level), Flight { state: receiver.clone(), begun: Instant::now(), number });
        }
        let (fetcher, need, known, policy) =
            (Arc::clone(self), need.clone(), known.cloned(), Arc::clone(policy));
        let behalf = behalf.clone();
        let kind = Kind::of(&need.ask).map_or("", Kind::code);
        let span = info_span!("fetch", kind, url = %need.ask.url(), level = ?level);
        // On its own: who asked may go away, and others wait for the same.
        self.runtime.spawn(
            async move {
                let begun = Instant::now();
                let outcome = match route {
                    None => fetcher.load(&need, &policy).await.map(|held| (held, None)),
                    Some((target, host)) => {
                        let order = Exchange { need: &need, target: &target, known, behalf, policy: &policy };
                        fetcher.fetch(order, &host, &sender).await
                    }
                };
                let outcome = outcome.map(|(held, lease)| {
                    let elapsed = begun.elapsed();
                    let lease = Mutex::new(lease);
                    Arc::new(Landing { held, elapsed, lease, is_settled: AtomicBool::new(false), number })
                });
                let Some(key) = key else {
                    sender.send_replace(State::Landed(outcome));
                    return;
                };
                let Ok(landing) = &outcome else {
                    fetcher.end(key, level, number);
                    sender.send_replace(State::Landed(outcome));
                    return;
                };
                let landing = Arc::clone(landing);
                // All but our own have gone: nobody will keep it, so nobody else need wait.
                if sender.receiver_count() <= 1 {
                    drop(landing.take_lease());
                }
                sender.send_replace(State::Landed(outcome));
                sleep(LINGER).await;
                if !landing.is_settled.load(Ordering::Acquire) {
                    drop(landing.take_lease());
                    fetcher.end(key, level, number);
                }
            }
            .instrument(span),
        );
        Ok(receiver)
    }

    /// Gets something from the network alone, for who looks into it, and keeps it nowhere.
    pub(crate) async fn obtain(&self, need: &Need, policy: &Arc<Policy>) -> Result<Arc<Held>, Failure> {
        let network = self.network.as_ref().ok_or_else(|| Failure::new(Cause::NotTried, "offline"))?;
        let target = network.judge(&need.ask)?;
        let host = self.health.host(&target.host_key());
        let (sender, _) = watch::channel(State::Waiting);
        let order = Exchange { need, target: &target, known: None, behalf: Behalf::default(), policy };
        self.fetch(order, &host, &sender).await.map(|(held, _)| held)
    }

    fn join(&self, key: Key, level: Level) -> Option<Flying> {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.get(&(key, level)).filter(|flight| is_of_use(flight)).map(|flight| flight.state.clone())
    }

    fn end(&self, key: Key, level: Level, number: u64) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&(key, level)).is_some_and(|flight| flight.number == number) {
            flights.remove(&(key, level));
        }
    }

    /// A check found that what landed is of use: it is kept for others, if it is known who signed it.
    pub(crate) fn keep(&self, need: &Need, landing: &Arc<Landing>, level: Level, now: Time) {
        let held = &landing.held;
        let Some(key) = Key::of(&held.ask) else { return };
        // Evidence that nobody has verified takes no place from what was.
        if !held.is_signed() || landing.is_settled.load(Ordering::Acquire) {
            return;
        }
        if landing.is_settled.swap(true, Ordering::AcqRel) {
            return;
        }
        let lease = landing.take_lease();
        self.end(key, level, landing.number);
        if !self.memory.replace(key, held) {
            return;
        }
        if let (Some(this), _) = held.times() {
            let age = now.unix().saturating_sub(this.unix()).max(0);
            metrics::histogram!(names::AGE, "kind" => held.kind().code()).record(age as f64);
        }
        metrics::gauge!(names::MEMORY).set(self.memory.kib() as f64);
        if level == Level::Store {
            return;
        }
        self.health.served(&key);
        self.health.served(&key.for_signer(&need.signer));
        if let Some(store) = self.store.clone().filter(|store| held.origin != store.origin()) {
            let stored = stored_of(held, self.trusts_store);
            self.write(async move {
                match store.put(&key, stored).await {
                    Ok(()) | Err(StoreError::Older) => {}
                    Err(error) => warn!(%error, "not kept in the store"),
                }
                drop(lease);
            });
        }
    }

    /// A check found that what landed is of no use to it: its source is left alone for a while, for who trusts the same
    /// issuer. To others it may be of use: those who wait for it judge for themselves, and in the store it stays.
    pub(crate) fn reject(&self, need: &Need, landing: &Arc<Landing>, level: Level, failure: &Failure) {
        let (Some(key), cause) = (Key::of(&need.ask), failure.cause) else { return };
        let held = &landing.held;
        // Too old to be of use, and signed by who may: it still lists whom it lists, and an older one is told by it.
        if cause == Cause::Stale
            && held.is_signed()
            && self.memory.get(&key).is_none_or(|known| known.is_older_than(held))
        {
            self.memory.replace(key, held);
        }
        match level {
            Level::Store => {
                debug!(url = %need.ask.url(), cause = cause.code(), "what the store has is of no use here");
                metrics::counter!(names::STORE_REFUSED, "why" => cause.code()).increment(1);
            }
            Level::Network => {
                drop(landing.take_lease());
                // Who waits for it has it; who comes later asks anew, if it may.
                self.end(key, level, landing.number);
                let labels = [("kind", landing.held.kind().code()), ("cause", cause.code())];
                metrics::counter!(names::FAILURES, &labels).increment(1);
                if let Some(network) = &self.network
                    && let Ok(target) = network.judge(&need.ask)
                {
                    let host = self.health.host(&target.host_key());
                    self.health.failed(Some(&key.for_signer(&need.signer)), &host, failure);
                }
            }
        }
    }

    /// Whether this source has failed, and its pause is over.
    pub(crate) fn may_be_asked_again(&self, key: &Key) -> bool {
        self.health.may_be_asked_again(key)
    }

    /// Whether this source has failed, and is left alone for now.
    pub(crate) fn is_paused(&self, key: &Key) -> bool {
        self.health.is_paused(key)
    }

    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// What is remembered of a source: for all, and for who trusts this issuer.
fn keys_of(need: &Need) -> Vec<Key> {
    let key = Key::of(&need.ask);
    key.into_iter().flat_map(|key| [key, key.for_signer(&need.signer)]).collect()
}

/// In the air, or landed a moment ago and not judged yet.
fn is_of_use(flight: &Flight) -> bool {
    match &*flight.state.borrow() {
        State::Landed(Ok(landing)) => {
            !landing.is_settled.load(Ordering::Acquire) && flight.begun.elapsed() < LINGER + landing.elapsed
        }
        State::Landed(Err(_)) => false,
        State::Waiting | State::Arriving(..) => flight.state.has_changed().is_ok(),
    }
}
