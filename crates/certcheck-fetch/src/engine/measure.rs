//! The requests of a check, and how long each source takes: for programs that examine sources, not for servers.
//!
//! Nothing is decided or kept here.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::revocation::{Answer, Need};
use certcheck_core::status::Cause;
use certcheck_core::{Check, Time};
use pki_types::CertificateDer;

use crate::cache::evidence::CachedEvidence;
use crate::engine::Engine;
use crate::engine::report::CheckReport;
use crate::failure::Failure;
use crate::transport::timings::{self, FetchTimings};

/// The requests of a check of this chain, in order, if nothing were in memory or in the store and every source
/// failed.
pub fn plan(engine: &Engine, chain: &[CertificateDer<'_>], now: Time) -> (CheckReport, Vec<Need>) {
    let snapshot = engine.snapshot();
    let mut progress = Check::new(chain, snapshot.ring(), snapshot.policy(), now)
        .with_verified_issuers(&snapshot.basis.issuers)
        .with_evidence(&snapshot.basis.given)
        .begin();
    let mut asked = Vec::new();
    while let Some(need) = progress.needs().first().cloned() {
        progress.answer(&need.request, Answer::Failed(Cause::NotTried));
        asked.push(need);
    }
    asked.sort_by_key(|need| need.at);
    let report = Arc::new(progress.into_report());
    (CheckReport::full(&snapshot.basis, report, now, Vec::new()), asked)
}

/// Fetches the answer to a request from the network within this time.
///
/// # Errors
/// If nothing was received, or nothing that can be parsed.
pub fn fetch_blocking(
    engine: &Engine,
    need: &Need,
    within: Duration,
) -> Result<Arc<CachedEvidence>, Failure> {
    timed_fetch_blocking(engine, need, within).0
}

/// As [`fetch_blocking`], with how long each part took. An open connection is used again. To measure a new one, use
/// an engine that has not asked this host.
pub fn timed_fetch_blocking(
    engine: &Engine,
    need: &Need,
    within: Duration,
) -> (Result<Arc<CachedEvidence>, Failure>, FetchTimings) {
    let Some(runtime) = &engine.runtime else {
        return (Err(Failure::unreachable("shutting down")), FetchTimings::default());
    };
    let snapshot = engine.snapshot();
    let obtained = engine.shared.fetcher.obtain(need, None, &snapshot.basis.policy);
    runtime.block_on(timings::measured(async {
        let late = |_| Failure::unreachable(format!("no answer after {within:?}"));
        tokio::time::timeout(within, obtained).await.map_err(late)?
    }))
}
