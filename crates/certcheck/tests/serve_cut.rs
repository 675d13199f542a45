//! `certcheck serve` cuts a live connection once a CRL arrives that lists its client, whatever the protocol, and logs it.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

#[path = "../../certcheck-serve/tests/services/mod.rs"]
mod services;
#[path = "../../certcheck-serve/tests/support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use certcheck_core::Time;
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::program::{Running, isolated};
use certcheck_testkit::served::CA;
use certcheck_testkit::server::Page;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::{Body as _, Bytes};
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Seconds for which a CRL is current.
const LIFE: i64 = 3;

/// The client of each listener, and the listener's lines.
const LISTENERS: [(&str, &str); 3] =
    [("tcp", ""), ("http1", "[listener.http]\n"), ("http2", "[listener.http]\n")];

/// When the CRL that lists everyone was served first.
type Served = Arc<Mutex<Option<Instant>>>;

/// Serves CRLs that are current for some seconds. Once the second value is true they list all clients.
fn serve_crls(pki: &Pki) -> (Served, Arc<Mutex<bool>>) {
    let (served, is_revoked) = (Served::default(), Arc::<Mutex<bool>>::default());
    let (noted, asked, key) = (Arc::clone(&served), Arc::clone(&is_revoked), pki.world.ca.clone());
    let serials: Vec<_> = LISTENERS.map(|(name, _)| pki.serial(&format!("live-{name}"))).into();
    pki.world.server.serve_with("/live.crl", move |_| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let (from, until) = (Time::from_unix(now).to_string(), Time::from_unix(now + LIFE).to_string());
        let mut crl = CrlBuilder::new(CA).valid(&from, Some(&until));
        if *asked.lock().unwrap() {
            crl = crl
                .revoking(serials.iter().map(|serial| RevokedCertificate::new(serial)).collect::<Vec<_>>());
            noted.lock().unwrap().get_or_insert_with(Instant::now);
        }
        Page::new(crl.issue(&key)).with_header("Cache-Control", "no-cache")
    });
    (served, is_revoked)
}

/// A service that echoes, and how the connection to it ended.
async fn ends() -> (String, Arc<Mutex<Option<io::Result<usize>>>>) {
    let end = Arc::<Mutex<Option<io::Result<usize>>>>::default();
    let noted = Arc::clone(&end);
    let address = serve(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let mut bytes = [0; 1024];
            loop {
                match stream.read(&mut bytes).await {
                    Ok(read) if read > 0 => stream.write_all(&bytes[..read]).await.unwrap(),
                    // The first connection may be one of the front itself, which sends nothing.
                    end => return drop(noted.lock().unwrap().replace(end)),
                }
            }
        }
    })
    .await;
    (address, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_that_arrives_cuts_connections_of_every_protocol() {
    let pki = Pki::new();
    let (served, is_revoked) = serve_crls(&pki);
    let (echo, service_end) = ends().await;
    let (mirror, _seen) = services::mirror().await;
    let addresses = LISTENERS.map(|_| free_address());
    let mut text = "watch_files = 'off'\nring = 'ring'\nallow_net = '127.0.0.0/8'\nclock_skew = '4s'\n\
                    certificates = { chain = 'server.pem', key = 'server.key' }\n"
        .to_owned();
    for ((name, more), address) in LISTENERS.iter().zip(addresses) {
        let upstream = if *name == "tcp" { &echo } else { &mirror };
        text +=
            &format!("[[listener]]\nname = '{name}'\nlisten = '{address}'\nupstream = '{upstream}'\n{more}");
    }
    fs::write(pki.path("serve.toml"), text).unwrap();
    let mut command = isolated(env!("CARGO_BIN_EXE_certcheck"));
    command.args(["serve", "--config", "serve.toml"]).current_dir(pki.folder());
    command.stderr(Stdio::from(File::create(pki.path("log")).unwrap()));
    let mut running = Running(command.spawn().unwrap());
    until("it listens", || addresses.iter().all(|address| std::net::TcpStream::connect(address).is_ok()))
        .await;
    let [tcp_at, http1_at, http2_at] = addresses;

    let mut tcp = dial(tcp_at, &pki.client("live-tcp")).await;
    ping(&mut tcp, b"hello").await.unwrap();
    let mut http1 = dial(http1_at, &pki.client("live-http1")).await;
    http1.write_all(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    services::read_until(&mut http1, "more").await;
    let (mut sender, http2) = dial_http2(http2_at, &pki.client("live-http2")).await;
    let request = Request::get("https://localhost/endless").body(Empty::<Bytes>::new()).unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();

    // They outlive a CRL or two.
    tokio::time::sleep(Duration::from_secs(2)).await;
    ping(&mut tcp, b"still there").await.unwrap();
    *service_end.lock().unwrap() = None;
    *is_revoked.lock().unwrap() = true;
    let ended = tokio::join!(
        async {
            read_to_end(&mut tcp).await.expect_err("cut");
            Instant::now()
        },
        async {
            read_to_end(&mut http1).await.expect_err("cut");
            Instant::now()
        },
        async {
            let next = async || std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let mut next = next;
            while let Some(Ok(_)) = timeout(PATIENCE, next()).await.expect("it ends") {}
            timeout(PATIENCE, http2).await.expect("it ends").unwrap().expect_err("cut");
            Instant::now()
        },
    );
    let arrived = served.lock().unwrap().expect("a CRL was fetched");
    for ((name, _), ended) in LISTENERS.iter().zip([ended.0, ended.1, ended.2]) {
        println!("{name}: cut {:?} after its CRL was served", ended.saturating_duration_since(arrived));
    }
    // The service must not take what it has for everything either.
    until("the service notices", || service_end.lock().unwrap().is_some()).await;
    let end = service_end.lock().unwrap().take().unwrap();
    assert_eq!(end.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
    // The log names each of them.
    let log = || fs::read_to_string(pki.path("log")).unwrap();
    for (name, _) in LISTENERS {
        let says = [
            "connection ended".to_owned(),
            format!("listener=\"{name}\""),
            format!("subject=\"CN=live-{name},O=Fetch\""),
            "why=\"certificate-revoked\"".to_owned(),
        ];
        let is_logged = || log().lines().any(|line| says.iter().all(|part| line.contains(part)));
        until(&format!("{name} is logged"), is_logged).await;
    }
    running.kill().unwrap();
}
