//! A shared store while its engine is in trouble, and after: a check waits for it once and not for long, and it is used
//! again without anybody's help.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

mod shared_kit;

use std::sync::Arc;
use std::time::Duration;

use certcheck_fetch::store::{Store, StoreError};

use shared_kit::{
    Peer, bytes_in, crl, is_paid_for_once, is_unavailable, key, on_each, runtime, stored, took, until_usable,
};

const OLD: &str = "2026-12-01T00:00:00Z";

/// The store, used once.
async fn used(peer: &Peer) -> Arc<dyn Store> {
    let own = peer.impatient_store();
    until_usable(&*own, &key()).await;
    own
}

#[test]
fn an_engine_that_was_never_there() {
    on_each(|peer| {
        peer.kill();
        runtime().block_on(async {
            let own = peer.impatient_store();
            is_paid_for_once(&*own).await;
            peer.restart();
            until_usable(&*own, &key()).await;
            own.put(&key(), stored(&crl(1, OLD, 1))).await.expect("written");
        });
    });
}

#[test]
fn an_engine_that_is_killed() {
    on_each(|peer| {
        runtime().block_on(async {
            let own = used(peer).await;
            own.put(&key(), stored(&crl(1, OLD, 1))).await.expect("written");
            peer.kill();
            is_paid_for_once(&*own).await;
            peer.restart();
            until_usable(&*own, &key()).await;
            assert!(own.get(&key()).await.expect("reads").is_none());
        });
    });
}

#[test]
fn an_engine_that_is_frozen() {
    on_each(|peer| {
        runtime().block_on(async {
            let own = used(peer).await;
            own.put(&key(), stored(&crl(1, OLD, 1))).await.expect("written");
            peer.freeze();
            is_paid_for_once(&*own).await;
            // A new process, whose connection is taken and never answered.
            is_paid_for_once(&*peer.impatient_store()).await;
            peer.thaw();
            until_usable(&*own, &key()).await;
            assert!(own.get(&key()).await.expect("reads").is_some());
        });
    });
}

/// At any moment of reading or writing a large CRL: all of it or nothing, and an end soon.
#[test]
fn an_engine_that_dies_in_the_middle() {
    on_each(|peer| {
        let given = stored(&crl(400_000, OLD, 1));
        runtime().block_on(async {
            for number in 0..6 {
                let (own, key) = (peer.store(), key());
                own.put(&key, given.clone()).await.expect("written");
                let after = Duration::from_millis(2 * number);
                let (reader, writer) = (own.clone(), own.clone());
                let other = given.clone();
                let reading = tokio::spawn(async move { bytes_in(&*reader, &key).await });
                let writing = tokio::spawn(async move { writer.put(&key, other).await });
                tokio::time::sleep(after).await;
                if number % 2 == 0 {
                    peer.kill();
                } else {
                    peer.freeze();
                }
                let both = async { (reading.await.expect("ends"), writing.await.expect("ends")) };
                let ((read, wrote), time) = took(both).await;
                assert!(time < Duration::from_secs(7), "{time:?}");
                match read {
                    Ok(Some(bytes)) => assert!(bytes == given.body.bytes),
                    Ok(None) => {}
                    Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
                }
                assert!(wrote.is_ok() || is_unavailable(&wrote), "{wrote:?}");
                if number % 2 == 1 {
                    peer.thaw();
                }
                peer.restart();
            }
        });
    });
}
