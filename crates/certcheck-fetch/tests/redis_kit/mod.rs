//! An engine of Redis, and a neighbour on it.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::time::Duration;

use certcheck_fetch::EvidenceKey;
use certcheck_fetch::store::{RedisStore, RemoteOptions};
use certcheck_testkit::peers::Redis;
use certcheck_testkit::world::now;

/// Options with the clock of the tests, and patience for a busy machine.
pub(crate) fn options(address: &str) -> RemoteOptions {
    let mut options = RemoteOptions::new(address);
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
    options.patience = RemoteOptions::new("").patience;
    RedisStore::new(options).expect("an address")
}

/// A client that does as it likes.
pub(crate) fn neighbour(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.address()).and_then(|client| client.get_connection()).expect("connects")
}

/// The name of a key of the entry: its head is `h`.
pub(crate) fn name(key: &EvidenceKey, rest: &str) -> String {
    format!("cc1:{{{}}}:{rest}", &key.to_hex()[..32])
}
