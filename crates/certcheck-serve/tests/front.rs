//! A front over a service on loopback, with real clients.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use certcheck_testkit::peers::tool;
use certcheck_testkit::served::*;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What becomes of each client: the alert by name and number, or the greeting.
const CLIENTS: [(&str, Result<&str, &str>); 7] = [
    ("good", Ok(HELLO)),
    ("ocsp-good", Ok(HELLO)),
    ("revoked", Err("certificate_revoked (44)")),
    ("ocsp-revoked", Err("certificate_revoked (44)")),
    ("expired", Err("certificate_expired (45)")),
    ("stranger", Err("unknown_ca (48)")),
    ("none", Err("certificate_required (116)")),
];

#[tokio::test(flavor = "multi_thread")]
async fn good_clients_are_served_and_each_other_gets_its_alert() {
    let pki = Pki::new();
    let (front, address) = pki.front(&hello().await, "");
    for (version_name, version) in VERSIONS {
        for (name, expected) in CLIENTS {
            let config = match name {
                "none" => std::sync::Arc::new(client_config(None, version)),
                _ => pki.client_with(name, version),
            };
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            let outcome = connect(address, &config).await.outcome;
            assert_eq!(outcome, expected, "{name}, {version_name}");
            let Some(said) = s_client(&pki, address, name, version_name) else { continue };
            match &expected {
                Ok(hello) => assert!(said.contains(hello.as_str()), "{name}, {version_name}: {said}"),
                Err(alert) => {
                    let number = alert.split(['(', ')']).nth(1).expect("a number");
                    let wanted = format!("SSL alert number {number}");
                    assert!(said.contains(&wanted), "{name}, {version_name}: {said}");
                }
            }
        }
    }
    until("all connections end", || front.connections() == 0).await;
}

/// What `openssl s_client` says. `None` if there is no openssl.
fn s_client(pki: &Pki, address: SocketAddr, name: &str, version: &str) -> Option<String> {
    let path = |name: &str| pki.path(name).display().to_string();
    let mut arguments = vec![
        "s_client".to_owned(),
        "-quiet".to_owned(),
        "-connect".to_owned(),
        address.to_string(),
        "-servername".to_owned(),
        "localhost".to_owned(),
        "-CAfile".to_owned(),
        path("server-root.pem"),
        if version == "TLS 1.2" { "-tls1_2" } else { "-tls1_3" }.to_owned(),
    ];
    if name != "none" {
        arguments.extend([
            "-cert".to_owned(),
            path(&format!("{name}.pem")),
            "-key".to_owned(),
            path(&format!("{name}.key")),
        ]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    tool::run("openssl", &arguments, PATIENCE).map(|ran| ran.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_one_side_is_passed_on_and_the_other_goes_on() {
    let pki = Pki::new();
    let (_front, address) = pki.front(&echo().await, "");
    for (_, version) in VERSIONS {
        let mut stream = dial(address, &pki.client_with("good", version)).await;
        let question = vec![7; 3_000_000];
        let (mut read, mut write) = tokio::io::split(stream);
        let asking = tokio::spawn(async move {
            write.write_all(&question).await.expect("written");
            write.shutdown().await.expect("ended");
            write
        });
        let mut answer = Vec::new();
        read.read_to_end(&mut answer).await.expect("read");
        stream = read.unsplit(asking.await.expect("no panic"));
        assert_eq!(answer.len(), 3_000_003);
        assert!(answer.ends_with(b"end"));
        drop(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_bytes_ends_and_one_that_lasts_too_long() {
    let pki = Pki::new();
    let client = pki.client("good");
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "idle_timeout = '5s'");
    let mut stream = dial(address, &client).await;
    // Bytes in either direction count: together this is longer than the limit.
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        ping(&mut stream, b"there").await.expect("not idle");
    }
    // It is no clean end: the client must not take what it has for everything.
    read_to_end(&mut stream).await.expect_err("cut");
    until("the connection ends", || front.connections() == 0).await;

    let (_front, address) = pki.front(&upstream, "max_lifetime = '5s'");
    let mut stream = dial(address, &client).await;
    let mut rounds = 0;
    while ping(&mut stream, b"there").await.is_ok() {
        rounds += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(rounds > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_a_limit_are_closed() {
    let pki = Pki::new();
    let client = pki.client("good");
    let upstream = echo().await;
    for limits in [
        "max_connections = 2",
        "max_connections_per_address = 2",
        "max_connections = 10\nmax_connections_per_address = 2",
    ] {
        let (front, address) = pki.front(&upstream, limits);
        let mut one = dial(address, &client).await;
        let two = dial(address, &client).await;
        assert!(try_dial(address, &client).await.is_err(), "{limits}");
        ping(&mut one, b"still there").await.expect("it goes on");
        drop(two);
        until("room", || front.connections() == 1).await;
        ping(&mut dial(address, &client).await, b"again").await.expect("served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_handshakes_do_not_hinder_others() {
    let pki = Pki::new();
    let (front, address) = pki.front(&echo().await, "handshake_timeout = '15s'");
    let mut slow = Vec::new();
    for number in 0..150_u8 {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        // The beginning of a ClientHello, byte by byte, or nothing.
        let beginning: &[u8] = &[0x16, 3, 1, 0, 200, 1, 0, 0];
        stream.write_all(&beginning[..usize::from(number % 8)]).await.expect("written");
        slow.push(stream);
    }
    until("all are there", || front.connections() == 150).await;
    let client = pki.client("good");
    for _ in 0..20 {
        ping(&mut dial(address, &client).await, b"quick").await.expect("served");
    }
    // One that goes on to drip is closed too.
    let mut dripping = slow.pop().expect("one");
    while dripping.write_all(&[0]).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("all slow ones are closed", || front.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_ends_the_connection() {
    let pki = Pki::new();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let upstream = free.local_addr().expect("bound").to_string();
    drop(free);
    let (front, address) = pki.front(&upstream, "");
    let mut stream = dial(address, &pki.client("good")).await;
    read_to_end(&mut stream).await.expect_err("no clean end");
    until("the connection ends", || front.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_a_certificate_are_served_where_that_is_allowed() {
    let pki = Pki::new();
    let upstream = hello().await;
    for (auth, with_revoked) in [("optional", Err("certificate_revoked (44)")), ("none", Ok(HELLO))] {
        let (_front, address) = pki.front(&upstream, &format!("client_auth = '{auth}'"));
        for (_, version) in VERSIONS {
            let without = std::sync::Arc::new(client_config(None, version));
            assert_eq!(connect(address, &without).await.outcome.as_deref(), Ok(HELLO), "{auth}");
            let revoked = connect(address, &pki.client_with("revoked", version)).await.outcome;
            assert_eq!(revoked.as_deref().map_err(String::as_str), with_revoked, "{auth}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unix_sockets_on_both_sides() {
    let pki = Pki::new();
    let service = tokio::net::UnixListener::bind(pki.path("app.sock")).expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = service.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    let own = pki.path("front.sock");
    let upstream = format!("unix:{}", pki.path("app.sock").display());
    let (front, _) = pki.front(&upstream, &format!("listen = 'unix:{}'", own.display()));
    let io = tokio::net::UnixStream::connect(&own).await.expect("connects");
    let connector = certcheck_rustls::tokio_rustls::TlsConnector::from(pki.client("good"));
    let name = certcheck_rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let mut stream = connector.connect(name, io).await.expect("a handshake");
    stream.write_all(b"through").await.expect("written");
    let mut back = [0; 7];
    stream.read_exact(&mut back).await.expect("read");
    assert_eq!(&back, b"through");
    drop(stream);
    front.drain(PATIENCE).await;
    assert!(!own.exists());
    assert!(pki.path("app.sock").exists());
}
