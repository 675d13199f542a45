//! What connections through `certcheck serve` cost beside nginx and HAProxy, in the same rounds:
//! `cargo run --release -p certcheck-benches --example front -- PROGRAM [ROUNDS [SECONDS]]`, and with `validation` before the
//! program what it costs another proxy to ask, with `known` what a client costs there that is known.
//!
//! All of them end mutual TLS 1.3 before the same echo service, with the same keys. certcheck checks revocation in full,
//! with CRLs that it fetches. The peers verify the chain alone, and nginx in one case a CRL too. Servers, service and
//! clients are processes of their own. The rate of new connections depends on what else runs on the machine, so the
//! processor's time of the server for each connection is measured too.
#![allow(clippy::unwrap_used, reason = "a measurement")]

mod load;
mod paced;
mod peers;
mod scene;
mod service;
mod validation;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Case, Server};
use scene::Scene;

/// Connections at once while new ones are counted.
const DIALERS: usize = 16;
/// Handshakes that do not go on.
const SLOW: usize = 1_000;
/// Idle connections, unless the limit of open files is lower.
const IDLE: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["service"] => service::run(),
        ["empty"] => paced::run_empty(),
        ["known", program, ref numbers @ ..] => {
            let (_, seconds) = rounds_and_seconds(numbers);
            paced::compare(Path::new(program), &Scene::new(), seconds);
        }
        ["load", what, address, folder, ref numbers @ ..] => {
            let numbers: Vec<usize> = numbers.iter().map(|number| number.parse().unwrap()).collect();
            load::run(what, address.parse().unwrap(), Path::new(folder), &numbers);
        }
        ["validation", program, ref numbers @ ..] => {
            let (rounds, seconds) = rounds_and_seconds(numbers);
            validation::compare(Path::new(program), rounds, seconds);
        }
        [program, ref numbers @ ..] => {
            let (rounds, seconds) = rounds_and_seconds(numbers);
            compare(Path::new(program), rounds, seconds);
        }
        [] => panic!("name the program: target/release/certcheck"),
    }
}

fn rounds_and_seconds(numbers: &[&str]) -> (usize, usize) {
    let number = |at: usize, usual| numbers.get(at).map_or(usual, |number| number.parse().unwrap());
    (number(0, 5), number(1, 3))
}

/// This program again, with as many open files as it may have.
fn again(arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap()).args(arguments);
    command
}

/// What a load prints: numbers.
fn load(what: &str, address: SocketAddr, folder: &Path, numbers: &[usize]) -> Vec<f64> {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let (address, folder) = (address.to_string(), folder.display().to_string());
    let mut arguments = vec!["load", what, &address, &folder];
    arguments.extend(numbers.iter().map(String::as_str));
    let output = again(&arguments).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{what} of {address}: {text}");
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn compare(program: &Path, rounds: usize, seconds: usize) {
    let scene = Scene::new();
    let (_service, upstream) = service::start();
    let start = |case: Case| Server::start(case, program, &scene, upstream);
    println!(
        "new connections a second, {DIALERS} at once, {rounds} rounds of {seconds} s: median (least to most)"
    );
    let cases = [Case::Certcheck, Case::CertcheckMillion, Case::Nginx, Case::Haproxy, Case::NginxMillion];
    rounds_of(&cases, rounds, start, |server| {
        load("connect", server.address, scene.folder(), &[seconds, DIALERS])[0] / seconds as f64
    });
    let bulk = [Case::Certcheck, Case::Nginx, Case::Haproxy];
    for connections in [1, 64] {
        println!("MiB a second there and back, {connections} connections, {rounds} rounds of {seconds} s");
        rounds_of(&bulk, rounds, start, |server| {
            let bytes = load("bulk", server.address, scene.folder(), &[seconds, connections])[0];
            bytes / seconds as f64 / f64::from(1 << 20)
        });
    }
    let held = IDLE.min((open_files() - 200) / 2);
    println!(
        "memory of {held} idle connections, in KiB each; of {SLOW} slow handshakes, what good clients wait meanwhile"
    );
    for case in bulk {
        let server = start(case);
        let before = server.resident_kib();
        let mut holding = again(&["load", "hold", &server.address.to_string()]);
        holding.arg(scene.folder()).arg(held.to_string());
        let mut holding = holding.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(holding.stdout.take().unwrap()), &mut line)
            .unwrap();
        std::thread::sleep(Duration::from_secs(2));
        let after = server.resident_kib();
        println!(
            "  {:<44} {} held, {:.1} KiB each",
            case.name(),
            line.trim(),
            (after - before) as f64 / held as f64
        );
        drop(holding.stdin.take());
        holding.wait().unwrap();
        drop(server);
        // What idle connections leave behind is not what slow ones meet.
        let server = start(case);
        let usual = load("slow", server.address, scene.folder(), &[seconds, 0]);
        let slow = load("slow", server.address, scene.folder(), &[seconds, SLOW]);
        let shown = |of: &[f64]| {
            format!("{} served, {} failed, {:.1} ms, 99% within {:.1} ms", of[0], of[1], of[2], of[3])
        };
        println!("    alone: {}\n    beside {SLOW} slow handshakes: {}", shown(&usual), shown(&slow));
    }
}

/// Measures each case once a round, and prints medians with the time of the server's processors for each unit.
fn rounds_of(
    cases: &[Case],
    rounds: usize,
    start: impl Fn(Case) -> Server,
    measure: impl Fn(&Server) -> f64,
) {
    let mut seen: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); cases.len()];
    let servers: Vec<Server> = cases.iter().map(|case| start(*case)).collect();
    for server in &servers {
        // Caches and allocators are warm from here on.
        measure(server);
    }
    for _ in 0..rounds {
        for (server, (rates, costs)) in servers.iter().zip(&mut seen) {
            let (begun, before) = (std::time::Instant::now(), server.processor_time());
            let rate = measure(server);
            let took = (server.processor_time() - before).as_secs_f64();
            rates.push(rate);
            costs.push(took / (rate * begun.elapsed().as_secs_f64()));
        }
    }
    let (first_rate, first_cost) = (median(&seen[0].0), median(&seen[0].1));
    for (case, (rates, costs)) in cases.iter().zip(&seen) {
        let min = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let max = rates.iter().copied().fold(0.0, f64::max);
        let (rate, cost) = (median(rates), median(costs));
        println!(
            "  {:<44} {rate:>9.1} ({min:.1} to {max:.1}), the first is {:.2} of it; {:.0} us of its processors each, {:.2} of the first's",
            case.name(),
            first_rate / rate,
            cost * 1e6,
            cost / first_cost,
        );
    }
}

/// How many files a process may have open at most.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(4).unwrap().parse().unwrap()
}
