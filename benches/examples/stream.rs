//! What a large CRL costs from a server to a verdict: `cargo run --release -p certcheck-benches --example stream -- 10000000`.
//!
//! Serves the CRL with nginx on loopback, checks a client with it in a process of its own, and beside it `curl` with
//! SHA-256 of what it wrote. Tells time and memory, our own and pages of files.
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use certcheck_benches::{CA, ca, ca_key, crl};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::store::{DiskOptions, DiskStore};
use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::peers::Nginx;
use certcheck_testkit::{Cert, Key};

/// The most of a kind of resident memory so far, and what is there now, in MiB.
fn memory() -> [u64; 3] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    ["RssAnon", "RssFile", "VmHWM"].map(|word| {
        let line = status.lines().find(|line| line.starts_with(word)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, _, url, folder] = arguments.as_slice() {
        return check(url, Path::new(folder));
    }
    let entries: usize = arguments.get(1).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("certcheck-stream-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("served")).unwrap();
    {
        let (der, _) = crl(entries);
        std::fs::write(folder.join("served/large.crl"), &der).unwrap();
    }
    // Serials are random: compressing them would be all that is measured.
    let plain = "location = /large.crl { gzip off; }";
    let nginx = Nginx::start(&folder.join("served"), plain).expect("nginx");
    let url = nginx.url("/large.crl");
    for round in 0..3 {
        let begun = Instant::now();
        let copy = folder.join("copy");
        assert!(Command::new("curl").args(["-s", "-o"]).arg(&copy).arg(&url).status().unwrap().success());
        let fetched = begun.elapsed();
        let bytes = std::fs::read(&copy).unwrap();
        let begun = Instant::now();
        std::hint::black_box(ring::digest::digest(&ring::digest::SHA256, &bytes));
        let hashed = begun.elapsed();
        drop(bytes);
        println!("round {round}: curl {fetched:?}, SHA-256 {hashed:?}, together {:?}", fetched + hashed);
        let store = folder.join(format!("store-{round}"));
        let program = std::env::current_exe().unwrap();
        let status = Command::new(program).args(["check", &url]).arg(&store).status().unwrap();
        assert!(status.success());
        std::fs::remove_dir_all(store).unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// In a process of its own: memory that was used before would hide what is used.
fn check(url: &str, folder: &Path) {
    let leaf = Cert::leaf("O=Bench,CN=client", &Key::p256("bench client"), CA, &ca_key())
        .with([ext::cdp(&[Point::urls(&[url])])]);
    let chain = [leaf.issue(&ca_key()).into()];
    let mut builder = RingBuilder::new();
    builder.add("ca", &ca(), Placement::Anchor).unwrap();
    let store = DiskStore::open(folder, DiskOptions::default()).unwrap();
    let engine = Engine::builder(builder.build().unwrap(), Policy::client(Revocation::HardFail))
        .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
        .refreshes(false)
        .store(std::sync::Arc::new(store))
        .build()
        .unwrap();
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap();
    let before = memory();
    // The most of our own memory at any moment meanwhile.
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let watched = std::sync::Arc::clone(&is_over);
    let watcher = std::thread::spawn(move || {
        let mut max = [0; 3];
        while !watched.load(std::sync::atomic::Ordering::Relaxed) {
            for (max, now) in max.iter_mut().zip(memory()) {
                *max = now.max(*max);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        max
    });
    let begun = Instant::now();
    let report = engine.check_blocking(&chain, now, Duration::from_secs(100));
    let elapsed = begun.elapsed();
    assert!(report.is_accepted(), "{report:?}");
    let begun = Instant::now();
    engine.flush_blocking();
    let flushed = begun.elapsed();
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    let max = watcher.join().unwrap();
    println!(
        "  certcheck: verdict in {elapsed:?}, kept on disk {flushed:?} later; resident at most {} MiB more of our own, {} MiB of pages of files",
        max[0].saturating_sub(before[0]),
        max[1].saturating_sub(before[1])
    );
    println!("  {:?}", report.sources());
}
