//! Writes a client, its ring and a cache with a CRL of many entries, for timing the program as a process:
//! `cargo run --release -p certcheck-benches --example warm -- FOLDER [ENTRIES]`.
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::path::Path;
use std::time::Duration;

use certcheck_benches::{CA, ca, ca_key, crl};
use certcheck_core::{KeyRing, Policy, Revocation, Time};
use certcheck_fetch::store::{DiskOptions, DiskStore};
use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::{Cert, Key, pem};

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let entries = std::env::args().nth(2).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let server = Server::start();
    server.serve("/large.crl", Page::new(crl(entries).0));
    let leaf = Cert::leaf("O=Bench,CN=client", &Key::p256("bench client"), CA, &ca_key())
        .with([ext::cdp(&[Point::urls(&[server.url("/large.crl")])])])
        .issue(&ca_key());
    std::fs::write(folder.join("client.pem"), pem("CERTIFICATE", &leaf)).unwrap();
    std::fs::write(folder.join("ring.pem"), pem("CERTIFICATE", &ca())).unwrap();
    let store = DiskStore::open(&folder.join("cache"), DiskOptions::default()).unwrap();
    let ring = KeyRing::from_paths(&[folder.join("ring.pem")]).unwrap();
    let engine = Engine::builder(ring, Policy::client(Revocation::HardFail))
        .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
        .store(std::sync::Arc::new(store))
        .build()
        .unwrap();
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap();
    let report = engine.check_blocking(&[leaf.into()], now, Duration::from_secs(60));
    assert!(report.is_accepted(), "{report:?}");
    engine.flush_blocking();
    println!(
        "certcheck verify client.pem --ring ring.pem --cache-dir cache --at 2027-01-02T00:00:00Z [--trust-cache]"
    );
}
