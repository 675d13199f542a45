//! Looks at the clients of live connections when there is news, and from time to time.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Time, Verdict};
use tokio::time::{Instant, timeout};

use crate::engine::report::CheckReport;
use crate::engine::shared::{Shared, WeakShared};
use crate::engine::watch::News;
use crate::metrics as names;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds between two notes that the evidence is still in use, and between two looks at everybody.
const NOTE: i64 = 600;
/// Seconds between two looks at those who could be neither accepted nor refused.
const OPEN_AGAIN: i64 = 10;
/// Checks in a row, before other tasks have their turn.
const CHECKS_IN_A_ROW: usize = 64;
/// How long such a check may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Such checks are spread over so many seconds, and those that came to nothing are made again after as many.
const SPREAD: i64 = 60;

/// Checks who is to be checked, as long as the engine lives.
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

/// Looks at a client by what is in memory.
fn look_at(shared: &Shared, leaf: &Arc<[u8]>, now: Time, news: News) {
    let watches = &shared.watches;
    let Some(chain) = watches.lock().chain_of(leaf) else {
        return;
    };
    let report = shared.look_up(&chain, now);
    if settle(shared, leaf, &report) == Verdict::Undetermined {
        let mut clients = watches.lock();
        // Where its evidence has no place in memory, that is no news before it ends, unless it counts for another ring. Where
        // memory had no room for it, or a source failed, it is got again.
        if (news == News::OfBasis || !clients.is_to_be_checked(leaf)) && !clients.is_checked(leaf) {
            clients.check_by(leaf, spread(now));
        }
    }
}

/// A time soon, another for each: they do not all ask at once.
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
    let report = Arc::clone(&shared).check(chain.to_vec(), now, Instant::now() + TIMEOUT).await;
    let verdict = settle(&shared, &leaf, &report);
    let mut clients = shared.watches.lock();
    clients.end_check(&leaf);
    match verdict {
        Verdict::Reject => {}
        Verdict::Accept => clients.check_at(&leaf, report.unkept_until),
        // Its source may come back.
        Verdict::Undetermined => {
            let again = Time::from_unix(spread(now).unix().saturating_add(SPREAD));
            clients.check_at(&leaf, Some(again));
        }
    }
}

/// Notes the outcome of a look, and reports to who listens if the client would be refused.
fn settle(shared: &Shared, leaf: &Arc<[u8]>, report: &CheckReport) -> Verdict {
    let watches = &shared.watches;
    let verdict = report.verdict();
    match verdict {
        Verdict::Reject => {
            let Some(client) = watches.lock().remove(leaf) else { return verdict };
            metrics::counter!(names::ENDED, "reason" => report.code()).increment(1);
            client.end(report);
        }
        // It may be good on another path, of other evidence.
        Verdict::Accept => {
            let path = shared.known_path(leaf);
            watches.lock().place(leaf, path, report.valid_until());
        }
        // Not known is no news. It is looked at again when there is some, and from time to time.
        Verdict::Undetermined => {
            watches.lock().leave_open(leaf);
        }
    }
    verdict
}
