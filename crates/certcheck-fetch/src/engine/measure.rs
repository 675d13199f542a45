//! What a check would ask, and how long each source takes: for programs that look into sources, not for servers.
//!
//! Nothing here is decided, and nothing is kept.

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

/// What a check of this chain would ask, in order, were nothing in memory or store and every source failed in its turn.
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

/// Gets what is named from the network within this time.
///
/// # Errors
/// Why nothing came, or nothing that reads.
pub fn fetch_blocking(
    engine: &Engine,
    need: &Need,
    within: Duration,
) -> Result<Arc<CachedEvidence>, Failure> {
    timed_fetch_blocking(engine, need, within).0
}

/// As [`fetch_blocking`], with how long each part took. A connection that stands from before is used again: for one that has
/// to be made, ask an engine that has asked nobody.
pub fn timed_fetch_blocking(
    engine: &Engine,
    need: &Need,
    within: Duration,
) -> (Result<Arc<CachedEvidence>, Failure>, FetchTimings) {
    let Some(runtime) = &engine.runtime else {
        return (Err(Failure::unreachable("shutting down")), FetchTimings::default());
    };
    let snapshot = engine.snapshot();
    let obtained = engine.shared.fetcher.obtain(need, &snapshot.basis.policy);
    runtime.block_on(timings::measured(async {
        let late = |_| Failure::unreachable(format!("not there after {within:?}"));
        tokio::time::timeout(within, obtained).await.map_err(late)?
    }))
}
