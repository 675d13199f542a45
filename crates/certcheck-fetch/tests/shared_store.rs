//! A shared store on each kind of engine: what it keeps, and which of two answers.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

mod shared_kit;

use std::time::Duration;

use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::EvidenceKey;
use certcheck_fetch::store::{StoreError, Stored};

use shared_kit::{HANGS, bytes_in, crl, key, ocsp, on_each, runtime, stored, took};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

#[test]
fn what_is_put_is_read_by_others() {
    on_each(|peer| {
        let large = stored(&crl(150_000, OLD, 1));
        assert!(large.body.bytes.len() > 3 << 20);
        let mut large = large;
        large.request = EvidenceRequest::Crl { url: "http://origin.test/large.crl".into() };
        let all = [stored(&crl(3, OLD, 1)), large, ocsp()];
        runtime().block_on(async {
            let (one, other) = (peer.store(), peer.store());
            for given in &all {
                let key = EvidenceKey::of(&given.request).expect("a key");
                assert!(one.get(&key).await.expect("reads").is_none());
                one.put(&key, given.clone()).await.expect("written");
                assert_eq!(other.version(&key).await.expect("reads"), Some(given.version()));
                let found = other.get(&key).await.expect("reads").expect("there");
                assert_eq!(found.body.bytes, given.body.bytes);
                assert_eq!(found.body.is_in_file(), given.body.bytes.len() > 1 << 20);
                assert_eq!(
                    (found.request, found.transport),
                    (given.request.clone(), given.transport.clone())
                );
                assert_eq!((found.this_update, found.next_update), (given.this_update, given.next_update));
                assert_eq!(
                    (found.fetched_at, found.crl_number),
                    (given.fetched_at, given.crl_number.clone())
                );
            }
            let listed = other.list().await.expect("listed");
            assert_eq!(listed.len(), 3);
            assert!(listed.iter().all(|entry| EvidenceKey::of(&entry.request) == Some(entry.key)));
            for given in &all {
                let key = EvidenceKey::of(&given.request).expect("a key");
                other.remove(&key).await.expect("removed");
                assert!(one.get(&key).await.expect("reads").is_none());
            }
            assert!(other.list().await.expect("listed").is_empty());
        });
    });
}

#[test]
fn the_newer_one_stays() {
    on_each(|peer| {
        let old = stored(&crl(1, OLD, 7));
        let numbered = stored(&crl(1, OLD, 8));
        let new = stored(&crl(2, NEW, 1));
        runtime().block_on(async {
            let key = key();
            let put = async |given: &Stored| peer.store().put(&key, given.clone()).await;
            let has = async || bytes_in(&*peer.store(), &key).await.expect("reads").expect("there");
            put(&old).await.expect("the first");
            put(&old).await.expect("the same again");
            put(&numbered).await.expect("of the same time with a higher number");
            assert!(matches!(put(&old).await, Err(StoreError::Older)));
            assert_eq!(has().await, numbered.body.bytes);
            put(&new).await.expect("newer");
            assert!(matches!(put(&numbered).await, Err(StoreError::Older)));
            assert_eq!(has().await, new.body.bytes);
        });
    });
}

/// Two write at the same moment: the check and the write are one.
#[test]
fn of_many_writers_the_newest_wins() {
    on_each(|peer| {
        let given: Vec<_> = (1..=20).map(|number| stored(&crl(1, OLD, number))).collect();
        runtime().block_on(async {
            let key = key();
            let writers = given.iter().rev().map(|given| {
                let (store, given) = (peer.store(), given.clone());
                async move {
                    let _newer_may_be_there = store.put(&key, given).await;
                }
            });
            futures_util::future::join_all(writers).await;
            let last = given.last().expect("twenty");
            assert_eq!(bytes_in(&*peer.store(), &key).await.expect("reads"), Some(last.body.bytes.clone()));
        });
    });
}

#[test]
fn a_newer_entry_is_not_removed_for_an_older_one() {
    on_each(|peer| {
        let (old, new) = (stored(&crl(1, OLD, 1)), stored(&crl(1, NEW, 2)));
        runtime().block_on(async {
            let (key, one, other) = (key(), peer.store(), peer.store());
            one.put(&key, old).await.expect("written");
            assert!(other.get(&key).await.expect("reads").is_some());
            one.put(&key, new.clone()).await.expect("written");
            // What it read is not usable, and is gone already.
            other.remove(&key).await.expect("removed");
            assert_eq!(bytes_in(&*other, &key).await.expect("reads"), Some(new.body.bytes));
        });
    });
}

/// A CRL of another CA, which is newer: it stays for those it may be for, and keeps nothing out.
#[test]
fn what_did_not_count_is_replaced() {
    on_each(|peer| {
        let (right, wrong) = (stored(&crl(1, OLD, 1)), stored(&crl(9, NEW, 9)));
        runtime().block_on(async {
            let (key, one) = (key(), peer.store());
            peer.store().put(&key, wrong).await.expect("written");
            assert!(matches!(one.put(&key, right.clone()).await, Err(StoreError::Older)));
            assert!(one.get(&key).await.expect("reads").is_some());
            one.did_not_count(&key);
            one.put(&key, right.clone()).await.expect("written");
            assert_eq!(bytes_in(&*peer.store(), &key).await.expect("reads"), Some(right.body.bytes));
        });
    });
}

#[test]
fn one_holds_the_lease() {
    on_each(|peer| {
        const SHORT: Duration = Duration::from_millis(300);
        runtime().block_on(async {
            let (key, one, other) = (key(), peer.store(), peer.store());
            let held = one.lease(&key, SHORT).await.expect("asked").expect("free");
            let (waited, time) = took(other.lease(&key, SHORT)).await;
            assert!(waited.expect("asked").is_none() && time < 3 * SHORT, "{time:?}");
            let waiting = tokio::spawn({
                let other = other.clone();
                async move { other.lease(&key, HANGS).await }
            });
            tokio::time::sleep(SHORT).await;
            drop(held);
            let second = waiting.await.expect("ends").expect("asked").expect("free");
            // A lease that others have taken is not ended by its holder before.
            peer.take_lease(&key);
            drop(second);
            tokio::time::sleep(SHORT).await;
            assert_eq!(peer.has_lease(&key), "a neighbour");
            // And for ever: who waits fetches without it.
            let (waited, time) = took(one.lease(&key, SHORT)).await;
            assert!(waited.expect("asked").is_none() && time < 3 * SHORT, "{time:?}");
        });
    });
}
