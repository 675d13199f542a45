//! Looks at the clients of live connections when something has changed, and from time to time.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Time, Verdict};
use tokio::time::{Instant, timeout};

use crate::engine::report::CheckReport;
use crate::engine::shared::{Shared, WeakShared};
use crate::engine::watch::News;
use crate::metrics as names;

/// The pause between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds between two notes that the evidence is still in use, and between two looks at all clients.
const NOTE: i64 = 600;
/// Seconds between two looks at clients that could be neither accepted nor refused.
const OPEN_AGAIN: i64 = 10;
/// Checks in a row before other tasks have their turn.
const CHECKS_IN_A_ROW: usize = 64;
/// How long a check with evidence of its own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Such checks are spread over this many seconds. Those without a result are repeated after as many.
const SPREAD: i64 = 60;

/// Checks the clients that are due, as long as the engine lives.
pub(crate) async fn keep_watch(engine: WeakShared) {
    let (mut noted, mut looked) = (Time::from_unix(0), Time::from_unix(0));
    loop {
        let Some(watches) = engine.upgrade().map(|shared| Arc::clone(&shared.watches)) else { return };
        let _news_or_time = timeout(PAUSE, watches.news()).await;
        let Some(shared) = engine.upgrade() else { return };
        let now = (shared.clock)();
        let (due, news) = watches.lock().due(now);
        for (done, leaf) in (1_usize..).zip(due) {
            look_at(&shared, &leaf, now, news);
            if done % CHECKS_IN_A_ROW == 0 {
                tokio::task::yield_now().await;
            }
        }
        for leaf in watches.lock().checks_due(now) {
            tokio::spawn(check(Arc::clone(&shared), leaf, now));
        }
        if now.unix().saturating_sub(looked.unix()) >= OPEN_AGAIN {
            looked = now;
            watches.look_at_open();
        }
        if now.unix().saturating_sub(noted.unix()) >= NOTE {
            noted = now;
            watches.paths().iter().flat_map(|path| &path.slots).for_each(|slot| slot.touch(now));
            watches.look_at_all();
        }
    }
}

/// Looks at a client by the evidence in memory.
fn look_at(shared: &Shared, leaf: &Arc<[u8]>, now: Time, news: News) {
    let watches = &shared.watches;
    let Some(chain) = watches.lock().chain_of(leaf) else {
        return;
    };
    let report = shared.look_up(&chain, now);
    if settle(shared, leaf, &report) == Verdict::Undetermined {
        let mut clients = watches.lock();
        // If its evidence has no slot in memory, an unknown status is expected, unless the ring has changed. If
        // memory had no room for the evidence, or its source failed, it is fetched again.
        if (news == News::OfBasis || !clients.is_to_be_checked(leaf)) && !clients.is_checked(leaf) {
            clients.check_by(leaf, spread(now));
        }
    }
}

/// A time within the next minute, different for each client, so that they do not all ask at once.
fn spread(now: Time) -> Time {
    Time::from_unix(now.unix().saturating_add(fastrand::i64(1..=SPREAD)))
}

/// Checks a client with evidence that is fetched for it.
async fn check(shared: Arc<Shared>, leaf: Arc<[u8]>, now: Time) {
    let chain = shared.watches.lock().chain_of(&leaf);
    let Some(chain) = chain else {
        shared.watches.lock().end_check(&leaf);
        return;
    };
    let report = Arc::clone(&shared).check(chain, now, Instant::now() + TIMEOUT).await;
    let verdict = settle(&shared, &leaf, &report);
    let mut clients = shared.watches.lock();
    clients.end_check(&leaf);
    match verdict {
        Verdict::Reject => {}
        Verdict::Accept => clients.check_at(&leaf, report.unkept_until),
        // Its source may answer again.
        Verdict::Undetermined => {
            let again = Time::from_unix(spread(now).unix().saturating_add(SPREAD));
            clients.check_at(&leaf, Some(again));
        }
    }
}

/// Notes the outcome of a look, and ends the watches if the client would be refused.
fn settle(shared: &Shared, leaf: &Arc<[u8]>, report: &CheckReport) -> Verdict {
    let watches = &shared.watches;
    let verdict = report.verdict();
    match verdict {
        Verdict::Reject => {
            let Some(client) = watches.lock().remove(leaf) else { return verdict };
            metrics::counter!(names::ENDED, "reason" => report.code()).increment(1);
            client.end(report);
        }
        // It may be good on another path, by other evidence.
        Verdict::Accept => {
            let path = shared.known_path(leaf);
            watches.lock().place(leaf, path, report.valid_until());
        }
        // An unknown status ends no watch. The client is looked at again when something changes, and from time to
        // time.
        Verdict::Undetermined => {
            watches.lock().leave_open(leaf);
        }
    }
    verdict
}
