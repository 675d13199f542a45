//! Outages, and evidence that is old: what is available counts as far as it may, and nothing is forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::store::{Entry, Lease, MemoryStore, Store, StoreError, Stored};
use certcheck_fetch::{Engine, EvidenceKey, Origin};
use certcheck_testkit::Cert;
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::ext;
use certcheck_testkit::program::until;
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::world::{CA, World, at, impatient, loopback, now, outcome_of, patient};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pki_types::CertificateDer;

const WITHIN: Duration = Duration::from_secs(30);

/// A CRL that is older than what was had does not come back, though it is current.
#[test]
fn an_older_crl_does_not_take_the_place_of_a_newer() {
    let world = World::new();
    let engine = world.engine();
    let client = world.plain("rollback");
    let chain = world.chain(&client);
    let crl = |number: i64, from: &str, until: &str| {
        let crl = CrlBuilder::new(CA).with([crl::number(number)]).valid(from, Some(until));
        world.server.serve("/ca.crl", Page::new(crl.issue(&world.ca)));
    };
    crl(10, "2027-01-01T00:00:00Z", "2027-01-03T00:00:00Z");
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).0, "accept");
    // The newer one ends; an older one with a longer life is played.
    crl(9, "2026-12-31T00:00:00Z", "2027-02-01T00:00:00Z");
    let later = at("2027-01-04T00:00:00Z");
    let report = engine.check_blocking(&chain, later, WITHIN);
    assert_eq!(outcome_of(&report), ("undetermined", "revocation-unknown", "rollback"));
    crl(11, "2027-01-03T00:00:00Z", "2027-02-01T00:00:00Z");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(outcome_of(&engine.check_blocking(&chain, later, WITHIN)).0, "accept");
}

/// What policy tolerates beyond its end is used only if nothing newer is to be had.
#[test]
fn stale_evidence_is_used_only_on_error_and_within_its_bound() {
    let world = World::new();
    let mut policy = world.policy();
    policy.freshness.max_stale = 86_400;
    let engine = Engine::builder(world.ring(), policy)
        .guard(loopback())
        .limits(patient())
        .refreshes(false)
        .build()
        .expect("builds");
    let chain = world.chain(&world.plain("stale"));
    let crl = |until: &str| {
        let crl = CrlBuilder::new(CA).valid("2027-01-01T00:00:00Z", Some(until));
        world.server.serve("/ca.crl", Page::new(crl.issue(&world.ca)));
    };
    crl("2027-01-03T00:00:00Z");
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).0, "accept");
    let asked = world.server.count("/ca.crl");
    let (late, too_late) = (at("2027-01-03T12:00:00Z"), at("2027-01-04T12:00:00Z"));
    world.server.break_with("/ca.crl", Fault::Unavailable(0));
    let report = engine.check_blocking(&chain, late, WITHIN);
    assert_eq!(outcome_of(&report).0, "accept");
    assert!(world.server.count("/ca.crl") > asked, "newer was asked for, though the client is known");
    let other = world.chain(&world.plain("stale too"));
    assert_eq!(outcome_of(&engine.check_blocking(&other, late, WITHIN)).0, "accept");
    // Who may not wait takes what policy tolerates.
    assert!(engine.check_cached(&chain, late).is_of_known_path());
    std::thread::sleep(Duration::from_millis(300));
    let report = engine.check_blocking(&chain, too_late, WITHIN);
    assert_eq!(outcome_of(&report), ("undetermined", "revocation-unknown", "unreachable"));
}

/// A known revocation is not forgotten when its list ends, though nothing newer is to be had.
#[test]
fn who_is_listed_stays_listed_when_the_network_is_cut() {
    let world = World::new();
    let client = world.plain("listed");
    let entry = crl::RevokedCertificate::new(&client.serial).with([crl::reason("keyCompromise")]);
    let listing =
        CrlBuilder::new(CA).valid("2027-01-01T00:00:00Z", Some("2027-01-03T00:00:00Z")).revoking([entry]);
    world.server.serve("/ca.crl", Page::new(listing.issue(&world.ca)));
    let policy = Policy::client(Revocation::SoftFail);
    let engine = Engine::builder(world.ring(), policy)
        .guard(loopback())
        .limits(impatient())
        .refreshes(false)
        .build()
        .expect("builds");
    let chain = world.chain(&client);
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
    world.server.break_with("/", Fault::HangBeforeHeaders);
    for late in [at("2027-01-03T01:00:00Z"), at("2028-01-03T00:00:00Z")] {
        assert_eq!(outcome_of(&engine.look_up(&chain, late)).1, "certificate-revoked");
        assert_eq!(outcome_of(&engine.check_blocking(&chain, late, WITHIN)).1, "certificate-revoked");
    }
    // Nor when something else is put in its place: an older list, another CA's, a forged one.
    world.server.repair("/");
    let late = at("2027-01-03T01:00:00Z");
    let older = CrlBuilder::new(CA)
        .with([crl::number(0)])
        .valid("2026-12-01T00:00:00Z", Some("2027-06-01T00:00:00Z"));
    let others = [
        older.issue(&world.ca),
        CrlBuilder::new(certcheck_testkit::world::ROOT).issue(&world.root),
        CrlBuilder::new(CA)
            .valid("2027-01-03T00:00:00Z", Some("2027-06-01T00:00:00Z"))
            .issue(&world.stranger),
    ];
    for body in others {
        world.server.serve("/ca.crl", Page::new(body));
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..2 {
            assert_eq!(outcome_of(&engine.check_blocking(&chain, late, WITHIN)).1, "certificate-revoked");
        }
    }
}

/// A CA that still serves a list that has ended: whom it lists is refused each time, not the first time alone.
#[test]
fn a_list_that_has_ended_lists_each_time() {
    let world = World::new();
    let client = world.plain("ended");
    let entry = crl::RevokedCertificate::new(&client.serial).with([crl::reason("superseded")]);
    let ended =
        CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z")).revoking([entry]);
    world.server.serve("/ca.crl", Page::new(ended.issue(&world.ca)));
    let engine = Engine::builder(world.ring(), Policy::client(Revocation::SoftFail))
        .guard(loopback())
        .refreshes(false)
        .build()
        .expect("builds");
    for _ in 0..3 {
        let report = engine.check_blocking(&world.chain(&client), now(), WITHIN);
        assert_eq!(outcome_of(&report).1, "certificate-revoked", "{report:?}");
    }
}

/// A store that lags behind does not bring back what memory knows better.
#[test]
fn a_store_that_lags_does_not_roll_memory_back() {
    let world = World::new();
    let client = world.plain("lag");
    let chain = world.chain(&client);
    let crl = |number: i64, from: &str, revoked: bool| {
        let entry = crl::RevokedCertificate::new(&client.serial).with([crl::reason("keyCompromise")]);
        let crl = CrlBuilder::new(CA).with([crl::number(number)]).valid(from, Some("2027-01-03T00:00:00Z"));
        let crl = if revoked { crl.revoking([entry]) } else { crl };
        world.server.serve("/ca.crl", Page::new(crl.issue(&world.ca)));
    };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100));
    crl(8, "2027-01-01T00:00:00Z", false);
    let behind = world.builder().store(Arc::clone(&store)).build().expect("builds");
    assert!(behind.check_blocking(&chain, now(), WITHIN).is_accepted());
    behind.flush_blocking();
    // Another engine has the newer one in memory alone, then finds the store.
    let lagging = Arc::new(Lagging { inner: store, is_there: AtomicBool::new(false) });
    let engine = world.builder().store(Arc::clone(&lagging) as Arc<dyn Store>).build().expect("builds");
    crl(9, "2027-01-01T12:00:00Z", true);
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
    lagging.is_there.store(true, Ordering::Relaxed);
    world.server.break_with("/", Fault::Refuse);
    // Within the skew after its end, what is available still counts.
    let after = at("2027-01-03T00:01:00Z");
    assert_eq!(outcome_of(&engine.check_blocking(&chain, after, WITHIN)).1, "certificate-revoked");
    assert_eq!(outcome_of(&engine.look_up(&chain, now())).1, "certificate-revoked");
}

/// A store of one's own: it takes nothing, and has what another has once it is there.
#[derive(Debug)]
struct Lagging {
    inner: Arc<dyn Store>,
    is_there: AtomicBool,
}

impl Store for Lagging {
    fn origin(&self) -> Origin {
        Origin::Shared
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move {
            if !self.is_there.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let stored = self.inner.get(key).await?;
            Ok(stored
                .map(|stored| Stored::new(stored.request, stored.body, stored.transport, stored.fetched_at)))
        }
        .boxed()
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

/// What a check could not wait for is there for the next, however late that comes.
#[test]
fn what_comes_too_late_is_cached_for_the_next_check() {
    let world = World::new();
    let engine = world.engine();
    let page = Page::new(CrlBuilder::new(CA).issue(&world.ca)).with_delay(Duration::from_secs(4));
    world.server.serve("/ca.crl", page);
    let chain = world.chain(&world.plain("late"));
    let report = engine.check_blocking(&chain, now(), Duration::from_millis(1_500));
    assert_eq!(outcome_of(&report), ("undetermined", "revocation-unknown", "unreachable"));
    until("it comes", || engine.look_up(&chain, now()).is_accepted().then_some(()));
    assert_eq!(world.server.count("/ca.crl"), 1);
}

/// Two issuers that name one URL: what is of no use to one is no fault of the other's source.
#[test]
fn an_issuer_that_names_another_s_list_harms_nobody() {
    let world = World::new();
    let key = certcheck_testkit::Key::p256("fetch rival");
    let rival = Cert::ca("O=Fetch,CN=Rival", &key, certcheck_testkit::world::ROOT, &world.root)
        .with([ext::cdp(&[ext::Point::urls(&[world.server.url("/root.crl")])])])
        .issue(&world.root);
    let leaf = Cert::leaf("O=Fetch,CN=x", &certcheck_testkit::Key::p256("x"), "O=Fetch,CN=Rival", &key)
        .with([ext::cdp(&[ext::Point::urls(&[world.server.url("/ca.crl")])])])
        .issue(&key);
    let theirs = vec![CertificateDer::from(leaf), CertificateDer::from(rival)];
    let ours = world.chain(&world.plain("ours"));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100));
    let engine = world.builder().store(Arc::clone(&store)).build().expect("builds");
    assert_eq!(outcome_of(&engine.check_blocking(&theirs, now(), WITHIN)).2, "out-of-scope");
    assert!(
        engine.check_blocking(&ours, now(), WITHIN).is_accepted(),
        "its source is not left alone for that"
    );
    engine.flush_blocking();
    for _ in 0..3 {
        assert_eq!(outcome_of(&engine.check_blocking(&theirs, now(), WITHIN)).2, "out-of-scope");
    }
    engine.flush_blocking();
    let offline = world.builder().store(store).offline(true).build().expect("builds");
    assert!(offline.check_blocking(&ours, now(), WITHIN).is_accepted(), "nor dropped from the store");
}
