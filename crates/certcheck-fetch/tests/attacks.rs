//! Attacks on what is fetched and kept that take more than one broken answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use certcheck_core::policy::RevocationScope;
use certcheck_fetch::store::{MemoryStore, Store};
use certcheck_fetch::{Engine, FetchLimits};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::server::{Page, Request, Server};
use certcheck_testkit::world::{CA, Names, World, at, loopback, now, outcome_of};
use futures_util::FutureExt as _;

const WITHIN: Duration = Duration::from_secs(30);

/// An answer of yesterday that is still current, played after one of today: RFC 6960 5.
#[test]
fn an_older_answer_does_not_take_the_place_of_a_newer() {
    for reason in ["keyCompromise", "certificateHold"] {
        let world = World::new();
        let client = world.client(reason, &[], &[world.server.url("/ocsp")]);
        let chain = world.chain(&client);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100));
        let engine = world.builder().store(Arc::clone(&store)).build().expect("builds");
        world.responder.set_this_update("2027-01-01T12:00:00Z");
        world.responder.set_next_update(Some("2027-01-03T12:00:00Z"));
        world.responder.revoke(&client.serial, "2027-01-01T11:00:00Z", Some(reason));
        assert_eq!(outcome_of(&engine.check_blocking(&chain, now(), WITHIN)).1, "certificate-revoked");
        // Captured yesterday, before it was revoked.
        world.responder.set_this_update("2027-01-01T00:00:00Z");
        world.responder.set_next_update(Some("2027-01-10T00:00:00Z"));
        world.responder.good(&client.serial);
        engine.flush_blocking();
        // What memory has counts; and where that is lost, what the store has.
        let forgets = [Engine::forget_paths, Engine::forget];
        let times = [now(), at("2027-01-03T13:00:00Z"), at("2027-01-09T00:00:00Z")];
        for (forget, time) in forgets.into_iter().flat_map(|forget| times.map(|time| (forget, time))) {
            forget(&engine);
            for _ in 0..2 {
                let report = engine.check_blocking(&chain, time, WITHIN);
                assert!(!report.is_accepted(), "{reason} at {time:?}: {report:?}");
                if reason == "keyCompromise" || time == now() {
                    assert_eq!(outcome_of(&report).1, "certificate-revoked", "{reason} at {time:?}");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        engine.flush_blocking();
        let kept = store.list().now_or_never().expect("at once").expect("lists");
        let newer = Some(at("2027-01-01T12:00:00Z"));
        assert!(
            kept.iter()
                .filter(|entry| entry.request.url().ends_with("/ocsp"))
                .all(|e| e.this_update == newer)
        );
        // Who begins with that store knows what this engine knows.
        let other = world.builder().store(store).build().expect("builds");
        assert_eq!(
            outcome_of(&other.check_blocking(&chain, now(), WITHIN)).1,
            "certificate-revoked",
            "{reason}"
        );
        // A newer one lifts a hold.
        if reason == "certificateHold" {
            world.responder.set_this_update("2027-01-03T12:30:00Z");
            std::thread::sleep(Duration::from_millis(300));
            let report = engine.check_blocking(&chain, at("2027-01-03T13:00:00Z"), WITHIN);
            assert!(report.is_accepted(), "{report:?}");
        }
    }
}

/// Known clients are known by all their bytes: a tail that hashes alike is not enough.
#[test]
fn a_known_certificate_with_one_byte_changed_is_a_stranger() {
    let world = World::new();
    let engine = world.engine();
    let client = world.plain("known");
    let chain = world.chain(&client);
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    assert!(engine.check_cached(&chain, now()).is_of_known_path());
    let der = chain[0].to_vec();
    let name = der.windows(5).position(|window| window == b"known").expect("its name");
    let mut changed = der.clone();
    changed[name] = b'K';
    let changed = vec![changed.into()];
    for _ in 0..2 {
        let report = engine.check_blocking(&changed, now(), WITHIN);
        assert_eq!(outcome_of(&report).1, "bad-signature");
        assert!(!report.is_of_known_path());
        assert_eq!(outcome_of(&engine.look_up(&changed, now())).1, "bad-signature");
    }
    assert!(engine.check_cached(&chain, now()).is_of_known_path());
}

/// `Cache-Control` speaks of copies, not of certificates: an answer is over when it says so.
#[test]
fn an_answer_ends_with_its_next_update_whatever_the_http_cache_says() {
    let world = World::new();
    let client = world.client("cached", &[], &[world.server.url("/kept")]);
    let chain = world.chain(&client);
    world.responder.set_next_update(Some("2027-01-03T00:00:00Z"));
    world.responder.good(&client.serial);
    let answer = world.responder.handler();
    world.server.serve_with("/kept", move |request| {
        answer(request).with_header("Cache-Control", "public, max-age=31536000, immutable")
    });
    let engine = world.engine();
    assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted());
    let asked = world.server.count("/kept");
    world.responder.set_this_update("2027-01-03T00:00:00Z");
    world.responder.set_next_update(Some("2027-01-05T00:00:00Z"));
    world.responder.revoke(&client.serial, "2027-01-02T12:00:00Z", Some("keyCompromise"));
    let report = engine.check_blocking(&chain, at("2027-01-03T06:00:00Z"), WITHIN);
    assert_eq!(outcome_of(&report).1, "certificate-revoked");
    assert!(world.server.count("/kept") > asked);
}

/// Credentials of a proxy are for the proxy: each hop of a redirect goes through it, and no origin gets them.
#[test]
fn credentials_of_a_proxy_are_for_the_proxy_alone() {
    let world = World::new();
    let (proxy, origin) = (Server::start(), Server::start());
    let crl = CrlBuilder::new(CA).issue(&world.ca);
    let onward = origin.url("/ca.crl");
    origin.serve("/ca.crl", Page::new(&crl));
    proxy.serve_with("/moved.crl", move |_| Page::redirect(&onward));
    proxy.serve("/ca.crl", Page::new(crl));
    let mut address: url::Url = proxy.url("/").parse().expect("a URL");
    address.set_username("certcheck").expect("set");
    address.set_password(Some("secret")).expect("set");
    let mut policy = world.policy();
    policy.revocation_scope = RevocationScope::Leaf;
    let engine = Engine::builder(world.ring(), policy)
        .guard(loopback())
        .refreshes(false)
        .proxy(address)
        .build()
        .expect("builds");
    let chain = world.chain(&world.client("proxied", &["http://a.example/moved.crl".to_owned()], &[]));
    let report = engine.check_blocking(&chain, now(), WITHIN);
    assert!(report.is_accepted(), "{report:?}");
    let asked = proxy.requests();
    assert_eq!(asked.iter().map(Request::plain_path).collect::<Vec<_>>(), ["/moved.crl", "/ca.crl"]);
    for request in &asked {
        assert!(request.header("Proxy-Authorization").is_some(), "the proxy asks for them");
        assert!(request.header("Authorization").is_none(), "an origin would get them");
    }
    assert_eq!(origin.count("/"), 0, "nothing goes around the proxy");
}

/// Many clients, each with a question of its own for one slow responder: it is not flooded, and nobody else waits for it.
#[test]
fn a_slow_host_gets_few_requests_at_once_and_holds_nobody_up() {
    const CLIENTS: usize = 200;
    let world = World::new();
    let mut limits = FetchLimits::default();
    limits.at_once_per_host = 8;
    let (now_at_once, max) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (answer, counter, peak) = (world.responder.handler(), Arc::clone(&now_at_once), Arc::clone(&max));
    world.server.serve_with("/slow", move |request| -> Page {
        peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(100));
        counter.fetch_sub(1, Ordering::SeqCst);
        answer(request)
    });
    let urls = ["slow.example", "other.example"];
    let names = Names::new(&urls.map(|name| (name, &["127.0.0.1"][..])));
    let engine = world.builder().limits(limits).resolver(Arc::new(names)).build().expect("builds");
    let engine = Arc::new(engine);
    let client = |name: &str, host: &str, path: &str| {
        let cert = world.client(name, &[], &[world.server.url_as(host, path)]);
        world.responder.good(&cert.serial);
        world.chain(&cert)
    };
    let slow: Vec<_> =
        (0..CLIENTS).map(|n| client(&format!("slow {n}"), "slow.example", &format!("/slow/{n}"))).collect();
    let other = client("other", "other.example", "/ocsp");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runs");
    let within = PATIENCE;
    let begun = Instant::now();
    let (others_turn, asked_by_then, last) = runtime.block_on(async {
        let checks: Vec<_> = slow
            .into_iter()
            .map(|chain| {
                let engine = Arc::clone(&engine);
                tokio::spawn(async move { engine.check(&chain, now(), within).await.is_accepted() })
            })
            .collect();
        // So that the others have come before it; on a busy machine some come later, which is no fault.
        tokio::time::sleep(Duration::from_millis(300)).await;
        while now_at_once.load(Ordering::SeqCst) < 2 {
            assert!(begun.elapsed() < within, "the slow host is not asked");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let asked = begun.elapsed();
        assert!(engine.check(&other, now(), within).await.is_accepted());
        let others_turn = begun.elapsed() - asked;
        let asked_by_then = world.server.count("/slow");
        for check in checks {
            assert!(check.await.expect("runs"), "all are answered in the end");
        }
        (others_turn, asked_by_then, begun.elapsed())
    });
    let max = max.load(Ordering::SeqCst);
    println!("{CLIENTS} clients in {last:?}, {max} at once; another host's in {others_turn:?}");
    assert!((2..=8).contains(&max), "{max} at once");
    // By what the slow host has done, and not by time: a busy machine is slow for both.
    assert!(asked_by_then < CLIENTS * 2 / 3, "{asked_by_then} had their turn before");
}
