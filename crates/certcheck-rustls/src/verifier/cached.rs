//! The rules of the verifier: what memory knows, and after the proof of possession, what the policy says about an
//! unknown status.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_core::Time;
use certcheck_fetch::{CheckReport, Engine, PendingCheck};
use pki_types::CertificateDer;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rustls::Error;
use tokio::sync::Semaphore;

use super::{Observer, VerifierHooks};
use crate::chain::bytes_of;
use crate::client_auth::ClientAuth;
use crate::events::{self, Via};
use crate::metrics as names;
use crate::refused::Refused;

/// Bytes of chains that are kept between their presentation and the proof of possession: thousands of chains. A
/// client whose chain has been dropped by then is decided by its leaf alone, and is refused at worst.
const UNDECIDED: u64 = 32 << 20;

/// A client between its presentation and the proof of possession.
struct Undecided {
    /// What it presented, so that the path of its leaf is found again.
    chain: Box<[CertificateDer<'static>]>,
    /// The check that was begun. Another connection of the same client may have taken it.
    pending: Mutex<Option<PendingCheck>>,
}

impl Undecided {
    fn take(&self) -> Option<PendingCheck> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Box<[u8]>, Arc<Undecided>> for Bytes {
    fn weight(&self, _: &Box<[u8]>, open: &Arc<Undecided>) -> u64 {
        // The pending check has the chain too.
        bytes_of(&open.chain).saturating_mul(2)
    }
}

pub(super) struct Cached {
    engine: Arc<Engine>,
    auth: ClientAuth,
    max_wait: Option<Duration>,
    waiters: Semaphore,
    /// Clients with a good path, found by their leaf, that are not known by the leaf alone.
    undecided: Cache<Box<[u8]>, Arc<Undecided>, Bytes>,
    observer: Option<Observer>,
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("auth", &self.auth)
            .field("max_wait", &self.max_wait)
            .finish_non_exhaustive()
    }
}

impl Cached {
    pub(super) fn new(
        engine: Arc<Engine>,
        auth: ClientAuth,
        max_wait: Option<Duration>,
        max_waiters: usize,
        observer: Option<Observer>,
    ) -> Self {
        names::describe();
        let waiters = Semaphore::new(max_waiters.min(Semaphore::MAX_PERMITS));
        let undecided = Cache::with_weighter(8_192, UNDECIDED, Bytes);
        Self { engine, auth, max_wait, waiters, undecided, observer }
    }

    fn refuse(&self, report: CheckReport) -> Error {
        metrics::counter!(names::HANDSHAKES, "component" => "verifier", "outcome" => report.code())
            .increment(1);
        events::refused(Via::Verifier, &report);
        let refused = Refused::new(report);
        if let Some(observer) = &self.observer {
            observer(refused.report());
        }
        refused.error()
    }

    /// Checks with what is in memory, or waits for the rest if that is allowed and few enough handshakes wait.
    fn decide(&self, pending: PendingCheck) -> CheckReport {
        let waits = self.max_wait.and_then(|max_wait| Some((max_wait, self.waiters.try_acquire().ok()?)));
        match waits {
            Some((max_wait, _permit)) => pending.complete_blocking(max_wait),
            None => pending.from_memory_with_prefetch(),
        }
    }
}

impl VerifierHooks for Cached {
    /// RFC 8446 4.4.3.
    #[doc(alias = "RFC 8446 section 4.4.3")]
    fn on_certificate(&self, chain: &[CertificateDer<'_>], now: Time) -> Result<(), Error> {
        if !self.auth.is_checked() {
            return Ok(());
        }
        let pending = self.engine.begin(chain, now);
        let Some(leaf) = chain.first() else { return Err(Error::NoCertificatesPresented) };
        let is_known = match pending.decided() {
            Some(report) if !report.is_accepted() && !report.is_missing_evidence() => {
                return Err(self.refuse(report.clone()));
            }
            Some(report) if report.is_of_known_path() => true,
            // It may be known by its leaf alone now. If its CRL is signed by a certificate in its chain, for example,
            // it is not.
            Some(report) => {
                !report.is_missing_evidence()
                    && self.engine.look_up(core::slice::from_ref(leaf), now).is_accepted()
            }
            None => false,
        };
        if !is_known {
            let chain = chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
            let open = Undecided { chain, pending: Mutex::new(Some(pending)) };
            self.undecided.insert(leaf.as_ref().into(), Arc::new(open));
        }
        Ok(())
    }

    /// RFC 8446 4.4.3.
    #[doc(alias = "RFC 8446 section 4.4.3")]
    fn on_possession_proved(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if !self.auth.is_checked() {
            return Ok(());
        }
        let open = if self.undecided.is_empty() { None } else { self.undecided.get(leaf.as_ref()) };
        let (alone, now) = (core::slice::from_ref(leaf), self.engine.now());
        let report = match open {
            // A client that was decided is known. If it is not any longer, its leaf must be enough.
            None => self.decide(self.engine.begin(alone, now)),
            Some(open) => match self.engine.look_up(alone, now) {
                // Known by now, or before: another client may have presented the leaf with a worse chain.
                known if known.is_of_known_path() => {
                    self.undecided.remove(leaf.as_ref());
                    known
                }
                _ => {
                    let begun = open.take().filter(|begun| begun.is_current(now));
                    self.decide(begun.unwrap_or_else(|| self.engine.begin(&open.chain, now)))
                }
            },
        };
        if !report.is_accepted() {
            return Err(self.refuse(report));
        }
        metrics::counter!(names::HANDSHAKES, "component" => "verifier", "outcome" => "accept").increment(1);
        events::accepted(Via::Verifier, Some(&report), None);
        Ok(())
    }
}
