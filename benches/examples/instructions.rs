//! Counts what the machine's noise does not change: instructions of a check apart from its signatures, next to
//! rustls-webpki's. Run it without arguments: it runs itself under `valgrind --tool=callgrind` for each row, with two
//! numbers of rounds, and prints the difference for one round.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::process::Command;
use std::time::Duration;

use certcheck_benches::Always;
use certcheck_benches::first_seen::{KINDS, Kind, Scene};
use certcheck_benches::path_of_three::PathOfThree;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::Algorithms;
use certcheck_core::{Check, Policy, Revocation, Time};
use certcheck_testkit::{Cert, Key};
use pki_types::{CertificateDer, UnixTime};

const NOW: u64 = 1_800_000_000;

/// A client under one intermediate, which it presents, and their root.
struct Chain {
    root: Vec<u8>,
    presented: Vec<CertificateDer<'static>>,
}

fn chain() -> Chain {
    let key = |name: &str| Key::p256(&format!("bench instructions {name}"));
    let (root_key, ca_key, client) = (key("root"), key("ca"), key("client"));
    let (root_name, ca_name) = ("CN=Bench Root,O=Example", "CN=Bench CA,O=Example");
    let ca = Cert::ca(ca_name, &ca_key, root_name, &root_key).issue(&root_key);
    let leaf = Cert::leaf("CN=device,O=Example", &client, ca_name, &ca_key).issue(&ca_key);
    Chain { root: Cert::root(root_name, &root_key).issue(&root_key), presented: vec![leaf.into(), ca.into()] }
}

/// One row of the table.
struct Row {
    word: &'static str,
    run: fn(usize),
}

const ROWS: [Row; 5] = [
    Row { word: "webpki: path with one intermediate", run: webpki_path },
    Row { word: "certcheck: path with one intermediate", run: own_path },
    Row { word: "certcheck: first seen, CRL and intermediate in memory", run: first_seen_in_ring },
    Row { word: "certcheck: first seen, intermediate presented", run: first_seen_presented },
    Row { word: "certcheck: three statuses of a known path looked up", run: known_statuses },
];

fn webpki_path(rounds: usize) {
    let Chain { root, presented } = chain();
    let root = CertificateDer::from(root);
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    for _ in 0..rounds {
        let target = webpki::EndEntityCert::try_from(&presented[0]).unwrap();
        let usage = webpki::KeyUsage::client_auth();
        target.verify_for_usage(&[&Always], &anchors, &presented[1..], time, usage, None, None).unwrap();
    }
}

fn own_path(rounds: usize) {
    let Chain { root, presented } = chain();
    let mut builder = RingBuilder::new();
    builder.add("root", &root, Placement::Anchor).unwrap();
    let ring = builder.build().unwrap();
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.algorithms = Algorithms::new(&[&Always]);
    let now = Time::from_unix(i64::try_from(NOW).unwrap());
    for _ in 0..rounds {
        assert!(Check::new(&presented, &ring, &policy, now).run().is_accepted());
    }
}

fn first_seen_in_ring(rounds: usize) {
    first_seen(&KINDS[0], rounds);
}

fn first_seen_presented(rounds: usize) {
    first_seen(&KINDS[1], rounds);
}

fn first_seen(kind: &Kind, rounds: usize) {
    let (large, _) = certcheck_benches::crl(1_000);
    let scene = Scene::new(kind, Some(Algorithms::new(&[&Always])), &large);
    for round in 0..rounds {
        let at = round % scene.clients.len();
        if at == 0 {
            scene.engine.forget_paths();
        }
        assert!(scene.engine.look_up(&scene.clients[at], certcheck_benches::first_seen::now()).is_accepted());
    }
}

/// The statuses of a client and two CAs, by a CRL each, as they are looked up for a client that is known.
fn known_statuses(rounds: usize) {
    let PathOfThree { ring, chain, evidence } = PathOfThree::new(100);
    let (policy, now) = (Policy::client(Revocation::HardFail), certcheck_benches::first_seen::now());
    let check = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence);
    let report = check.run();
    let path: Vec<_> = report.path.iter().map(|member| member.certificate).collect();
    for _ in 0..rounds {
        let mut good = 0;
        let _until = check.look_up(&path, None, |_, status| good += usize::from(status.code() == "good"));
        assert_eq!(good, 3);
    }
}

/// The instructions of a process that does this row so many times.
fn counted(word: &str, rounds: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([word, &rounds.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find(|line| line.contains("Collected :")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, rounds] = &args[..] {
        let row = ROWS.iter().find(|row| row.word == word).unwrap();
        (row.run)(rounds.parse().unwrap());
        return;
    }
    println!("{:<60} {:>12}", "", "instructions");
    for row in &ROWS {
        let (few, many) = (counted(row.word, 500), counted(row.word, 1_500));
        println!("{:<60} {:>12}", row.word, (many - few) / 1_000);
    }
}
