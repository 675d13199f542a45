//! Clients of live connections: whoever serves one is told when it is not good any more.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use certcheck_core::{Time, Verdict};
use pki_types::CertificateDer;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

use crate::cache::key::Key;
use crate::cache::known_paths::KnownPath;
use crate::engine::report::Report;
use crate::engine::shared::{Shared, WeakShared};
use crate::metrics as names;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds between two notes that the evidence is still in use, and between two looks at everybody.
const NOTE: i64 = 600;
/// Seconds between two looks at those who could be neither accepted nor refused.
const ANEW: i64 = 10;
/// Checks in a row, before other tasks have their turn.
const CHECKS_IN_A_ROW: usize = 64;
/// Clients that are checked with evidence fetched for them alone, at once.
const CHECKED_AT_ONCE: usize = 16;
/// How long such a check may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Such checks are spread over so many seconds, and those that came to nothing are made again after as many.
const SPREAD: i64 = 60;

/// What became of a client that was watched.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// It would be refused now: revoked, expired, or not good for the ring and policy of today.
    Refused(Report),
    /// Nobody will tell: the engine is gone, or the report was of no client.
    Unwatched,
}

/// Resolves once the client would be refused. To drop it is to stop watching.
///
/// What is not known is no news: a responder that cannot be reached ends no connection.
#[derive(Debug)]
#[must_use = "nobody is told unless it is awaited"]
pub struct Watch {
    told: oneshot::Receiver<Report>,
    _place: Place,
}

impl Future for Watch {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        Pin::new(&mut self.told).poll(context).map(|told| told.map_or(Ended::Unwatched, Ended::Refused))
    }
}

/// Where a watch stands among all.
#[derive(Debug)]
struct Place {
    watches: Weak<Watches>,
    leaf: Arc<[u8]>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(watches) = self.watches.upgrade() {
            watches.lock().forget(&self.leaf, self.number);
        }
    }
}

/// A client with live connections, however many.
#[derive(Debug)]
struct Client {
    chain: Arc<[CertificateDer<'static>]>,
    path: Option<Arc<KnownPath>>,
    /// When its path ends by itself.
    until: Option<Time>,
    /// When it is to be checked with evidence that is fetched for it alone.
    check_at: Option<Time>,
    listeners: Vec<(u64, oneshot::Sender<Report>)>,
}

/// All clients that are watched, by their certificate.
#[derive(Debug, Default)]
struct Clients {
    clients: HashMap<Arc<[u8]>, Client>,
    /// Whom evidence is about.
    by_key: HashMap<Key, HashSet<Arc<[u8]>>>,
    /// Whom any evidence may be about.
    pathless: HashSet<Arc<[u8]>>,
    ends: BTreeSet<(Time, Arc<[u8]>)>,
    /// Who could be neither accepted nor refused at the last look.
    open: HashSet<Arc<[u8]>>,
    /// Who is to be checked with evidence of its own, and when.
    checks: BTreeSet<(Time, Arc<[u8]>)>,
    /// Who is being checked so.
    checking: HashSet<Arc<[u8]>>,
    next: u64,
    /// Evidence that came since the last look.
    arrived: HashSet<Key>,
    /// Clients that are to be checked once more.
    named: HashSet<Arc<[u8]>>,
    /// Ring or policy changed: all are to be checked.
    is_all_changed: bool,
}

impl Clients {
    fn add(
        &mut self,
        leaf: &Arc<[u8]>,
        chain: impl FnOnce() -> Arc<[CertificateDer<'static>]>,
    ) -> (u64, oneshot::Receiver<Report>) {
        let (tell, told) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        if let Some(client) = self.clients.get_mut(leaf) {
            client.listeners.push((number, tell));
        } else {
            let listeners = vec![(number, tell)];
            let client = Client { chain: chain(), path: None, until: None, check_at: None, listeners };
            self.clients.insert(Arc::clone(leaf), client);
            self.pathless.insert(Arc::clone(leaf));
        }
        (number, told)
    }

    /// Notes what the client's path hangs on, instead of what was noted before. Who has a path keeps it until there is
    /// another.
    fn place(&mut self, leaf: &Arc<[u8]>, path: Option<Arc<KnownPath>>, until: Option<Time>) {
        let Some(client) = self.clients.get(leaf) else { return };
        let path = path.or_else(|| client.path.clone());
        self.displace(leaf);
        for slot in path.iter().flat_map(|path| &path.slots) {
            self.by_key.entry(slot.key).or_default().insert(Arc::clone(leaf));
        }
        if path.is_none() {
            self.pathless.insert(Arc::clone(leaf));
        }
        self.ends.extend(until.map(|until| (until, Arc::clone(leaf))));
        if let Some(client) = self.clients.get_mut(leaf) {
            (client.path, client.until) = (path, until);
        }
    }

    fn displace(&mut self, leaf: &Arc<[u8]>) {
        self.pathless.remove(leaf);
        let Some(client) = self.clients.get_mut(leaf) else { return };
        if let Some(until) = client.until.take() {
            self.ends.remove(&(until, Arc::clone(leaf)));
        }
        for slot in client.path.take().iter().flat_map(|path| &path.slots) {
            if let Some(leaves) = self.by_key.get_mut(&slot.key) {
                leaves.remove(leaf);
                if leaves.is_empty() {
                    self.by_key.remove(&slot.key);
                }
            }
        }
    }

    /// Has a client checked with evidence of its own, at this time or never.
    fn check_at(&mut self, leaf: &Arc<[u8]>, at: Option<Time>) {
        let Some(client) = self.clients.get_mut(leaf) else { return };
        if let Some(before) = core::mem::replace(&mut client.check_at, at) {
            self.checks.remove(&(before, Arc::clone(leaf)));
        }
        self.checks.extend(at.map(|at| (at, Arc::clone(leaf))));
    }

    /// The same, unless it is checked sooner anyhow.
    fn check_by(&mut self, leaf: &Arc<[u8]>, at: Time) {
        let known = self.clients.get(leaf).and_then(|client| client.check_at);
        if known.is_none_or(|known| at < known) {
            self.check_at(leaf, Some(at));
        }
    }

    /// Who is to be checked so now, as many as may be at once.
    fn checks_due(&mut self, now: Time) -> Vec<Arc<[u8]>> {
        let room = CHECKED_AT_ONCE.saturating_sub(self.checking.len());
        let due = self.checks.iter().take_while(|(at, _)| *at <= now).map(|(_, leaf)| Arc::clone(leaf));
        let due: Vec<_> = due.filter(|leaf| !self.checking.contains(leaf)).take(room).collect();
        for leaf in &due {
            self.check_at(leaf, None);
        }
        self.checking.extend(due.iter().cloned());
        due
    }

    fn remove(&mut self, leaf: &Arc<[u8]>) -> Option<Client> {
        self.displace(leaf);
        self.check_at(leaf, None);
        self.open.remove(leaf);
        self.clients.remove(leaf)
    }

    fn forget(&mut self, leaf: &Arc<[u8]>, number: u64) {
        let Some(client) = self.clients.get_mut(leaf) else { return };
        client.listeners.retain(|(known, _)| *known != number);
        if client.listeners.is_empty() {
            self.remove(leaf);
        }
    }

    /// Who is to be checked: those that news is about, and those whose time is up.
    /// Beside it whether ring or policy changed.
    fn due(&mut self, now: Time) -> (Vec<Arc<[u8]>>, bool) {
        let arrived = core::mem::take(&mut self.arrived);
        let mut due = core::mem::take(&mut self.named);
        if core::mem::take(&mut self.is_all_changed) {
            return (self.clients.keys().cloned().collect(), true);
        }
        if !arrived.is_empty() {
            due.extend(self.pathless.iter().cloned());
        }
        due.extend(arrived.iter().filter_map(|key| self.by_key.get(key)).flatten().cloned());
        due.extend(self.ends.iter().take_while(|(until, _)| *until < now).map(|(_, leaf)| Arc::clone(leaf)));
        (due.into_iter().collect(), false)
    }
}

/// The clients of live connections, and the news for them.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    clients: Mutex<Clients>,
    news: Notify,
}

impl Watches {
    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the client of a report, who presented this chain.
    pub(crate) fn add(
        self: &Arc<Self>,
        path: Option<Arc<KnownPath>>,
        report: &Report,
        presented: &[CertificateDer<'_>],
    ) -> Watch {
        let Some(leaf) = report.leaf().map(Arc::clone) else {
            // A report without a path has nobody in it.
            let place = Place { watches: Weak::new(), leaf: Arc::default(), number: 0 };
            return Watch { told: oneshot::channel().1, _place: place };
        };
        let mut clients = self.lock();
        let (number, told) = clients.add(&leaf, || report.chain_with(presented));
        clients.place(&leaf, path, report.valid_until());
        if let Some(at) = report.unkept_until {
            clients.check_by(&leaf, at);
        }
        Watch { told, _place: Place { watches: Arc::downgrade(self), leaf, number } }
    }

    /// Looks at the client of a report anew, as soon as may be.
    pub(crate) fn look_again(&self, report: &Report) {
        let Some(leaf) = report.leaf() else { return };
        self.lock().named.insert(Arc::clone(leaf));
        self.news.notify_one();
    }

    /// Has those looked at anew of whom nothing could be said.
    fn look_at_open(&self) {
        let mut clients = self.lock();
        let open = core::mem::take(&mut clients.open);
        clients.named.extend(open);
    }

    /// Has all looked at again: evidence that memory had no room for any more went without news.
    fn look_at_all(&self) {
        let mut clients = self.lock();
        let all: Vec<_> = clients.clients.keys().cloned().collect();
        clients.named.extend(all);
    }

    /// New evidence is in its place.
    pub(crate) fn evidence_came(&self, key: Key) {
        let mut clients = self.lock();
        let is_wanted = clients.by_key.contains_key(&key) || !clients.pathless.is_empty();
        if is_wanted && clients.arrived.insert(key) {
            self.news.notify_one();
        }
    }

    /// Ring or policy are others.
    pub(crate) fn basis_changed(&self) {
        self.lock().is_all_changed = true;
        self.news.notify_one();
    }

    /// Paths whose evidence is in use by live connections.
    pub(crate) fn paths(&self) -> Vec<Arc<KnownPath>> {
        self.lock().clients.values().filter_map(|client| client.path.clone()).collect()
    }
}

/// Checks who is to be checked, as long as the engine lives.
pub(crate) async fn keep_watch(engine: WeakShared) {
    let (mut noted, mut looked) = (Time::from_unix(0), Time::from_unix(0));
    loop {
        let Some(watches) = engine.upgrade().map(|shared| Arc::clone(&shared.watches)) else { return };
        let _news_or_time = timeout(PAUSE, watches.news.notified()).await;
        let Some(shared) = engine.upgrade() else { return };
        let now = (shared.clock)();
        let (due, is_all_changed) = watches.lock().due(now);
        for (done, leaf) in (1_usize..).zip(due) {
            look_at(&shared, &leaf, now, is_all_changed);
            if done % CHECKS_IN_A_ROW == 0 {
                tokio::task::yield_now().await;
            }
        }
        for leaf in watches.lock().checks_due(now) {
            tokio::spawn(check(Arc::clone(&shared), leaf, now));
        }
        if now.unix().saturating_sub(looked.unix()) >= ANEW {
            looked = now;
            watches.look_at_open();
        }
        if now.unix().saturating_sub(noted.unix()) >= NOTE {
            noted = now;
            watches.paths().iter().flat_map(|path| &path.slots).for_each(|slot| slot.touch(now));
            watches.look_at_all();
        }
    }
}

/// Looks at a client by what is in memory.
fn look_at(shared: &Shared, leaf: &Arc<[u8]>, now: Time, is_all_changed: bool) {
    let watches = &shared.watches;
    let Some(chain) = watches.lock().clients.get(leaf).map(|client| Arc::clone(&client.chain)) else {
        return;
    };
    let report = shared.look_up(&chain, now);
    if settle(shared, leaf, &report) == Verdict::Undetermined {
        let mut clients = watches.lock();
        let has_time = clients.clients.get(leaf).is_some_and(|client| client.check_at.is_some());
        // Where its evidence has no place in memory, that is no news before it ends, unless it counts for another ring. Where
        // memory had no room for it, or a source failed, it is got again.
        if (is_all_changed || !has_time) && !clients.checking.contains(leaf) {
            clients.check_by(leaf, spread(now));
        }
    }
}

/// A time soon, another for each: they do not all ask at once.
fn spread(now: Time) -> Time {
    Time::from_unix(now.unix().saturating_add(fastrand::i64(1..=SPREAD)))
}

/// Checks a client with evidence that is fetched for it.
async fn check(shared: Arc<Shared>, leaf: Arc<[u8]>, now: Time) {
    let chain = shared.watches.lock().clients.get(&leaf).map(|client| client.chain.to_vec());
    let Some(chain) = chain else {
        shared.watches.lock().checking.remove(&leaf);
        return;
    };
    let report = Arc::clone(&shared).check(chain, now, Instant::now() + PATIENCE).await;
    let verdict = settle(&shared, &leaf, &report);
    let mut clients = shared.watches.lock();
    clients.checking.remove(&leaf);
    match verdict {
        Verdict::Reject => {}
        Verdict::Accept => clients.check_at(&leaf, report.unkept_until),
        // Its source may come back.
        Verdict::Undetermined => {
            let again = Time::from_unix(spread(now).unix().saturating_add(SPREAD));
            clients.check_at(&leaf, Some(again));
        }
    }
}

/// Notes what a look came to, and tells who listens if it would be refused.
fn settle(shared: &Shared, leaf: &Arc<[u8]>, report: &Report) -> Verdict {
    let watches = &shared.watches;
    let verdict = report.verdict();
    match verdict {
        Verdict::Reject => {
            let Some(client) = watches.lock().remove(leaf) else { return verdict };
            metrics::counter!(names::ENDED, "reason" => report.code()).increment(1);
            for (_, tell) in client.listeners {
                let _nobody_listens = tell.send(report.clone());
            }
        }
        // It may be good on another path, of other evidence.
        Verdict::Accept => {
            let path = shared.known_path(leaf);
            watches.lock().place(leaf, path, report.valid_until());
        }
        // Not known is no news. It is looked at again when there is some, and from time to time.
        Verdict::Undetermined => {
            let mut clients = watches.lock();
            if clients.clients.contains_key(leaf) {
                clients.open.insert(Arc::clone(leaf));
            }
        }
    }
    verdict
}
