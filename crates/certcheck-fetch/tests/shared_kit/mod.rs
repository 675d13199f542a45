//! Engines of a shared store on loopback, one of each kind that is built in, and evidence to put there.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{RemoteOptions, Store, StoreError, Stored};
use certcheck_fetch::{Body, EvidenceKey, Transport};
use certcheck_testkit::crl::{self as forge, CrlBuilder, RevokedCertificate};
#[cfg(feature = "store-nats")]
use certcheck_testkit::peers::Nats;
#[cfg(feature = "store-redis")]
use certcheck_testkit::peers::Redis;
use certcheck_testkit::world::{CA, World, now};
use tokio::runtime::Runtime;

/// Nothing here takes so long unless it hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(30);
/// What an operation may take when the engine is in trouble. The store's own limit is 50 ms; this machine is busy.
pub(crate) const TROUBLED: Duration = Duration::from_millis(500);

/// What costs nothing, on a busy machine.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(20);

pub(crate) const URL: &str = "http://origin.test/ca.crl";

/// An engine, and a neighbour on it that does as it likes.
pub(crate) enum Peer {
    #[cfg(feature = "store-redis")]
    Redis(Redis),
    #[cfg(feature = "store-nats")]
    Nats(Nats),
}

/// Runs a test on each kind of engine that is built in. One whose server is missing is skipped, and says so.
pub(crate) fn on_each(test: impl Fn(&mut Peer)) {
    #[cfg(feature = "store-redis")]
    if let Some(redis) = Redis::start(&[]) {
        eprintln!("on Redis");
        test(&mut Peer::Redis(redis));
    }
    #[cfg(feature = "store-nats")]
    if let Some(nats) = Nats::start("") {
        eprintln!("on NATS");
        test(&mut Peer::Nats(nats));
    }
}

impl Peer {
    fn address(&self) -> String {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis.address(),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => nats.address(),
        }
    }

    fn store_with(&self, patience: Option<Duration>) -> Arc<dyn Store> {
        let mut options = RemoteOptions::new(self.address());
        options.clock = now;
        options.patience = patience.unwrap_or(options.patience);
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(_) => Arc::new(certcheck_fetch::store::RedisStore::new(options).expect("an address")),
            #[cfg(feature = "store-nats")]
            Self::Nats(_) => Arc::new(certcheck_fetch::store::NatsStore::new(options).expect("an address")),
        }
    }

    /// A store as another process would have it, with patience for a busy machine.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store_with(Some(Duration::from_secs(5)))
    }

    /// A store that has the usual patience.
    pub(crate) fn impatient_store(&self) -> Arc<dyn Store> {
        self.store_with(None)
    }

    pub(crate) fn kill(&mut self) {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis.kill(),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => nats.kill(),
        }
    }

    /// Starts it again, with nothing in it.
    pub(crate) fn restart(&mut self) {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis.restart(),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => nats.restart(),
        }
    }

    pub(crate) fn freeze(&self) {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis.freeze(),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => nats.freeze(),
        }
    }

    pub(crate) fn thaw(&self) {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis.thaw(),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => nats.thaw(),
        }
    }

    /// Loses everything.
    pub(crate) fn clear(&self) {
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis::cmd("FLUSHALL").exec(&mut connection(redis)).expect("empty"),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => drop(ask(nats, "$JS.API.STREAM.PURGE.KV_certcheck", "{}")),
        }
    }

    /// Loses the chunks of an entry.
    pub(crate) fn lose_chunks(&self, key: &EvidenceKey) {
        let name = &key.to_hex()[..32];
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => {
                let mut raw = connection(redis);
                let chunks: Vec<String> =
                    redis::cmd("KEYS").arg(format!("cc1:{{{name}}}:c:*")).query(&mut raw).expect("listed");
                redis::cmd("DEL").arg(chunks).exec(&mut raw).expect("removed");
            }
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => {
                let filter = format!("{{\"filter\":\"$KV.certcheck.cc1.{name}.c.>\"}}");
                drop(ask(nats, "$JS.API.STREAM.PURGE.KV_certcheck", &filter));
            }
        }
    }

    /// Takes the lease of an entry.
    pub(crate) fn take_lease(&self, key: &EvidenceKey) {
        let name = &key.to_hex()[..32];
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => {
                let set = redis::cmd("SET")
                    .arg(format!("cc1:{{{name}}}:l"))
                    .arg("a neighbour")
                    .exec(&mut connection(redis));
                set.expect("written");
            }
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => drop(ask(nats, &format!("$KV.certcheck.cc1.{name}.l"), "a neighbour")),
        }
    }

    /// The holder of the lease of an entry.
    pub(crate) fn has_lease(&self, key: &EvidenceKey) -> String {
        let name = &key.to_hex()[..32];
        match self {
            #[cfg(feature = "store-redis")]
            Self::Redis(redis) => redis::cmd("GET")
                .arg(format!("cc1:{{{name}}}:l"))
                .query(&mut connection(redis))
                .expect("reads"),
            #[cfg(feature = "store-nats")]
            Self::Nats(nats) => {
                ask(nats, &format!("$JS.API.DIRECT.GET.KV_certcheck.$KV.certcheck.cc1.{name}.l"), "")
            }
        }
    }
}

#[cfg(feature = "store-redis")]
fn connection(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.address()).and_then(|client| client.get_connection()).expect("connects")
}

/// The answer to a request, as text.
#[cfg(feature = "store-nats")]
pub(crate) fn ask(nats: &Nats, subject: &str, request: &str) -> String {
    let answer = ask_with(nats, subject, Bytes::from(request.to_owned()));
    String::from_utf8(answer.to_vec()).expect("text")
}

/// The answer to a request.
#[cfg(feature = "store-nats")]
pub(crate) fn ask_with(nats: &Nats, subject: &str, request: Bytes) -> Bytes {
    nats.ask(subject, &request).into()
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

pub(crate) fn request() -> EvidenceRequest {
    EvidenceRequest::Crl { url: URL.into() }
}

pub(crate) fn key() -> EvidenceKey {
    EvidenceKey::of(&request()).expect("a key")
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

/// An OCSP response as an engine would put it.
pub(crate) fn ocsp() -> Stored {
    let request = EvidenceRequest::Ocsp {
        url: "http://origin.test/ocsp".into(),
        request: Bytes::from_static(b"a request"),
        nonce: None,
    };
    let mut transport = Transport::default();
    transport.etag = Some("\"v1\"".to_owned());
    let mut stored = Stored::new(request, Body::from(Bytes::from_static(b"an answer")), transport, now());
    stored.this_update = Some(now());
    stored
}

pub(crate) fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

/// One operation finds out that the store is in trouble, and those after it do not wait.
pub(crate) async fn is_paid_for_once(store: &dyn Store) {
    let (first, time) = took(store.get(&key())).await;
    assert!(is_unavailable(&first) && time < TROUBLED, "{first:?} after {time:?}");
    eprintln!("the first operation took {time:?}");
    for _ in 0..10 {
        let (other, time) = took(store.get(&key())).await;
        assert!(is_unavailable(&other) && time < AT_ONCE, "{other:?} after {time:?}");
    }
    let (lease, time) = took(store.lease(&key(), Duration::from_secs(10))).await;
    assert!(is_unavailable(&lease) && time < AT_ONCE, "{lease:?} after {time:?}");
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
