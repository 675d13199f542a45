//! Sources that drip, and clients that name them: nobody else waits for that, whichever way checks are asked for.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use certcheck_fetch::{Engine, FetchLimits};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::server::{Dripper, Page};
use certcheck_testkit::world::{CA, Names, World, loopback, now, outcome_of};
use pki_types::CertificateDer;

/// Nothing here takes so long unless somebody starves.
const WITHIN: Duration = Duration::from_secs(30);

/// Until this is so; false if it takes too long.
fn comes(is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + WITHIN;
    while !is_so() {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

fn engine(world: &World, names: Names) -> Engine {
    world
        .builder()
        .limits(FetchLimits::default())
        .guard(loopback())
        .resolver(Arc::new(names))
        .build()
        .expect("builds")
}

/// Clients of the same issuer, each with so many sources that drip.
fn greedy(
    world: &World,
    drippers: &[Dripper],
    clients: usize,
    urls: usize,
) -> Vec<Vec<CertificateDer<'static>>> {
    let url = |client: usize, n: usize| {
        let host = client * urls + n;
        drippers[host % drippers.len()].url_as(&format!("d{host}.example"), "/a.crl")
    };
    let one = |client: usize| {
        let urls: Vec<_> = (0..urls).map(|n| url(client, n)).collect();
        world.chain(&world.client(&format!("greedy {client}"), &urls, &[]))
    };
    (0..clients).map(one).collect()
}

/// Each host at one of the drippers' addresses.
fn names(drippers: &[Dripper], hosts: usize) -> Names {
    let of = |n: usize| (format!("d{n}.example"), drippers[n % drippers.len()].address().ip().to_string());
    let all: Vec<_> = (0..hosts).map(of).collect();
    let known: Vec<_> = all.iter().map(|(name, ip)| (name.as_str(), [ip.as_str()])).collect();
    Names::new(&known.iter().map(|(name, ip)| (*name, &ip[..])).collect::<Vec<_>>())
}

/// A server that a handshake reports to (the verifier): one client, 256 handshakes, one source.
#[test]
fn a_client_that_comes_again_and_again_takes_one_permit() {
    let world = World::new();
    let dripper = Dripper::start(1, 200);
    let bad = world.chain(&world.client("again", &[dripper.url_as("127.0.0.1", "/a.crl")], &[]));
    let good = world.chain(&world.plain("good"));
    let engine = engine(&world, Names::default());
    for _ in 0..256 {
        assert!(!engine.check_cached(&bad, now()).is_accepted());
    }
    assert!(comes(|| dripper.open() == 1), "{}", dripper.open());
    assert!(!engine.check_cached(&good, now()).is_accepted(), "not known yet");
    assert!(comes(|| engine.look_up(&good, now()).is_accepted()), "nothing was fetched for it");
    assert_eq!(dripper.open(), 1, "and the other one drips on");
}

/// The same with clients enough for all permits to prefetch.
#[test]
fn prefetches_of_many_greedy_clients_leave_room() {
    let world = World::new();
    let drippers: Vec<_> = (2..=9).map(|n| Dripper::start(n, 200)).collect();
    let all = greedy(&world, &drippers, 300, 1);
    let engine = engine(&world, names(&drippers, 300));
    let good = world.chain(&world.plain("good"));
    for chain in &all {
        let _refused = engine.check_cached(chain, now());
    }
    let open = || drippers.iter().map(Dripper::open).sum::<usize>();
    assert!(comes(|| open() >= 16), "{}", open());
    assert!(comes(|| engine.check_cached(&good, now()).is_accepted()), "nothing was fetched for it");
    assert!(open() >= 16, "and the others drip on: {}", open());
}

/// A server that waits for evidence (the acceptor): clients with ten sources each.
#[test]
fn sources_that_drip_keep_nobody_else_waiting() {
    for (clients, addresses) in [(7, 10), (7, 1), (40, 10)] {
        let world = World::new();
        let drippers: Vec<_> = (1..=addresses).map(|n| Dripper::start(n, 200)).collect();
        let all = greedy(&world, &drippers, clients, 10);
        let engine = Arc::new(engine(&world, names(&drippers, clients * 10)));
        let attack: Vec<_> = all
            .into_iter()
            .map(|chain| {
                let engine = Arc::clone(&engine);
                thread::spawn(move || engine.check_blocking(&chain, now(), Duration::from_secs(2)))
            })
            .collect();
        let open = || drippers.iter().map(Dripper::open).sum::<usize>();
        assert!(comes(|| open() >= clients.min(16)), "{}", open());
        // At once, and while they try one source after the other.
        for turn in 0..4 {
            let good = world.chain(&world.client(&format!("good {turn}"), &[own(&world, turn)], &[]));
            let begun = Instant::now();
            let report = engine.check_blocking(&good, now(), WITHIN);
            let (took, open) = (begun.elapsed(), open());
            println!("{clients} clients, {addresses} addresses: good after {took:?}, {open} drip");
            assert!(report.is_accepted(), "{clients} clients, {addresses} addresses: {report:?}");
            assert!(open >= clients.min(16), "the others drip on: {open}");
            thread::sleep(Duration::from_millis(800));
        }
        for check in attack {
            let report = check.join().expect("ends");
            assert_eq!(outcome_of(&report).1, "revocation-unknown");
        }
    }
}

/// A source that is asked by nobody else.
fn own(world: &World, turn: usize) -> String {
    let path = format!("/{turn}.crl");
    let crl = CrlBuilder::new(CA).issue(&world.ca);
    world.server.serve(&path, Page::new(crl));
    world.server.url(&path)
}

/// A body that brings less than the minimum rate is given up; one that is short is not.
#[test]
fn a_body_has_a_minimum_rate() {
    let world = World::new();
    let mut limits = FetchLimits::default();
    limits.min_rate_after = Duration::from_secs(1);
    let dripper = Dripper::start(1, 50);
    let engine = world.builder().limits(limits).build().expect("builds");
    let chain = world.chain(&world.client("slow", &[dripper.url_as("127.0.0.1", "/a.crl")], &[]));
    let report = engine.check_blocking(&chain, now(), Duration::from_secs(30));
    let shown: Vec<_> = report.sources().iter().filter_map(|source| source.failure.as_ref()).collect();
    assert!(shown.iter().any(|(_, detail)| detail.contains("fewer than 1024 a second")), "{shown:?}");
    assert!(comes(|| dripper.open() == 0), "it is given up");
}
