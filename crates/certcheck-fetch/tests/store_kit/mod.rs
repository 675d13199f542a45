//! Evidence in disk stores: two clients, one of them revoked, and records to make others of.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::EvidenceRequest;
use certcheck_core::{Policy, Revocation, Time, Verdict};
use certcheck_fetch::store::{DiskOptions, DiskStore, Store, Stored};
use certcheck_fetch::{Engine, EngineBuilder, EvidenceKey, Guard, Spool};
use certcheck_testkit::cert::Cert;
use certcheck_testkit::crl::{self as forge, Idp, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Page, Server};
use pki_types::CertificateDer;
use tokio::runtime::Runtime;

/// Nothing here takes so long unless it hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

pub(crate) fn now() -> Time {
    Time::from_rfc3339("2027-01-01T00:00:00Z").expect("a time")
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A store that keeps indexes, for an engine that trusts them.
pub(crate) fn open(path: &Path) -> DiskStore {
    let mut options = DiskOptions::default();
    options.trust_index = true;
    DiskStore::open(path, options).expect("a store")
}

pub(crate) fn key_of(url: &str) -> EvidenceKey {
    EvidenceKey::of(&EvidenceRequest::Crl { url: url.into() }).expect("a key")
}

/// A key of the forge.
pub(crate) fn ca() -> certcheck_testkit::Key {
    certcheck_testkit::Key::p256("store root")
}

/// A CRL for what names this URL, of so many entries and the serial.
pub(crate) fn crl(url: &str, serial: &[u8], entries: u32) -> Vec<u8> {
    let others = (0..entries).map(|n| RevokedCertificate::new(&[&[0x22][..], &n.to_be_bytes()].concat()));
    let point = Idp { point: Point::urls(&[url]), ..Idp::default() };
    let list = forge::CrlBuilder::new("CN=Root")
        .revoking(others.chain([RevokedCertificate::new(serial)]))
        .with([point.ext()]);
    list.issue(&ca())
}

/// Two certificates that name one source, which says that the second is revoked.
pub(crate) struct Pair {
    pub(crate) url: String,
    pub(crate) good: Vec<u8>,
    pub(crate) bad: Vec<u8>,
}

impl Pair {
    pub(crate) fn new(number: u8, url: &str, is_ocsp: bool) -> Self {
        let leaf = |serial: Vec<u8>| {
            let key = certcheck_testkit::Key::p256("client");
            let source = if is_ocsp { ext::aia(&[url], &[]) } else { ext::cdp(&[Point::urls(&[url])]) };
            Cert { serial, ..Cert::leaf("CN=client", &key, "CN=Root", &ca()) }.with([source]).issue(&ca())
        };
        Self { url: url.to_owned(), good: leaf(Self::good(number)), bad: leaf(Self::bad(number)) }
    }

    pub(crate) fn good(number: u8) -> Vec<u8> {
        vec![0x12, 0, number]
    }

    pub(crate) fn bad(number: u8) -> Vec<u8> {
        vec![0x11, 0, number]
    }

    pub(crate) fn verdicts(&self, engine: &Engine) -> (Verdict, Verdict) {
        let check = |der: &[u8]| {
            let chain = [CertificateDer::from(der.to_vec())];
            engine.check_blocking(&chain, now(), HANGS).verdict()
        };
        (check(&self.good), check(&self.bad))
    }
}

pub(crate) const RIGHT: (Verdict, Verdict) = (Verdict::Accept, Verdict::Reject);

/// Not knowing is no wrong verdict; the other's is.
pub(crate) fn is_wrong((good, bad): (Verdict, Verdict)) -> bool {
    good == Verdict::Reject || bad == Verdict::Accept
}

/// An engine that trusts no store, though this one could be trusted.
pub(crate) fn engine(store: DiskStore, is_offline: bool) -> Engine {
    builder().store(Arc::new(store)).offline(is_offline).build().expect("an engine")
}

pub(crate) fn builder() -> EngineBuilder {
    let root = Cert::root("CN=Root", &ca()).issue(&ca());
    let mut ring = RingBuilder::new();
    ring.add("root", &root, Placement::Anchor).expect("reads");
    let guard = Guard::new().allow_net("127.0.0.0/8".parse().expect("a network"));
    Engine::builder(ring.build().expect("a ring"), Policy::client(Revocation::HardFail))
        .guard(guard)
        .refreshes(false)
}

/// A record as an engine writes it, to make others of.
pub(crate) fn seed(folder: &Path) {
    let server = Server::start();
    let pair = Pair::new(0, &server.url("/seed.crl"), false);
    server.serve("/seed.crl", Page::new(crl(&pair.url, &Pair::bad(0), 1)));
    let engine = engine(open(&folder.join("seed")), false);
    assert_eq!(pair.verdicts(&engine), RIGHT);
    engine.flush_blocking();
}

pub(crate) fn seeded(folder: &Path, runtime: &Runtime) -> Stored {
    let store = open(&folder.join("seed"));
    let entry = runtime.block_on(store.list()).expect("listed").remove(0);
    runtime.block_on(store.get(&entry.key)).expect("there").expect("there")
}

/// The seed with another CRL in it, read, in memory or, if it is large, in a temporary file of the store.
pub(crate) fn stored(seed: &Stored, store: &DiskStore, url: &str, der: &[u8]) -> Stored {
    let mut stored = seed.clone();
    let mut spool = Spool::new(store.folder().expect("a folder"), u64::MAX);
    spool.push(der).expect("room");
    stored.body = spool.finish().expect("written");
    stored.request = EvidenceRequest::Crl { url: url.into() };
    stored.crl = Some(Arc::new(Crl::parse(Bytes::copy_from_slice(der), url).expect("a CRL")));
    stored
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let listing = fs::read_dir(folder).expect("a folder");
    listing.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

/// As if it had been written so long ago.
pub(crate) fn age(path: &Path, by: Duration) {
    File::open(path).and_then(|file| file.set_modified(SystemTime::now() - by)).expect("aged");
}
