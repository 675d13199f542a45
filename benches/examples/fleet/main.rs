//! A fleet on one machine: a mirror, nodes that are each a `certcheck serve` of its own, and connections that are cut when
//! their client is revoked: `cargo run --release -p certcheck-benches --example fleet -- PROGRAM [CHANGES [SECONDS [NODES]]]`.
//!
//! There are 50 CRLs of 4.6 MB. One of them changes every so many seconds, and revokes a client that is connected to every
//! node. Printed are the copies that the source sent for each change, the time from the first node that cut the client to
//! the last one, and the memory of nodes at the beginning and at the end.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

mod origin;
mod process;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_testkit::Key;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

use origin::Origin;
use process::Process;

/// CRLs, and clients: each has one of them.
const CRLS: usize = 50;
/// Entries of a CRL.
const ENTRIES: usize = 115_000;
/// The longest time until a client is cut everywhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection has ended: the client, the node, and when.
type Cut = (usize, usize, Instant);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = PathBuf::from(arguments.first().expect("name the program: target/release/certcheck"));
    let number = |at: usize, usual: usize| arguments.get(at).map_or(usual, |number| number.parse().unwrap());
    let (changes, seconds, nodes) = (number(1, 10).min(CRLS), number(2, 60), number(3, 20));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&program, changes, Duration::from_secs(seconds as u64), nodes));
}

async fn run(program: &Path, changes: usize, between: Duration, nodes: usize) {
    let origin = Origin::start(CRLS, ENTRIES);
    println!("{CRLS} CRLs, {:.0} MB together; {nodes} nodes", origin.bytes() as f64 / 1e6);
    let service = service().await;
    let mirror = Process::mirror(program, &origin);
    let nodes: Vec<Process> =
        (0..nodes).map(|number| Process::node(program, &origin, number, mirror.address, service)).collect();
    let (sender, mut cuts) = mpsc::unbounded_channel();
    let begun = Instant::now();
    for client in 0..CRLS {
        let config = Arc::new(config(&origin, client));
        let connecting = nodes.iter().enumerate().map(|(number, node)| {
            connect(node.address, Arc::clone(&config), (client, number), sender.clone())
        });
        futures_util::future::join_all(connecting).await;
    }
    let copies = origin.take_copies();
    println!(
        "all clients connected to all nodes after {:.1} s; copies sent: {copies}",
        begun.elapsed().as_secs_f64()
    );
    let before: Vec<i64> = nodes.iter().map(Process::resident_kib).collect();
    let (mut spreads, mut sent) = (Vec::new(), 0);
    for client in 0..changes {
        let published = Instant::now();
        origin.revoke(client);
        let mut times = Vec::new();
        while times.len() < nodes.len() {
            let (cut, _, at) = tokio::time::timeout(PATIENCE, cuts.recv()).await.expect("cut").unwrap();
            assert_eq!(cut, client, "another client was cut");
            times.push(at);
        }
        let first = *times.iter().min().unwrap();
        let mut after: Vec<f64> = times.iter().map(|at| (*at - first).as_secs_f64()).collect();
        after.sort_by(f64::total_cmp);
        println!(
            "change {client}: first node {:.2} s after it was published, last one {:.3} s later",
            (first - published).as_secs_f64(),
            after.last().unwrap()
        );
        spreads.extend(after);
        tokio::time::sleep(between.saturating_sub(published.elapsed())).await;
        sent += origin.take_copies();
    }
    spreads.sort_by(f64::total_cmp);
    let at = |part: f64| spreads[((spreads.len() - 1) as f64 * part) as usize];
    println!(
        "{changes} changes, {} cuts: after the first node median {:.3} s, p99 {:.3} s, last {:.3} s",
        spreads.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("copies that the source sent for each change: {:.2}", sent as f64 / changes as f64);
    let after: Vec<i64> = nodes.iter().map(Process::resident_kib).collect();
    let mib = |all: &[i64]| all.iter().sum::<i64>() as f64 / all.len() as f64 / 1024.0;
    println!("memory of a node (PSS): {:.1} MiB at first, {:.1} MiB at the end", mib(&before), mib(&after));
    println!("memory of the mirror (PSS): {:.1} MiB", mirror.resident_kib() as f64 / 1024.0);
}

/// A service that sends back what it gets.
async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { continue };
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _gone = copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

fn config(origin: &Origin, client: usize) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(origin.pki.root())).unwrap();
    let chain = origin.chain(client).into_iter().map(CertificateDer::from).collect();
    let key: Key = origin.pki.client_key();
    let key = PrivateKeyDer::try_from(key.pkcs8()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();
    config.resumption = Resumption::disabled();
    config
}

/// Connects, and reports when the connection ends.
async fn connect(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    (client, node): (usize, usize),
    cuts: mpsc::UnboundedSender<Cut>,
) {
    let name = ServerName::try_from("localhost").unwrap();
    let tcp = TcpStream::connect(address).await.unwrap();
    let mut stream = TlsConnector::from(config).connect(name, tcp).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    let mut back = [0];
    stream
        .read_exact(&mut back)
        .await
        .unwrap_or_else(|error| panic!("client {client} at node {node}: {error}"));
    tokio::spawn(async move {
        // It sends nothing by itself, so this ends with the connection.
        let _ended = stream.read(&mut back).await;
        let _nobody = cuts.send((client, node, Instant::now()));
    });
}
