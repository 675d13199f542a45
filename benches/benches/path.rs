//! Path validation beside rustls-webpki, over the same certificates, algorithms and library of arithmetic.
//!
//! `total`: a chain that was never seen. `known issuer`: a new client under CAs seen before. `signatures`: the
//! arithmetic alone, the floor of both. What is above it is overhead.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::time::Duration;

use certcheck_benches::Always;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::x509::Certificate;
use certcheck_core::{Check, KeyRing, Policy, Revocation, Time, VerifiedIssuers};
use certcheck_testkit::{Cert, Key, keys};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};

const NOW: u64 = 1_800_000_000;

/// A client, its CAs from the bottom up, and the root.
struct Chain {
    root: Vec<u8>,
    presented: Vec<Vec<u8>>,
}

fn chain(key: fn(&str) -> Key, intermediates: usize) -> Chain {
    let root_key = key("root 0");
    let root = Cert::root("CN=Bench Root,O=Example", &root_key).issue(&root_key);
    let mut issuer = ("CN=Bench Root,O=Example".to_owned(), root_key);
    let mut presented = Vec::new();
    for n in 0..intermediates {
        let own = (format!("CN=Bench CA {n},O=Example"), key(&format!("bench ca {n}")));
        presented.push(Cert::ca(&own.0, &own.1, &issuer.0, &issuer.1).issue(&issuer.1));
        issuer = own;
    }
    let client = key("bench client");
    presented.push(Cert::leaf("CN=device,O=Example", &client, &issuer.0, &issuer.1).issue(&issuer.1));
    presented.reverse();
    Chain { root, presented }
}

fn ring_of(root: &[u8], intermediates: &[Vec<u8>]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("root", root, Placement::Anchor).unwrap();
    for der in intermediates {
        builder.add("ca", der, Placement::Intermediate).unwrap();
    }
    builder.build().unwrap()
}

fn verify_signatures(algorithm: &dyn SignatureVerificationAlgorithm, chain: &Chain) {
    let all: Vec<&[u8]> = chain.presented.iter().map(Vec::as_slice).chain([chain.root.as_slice()]).collect();
    for pair in all.windows(2) {
        let (child, issuer) = (Certificate::parse(pair[0]).unwrap(), Certificate::parse(pair[1]).unwrap());
        algorithm.verify_signature(issuer.spki().public_key, child.tbs(), child.signature()).unwrap();
    }
}

fn path(c: &mut Criterion) {
    type Kind = (&'static str, fn(&str) -> Key, &'static dyn SignatureVerificationAlgorithm);
    let kinds: [Kind; 2] = [
        ("P-256", Key::p256, webpki::ring::ECDSA_P256_SHA256),
        ("RSA-2048", keys::rsa2048, webpki::ring::RSA_PKCS1_2048_8192_SHA256),
    ];
    for (kind, key, algorithm) in kinds {
        let mut group = c.benchmark_group(format!("path {kind}"));
        for intermediates in 1..=3 {
            let chain = chain(key, intermediates);
            let certificates: Vec<CertificateDer<'_>> =
                chain.presented.iter().map(|der| der.as_slice().into()).collect();
            let ring = ring_of(&chain.root, &[]);
            let policy = Policy::client(Revocation::Off);
            let now = Time::from_unix(i64::try_from(NOW).unwrap());

            group.bench_function(BenchmarkId::new("signatures", intermediates), |b| {
                b.iter(|| verify_signatures(algorithm, &chain));
            });
            group.bench_function(BenchmarkId::new("certcheck", intermediates), |b| {
                b.iter(|| assert!(Check::new(&certificates, &ring, &policy, now).run().is_accepted()));
            });
            let issuers = VerifiedIssuers::new();
            assert!(
                Check::new(&certificates, &ring, &policy, now)
                    .with_verified_issuers(&issuers)
                    .run()
                    .is_accepted()
            );
            group.bench_function(BenchmarkId::new("certcheck, known issuer", intermediates), |b| {
                b.iter(|| {
                    let check =
                        Check::new(&certificates, &ring, &policy, now).with_verified_issuers(&issuers);
                    assert!(check.run().is_accepted());
                });
            });
            let root = CertificateDer::from(chain.root.as_slice());
            let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
            let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
            group.bench_function(BenchmarkId::new("webpki", intermediates), |b| {
                b.iter(|| {
                    let target = webpki::EndEntityCert::try_from(&certificates[0]).unwrap();
                    let usage = webpki::KeyUsage::client_auth();
                    target
                        .verify_for_usage(&[algorithm], &anchors, &certificates[1..], time, usage, None, None)
                        .unwrap();
                });
            });
        }
        group.finish();
    }
}

/// What both do beside arithmetic: signatures that always verify.
fn overhead(c: &mut Criterion) {
    let mut group = c.benchmark_group("overhead");
    for intermediates in 1..=3 {
        let chain = chain(Key::p256, intermediates);
        let certificates: Vec<CertificateDer<'_>> =
            chain.presented.iter().map(|der| der.as_slice().into()).collect();
        let (bare, full) = (ring_of(&chain.root, &[]), ring_of(&chain.root, &chain.presented[1..]));
        let mut policy = Policy::client(Revocation::Off);
        policy.signatures.algorithms = certcheck_core::policy::Algorithms::new(&[&Always]);
        let now = Time::from_unix(i64::try_from(NOW).unwrap());
        group.bench_function(BenchmarkId::new("certcheck", intermediates), |b| {
            b.iter(|| assert!(Check::new(&certificates, &bare, &policy, now).run().is_accepted()));
        });
        group.bench_function(BenchmarkId::new("certcheck, intermediates in the ring", intermediates), |b| {
            b.iter(|| assert!(Check::new(&certificates[..1], &full, &policy, now).run().is_accepted()));
        });
        let root = CertificateDer::from(chain.root.as_slice());
        let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
        let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        group.bench_function(BenchmarkId::new("webpki", intermediates), |b| {
            b.iter(|| {
                let target = webpki::EndEntityCert::try_from(&certificates[0]).unwrap();
                let usage = webpki::KeyUsage::client_auth();
                target
                    .verify_for_usage(&[&Always], &anchors, &certificates[1..], time, usage, None, None)
                    .unwrap();
            });
        });
    }
    let chain = chain(Key::p256, 1);
    group.bench_function("view a certificate", |b| {
        b.iter(|| Certificate::parse(&chain.presented[0]).unwrap())
    });
    let large: Vec<_> = (0..10_000)
        .map(|n| {
            Cert::ca(
                &format!("CN=CA {n}"),
                &Key::p256("many"),
                "CN=Bench Root,O=Example",
                &Key::p256("root 0"),
            )
        })
        .map(|cert| cert.issue(&Key::p256("root 0")))
        .chain(chain.presented[1..].iter().cloned())
        .collect();
    let ring = ring_of(&chain.root, &large);
    let certificates: Vec<CertificateDer<'_>> =
        chain.presented.iter().map(|der| der.as_slice().into()).collect();
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.algorithms = certcheck_core::policy::Algorithms::new(&[&Always]);
    let now = Time::from_unix(i64::try_from(NOW).unwrap());
    group.bench_function("certcheck, ring of 10,000", |b| {
        b.iter(|| assert!(Check::new(&certificates[..1], &ring, &policy, now).run().is_accepted()));
    });
    group.finish();
}

criterion_group!(benches, path, overhead);
criterion_main!(benches);
