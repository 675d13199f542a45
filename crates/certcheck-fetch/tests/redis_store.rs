//! The shared store on a real engine: what it keeps, and which of two answers.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::time::Duration;

use bytes::Bytes;
use certcheck_fetch::store::{EvidenceVersion, RedisStore, RemoteOptions, Store, StoreError};
use certcheck_fetch::{Body, EvidenceKey};
use certcheck_testkit::peers::Redis;
use redis::Commands as _;

use redis_kit::{name, neighbour, options, store, store_at};
use shared_kit::{HANGS, bytes_in, crl, key, ocsp, runtime, stored, took, until_usable};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

/// All keys of an entry are under one prefix, and end some day.
#[test]
fn what_is_put_ends_some_day() {
    let Some(redis) = Redis::start(&[]) else { return };
    let large = stored(&crl(150_000, OLD, 1));
    runtime().block_on(async {
        store(&redis).put(&key(), large).await.expect("written");
        let mut raw = neighbour(&redis);
        let names: Vec<String> = raw.keys("*").expect("listed");
        assert!(names.len() > 12, "{names:?}");
        for name in names {
            let left: i64 = raw.pttl(&name).expect("reads");
            assert!(name.starts_with("cc1:{") && left > 0, "{name}: {left}");
        }
    });
}

/// What servers say that has not changed: the bytes are not sent again.
#[test]
fn the_same_bytes_only_last_longer() {
    let Some(redis) = Redis::start(&[]) else { return };
    let mut given = stored(&crl(20_000, OLD, 1));
    runtime().block_on(async {
        let (key, one) = (key(), store(&redis));
        one.put(&key, given.clone()).await.expect("written");
        let mut raw = neighbour(&redis);
        let written = |raw: &mut redis::Connection| -> u64 {
            let stats: String = redis::cmd("INFO").arg("stats").query(raw).expect("reads");
            let line = stats.lines().find_map(|line| line.strip_prefix("total_net_input_bytes:"));
            line.and_then(|bytes| bytes.trim().parse().ok()).expect("a number")
        };
        let before = written(&mut raw);
        given.transport.etag = Some("\"v2\"".into());
        one.put(&key, given.clone()).await.expect("written");
        assert!(written(&mut raw) - before < 20_000);
        let found = store(&redis).get(&key).await.expect("reads").expect("there");
        assert_eq!(found.transport, given.transport);
        // One that is missing is written again.
        let chunks: Vec<String> = raw.keys(name(&key, "c:*")).expect("listed");
        let _gone: i64 = raw.del(&chunks[0]).expect("removed");
        one.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&store(&redis), &key).await.expect("reads"), Some(given.body.bytes.clone()));
    });
}

/// The chunks of what has been replaced end soon.
#[test]
fn what_is_replaced_does_not_stay() {
    let Some(redis) = Redis::start(&[]) else { return };
    let (old, new) = (stored(&crl(20_000, OLD, 1)), stored(&crl(20_001, NEW, 2)));
    runtime().block_on(async {
        let (key, one) = (key(), store(&redis));
        one.put(&key, old).await.expect("written");
        let mut raw = neighbour(&redis);
        let chunks: Vec<String> = raw.keys(name(&key, "c:*")).expect("listed");
        assert!(chunks.len() > 1);
        one.put(&key, new).await.expect("written");
        for chunk in chunks {
            let left: i64 = raw.pttl(&chunk).expect("reads");
            assert!(left <= 60_000, "{chunk}: {left}");
        }
    });
}

#[test]
fn a_held_lease_is_prolonged() {
    let Some(redis) = Redis::start(&[]) else { return };
    runtime().block_on(async {
        let (key, one) = (key(), store(&redis));
        let held = one.lease(&key, HANGS).await.expect("asked").expect("free");
        tokio::time::sleep(Duration::from_secs(6)).await;
        let left: i64 = neighbour(&redis).pttl(name(&key, "l")).expect("reads");
        assert!(left > 11_000, "{left}");
        drop(held);
    });
}

#[test]
fn a_site_may_have_its_own_prefix_user_and_password() {
    let user = ["--user", "site", "on", ">secret", "~other:*", "&other:*", "+@all"];
    let Some(redis) = Redis::start(&user) else { return };
    let given = stored(&crl(1, OLD, 1));
    runtime().block_on(async {
        let key = key();
        let with = |password: &str, prefix: &str| {
            let mut options = options(&format!("redis://site@127.0.0.1:{}/0", redis.port()));
            options.password = Some(password.to_owned());
            options.prefix = prefix.to_owned();
            RedisStore::new(options).expect("an address")
        };
        let right = with("secret", "other");
        right.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&right, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        for denied in [with("wrong", "other"), with("secret", "cc1")] {
            let Err(StoreError::Unavailable(why)) = denied.get(&key).await else { panic!("denied") };
            assert!(why.contains("refuses this user"), "{why}");
        }
    });
}

/// One node that has all slots: keys of an entry are in one of them, and the client finds it.
#[test]
fn a_cluster() {
    let Some(redis) = Redis::start(&["--cluster-enabled", "yes"]) else { return };
    let slots = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16_383).exec(&mut neighbour(&redis));
    slots.expect("slots");
    let given = stored(&crl(20_000, OLD, 1));
    runtime().block_on(async {
        let address = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", redis.port(), redis.port());
        let (key, one, other) = (key(), store_at(&address), store_at(&address));
        until_usable(&one, &key).await;
        let mut put = one.put(&key, given.clone()).await;
        for _ in 0..50 {
            if put.is_ok() {
                break;
            }
            // A cluster of one takes a moment to find that it is one.
            tokio::time::sleep(Duration::from_millis(100)).await;
            put = one.put(&key, given.clone()).await;
        }
        put.expect("written");
        assert_eq!(bytes_in(&other, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        assert!(one.lease(&key, Duration::ZERO).await.expect("asked").is_some());
        assert_eq!(other.list().await.expect("listed").len(), 1);
        other.remove(&key).await.expect("removed");
        assert!(one.get(&key).await.expect("reads").is_none());
    });
}

/// Prints what a CRL of 100 MiB costs.
#[test]
#[ignore = "measures: run it alone, with --nocapture"]
fn a_large_crl() {
    let Some(redis) = Redis::start(&[]) else { return };
    let mut given = stored(&crl(1, OLD, 1));
    let bytes: Vec<u8> = (0_u32..25 << 20).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    given.body = Body::from(Bytes::from(bytes));
    let small = ocsp();
    runtime().block_on(async {
        let (key, one) = (key(), store(&redis));
        let small_key = EvidenceKey::of(&small.request).expect("a key");
        one.put(&small_key, small).await.expect("written");
        let mut times: Vec<_> = Vec::new();
        for _ in 0..2_000 {
            times.push(took(one.get(&small_key)).await.1);
        }
        times.sort_unstable();
        eprintln!("small get: p50 {:?}, p99 {:?}", times[1_000], times[1_980]);
        for _ in 0..3 {
            let put = took(one.put(&key, given.clone())).await;
            put.0.expect("written");
            let get = took(one.get(&key)).await;
            assert_eq!(get.0.expect("reads").expect("there").body.bytes.len(), 100 << 20);
            eprintln!("100 MiB: put {:?}, get {:?}", put.1, get.1);
            one.remove(&key).await.expect("removed");
        }
    });
}

#[test]
fn an_address_is_checked_when_the_store_is_made() {
    assert!(RedisStore::new(RemoteOptions::new("redis://:secret@h")).is_err());
    assert!(RedisStore::new(RemoteOptions::new("memcached://h")).is_err());
    assert!(EvidenceVersion::new(1, None) < EvidenceVersion::new(2, None));
}
