//! News of a shared store: what others write is heard of within a second, and what the engine loses too.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

mod shared_kit;

use std::sync::Arc;
use std::time::Duration;

use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, News, Store};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tempfile::TempDir;
use tokio::time::timeout;

use shared_kit::{HANGS, bytes_in, crl, key, on_each, runtime, stored, took, until_usable};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";
const NEWEST: &str = "2026-12-03T00:00:00Z";
/// What waits for nothing to come.
const QUIET: Duration = Duration::from_millis(500);

/// A store that listens, once it does: connecting takes a moment.
async fn listening(store: &dyn Store) -> BoxStream<'static, News> {
    let mut news = store.news().expect("news");
    assert!(is_quiet(&mut news).await);
    news
}

async fn is_quiet(news: &mut BoxStream<'static, News>) -> bool {
    timeout(QUIET, news.next()).await.is_err()
}

#[test]
fn what_others_write_is_news() {
    on_each(|peer| {
        runtime().block_on(async {
            let (key, one, other) = (key(), peer.store(), peer.store());
            one.put(&key, stored(&crl(1, OLD, 1))).await.expect("written");
            let mut news = listening(&*other).await;
            // It has not read it yet.
            one.put(&key, stored(&crl(1, NEW, 2))).await.expect("written");
            assert!(is_quiet(&mut news).await);
            assert!(other.get(&key).await.expect("reads").is_some());
            one.put(&key, stored(&crl(1, NEWEST, 3))).await.expect("written");
            let (heard, time) = took(timeout(HANGS, news.next())).await;
            assert_eq!(heard.expect("in time"), Some(News::Newer(key)));
            assert!(time < Duration::from_secs(1), "{time:?}");
            eprintln!("heard after {time:?}");
            // Once is enough, and its own writes are none.
            assert!(is_quiet(&mut news).await);
            other.put(&key, stored(&crl(2, NEWEST, 4))).await.expect("written");
            assert!(is_quiet(&mut news).await);
        });
    });
}

/// Messages get lost with the connection. After it is made again all may have changed, and what is lost is noticed.
#[test]
fn a_new_connection_is_news() {
    on_each(|peer| {
        runtime().block_on(async {
            let (key, own) = (key(), peer.store());
            own.put(&key, stored(&crl(1, OLD, 1))).await.expect("written");
            let mut news = listening(&*own).await;
            peer.kill();
            assert!(is_quiet(&mut news).await);
            peer.restart();
            assert_eq!(timeout(HANGS, news.next()).await.expect("in time"), Some(News::Missed));
            until_usable(&*own, &key).await;
            assert_eq!(timeout(HANGS, news.next()).await.expect("in time"), Some(News::Lost(key)));
        });
    });
}

/// The near store puts back what the far one has lost.
#[test]
fn a_host_puts_back_what_is_lost() {
    on_each(|peer| {
        let folder = TempDir::new().expect("a folder");
        let given = stored(&crl(20_000, OLD, 1));
        runtime().block_on(async {
            let near = DiskStore::open(folder.path(), DiskOptions::default()).expect("a store");
            let host = Layered::new(Arc::new(near), peer.store());
            host.put(&key(), given.clone()).await.expect("written");
            let mut news = listening(&host).await;
            peer.kill();
            peer.restart();
            assert_eq!(timeout(HANGS, news.next()).await.expect("in time"), Some(News::Missed));
            // It goes on as long as it is polled.
            let _listens = tokio::spawn(async move { while news.next().await.is_some() {} });
            let begun = std::time::Instant::now();
            let other = peer.store();
            loop {
                if let Ok(Some(bytes)) = bytes_in(&*other, &key()).await {
                    assert!(bytes == given.body.bytes);
                    return;
                }
                assert!(begun.elapsed() < HANGS, "not put back");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    });
}
