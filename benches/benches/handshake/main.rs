//! What a handshake costs a server that checks its clients, beside one that does not and beside rustls's own verifier;
//! how many it can do on one thread and on two.
//!
//! rustls on both sides, in memory, P-256, X25519, ring, no resumption; a client presents itself and its CA. Only the
//! server's time counts, but for the acceptor. What has to be compared within some percent is measured in turn, in one loop, and
//! printed as a table; the groups of criterion follow one another, and the machine changes between them.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

mod acceptor;
mod measure;
mod rate;
mod scene;

use std::time::{Duration, Instant};

use acceptor::AcceptorWorks;
use certcheck_core::x509::Certificate;
use criterion::{Criterion, criterion_group, criterion_main};
use measure::{Work, handshake, in_turn, is_measured, is_whole, table};
use rate::rates;
use scene::{Scene, Versions};

const TLS12: Versions = &[&rustls::version::TLS12];
const TLS13: Versions = &[&rustls::version::TLS13];

const MINIMUM: &str = "floor, any certificate accepted";
const KNOWN: &str = "certcheck, known client";
const WEBPKI: &str = "WebPkiClientVerifier, no CRL";
const MILLION: &str = "WebPkiClientVerifier, CRL of 10^6";

/// Floor, known client, and rustls's own without CRLs: what both versions are measured with.
fn three(scene: &Scene, versions: Versions) -> Vec<Work<'_>> {
    let client = scene.known_client();
    [
        (MINIMUM, scene.minimum(versions)),
        (KNOWN, scene.certcheck(versions)),
        (WEBPKI, scene.webpki(versions, None)),
    ]
    .map(|(name, server)| Work::handshake(name, server, client.clone()))
    .into()
}

fn million(scene: &Scene) -> Work<'_> {
    Work::handshake(MILLION, scene.webpki(TLS13, Some(1_000_000)), scene.known_client()).every(50)
}

fn all(scene: &Scene) -> Vec<Work<'_>> {
    let mut works = three(scene, TLS13);
    let (server, strangers) = (scene.certcheck(TLS13), scene.strangers(0));
    let client = scene.client(&strangers);
    works.push(Work::new("certcheck, first seen", move || {
        if strangers.are_over() {
            scene.forget();
        }
        handshake(&server, &client)
    }));
    works.push(Work::handshake("no client certificate", scene.server(TLS13, None), scene.known_client()));
    for (entries, word) in [(100, "10^2"), (10_000, "10^4")] {
        let name = format!("WebPkiClientVerifier, CRL of {word}");
        works.push(Work::handshake(name, scene.webpki(TLS13, Some(entries)), scene.known_client()));
    }
    works.push(million(scene));
    works
}

/// A client certificate's own signature, which nobody can do without who sees it for the first time.
fn signature(scene: &Scene) -> Work<'_> {
    let [leaf, issuer] = scene.known() else { unreachable!() };
    Work::new("one signature of P-256 verified", move || {
        let (leaf, issuer) = (Certificate::parse(leaf).unwrap(), Certificate::parse(issuer).unwrap());
        let begun = Instant::now();
        let verified = webpki::ring::ECDSA_P256_SHA256.verify_signature(
            issuer.spki().public_key,
            leaf.tbs(),
            leaf.signature(),
        );
        let spent = begun.elapsed();
        verified.unwrap();
        spent
    })
}

/// The check alone, of a client that is known and of one that is not, each after a handshake of the floor: with the caches
/// as a handshake leaves them, which no loop over checks alone shows.
fn checks(scene: &Scene) -> [Work<'_>; 2] {
    let (server, client) = (scene.minimum(TLS13), scene.known_client());
    let (minimum, strangers) = ((server.clone(), client.clone()), scene.strangers(1));
    [
        Work::new("check of a known client, amid handshakes", move || {
            handshake(&server, &client);
            scene.check(scene.known())
        }),
        Work::new("check of one first seen, amid handshakes", move || {
            handshake(&minimum.0, &minimum.1);
            if strangers.are_over() {
                scene.forget();
            }
            scene.check(&strangers.next().cert)
        }),
    ]
}

fn group(c: &mut Criterion, name: &str, works: &[Work<'_>]) {
    let mut group = c.benchmark_group(name);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for work in works {
        group.sample_size(if work.every > 1 { 10 } else { 100 });
        group.bench_function(&work.name, |b| b.iter_custom(|n| (0..n).map(|_| (work.once)()).sum()));
    }
    group.finish();
}

fn show(file: &str, works: &[Work<'_>], rounds: usize) {
    if !is_whole() {
        return;
    }
    let medians = in_turn(works, rounds);
    let rows: Vec<(&str, f64)> = works.iter().map(|work| work.name.as_str()).zip(medians).collect();
    table(file, "us", &works[0].name, &rows);
}

fn cost(c: &mut Criterion, scene: &Scene) {
    let mut works = all(scene);
    group(c, "what a handshake costs the server", &works);
    works.push(signature(scene));
    works.extend(checks(scene));
    show("handshake-tls13", &works, 4_000);
    let works = three(scene, TLS12);
    group(c, "what a handshake costs the server, TLS 1.2", &works);
    show("handshake-tls12", &works, 4_000);
}

fn acceptor(c: &mut Criterion, scene: &Scene) {
    let acceptors = AcceptorWorks::new(scene);
    let works = acceptors.works();
    group(c, "acceptor with client and pipe", &works);
    show("handshake-acceptor", &works, 4_000);
}

fn rate(scene: &Scene) {
    if !is_whole() {
        return;
    }
    let mut works = three(scene, TLS13);
    works.push(million(scene));
    let rates = rates(&works);
    for (at, threads) in ["one thread", "two threads"].into_iter().enumerate() {
        let rows: Vec<(&str, f64)> =
            works.iter().zip(&rates).map(|(work, rate)| (work.name.as_str(), rate[at])).collect();
        table(&format!("rate-{}", threads.replace(' ', "-")), "handshakes a second", WEBPKI, &rows);
        let rate = |name| rows.iter().find(|(known, _)| *known == name).unwrap().1;
        println!("  {KNOWN}, {threads}: {:.0} times {MILLION}", rate(KNOWN) / rate(MILLION));
    }
}

fn handshakes(c: &mut Criterion) {
    let scene = Scene::new();
    cost(c, &scene);
    acceptor(c, &scene);
    rate(&scene);
    if !is_measured() {
        println!("one round each: no figures");
    }
}

criterion_group!(benches, handshakes);
criterion_main!(benches);
