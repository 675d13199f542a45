//! What a plain socket sees.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use certcheck_forge::name::name;
use certcheck_forge::server::{OcspResponder, Options, Page, Server, ServerFault as _};
use certcheck_forge::{Key, der, ocsp};
use certcheck_testkit::program::until;
use certcheck_testkit::server::{Fault, gzipped};

const BODY: &[u8] = b"0123456789abcdef";

/// How a connection ended for the client.
#[derive(Debug, Eq, PartialEq)]
enum End {
    Closed,
    Reset,
    /// Still open when the client had waited long enough, or had 4 MiB.
    Open,
}

/// How long to wait for what is to come.
const LONG: Duration = Duration::from_secs(60);
/// How long to wait for what is not to come.
const SHORT: Duration = Duration::from_millis(300);

fn connect(server: &Server, patience: Duration) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream
}

fn read(stream: &mut TcpStream) -> (Vec<u8>, End) {
    let (mut all, mut chunk) = (Vec::new(), [0; 16 << 10]);
    while all.len() < 4 << 20 {
        match stream.read(&mut chunk) {
            Ok(0) => return (all, End::Closed),
            Ok(read) => all.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (all, End::Reset),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                break;
            }
        }
    }
    (all, End::Open)
}

/// Head, body and end of the answer to a request without the empty line.
fn send(server: &Server, request: &str) -> (String, Vec<u8>, End) {
    let mut stream = connect(server, LONG);
    stream.write_all(format!("{request}\r\n\r\n").as_bytes()).unwrap();
    let (all, end) = read(&mut stream);
    parts(&all, end)
}

/// Reads until this holds for all that has come.
fn read_until(stream: &mut TcpStream, holds: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut all: Vec<u8> = Vec::new();
    while !holds(&all) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        all.extend(byte);
    }
    all
}

fn parts(all: &[u8], end: End) -> (String, Vec<u8>, End) {
    let at = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    (String::from_utf8(all[..at].to_vec()).unwrap(), all[at..].to_vec(), end)
}

fn get(server: &Server, path: &str) -> (String, Vec<u8>, End) {
    send(server, &format!("GET {path} HTTP/1.1\r\nHost: h:81\r\nConnection: close"))
}

fn broken(fault: &str) -> (String, Vec<u8>, End) {
    let server = Server::start();
    server.serve("/a", Page::new(BODY));
    server.break_with("/a", Fault::named(fault).unwrap());
    // What comes before a silence: nothing, the headers, or a byte more.
    let begins = match fault {
        "hang-before-headers" => Some(""),
        "hang-after-headers" => Some("\r\n\r\n"),
        "drip" => Some("\r\n\r\n0"),
        _ => None,
    };
    let seen = if let Some(begins) = begins {
        let mut stream = connect(&server, LONG);
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: h:81\r\nConnection: close\r\n\r\n").unwrap();
        let begun = read_until(&mut stream, |all| all.ends_with(begins.as_bytes()));
        until("the request", || (server.count("/a") > 0).then_some(()));
        stream.set_read_timeout(Some(SHORT)).unwrap();
        let (rest, end) = read(&mut stream);
        parts(&[begun, rest].concat(), end)
    } else {
        get(&server, "/a")
    };
    assert_eq!(server.count("/a"), 1, "{fault}");
    server.repair("/a");
    assert_eq!(get(&server, "/a").1, BODY, "{fault}");
    seen
}

fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map(|length| length.parse().unwrap())
}

#[test]
fn pages() {
    let server = Server::start();
    assert_eq!(server.url("a"), format!("http://{}/a", server.address()));
    assert_eq!(server.url_as("crl.test", "/a"), format!("http://crl.test:{}/a", server.address().port()));
    server.serve("/a", Page::new(BODY).with_header("X-One", "1"));
    server.serve_with("/made", |request| Page::new(format!("{}:{}", request.host, request.tail)));
    server.serve_with("/made/panic", |_| panic!("as it should"));
    let (head, body, end) = get(&server, "/a?b");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("X-One: 1\r\n"), "{head}");
    assert_eq!((&body[..], end), (BODY, End::Closed));
    assert_eq!(get(&server, "/made/b/c").1, b"h:b/c");
    assert!(get(&server, "/made/panic").0.starts_with("HTTP/1.1 500 "));
    for missing in ["/ab", "/a/b", "/madeup"] {
        assert!(get(&server, missing).0.starts_with("HTTP/1.1 404 "), "{missing}");
    }
    assert!(send(&server, "what").0.starts_with("HTTP/1.1 400 "));
    assert_eq!((server.count("/a"), server.count("/made"), server.requests().len()), (2, 2, 6));
    assert_eq!(server.requests()[0].path, "/a?b");
    server.forget();
    assert_eq!(server.requests(), []);
}

#[test]
fn proxied() {
    let server = Server::start();
    server.serve("/a", Page::new(BODY));
    let (_, body, _) = send(&server, "GET http://crl.test:80/a HTTP/1.1\r\nHost: other\r\nConnection: close");
    assert_eq!(body, BODY);
    let request = &server.requests()[0];
    assert_eq!((&request.host[..], &request.path[..]), ("crl.test", "/a"));
}

#[test]
fn conditional() {
    let server = Server::start();
    server.serve("/a", Page::new(BODY).with_etag("v1").with_last_modified("then"));
    let with = |header: &str| send(&server, &format!("GET /a HTTP/1.0\r\n{header}"));
    for known in ["If-None-Match: \"v0\", W/\"v1\"", "If-None-Match: *", "If-Modified-Since: then"] {
        let (head, body, _) = with(known);
        assert!(head.starts_with("HTTP/1.1 304 ") && head.contains("ETag: \"v1\"\r\n"), "{known}: {head}");
        assert!(body.is_empty(), "{body:?}");
    }
    assert_eq!(with("If-None-Match: \"v2\"\r\nIf-Modified-Since: then").1, BODY);
}

#[test]
fn gzip_is_said_and_inflates() {
    let server = Server::start();
    server.serve("/a", gzipped(Page::new(BODY)));
    let (head, body, _) = get(&server, "/a");
    assert!(head.contains("Content-Encoding: gzip\r\n"));
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut inflated).unwrap();
    assert_eq!(inflated, BODY);
}

#[test]
fn kept_alive() {
    let server = Server::start();
    server.serve("/a", Page::new(BODY));
    let mut stream = connect(&server, LONG);
    // Two at once, the second with a body, then one byte at a time.
    let two = b"GET /a HTTP/1.1\r\n\r\nPOST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyz";
    stream.write_all(two).unwrap();
    let is_twice = |all: &[u8]| all.windows(BODY.len()).filter(|part| *part == BODY).count() == 2;
    let mut all = read_until(&mut stream, is_twice);
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let (rest, end) = read(&mut stream);
    all.extend(rest);
    assert_eq!((String::from_utf8(all).unwrap().matches("HTTP/1.1 200 OK").count(), end), (2, End::Open));
    stream.set_read_timeout(Some(LONG)).unwrap();
    for byte in b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    let (all, end) = read(&mut stream);
    assert!(all.ends_with(b"Connection: close\r\n\r\n"));
    assert_eq!(end, End::Closed);
    assert_eq!(server.requests()[1].body, b"xyz");
}

#[test]
fn delayed() {
    let server = Server::start();
    server.serve("/a", Page::new(BODY).with_delay(Duration::from_millis(60)));
    let begun = Instant::now();
    assert_eq!(get(&server, "/a").1, BODY);
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[test]
fn broken_below() {
    let server = Server::start();
    server.serve("/a/b", Page::new(BODY));
    server.break_with("/", Fault::ServerError);
    server.break_with("/a", Fault::Unavailable(7));
    assert!(get(&server, "/a/b").0.contains("Retry-After: 7\r\n"));
    assert!(get(&server, "/b").0.starts_with("HTTP/1.1 500 "));
}

#[test]
fn faults_of_the_connection() {
    let right = |fault: &str, sent: &[u8], length: usize, expected: End| {
        let (head, body, end) = broken(fault);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{fault}: {head}");
        assert_eq!((&body[..], end), (sent, expected), "{fault}");
        assert_eq!(self::length(&head), Some(length), "{fault}");
    };
    assert_eq!(broken("refuse"), (String::new(), Vec::new(), End::Reset));
    assert_eq!(broken("hang-before-headers"), (String::new(), Vec::new(), End::Open));
    right("hang-after-headers", b"", BODY.len(), End::Open);
    right("drip", &BODY[..1], BODY.len(), End::Open);
    right("reset-mid-body", &BODY[..8], BODY.len(), End::Reset);
    right("truncate", &BODY[..8], BODY.len(), End::Closed);
    right("wrong-length", BODY, 2 * BODY.len(), End::Closed);
    right("wrong-length-short", BODY, 8, End::Closed);
    let (head, body, end) = broken("endless-body");
    assert!(head.contains("Transfer-Encoding: chunked\r\n") && length(&head).is_none());
    assert!(body.starts_with(b"4000\r\n") && body.len() > 3 << 20);
    assert_eq!(end, End::Open);
    let (head, body, end) = broken("tls-only");
    assert_eq!((&head[..], &body[..], end), ("", &[21, 3, 3, 0, 2, 2, 40][..], End::Closed));
}

#[test]
fn faults_of_the_answer() {
    let seen = |fault: &str, status: u16, header: &str| {
        let (head, body, end) = broken(fault);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains(header), "{fault}: {head}");
        assert_eq!(end, End::Closed, "{fault}");
        assert_eq!(body.len(), length(&head).unwrap_or(0), "{fault}");
        body
    };
    let bomb = seen("gzip-bomb", 200, "Content-Encoding: gzip\r\n");
    assert!(bomb.starts_with(&[0x1f, 0x8b]) && bomb.len() < 2 << 20);
    assert_eq!(seen("garbage", 200, "").len(), 1024);
    assert!(seen("html", 200, "Content-Type: text/html").starts_with(b"<!DOCTYPE html>"));
    assert!(seen("empty", 200, "Content-Length: 0\r\n").is_empty());
    seen("redirect-loop", 302, "Location: http://h:81/a\r\n");
    seen("redirect-to", 302, "Location: http://127.0.0.1:1/\r\n");
    seen("not-modified-without-body", 304, "");
    seen("too-many-requests", 429, "Retry-After: 1\r\n");
    seen("unavailable", 503, "Retry-After: 1\r\n");
    seen("server-error", 500, "");
}

#[test]
fn every_fault_has_its_own_name() {
    for (name, fault) in Fault::ALL {
        assert_eq!(Fault::named(name).as_ref(), Some(fault));
        assert_eq!(fault.name(), *name);
    }
    assert_eq!(Fault::named("none"), None);
}

#[test]
fn dropped_while_clients_wait() {
    let server = Server::start();
    server.serve("/drip", Page::new(BODY));
    let faults = [("/hang", Fault::HangBeforeHeaders), ("/drip", Fault::Drip), ("/end", Fault::EndlessBody)];
    let clients = faults.map(|(path, fault)| {
        server.break_with(path, fault);
        let mut stream = connect(&server, LONG);
        stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        stream
    });
    let _idle = connect(&server, LONG);
    while server.requests().len() < clients.len() {
        std::thread::yield_now();
    }
    let (address, begun) = (server.address(), Instant::now());
    drop(server);
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    assert!(TcpStream::connect(address).is_err());
}

fn request(cert_id: &[u8], extensions: &[u8]) -> Vec<u8> {
    let list = der::seq(&[der::seq(&[cert_id])]);
    der::seq(&[der::seq(&[&list[..], extensions])])
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn responder_over_post_and_get() {
    let issuer = Key::p256("issuer");
    let responder = OcspResponder::new("CN=Issuer", issuer.clone());
    let server = Server::start();
    server.serve_with("/ocsp", responder.handler());
    let cert_id = ocsp::cert_id("sha1", &name("CN=Issuer"), &issuer, &[0x11]);
    let asked = request(&cert_id, &[]);
    let base64 =
        certcheck_forge::pem("X", &asked).lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let escaped = base64.replace('/', "%2F").replace('+', "%2b").replace('=', "%3D");
    let ask = |url: &str| {
        let (head, body, _) = get(&server, url);
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("application/ocsp-response"), "{head}");
        assert_eq!(body[0], 0x30);
        assert!(has(&body[..8], &[0x0a, 1, 0]), "responseStatus");
        assert!(has(&body, &cert_id));
        body
    };
    let unknown = ask(&format!("/ocsp/{escaped}"));
    assert!(has(&unknown, &[&cert_id[..], &der::ctx(2, &[])].concat()));
    responder.good(&[0x11]);
    let good = ask(&format!("/ocsp//{base64}"));
    assert!(has(&good, &[&cert_id[..], &der::ctx(0, &[])].concat()));
    responder.revoke(&[0x11], "2026-05-01T00:00:00Z", Some("superseded"));
    let revoked = ask(&format!("/ocsp/{escaped}"));
    assert!(has(
        &revoked,
        &ocsp::AnswerBuilder::revoked(cert_id.clone(), "2026-05-01T00:00:00Z", Some("superseded")).status
    ));

    let mut stream = connect(&server, LONG);
    write!(stream, "POST /ocsp HTTP/1.0\r\nContent-Length: {}\r\n\r\n", asked.len()).unwrap();
    stream.write_all(&asked).unwrap();
    assert!(read(&mut stream).0.ends_with(&revoked));
    assert!(get(&server, "/ocsp/AAAA").0.starts_with("HTTP/1.1 400 "));
    assert_eq!(server.count("/ocsp"), 5);
}

#[test]
fn responder_as_configured() {
    let (issuer, delegate) = (Key::p256("issuer"), Key::p384("delegate"));
    let responder = OcspResponder::new("CN=Issuer", issuer.clone());
    responder.good(&[0x11]);
    let id = |hash, name_text: &str| ocsp::cert_id(hash, &name(name_text), &issuer, &[0x11]);
    let good = |cert_id: &[u8]| {
        has(&responder.respond(&request(cert_id, &[])).unwrap(), &[cert_id, &der::ctx(0, &[])].concat())
    };
    assert!(["sha1", "sha256", "sha384", "sha512"].iter().all(|hash| good(&id(hash, "CN=Issuer"))));
    assert!(!good(&id("sha1", "CN=Other")));

    let nonce = ocsp::nonce(b"0123456789abcdef").der();
    let asked = request(&id("sha1", "CN=Issuer"), &der::ctx_c(2, &der::seq(&[&nonce])));
    assert!(has(&responder.respond(&asked).unwrap(), &nonce));
    responder.set_echo_nonce(false);
    responder.set_delegate(delegate.clone(), b"certificate".to_vec());
    responder.set_this_update("2027-02-01T00:00:00Z");
    responder.set_next_update(None);
    responder.set_produced_at("2027-02-02T00:00:00Z");
    let response = responder.respond(&asked).unwrap();
    assert!(!has(&response, &nonce) && !has(&response, b"20270108"));
    let parts: [&[u8]; 4] = [&ocsp::by_key(&delegate), b"certificate", b"20270201", b"20270202"];
    assert!(parts.iter().all(|part| has(&response, part)));
    responder.set_error(Some(3));
    assert_eq!(responder.respond(&asked).unwrap(), ocsp::Response::error(3));
    for length in 0..asked.len() {
        assert_eq!(responder.respond(&asked[..length]), None, "{length}");
    }
}

#[test]
fn what_runs_for_long_is_bounded() {
    let answered = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut options = Options::default();
    (options.max_requests, options.max_connections, options.idle) = (2, 1, Duration::from_secs(5));
    let observed = options.observed_by({
        let answered = std::sync::Arc::clone(&answered);
        move |request, fault| answered.lock().unwrap().push((request.path.clone(), fault.map(str::to_owned)))
    });
    let server = Server::start_with(observed).unwrap();
    server.break_with("/3", Fault::Empty);
    let mut first = connect(&server, LONG);
    for path in ["/1", "/2", "/3"] {
        write!(first, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert!(first.read(&mut [0; 1 << 10]).unwrap() > 0);
    }
    let kept: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(kept, ["/2", "/3"]);
    let answered = answered.lock().unwrap().clone();
    assert_eq!(answered.len(), 3);
    assert_eq!(answered[2], ("/3".to_owned(), Some("empty".to_owned())));
    // There is no room for a second, until the first has been idle for too long.
    assert_ne!(read(&mut connect(&server, LONG)).1, End::Open);
    assert_eq!(read(&mut first).1, End::Closed);
    let port = server.address().port();
    let mut taken = Options::default();
    taken.port = port;
    assert!(Server::start_with(taken).is_err());
}
