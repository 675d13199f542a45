//! Evidence that a mirror or a shared store announces is looked for at once, so that what one node has learnt is in force
//! on all nodes within a second.
//!
//! An announcement is not trusted, and names nothing but evidence that is in memory. It causes a look into the store and at
//! the mirrors, never at a source.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::crl::Crl;
use certcheck_core::revocation::{Answer, EvidenceKind, Need};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use crate::cache::entry::CacheSlot;
use crate::cache::evidence::CachedEvidence;
use crate::cache::key::EvidenceKey;
use crate::engine::driver::Renewal;
use crate::engine::refresh::paths_of;
use crate::engine::shared::{Shared, WeakShared};
use crate::fetcher::parties::{Bounds, Party};
use crate::fetcher::permits::Permits;
use crate::fetcher::{Announced, Behalf, Level, MirrorNews, State};
use crate::metrics as names;

/// Announcements that wait to be looked at. Those who announce wait too.
pub(crate) const WAITING: usize = 1_024;
/// Looks at once.
const LOOKS: Bounds = Bounds { all: 32, client: usize::MAX, host: usize::MAX, address: usize::MAX };
/// The pause before what could not be begun is tried again, and the least time between two looks at one source.
const AGAIN: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_millis(250);
/// How often a look is repeated that brings nothing newer.
const TRIES: u32 = 2;
/// How often a look is repeated that finds nothing: for about five minutes.
const MAX_FAILURES: u32 = 14;
/// The time for one look.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a look has found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    Newer,
    NotNewer,
    /// No mirror answered: it is looked again.
    Nothing,
}

/// Evidence that is to be looked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// From when on.
    from: Instant,
    /// Looks that have found nothing so far.
    failures: u32,
}

/// Looks for evidence that is announced, as long as the engine lives.
pub(crate) async fn follow(engine: WeakShared, mut announced: mpsc::Receiver<Announced>) {
    let looks = Permits::new(LOOKS);
    let (done, mut results) = mpsc::unbounded_channel();
    let mut wanted: HashMap<EvidenceKey, Wanted> = HashMap::new();
    let mut looked: HashMap<EvidenceKey, Instant> = HashMap::new();
    loop {
        let wait = if wanted.is_empty() { TIMEOUT } else { AGAIN };
        let first = tokio::select! {
            news = announced.recv() => match news {
                Some(news) => Some(news),
                None => return,
            },
            // The sender is this task's own, so there is always a next one.
            result = results.recv() => {
                if let Some((key, failures)) = result {
                    again(&mut wanted, key, failures);
                }
                None
            }
            () = sleep(wait) => None,
        };
        let Some(shared) = engine.upgrade() else { return };
        let rest = std::iter::from_fn(|| announced.try_recv().ok());
        let news: Vec<Announced> = first.into_iter().chain(rest).take(WAITING).collect();
        if !news.is_empty() {
            let now = Wanted { from: Instant::now(), failures: 0 };
            wanted.extend(keys_of(&shared, &news).into_iter().map(|key| (key, now)));
        }
        looked.retain(|_, at| at.elapsed() < PAUSE);
        wanted.retain(|key, Wanted { from, failures }| {
            if *from > Instant::now() || looked.contains_key(key) {
                return true;
            }
            let Ok(permit) = looks.try_acquire_any([Party::hashed(key)], [].into_iter().collect()) else {
                return true;
            };
            looked.insert(*key, Instant::now());
            if let Some(slot) = shared.fetcher.memory.find(key) {
                let (shared, done, failures) = (Arc::clone(&shared), done.clone(), *failures);
                tokio::spawn(async move {
                    let found = permit.spend(timeout(TIMEOUT, look(&shared, &slot))).await;
                    if !matches!(found, Ok(Ok(Found::Newer | Found::NotNewer))) {
                        // If nobody listens, the engine has ended.
                        let _listens = done.send((slot.key, failures + 1));
                    }
                });
            }
            false
        });
    }
}

/// Notes that a look has found nothing: the next one is after a pause that doubles. In the end the evidence is due by itself.
fn again(wanted: &mut HashMap<EvidenceKey, Wanted>, key: EvidenceKey, failures: u32) {
    if failures <= MAX_FAILURES {
        let pause = PAUSE.saturating_mul(1 << failures.min(7)).mul_f64(0.75 + fastrand::f64() / 2.0);
        wanted.entry(key).or_insert_with(|| Wanted { from: Instant::now() + pause, failures });
    }
}

/// The keys of evidence in memory that is announced.
fn keys_of(shared: &Shared, news: &[Announced]) -> HashSet<EvidenceKey> {
    let is_any = news.contains(&Announced::Any);
    let keys: HashSet<EvidenceKey> =
        news.iter().filter_map(|one| if let Announced::Key(key) = one { Some(*key) } else { None }).collect();
    let sources: HashSet<&MirrorNews> = news
        .iter()
        .filter_map(|one| if let Announced::Source(source) = one { Some(source) } else { None })
        .collect();
    let is_announced = |cached: &CachedEvidence, key: &EvidenceKey| {
        // A CRL is about many clients. Each OCSP response has its own announcement, and its own end.
        (is_any && cached.kind() == EvidenceKind::Crl)
            || keys.contains(key)
            || !sources.is_empty()
                && MirrorNews::of(cached.request()).is_some_and(|source| sources.contains(&source))
    };
    let slots = shared.fetcher.memory.all();
    let with = slots.iter().filter_map(|slot| Some((slot.key, slot.get()?)));
    with.filter(|(key, cached)| is_announced(cached, key)).map(|(key, _)| key).collect()
}

/// Looks for newer evidence in the store and at the mirrors.
async fn look(shared: &Arc<Shared>, slot: &Arc<CacheSlot>) -> Found {
    let Some(before) = slot.get() else { return Found::NotNewer };
    let mut found = Found::NotNewer;
    for try_ in 0..TRIES {
        if try_ > 0 {
            // What was joined may have begun before the announcement.
            sleep(PAUSE).await;
        }
        found = match before.answer() {
            Answer::Crl(_) => look_for_crl(shared, &before).await,
            _ => look_along_path(shared, slot, &before).await,
        };
        if found != Found::NotNewer {
            break;
        }
    }
    let outcome = match found {
        Found::Newer => "newer",
        Found::NotNewer => "not-newer",
        Found::Nothing => "no-answer",
    };
    debug!(
        name: "evidence-announced", target: "certcheck::fetch",
        key = %slot.key.to_hex(), outcome, "looked for evidence that was announced"
    );
    metrics::counter!(names::ANNOUNCED, "outcome" => outcome).increment(1);
    found
}

/// A CRL takes the place of an older one if the same key signed it, whether or not a client is known that it is about.
async fn look_for_crl(shared: &Arc<Shared>, before: &Arc<CachedEvidence>) -> Found {
    let (now, policy) = ((shared.clock)(), Arc::clone(&shared.snapshot().basis.policy));
    let Some(signer) = before.signers().into_iter().next() else { return Found::NotNewer };
    let mut found = Found::NotNewer;
    let need = Need::new(0, before.request().clone(), signer);
    for level in [Level::Store, Level::Mirror] {
        let may_have_it = match level {
            Level::Store => shared.fetcher.store().is_some(),
            _ => shared.fetcher.may_ask_mirrors(&need.request),
        };
        let begun = || shared.fetcher.begin(&need, level, Some(before), &Behalf::default(), &policy);
        if level == Level::Mirror && shared.fetcher.has_mirrors() {
            found = Found::Nothing;
        }
        let Some(Ok(mut watcher)) = may_have_it.then(begun) else { continue };
        let finished = watcher.wait_for(|state| matches!(state, State::Finished(_))).await;
        let Some(State::Finished(Ok(outcome))) = finished.ok().map(|state| state.clone()) else { continue };
        found = Found::NotNewer;
        let newer = outcome.cached.crl().filter(|_| before.is_older_than(&outcome.cached));
        let is_current = |crl: &Arc<Crl>| {
            policy.freshness.check_current(crl.this_update(), crl.next_update(), now).is_ok()
        };
        if newer.is_some_and(is_current) {
            shared.fetcher.keep(&need, &outcome, level, now);
            return Found::Newer;
        }
        // Nobody else evaluates it, and the next look is to bring another.
        shared.fetcher.leave(&need, &outcome, level);
    }
    found
}

/// An OCSP response is checked along the path of its client.
async fn look_along_path(shared: &Arc<Shared>, slot: &Arc<CacheSlot>, before: &Arc<CachedEvidence>) -> Found {
    let wanted = HashMap::from([(slot.key, Arc::clone(slot))]);
    let Some((slot, path)) = paths_of(shared, wanted).into_iter().next() else { return Found::NotNewer };
    let renewal = Renewal { key: slot.key, from: Level::Store, until: Level::Mirror };
    if shared.renew(&path, renewal, (shared.clock)(), Instant::now() + TIMEOUT).await {
        Found::Newer
    } else if shared.fetcher.has_mirrors() && !shared.fetcher.may_ask_mirrors(before.request()) {
        // They are not asked for a while, because they have failed.
        Found::Nothing
    } else {
        Found::NotNewer
    }
}
