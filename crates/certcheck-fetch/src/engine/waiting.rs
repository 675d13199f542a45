//! Waiting for fetches, and for how long.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::revocation::Need;
use tokio::time::{Instant, sleep_until};

use crate::cache::evidence::CachedEvidence;
use crate::failure::Failure;
use crate::fetcher::{FetchOutcome, FetchWatcher, Level, Looked, State};
use crate::store::EvidenceVersion;

/// A need whose fetch is waited for.
pub(crate) struct Awaited {
    pub(crate) pending: PendingNeed,
    pub(crate) level: Level,
    pub(crate) outcome: WaitOutcome,
}

/// The result of waiting.
pub(crate) enum WaitOutcome {
    Finished(Result<Arc<FetchOutcome>, Failure>),
    /// Half of the time is gone, and the answer is not expected to be complete at the end.
    Silent(FetchWatcher, Failure),
}

/// A need, and what the cache has for it.
pub(crate) struct PendingNeed {
    pub(crate) need: Need,
    pub(crate) begun: Instant,
    /// Evidence in the cache that can be used if nothing newer is available.
    pub(crate) fallback: Option<Arc<CachedEvidence>>,
    /// Evidence in the cache that is too old to accept a certificate. The certificates that it lists are still
    /// revoked.
    pub(crate) last: Option<Arc<CachedEvidence>>,
    /// The last evidence that a store had, whether or not it counts.
    pub(crate) stored: Option<Arc<CachedEvidence>>,
    /// What a store had in place of an answer did not count: the source itself is asked.
    pub(crate) is_for_source: bool,
}

impl PendingNeed {
    pub(crate) fn new(need: Need) -> Self {
        let begun = Instant::now();
        Self { need, begun, fallback: None, last: None, stored: None, is_for_source: false }
    }

    /// What is known of the store before a source is asked.
    pub(crate) fn looked(&self) -> Option<Looked> {
        let known = self.fallback.iter().chain(&self.last).chain(&self.stored);
        let found = known.map(|cached| (EvidenceVersion::of(cached), cached.fetched_at)).max();
        (!self.is_for_source).then_some(Looked { at: self.begun, found })
    }

    /// Notes newer evidence. Older evidence does not replace it.
    pub(crate) fn keep_newer(place: &mut Option<Arc<CachedEvidence>>, cached: &Arc<CachedEvidence>) {
        if place.as_ref().is_none_or(|known| !cached.is_older_than(known)) {
            *place = Some(Arc::clone(cached));
        }
    }
}

/// The deadlines of a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitDeadlines {
    /// For a source that sends nothing, or too little.
    pub(crate) silent: Instant,
    /// For any source.
    pub(crate) whole: Instant,
}

/// Waits for a fetch to end.
pub(crate) async fn wait(
    pending: PendingNeed,
    level: Level,
    mut watcher: FetchWatcher,
    deadlines: WaitDeadlines,
) -> Awaited {
    let begun = pending.begun;
    let mut until = deadlines.silent;
    let outcome = loop {
        let arriving = match &*watcher.borrow_and_update() {
            State::Finished(result) => break WaitOutcome::Finished(result.clone()),
            State::Arriving(bytes, length) => Some((*bytes, *length)),
            State::Waiting => None,
        };
        tokio::select! {
            changed = watcher.changed() => {
                if changed.is_err() {
                    break WaitOutcome::Finished(Err(Failure::unreachable("given up")));
                }
            }
            () = sleep_until(until) => {
                if until < deadlines.whole && is_worth_waiting(arriving, begun, deadlines.whole) {
                    until = deadlines.whole;
                } else {
                    break WaitOutcome::Silent(watcher, too_late(arriving, begun.elapsed()));
                }
            }
        }
    };
    Awaited { pending, level, outcome }
}

/// Whether an answer that is arriving will be complete in time at its present rate.
fn is_worth_waiting(arriving: Option<(u64, Option<u64>)>, begun: Instant, whole: Instant) -> bool {
    let Some((bytes @ 1.., length)) = arriving else { return false };
    let left = whole.saturating_duration_since(Instant::now()).as_secs_f64();
    let rate = bytes as f64 / begun.elapsed().as_secs_f64().max(0.001);
    length.is_none_or(|length| length.saturating_sub(bytes) as f64 <= rate * left)
}

fn too_late(arriving: Option<(u64, Option<u64>)>, after: Duration) -> Failure {
    let seconds = after.as_secs_f64();
    Failure::unreachable(match arriving {
        None => format!("no answer within the {seconds:.1} s that this check had for it"),
        Some((bytes, Some(length))) => format!("{bytes} of {length} bytes after {seconds:.1} s"),
        Some((bytes, None)) => format!("{bytes} bytes and no end after {seconds:.1} s"),
    })
}
