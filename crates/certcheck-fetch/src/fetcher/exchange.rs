//! One exchange with a source: a permit, a lease if several processes share a store, the network, and parsing the
//! answer.

use core::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_core::Policy;
use certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::cache::evidence::{CachedEvidence, Origin};
use crate::cache::key::EvidenceKey;
use crate::clock::now;
use crate::failure::Failure;
use crate::fetcher::health::{Health, Host};
use crate::fetcher::heavy::Heavy;
use crate::fetcher::in_flight::State;
use crate::fetcher::parties::{Bounds, Full, Parties, Party};
use crate::fetcher::permits::{Permit, Permits, YOUNG};
use crate::fetcher::persist::{Looked, Persist};
use crate::fetcher::read;
use crate::limits::FetchLimits;
use crate::metrics as names;
use crate::printable::printable;
use crate::store::Lease;
use crate::transport::Network;
use crate::transport::answer::{Fetched, Transport};
use crate::transport::guard::Target;
use crate::transport::spool::Body;

/// How long to wait for another process's turn, for small evidence and for CRLs. After that both fetch, which does no
/// harm.
const TURN: Duration = Duration::from_secs(5);
const TURN_OF_CRL: Duration = Duration::from_secs(30);
/// A lease that is granted within this time was free.
const AT_ONCE: Duration = Duration::from_millis(15);
/// How long a fetch waits for its permit.
const QUEUE: Duration = Duration::from_secs(10);
/// Addresses of a host that a fetch is counted for.
const MAX_ADDRESSES: usize = 4;

/// A function that is called with bytes as they arrive: the URL, the number of bytes so far, and the total if it is
/// known.
pub type Observer = Arc<dyn Fn(&str, u64, Option<u64>) + Send + Sync>;

/// The check that a fetch is for: the first of those that wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behalf {
    /// The client, and the issuers of its path.
    pub(crate) parties: Parties,
    /// The time until which the answer is useful to it.
    pub(crate) deadline: Option<Instant>,
    /// What it knew when it looked into the store. Newer evidence that is there meanwhile takes the place of an answer.
    pub(crate) looked: Option<Looked>,
}

impl Behalf {
    /// How long to wait for another process's turn: at most half of the time that is left.
    fn turn(&self, max: Duration) -> Duration {
        let half = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()) / 2);
        half.map_or(max, |half| half.min(max))
    }
}

/// What is asked for, where, and for which check.
pub(super) struct Exchange<'e> {
    pub(super) need: &'e Need,
    pub(super) target: &'e Target,
    /// Evidence that is in memory and good, and may have changed.
    pub(super) known: Option<Arc<CachedEvidence>>,
    pub(super) behalf: Behalf,
    pub(super) policy: &'e Arc<Policy>,
}

impl Exchange<'_> {
    fn kind(&self) -> EvidenceKind {
        self.need.request.kind()
    }
}

/// The outcome of one.
enum Received {
    /// Another process had put it into the store.
    Stored(Arc<CachedEvidence>),
    NotModified(Transport),
    Bodies(Vec<Body>, Transport),
}

/// The lease for a fetch, which other processes wait for.
type Turn = Mutex<Option<Lease>>;

fn take(turn: &Turn) -> Option<Lease> {
    turn.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The network, and the limits on its use.
pub(super) struct Exchanges {
    network: Arc<Network>,
    /// What answers come from: sources, or mirrors of them.
    origin: Origin,
    persist: Option<Arc<Persist>>,
    health: Arc<Health>,
    permits: Arc<Permits>,
    limits: Arc<FetchLimits>,
    heavy: Arc<Heavy>,
    observer: Option<Observer>,
}

impl fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanges").field("network", &self.network).finish_non_exhaustive()
    }
}

impl Exchanges {
    pub(super) fn new(
        (network, origin): (Arc<Network>, Origin),
        persist: Option<Arc<Persist>>,
        health: &Arc<Health>,
        limits: &Arc<FetchLimits>,
        heavy: &Arc<Heavy>,
        observer: Option<Observer>,
    ) -> Self {
        let permits = Permits::new(Bounds {
            all: limits.at_once,
            client: limits.at_once_per_client,
            host: limits.at_once_per_host,
            address: limits.at_once_per_address,
        });
        let (health, limits, heavy) = (Arc::clone(health), Arc::clone(limits), Arc::clone(heavy));
        Self { network, origin, persist, health, permits, limits, heavy, observer }
    }

    /// The validated target of a request, and its host.
    pub(super) fn target(&self, request: &EvidenceRequest) -> Result<(Target, Arc<Host>), Failure> {
        let target = self.network.validate(request)?;
        let host = self.health.host(&target.host_key());
        Ok((target, host))
    }

    pub(super) async fn fetch(
        &self,
        exchange: Exchange<'_>,
        host: &Host,
        sender: &watch::Sender<State>,
    ) -> Result<(Arc<CachedEvidence>, Option<Lease>), Failure> {
        let (kind, key) = (exchange.kind(), EvidenceKey::of(&exchange.need.request));
        let outcome = self.exchange(exchange, host, sender).await;
        match &outcome {
            Ok((cached, _)) if cached.origin == self.origin => Health::answered(host),
            Ok(_) => {}
            // Other fetches were in the way: the source is not at fault.
            Err(failure) if !failure.was_asked => {
                debug!(
                    name: "fetch-skipped", target: "certcheck::fetch",
                    detail = %printable(&failure.detail), "source not asked"
                );
            }
            Err(failure) => {
                if !failure.is_of_host {
                    Health::answered(host);
                }
                debug!(
                    name: "fetch-failed", target: "certcheck::fetch",
                    cause = failure.cause.code(), detail = %printable(&failure.detail), "fetch failed"
                );
                self.health.failed(key.as_ref(), host, failure);
                let labels = [("kind", kind.code()), ("cause", failure.cause.code())];
                metrics::counter!(names::FAILURES, &labels).increment(1);
            }
        }
        outcome
    }

    async fn exchange(
        &self,
        exchange: Exchange<'_>,
        host: &Host,
        sender: &watch::Sender<State>,
    ) -> Result<(Arc<CachedEvidence>, Option<Lease>), Failure> {
        let permit = self.permit(&exchange).await?;
        // The host may have failed while this waited.
        self.health.ensure_allowed(&[], host)?;
        let turn = Turn::default();
        let work = self.ask_in_turn(&exchange, &turn, sender);
        let received = self.while_permitted(permit, &turn, exchange.kind(), work).await?;
        let (bodies, transport) = match received {
            Received::Stored(cached) => return Ok((cached, take(&turn))),
            Received::NotModified(transport) => {
                let known = exchange
                    .known
                    .ok_or_else(|| Failure::unreachable("HTTP 304 although no earlier version was named"))?;
                let cached = known.revalidated(transport, now(), self.origin);
                return Ok((Arc::new(cached), take(&turn)));
            }
            Received::Bodies(bodies, transport) => (bodies, transport),
        };
        let cached = self.read_bodies(&exchange, bodies, transport).await?;
        Ok((Arc::new(cached), take(&turn)))
    }

    /// A permit to ask. Resolving a name needs a permit too, and the addresses then count for the fetch.
    async fn permit(&self, exchange: &Exchange<'_>) -> Result<Permit, Failure> {
        let too_many = |full: Full| Failure::not_asked(format!("not asked after {QUEUE:?}: {full}"));
        let mut parties = exchange.behalf.parties.clone();
        // A source that is asked by way of a mirror takes no place there from other sources.
        let host = match self.origin {
            Origin::Mirror => self.network.validate(&exchange.need.request)?.host_key(),
            _ => exchange.target.host_key(),
        };
        parties.push(Party::Host(Party::hashed(host)));
        let addresses = match self.network.known_addresses(exchange.target) {
            Some(known) => known,
            None => {
                let _resolving = self.permits.acquire(parties.clone(), QUEUE).await.map_err(too_many)?;
                self.network.addresses(exchange.target).await?
            }
        };
        let mut addresses: Vec<_> = addresses.iter().copied().map(Party::address).collect();
        addresses.dedup();
        parties.extend(addresses.into_iter().take(MAX_ADDRESSES));
        self.permits.acquire(parties, QUEUE).await.map_err(too_many)
    }

    /// Runs the work of a permit. Work that takes long makes room for others: first it leaves the lane for new
    /// fetches, then it gives up the lease.
    async fn while_permitted<T>(
        &self,
        mut permit: Permit,
        turn: &Turn,
        kind: EvidenceKind,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(YOUNG) => {}
        }
        permit.slow_down().map_err(|full| {
            Failure::not_asked(format!("given up after {YOUNG:?}: it is slow, and {full}"))
        })?;
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep((self.limits.whole(kind) / 2).saturating_sub(YOUNG)) => drop(take(turn)),
        }
        work.await
    }

    /// Asks the network, in turn with other processes that share the store.
    async fn ask_in_turn(
        &self,
        exchange: &Exchange<'_>,
        turn: &Turn,
        sender: &watch::Sender<State>,
    ) -> Result<Received, Failure> {
        let Exchange { need, policy, .. } = *exchange;
        let queued = Instant::now();
        let lease = self.lease(need, &exchange.behalf).await;
        let has_lease = lease.is_some();
        *turn.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        // The process that had the lease before may have stored the evidence, even if it ended it just before this one
        // asked.
        let had_to_wait = queued.elapsed() > AT_ONCE;
        if has_lease
            && let Some((persist, looked)) = self.persist.as_ref().zip(exchange.behalf.looked)
            && let Some(cached) = persist.put_meanwhile(need, &looked, had_to_wait, policy).await
        {
            return Ok(Received::Stored(cached));
        }
        let kind = exchange.kind().code();
        metrics::counter!(names::FETCHES, "kind" => kind).increment(1);
        let started = Instant::now();
        // This wakes every waiter, so it is not done for every piece.
        let reported = AtomicU64::new(0);
        let arriving = |bytes, length| {
            let tenths =
                u64::try_from(started.elapsed().as_millis() / 100).unwrap_or(u64::MAX).saturating_add(1);
            if reported.swap(tenths, Ordering::Relaxed) != tenths {
                sender.send_replace(State::Arriving(bytes, length));
            }
            if let Some(observer) = &self.observer {
                observer(need.request.url(), bytes, length);
            }
        };
        let known = exchange.known.as_deref().map(|known| known.transport_for(self.origin));
        // Without a validator there is nothing to ask about.
        let known = known.filter(|known| known.etag.is_some() || known.last_modified.is_some());
        let fetched = self.network.fetch(&need.request, exchange.target, known.as_ref(), &arriving).await;
        let host = exchange.target.host_key();
        self.health.exchanged(&host, now(), started.elapsed(), fetched.as_ref().err());
        Ok(match fetched? {
            Fetched::NotModified(transport) => Received::NotModified(transport),
            Fetched::Body(bodies, transport) => {
                let seconds = started.elapsed().as_secs_f64();
                metrics::histogram!(names::SECONDS, "kind" => kind).record(seconds);
                let bytes: usize = bodies.iter().map(|body| body.bytes.len()).sum();
                metrics::histogram!(names::BYTES, "kind" => kind).record(bytes as f64);
                Received::Bodies(bodies, transport)
            }
        })
    }

    /// Parses an answer on a thread where no other task waits.
    async fn read_bodies(
        &self,
        exchange: &Exchange<'_>,
        bodies: Vec<Body>,
        transport: Transport,
    ) -> Result<CachedEvidence, Failure> {
        let Need { request, signer, .. } = exchange.need.clone();
        let policy = Arc::clone(exchange.policy);
        let origin = self.origin;
        let bytes = bodies.iter().map(|body| body.bytes.len()).sum();
        let read = move || -> Result<CachedEvidence, Failure> {
            let (answer, body) = read::read(&request, bodies, &signer, &policy)?;
            Ok(CachedEvidence { request, answer, body, transport, fetched_at: now(), origin })
        };
        // For a large CRL this takes as long as hashing it twice.
        let _turn = self.heavy.turn(bytes).await;
        match spawn_blocking(read).await {
            Ok(cached) => cached,
            Err(error) => Err(Failure::malformed(error.to_string())),
        }
    }

    /// The lease for a fetch, if there is a store.
    async fn lease(&self, need: &Need, behalf: &Behalf) -> Option<Lease> {
        let (persist, key) = (self.persist.as_ref()?, EvidenceKey::of(&need.request)?);
        let turn =
            behalf.turn(if matches!(need.request, EvidenceRequest::Crl { .. }) { TURN_OF_CRL } else { TURN });
        persist.lease(&key, turn).await
    }
}
