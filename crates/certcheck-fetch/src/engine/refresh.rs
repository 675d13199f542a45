//! Evidence in use is fetched again before it ends, so that a busy server does not wait for a fetch.
//!
//! This is for evidence with a slot in memory. An OCSP response with a nonce has none: it is for one client, no known
//! path uses it, and each handshake and session of that client has its own. Live connections that depend on one are
//! checked again by `watch`.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use certcheck_core::Time;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::cache::entry::CacheSlot;
use crate::cache::key::EvidenceKey;
use crate::cache::known_paths::KnownPath;
use crate::engine::driver::Renewal;
use crate::engine::shared::{Shared, WeakShared};
use crate::fetcher::Level;
use crate::fetcher::parties::{Bounds, Parties, Party, of_path};
use crate::fetcher::permits::Permits;
use crate::metrics as names;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How long one renewal may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Renewals at once. A slow source does not make the others wait.
const RENEWALS: Bounds = Bounds { all: 32, client: usize::MAX, host: 4, address: usize::MAX };
/// Evidence that was not asked for within this many seconds is not in use.
const IN_USE: i64 = 3_600;

/// Looks for evidence that is due, as long as the engine lives. Each renewal is a task of its own, so a slow one does
/// not hold up others.
///
/// RFC 5280 6.3.3 (a).
#[doc(alias = "RFC 5280 section 6.3.3(a)")]
pub(crate) async fn keep_fresh(shared: WeakShared) {
    let renewing = Permits::new(RENEWALS);
    loop {
        sleep(PAUSE).await;
        let Some(shared) = shared.upgrade() else { return };
        let now = (shared.clock)();
        for (slot, path) in due(&shared, now) {
            let Ok(permit) = renewing.try_acquire_any([Party::hashed(slot.key)], parties(&slot, &path))
            else {
                continue;
            };
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let _late = permit.spend(renew(&shared, &slot, &path, now)).await;
            });
        }
    }
}

/// The slots whose evidence is due, or is missing because its source failed, each with a path that it is about.
fn due(shared: &Shared, now: Time) -> Vec<(Arc<CacheSlot>, Arc<KnownPath>)> {
    let is_due = |slot: &Arc<CacheSlot>| {
        let is_in_use = now.unix().saturating_sub(slot.used().unix()) <= IN_USE;
        is_in_use
            && match slot.get() {
                Some(cached) => {
                    cached.refresh_at(jitter(slot)) <= now && !shared.fetcher.is_paused(&slot.key)
                }
                None => shared.fetcher.may_be_asked_again(&slot.key),
            }
    };
    let slots = shared.fetcher.memory.all().into_iter().filter(is_due);
    let wanted = slots.map(|slot| (slot.key, slot)).collect();
    // Paths that are not used do not keep evidence for which memory had no room.
    shared.snapshot().paths.iter().for_each(|path| path.release_replaced());
    paths_of(shared, wanted)
}

/// The slots, each with a path that it is about. Those without one are left out.
pub(super) fn paths_of(
    shared: &Shared,
    mut wanted: HashMap<EvidenceKey, Arc<CacheSlot>>,
) -> Vec<(Arc<CacheSlot>, Arc<KnownPath>)> {
    let mut found = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    let snapshot = shared.snapshot();
    for path in snapshot.paths.iter().chain(shared.watches.paths()) {
        for slot in &path.slots {
            if let Some(slot) = wanted.remove(&slot.key) {
                found.push((slot, Arc::clone(&path)));
            }
        }
    }
    found
}

/// The parties that share renewals: the host that is asked, and the issuers of the path.
fn parties(slot: &CacheSlot, path: &KnownPath) -> Parties {
    let keys: Vec<_> = path.report.path().skip(1).map(|issuer| issuer.view().spki().raw).collect();
    let mut parties = of_path(Party::hashed(slot.key), keys.into_iter());
    let url = slot.get().and_then(|cached| url::Url::parse(cached.request.url()).ok());
    if let Some(url) = url {
        parties.push(Party::Host(Party::hashed((url.scheme(), url.host_str(), url.port()))));
    }
    parties
}

/// Equal for one slot in one process, and different between processes, so that they do not ask at the same time. In
/// containers all of them may have the same number.
fn jitter(slot: &CacheSlot) -> f64 {
    static SALT: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    let salt = *SALT;
    let seed = slot.key.leading().wrapping_mul(salt | 1);
    fastrand::Rng::with_seed(seed).f64()
}

async fn renew(shared: &Shared, slot: &CacheSlot, path: &KnownPath, now: Time) {
    let renewal = Renewal { key: slot.key, from: Level::Mirror, until: Level::Network };
    let is_renewed = shared.renew(path, renewal, now, Instant::now() + TIMEOUT).await;
    let outcome = if is_renewed { "renewed" } else { "not-renewed" };
    debug!(
        name: "evidence-renewed", target: "certcheck::fetch",
        key = %slot.key.to_hex(), outcome, "evidence fetched before its end"
    );
    metrics::counter!(names::REFRESHES, "outcome" => outcome).increment(1);
}
