//! A front that speaks HTTP, with real clients: what the service is sent, and what clients are answered.

mod services;
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use certcheck_rustls::rustls::ClientConfig;
use certcheck_testkit::peers::tool;
use services::*;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The table that makes a listener speak HTTP, with all headers.
const HTTP: &str = "\
[listener.identity]
rule = [{ user = '{cn}', cn = 'g*' }]
required = false
[listener.http]
headers = ['xfcc', 'client-cert', 'client-cert-chain', 'x-client']
strip = ['Remote-User']
response_timeout = '5s'
max_body = 100_000
";

/// A client of HTTP/1.1.
fn http1(pki: &Pki, name: &str) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(&pki.client(name));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// What curl prints for a URL path, with these arguments. `None` if there is no curl.
fn curl(folder: &Path, address: SocketAddr, name: &str, path: &str, more: &[&str]) -> Option<tool::Ran> {
    let file = |name: &str| folder.join(name).display().to_string();
    let own = [
        ("--cacert", file("server-root.pem")),
        ("--cert", file(&format!("{name}.pem"))),
        ("--key", file(&format!("{name}.key"))),
        ("--connect-to", format!("localhost:443:{address}")),
    ];
    let mut arguments = vec!["--silent", "--show-error"];
    for (key, value) in &own {
        arguments.extend([*key, value.as_str()]);
    }
    arguments.extend(more);
    let url = format!("https://localhost{path}");
    arguments.push(&url);
    tool::run("curl", &arguments, PATIENCE)
}

/// The values of a header in a message, its name in any case.
fn values<'m>(message: &'m str, name: &str) -> Vec<&'m str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_told_of_the_client_over_both_versions() {
    let pki = Pki::new();
    let (upstream, seen) = mirror().await;
    let (front, address) = pki.front(&upstream, HTTP);
    let good = pki.person("good");
    let hash = certcheck_rustls::certcheck_core::digest::sha256(&good.chain[0]);
    let hash = data_encoding::HEXLOWER.encode(&hash);
    let cert = format!(":{}:", data_encoding::BASE64.encode(&good.chain[0]));
    for version in ["--http1.1", "--http2"] {
        let said = curl(
            pki.folder(),
            address,
            "good",
            "/a?b=c",
            &[version, "-d", "body", "-H", "X-Client-User: root"],
        );
        let Some(said) = said else { return };
        assert!(said.is_success, "{version}: {}", said.text);
        let request = said.text;
        assert!(
            request.starts_with("POST /a?b=c HTTP/1.1\r\n") && request.ends_with("\r\n\r\nbody"),
            "{request}"
        );
        for (name, value) in [
            ("host", "localhost"),
            ("x-client-user", "good"),
            ("x-client-subject", "CN=good,O=Fetch"),
            ("x-client-issuer", "CN=CA,O=Fetch"),
            ("x-client-verdict", "accept"),
            ("client-cert", &cert),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
        ] {
            assert_eq!(values(&request, name), [value], "{version}: {name} in {request}");
        }
        let xfcc = format!("Hash={hash};Subject=\"CN=good,O=Fetch\";URI=");
        assert_eq!(values(&request, "x-forwarded-client-cert"), [xfcc], "{version}");
        // The CA, and neither the leaf nor the anchor.
        let chain = values(&request, "client-cert-chain");
        assert_eq!(chain.len(), 1, "{request}");
        assert_eq!(chain[0].matches(", ").count(), 0, "{request}");
    }
    assert_eq!(seen.lock().expect("no panic").len(), 2);
    // Refused in the handshake, and by rules.
    for version in ["--http1.1", "--http2"] {
        pki.person("revoked");
        let said = curl(pki.folder(), address, "revoked", "/", &[version]).expect("curl");
        assert!(!said.is_success && said.text.contains("revoked"), "{}", said.text);
    }
    let more = HTTP.replace("required = false", "required = true");
    front.reload(pki.config(&upstream, &more).expect("good")).expect("used");
    pki.person("other");
    for version in ["--http1.1", "--http2"] {
        let said = curl(pki.folder(), address, "other", "/", &[version, "-w", "%{http_code}"]).expect("curl");
        assert_eq!(said.text, "403 Forbidden: no-identity\n403", "{version}");
        let said =
            curl(pki.folder(), address, "good", "/", &[version, "-o", "/dev/null", "-w", "%{http_code}"])
                .expect("curl");
        assert_eq!(said.text, "200", "{version}");
    }
    assert_eq!(seen.lock().expect("no panic").len(), 4, "refused ones do not reach the service");
}

/// Requests that try to get a header past the front. Each has `evil` in it.
const FORGED: &[&str] = &[
    "X-Client-User: evil\r\n",
    "x_client_user: evil\r\n",
    "X.Client.User: evil\r\n",
    "X-CLIENT-USER: evil\r\n",
    "x-client_user: evil\r\nX_Client-User: evil\r\n",
    "X-Client-User: evil\r\nX-Client-User: evil\r\n",
    "X!Client~User: evil\r\n",
    "Client_Cert: :evil:\r\n",
    "Client-Cert-Chain: :evil:\r\n",
    "X_FORWARDED_CLIENT_CERT: Hash=evil\r\n",
    "X-Forwarded-Client-Cert: Hash=evil\r\n",
    "X-Forwarded-For: evil\r\nX_Forwarded_For: evil\r\nForwarded: for=evil\r\nX-Real-IP: evil\r\n",
    "Remote_User: evil\r\nremote-user: evil\r\n",
    "Proxy: http://evil\r\n",
    "Connection: X-Client-User, Client-Cert\r\nX-Client-User: evil\r\n",
    "Connection: x-evil\r\nX-Evil: evil\r\n",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: evil\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_header_of_ours_comes_from_a_client() {
    let pki = Pki::new();
    let (upstream, seen) = mirror().await;
    let (_front, address) = pki.front(&upstream, HTTP);
    let client = http1(&pki, "good");
    for forged in FORGED {
        for (head, body) in [
            ("GET / HTTP/1.1", String::new()),
            (
                "POST / HTTP/1.1",
                "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n"
                    .to_owned()
                    + forged,
            ),
        ] {
            let before = seen.lock().expect("no panic").len();
            let mut stream = dial(address, &client).await;
            let request = format!("{head}\r\nHost: localhost\r\n{forged}{body}\r\n");
            let answer = raw(&mut stream, &request).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{request:?}: {answer}");
            let seen = seen.lock().expect("no panic");
            let got = &seen[before..];
            assert_eq!(got.len(), 1, "{request:?}: {got:?}");
            let clean = got[0].replace("Trailer: X-Sum", "");
            assert!(!clean.to_ascii_lowercase().contains("evil"), "{request:?}: {clean}");
            assert_eq!(values(&got[0], "x-client-user"), ["good"], "{request:?}");
        }
    }
}

/// Requests that two readers could understand differently, and the status of each. `evil` must not arrive as a request
/// of its own, nor in a header.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n X-Client-User: evil\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX-Client-User : evil\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\n\0X-Client-User: evil\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\rX-Client-User: evil\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\n\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc", "400"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"),
    ("POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    ("CONNECT evil:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    // Of the two lengths the chunks count, and the connection ends.
    (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "200",
    ),
    (
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "200",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_refused_or_mean_one_thing() {
    let pki = Pki::new();
    let (upstream, seen) = mirror().await;
    let (_front, address) = pki.front(&upstream, HTTP);
    let client = http1(&pki, "good");
    for (request, status) in AMBIGUOUS {
        let mut stream = dial(address, &client).await;
        let answer = raw(&mut stream, request).await;
        if status.is_empty() {
            assert_eq!(answer, "", "{request:?}");
            continue;
        }
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answer}");
    }
    let seen = seen.lock().expect("no panic");
    assert_eq!(seen.len(), 2, "{seen:?}");
    for request in seen.iter() {
        assert!(!request.contains("evil"), "{request}");
        assert_eq!(
            values(request, "content-length").len() + values(request, "transfer-encoding").len(),
            1,
            "{request}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_front_say_nothing_about_the_service() {
    let pki = Pki::new();
    let (upstream, _seen) = mirror().await;
    let (front, address) = pki.front(&upstream, HTTP);
    let client = http1(&pki, "good");
    // Exactly as much as the front reads before it refuses: unread bytes could destroy its answer on the way.
    let large = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n";
    let chunk = format!("{:x}\r\n{}", 100_001, "x".repeat(100_001));
    let chunked = format!("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "A: b\r\n".repeat(200));
    for (request, status) in [
        ("GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n", "504 Gateway Timeout"),
        ("GET /garbage HTTP/1.1\r\nHost: localhost\r\n\r\n", "502 Bad Gateway"),
        ("GET /switch HTTP/1.1\r\nHost: localhost\r\n\r\n", "502 Bad Gateway"),
        (large, "413 Payload Too Large"),
        (&chunked, "413 Payload Too Large"),
        (&many, "431 Request Header Fields Too Large"),
    ] {
        let mut stream = dial(address, &client).await;
        stream.write_all(request.as_bytes()).await.expect("written");
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert!(!answer.contains(&upstream) && !answer.contains("SSH"), "{answer}");
    }
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nowhere = gone.local_addr().expect("bound").to_string();
    drop(gone);
    front.reload(pki.config(&nowhere, HTTP).expect("good")).expect("used");
    let mut stream = dial(address, &client).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    let answer = read_until(&mut stream, "502 Bad Gateway\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_keep_what_is_theirs() {
    let pki = Pki::new();
    let (upstream, seen) = mirror().await;
    let (_front, address) = pki.front(&upstream, HTTP);
    let mut stream = dial(address, &http1(&pki, "good")).await;
    // Several requests over one connection, and one of the service behind it.
    let ask = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    let answer = raw(&mut stream, &ask("GET /trailers", "TE: trailers\r\n")).await;
    assert!(answer.contains("trailer: X-Sum") || answer.contains("Trailer: X-Sum"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("x-sum: 6"), "{answer}");
    for gone in ["x-hop", "keep-alive: timeout=9"] {
        assert!(!answer.to_ascii_lowercase().contains(gone), "{answer}");
    }
    let answer = raw(&mut stream, &ask("HEAD /", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert_ne!(values(&answer, "content-length"), ["0"], "{answer}");
    let answer = raw(&mut stream, &ask("GET /both", "")).await;
    assert!(answer.contains("hello") && values(&answer, "content-length").is_empty(), "{answer}");
    // The body of a GET is not lost.
    let body = "Transfer-Encoding: chunked\r\n\r\n5\r\nquery\r\n0\r\n";
    let answer = raw(&mut stream, &ask("GET /", body)).await;
    assert!(answer.contains("5\r\nquery\r\n0\r\n"), "{answer}");
    let answer = raw(&mut stream, &ask("POST /", "Content-Length: 0\r\n")).await;
    assert!(answer.contains("content-length: 0"), "{answer}");
    let answer =
        raw(&mut stream, &ask("GET http://other.example:8080/x?y", "Cookie: a=b\r\nCookie: c=d\r\n")).await;
    assert!(
        answer.contains("GET /x?y HTTP/1.1\r\n") && answer.contains("host: other.example:8080"),
        "{answer}"
    );
    assert!(answer.contains("cookie: a=b; c=d\r\n"), "{answer}");
    let answer = raw(&mut stream, &ask("OPTIONS *", "")).await;
    assert!(answer.contains("OPTIONS * HTTP/1.1\r\n"), "{answer}");
    assert_eq!(seen.lock().expect("no panic").len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_on_as_a_websocket() {
    let pki = Pki::new();
    let (upstream, seen) = mirror().await;
    let (front, address) = pki.front(&upstream, HTTP);
    let mut stream = dial(address, &http1(&pki, "good")).await;
    let request = "GET /switch HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nx_client_user: evil\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("written");
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    for round in 0..3_u8 {
        ping(&mut stream, &[round; 5_000]).await.expect("passed on");
    }
    let request = seen.lock().expect("no panic")[0].clone();
    assert!(!request.contains("evil") && values(&request, "x-client-user") == ["good"], "{request}");
    assert_eq!(values(&request, "upgrade"), ["websocket"]);
    drop(stream);
    until("the connection ends", || front.connections() == 0).await;
}

/// A client whose certificate is revoked is cut within its answer, whatever it speaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_is_cut_within_its_answers() {
    let pki = Pki::new();
    let (upstream, _seen) = mirror().await;
    let (front, address) = pki.front(&upstream, HTTP);
    let mut plain = dial(address, &http1(&pki, "good")).await;
    plain.write_all(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    read_until(&mut plain, "more").await;
    let mut socket = dial(address, &http1(&pki, "good")).await;
    let request =
        "GET /switch HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(request.as_bytes()).await.expect("written");
    read_until(&mut socket, "\r\n\r\n").await;
    ping(&mut socket, b"hello").await.expect("passed on");
    let mut other = dial(address, &http1(&pki, "gold")).await;
    other.write_all(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    // HTTP/2, by curl in a thread of its own.
    pki.person("good");
    let folder = pki.folder().to_owned();
    let printed = pki.path("endless");
    let output = printed.display().to_string();
    let over_http2 = std::thread::spawn(move || {
        curl(&folder, address, "good", "/endless", &["--http2", "--no-buffer", "-o", &output])
    });
    until("all of them are there", || front.connections() == 4).await;
    let has_come = || std::fs::read_to_string(&printed).is_ok_and(|text| text.contains("more"));
    until("curl has a part of its answer", has_come).await;

    pki.write("later.crl", "X509 CRL", &pki.crl(&["revoked", "good"]));
    let later = format!("crl = 'later.crl'\n{HTTP}");
    front.reload(pki.config(&upstream, &later).expect("good")).expect("used");
    until("three are cut", || front.connections() == 1).await;
    read_to_end(&mut plain).await.expect_err("cut, and not as if all were there");
    read_to_end(&mut socket).await.expect_err("cut, and not as if all were there");
    if let Some(said) = over_http2.join().expect("no panic") {
        assert!(!said.is_success, "{}", said.text);
    }
    read_until(&mut other, "more").await;
    let mut rest = [0; 100];
    assert!(other.read(&mut rest).await.expect("not cut") > 0);
}
