//! What OpenSSL needs for the check that a handshake of ours makes: a client below one CA, with the CRLs of both.
//!
//! It has parsed the CRLs beforehand; certificates are parsed again each time, as a handshake has to, or not.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, reason = "a benchmark of a C library")]

use std::ffi::c_int;
use std::time::Duration;

use certcheck_benches::crl;
use certcheck_benches::pki::Pki;
use criterion::{Criterion, criterion_group, criterion_main};
use foreign_types::ForeignType as _;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Crl, X509PurposeId, X509StoreContext};
use openssl_sys::{X509_CRL, X509_STORE};

const NOW: i64 = 1_798_848_000;

unsafe extern "C" {
    // The crate has no name for it.
    fn X509_STORE_add_crl(store: *mut X509_STORE, crl: *mut X509_CRL) -> c_int;
}

fn store(pki: &Pki, entries: Option<usize>) -> X509Store {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(X509::from_der(&pki.root()).unwrap()).unwrap();
    let mut param = X509VerifyParam::new().unwrap();
    param.set_time(NOW);
    param.set_purpose(X509PurposeId::SSL_CLIENT).unwrap();
    if let Some(entries) = entries {
        for der in [pki.root_crl(), crl(entries).0] {
            let crl = X509Crl::from_der(&der).unwrap();
            // SAFETY: both live; the store takes a reference of its own.
            assert_eq!(unsafe { X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) }, 1);
        }
        param.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL).unwrap();
    }
    store.set_param(&param).unwrap();
    store.build()
}

fn parse(chain: &[Vec<u8>]) -> (X509, Stack<X509>) {
    let mut issuers = Stack::new().unwrap();
    issuers.push(X509::from_der(&chain[1]).unwrap()).unwrap();
    (X509::from_der(&chain[0]).unwrap(), issuers)
}

fn verify(store: &X509Store, leaf: &X509, issuers: &Stack<X509>) {
    let mut context = X509StoreContext::new().unwrap();
    let verified = context.init(store, leaf, issuers, |context| context.verify_cert()).unwrap();
    assert!(verified, "{}", context.error());
}

fn check(c: &mut Criterion) {
    let pki = Pki::new("http://bench.test");
    let chain = pki.chain(&pki.client(0));
    let (leaf, issuers) = parse(&chain);
    let mut group = c.benchmark_group("what OpenSSL needs for the same check");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (entries, word) in [
        (None, "no CRL"),
        (Some(100), "CRL of 10^2"),
        (Some(10_000), "CRL of 10^4"),
        (Some(1_000_000), "CRL of 10^6"),
    ] {
        let store = store(&pki, entries);
        group.sample_size(if entries == Some(1_000_000) { 10 } else { 100 });
        group.bench_function(word, |b| b.iter(|| verify(&store, &leaf, &issuers)));
        group.bench_function(format!("{word}, certificates parsed"), |b| {
            b.iter(|| {
                let (leaf, issuers) = parse(&chain);
                verify(&store, &leaf, &issuers);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
