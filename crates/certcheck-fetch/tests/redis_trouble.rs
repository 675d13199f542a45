//! The shared store while its engine is in trouble, and after: a check waits for it once and not for long, and it is used
//! again without anybody's help.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use certcheck_fetch::store::{Store, StoreError};
use certcheck_testkit::peers::Redis;
use redis::Commands as _;

use redis_kit::{impatient_store, name, neighbour, store, store_at};
use shared_kit::{bytes_in, crl, is_paid_for_once, is_unavailable, key, runtime, stored, until_usable};

const OLD: &str = "2026-12-01T00:00:00Z";

/// The store, used once.
async fn used(redis: &Redis) -> impl Store + Clone + 'static {
    let own = impatient_store(redis);
    until_usable(&own, &key()).await;
    own
}

#[test]
fn an_engine_that_pauses_its_clients() {
    let Some(redis) = Redis::start(&[]) else { return };
    runtime().block_on(async {
        let own = used(&redis).await;
        let _paused: () =
            redis::cmd("CLIENT").arg("PAUSE").arg(1_000).query(&mut neighbour(&redis)).expect("paused");
        is_paid_for_once(&own).await;
        until_usable(&own, &key()).await;
    });
}

#[test]
fn an_engine_without_memory() {
    let Some(redis) = Redis::start(&["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]) else {
        return;
    };
    let (small, large) = (stored(&crl(1, OLD, 1)), stored(&crl(400_000, OLD, 2)));
    assert!(large.body.bytes.len() > 8 << 20);
    runtime().block_on(async {
        let (key, own) = (key(), store(&redis));
        own.put(&key, small.clone()).await.expect("written");
        let Err(StoreError::Unavailable(why)) = own.put(&key, large).await else { panic!("it is full") };
        assert!(why.contains("maxmemory"), "{why}");
        // What was there still is, and no part of the other is for long.
        assert_eq!(bytes_in(&own, &key).await.expect("reads"), Some(small.body.bytes));
        let mut raw = neighbour(&redis);
        let chunks: Vec<String> = raw.keys(name(&key, "c:*")).expect("listed");
        let lasting =
            chunks.iter().filter(|chunk| raw.pttl::<_, i64>(chunk).expect("reads") > 60_000).count();
        assert_eq!(lasting, 1);
    });
}

/// Entries that do not fit go, whole or in part; what is read is whole or nothing.
#[test]
fn an_engine_that_evicts() {
    let Some(redis) = Redis::start(&["--maxmemory", "12mb", "--maxmemory-policy", "allkeys-lru"]) else {
        return;
    };
    let given = stored(&crl(400_000, OLD, 1));
    runtime().block_on(async {
        let (key, own) = (key(), store(&redis));
        own.put(&key, given.clone()).await.expect("written");
        let mut raw = neighbour(&redis);
        let chunks = |raw: &mut redis::Connection| -> usize {
            raw.keys::<_, Vec<String>>(name(&key, "c:*")).expect("listed").len()
        };
        let all = chunks(&mut raw);
        let mut others = 0;
        while chunks(&mut raw) == all {
            let _written: () = raw.set(format!("other {others}"), vec![0_u8; 200_000]).expect("written");
            others += 1;
        }
        assert!(own.get(&key).await.expect("reads").is_none());
        // The head is gone too, so that the next who has it writes it again.
        assert_eq!(own.version(&key).await.expect("reads"), None);
        own.put(&key, given.clone()).await.expect("written");
    });
}

#[test]
fn an_engine_that_takes_no_writes() {
    let Some(redis) = Redis::start(&[]) else { return };
    let given = stored(&crl(1, OLD, 1));
    runtime().block_on(async {
        let (key, own) = (key(), store(&redis));
        own.put(&key, given.clone()).await.expect("written");
        let replica = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).exec(&mut neighbour(&redis));
        replica.expect("a replica");
        assert!(own.get(&key).await.expect("reads").is_some());
        let mut newer = given.clone();
        newer.crl_number = Some([9].into());
        let Err(StoreError::Unavailable(why)) = own.put(&key, newer).await else { panic!("it is a replica") };
        assert!(why.contains("replica"), "{why}");
    });
}

/// A node of a cluster that does not have the slot.
#[test]
fn an_engine_of_a_cluster_that_is_named_as_one() {
    let Some(redis) = Redis::start(&["--cluster-enabled", "yes"]) else { return };
    runtime().block_on(async {
        let own = store_at(&redis.address());
        let outcome = own.get(&key()).await;
        assert!(is_unavailable(&outcome), "{outcome:?}");
    });
}
