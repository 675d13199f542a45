//! One exchange with a source: a permit, a lease where a fleet shares a store, the network, and what came is read.

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
use crate::fetcher::permits::{Bounds, Full, Parties, Party, Permit, Permits, YOUNG};
use crate::fetcher::persist::Persist;
use crate::fetcher::read;
use crate::limits::FetchLimits;
use crate::metrics as names;
use crate::printable::printable;
use crate::store::Lease;
use crate::transport::Network;
use crate::transport::answer::{Fetched, Transport};
use crate::transport::guard::Target;
use crate::transport::spool::Body;

/// How long another's turn is waited for, for what is small and for CRLs. After it both fetch: no harm.
const TURN: Duration = Duration::from_secs(5);
const TURN_OF_CRL: Duration = Duration::from_secs(30);
/// A turn that comes within this was free.
const AT_ONCE: Duration = Duration::from_millis(15);
/// How long a fetch waits for its permit.
const QUEUE: Duration = Duration::from_secs(10);
/// Addresses of a host that a fetch is counted for.
const MAX_ADDRESSES: usize = 4;

/// Called with bytes as they arrive: from where, how many are there, and how many there will be, if that is known.
pub type Observer = Arc<dyn Fn(&str, u64, Option<u64>) + Send + Sync>;

/// For whom something is fetched: first of all those who wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behalf {
    /// Who asks: the client, and the issuers of its path.
    pub(crate) parties: Parties,
    /// Until when the answer is of use to it.
    pub(crate) deadline: Option<Instant>,
}

impl Behalf {
    /// How long another's turn to fetch is waited for: half of the time that is left at most.
    fn turn(&self, max: Duration) -> Duration {
        let half = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()) / 2);
        half.map_or(max, |half| half.min(max))
    }
}

/// What is asked, of whom, for whom.
pub(super) struct Exchange<'e> {
    pub(super) need: &'e Need,
    pub(super) target: &'e Target,
    /// What is held, good, and may have changed.
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
    /// Another had put it into the store.
    Stored(Arc<CachedEvidence>),
    NotModified(Transport),
    Bodies(Vec<Body>, Transport),
}

/// The right to fetch, which others of a fleet wait for.
type Turn = Mutex<Option<Lease>>;

fn take(turn: &Turn) -> Option<Lease> {
    turn.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The network, and what bounds its use.
pub(super) struct Exchanges {
    network: Network,
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
        network: Network,
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
        Self { network, persist, health, permits, limits, heavy, observer }
    }

    /// Where this leads, validated, and its host.
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
            Ok((cached, _)) if cached.origin == Origin::Network => Health::answered(host),
            Ok(_) => {}
            // Others were in the way: it says nothing of the source.
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
        // What happened while this waited counts.
        self.health.ensure_allowed(&[], host)?;
        let turn = Turn::default();
        let work = self.ask_in_turn(&exchange, &turn, sender);
        let received = self.while_permitted(permit, &turn, exchange.kind(), work).await?;
        let (bodies, transport) = match received {
            Received::Stored(cached) => return Ok((cached, take(&turn))),
            Received::NotModified(transport) => {
                let known =
                    exchange.known.ok_or_else(|| Failure::unreachable("304 for nothing that is held"))?;
                return Ok((Arc::new(known.revalidated(transport, now())), take(&turn)));
            }
            Received::Bodies(bodies, transport) => (bodies, transport),
        };
        let cached = self.read_bodies(&exchange, bodies, transport).await?;
        Ok((Arc::new(cached), take(&turn)))
    }

    /// A permit to ask. Where a name leads is found out under a permit too, and then counts for one.
    async fn permit(&self, exchange: &Exchange<'_>) -> Result<Permit, Failure> {
        let too_many = |full: Full| Failure::not_asked(format!("not asked after {QUEUE:?}: {full}"));
        let mut parties = exchange.behalf.parties.clone();
        parties.push(Party::Host(Party::hashed(exchange.target.host_key())));
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

    /// Does what a permit is for. What takes long makes room for others: first in the lane of those that are new, then it
    /// gives up the right to be the only one of a fleet.
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
            Failure::not_asked(format!(
                "given up after {YOUNG:?}, since it is slow, and of what is slow {full}"
            ))
        })?;
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep((self.limits.whole(kind) / 2).saturating_sub(YOUNG)) => drop(take(turn)),
        }
        work.await
    }

    /// Asks the network, in turn with others of a fleet.
    async fn ask_in_turn(
        &self,
        exchange: &Exchange<'_>,
        turn: &Turn,
        sender: &watch::Sender<State>,
    ) -> Result<Received, Failure> {
        let Exchange { need, policy, .. } = *exchange;
        let (begun, queued) = (now(), Instant::now());
        let lease = self.lease(need, &exchange.behalf).await;
        let has_lease = lease.is_some();
        *turn.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        // Who had to wait for a turn looks whether the one before has put what is wanted.
        let had_to_wait = queued.elapsed() > AT_ONCE;
        if has_lease
            && had_to_wait
            && let Some(persist) = &self.persist
            && let Some(cached) = persist.put_meanwhile(need, begun, policy).await
        {
            return Ok(Received::Stored(cached));
        }
        let kind = exchange.kind().code();
        metrics::counter!(names::FETCHES, "kind" => kind).increment(1);
        let started = Instant::now();
        // Every waiter is woken by this: not at every piece.
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
        let transport = exchange.known.as_deref().map(|known| &known.transport);
        let fetched = self.network.fetch(&need.request, exchange.target, transport, &arriving).await?;
        Ok(match fetched {
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

    /// Reads what came, where it keeps nobody else.
    async fn read_bodies(
        &self,
        exchange: &Exchange<'_>,
        bodies: Vec<Body>,
        transport: Transport,
    ) -> Result<CachedEvidence, Failure> {
        let Need { request, signer, .. } = exchange.need.clone();
        let policy = Arc::clone(exchange.policy);
        let bytes = bodies.iter().map(|body| body.bytes.len()).sum();
        let read = move || -> Result<CachedEvidence, Failure> {
            let (answer, body) = read::read(&request, bodies, &signer, &policy)?;
            Ok(CachedEvidence {
                request,
                answer,
                body,
                transport,
                fetched_at: now(),
                origin: Origin::Network,
            })
        };
        // Of a large CRL this takes as long as hashing it twice.
        let _turn = self.heavy.turn(bytes).await;
        match spawn_blocking(read).await {
            Ok(cached) => cached,
            Err(error) => Err(Failure::malformed(error.to_string())),
        }
    }

    /// The right to fetch, where there is a store to ask for it.
    async fn lease(&self, need: &Need, behalf: &Behalf) -> Option<Lease> {
        let (persist, key) = (self.persist.as_ref()?, EvidenceKey::of(&need.request)?);
        let turn =
            behalf.turn(if matches!(need.request, EvidenceRequest::Crl { .. }) { TURN_OF_CRL } else { TURN });
        persist.lease(&key, turn).await
    }
}
