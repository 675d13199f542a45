//! What a client costs that is seen for the first time under an issuer that is known, all evidence being in memory: with
//! P-256, and with signatures that always verify, which shows what it costs beside the one signature.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::time::Duration;

use certcheck_benches::{Always, CA, ca_key, crl};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::Algorithms;
use certcheck_core::x509::Certificate;
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key};
use criterion::{Criterion, criterion_group, criterion_main};
use pki_types::CertificateDer;

const ROOT: &str = "O=Bench,CN=Root";
const WITHIN: Duration = Duration::from_secs(60);
const CLIENTS: usize = 500;

fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap()
}

/// Where the evidence about the clients is, and where the intermediate comes from.
struct Kind {
    word: &'static str,
    by_crl: bool,
    by_ocsp: bool,
    is_presented: bool,
}

const KINDS: [Kind; 4] = [
    Kind { word: "a CRL of 10^6", by_crl: true, by_ocsp: false, is_presented: false },
    Kind { word: "a CRL of 10^6, intermediate presented", by_crl: true, by_ocsp: false, is_presented: true },
    Kind { word: "OCSP", by_crl: false, by_ocsp: true, is_presented: false },
    Kind { word: "OCSP and a CRL of 10^6", by_crl: true, by_ocsp: true, is_presented: false },
];

struct Scene {
    engine: Engine,
    clients: Vec<Vec<CertificateDer<'static>>>,
    _server: Server,
}

fn scene(kind: &Kind, algorithms: Option<Algorithms>, large: &[u8]) -> Scene {
    let key = |name: &str| Key::p256(&format!("bench first seen {name}"));
    let (root, ca) = (key("root"), ca_key());
    let server = Server::start();
    server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).issue(&root)));
    server.serve("/ca.crl", Page::new(large));
    let responder = OcspResponder::new(CA, ca.clone());
    server.serve_with("/ocsp", responder.handler());
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).unwrap();
    let point = |path: &str| ext::cdp(&[Point::urls(&[server.url(path)])]);
    let ca_cert = Cert::ca(CA, &ca, ROOT, &root).with([point("/root.crl")]).issue(&root);
    if !kind.is_presented {
        builder.add("ca", &ca_cert, Placement::Intermediate).unwrap();
    }
    let client = |n: usize| {
        let key = key(&format!("client {n}"));
        let mut cert = Cert::leaf(&format!("O=Bench,CN=client {n}"), &key, CA, &ca);
        if kind.by_crl {
            cert = cert.with([point("/ca.crl")]);
        }
        if kind.by_ocsp {
            cert = cert.with([ext::aia(&[server.url("/ocsp")], &[])]);
            responder.good(&cert.serial);
        }
        let mut chain = vec![CertificateDer::from(cert.issue(&ca))];
        if kind.is_presented {
            chain.push(CertificateDer::from(ca_cert.clone()));
        }
        chain
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut policy = Policy::client(Revocation::HardFail);
    policy.signatures.algorithms = algorithms.unwrap_or_default();
    let engine = Engine::builder(builder.build().unwrap(), policy)
        .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
        .refreshes(false)
        .build()
        .unwrap();
    for chain in &clients {
        assert!(engine.check_blocking(chain, now(), WITHIN).is_accepted());
    }
    engine.forget_paths();
    Scene { engine, clients, _server: server }
}

fn first_seen(c: &mut Criterion) {
    let (large, _) = crl(1_000_000);
    for (word, algorithms) in
        [("P-256", None), ("signatures that always verify", Some(Algorithms::new(&[&Always])))]
    {
        let mut group = c.benchmark_group(format!("first seen, {word}"));
        for kind in &KINDS {
            let scene = scene(kind, algorithms, &large);
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
