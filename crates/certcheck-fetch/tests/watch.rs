//! Live connections: a server learns when its client is not good any more.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use certcheck_core::policy::{Nonce, RevocationScope};
use certcheck_core::{Evidence, Policy, Revocation, Time};
use certcheck_fetch::{Ended, Engine, Watch};
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::program::until;
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::world::*;
use certcheck_testkit::{Cert, Key};

const WITHIN: Duration = Duration::from_secs(60);
/// What waits for nothing to come.
const QUIET: Duration = Duration::from_millis(1_500);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The code of what a watch reports, or `None` if it reports nothing for so long.
fn reported_within(watch: Watch, within: Duration) -> Option<&'static str> {
    runtime().block_on(async {
        match tokio::time::timeout(within, watch).await.ok()? {
            Ended::Rejected(report) => Some(report.code()),
            _ => Some("unwatched"),
        }
    })
}

/// The same, while a clock goes on by a minute at a time: within each, all who are to be checked have their turn.
fn reported_in_some_minutes(mut watch: Watch, clock: &AtomicI64) -> Option<&'static str> {
    let begun = Instant::now();
    runtime().block_on(async {
        while begun.elapsed() < WITHIN {
            match tokio::time::timeout(QUIET, &mut watch).await {
                Ok(Ended::Rejected(report)) => return Some(report.code()),
                Ok(_) => return Some("unwatched"),
                Err(_) => clock.fetch_add(61, Ordering::Relaxed),
            };
        }
        None
    })
}

fn watch_at(engine: &Engine, world: &World, cert: &Cert, at: Time) -> Watch {
    let chain = world.chain(cert);
    engine.watch(&engine.check_blocking(&chain, at, WITHIN), &chain)
}

fn watch_of(engine: &Engine, world: &World, cert: &Cert) -> Watch {
    watch_at(engine, world, cert, now())
}

/// Fetches again, as the next client would have it fetched.
fn fetch_again(engine: &Engine, world: &World) {
    engine.forget();
    let _report = engine.check_blocking(&world.chain(&world.plain("other")), now(), WITHIN);
}

#[test]
fn the_watch_of_a_revoked_client_ends_and_no_other() {
    let world = World::new();
    let engine = world.engine();
    let (good, bad) = (world.plain("good"), world.plain("bad"));
    let watch = |cert| watch_of(&engine, &world, cert);
    let (of_good, of_bad, of_bad_too) = (watch(&good), watch(&bad), watch(&bad));
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&bad])));
    fetch_again(&engine, &world);
    assert_eq!(reported_within(of_bad, WITHIN), Some("certificate-revoked"));
    assert_eq!(reported_within(of_bad_too, WITHIN), Some("certificate-revoked"));
    assert_eq!(reported_within(of_good, QUIET), None);
}

/// Between the report and the watch nothing is lost.
#[test]
fn news_before_the_watch_is_reported_too() {
    let world = World::new();
    let engine = world.engine();
    let bad = world.plain("bad");
    let report = engine.check_blocking(&world.chain(&bad), now(), WITHIN);
    assert!(report.is_accepted());
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&bad])));
    fetch_again(&engine, &world);
    assert_eq!(
        reported_within(engine.watch(&report, &world.chain(&bad)), WITHIN),
        Some("certificate-revoked")
    );
}

/// The CRL is signed by another key of the CA's, whose certificate the client brings: what it brought counts for the watch.
#[test]
fn a_signer_that_was_presented_is_known_to_the_watch() {
    let world = World::new();
    let engine = world.engine();
    let second = Key::p256("watch second key");
    let signer = Cert::ca(CA, &second, ROOT, &world.root);
    let signer = signer.with([certcheck_testkit::ext::key_usage(&["cRLSign"])]).issue(&world.root);
    let list = |number: i64, entries: Vec<RevokedCertificate>| {
        Page::new(CrlBuilder::new(CA).with([crl::number(number)]).revoking(entries).issue(&second))
    };
    world.server.serve("/ca.crl", list(1, Vec::new()));
    let chain = |cert: &Cert| [world.chain(cert), vec![signer.clone().into()]].concat();
    let bad = chain(&world.plain("bad"));
    let report = engine.check_blocking(&bad, now(), WITHIN);
    assert!(report.is_accepted(), "{report:?}");
    let watch = engine.watch(&report, &bad);
    world.server.serve("/ca.crl", list(2, vec![RevokedCertificate::new(&world.plain("bad").serial)]));
    engine.forget();
    let _report = engine.check_blocking(&chain(&world.plain("other")), now(), WITHIN);
    assert_eq!(reported_within(watch, WITHIN), Some("certificate-revoked"));
}

/// A second watch, made when memory knows nothing of the client any more, takes nothing from the first.
#[test]
fn a_second_watch_does_not_deafen_the_first() {
    let world = World::new();
    let engine = world.engine();
    let bad = world.plain("bad");
    let report = engine.check_blocking(&world.chain(&bad), now(), WITHIN);
    let first = engine.watch(&report, &world.chain(&bad));
    engine.forget_paths();
    engine.forget();
    let second = engine.watch(&report, &world.chain(&bad));
    std::thread::sleep(Duration::from_millis(100));
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&bad])));
    fetch_again(&engine, &world);
    assert_eq!(reported_within(first, WITHIN), Some("certificate-revoked"));
    assert_eq!(reported_within(second, WITHIN), Some("certificate-revoked"));
}

/// A source that fails, and evidence that ends, are no news of a client.
#[test]
fn what_is_not_known_ends_nothing() {
    let world = World::new();
    let engine = world.engine();
    let watch = watch_of(&engine, &world, &world.plain("good"));
    world.server.break_with("/ca.crl", Fault::Refuse);
    fetch_again(&engine, &world);
    assert_eq!(reported_within(watch, QUIET), None);
}

static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Time {
    Time::from_unix(CLOCK.load(Ordering::Relaxed))
}

#[test]
fn the_watch_of_an_expired_client_ends() {
    let world = World::new();
    CLOCK.store(now().unix(), Ordering::Relaxed);
    let engine = world.builder().clock(clock).build().expect("builds");
    let cert = world.plain("brief").valid("2026-01-01T00:00:00Z", "2027-01-02T00:10:00Z");
    let watch = |cert| watch_at(&engine, &world, cert, clock());
    let (of_brief, of_good) = (watch(&cert), watch(&world.plain("good")));
    CLOCK.store(now().unix() + 601, Ordering::Relaxed);
    assert_eq!(reported_within(of_brief, WITHIN), Some("expired"));
    assert_eq!(reported_within(of_good, QUIET), None);
}

#[test]
fn a_ring_without_the_clients_issuer_ends_it() {
    let world = World::new();
    let engine = world.engine();
    let policy = Policy::client(Revocation::HardFail);
    let watch = || watch_of(&engine, &world, &world.plain("good"));
    let watched = watch();
    engine.reload(world.ring(), policy.clone(), Evidence::new());
    assert_eq!(reported_within(watched, QUIET), None);
    let watched = watch();
    engine.reload(world.strange_ring(), policy, Evidence::new());
    assert_eq!(reported_within(watched, WITHIN), Some("unknown-issuer"));
}

#[test]
fn without_its_engine_a_watch_says_so() {
    let world = World::new();
    let engine = world.engine();
    let watch = watch_of(&engine, &world, &world.plain("good"));
    drop(engine);
    assert_eq!(reported_within(watch, WITHIN), Some("unwatched"));
}

/// Evidence of live connections is renewed though nobody comes again, and what it says is reported.
#[test]
fn evidence_of_live_connections_is_kept_fresh() {
    let world = World::new();
    CLOCK_OF_FRESH.store(now().unix(), Ordering::Relaxed);
    let engine = world.builder().refreshes(true).clock(clock_of_fresh).build().expect("builds");
    let bad = world.plain("bad");
    let watch = watch_at(&engine, &world, &bad, clock_of_fresh());
    // Nobody is known but by the watch.
    engine.forget_paths();
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&bad])));
    // Within the last tenth of the CRL's life.
    let next_update = Time::from_rfc3339("2027-02-01T00:00:00Z").expect("a time");
    CLOCK_OF_FRESH.store(next_update.unix() - 120, Ordering::Relaxed);
    assert_eq!(reported_within(watch, WITHIN), Some("certificate-revoked"));
}

/// The policy's nonces make each answer serve one client alone, so that nothing in memory shows a revocation: it is asked
/// again when the answer ends, and no sooner.
#[test]
fn an_answer_with_a_nonce_is_asked_for_again_when_it_ends() {
    for nonce in [Nonce::Ask, Nonce::Demand] {
        let world = World::new();
        world.responder.set_echo_nonce(true);
        world.responder.set_this_update("2027-01-02T00:00:00Z");
        world.responder.set_next_update(Some("2027-01-02T02:00:00Z"));
        CLOCK_OF_NONCES.store(now().unix(), Ordering::Relaxed);
        let mut policy = world.policy();
        policy.nonce = nonce;
        policy.revocation_scope = RevocationScope::Leaf;
        let engine = Engine::builder(world.ring(), policy)
            .guard(loopback())
            .limits(patient())
            .clock(clock_of_nonces)
            .build()
            .expect("builds");
        let (bad, good) = (answered(&world, "bad"), answered(&world, "good"));
        let of = |cert| watch_at(&engine, &world, cert, clock_of_nonces());
        let (of_bad, of_good) = (of(&bad), of(&good));
        world.responder.revoke(&bad.serial, "2027-01-02T00:30:00Z", Some("keyCompromise"));
        std::thread::sleep(QUIET);
        assert_eq!(asked(&world), 2, "before the answers end nobody asks");
        // Within the last tenth of the answer's life.
        world.responder.set_this_update("2027-01-02T01:50:00Z");
        world.responder.set_next_update(Some("2027-01-02T04:00:00Z"));
        CLOCK_OF_NONCES.store(at("2027-01-02T01:59:00Z").unix(), Ordering::Relaxed);
        assert_eq!(reported_within(of_bad, WITHIN), Some("certificate-revoked"), "{nonce:?}");
        // The other's answer may come after it.
        until("the other is asked about", || (asked(&world) >= 4).then_some(()));
        assert_eq!(reported_within(of_good, QUIET), None);
        assert_eq!(asked(&world), 4, "{nonce:?}: once each");
    }
}

/// Another policy makes all who are watched be checked again, with evidence of their own where there is no other.
#[test]
fn a_reload_has_nonces_asked_for_again() {
    let world = World::new();
    world.responder.set_echo_nonce(true);
    CLOCK_OF_RELOAD.store(now().unix(), Ordering::Relaxed);
    let mut policy = world.policy();
    policy.nonce = Nonce::Demand;
    policy.revocation_scope = RevocationScope::Leaf;
    let builder = Engine::builder(world.ring(), policy.clone()).guard(loopback()).limits(patient());
    let engine = builder.clock(clock_of_reload).build().expect("builds");
    let bad = answered(&world, "bad");
    let watch = watch_at(&engine, &world, &bad, clock_of_reload());
    world.responder.revoke(&bad.serial, "2027-01-01T12:00:00Z", Some("keyCompromise"));
    engine.reload(world.ring(), policy, Evidence::new());
    // All have had their turn within a minute after it is noticed.
    assert_eq!(reported_in_some_minutes(watch, &CLOCK_OF_RELOAD), Some("certificate-revoked"));
}

/// Evidence that memory had no room for any more is no news by itself: it is got again for those who are watched.
#[test]
fn what_memory_lost_is_got_again() {
    let world = World::new();
    CLOCK_OF_LOSS.store(now().unix(), Ordering::Relaxed);
    let engine = world.builder().clock(clock_of_loss).build().expect("builds");
    let bad = world.plain("bad");
    let watch = watch_at(&engine, &world, &bad, clock_of_loss());
    // It looks at everybody now and then: once it has, memory loses all.
    std::thread::sleep(QUIET);
    engine.forget();
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&bad])));
    CLOCK_OF_LOSS.fetch_add(601, Ordering::Relaxed);
    assert_eq!(reported_in_some_minutes(watch, &CLOCK_OF_LOSS), Some("certificate-revoked"));
}

static CLOCK_OF_LOSS: AtomicI64 = AtomicI64::new(0);

fn clock_of_loss() -> Time {
    Time::from_unix(CLOCK_OF_LOSS.load(Ordering::Relaxed))
}

fn answered(world: &World, name: &str) -> Cert {
    let cert = world.client(name, &[], &[world.server.url("/ocsp")]);
    world.responder.good(&cert.serial);
    cert
}

fn asked(world: &World) -> usize {
    world.server.requests().iter().filter(|request| request.path.starts_with("/ocsp")).count()
}

static CLOCK_OF_NONCES: AtomicI64 = AtomicI64::new(0);

fn clock_of_nonces() -> Time {
    Time::from_unix(CLOCK_OF_NONCES.load(Ordering::Relaxed))
}

static CLOCK_OF_RELOAD: AtomicI64 = AtomicI64::new(0);

fn clock_of_reload() -> Time {
    Time::from_unix(CLOCK_OF_RELOAD.load(Ordering::Relaxed))
}

static CLOCK_OF_FRESH: AtomicI64 = AtomicI64::new(0);

fn clock_of_fresh() -> Time {
    Time::from_unix(CLOCK_OF_FRESH.load(Ordering::Relaxed))
}
