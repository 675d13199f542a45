//! Fetches that are under way, so that each is made once however many ask.

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

/// What has landed and nobody has judged yet is given to who asks meanwhile, for so long.
const LINGER: Duration = Duration::from_secs(1);
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
    pub(crate) cached: Arc<CachedEvidence>,
    elapsed: Duration,
    /// Nobody in the fleet fetches the same before this is kept or rejected.
    lease: Mutex<Option<Lease>>,
    is_settled: AtomicBool,
    /// Which flight it was.
    number: u64,
}

impl Landing {
    fn new(cached: Arc<CachedEvidence>, lease: Option<Lease>, elapsed: Duration, number: u64) -> Arc<Self> {
        let lease = Mutex::new(lease);
        Arc::new(Self { cached, elapsed, lease, is_settled: AtomicBool::new(false), number })
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Whether nobody has kept it before: from now on somebody has.
    pub(crate) fn settle(&self) -> bool {
        !self.is_settled.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn take_lease(&self) -> Option<Lease> {
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

/// Where the outcome of a fetch is put, by who makes it.
pub(super) struct Begun {
    pub(super) sender: watch::Sender<State>,
    key: Option<EvidenceKey>,
    level: Level,
    begun: Instant,
    number: u64,
}

/// A fetch, joined or to be made.
pub(super) enum Entered {
    Joined(Flying),
    Begun(Begun, Flying),
}

/// All fetches that are under way.
#[derive(Default)]
pub(super) struct Flights {
    flights: Mutex<HashMap<(EvidenceKey, Level), Flight>>,
    numbers: AtomicU64,
}

impl Flights {
    pub(super) fn join(&self, key: EvidenceKey, level: Level) -> Option<Flying> {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.get(&(key, level)).filter(|flight| is_of_use(flight)).map(|flight| flight.state.clone())
    }

    /// Begins one, unless someone was faster. What has no key serves nobody else.
    pub(super) fn enter(&self, key: Option<EvidenceKey>, level: Level) -> Entered {
        let (sender, receiver) = watch::channel(State::Waiting);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        if let Some(key) = key {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            if flights.len() > MANY {
                flights.retain(|_, flight| is_of_use(flight));
            }
            if let Some(flight) = flights.get(&(key, level)).filter(|flight| is_of_use(flight)) {
                return Entered::Joined(flight.state.clone());
            }
            flights.insert((key, level), Flight { state: receiver.clone(), begun, number });
        }
        Entered::Begun(Begun { sender, key, level, begun, number }, receiver)
    }

    /// Gives the outcome to all who wait for it, and for a while to who asks later.
    pub(super) async fn land(
        &self,
        begun: Begun,
        outcome: Result<(Arc<CachedEvidence>, Option<Lease>), Failure>,
    ) {
        let Begun { sender, key, level, begun, number } = begun;
        let outcome = outcome.map(|(cached, lease)| Landing::new(cached, lease, begun.elapsed(), number));
        let Some(key) = key else {
            sender.send_replace(State::Landed(outcome));
            return;
        };
        let Ok(landing) = &outcome else {
            self.remove(key, level, number);
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
        if !landing.is_settled() {
            drop(landing.take_lease());
            self.remove(key, level, number);
        }
    }

    /// Forgets the one that brought this: who asks later begins another.
    pub(super) fn end(&self, key: EvidenceKey, level: Level, landing: &Landing) {
        self.remove(key, level, landing.number);
    }

    fn remove(&self, key: EvidenceKey, level: Level, number: u64) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&(key, level)).is_some_and(|flight| flight.number == number) {
            flights.remove(&(key, level));
        }
    }
}

/// In the air, or landed a moment ago and not judged yet.
fn is_of_use(flight: &Flight) -> bool {
    match &*flight.state.borrow() {
        State::Landed(Ok(landing)) => {
            !landing.is_settled() && flight.begun.elapsed() < LINGER + landing.elapsed
        }
        State::Landed(Err(_)) => false,
        State::Waiting | State::Arriving(..) => flight.state.has_changed().is_ok(),
    }
}
