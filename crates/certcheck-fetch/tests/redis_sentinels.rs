//! A shared store on the primary that a sentinel of Redis names.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use certcheck_fetch::store::{News, Store as _};
use certcheck_testkit::peers::Redis;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use redis_kit::{store, store_at};
use shared_kit::{HANGS, bytes_in, crl, key, runtime, stored, until_usable};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

/// A sentinel that is killed when dropped.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Sentinel {
    /// Starts a sentinel that calls this engine `primary`.
    fn start(redis: &Redis) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sentinel.conf");
        let monitor = format!("sentinel monitor primary 127.0.0.1 {} 1", redis.port());
        fs::write(&file, format!("port {port}\nbind 127.0.0.1\n{monitor}\n")).expect("written");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").current_dir(folder.path()).stdout(Stdio::null());
        let child = command.spawn().expect("starts");
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < HANGS, "the sentinel does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, _folder: folder }
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _killed = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn the_primary_is_used_and_heard() {
    let Some(redis) = Redis::start(&[]) else { return };
    let sentinel = Sentinel::start(&redis);
    let (old, new) = (stored(&crl(1, OLD, 1)), stored(&crl(1, NEW, 2)));
    runtime().block_on(async {
        let key = key();
        // The first sentinel is not there.
        let own = store_at(&format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/primary", sentinel.port));
        until_usable(&own, &key).await;
        own.put(&key, old.clone()).await.expect("written");
        assert_eq!(bytes_in(&store(&redis), &key).await.expect("reads"), Some(old.body.bytes.clone()));
        let mut news = own.news().expect("news");
        // Connecting takes a moment.
        assert!(timeout(Duration::from_millis(500), news.next()).await.is_err());
        store(&redis).put(&key, new.clone()).await.expect("written");
        let heard = timeout(Duration::from_secs(5), news.next()).await;
        assert!(matches!(heard, Ok(Some(News::Newer(newer))) if newer == key), "{heard:?}");
        let other = store_at(&format!("redis+sentinel://127.0.0.1:{}/another", sentinel.port));
        assert!(other.get(&key).await.is_err());
    });
}
