//! One source: what is kept of it, when it is looked at, and why it failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use certcheck_rustls::certcheck_fetch::EvidenceKey;

use super::kept::KeptEvidence;
use super::select::Refusal;

/// The first pause after a failure, in seconds. Each further failure doubles it.
const FIRST_PAUSE: i64 = 2;
/// How long a source is in use after a client has asked for it, in seconds.
const IN_USE: i64 = 3_600;
/// The shortest time between two looks, in seconds.
const SHORTEST: i64 = 1;

/// One source.
pub(super) struct Source {
    pub(super) request: EvidenceRequest,
    pub(super) key: EvidenceKey,
    /// What is served of it.
    held: ArcSwapOption<KeptEvidence>,
    /// KeptEvidence while the source is asked: once for all that wait.
    pub(super) looking: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

/// What is known of a source besides its evidence.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Whether the configuration or the ring names it. Such a source always has its place.
    pub(super) is_listed: bool,
    /// When it was asked for last.
    pub(super) asked: Time,
    /// When it is looked at again.
    pub(super) next: Time,
    /// Why the last look brought nothing that is served, and when that was.
    pub(super) failure: Option<(Time, Refusal)>,
    /// Such looks in a row.
    pub(super) failures: u32,
}

impl Source {
    pub(super) fn new(request: EvidenceRequest, key: EvidenceKey, is_listed: bool, now: Time) -> Arc<Self> {
        let state = State { is_listed, asked: now, next: now, failure: None, failures: 0 };
        Arc::new(Self {
            request,
            key,
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

    /// Serves this from now on, until it is looked at again.
    pub(super) fn hold(&self, held: Arc<KeptEvidence>, now: Time, longest: Duration) {
        let next = held.cached.refresh_at(spread(self.key)).unix();
        self.held.store(Some(held));
        let mut state = self.state();
        state.failure = None;
        state.failures = 0;
        state.next =
            Time::from_unix(next.clamp(later(now, SHORTEST), later(now, spread_of(self.key, longest))));
    }

    /// Serves nothing of it any more.
    pub(super) fn drop_held(&self) {
        self.held.store(None);
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

    /// Notes that it is asked for.
    pub(super) fn asked(&self, now: Time) {
        self.state().asked = now;
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
