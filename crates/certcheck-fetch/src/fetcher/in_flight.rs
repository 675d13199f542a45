//! Fetches that are under way, so that each is made only once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::cache::evidence::CachedEvidence;
use crate::cache::key::EvidenceKey;
use crate::failure::Failure;
use crate::store::Lease;

/// How long an outcome that no check has evaluated yet is given to others that ask.
const LINGER: Duration = Duration::from_secs(1);
/// Fetches that are remembered before those that have ended are dropped.
const MANY: usize = 1_024;

/// Where evidence is looked for, in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Level {
    Store,
    /// The store that this host has for itself, in front of one that hosts share: asked if what that had does not count.
    Near,
    Mirror,
    Network,
}

impl Level {
    /// Where it is looked for next.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Store => Some(Self::Near),
            Self::Near => Some(Self::Mirror),
            Self::Mirror => Some(Self::Network),
            Self::Network => None,
        }
    }
}

/// The progress of a fetch.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Waiting,
    /// The number of bytes so far, and the total if it is known.
    Arriving(u64, Option<u64>),
    Finished(Result<Arc<FetchOutcome>, Failure>),
}

/// The outcome of a fetch.
#[derive(Debug)]
pub(crate) struct FetchOutcome {
    pub(crate) cached: Arc<CachedEvidence>,
    elapsed: Duration,
    /// The lease: no other process fetches the same before this is kept or rejected.
    lease: Mutex<Option<Lease>>,
    is_settled: AtomicBool,
    /// The number of the fetch.
    number: u64,
}

impl FetchOutcome {
    fn new(cached: Arc<CachedEvidence>, lease: Option<Lease>, elapsed: Duration, number: u64) -> Arc<Self> {
        let lease = Mutex::new(lease);
        Arc::new(Self { cached, elapsed, lease, is_settled: AtomicBool::new(false), number })
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Whether no one has kept it before. From now on it counts as kept.
    pub(crate) fn settle(&self) -> bool {
        !self.is_settled.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn take_lease(&self) -> Option<Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct InFlight {
    state: watch::Receiver<State>,
    begun: Instant,
    number: u64,
}

/// Watches a fetch, for a check that waits for it.
pub(crate) type FetchWatcher = watch::Receiver<State>;

/// The sender of a fetch's outcome.
pub(super) struct Begun {
    pub(super) sender: watch::Sender<State>,
    key: Option<EvidenceKey>,
    level: Level,
    begun: Instant,
    number: u64,
}

/// A fetch that was joined or begun.
pub(super) enum Entered {
    Joined(FetchWatcher),
    Begun(Begun, FetchWatcher),
}

/// All fetches that are under way.
#[derive(Default)]
pub(super) struct FetchTable {
    fetches: Mutex<HashMap<(EvidenceKey, Level), InFlight>>,
    numbers: AtomicU64,
}

impl FetchTable {
    pub(super) fn join(&self, key: EvidenceKey, level: Level) -> Option<FetchWatcher> {
        let fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        fetches.get(&(key, level)).filter(|fetch| is_of_use(fetch)).map(|fetch| fetch.state.clone())
    }

    /// Begins a fetch, unless another has begun the same. One without a key is for one client alone.
    pub(super) fn enter(&self, key: Option<EvidenceKey>, level: Level) -> Entered {
        let (sender, receiver) = watch::channel(State::Waiting);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        if let Some(key) = key {
            let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
            if fetches.len() > MANY {
                fetches.retain(|_, fetch| is_of_use(fetch));
            }
            if let Some(fetch) = fetches.get(&(key, level)).filter(|fetch| is_of_use(fetch)) {
                return Entered::Joined(fetch.state.clone());
            }
            fetches.insert((key, level), InFlight { state: receiver.clone(), begun, number });
        }
        Entered::Begun(Begun { sender, key, level, begun, number }, receiver)
    }

    /// Gives the outcome to all that wait for it, and for a while to those that ask later.
    pub(super) async fn finish_fetch(
        &self,
        begun: Begun,
        brought: Result<(Arc<CachedEvidence>, Option<Lease>), Failure>,
    ) {
        let Begun { sender, key, level, begun, number } = begun;
        let result = brought.map(|(cached, lease)| FetchOutcome::new(cached, lease, begun.elapsed(), number));
        let Some(key) = key else {
            sender.send_replace(State::Finished(result));
            return;
        };
        let Ok(outcome) = &result else {
            self.remove(key, level, number);
            sender.send_replace(State::Finished(result));
            return;
        };
        let outcome = Arc::clone(outcome);
        // All other watchers have gone: the outcome will not be kept, so nothing need wait.
        if sender.receiver_count() <= 1 {
            drop(outcome.take_lease());
        }
        sender.send_replace(State::Finished(result));
        sleep(LINGER).await;
        if !outcome.is_settled() {
            drop(outcome.take_lease());
            self.remove(key, level, number);
        }
    }

    /// Forgets the fetch that brought this. A later request begins another.
    pub(super) fn end(&self, key: EvidenceKey, level: Level, outcome: &FetchOutcome) {
        self.remove(key, level, outcome.number);
    }

    fn remove(&self, key: EvidenceKey, level: Level, number: u64) {
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if fetches.get(&(key, level)).is_some_and(|fetch| fetch.number == number) {
            fetches.remove(&(key, level));
        }
    }
}

/// Whether it is under way, or ended a moment ago and is not evaluated yet.
fn is_of_use(fetch: &InFlight) -> bool {
    match &*fetch.state.borrow() {
        State::Finished(Ok(outcome)) => {
            !outcome.is_settled() && fetch.begun.elapsed() < LINGER + outcome.elapsed
        }
        State::Finished(Err(_)) => false,
        State::Waiting | State::Arriving(..) => fetch.state.has_changed().is_ok(),
    }
}
