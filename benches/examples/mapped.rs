//! What a mapped CRL of many entries costs in memory: `cargo run --release -p certcheck-benches --example mapped -- 10000000`.
//!
//! Writes the CRL and its index, maps both, opens them as kept and looks serials up.
#![allow(clippy::unwrap_used, unsafe_code, reason = "a measurement; nobody else knows the files")]

use std::fs::File;
use std::time::Instant;

use certcheck_benches::{ca, crl};
use certcheck_core::crl::{Crl, IndexTrust, map};
use certcheck_core::policy::Algorithms;
use certcheck_core::x509::Certificate;
use certcheck_core::{Policy, Revocation};

/// Resident memory in KiB: our own, and pages of files, which the system lends and takes back.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |word: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(word)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (of("RssAnon"), of("RssFile"))
}

fn main() {
    let entries: usize = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = std::env::temp_dir();
    let (crl_file, index_file) = (folder.join("certcheck-mapped.crl"), folder.join("certcheck-mapped.idx"));
    if std::env::args().nth(2).is_none() {
        // Another process opens: this one's memory has been used.
        let (der, _) = crl(entries);
        std::fs::write(&crl_file, &der).unwrap();
        std::fs::write(&index_file, Crl::parse(der.into(), "made").unwrap().index()).unwrap();
        let program = std::env::current_exe().unwrap();
        let status =
            std::process::Command::new(program).args([&entries.to_string(), "open"]).status().unwrap();
        std::fs::remove_file(crl_file).unwrap();
        std::fs::remove_file(index_file).unwrap();
        assert!(status.success());
        return;
    }
    let before = resident();
    // SAFETY: the files were written by the process that started this one, and nobody else knows them.
    let (der, index) = unsafe {
        (map(&File::open(crl_file).unwrap()).unwrap(), map(&File::open(index_file).unwrap()).unwrap())
    };
    let begun = Instant::now();
    let (crl, fault) = Crl::open(der, &index, "mapped", IndexTrust::AsKept).unwrap();
    let elapsed = begun.elapsed();
    assert_eq!((fault, crl.len()), (None, entries));
    let ca = ca();
    let signer = Certificate::parse(&ca).unwrap();
    let mut policy = Policy::client(Revocation::HardFail);
    policy.signatures.algorithms = Algorithms::new(&[&Always]);
    let verified = crl.verify(signer.spki(), &policy).unwrap();
    let mut serial = [0x42; 16];
    let begun = Instant::now();
    for at in 0..1_000_u16 {
        serial[..2].copy_from_slice(&((at * 31) | 0x4000).to_be_bytes());
        assert!(verified.find(&serial, None).is_none());
    }
    let lookups = begun.elapsed();
    let after = resident();
    println!(
        "{entries} entries, {} bytes: opened in {elapsed:?}, 1,000 lookups in {lookups:?}; resident {} KiB more of our own, {} KiB of the files",
        crl.der().len(),
        after.0 - before.0,
        after.1 - before.1
    );
}

/// Hashing would touch every page: the signature was verified when the index was made.
#[derive(Debug)]
struct Always;

impl pki_types::SignatureVerificationAlgorithm for Always {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), pki_types::InvalidSignature> {
        Ok(())
    }

    fn public_key_alg_id(&self) -> pki_types::AlgorithmIdentifier {
        pki_types::alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> pki_types::AlgorithmIdentifier {
        pki_types::alg_id::ECDSA_SHA256
    }
}
