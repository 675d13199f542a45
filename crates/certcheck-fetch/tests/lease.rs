//! A lease that is free because another host has just fetched: what it has put into the store is not fetched again.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use certcheck_core::Time;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{Entry, Lease, MemoryStore, Store, StoreError, Stored};
use certcheck_fetch::{Body, EvidenceKey, Origin, Transport};
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, World, now, outcome_of};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// Nothing here takes so long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);
const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

/// A store into which another host puts an entry just before its lease is free.
#[derive(Debug)]
struct JustPut {
    store: MemoryStore,
    put: Stored,
}

impl Store for JustPut {
    fn origin(&self) -> Origin {
        self.store.origin()
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.store.get(key)
    }

    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.put(key, stored)
    }

    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.remove(key)
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        self.store.list()
    }

    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        async move {
            if EvidenceKey::of(&self.put.request) == Some(*key) {
                self.store.put(key, self.put.clone()).await?;
            }
            self.store.lease(key, max_wait).await
        }
        .boxed()
    }
}

/// A CRL that was fetched so long ago, by the clock of the system.
fn fetched(url: &str, der: &[u8], ago: Duration) -> Stored {
    let read = Crl::parse(Bytes::copy_from_slice(der), url).expect("a CRL");
    let since = (SystemTime::now() - ago).duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let at = Time::from_unix(i64::try_from(since).expect("a time"));
    let request = EvidenceRequest::Crl { url: url.into() };
    let body = Body::from(Bytes::copy_from_slice(der));
    let mut stored = Stored::new(request, body, Transport::default(), at);
    stored.this_update = Some(read.this_update());
    stored.next_update = read.next_update();
    stored.crl_number = read.number().map(Into::into);
    stored
}

#[test]
fn what_was_put_just_before_the_lease_was_free_is_not_fetched_again() {
    let world = World::new();
    let url = world.server.url("/ca.crl");
    let list = |key: &certcheck_testkit::Key, this_update: &str, number: i64| {
        let list = CrlBuilder::new(CA).valid(this_update, Some("2027-02-01T00:00:00Z"));
        list.with([crl::number(number)]).issue(key)
    };
    let (right, old) = (list(&world.ca, NEW, 2), list(&world.ca, OLD, 1));
    let strange = list(&world.stranger, NEW, 9);
    world.server.serve("/ca.crl", Page::new(&right));
    let (moment, hour) = (Duration::from_secs(1), Duration::from_secs(3_600));
    let seen = Some(fetched(&url, &strange, moment));
    // What the check finds in the store, what is put there meanwhile, and the requests to the source.
    let table = [
        ("the CRL", None, fetched(&url, &right, moment), 0),
        ("an older CRL that was just fetched", None, fetched(&url, &old, moment), 0),
        ("what was fetched long ago", None, fetched(&url, &old, hour), 1),
        ("a CRL of another key", None, fetched(&url, &strange, moment), 1),
        (
            "the CRL after another one of its time and a higher number",
            seen.clone(),
            fetched(&url, &right, moment),
            1,
        ),
        ("what did not count before", seen, fetched(&url, &strange, moment), 1),
    ];
    for (what, seen, put, requests) in table {
        let before = world.server.count("/ca.crl");
        let store = MemoryStore::new(8);
        if let Some(seen) = seen {
            let key = EvidenceKey::of(&seen.request).expect("a key");
            store.put(&key, seen).now_or_never().expect("at once").expect("written");
        }
        let host = world.builder().store(Arc::new(JustPut { store, put })).build().expect("an engine");
        let report = host.check_blocking(&world.chain(&world.plain("client")), now(), HANGS);
        assert_eq!(outcome_of(&report), ("accept", "", "crl"), "{what}");
        assert_eq!(world.server.count("/ca.crl") - before, requests, "{what}");
    }
}
