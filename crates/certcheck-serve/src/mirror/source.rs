//! One source: what is kept of it, when it is looked at, and why it failed.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use certcheck_rustls::certcheck_fetch::EvidenceKey;

use super::alias::canonical;
use super::kept::KeptEvidence;
use super::select::Refusal;
use super::series::Digest;

/// The first pause after a failure, in seconds. Each further failure doubles it.
const FIRST_PAUSE: i64 = 2;
/// How long a source is in use after a client has asked for it, in seconds.
const IN_USE: i64 = 3_600;
/// The shortest time between two looks, in seconds.
const SHORTEST: i64 = 1;
/// Series of CRLs at a source whose last times are known.
const SERIES: usize = 8;

/// One source.
pub(super) struct Source {
    pub(super) request: EvidenceRequest,
    /// Its key, whichever way its URL is written.
    pub(super) key: EvidenceKey,
    /// The client that has named it first. `None` for one that is listed, or comes from the store.
    pub(super) client: Option<IpAddr>,
    /// What is served of it.
    held: ArcSwapOption<KeptEvidence>,
    /// Locked while the source is asked: once for all that wait.
    pub(super) looking: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

/// What is known of a source besides its evidence.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Whether the configuration or the ring names it. Such a source always has its place.
    pub(super) is_listed: bool,
    /// The keys of the CAs that sign the CRL there, by the certificates of the ring that name it.
    pub(super) keys: Arc<[Digest]>,
    /// Of each series of CRLs the thisUpdate of the last one that was served.
    last: Vec<(Digest, Time)>,
    /// When it was asked for last.
    asked: Time,
    /// How many times any source was asked for before that: the order within a second.
    pub(super) used: u64,
    /// When it is looked at again.
    pub(super) next: Time,
    /// Why the last look brought nothing that is served, and when that was.
    pub(super) failure: Option<(Time, Refusal)>,
    /// Such looks in a row.
    pub(super) failures: u32,
}

impl Source {
    /// A source that a client has named, or the store has.
    pub(super) fn new(
        request: EvidenceRequest,
        key: EvidenceKey,
        client: Option<IpAddr>,
        now: Time,
    ) -> Arc<Self> {
        Self::with((request, key), client, (false, Arc::default()), now)
    }

    /// A source that the configuration or the ring names, with the keys of the CAs that sign the CRL there.
    pub(super) fn listed(
        request: EvidenceRequest,
        key: EvidenceKey,
        keys: Arc<[Digest]>,
        now: Time,
    ) -> Arc<Self> {
        Self::with((request, key), None, (true, keys), now)
    }

    fn with(
        (request, key): (EvidenceRequest, EvidenceKey),
        client: Option<IpAddr>,
        (is_listed, keys): (bool, Arc<[Digest]>),
        now: Time,
    ) -> Arc<Self> {
        let last = Vec::new();
        let state = State {
            is_listed,
            keys,
            last,
            asked: now,
            next: now,
            failure: None,
            failures: 0,
            used: next_use(),
        };
        Arc::new(Self {
            request,
            key,
            client,
            held: ArcSwapOption::empty(),
            looking: Arc::default(),
            state: Mutex::new(state),
        })
    }

    pub(super) fn kind(&self) -> EvidenceKind {
        self.request.kind()
    }

    /// What the engine is asked. The signer is not known before the answer is.
    pub(super) fn need(&self) -> Need {
        Need::new(0, self.request.clone(), Box::default())
    }

    pub(super) fn held(&self) -> Option<Arc<KeptEvidence>> {
        self.held.load_full()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves this from now on, or nothing, and returns what was served before. For the table, which counts it.
    pub(super) fn set(&self, kept: Option<Arc<KeptEvidence>>) -> Option<Arc<KeptEvidence>> {
        self.held.swap(kept)
    }

    /// Notes that a look brought this, and when the next one is.
    pub(super) fn looked(&self, held: &KeptEvidence, now: Time, longest: Duration) {
        let next = held.cached.refresh_at(spread(self.key)).unix();
        let mut state = self.state();
        if let Some((series, this_update)) = held.series() {
            state.last.retain(|(known, _)| *known != series);
            state.last.truncate(SERIES - 1);
            state.last.insert(0, (series, this_update));
        }
        state.failure = None;
        state.failures = 0;
        state.next =
            Time::from_unix(next.clamp(later(now, SHORTEST), later(now, spread_of(self.key, longest))));
    }

    /// The thisUpdate of the last CRL of a series that was served, if it is known.
    pub(super) fn last_of(&self, series: &Digest) -> Option<Time> {
        self.state().last.iter().find(|(known, _)| known == series).map(|(_, this_update)| *this_update)
    }

    /// Notes that a look brought nothing that is served.
    pub(super) fn failed(&self, refusal: Refusal, now: Time, longest: Duration) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let doubled = FIRST_PAUSE.saturating_mul(1 << (state.failures - 1).min(16));
        state.next = Time::from_unix(later(now, doubled.min(seconds(longest))));
        state.failure = Some((now, refusal));
    }

    /// Whether it is looked at in the background now. One that only clients have named is looked at while they ask for it,
    /// and once it has brought something.
    pub(super) fn is_due(&self, now: Time) -> bool {
        let has_something = self.held.load().is_some();
        let state = self.state();
        let is_in_use = now.unix().saturating_sub(state.asked.unix()) <= IN_USE;
        state.next <= now && (state.is_listed || has_something && is_in_use)
    }

    /// Takes over what is known of a source with the same key, and returns what is served of it.
    pub(super) fn take_over(&self, before: &Self) -> Option<Arc<KeptEvidence>> {
        let before_state = before.state().clone();
        let mut state = self.state();
        (state.last, state.asked, state.used) = (before_state.last, before_state.asked, before_state.used);
        let kept = before.held();
        self.set(kept.clone());
        kept
    }

    /// Notes that it is asked for.
    pub(super) fn asked(&self, now: Time) {
        let mut state = self.state();
        (state.asked, state.used) = (now, next_use());
    }
}

fn next_use() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The key of a source, whichever way its URL is written. `None` for a request with a nonce.
pub(super) fn key_of(request: &EvidenceRequest) -> Option<EvidenceKey> {
    EvidenceKey::of(&canonical_of(request))
}

/// The same request with the URL as it is written here, so that a client that writes it in another way decides for nobody
/// else what the source is asked.
pub(super) fn canonical_of(request: &EvidenceRequest) -> EvidenceRequest {
    let url = canonical(request.url()).into();
    match request.clone() {
        EvidenceRequest::Ocsp { request, nonce, .. } => EvidenceRequest::Ocsp { url, request, nonce },
        EvidenceRequest::Issuers { .. } => EvidenceRequest::Issuers { url },
        EvidenceRequest::Crl { .. } => EvidenceRequest::Crl { url },
        other => other,
    }
}

fn later(now: Time, seconds: i64) -> i64 {
    now.unix().saturating_add(seconds)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX).max(SHORTEST)
}

/// A number between 0 and 1 that differs between sources, so that they are not asked at the same time.
fn spread(key: EvidenceKey) -> f64 {
    let digit = key
        .to_hex()
        .bytes()
        .take(2)
        .fold(0_u32, |number, digit| number * 16 + char::from(digit).to_digit(16).unwrap_or_default());
    f64::from(digit) / 255.0
}

/// The last tenth of this time is spread over sources.
fn spread_of(key: EvidenceKey, longest: Duration) -> i64 {
    seconds(longest.mul_f64(1.0 - spread(key) / 10.0))
}
