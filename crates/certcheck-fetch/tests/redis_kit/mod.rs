//! An engine on loopback, stores on it, and evidence to put there.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{RedisOptions, RedisStore, Store, StoreError, Stored};
use certcheck_fetch::{Body, EvidenceKey, Transport};
use certcheck_testkit::crl::{self as forge, CrlBuilder, RevokedCertificate};
use certcheck_testkit::peers::Redis;
use certcheck_testkit::world::{CA, World, now};
use tokio::runtime::Runtime;

/// Nothing here takes so long unless it hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(30);
/// What an operation may take when the engine is in trouble. The store's own limit is 50 ms; this machine is busy.
pub(crate) const TROUBLED: Duration = Duration::from_millis(500);

pub(crate) const URL: &str = "http://origin.test/ca.crl";

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Options with the clock of the tests, and patience for a busy machine.
pub(crate) fn options(address: &str) -> RedisOptions {
    let mut options = RedisOptions::new(address);
    options.clock = now;
    options.patience = Duration::from_secs(5);
    options
}

pub(crate) fn store_at(address: &str) -> RedisStore {
    RedisStore::new(options(address)).expect("an address")
}

/// A store as another process would have it.
pub(crate) fn store(redis: &Redis) -> RedisStore {
    store_at(&redis.address())
}

/// A store that has the usual patience.
pub(crate) fn impatient_store(redis: &Redis) -> RedisStore {
    let mut options = options(&redis.address());
    options.patience = RedisOptions::new("").patience;
    RedisStore::new(options).expect("an address")
}

/// A client that does as it likes.
pub(crate) fn neighbour(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.address()).and_then(|client| client.get_connection()).expect("connects")
}

pub(crate) fn request() -> EvidenceRequest {
    EvidenceRequest::Crl { url: URL.into() }
}

pub(crate) fn key() -> EvidenceKey {
    EvidenceKey::of(&request()).expect("a key")
}

/// The name of a key of the entry: its head is `h`.
pub(crate) fn name(key: &EvidenceKey, rest: &str) -> String {
    format!("cc1:{{{}}}:{rest}", &key.to_hex()[..32])
}

/// A CRL of so many entries, with this thisUpdate and number.
pub(crate) fn crl(entries: u32, this_update: &str, number: i64) -> Vec<u8> {
    let revoked = (0..entries).map(|n| RevokedCertificate::new(&[&[0x22][..], &n.to_be_bytes()].concat()));
    CrlBuilder::new(CA)
        .valid(this_update, Some("2027-02-01T00:00:00Z"))
        .with([forge::number(number)])
        .revoking(revoked)
        .issue(&World::new().ca)
}

/// A CRL as an engine would put it.
pub(crate) fn stored(der: &[u8]) -> Stored {
    let crl = Crl::parse(Bytes::copy_from_slice(der), URL).expect("a CRL");
    let body = Body::from(Bytes::copy_from_slice(der));
    let mut stored = Stored::new(request(), body, Transport::default(), now());
    stored.this_update = Some(crl.this_update());
    stored.next_update = crl.next_update();
    stored.crl_number = crl.number().map(Into::into);
    stored
}

/// The bytes that a store has.
pub(crate) async fn bytes_in(store: &dyn Store, key: &EvidenceKey) -> Result<Option<Bytes>, StoreError> {
    Ok(store.get(key).await?.map(|stored| stored.body.bytes))
}

pub(crate) async fn took<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}

/// Waits until the store can be used.
pub(crate) async fn until_usable(store: &dyn Store, key: &EvidenceKey) {
    let begun = Instant::now();
    while matches!(store.version(key).await, Err(StoreError::Unavailable(_))) {
        assert!(begun.elapsed() < HANGS, "the store is not used again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
