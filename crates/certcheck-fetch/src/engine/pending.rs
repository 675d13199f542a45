//! A check that has begun: decided by memory, or open until evidence has arrived.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use pki_types::CertificateDer;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::engine::driver::Driver;
use crate::engine::report::CheckReport;
use crate::engine::shared::{Begun, Shared};

/// The longest wait: a day.
pub(crate) const LONGEST: Duration = Duration::from_secs(86_400);
/// The age in seconds at which a check that waits for evidence begins again.
const OLDEST: i64 = 2;
/// How much later than its deadline a check may end.
const GRACE: Duration = Duration::from_millis(200);

/// A check that has begun. The certificates are parsed, the path is found and validated, and all evidence in memory is
/// used. What is left to do is to get the evidence that is missing.
///
/// It owns everything it needs, so a handshake can keep it from the presentation of a certificate to the proof of
/// possession.
#[derive(Debug)]
pub struct PendingCheck {
    shared: Arc<Shared>,
    /// The engine's runtime. `None` once the engine is shutting down.
    runtime: Option<Handle>,
    generation: u64,
    now: Time,
    begun: Begun,
}

impl PendingCheck {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        runtime: Option<&Handle>,
        generation: u64,
        now: Time,
        begun: Begun,
    ) -> Self {
        Self { shared: Arc::clone(shared), runtime: runtime.cloned(), generation, now, begun }
    }

    /// The report, if the verdict is final. `None` if evidence is missing that may change it.
    #[must_use]
    pub const fn decided(&self) -> Option<&CheckReport> {
        match &self.begun {
            Begun::Decided(report) => Some(report),
            Begun::Open(_) => None,
        }
    }

    /// Whether completing it at this time is as good as beginning again: ring and policy have not changed, and no other
    /// second has begun, or two if evidence is missing, which is evaluated when it arrives.
    #[must_use]
    pub fn is_current(&self, now: Time) -> bool {
        let age = now.unix().saturating_sub(self.now.unix());
        let oldest = if self.decided().is_some() { 0 } else { OLDEST };
        self.generation == self.shared.snapshot().generation() && (0..=oldest).contains(&age)
    }

    /// The generation of ring and policy that it was begun with ([`Engine::generation`](crate::Engine::generation)).
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Decides by the evidence in memory, without waiting. Missing evidence counts as not tried.
    pub fn from_memory(self) -> CheckReport {
        match self.begun {
            Begun::Decided(report) => report,
            Begun::Open(driver) => self.shared.close_from_memory(*driver),
        }
    }

    /// As [`PendingCheck::from_memory`]. Missing evidence is fetched in the background for the next time. Call this only
    /// when the client has proved that it holds the certificate's key.
    pub fn from_memory_with_prefetch(self) -> CheckReport {
        let OpenCheck { shared, runtime, driver, chain, now } = match self.into_open() {
            Opened::Open(open) => open,
            Opened::Decided(report) => return report,
        };
        let report = shared.close_from_memory(*driver);
        if report.is_missing_evidence() {
            shared.prefetch(&runtime, &report, chain, now);
        }
        report
    }

    /// Fetches missing evidence within this time. Evidence that has not arrived by then counts as unreachable. Its
    /// fetch goes on for later checks.
    pub async fn complete(self, within: Duration) -> CheckReport {
        let OpenCheck { shared, runtime, driver, chain, now } = match self.into_open() {
            Opened::Open(open) => open,
            Opened::Decided(report) => return report,
        };
        let deadline = Instant::now() + within.min(LONGEST);
        let task = runtime.spawn(Arc::clone(&shared).complete(*driver, deadline));
        match task.await {
            Ok(report) => report,
            // The engine is shutting down: by the evidence in memory.
            Err(_) => shared.look_up(&chain, now),
        }
    }

    /// As [`PendingCheck::complete`], for threads that may wait. The check runs on the engine's own threads. Do not call
    /// it in an asynchronous task, whose thread it would hold.
    pub fn complete_blocking(self, within: Duration) -> CheckReport {
        let OpenCheck { shared, runtime, driver, chain, now } = match self.into_open() {
            Opened::Open(open) => open,
            Opened::Decided(report) => return report,
        };
        let within = within.min(LONGEST);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let task = Arc::clone(&shared).complete(*driver, Instant::now() + within);
        runtime.spawn(async move {
            let _nobody_waits = sender.try_send(task.await);
        });
        // It ends by itself at the deadline, or a little later where threads are short.
        receiver.recv_timeout(within + GRACE).unwrap_or_else(|_| shared.look_up(&chain, now))
    }

    /// The check, if evidence can be fetched for it. Otherwise its report.
    fn into_open(self) -> Opened {
        let Self { shared, runtime, now, begun, .. } = self;
        match (begun, runtime) {
            (Begun::Decided(report), _) => Opened::Decided(report),
            (Begun::Open(driver), None) => Opened::Decided(shared.close_from_memory(*driver)),
            (Begun::Open(driver), Some(runtime)) => {
                let chain = Arc::clone(&driver.inputs().chain);
                Opened::Open(OpenCheck { shared, runtime, driver, chain, now })
            }
        }
    }
}

/// What [`PendingCheck::into_open`] finds.
enum Opened {
    Open(OpenCheck),
    Decided(CheckReport),
}

/// A check that is missing evidence, and where it can be completed.
struct OpenCheck {
    shared: Arc<Shared>,
    runtime: Handle,
    driver: Box<Driver>,
    chain: Arc<[CertificateDer<'static>]>,
    now: Time,
}
