//! The lease to fetch: a key that ends by itself if its holder dies.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::link::Link;
use super::script::{RELEASE, RENEW};
use super::trouble::Trouble;
use crate::store::Lease;

/// How long a lease lasts without its holder, in milliseconds, and how often the holder prolongs it.
const LASTS: u64 = 15_000;
const RENEWED: Duration = Duration::from_secs(5);
/// The mean pause between two attempts to get it.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for the lease under this key. `None` if it was not free within this time.
pub(super) async fn acquire(
    link: &Arc<Link>,
    name: &str,
    max_wait: Duration,
    patience: Duration,
) -> Result<Option<Lease>, Trouble> {
    let until = Instant::now() + max_wait;
    let holder = holder();
    loop {
        let mut command = redis::cmd("SET");
        command.arg(name).arg(&holder).arg("NX").arg("PX").arg(LASTS);
        let is_ours: Option<()> =
            link.run(patience, async |mut connection| command.query_async(&mut connection).await).await?;
        if is_ours.is_some() {
            return Ok(Some(held(link, name.to_owned(), holder, patience)));
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
fn held(link: &Arc<Link>, name: String, holder: String, patience: Duration) -> Lease {
    let (guard, mut dropped) = oneshot::channel::<()>();
    let link = Arc::clone(link);
    tokio::spawn(async move {
        while timeout(RENEWED, &mut dropped).await.is_err() {
            let renewed: Result<i64, Trouble> = link
                .run(patience, async |mut connection| {
                    RENEW.key(&name).arg(&holder).arg(LASTS).invoke_async(&mut connection).await
                })
                .await;
            // It has ended, and another process may have it.
            if renewed == Ok(0) {
                return;
            }
        }
        // If this fails, the lease ends by itself.
        let _ended: Result<i64, Trouble> = link
            .run(patience, async |mut connection| {
                RELEASE.key(&name).arg(&holder).invoke_async(&mut connection).await
            })
            .await;
    });
    Lease::new(guard)
}
