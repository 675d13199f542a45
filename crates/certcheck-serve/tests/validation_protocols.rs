//! What a validation listener answers over gRPC and SPOP to peers that send what no proxy sends.

mod support;

use std::fs;
use std::net::SocketAddr;

use certcheck_serve::Front;
use certcheck_serve::config;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SECRET: &str = "0123456789abcdef";

/// A front with a listener of this protocol.
fn start(pki: &Pki, protocol: &str) -> (Front, SocketAddr) {
    start_with(pki, protocol, "")
}

fn start_with(pki: &Pki, protocol: &str, more: &str) -> (Front, SocketAddr) {
    fs::write(pki.path("secret"), SECRET).expect("written");
    let text = format!(
        "watch_files = 'off'\n[[validation]]\nname = 'peers'\nprotocol = '{protocol}'\nlisten = '127.0.0.1:0'\n\
         secret_file = 'secret'\nring = 'ring'\nallow_net = '127.0.0.0/8'\n{more}"
    );
    let loaded = config::read_text(&pki.path("serve.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
    let front = Front::start(loaded).unwrap_or_else(|error| panic!("{error}"));
    let address = front.validation_addresses("peers")[0];
    (front, address)
}

/// The status of a call, and its message.
async fn call(address: SocketAddr, path: &str, secret: Option<&str>, body: Vec<u8>) -> (String, Bytes) {
    let stream = TcpStream::connect(address).await.expect("connects");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut request = hyper::Request::post(format!("http://localhost{path}"));
    request = request.header("content-type", "application/grpc").header("te", "trailers");
    if let Some(secret) = secret {
        request = request.header("x-certcheck-secret", secret);
    }
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");
    let answer = sender.send_request(request).await.expect("answered");
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.expect("a body");
    let status = body.trailers().and_then(|trailers| trailers.get("grpc-status")).expect("a status");
    (status.to_str().expect("a number").to_owned(), body.to_bytes())
}

/// The route and the code of each of the last refusals, the newest first.
fn refusals(front: &Front) -> Vec<(String, &'static str)> {
    let refusals = front.status().refusals.into_iter();
    refusals.map(|one| (one.route.expect("a route"), one.code)).collect()
}

/// A message as gRPC sends it.
fn message(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("small");
    [&[0], length.to_be_bytes().as_slice(), content].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_read_have_a_status_and_are_no_acceptance() {
    const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
    let pki = Pki::new();
    let (front, address) = start(&pki, "grpc");
    let whole = message(&[]);
    for (path, secret, body, status) in [
        (CHECK, Some(SECRET), whole.clone(), "0"),
        ("/envoy.service.auth.v3.Authorization/Other", Some(SECRET), whole.clone(), "12"),
        ("/v1/verify", Some(SECRET), whole.clone(), "12"),
        (CHECK, None, whole.clone(), "7"),
        (CHECK, Some("0123456789abcdeF"), whole.clone(), "7"),
        (CHECK, Some(SECRET), Vec::new(), "3"),
        (CHECK, Some(SECRET), whole[..4].to_vec(), "3"),
        // Compressed, longer than it says, shorter, and not of this kind.
        (CHECK, Some(SECRET), [&[1], &whole[1..]].concat(), "3"),
        (CHECK, Some(SECRET), [whole.as_slice(), &whole].concat(), "3"),
        (CHECK, Some(SECRET), vec![0, 0, 0, 0, 9, 1], "3"),
        (CHECK, Some(SECRET), message(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), "3"),
        (CHECK, Some(SECRET), message(&vec![0; 300 << 10]), "3"),
    ] {
        let (found, answer) = call(address, path, secret, body.clone()).await;
        assert_eq!(found, status, "{path} {secret:?} {:?}", body.get(..9));
        // An answer to an empty request has the code 16, UNAUTHENTICATED, in its status.
        assert_eq!(answer.get(5..9), (status == "0").then_some(&[0x0a, 18, 0x08, 16][..]), "{answer:?}");
    }
    assert_eq!(refusals(&front), [("grpc".to_owned(), "no-certificate")]);
}

/// A frame with its length.
fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("small");
    [length.to_be_bytes().as_slice(), content].concat()
}

fn text(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("short")], text].concat()
}

fn hello(more: &[u8]) -> Vec<u8> {
    let mut content = vec![1, 0, 0, 0, 1, 0, 0];
    for part in [
        &text(b"supported-versions")[..],
        &[8],
        &text(b"2.0"),
        &text(b"max-frame-size"),
        &[3, 0xf0, 0xf9, 6],
        more,
    ] {
        content.extend_from_slice(part);
    }
    frame(&content)
}

fn notify(arguments: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut content = [&[3, 0, 0, 0, 1, 5, 1], &text(b"client")[..]].concat();
    content.push(u8::try_from(arguments.len()).expect("few"));
    for (name, value) in arguments {
        content.extend([&text(name)[..], &[9], &text(value)].concat());
    }
    frame(&content)
}

/// Everything that is sent back until the connection ends or a second frame has come.
async fn frames(address: SocketAddr, sent: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let mut frames = Vec::new();
    for one in sent {
        stream.write_all(one).await.expect("written");
        let Ok(Ok(length)) = tokio::time::timeout(PATIENCE, stream.read_u32()).await else { break };
        let mut frame = vec![0; usize::try_from(length).expect("small")];
        stream.read_exact(&mut frame).await.expect("whole");
        frames.push(frame);
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_read_end_the_connection_and_are_no_acceptance() {
    const ACK: u8 = 103;
    const DISCONNECT: u8 = 102;
    let pki = Pki::new();
    let (front, address) = start(&pki, "spop");
    let has = |frame: &[u8], text: &[u8]| frame.windows(text.len()).any(|part| part == text);
    // `ok` is a boolean (1) that is not true (0x11).
    let refused = [&text(b"ok")[..], &[1]].concat();
    let secret = SECRET.as_bytes();
    for (arguments, code) in [
        (&[(b"secret".as_slice(), secret)][..], "no-certificate"),
        (&[(b"leaf".as_slice(), b"x".as_slice())], "not-authenticated"),
        (&[(b"secret", b"0123456789abcdeF"), (b"leaf", b"x")], "not-authenticated"),
        (&[(b"secret", secret), (b"leaf", b"x")], "malformed-header"),
        (&[(b"secret", secret), (b"leaf", &[0x30, 0, 0x30, 0])], "malformed-header"),
        (&[(b"secret", secret), (b"leaf", &[0x30, 0])], "malformed"),
        (&[(b"secret", secret), (b"leaf", &[0x30, 0]), (b"chain", b"x")], "malformed-header"),
        (&[(b"secret", secret), (b"leaf", &[0x30, 0]), (b"policy", b"none")], "no-policy"),
    ] {
        let answers = frames(address, &[hello(&[]), notify(arguments)]).await;
        let [greeting, answer] = answers.as_slice() else { panic!("{code}: {answers:?}") };
        assert!(has(greeting, b"max-frame-size") && greeting[0] == 101, "{greeting:?}");
        assert_eq!(answer[0], ACK, "{code}");
        assert!(has(answer, &refused) && has(answer, &text(code.as_bytes())), "{code}: {answer:?}");
    }
    let codes = [
        "no-policy",
        "malformed-header",
        "malformed",
        "malformed-header",
        "malformed-header",
        "no-certificate",
    ];
    assert_eq!(refusals(&front), codes.map(|code| ("spop".to_owned(), code)));
    for (sent, status) in [
        (frame(&[9, 0, 0, 0, 1, 0, 0]), 4),
        (frame(&[3, 0, 0, 0, 0, 0, 0]), 10),
        (frame(&[]), 4),
        (frame(&[1, 0, 0, 0, 1, 0, 0]), 8),
        (vec![0xff; 4], 3),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 3),
        (notify(&[(b"leaf", b"x"), (b"leaf", b"y")]), 4),
    ] {
        let answers = frames(address, std::slice::from_ref(&sent)).await;
        let [answer] = answers.as_slice() else { panic!("{sent:?}: {answers:?}") };
        let expected = [&text(b"status-code")[..], &[3, status]].concat();
        assert!(answer[0] == DISCONNECT && has(answer, &expected), "{sent:?}: {answer:?}");
    }
    let healthcheck = [&text(b"healthcheck")[..], &[0x11]].concat();
    assert_eq!(frames(address, &[hello(&healthcheck)]).await.len(), 1);
}

/// What one peer holds without a whole request is bounded, and others are answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn calls_and_frames_beyond_the_limit_of_bytes_are_no_acceptance() {
    const LIMITS: &str = "max_request_bytes = 200_000\nmax_request_bytes_per_peer = 65_536\n";
    let pki = Pki::new();
    let (front, address) = start_with(&pki, "grpc", LIMITS);
    let check = "/envoy.service.auth.v3.Authorization/Check";
    let held = |front: &Front| front.status().validations[0].request_bytes;
    assert_eq!(call(address, check, Some(SECRET), message(&vec![0; 100_000])).await.0, "8");
    assert_eq!(call(address, check, Some(SECRET), message(&[])).await.0, "0");
    until("nothing is held", || held(&front) == 0).await;

    let (front, address) = start_with(&pki, "spop", LIMITS);
    // A frame that is announced takes its room, and then there is none for another one.
    let mut slow = TcpStream::connect(address).await.expect("connects");
    slow.write_all(&60_000_u32.to_be_bytes()).await.expect("written");
    until("it is held", || held(&front) == 60_000).await;
    let answers = frames(address, &[frame(&vec![0; 6_000])]).await;
    let expected = [&text(b"status-code")[..], &[3, 13]].concat();
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(answer[0] == 102 && answer.windows(expected.len()).any(|part| part == expected), "{answer:?}");
    assert_eq!(frames(address, &[hello(&[])]).await[0][0], 101);
    drop(slow);
    until("nothing is held", || held(&front) == 0).await;
}
