//! What a check costs when its evidence is in memory: of a client that is known, of one that is seen for the first time, on
//! one thread and on two; and that a known one allocates nothing.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, reason = "a benchmark, which counts allocations")]

mod counting;

use std::time::{Duration, Instant};

use certcheck_benches::{CA, ca_key, crl};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key};
use counting::allocations;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pki_types::CertificateDer;

const ROOT: &str = "O=Bench,CN=Root";
const UPPER: &str = "O=Bench,CN=Upper CA";
const WITHIN: Duration = Duration::from_secs(60);

fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap()
}

/// An engine with all evidence in memory: a CRL of a million entries, two small ones, OCSP for the first client.
struct Scene {
    engine: Engine,
    /// Clients, each its own certificate; the first is known.
    clients: Vec<Vec<CertificateDer<'static>>>,
    _server: Server,
}

fn scene(clients: usize) -> Scene {
    let key = |name: &str| Key::p256(&format!("bench engine {name}"));
    let (root, upper, lower) = (key("root"), key("upper"), ca_key());
    let server = Server::start();
    let point = |path: &str| ext::cdp(&[Point::urls(&[server.url(path)])]);
    server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).issue(&root)));
    server.serve("/upper.crl", Page::new(CrlBuilder::new(UPPER).issue(&upper)));
    server.serve("/lower.crl", Page::new(crl(1_000_000).0));
    let responder = OcspResponder::new(CA, lower.clone());
    server.serve_with("/ocsp", responder.handler());
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).unwrap();
    let upper_cert = Cert::ca(UPPER, &upper, ROOT, &root).with([point("/root.crl")]);
    builder.add("upper", &upper_cert.issue(&root), Placement::Intermediate).unwrap();
    let lower_cert = Cert::ca(CA, &lower, UPPER, &upper).with([point("/upper.crl")]);
    builder.add("lower", &lower_cert.issue(&upper), Placement::Intermediate).unwrap();
    let client = |n: usize| {
        let key = key(&format!("client {n}"));
        let mut cert =
            Cert::leaf(&format!("O=Bench,CN=client {n}"), &key, CA, &lower).with([point("/lower.crl")]);
        if n == 0 {
            cert = cert.with([ext::aia(&[server.url("/ocsp")], &[])]);
            responder.good(&cert.serial);
        }
        vec![CertificateDer::from(cert.issue(&lower))]
    };
    let clients: Vec<_> = (0..clients).map(client).collect();
    let engine = Engine::builder(builder.build().unwrap(), Policy::client(Revocation::HardFail))
        .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
        .refreshes(false)
        .build()
        .unwrap();
    for chain in clients.iter().take(2) {
        let report = engine.check_blocking(chain, now(), WITHIN);
        assert!(report.is_accepted(), "{report:?}");
        assert!(engine.check_cached(chain, now()).is_of_known_path());
    }
    Scene { engine, clients, _server: server }
}

fn known(c: &mut Criterion) {
    let scene = scene(2);
    let mut group = c.benchmark_group("a client that is known");
    for (word, chain) in
        [("by OCSP and a CRL of 10^6", &scene.clients[0]), ("by a CRL of 10^6", &scene.clients[1])]
    {
        let check = || assert!(scene.engine.check_cached(chain, now()).is_of_known_path());
        let before = allocations();
        check();
        assert_eq!(allocations(), before, "nothing is allocated");
        group.bench_function(word, |b| b.iter(check));
    }
    // What two threads of this machine are worth, by arithmetic that shares nothing.
    let sum = || {
        let mut number = std::hint::black_box(1_u64);
        for _ in 0..100 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7);
        }
        std::hint::black_box(number);
    };
    println!("two threads, arithmetic alone: {:.2} times", together(sum, sum) / alone(sum));
    // Two threads: one client for both, and one for each.
    for (word, second) in [("two threads, one client", 0), ("two threads, a client each", 1)] {
        let one = alone(|| assert!(scene.engine.check_cached(&scene.clients[0], now()).is_accepted()));
        let two = together(
            || assert!(scene.engine.check_cached(&scene.clients[0], now()).is_accepted()),
            || assert!(scene.engine.check_cached(&scene.clients[second], now()).is_accepted()),
        );
        println!("{word}: {one:.0} a second on one, {two:.0} on two, {:.2} times", two / one);
    }
    group.finish();
}

const ROUNDS: u32 = 400_000;

fn alone(work: impl Fn()) -> f64 {
    let begun = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    f64::from(ROUNDS) / begun.elapsed().as_secs_f64()
}

fn together(first: impl Fn() + Sync, second: impl Fn() + Sync) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..ROUNDS).for_each(|_| first()));
        scope.spawn(|| (0..ROUNDS).for_each(|_| second()));
    });
    f64::from(2 * ROUNDS) / begun.elapsed().as_secs_f64()
}

fn first_seen(c: &mut Criterion) {
    let scene = scene(3_000);
    let mut group = c.benchmark_group("a client seen for the first time");
    group.throughput(Throughput::Elements(1));
    let mut next = scene.clients.iter().skip(2).cycle();
    let mut seen = 0;
    group.bench_function("its evidence in memory", |b| {
        b.iter(|| {
            seen += 1;
            if seen % (scene.clients.len() - 2) == 0 {
                // All were seen: begin again.
                scene.engine.forget_paths();
            }
            assert!(scene.engine.look_up(next.next().unwrap(), now()).is_accepted());
        });
    });
    group.finish();
}

criterion_group!(benches, known, first_seen);
criterion_main!(benches);
