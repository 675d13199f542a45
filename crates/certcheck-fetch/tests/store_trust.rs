//! Who is trusted: a store vouches for nothing, and an index counts only where the caller that built the engine said so.

mod store_kit;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use certcheck_core::Verdict;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{DiskOptions, DiskStore, Entry, Lease, Store, StoreError, Stored};
use certcheck_fetch::{Body, Engine, EvidenceKey, Origin, Transport};
use certcheck_testkit::crl::{self as forge, RevokedCertificate};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use store_kit::{Pair, RIGHT, builder, ca, crl, is_wrong, key_of, now, open, runtime};

/// A store that gives out what it likes and says that it is the disk.
#[derive(Debug)]
struct Hostile(HashMap<EvidenceKey, Stored>);

impl Store for Hostile {
    fn origin(&self) -> Origin {
        Origin::Disk
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let found = self.0.get(key).cloned();
        async move { Ok(found) }.boxed()
    }

    fn put<'a>(&'a self, _: &'a EvidenceKey, _: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }

    fn remove<'a>(&'a self, _: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn lease<'a>(
        &'a self,
        _: &'a EvidenceKey,
        _: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        async { Ok(None) }.boxed()
    }
}

const URL: &str = "http://crl.test/a.crl";

fn pair() -> Pair {
    Pair::new(7, URL, false)
}

/// All that a store can claim of these bytes.
fn claimed(der: &[u8], index: Option<&[u8]>) -> Stored {
    let request = EvidenceRequest::Crl { url: URL.into() };
    let mut stored =
        Stored::new(request, Body::from(Bytes::copy_from_slice(der)), Transport::default(), now());
    stored.signers = vec![ca().spki().into()];
    stored.crl = Crl::parse(Bytes::copy_from_slice(der), URL).ok().map(Arc::new);
    stored.this_update = stored.crl.as_ref().map(|crl| crl.this_update());
    stored.index = index.map(Bytes::copy_from_slice);
    stored
}

fn with_hostile(stored: Stored) -> Engine {
    let store = Hostile(HashMap::from([(key_of(URL), stored)]));
    builder().store(Arc::new(store)).offline(true).build().expect("an engine")
}

/// An index whose digests fit this CRL, and which leads to all of its entries but the last.
fn index_that_hides(der: &[u8]) -> Vec<u8> {
    let digest = certcheck_core::digest::sha256;
    let other = crl(URL, &[0x11, 0, 99], 4_000);
    let mut index = Vec::new();
    Crl::parse(other.into(), URL).expect("reads").write_index(&mut index).expect("written");
    index[80..88].copy_from_slice(&u64::try_from(der.len()).expect("small").to_le_bytes());
    index[16..48].copy_from_slice(digest(der).as_ref());
    let own = digest(&index[80..]);
    index[48..80].copy_from_slice(own.as_ref());
    index
}

#[test]
fn a_store_that_claims_everything_is_believed_nothing() {
    let pair = pair();
    // Signed by nobody who may: it lists nobody.
    let forged = forge::CrlBuilder::new("CN=Root")
        .revoking(Vec::<RevokedCertificate>::new())
        .issue(&certcheck_testkit::Key::p256("other"));
    let got = pair.verdicts(&with_hostile(claimed(&forged, None)));
    assert_eq!(got, (Verdict::Undetermined, Verdict::Undetermined), "signed by another");
    let mut index = Vec::new();
    Crl::parse(Bytes::from(forged.clone()), URL).expect("reads").write_index(&mut index).expect("written");
    let got = pair.verdicts(&with_hostile(claimed(&forged, Some(&index))));
    assert_eq!(got, (Verdict::Undetermined, Verdict::Undetermined), "signed by another, with an index");
    // The right CRL, with an index that leaves an entry out.
    let right = crl(URL, &Pair::bad(7), 4_000);
    let got = pair.verdicts(&with_hostile(claimed(&right, Some(&index_that_hides(&right)))));
    assert_eq!(got, RIGHT, "an index that hides");
    // The right CRL, as a newer one than it is: it would keep newer ones out.
    let mut newer = claimed(&right, None);
    newer.this_update = Some(now());
    let got = pair.verdicts(&with_hostile(newer));
    assert_eq!(got, (Verdict::Undetermined, Verdict::Undetermined), "a time that it does not have");
}

/// A store that names a key of its own as the signer of a newer CRL: what is fetched is not held against it.
#[test]
fn a_store_does_not_choose_who_signs() {
    let server = certcheck_testkit::server::Server::start();
    let url = server.url("/a.crl");
    let pair = Pair::new(7, &url, false);
    server.serve("/a.crl", certcheck_testkit::server::Page::new(crl(&url, &Pair::bad(7), 3)));
    let other = certcheck_testkit::Key::p256("other");
    let forged =
        forge::CrlBuilder::new("CN=Root").valid("2026-12-31T00:00:00Z", Some("2027-06-01T00:00:00Z"));
    let mut stored = claimed(&forged.with([forge::number(99)]).issue(&other), None);
    stored.request = EvidenceRequest::Crl { url: url.as_str().into() };
    stored.signers = vec![other.spki().into()];
    let store = Hostile(HashMap::from([(key_of(&url), stored)]));
    let engine = builder().store(Arc::new(store)).build().expect("an engine");
    for _ in 0..3 {
        assert_eq!(pair.verdicts(&engine), RIGHT);
        engine.forget_paths();
    }
}

/// What comes out of a disk store that could be trusted, changed and handed on by another.
#[test]
fn trust_is_not_handed_on() {
    let (pair, right) = (pair(), crl(URL, &Pair::bad(7), 4_000));
    let folder = TempDir::new().expect("a folder");
    kept(folder.path(), &right);
    let disk = open(folder.path());
    let stored = runtime().block_on(disk.get(&key_of(URL))).expect("reads").expect("there");
    assert!(stored.index.is_some());
    let mut swapped = stored.clone();
    let hides = crl(URL, &[0x11, 0, 99], 4_000);
    let mut forged = hides.clone();
    *forged.last_mut().expect("some") ^= 1;
    swapped.body = Body::from(Bytes::from(forged));
    assert!(!is_wrong(pair.verdicts(&with_hostile(swapped))));
    let mut hidden = stored;
    hidden.index = Some(index_that_hides(&right).into());
    assert_eq!(pair.verdicts(&with_hostile(hidden)), RIGHT);
}

/// Keeps this CRL and its index in a store.
fn kept(folder: &Path, der: &[u8]) {
    runtime().block_on(open(folder).put(&key_of(URL), claimed(der, None))).expect("written");
}

/// The same folder, with the index that hides: what it says depends on what the builder said, and on nothing else.
#[test]
fn an_index_counts_only_where_the_builder_says_so() {
    let (pair, right) = (pair(), crl(URL, &Pair::bad(7), 4_000));
    let folder = TempDir::new().expect("a folder");
    kept(folder.path(), &right);
    let blobs = folder.path().join("blobs");
    let index =
        store_kit::names_in(&blobs).into_iter().find(|name| name.ends_with(".idx")).expect("an index");
    fs::write(blobs.join(index), index_that_hides(&right)).expect("written");
    let plain = || DiskStore::open(folder.path(), DiskOptions::default()).expect("a store");
    let built = |builder: certcheck_fetch::EngineBuilder| builder.offline(true).build().expect("an engine");
    for (what, engine) in [
        ("any store", built(builder().store(Arc::new(open(folder.path()))))),
        ("the disk store, not trusted", built(builder().disk_store(plain()))),
        ("trusted, then replaced", built(builder().disk_store(open(folder.path())).store(Arc::new(plain())))),
    ] {
        assert_eq!(pair.verdicts(&engine), RIGHT, "{what}");
    }
    // This is what trust means.
    let trusting = built(builder().disk_store(open(folder.path())));
    assert_eq!(pair.verdicts(&trusting), (Verdict::Accept, Verdict::Accept));
}
