//! Validation for other proxies: nginx that asks certcheck about each client, beside nginx with the same CRL in a file; and many
//! distinct clients whose responder never answers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use certcheck_benches::{CA, ca_key};
use certcheck_testkit::{Cert, Key, ext};
use data_encoding::BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::peers::{Case, SECRET, Server};
use crate::scene::Scene;
use crate::{DIALERS, load, median, rounds_of};

/// Distinct clients, how often there are so many others, and how many of them come in a second.
const CLIENTS: usize = 10_000;
const PASSES: usize = 3;
const A_SECOND: usize = 1_000;
/// What the listener lets a check wait.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// Measures both, and prints them. Without rounds, the second alone.
pub(crate) fn compare(program: &Path, rounds: usize, seconds: usize) {
    let scene = Scene::new();
    let unused = SocketAddr::from(([127, 0, 0, 1], 9));
    let start = |case: Case| Server::start(case, program, &scene, unused);
    if rounds == 0 {
        return silent_responder(program, &scene);
    }
    println!(
        "new connections a second with a request each, {DIALERS} at once, {rounds} rounds of {seconds} s: median (least to most)"
    );
    let cases = [Case::NginxAsking, Case::NginxHttp, Case::NginxHttpMillion];
    rounds_of(&cases, rounds, start, |server| {
        load("request", server.address, scene.folder(), &[seconds, DIALERS])[0] / seconds as f64
    });
    silent_responder(program, &scene);
}

/// Clients by the thousands, each once, while their responder takes connections and never answers.
fn silent_responder(program: &Path, scene: &Scene) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ocsp", silent.local_addr().unwrap());
    std::thread::spawn(move || silent.incoming().collect::<Vec<_>>());
    let (key, ca) = (Key::p256("bench client"), ca_key());
    let client = |number: usize| {
        let cert = Cert::leaf(&format!("O=Bench,CN=client {number}"), &key, CA, &ca);
        BASE64.encode(&cert.with([ext::aia(std::slice::from_ref(&url), &[])]).issue(&ca))
    };
    let server = Server::start(Case::Validation, program, scene, SocketAddr::from(([127, 0, 0, 1], 9)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "distinct clients, {A_SECOND} a second, whose responder never answers; a check may wait {DEADLINE:?}"
    );
    println!("  memory: {} KiB before", server.resident_kib());
    for pass in 0..PASSES {
        let clients: Vec<String> = (pass * CLIENTS..(pass + 1) * CLIENTS).map(client).collect();
        let (outcomes, max) = runtime.block_on(ask_about(&clients, server.address, &server));
        let longest: Vec<String> = outcomes
            .chunks(A_SECOND)
            .map(|second| {
                second.iter().map(|(_, wait)| wait.as_millis()).max().unwrap_or_default().to_string()
            })
            .collect();
        let mut waits: Vec<f64> = outcomes.iter().map(|(_, wait)| wait.as_secs_f64() * 1e3).collect();
        waits.sort_by(f64::total_cmp);
        let mut codes = BTreeMap::<&str, usize>::new();
        outcomes.iter().for_each(|(code, _)| *codes.entry(code).or_default() += 1);
        println!(
            "  {CLIENTS} of them waited {:.1} ms in the middle, 99% within {:.1} ms, at most {:.1} ms; memory at most {max} KiB; answers: {codes:?}",
            median(&waits),
            waits[waits.len() * 99 / 100],
            waits[waits.len() - 1]
        );
        println!("    the longest wait of those of each second, in ms: {}", longest.join(" "));
    }
    let metrics = runtime.block_on(metrics(&server));
    for line in
        metrics.lines().filter(|line| line.starts_with("certcheck_validation") && !line.contains("_bucket"))
    {
        println!("  {line}");
    }
}

/// The code of each answer with the time that it took, and the most memory meanwhile, in KiB.
async fn ask_about(
    clients: &[String],
    address: SocketAddr,
    server: &Server,
) -> (Vec<(String, Duration)>, i64) {
    let begun = Instant::now();
    let mut asked = Vec::with_capacity(clients.len());
    let mut max = 0;
    for (number, client) in clients.iter().enumerate() {
        let due = begun
            + Duration::from_secs(1) * u32::try_from(number).unwrap() / u32::try_from(A_SECOND).unwrap();
        tokio::time::sleep_until(due.into()).await;
        if number % A_SECOND == 0 {
            max = max.max(server.resident_kib());
        }
        let request = format!(
            "GET /v1/auth/caddy HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Certcheck-Secret: {SECRET}\r\nX-Client-Cert: {client}\r\n\r\n"
        );
        asked.push(tokio::spawn(async move {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let code = answer.lines().find_map(|line| line.strip_prefix("x-certcheck-code: "));
            (code.unwrap_or("no answer").to_owned(), begun.elapsed())
        }));
    }
    let mut outcomes = Vec::with_capacity(asked.len());
    for one in asked {
        outcomes.push(one.await.unwrap());
    }
    (outcomes, max.max(server.resident_kib()))
}

async fn metrics(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.admin()).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
