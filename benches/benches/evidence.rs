//! Evidence: CRLs read, verified and indexed beside rustls-webpki, OpenSSL and the hash that is the floor of all; looked
//! up; opened again; what revocation adds to a check; OCSP beside its signature.
//!
//! CRLs of 10^7 entries are for machines with time: `CERTCHECK_BENCH_LARGE=1`.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, reason = "a benchmark, which counts allocations")]

mod counting;

use std::process::{Command, Stdio};

use bytes::Bytes;
use certcheck_benches::path_of_three::PathOfThree;
use certcheck_benches::{Always, CA, ca, ca_key, crl};
use certcheck_core::crl::{Crl, IndexTrust};
use certcheck_core::revocation::OcspEvidence;
use certcheck_core::x509::Certificate;
use certcheck_core::{Check, Policy, Revocation, Time, VerifiedIssuers};
use certcheck_testkit::{Cert, Key, ocsp, pem};
use counting::allocations;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pki_types::CertificateDer;

fn sizes() -> Vec<usize> {
    let is_large = std::env::var_os("CERTCHECK_BENCH_LARGE").is_some();
    [10_000, 1_000_000].into_iter().chain(is_large.then_some(10_000_000)).collect()
}

fn ingest(c: &mut Criterion) {
    let ca = ca();
    let signer = Certificate::parse(&ca).unwrap();
    let policy = Policy::client(Revocation::HardFail);
    for entries in sizes() {
        let der = Bytes::from(crl(entries).0);
        let mut group = c.benchmark_group("crl ingest");
        group.sample_size(10);
        group.throughput(Throughput::Elements(u64::try_from(entries).unwrap()));
        let hash = || ring::digest::digest(&ring::digest::SHA256, &der);
        group.bench_function(BenchmarkId::new("SHA-256, the floor", entries), |b| b.iter(hash));
        group.bench_function(BenchmarkId::new("certcheck, parse and index", entries), |b| {
            b.iter(|| Crl::parse(der.clone(), "bench").unwrap());
        });
        group.bench_function(BenchmarkId::new("certcheck, verify, parse and index", entries), |b| {
            b.iter(|| {
                let crl = Crl::parse(der.clone(), "bench").unwrap();
                crl.verify(signer.spki(), &policy).unwrap();
                crl
            });
        });
        group.bench_function(BenchmarkId::new("certcheck, the same on two threads", entries), |b| {
            b.iter(|| Crl::parse_and_verify(der.clone(), "bench", signer.spki(), &policy).unwrap());
        });
        let root = CertificateDer::from(ca.as_slice());
        let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
        let (_, client) = path(&ca);
        let client = CertificateDer::from(client);
        group.bench_function(BenchmarkId::new("webpki, owned and verified", entries), |b| {
            b.iter(|| {
                let crl = webpki::OwnedCertRevocationList::from_der(&der).unwrap().into();
                let crls = [&crl];
                let options = webpki::RevocationOptionsBuilder::new(&crls).unwrap().build();
                let target = webpki::EndEntityCert::try_from(&client).unwrap();
                let now =
                    pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_798_848_000));
                let usage = webpki::KeyUsage::client_auth();
                let algorithms = &[webpki::ring::ECDSA_P256_SHA256];
                let anchors = core::slice::from_ref(&anchor);
                target.verify_for_usage(algorithms, anchors, &[], now, usage, Some(options), None).unwrap();
                crl
            });
        });
        let folder = std::env::temp_dir().join(format!("certcheck-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (crl_file, ca_file) = (folder.join("crl.der"), folder.join("ca.pem"));
        std::fs::write(&crl_file, &der).unwrap();
        std::fs::write(&ca_file, pem("CERTIFICATE", &ca)).unwrap();
        let openssl = || {
            let mut command = Command::new("openssl");
            command
                .args(["crl", "-inform", "DER", "-noout", "-in"])
                .arg(&crl_file)
                .arg("-CAfile")
                .arg(&ca_file);
            command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        if openssl() {
            group.bench_function(BenchmarkId::new("OpenSSL, as a program", entries), |b| b.iter(openssl));
        }
        std::fs::remove_dir_all(folder).unwrap();
        group.finish();
    }
}

fn lookup(c: &mut Criterion) {
    let ca = ca();
    let signer = Certificate::parse(&ca).unwrap();
    let policy = Policy::client(Revocation::HardFail);
    for entries in sizes() {
        let (der, serials) = crl(entries);
        let crl = Crl::parse(der.into(), "bench").unwrap();
        let verified = crl.verify(signer.spki(), &policy).unwrap();
        let strangers: Vec<[u8; 16]> = serials.iter().map(|serial| serial.map(|byte| byte ^ 0x15)).collect();
        let mut group = c.benchmark_group("crl lookup");
        for (word, asked, is_listed) in [("hit", &serials, true), ("miss", &strangers, false)] {
            group.bench_function(BenchmarkId::new(format!("{word}, warm"), entries), |b| {
                b.iter(|| assert_eq!(verified.find(&asked[7], None).is_some(), is_listed));
            });
            // Each serial is another place of index and CRL: beyond the caches for large ones.
            let mut next = asked.iter().cycle();
            group.bench_function(BenchmarkId::new(format!("{word}, all over"), entries), |b| {
                b.iter(|| assert_eq!(verified.find(next.next().unwrap(), None).is_some(), is_listed));
            });
        }
        println!("crl of {entries}: {:.2} bytes an entry beside it", crl.overhead() as f64 / entries as f64);
        let kept = Bytes::from(crl.index());
        let der = crl.der().clone();
        group.sample_size(10);
        for (word, trust) in [("checked", IndexTrust::Checked), ("as kept", IndexTrust::AsKept)] {
            group.bench_function(BenchmarkId::new(format!("open again, {word}"), entries), |b| {
                b.iter(|| assert_eq!(Crl::open(der.clone(), &kept, "bench", trust).unwrap().1, None));
            });
        }
        group.finish();
    }
}

/// A client directly below the CA, and its issuer.
fn path(ca: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let leaf = Cert::leaf("O=Bench,CN=client", &Key::p256("bench client"), CA, &ca_key());
    (ca.to_vec(), leaf.issue(&ca_key()))
}

/// What the statuses of a path of three add to a check whose signatures are known: root, two CAs, client.
fn statuses(c: &mut Criterion) {
    let PathOfThree { ring, chain, evidence } = PathOfThree::new(10_000);
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap();
    let issuers = VerifiedIssuers::new();
    let mut group = c.benchmark_group("a path of three");
    for (word, revocation) in
        [("without revocation", Revocation::Off), ("with three CRLs", Revocation::HardFail)]
    {
        let mut policy = Policy::client(revocation);
        policy.signatures.algorithms = certcheck_core::policy::Algorithms::new(&[&Always]);
        let check = || {
            Check::new(&chain, &ring, &policy, now).with_verified_issuers(&issuers).with_evidence(&evidence)
        };
        group.bench_function(word, |b| b.iter(|| assert!(check().run().is_accepted())));
    }
    // A client that is known: its path is kept, its revocation looked up.
    let policy = Policy::client(Revocation::HardFail);
    let check = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence);
    let report = check.run();
    let path: Vec<_> = report.path.iter().map(|member| member.certificate).collect();
    let look_up = || {
        let mut good = 0;
        let _until = check.look_up(&path, None, |_, status| good += usize::from(status.code() == "good"));
        assert_eq!(good, 3);
    };
    let before = allocations();
    look_up();
    assert_eq!(allocations(), before, "a lookup allocates nothing");
    group.bench_function("its three statuses looked up", |b| b.iter(look_up));
    group.finish();
}

/// A response about a client, read, verified and judged, beside its signature alone.
fn ocsp_response(c: &mut Criterion) {
    let (ca, client) = path(&ca());
    let signer = Certificate::parse(&ca).unwrap();
    let certificate = Certificate::parse(&client).unwrap();
    let id = ocsp::cert_id("sha1", certificate.issuer().raw(), &ca_key(), certificate.serial().bytes());
    let response =
        ocsp::Response::new(ocsp::by_key(&ca_key()), [ocsp::AnswerBuilder::good(id)]).issue(&ca_key());
    let der = Bytes::from(response);
    let policy = Policy::client(Revocation::HardFail);
    let mut group = c.benchmark_group("ocsp");
    let read = OcspEvidence::parse(der.clone(), "bench").unwrap();
    group.bench_function("its signature alone", |b| {
        let basic = read.basic().unwrap();
        b.iter(|| {
            let algorithm = webpki::ring::ECDSA_P256_SHA256;
            let key = signer.spki().public_key;
            algorithm.verify_signature(key, basic.tbs, basic.signature).unwrap();
        });
    });
    group.bench_function("decode, verify, match", |b| {
        b.iter(|| {
            let response = OcspEvidence::parse(der.clone(), "bench").unwrap();
            let basic = response.basic().unwrap();
            assert!(basic.responder.is(&signer));
            assert!(basic.responses().any(|single| single.unwrap().cert_id.is(&certificate, &signer)));
            basic.verify(signer.spki(), &policy).unwrap();
        });
    });
    group.finish();
}

criterion_group!(benches, ingest, lookup, statuses, ocsp_response);
criterion_main!(benches);
