//! What a check waits for, and for how long.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::revocation::Need;
use tokio::time::{Instant, sleep_until};

use crate::cache::evidence::CachedEvidence;
use crate::failure::Failure;
use crate::fetcher::{FetchOutcome, FetchWatcher, Level, State};

/// Something that is waited for.
pub(crate) struct Awaited {
    pub(crate) pending: PendingNeed,
    pub(crate) level: Level,
    pub(crate) outcome: WaitOutcome,
}

/// The result of waiting.
pub(crate) enum WaitOutcome {
    Finished(Result<Arc<FetchOutcome>, Failure>),
    /// Half the time is gone, and it will not be there by the end, as far as can be seen.
    Silent(FetchWatcher, Failure),
}

/// Where something stands in the search for an answer.
pub(crate) struct PendingNeed {
    pub(crate) need: Need,
    pub(crate) begun: Instant,
    /// What is in the cache and would do, were there nothing newer.
    pub(crate) fallback: Option<Arc<CachedEvidence>>,
    /// What is in the cache and too old to say that anyone is good: whom it lists, it still lists.
    pub(crate) last: Option<Arc<CachedEvidence>>,
}

impl PendingNeed {
    pub(crate) fn new(need: Need) -> Self {
        Self { need, begun: Instant::now(), fallback: None, last: None }
    }

    /// Something newer in place of what was there; an older one does not come back.
    pub(crate) fn keep_newer(place: &mut Option<Arc<CachedEvidence>>, cached: &Arc<CachedEvidence>) {
        if place.as_ref().is_none_or(|known| !cached.is_older_than(known)) {
            *place = Some(Arc::clone(cached));
        }
    }
}

/// How long something is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitDeadlines {
    /// Without a byte, or with too few of them.
    pub(crate) silent: Instant,
    /// At all.
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

/// Whether what has begun to arrive will be there in time, if it goes on so.
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
