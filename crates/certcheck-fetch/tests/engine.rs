//! The engine: never twice, known clients, refresh ahead, reload, offline, many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use certcheck_core::{Evidence, Policy, Revocation, Time};
use certcheck_fetch::store::{MemoryStore, Store};
use certcheck_fetch::{Engine, FetchLimits, Origin};
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::world::{CA, World, at, loopback, now, outcome_of};
use certcheck_testkit::{Cert, ext};

const WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_source_is_asked_once() {
    let world = World::new();
    let engine = world.engine();
    for name in ["one", "two", "three"] {
        let chain = world.chain(&world.plain(name));
        let report = engine.check_blocking(&chain, now(), WITHIN);
        assert!(report.is_accepted(), "{report:?}");
        // And again: this client is known now.
        let again = engine.check_blocking(&chain, now(), WITHIN);
        assert!(again.is_of_known_path() && again.is_accepted());
        assert_eq!(outcome_of(&again).2, "crl");
    }
    assert_eq!((world.server.count("/ca.crl"), world.server.count("/root.crl")), (1, 1));
}

/// Ten thousand first-time clients of one CA, all at once: one request, and all are answered when it is.
#[test]
fn ten_thousand_at_once_make_one_request() {
    const CLIENTS: usize = 10_000;
    // Longer than ten thousand signatures take, so that what is left to do after it is what is seen.
    let fetch = Duration::from_millis(1_500);
    let world = World::new();
    let page = Page::new(CrlBuilder::new(CA).issue(&world.ca)).with_delay(fetch);
    world.server.serve("/ca.crl", page);
    let engine = Engine::builder(world.ring(), world.policy())
        .guard(loopback())
        .refreshes(false)
        .build()
        .expect("builds");
    // As many certificates as signing them takes no time; each is asked about by many at once.
    let chains: Vec<_> = (0..100).map(|n| world.chain(&world.plain(&format!("client {n}")))).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runs");
    let engine = Arc::new(engine);
    let begun = Instant::now();
    let slowest = runtime.block_on(async {
        let checks: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (engine, chain) = (Arc::clone(&engine), chains[n % chains.len()].clone());
                tokio::spawn(async move {
                    let report = engine.check(&chain, now(), WITHIN).await;
                    assert!(report.is_accepted(), "{report:?}");
                    begun.elapsed()
                })
            })
            .collect();
        let mut slowest = Duration::ZERO;
        for check in checks {
            slowest = slowest.max(check.await.expect("runs"));
        }
        slowest
    });
    println!("{CLIENTS} checks, a fetch of {fetch:?}: the last was answered after {slowest:?}");
    assert_eq!(world.server.count("/ca.crl"), 1);
    assert_eq!(world.server.count("/root.crl"), 1);
}

/// What memory has is checked again each time: a CRL that arrives counts for the next check.
#[test]
fn a_revocation_that_arrives_counts_for_who_is_known() {
    let world = World::new();
    let engine = world.engine();
    let client = world.plain("revoked later");
    let (chain, other) = (world.chain(&client), world.chain(&world.plain("another")));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert!(engine.check_cached(&chain, now()).is_of_known_path());
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&client])));
    // Someone else makes it be fetched.
    engine.forget();
    assert!(engine.check_blocking(&other, now(), WITHIN).is_accepted());
    let report = engine.check_cached(&chain, now());
    assert_eq!(outcome_of(&report), ("reject", "certificate-revoked", "crl"));
    assert!(!report.is_of_known_path());
}

#[test]
fn a_check_that_may_not_wait_has_evidence_fetched_for_the_next() {
    let world = World::new();
    let engine = world.engine();
    let chain = world.chain(&world.plain("cached"));
    let begun = Instant::now();
    assert_eq!(
        outcome_of(&engine.look_up(&chain, now())),
        ("undetermined", "revocation-unknown", "not-tried")
    );
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(world.server.count("/"), 0, "who only looks fetches nothing");
    assert_eq!(outcome_of(&engine.check_cached(&chain, now())).0, "undetermined");
    while !engine.check_cached(&chain, now()).is_accepted() {
        assert!(begun.elapsed() < WITHIN);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(world.server.count("/ca.crl"), 1);
}

#[test]
fn nothing_is_fetched_for_a_path_that_does_not_validate() {
    let world = World::new();
    let engine = world.engine();
    let mut forged = world.plain("forged");
    forged.serial[3] ^= 1;
    // In the CA's name, by another key.
    let chain = vec![forged.issue(&world.stranger).into()];
    for _ in 0..3 {
        let report = engine.check_blocking(&chain, now(), WITHIN);
        assert_eq!(outcome_of(&report).1, "bad-signature");
        assert_eq!(outcome_of(&engine.check_cached(&chain, now())).1, "bad-signature");
    }
    assert_eq!(world.server.count("/"), 0);
}

/// Chains of junk take no place from those that are good, and are refused unseen for a moment only.
#[test]
fn rejections_are_cached_apart_and_briefly() {
    let world = World::new();
    let mut limits = FetchLimits::default();
    limits.known_paths = 16;
    limits.known_refusals = 16;
    let engine = world.builder().limits(limits).build().expect("builds");
    let chain = world.chain(&world.plain("good"));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    for n in 0..200 {
        let junk = vec![world.plain(&format!("junk {n}")).issue(&world.stranger).into()];
        assert!(!engine.check_cached(&junk, now()).is_accepted());
    }
    assert!(engine.check_cached(&chain, now()).is_of_known_path());
    // A ring that knows the stranger does not inherit the refusal.
    let junk = vec![world.plain("junk 1").issue(&world.stranger).into()];
    let mut builder = certcheck_core::key_ring::RingBuilder::new();
    let stranger = Cert::root(CA, &world.stranger).issue(&world.stranger);
    builder.add("stranger", &stranger, certcheck_core::key_ring::Placement::Anchor).expect("reads");
    engine.reload(builder.build().expect("builds"), Policy::client(Revocation::Off), Evidence::new());
    assert!(engine.check_cached(&junk, now()).is_accepted());
    assert!(!engine.check_cached(&chain, now()).is_accepted(), "what another ring knew is forgotten");
}

#[test]
fn a_path_ends_with_the_first_certificate_that_does() {
    let world = World::new();
    let engine = world.engine();
    let cert = world.plain("short").valid("2026-01-01T00:00:00Z", "2027-01-10T00:00:00Z");
    let chain = world.chain(&cert);
    let (last, after) = (at("2027-01-10T00:00:00Z"), at("2027-01-10T00:00:01Z"));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert!(engine.check_cached(&chain, last).is_of_known_path());
    assert_eq!(outcome_of(&engine.check_cached(&chain, after)).1, "expired");
    assert_eq!(outcome_of(&engine.check_cached(&chain, at("2025-12-31T00:00:00Z"))).1, "not-yet-valid");
}

#[test]
fn a_ring_that_distrusts_forgets_who_was_known() {
    let world = World::new();
    let engine = world.engine();
    let chain = world.chain(&world.plain("known"));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    engine.reload(world.strange_ring(), world.policy(), Evidence::new());
    assert_eq!(outcome_of(&engine.check_cached(&chain, now())).1, "unknown-issuer");
}

/// A clock that a test moves.
static CLOCK: AtomicI64 = AtomicI64::new(0);

fn moved_clock() -> Time {
    Time::from_unix(CLOCK.load(Ordering::Relaxed))
}

#[test]
fn evidence_in_use_is_fetched_before_it_ends() {
    let world = World::new();
    let until = |number: i64, from: &str, to: &str| {
        let crl = CrlBuilder::new(CA).with([crl::number(number)]).valid(from, Some(to));
        world.server.serve("/ca.crl", Page::new(crl.issue(&world.ca)).with_etag("same"));
    };
    CLOCK.store(now().unix(), Ordering::Relaxed);
    until(1, "2027-01-01T00:00:00Z", "2027-01-03T00:00:00Z");
    let engine = world.builder().refreshes(true).clock(moved_clock).build().expect("builds");
    let chain = world.chain(&world.plain("steady"));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(world.server.count("/ca.crl"), 1);

    // Late in its life, in use: asked whether it has changed, and it has not.
    let late = at("2027-01-02T23:50:00Z");
    CLOCK.store(late.unix(), Ordering::Relaxed);
    assert!(engine.check_cached(&chain, late).is_of_known_path());
    let seen = wait_for(|| world.server.count("/ca.crl") > 1);
    assert!(seen, "asked for ahead of its end");
    let asked = world.server.requests();
    let asked: Vec<_> = asked.iter().filter(|request| request.path == "/ca.crl").collect();
    assert_eq!(asked[1].header("if-none-match"), Some("\"same\""));

    // It has: the next check finds the new one and waits for nothing.
    until(2, "2027-01-02T23:00:00Z", "2027-01-05T00:00:00Z");
    world.server.serve(
        "/ca.crl",
        Page::new(
            CrlBuilder::new(CA)
                .with([crl::number(2)])
                .valid("2027-01-02T23:00:00Z", Some("2027-01-05T00:00:00Z"))
                .issue(&world.ca),
        ),
    );
    let after = at("2027-01-03T06:00:00Z");
    let is_renewed = wait_for(|| engine.look_up(&chain, after).is_of_known_path());
    assert!(is_renewed, "a known client is good by the new CRL");
    let asked = world.server.count("/ca.crl");

    // What nobody asks for is left to end.
    CLOCK.store(at("2027-01-04T23:55:00Z").unix(), Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(world.server.count("/ca.crl"), asked);
}

/// An older CRL, or none, in the hour of its renewal leaves what is in memory.
#[test]
fn a_renewal_that_fails_leaves_what_is_in_memory() {
    let world = World::new();
    let engine =
        world.builder().refreshes(true).clock(|| at("2027-01-31T23:00:00Z")).build().expect("builds");
    let late = at("2027-01-31T23:00:00Z");
    let chain = world.chain(&world.plain("renewal"));
    world.server.serve("/ca.crl", Page::new(CrlBuilder::new(CA).with([crl::number(7)]).issue(&world.ca)));
    assert!(engine.check_blocking(&chain, late, WITHIN).is_accepted());
    let older = CrlBuilder::new(CA)
        .with([crl::number(6)])
        .valid("2026-11-01T00:00:00Z", Some("2027-03-01T00:00:00Z"));
    world.server.serve("/ca.crl", Page::new(older.issue(&world.ca)));
    assert!(wait_for(|| world.server.count("/ca.crl") > 1));
    std::thread::sleep(Duration::from_millis(100));
    assert!(engine.check_cached(&chain, late).is_of_known_path());
    // The older one would still be good then: what is in memory is not.
    assert!(!engine.look_up(&chain, at("2027-02-10T00:00:00Z")).is_accepted());
    world.server.break_with("/ca.crl", Fault::Garbage);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(engine.check_cached(&chain, late).is_of_known_path());
}

fn wait_for(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < WITHIN {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Two engines that share a store, as a fleet does: what one has fetched the other has.
#[test]
fn a_fleet_fetches_once() {
    let world = World::new();
    world.server.serve(
        "/ca.crl",
        Page::new(CrlBuilder::new(CA).issue(&world.ca)).with_delay(Duration::from_millis(200)),
    );
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100));
    let engines: Vec<_> =
        (0..2).map(|_| world.builder().store(Arc::clone(&store)).build().expect("builds")).collect();
    let chain = world.chain(&world.plain("fleet"));
    std::thread::scope(|scope| {
        for engine in &engines {
            scope.spawn(|| {
                let report = engine.check_blocking(&chain, now(), WITHIN);
                assert!(report.is_accepted(), "{report:?}");
            });
        }
    });
    assert_eq!(world.server.count("/ca.crl"), 1);
    let third = world.builder().store(store).build().expect("builds");
    let report = third.check_blocking(&chain, now(), WITHIN);
    assert!(report.is_accepted());
    assert!(report.sources().iter().all(|tried| tried.from == Some(Origin::Shared)), "{report:?}");
    assert_eq!(world.server.count("/ca.crl"), 1);
}

#[test]
fn offline_nothing_is_asked() {
    let world = World::new();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100));
    let chain = world.chain(&world.plain("offline"));
    let offline = || world.builder().store(Arc::clone(&store)).offline(true).build().expect("builds");
    assert_eq!(
        outcome_of(&offline().check_blocking(&chain, now(), WITHIN)),
        ("undetermined", "revocation-unknown", "not-tried")
    );
    let online = world.builder().store(Arc::clone(&store)).build().expect("builds");
    assert!(online.check_blocking(&chain, now(), WITHIN).is_accepted());
    online.flush_blocking();
    let asked = world.server.count("/");
    assert!(offline().check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(world.server.count("/"), asked);
}

/// RFC 9654: a nonce makes an answer one's own; it is asked for each time, and kept by nobody.
#[test]
fn an_answer_with_a_nonce_is_for_one_check_alone() {
    let world = World::new();
    let mut policy = world.policy();
    policy.nonce = certcheck_core::policy::Nonce::Demand;
    let engine =
        Engine::builder(world.ring(), policy).guard(loopback()).refreshes(false).build().expect("builds");
    let client = world.client("nonce", &[], &[world.server.url("/ocsp")]);
    world.responder.good(&client.serial);
    let chain = world.chain(&client);
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(world.server.count("/ocsp"), 2);
    world.responder.set_echo_nonce(false);
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).2, "nonce-mismatch");
}

/// RFC 9919 5: what fits is asked with GET, and with POST where a responder takes no other.
#[test]
fn ocsp_is_asked_with_get_and_with_post() {
    let world = World::new();
    let client = world.client("get", &[], &[world.server.url("/ocsp")]);
    world.responder.good(&client.serial);
    let chain = world.chain(&client);
    let methods = || {
        world
            .server
            .requests()
            .iter()
            .filter(|r| r.path.starts_with("/ocsp"))
            .map(|r| r.method.clone())
            .collect::<Vec<_>>()
    };
    let engine = world.engine();
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(methods(), ["GET"]);
    world.server.forget();
    let posting = world.builder().ocsp_get(false).build().expect("builds");
    assert!(posting.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(methods(), ["POST"]);
    world.server.forget();
    let handler = world.responder.handler();
    world.server.serve_with("/ocsp", move |request| {
        if request.method == "POST" { handler(request) } else { Page::status(405) }
    });
    let engine = world.engine();
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert_eq!(methods(), ["GET", "POST"]);
}

/// A delta that lists whom its base does not.
#[test]
fn deltas_are_fetched_and_count() {
    let world = World::new();
    let freshest = ext::freshest_crl(&[ext::Point::urls(&[world.server.url("/delta.crl")])]);
    let base = CrlBuilder::new(CA).with([crl::number(5), freshest]);
    world.server.serve("/ca.crl", Page::new(base.issue(&world.ca)));
    let (good, bad) = (world.plain("good"), world.plain("bad"));
    let entry = crl::RevokedCertificate::new(&bad.serial).with([crl::reason("keyCompromise")]);
    let delta = CrlBuilder::new(CA).with([crl::number(6), crl::delta(5)]).revoking([entry]);
    world.server.serve("/delta.crl", Page::new(delta.issue(&world.ca)));
    let engine = world.engine();
    assert!(engine.check_blocking(&world.chain(&good), now(), WITHIN).is_accepted());
    let report = engine.check_blocking(&world.chain(&bad), now(), WITHIN);
    assert_eq!(outcome_of(&report), ("reject", "certificate-revoked", "crl"));
    assert!(engine.look_up(&world.chain(&good), now()).is_of_known_path());
    assert_eq!((world.server.count("/ca.crl"), world.server.count("/delta.crl")), (1, 1));
}

#[test]
fn a_ring_is_got_ahead() {
    let world = World::new();
    let engine = world.engine();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
    let reports = runtime.block_on(engine.prefetch_ring(now(), WITHIN));
    assert_eq!(reports.len(), 1);
    assert!(reports[0].is_accepted(), "{:?}", reports[0]);
    assert_eq!(world.server.count("/root.crl"), 1);
    assert!(engine.check_blocking(&world.chain(&world.plain("x")), now(), WITHIN).is_accepted());
    assert_eq!(world.server.count("/root.crl"), 1);
}

/// Policy lets pass that a client names no source: there is nothing that a fetch could bring.
#[test]
fn who_names_no_source_is_missing_nothing() {
    let world = World::new();
    let mut policy = world.policy();
    policy.revocation = Revocation::IfOffered;
    let engine = Engine::builder(world.ring(), policy).guard(loopback());
    let engine = engine.refreshes(false).clock(now).build().expect("builds");
    let none = world.chain(&world.client("none", &[], &[]));
    let some = world.chain(&world.plain("some"));
    assert!(engine.look_up(&some, now()).is_missing_evidence());
    assert!(engine.check_blocking(&some, now(), WITHIN).is_accepted());
    let report = engine.look_up(&none, now());
    assert!(report.is_accepted() && !report.is_missing_evidence(), "{report:?}");
}

#[test]
fn sources_see_who_asks() {
    let world = World::new();
    let chain = world.chain(&world.client("agent", &[world.server.url("/ca.crl")], &[]));
    let asked_as = |engine: Engine| {
        world.server.forget();
        let _report = engine.check_blocking(&chain, now(), WITHIN);
        let requests = world.server.requests();
        requests.first().and_then(|request| request.header("user-agent").map(str::to_owned))
    };
    let ours = concat!("certcheck/", env!("CARGO_PKG_VERSION"));
    assert_eq!(asked_as(world.engine()).as_deref(), Some(ours));
    let engine = world.builder().user_agent("front end/1".to_owned()).build().expect("builds");
    assert_eq!(asked_as(engine).as_deref(), Some("front end/1"));
    assert!(world.builder().user_agent("two\nlines".to_owned()).build().is_err());
}

/// A hold may be lifted (RFC 5280 5.3.1): what is past its nextUpdate and calls somebody revoked is asked for again.
#[test]
fn who_was_on_hold_is_looked_at_again() {
    let world = World::new();
    let cert = world.client("held", &[], &[world.server.url("/ocsp")]);
    let chain = world.chain(&cert);
    let engine = world.engine();
    let before = |seconds| Time::from_unix(now().unix() - seconds).to_string();
    let hold = || world.responder.revoke(&cert.serial, &before(9_000), Some("certificateHold"));
    // Current: nothing is missing, whatever the responder would say by now.
    world.responder.set_this_update(&before(600));
    world.responder.set_produced_at(&before(600));
    hold();
    let report = engine.check_blocking(&chain, now(), WITHIN);
    assert_eq!(outcome_of(&report), ("reject", "certificate-revoked", "ocsp"));
    assert!(!report.is_missing_evidence() && !engine.look_up(&chain, now()).is_missing_evidence());
    engine.forget();
    // Over, though by no more than clocks may differ.
    world.responder.set_next_update(Some(&before(60)));
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
    let by_memory = engine.look_up(&chain, now());
    assert_eq!(outcome_of(&by_memory).1, "certificate-revoked");
    assert!(by_memory.is_missing_evidence());
    world.responder.good(&cert.serial);
    // Who waits for nothing is refused once more, and has it fetched.
    assert_eq!(outcome_of(&engine.check_cached(&chain, now())).1, "certificate-revoked");
    let begun = Instant::now();
    while !engine.look_up(&chain, now()).is_accepted() {
        assert!(begun.elapsed() < WITHIN, "not fetched");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Where nothing newer is to be had, it stands.
    engine.forget();
    hold();
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
    world.server.break_with("/ocsp", Fault::Refuse);
    assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
}

#[test]
fn what_is_in_memory_is_listed_with_the_hosts_it_came_from() {
    let world = World::new();
    let engine = world.engine();
    assert_eq!((engine.evidence(10), engine.hosts()), (Vec::new(), Vec::new()));
    let chain = world.chain(&world.plain("listed"));
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    let evidence = engine.evidence(10);
    let urls: Vec<_> = evidence.iter().map(|one| one.url.to_string()).collect();
    assert_eq!(urls, [world.server.url("/ca.crl"), world.server.url("/root.crl")]);
    let crl = &evidence[0];
    assert_eq!((crl.kind.code(), crl.origin, crl.entries), ("crl", Origin::Network, Some(0)));
    assert_eq!(crl.issuer.as_deref(), Some("CN=CA,O=Fetch"));
    assert!(crl.this_update.is_some() && crl.bytes > 0);
    assert_eq!(engine.evidence(1).len(), 1);
    let hosts = engine.hosts();
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    assert!(hosts[0].failure.is_none() && hosts[0].failures == 0 && hosts[0].pause.is_none(), "{hosts:?}");

    // A host that fails says why. Both CRLs fail: the last exchange counts, and either can be the last.
    for path in ["/ca.crl", "/root.crl"] {
        world.server.serve(path, Page::new(b"no CRL"));
    }
    let engine = world.engine();
    assert!(!engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    let hosts = engine.hosts();
    assert!(hosts[0].failure.is_some(), "{hosts:?}");
}
