//! Watches of live connections: a server learns when a client is no longer good.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use certcheck_core::Time;
use pki_types::CertificateDer;
use tokio::sync::{Notify, oneshot};
use tracing::field::display;
use tracing::info;

use crate::cache::key::EvidenceKey;
use crate::cache::known_paths::KnownPath;
use crate::engine::report::CheckReport;
use crate::engine::summary::Summary;

/// Clients that are checked at once with evidence that is fetched for them alone.
const CHECKED_AT_ONCE: usize = 16;
/// The end of a watch.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The client would be refused now: it is revoked or expired, or not good under the current ring and policy.
    Rejected(CheckReport),
    /// The watch has stopped: the engine is gone, or the report was about no client.
    Unwatched,
}

/// Resolves once the client would be refused, and emits the event `client-ended`. Dropping it ends the watch.
///
/// An unknown status does not end a watch: a responder that cannot be reached is no reason to end a connection.
#[derive(Debug)]
#[must_use = "it reports nothing unless it is awaited"]
pub struct Watch {
    receiver: oneshot::Receiver<CheckReport>,
    peer: Option<SocketAddr>,
    _place: Place,
}

impl Watch {
    /// The same, with the client's address for the field `peer` of its event.
    pub const fn from_peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    fn emit(&self, report: &CheckReport) {
        let Summary { code, subject, certificate, detail, source, remedy, .. } = report.summary();
        let (component, peer) = ("watch", self.peer.map(display));
        info!(
            name: "client-ended", target: "certcheck::client",
            component, peer, code, subject, certificate, detail, source, remedy,
            "client of a live connection refused"
        );
    }
}

impl Future for Watch {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        Pin::new(&mut self.receiver).poll(context).map(|report| {
            let Ok(report) = report else { return Ended::Unwatched };
            self.emit(&report);
            Ended::Rejected(report)
        })
    }
}

/// The place of a watch among all.
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

/// A client with one or more live connections.
#[derive(Debug)]
pub(super) struct Client {
    chain: Arc<[CertificateDer<'static>]>,
    path: Option<Arc<KnownPath>>,
    /// When its path ends without new evidence.
    until: Option<Time>,
    /// When it is to be checked with evidence that is fetched for it alone.
    check_at: Option<Time>,
    listeners: Vec<(u64, oneshot::Sender<CheckReport>)>,
}

impl Client {
    /// Sends the report to all watches of this client.
    pub(super) fn end(self, report: &CheckReport) {
        for (_, sender) in self.listeners {
            let _nobody_listens = sender.send(report.clone());
        }
    }
}

/// Why clients are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum News {
    /// Evidence arrived, or a path has ended.
    OfEvidence,
    /// Ring or policy changed.
    OfBasis,
}

/// All clients that are watched, by their certificate.
#[derive(Debug, Default)]
pub(super) struct Clients {
    clients: HashMap<Arc<[u8]>, Client>,
    /// The clients that evidence is about.
    by_key: HashMap<EvidenceKey, HashSet<Arc<[u8]>>>,
    /// The clients that any evidence may be about.
    pathless: HashSet<Arc<[u8]>>,
    ends: BTreeSet<(Time, Arc<[u8]>)>,
    /// Clients that could be neither accepted nor refused at the last look.
    open: HashSet<Arc<[u8]>>,
    /// Clients that are to be checked with evidence fetched for them, and when.
    checks: BTreeSet<(Time, Arc<[u8]>)>,
    /// Clients that are being checked in that way.
    checking: HashSet<Arc<[u8]>>,
    next: u64,
    /// Evidence that arrived since the last look.
    arrived: HashSet<EvidenceKey>,
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
    ) -> (u64, oneshot::Receiver<CheckReport>) {
        let (sender, receiver) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        if let Some(client) = self.clients.get_mut(leaf) {
            client.listeners.push((number, sender));
        } else {
            let listeners = vec![(number, sender)];
            let client = Client { chain: chain(), path: None, until: None, check_at: None, listeners };
            self.clients.insert(Arc::clone(leaf), client);
            self.pathless.insert(Arc::clone(leaf));
        }
        (number, receiver)
    }

    /// Notes what the client's path depends on, instead of what was noted before. A client with a path keeps it until
    /// there is another.
    pub(super) fn place(&mut self, leaf: &Arc<[u8]>, path: Option<Arc<KnownPath>>, until: Option<Time>) {
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

    /// Schedules a check with evidence fetched for this client, or cancels it.
    pub(super) fn check_at(&mut self, leaf: &Arc<[u8]>, at: Option<Time>) {
        let Some(client) = self.clients.get_mut(leaf) else { return };
        if let Some(before) = core::mem::replace(&mut client.check_at, at) {
            self.checks.remove(&(before, Arc::clone(leaf)));
        }
        self.checks.extend(at.map(|at| (at, Arc::clone(leaf))));
    }

    /// The same, unless it is scheduled earlier already.
    pub(super) fn check_by(&mut self, leaf: &Arc<[u8]>, at: Time) {
        let known = self.clients.get(leaf).and_then(|client| client.check_at);
        if known.is_none_or(|known| at < known) {
            self.check_at(leaf, Some(at));
        }
    }

    /// The clients whose check is due, as many as may be checked at once.
    pub(super) fn checks_due(&mut self, now: Time) -> Vec<Arc<[u8]>> {
        let room = CHECKED_AT_ONCE.saturating_sub(self.checking.len());
        let due = self.checks.iter().take_while(|(at, _)| *at <= now).map(|(_, leaf)| Arc::clone(leaf));
        let due: Vec<_> = due.filter(|leaf| !self.checking.contains(leaf)).take(room).collect();
        for leaf in &due {
            self.check_at(leaf, None);
        }
        self.checking.extend(due.iter().cloned());
        due
    }

    pub(super) fn remove(&mut self, leaf: &Arc<[u8]>) -> Option<Client> {
        self.displace(leaf);
        self.check_at(leaf, None);
        self.open.remove(leaf);
        self.clients.remove(leaf)
    }

    /// The chain for a later check.
    pub(super) fn chain_of(&self, leaf: &Arc<[u8]>) -> Option<Arc<[CertificateDer<'static>]>> {
        self.clients.get(leaf).map(|client| Arc::clone(&client.chain))
    }

    /// Whether a check with evidence fetched for it is scheduled.
    pub(super) fn is_to_be_checked(&self, leaf: &Arc<[u8]>) -> bool {
        self.clients.get(leaf).is_some_and(|client| client.check_at.is_some())
    }

    /// Whether such a check is running.
    pub(super) fn is_checked(&self, leaf: &Arc<[u8]>) -> bool {
        self.checking.contains(leaf)
    }

    /// Such a check has ended.
    pub(super) fn end_check(&mut self, leaf: &Arc<[u8]>) {
        self.checking.remove(leaf);
    }

    /// Notes that it could be neither accepted nor refused.
    pub(super) fn leave_open(&mut self, leaf: &Arc<[u8]>) {
        if self.clients.contains_key(leaf) {
            self.open.insert(Arc::clone(leaf));
        }
    }

    fn forget(&mut self, leaf: &Arc<[u8]>, number: u64) {
        let Some(client) = self.clients.get_mut(leaf) else { return };
        client.listeners.retain(|(known, _)| *known != number);
        if client.listeners.is_empty() {
            self.remove(leaf);
        }
    }

    /// The clients that are to be checked: those that new evidence is about, and those whose path has ended.
    pub(super) fn due(&mut self, now: Time) -> (Vec<Arc<[u8]>>, News) {
        let arrived = core::mem::take(&mut self.arrived);
        let mut due = core::mem::take(&mut self.named);
        if core::mem::take(&mut self.is_all_changed) {
            return (self.clients.keys().cloned().collect(), News::OfBasis);
        }
        if !arrived.is_empty() {
            due.extend(self.pathless.iter().cloned());
        }
        due.extend(arrived.iter().filter_map(|key| self.by_key.get(key)).flatten().cloned());
        due.extend(self.ends.iter().take_while(|(until, _)| *until < now).map(|(_, leaf)| Arc::clone(leaf)));
        (due.into_iter().collect(), News::OfEvidence)
    }
}

/// The clients of live connections, and the signal that something has changed.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    clients: Mutex<Clients>,
    news: Notify,
}

impl Watches {
    pub(super) fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has changed.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// Watches the client of a report, which presented this chain.
    pub(crate) fn add(
        self: &Arc<Self>,
        path: Option<Arc<KnownPath>>,
        report: &CheckReport,
        presented: &[CertificateDer<'_>],
    ) -> Watch {
        let Some(leaf) = report.leaf().map(Arc::clone) else {
            // A report without a path is about no client.
            let place = Place { watches: Weak::new(), leaf: Arc::default(), number: 0 };
            return Watch { receiver: oneshot::channel().1, peer: None, _place: place };
        };
        let mut clients = self.lock();
        let (number, receiver) = clients.add(&leaf, || report.chain_with(presented));
        clients.place(&leaf, path, report.valid_until());
        if let Some(at) = report.unkept_until {
            clients.check_by(&leaf, at);
        }
        Watch { receiver, peer: None, _place: Place { watches: Arc::downgrade(self), leaf, number } }
    }

    /// Schedules another look at the client of a report.
    pub(crate) fn look_again(&self, report: &CheckReport) {
        let Some(leaf) = report.leaf() else { return };
        self.lock().named.insert(Arc::clone(leaf));
        self.news.notify_one();
    }

    /// Schedules another look at clients that could be neither accepted nor refused.
    pub(super) fn look_at_open(&self) {
        let mut clients = self.lock();
        let open = core::mem::take(&mut clients.open);
        clients.named.extend(open);
    }

    /// Schedules a look at all clients: evidence that memory had no room for is not signalled.
    pub(super) fn look_at_all(&self) {
        let mut clients = self.lock();
        let all: Vec<_> = clients.clients.keys().cloned().collect();
        clients.named.extend(all);
    }

    /// Signals that there is new evidence in a slot.
    pub(crate) fn evidence_came(&self, key: EvidenceKey) {
        let mut clients = self.lock();
        let is_wanted = clients.by_key.contains_key(&key) || !clients.pathless.is_empty();
        if is_wanted && clients.arrived.insert(key) {
            self.news.notify_one();
        }
    }

    /// Signals that ring or policy have changed.
    pub(crate) fn basis_changed(&self) {
        self.lock().is_all_changed = true;
        self.news.notify_one();
    }

    /// Paths whose evidence is in use by live connections.
    pub(crate) fn paths(&self) -> Vec<Arc<KnownPath>> {
        self.lock().clients.values().filter_map(|client| client.path.clone()).collect()
    }
}
