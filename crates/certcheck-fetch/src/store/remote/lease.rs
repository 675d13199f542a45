//! The lease to fetch: it ends by itself if its holder dies.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::engine::Engine;
use super::entries::Entries;
use super::short;
use crate::cache::key::EvidenceKey;
use crate::store::{Lease, StoreError};

/// How long a lease lasts without its holder, and how often the holder prolongs it.
pub(in crate::store) const LASTS: Duration = Duration::from_secs(15);
const RENEWED: Duration = Duration::from_secs(5);
/// The mean pause between two attempts to get it.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for the lease of an entry. `None` if it was not free within this time.
pub(in crate::store) async fn acquire<E: Engine>(
    store: &Arc<Entries<E>>,
    key: &EvidenceKey,
    max_wait: Duration,
) -> Result<Option<Lease>, StoreError> {
    let until = Instant::now() + max_wait;
    let (name, holder) = (short(key), holder());
    loop {
        if let Some(turn) = store.engine.lease(&name, &holder).await? {
            return Ok(Some(prolonged(Arc::clone(store), turn)));
        }
        let pause = PAUSE.mul_f64(0.5 + fastrand::f64());
        if Instant::now() + pause >= until {
            return Ok(None);
        }
        sleep(pause).await;
    }
}

/// A name that nobody else has.
fn holder() -> String {
    let mut random = [0; 16];
    // The name only has to be unique. Without randomness it need not be hard to guess.
    if getrandom::fill(&mut random).is_err() {
        random = fastrand::u128(..).to_be_bytes();
    }
    HEXLOWER.encode(&random)
}

/// A lease that is prolonged until it is dropped, and then ended.
fn prolonged<E: Engine>(store: Arc<Entries<E>>, turn: E::Turn) -> Lease {
    let (guard, mut dropped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut turn = turn;
        while timeout(RENEWED, &mut dropped).await.is_err() {
            match store.engine.prolong_lease(&turn).await {
                Ok(Some(prolonged)) => turn = prolonged,
                // It has ended, and another process may have it.
                Ok(None) => return,
                Err(_) => {}
            }
        }
        // If this fails, the lease ends by itself.
        store.engine.end_lease(turn).await;
    });
    Lease::new(guard)
}
