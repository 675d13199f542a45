//! A neighbour on the engine of the shared store who writes what it likes: at most a miss, and never for long.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::time::Duration;

use certcheck_fetch::store::{Store, StoreError};
use certcheck_testkit::peers::Redis;
use redis::{Commands as _, Connection, RedisResult};

use redis_kit::{name, neighbour, store};
use shared_kit::{bytes_in, crl, key, runtime, stored, took};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

/// A change of the entry: its connection, the name of the head, and the names of the chunks.
type Change = fn(&mut Connection, &str, &[String]) -> RedisResult<()>;

/// A value that is too large to be sent.
fn huge() -> Vec<u8> {
    vec![b'7'; 64 << 20]
}

const CHANGES: &[(&str, Change)] = &[
    ("a text in place of the head", |raw, head, _| raw.set(head, "junk")),
    ("a huge text in place of the head", |raw, head, _| raw.set(head, huge())),
    ("a list in place of the head", |raw, head, _| {
        let _gone: () = raw.del(head)?;
        raw.rpush(head, "junk")
    }),
    ("an empty record", |raw, head, _| raw.hset(head, "r", "")),
    ("a record that is no JSON", |raw, head, _| raw.hset(head, "r", "{")),
    ("a record of other JSON", |raw, head, _| raw.hset(head, "r", "{\"certcheck\":1}")),
    ("a record of another format", |raw, head, _| {
        change_record(raw, head, "\"certcheck\":1", "\"certcheck\":2")
    }),
    ("a huge record", |raw, head, _| raw.hset(head, "r", huge())),
    ("a record of another URL", |raw, head, _| change_record(raw, head, "ca.crl", "cb.crl")),
    ("a record of another kind", |raw, head, _| change_record(raw, head, "\"crl\"", "\"issuers\"")),
    ("a record of another time", |raw, head, _| {
        change_record(raw, head, "\"this_update\":1", "\"this_update\":11")
    }),
    ("a record of another size", |raw, head, _| change_record(raw, head, "\"bytes\":", "\"bytes\":1")),
    ("no time", |raw, head, _| raw.hdel(head, "t")),
    ("a time that is no number", |raw, head, _| raw.hset(head, "t", "x".repeat(20))),
    ("a time of other digits", |raw, head, _| raw.hset(head, "t", "1")),
    ("a huge time", |raw, head, _| raw.hset(head, "t", huge())),
    ("a time in the far future", |raw, head, _| raw.hset(head, "t", "9".repeat(20))),
    ("a time that is a little newer", |raw, head, _| raw.hset(head, "t", format!("{:020}", 1_798_800_000))),
    ("a number that is none", |raw, head, _| raw.hset(head, "n", "z".repeat(40))),
    ("a higher number", |raw, head, _| raw.hset(head, "n", "f".repeat(40))),
    ("no digest", |raw, head, _| raw.hdel(head, "sha")),
    ("a digest of nothing", |raw, head, _| raw.hset(head, "sha", "0".repeat(64))),
    ("a digest in capitals", |raw, head, _| raw.hset(head, "sha", "A".repeat(64))),
    ("a digest that leads elsewhere", |raw, head, _| raw.hset(head, "sha", format!("{:64}", "*:../"))),
    ("a huge digest", |raw, head, _| raw.hset(head, "sha", huge())),
    ("no chunks", |raw, head, _| raw.hset(head, "c", 0)),
    ("too many chunks", |raw, head, _| raw.hset(head, "c", 99_999_999)),
    ("no bytes", |raw, head, _| raw.hset(head, "s", 0)),
    ("more bytes than there are numbers", |raw, head, _| raw.hset(head, "s", "9".repeat(20))),
    ("more bytes than a CRL may have", |raw, head, _| {
        let _changed: () = raw.hset(head, "s", 1_u64 << 40)?;
        raw.hset(head, "c", (1_u64 << 40) / (256 << 10))
    }),
    ("a chunk less", |raw, _, chunks| raw.del(&chunks[0])),
    ("an empty chunk", |raw, _, chunks| raw.set(&chunks[0], "")),
    ("a huge chunk", |raw, _, chunks| raw.set(&chunks[0], huge())),
    ("a chunk that is a list", |raw, _, chunks| {
        let _gone: () = raw.del(&chunks[0])?;
        raw.rpush(&chunks[0], "junk")
    }),
    ("a chunk with another byte", |raw, _, chunks| raw.setrange(&chunks[0], 100, "x")),
    ("chunks in another order", |raw, _, chunks| {
        let first: Vec<u8> = raw.get(&chunks[0])?;
        let second: Vec<u8> = raw.get(&chunks[1])?;
        let _swapped: () = raw.set(&chunks[0], second)?;
        raw.set(&chunks[1], first)
    }),
];

fn change_record(raw: &mut Connection, head: &str, from: &str, to: &str) -> RedisResult<()> {
    let record: String = raw.hget(head, "r")?;
    assert!(record.contains(from), "{record}");
    raw.hset(head, "r", record.replacen(from, to, 1))
}

#[test]
fn what_a_neighbour_changes_is_a_miss_and_does_not_stay() {
    let Some(redis) = Redis::start(&[]) else { return };
    let (old, new) = (stored(&crl(30_000, OLD, 1)), stored(&crl(30_001, NEW, 2)));
    let key = key();
    let head = name(&key, "h");
    runtime().block_on(async {
        for (what, change) in CHANGES {
            let mut raw = neighbour(&redis);
            redis::cmd("FLUSHALL").exec(&mut raw).expect("empty");
            let (one, other) = (store(&redis), store(&redis));
            one.put(&key, old.clone()).await.expect("written");
            let mut chunks: Vec<String> = raw.keys(name(&key, "c:*")).expect("listed");
            chunks.sort();
            assert!(chunks.len() > 1);
            change(&mut raw, &head, &chunks).expect(what);
            let (found, time) = took(other.get(&key)).await;
            assert!(matches!(found, Ok(None) | Err(StoreError::Unusable(_))), "{what}: {found:?}");
            assert!(time < Duration::from_secs(2), "{what}: {time:?}");
            // It is gone, so that it costs nobody else anything; nothing keeps out what comes next.
            let is_there: bool = raw.exists(&head).expect("reads");
            assert!(!is_there, "{what}");
            other.put(&key, old.clone()).await.expect(what);
            assert_eq!(bytes_in(&one, &key).await.expect(what), Some(old.body.bytes.clone()), "{what}");
            // A writer that has not read it replaces it with what is newer.
            change(&mut raw, &head, &chunks).expect(what);
            store(&redis).put(&key, new.clone()).await.expect(what);
            assert_eq!(bytes_in(&one, &key).await.expect(what), Some(new.body.bytes.clone()), "{what}");
        }
    });
}

/// A lock that nobody ever opens, of any type and size.
#[test]
fn a_lease_of_a_neighbour_ends_the_wait() {
    let Some(redis) = Redis::start(&[]) else { return };
    let key = key();
    runtime().block_on(async {
        let mut raw = neighbour(&redis);
        let lease = name(&key, "l");
        for what in ["text", "huge", "list"] {
            let _gone: () = raw.del(&lease).expect("removed");
            let _there: () = match what {
                "text" => raw.set(&lease, "x"),
                "huge" => raw.set(&lease, huge()),
                _ => raw.rpush(&lease, "x"),
            }
            .expect("written");
            let (held, time) = took(store(&redis).lease(&key, Duration::from_millis(300))).await;
            assert!(held.expect("asked").is_none() && time < Duration::from_secs(2), "{what}: {time:?}");
        }
    });
}
