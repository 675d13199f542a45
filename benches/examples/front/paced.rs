//! What a known client costs: so many requests a second over kept connections, to a validation listener and to a service that does
//! nothing, each on one processor.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::peers::{Case, SECRET, Server};
use crate::scene::Scene;
use crate::service::Killed;
use crate::{again, median};

/// Connections, and how many requests a second come over each.
const CONNECTIONS: usize = 10;
const EACH_SECOND: u32 = 1_000;
const ROUNDS: usize = 3;

/// Measures both in turn, and prints what requests waited.
pub(crate) fn compare(program: &Path, scene: &Scene, seconds: usize) {
    let mut child = Killed(again(&["empty"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let empty: SocketAddr = line.trim().parse().unwrap();
    let server = Server::start(Case::Validation, program, scene, SocketAddr::from(([127, 0, 0, 1], 9)));
    pin(child.0.id(), 1);
    server.pin(1);
    // What asks has the other processor.
    pin(std::process::id(), 0);
    let client = std::fs::read_to_string(scene.folder().join("few.pem")).unwrap();
    let client: String = client.lines().skip(1).take_while(|line| !line.starts_with('-')).collect();
    assert!(BASE64.decode(client.as_bytes()).is_ok());
    let request = format!(
        "GET /v1/auth/caddy HTTP/1.1\r\nHost: x\r\nX-Certcheck-Secret: {SECRET}\r\nX-Client-Cert: {client}\r\n\r\n"
    );
    // From here on it is known.
    assert!(ask(&mut TcpStream::connect(server.address).unwrap(), request.as_bytes()).contains(" 200 "));
    println!(
        "a known client, {} requests a second over {CONNECTIONS} connections, for {seconds} s, each server on one processor",
        CONNECTIONS * usize::try_from(EACH_SECOND).unwrap()
    );
    for _ in 0..ROUNDS {
        for (name, address) in [("hyper, nothing done", empty), ("certcheck, GET /v1/auth", server.address)] {
            let waits = paced(address, &request, seconds);
            println!(
                "  {name:<26} p50 {:>6.0} us, p99 {:>6.0} us, longest {:>6.0} us, of {}",
                median(&waits),
                waits[waits.len() * 99 / 100],
                waits[waits.len() - 1],
                waits.len()
            );
        }
    }
}

/// What each request waited, in microseconds, in order. One that has to wait for the one before it counts from when it was due.
fn paced(address: SocketAddr, request: &str, seconds: usize) -> Vec<f64> {
    let begun = Instant::now() + Duration::from_millis(50);
    let number = EACH_SECOND * u32::try_from(seconds).unwrap();
    let pause = Duration::from_secs(1) / EACH_SECOND;
    let of_connection = |at: usize| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let first = begun + pause * u32::try_from(at).unwrap() / u32::try_from(CONNECTIONS).unwrap();
        let mut waits = Vec::new();
        for turn in 0..number {
            let due = first + pause * turn;
            let is_late = Instant::now() > due;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let asked = if is_late { due } else { Instant::now() };
            assert!(ask(&mut stream, request.as_bytes()).contains(" 200 "));
            waits.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        waits
    };
    let mut waits: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|at| scope.spawn(move || of_connection(at))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    waits.sort_by(f64::total_cmp);
    waits
}

/// Sends a request, and reads the head of its answer, which has no body.
fn ask(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 4_096]);
    while !answer.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(answer).unwrap()
}

/// Leaves a process, and what it starts from here on, one processor.
pub(crate) fn pin(process: u32, processor: usize) {
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", &processor.to_string(), &process.to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Runs for ever, after its address: a service that answers 200 and does nothing.
pub(crate) fn run_empty() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            stream.set_nodelay(true).unwrap();
            let answer = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(String::new())) };
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
}
