//! The health of sources: a back-off for each source, and a breaker for each host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use certcheck_core::Time;
use certcheck_core::status::Cause;
use moka::sync::Cache;

use crate::cache::key::EvidenceKey;
use crate::failure::Failure;
use crate::limits::FetchLimits;

/// Sources and hosts that are remembered.
const REMEMBERED: u64 = 10_000;

/// The last failure of a source.
#[derive(Clone, Debug)]
struct Failed {
    failure: Failure,
    /// Consecutive failures.
    times: u32,
    retry_at: Instant,
}

/// A host, and whether it answers.
#[derive(Debug)]
pub(crate) struct Host {
    breaker: Mutex<Breaker>,
    last: Mutex<Option<Contact>>,
}

/// The last exchange with a host.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) at: Time,
    pub(crate) took: Duration,
    /// Why it brought nothing that can be used.
    pub(crate) failure: Option<String>,
}

/// What is known of a host.
pub(crate) struct HostState {
    pub(crate) name: String,
    pub(crate) last: Contact,
    /// Requests in a row that the host did not answer.
    pub(crate) failures: u32,
    /// How long it is not asked.
    pub(crate) pause: Option<Duration>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

/// The health of all sources and hosts.
#[derive(Debug)]
pub(crate) struct Health {
    failed: Cache<EvidenceKey, Failed>,
    hosts: Cache<String, Arc<Host>>,
    limits: Arc<FetchLimits>,
}

impl Health {
    pub(crate) fn new(limits: &Arc<FetchLimits>) -> Self {
        Self { failed: Cache::new(REMEMBERED), hosts: Cache::new(REMEMBERED), limits: Arc::clone(limits) }
    }

    pub(crate) fn host(&self, name: &str) -> Arc<Host> {
        self.hosts
            .get_with_by_ref(name, || Arc::new(Host { breaker: Mutex::default(), last: Mutex::default() }))
    }

    /// Whether the source may be asked now.
    pub(crate) fn ensure_allowed(&self, keys: &[EvidenceKey], host: &Host) -> Result<(), Failure> {
        let now = Instant::now();
        for failed in keys.iter().filter_map(|key| self.failed.get(key)) {
            let Some(pause) = failed.retry_at.checked_duration_since(now) else { continue };
            let detail = &failed.failure.detail;
            let detail = format!("{detail}; not asked again for another {} s", pause.as_secs() + 1);
            return Err(Failure { retry_after: Some(pause), detail, ..failed.failure });
        }
        let breaker = host.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        match breaker.open_until.and_then(|until| until.checked_duration_since(now)) {
            Some(pause) => {
                let detail = format!("{} consecutive failures; not asked for a while", breaker.failures);
                let left_alone = Failure::new(Cause::BreakerOpen, detail);
                Err(Failure { retry_after: Some(pause), was_asked: false, ..left_alone })
            }
            None => Ok(()),
        }
    }

    /// Notes an exchange with a host.
    pub(crate) fn exchanged(&self, host: &str, at: Time, took: Duration, failure: Option<&Failure>) {
        let failure = failure.map(|failure| failure.detail.clone());
        *self.host(host).last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Contact { at, took, failure });
    }

    /// Every host with which there was an exchange, by name.
    pub(crate) fn hosts(&self) -> Vec<HostState> {
        let now = Instant::now();
        let state = |(name, host): (Arc<String>, Arc<Host>)| {
            let last = host.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            let breaker = host.breaker.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = breaker.open_until.and_then(|until| until.checked_duration_since(now));
            Some(HostState { name: name.to_string(), last, failures: breaker.failures, pause })
        };
        let mut hosts: Vec<HostState> = self.hosts.iter().filter_map(state).collect();
        hosts.sort_by(|one, other| one.name.cmp(&other.name));
        hosts
    }

    /// Notes that the source brought no evidence that can be used.
    pub(crate) fn failed(&self, key: Option<&EvidenceKey>, host: &Host, failure: &Failure) {
        if let Some(last) = &mut *host.last.lock().unwrap_or_else(PoisonError::into_inner) {
            last.failure = Some(failure.detail.clone());
        }
        if let Some(key) = key {
            self.pause_source(key, failure);
        }
        // A failure for one request says nothing about other requests to that host, unless the host does not answer.
        if failure.is_of_host {
            let mut breaker = host.breaker.lock().unwrap_or_else(PoisonError::into_inner);
            breaker.failures = breaker.failures.saturating_add(1);
            if breaker.failures >= self.limits.breaker_failures {
                breaker.open_until = Some(Instant::now() + self.limits.breaker_pause);
            }
        }
    }

    /// Notes that the source is not to be asked for a while.
    pub(crate) fn pause_source(&self, key: &EvidenceKey, failure: &Failure) {
        let times = self.failed.get(key).map_or(0, |known| known.times).saturating_add(1);
        let pause = self.pause(times, failure.retry_after);
        let retry_at = Instant::now() + pause;
        self.failed.insert(*key, Failed { failure: failure.clone(), times, retry_at });
    }

    /// The pause doubles with each failure, up to a limit, plus or minus a quarter. A time that the server gives is
    /// used, within the same limit.
    fn pause(&self, times: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = self.limits.back_off.saturating_mul(1 << times.saturating_sub(1).min(16));
        let pause = doubled.max(retry_after.unwrap_or_default()).min(self.limits.back_off_max);
        pause.mul_f64(0.75 + fastrand::f64() / 2.0)
    }

    /// Whether this source has failed, and may be asked again.
    pub(crate) fn may_be_asked_again(&self, key: &EvidenceKey) -> bool {
        self.failed.get(key).is_some_and(|failed| failed.retry_at <= Instant::now())
    }

    /// Whether this source has failed, and may not be asked yet.
    pub(crate) fn is_paused(&self, key: &EvidenceKey) -> bool {
        self.failed.get(key).is_some_and(|failed| failed.retry_at > Instant::now())
    }

    /// Notes that the host answered.
    pub(crate) fn answered(host: &Host) {
        *host.breaker.lock().unwrap_or_else(PoisonError::into_inner) = Breaker::default();
    }

    /// Notes that the source brought evidence that can be used.
    pub(crate) fn served(&self, key: &EvidenceKey) {
        self.failed.invalidate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses() {
        let health = Health::new(&Arc::new(FetchLimits::default()));
        for (times, retry_after, min, max) in [
            (1, None, 0.75, 1.25),
            (3, None, 3.0, 5.0),
            (60, None, 225.0, 375.0),
            (1, Some(20), 15.0, 25.0),
            (1, Some(9_999), 225.0, 375.0),
        ] {
            let pause = health.pause(times, retry_after.map(Duration::from_secs)).as_secs_f64();
            assert!((min..=max).contains(&pause), "{times} {retry_after:?}: {pause}");
        }
    }

    #[test]
    fn a_host_that_fails_often_is_left_alone() {
        let health =
            Health::new(&Arc::new(FetchLimits { breaker_pause: Duration::ZERO, ..FetchLimits::default() }));
        let (host, other) = (health.host("a:80"), health.host("b:80"));
        for _ in 0..10 {
            health.failed(None, &host, &Failure::silent("x"));
        }
        // Without a pause it is tried again at once. With one it is not.
        assert_eq!(health.ensure_allowed(&[], &host), Ok(()));
        host.breaker.lock().unwrap().open_until = Some(Instant::now() + Duration::from_secs(9));
        assert_eq!(health.ensure_allowed(&[], &host).unwrap_err().cause, Cause::BreakerOpen);
        assert_eq!(health.ensure_allowed(&[], &other), Ok(()));
        Health::answered(&host);
        assert_eq!(health.ensure_allowed(&[], &host), Ok(()));
    }
}
