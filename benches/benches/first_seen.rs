//! What a client costs that is seen for the first time under an issuer that is known, all evidence being in memory: with
//! P-256, and with signatures that always verify, which shows what it costs beside the one signature.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use certcheck_benches::first_seen::{KINDS, Scene, now};
use certcheck_benches::{Always, CA, ca_key, crl};
use certcheck_core::policy::Algorithms;
use certcheck_core::x509::Certificate;
use certcheck_testkit::{Cert, Key};
use criterion::{Criterion, criterion_group, criterion_main};

fn first_seen(c: &mut Criterion) {
    let (large, _) = crl(1_000_000);
    for (word, algorithms) in
        [("P-256", None), ("signatures that always verify", Some(Algorithms::new(&[&Always])))]
    {
        let mut group = c.benchmark_group(format!("first seen, {word}"));
        for kind in &KINDS {
            let scene = Scene::new(kind, algorithms, &large);
            let mut seen = 0;
            group.bench_function(kind.word, |b| {
                b.iter(|| {
                    if seen == scene.clients.len() {
                        // All were seen: begin again.
                        scene.engine.forget_paths();
                        seen = 0;
                    }
                    let report = scene.engine.look_up(&scene.clients[seen], now());
                    seen += 1;
                    assert!(report.is_accepted() && !report.is_of_known_path());
                });
            });
        }
        group.finish();
    }
    let ca = ca_key();
    let leaf = Cert::leaf("O=Bench,CN=client", &Key::p256("bench first seen client 0"), CA, &ca).issue(&ca);
    let (issuer, leaf) = (certcheck_benches::ca(), leaf);
    let (issuer, leaf) = (Certificate::parse(&issuer).unwrap(), Certificate::parse(&leaf).unwrap());
    c.bench_function("first seen, the signature alone", |b| {
        b.iter(|| {
            webpki::ring::ECDSA_P256_SHA256
                .verify_signature(issuer.spki().public_key, leaf.tbs(), leaf.signature())
                .unwrap();
        });
    });
}

criterion_group!(benches, first_seen);
criterion_main!(benches);
