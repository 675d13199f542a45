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
use crate::fetcher::permits::{Bounds, Party, Permits};
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
/// The time for one look.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Looks for evidence that is announced, as long as the engine lives.
pub(crate) async fn follow(engine: WeakShared, mut announced: mpsc::Receiver<Announced>) {
    let looks = Permits::new(LOOKS);
    let mut wanted: HashSet<EvidenceKey> = HashSet::new();
    let mut looked: HashMap<EvidenceKey, Instant> = HashMap::new();
    loop {
        let wait = if wanted.is_empty() { TIMEOUT } else { AGAIN };
        let first = match timeout(wait, announced.recv()).await {
            Ok(Some(first)) => Some(first),
            Ok(None) => return,
            Err(_) => None,
        };
        let Some(shared) = engine.upgrade() else { return };
        let rest = std::iter::from_fn(|| announced.try_recv().ok());
        let news: Vec<Announced> = first.into_iter().chain(rest).take(WAITING).collect();
        if !news.is_empty() {
            wanted.extend(keys_of(&shared, &news));
        }
        looked.retain(|_, at| at.elapsed() < PAUSE);
        wanted.retain(|key| {
            if looked.contains_key(key) {
                return true;
            }
            let Ok(permit) = looks.try_acquire_any([Party::hashed(key)], [].into_iter().collect()) else {
                return true;
            };
            looked.insert(*key, Instant::now());
            if let Some(slot) = shared.fetcher.memory.find(key) {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _late = permit.spend(timeout(TIMEOUT, look(&shared, &slot))).await;
                });
            }
            false
        });
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
async fn look(shared: &Arc<Shared>, slot: &Arc<CacheSlot>) {
    let Some(before) = slot.get() else { return };
    let mut is_newer = false;
    for try_ in 0..TRIES {
        if try_ > 0 {
            // What was joined may have begun before the announcement.
            sleep(PAUSE).await;
        }
        is_newer = match before.answer() {
            Answer::Crl(_) => look_for_crl(shared, &before).await,
            _ => look_along_path(shared, slot).await,
        };
        if is_newer {
            break;
        }
    }
    let outcome = if is_newer { "newer" } else { "not-newer" };
    debug!(
        name: "evidence-announced", target: "certcheck::fetch",
        key = %slot.key.to_hex(), outcome, "looked for evidence that was announced"
    );
    metrics::counter!(names::ANNOUNCED, "outcome" => outcome).increment(1);
}

/// A CRL takes the place of an older one if the same key signed it, whether or not a client is known that it is about.
async fn look_for_crl(shared: &Arc<Shared>, before: &Arc<CachedEvidence>) -> bool {
    let (now, policy) = ((shared.clock)(), Arc::clone(&shared.snapshot().basis.policy));
    let Some(signer) = before.signers().into_iter().next() else { return false };
    let need = Need::new(0, before.request().clone(), signer);
    for level in [Level::Store, Level::Mirror] {
        let may_have_it = match level {
            Level::Store => shared.fetcher.store().is_some(),
            _ => shared.fetcher.may_ask_mirrors(&need.request),
        };
        let begun = || shared.fetcher.begin(&need, level, Some(before), &Behalf::default(), &policy);
        let Some(Ok(mut watcher)) = may_have_it.then(begun) else { continue };
        let finished = watcher.wait_for(|state| matches!(state, State::Finished(_))).await;
        let Some(State::Finished(Ok(outcome))) = finished.ok().map(|state| state.clone()) else { continue };
        let newer = outcome.cached.crl().filter(|_| before.is_older_than(&outcome.cached));
        let is_current = |crl: &Arc<Crl>| {
            policy.freshness.check_current(crl.this_update(), crl.next_update(), now).is_ok()
        };
        if newer.is_some_and(is_current) {
            shared.fetcher.keep(&need, &outcome, level, now);
            return true;
        }
        // Nobody else evaluates it, and the next look is to bring another.
        shared.fetcher.leave(&need, &outcome, level);
    }
    false
}

/// An OCSP response is checked along the path of its client.
async fn look_along_path(shared: &Arc<Shared>, slot: &Arc<CacheSlot>) -> bool {
    let wanted = HashMap::from([(slot.key, Arc::clone(slot))]);
    let Some((slot, path)) = paths_of(shared, wanted).into_iter().next() else { return false };
    let renewal = Renewal { key: slot.key, from: Level::Store, until: Level::Mirror };
    shared.renew(&path, renewal, (shared.clock)(), Instant::now() + TIMEOUT).await
}
