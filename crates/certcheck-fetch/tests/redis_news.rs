//! News of the shared store: what others write is heard of within a second, and what the engine loses too.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::time::Duration;

use certcheck_fetch::store::{News, Store};
use certcheck_testkit::peers::Redis;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use redis::Commands as _;
use tokio::time::timeout;

use redis_kit::{neighbour, store};
use shared_kit::{crl, key, runtime, stored};

const OLD: &str = "2026-12-01T00:00:00Z";
/// What waits for nothing to come.
const QUIET: Duration = Duration::from_millis(500);

/// A store that listens, once it does.
async fn listening(redis: &Redis, store: &impl Store) -> BoxStream<'static, News> {
    let mut news = store.news().expect("news");
    let mut raw = neighbour(redis);
    loop {
        // Connecting takes a moment.
        assert!(timeout(Duration::from_millis(50), news.next()).await.is_err());
        let listeners: (String, i64) =
            redis::cmd("PUBSUB").arg("NUMSUB").arg("cc1:news").query(&mut raw).expect("counted");
        if listeners.1 > 0 {
            return news;
        }
    }
}

async fn is_quiet(news: &mut BoxStream<'static, News>) -> bool {
    timeout(QUIET, news.next()).await.is_err()
}

/// A neighbour that shouts: nothing has changed, so nothing is news.
#[test]
fn what_is_only_said_is_no_news() {
    let Some(redis) = Redis::start(&[]) else { return };
    runtime().block_on(async {
        let (key, own) = (key(), store(&redis));
        own.put(&key, stored(&crl(1, OLD, 1))).await.expect("written");
        let mut news = listening(&redis, &own).await;
        let mut raw = neighbour(&redis);
        for message in [&key.to_hex()[..32], "", "junk", &"x".repeat(10_000), &"f".repeat(32)] {
            for _ in 0..100 {
                let _heard_by: i64 = raw.publish("cc1:news", message).expect("said");
            }
        }
        assert!(is_quiet(&mut news).await);
    });
}
