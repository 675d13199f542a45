//! The examples, started with files as anyone starts them: a good client gets an answer, a revoked one gets none, and a ring
//! that is replaced counts for live connections and for new ones. Code in `docs/embedding.md` is that of the
//! examples.

mod started;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki_types::ServerName;
use rustls::ClientConfig;
use started::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn tls(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let io = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::clone(config)).connect(name, io).await
}

#[test]
fn https_answers_by_name_and_follows_its_ring() {
    let pki = Pki::at("127.0.0.1");
    let example = Started::with_flags("https", &pki, &[]);
    let answer = example.ask(&pki.good).expect("good");
    assert!(answer.contains(&format!("you are {GOOD}\n")), "{answer}");
    assert!(answer.contains("e-mails: who@client.example\n"), "{answer}");
    assert!(answer.contains(&format!("policies: {POLICY}\n")), "{answer}");
    example.says(&format!("is {GOOD}"));
    example.ask(&pki.revoked).expect_err("revoked");
    example.says("certificate-revoked");

    within(async {
        let mut live = tls(example.address, &pki.good).await.expect("good");
        live.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("written");
        let mut bytes = vec![0; 4_096];
        let read = live.read(&mut bytes).await.expect("answered");
        assert!(bytes[..read].starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&bytes));
        pki.replace_ring();
        example.hang_up();
        // A connection that is open already is ended.
        live.read_to_end(&mut bytes).await.expect("ends as it should");
    });
    example.says("ends: unknown-issuer");
    example.ask(&pki.good).expect_err("a stranger to this ring");
    example.says("unknown-issuer");
}

#[test]
fn https_with_the_verifier_accepts_at_the_second_attempt() {
    let pki = Pki::at("127.0.0.1");
    let example = Started::with_flags("https", &pki, &["--with", "verifier"]);
    // Nothing is known of anybody yet. The first attempt is what has it fetched.
    example.ask(&pki.good).expect_err("not known");
    let answer = example.ask_until_answered(&pki.good);
    assert!(answer.contains(&format!("you are {GOOD}\n")), "{answer}");
    // This loop hangs up at once, and the alert may be lost.
    example.ask(&pki.revoked).expect_err("revoked");
    example.says("invalid peer certificate: Revoked");
    pki.replace_ring();
    example.hang_up();
    example.ask(&pki.good).expect_err("a stranger to this ring");
}

#[test]
fn blocking_waits_for_evidence() {
    let pki = Pki::at("127.0.0.1");
    let example = Started::with_flags("blocking", &pki, &[]);
    assert_eq!(example.ask(&pki.good).expect("good"), format!("{GOOD}: GET / HTTP/1.0\n"));
    example.says(&format!("is {GOOD}"));
    example.ask(&pki.revoked).expect_err("revoked");
    example.says("refused: certificate-revoked");
}

/// One call of `AmI`: a message that is not compressed, its length, and text (PROTOCOL-HTTP2 of gRPC).
async fn am_i(sender: &mut SendRequest<Full<Bytes>>, text: &str) -> Result<String, hyper::Error> {
    let length = u32::try_from(text.len()).expect("short").to_be_bytes();
    let message = [&[0], &length[..], text.as_bytes()].concat();
    let request = hyper::Request::post("https://localhost/example.Who/AmI")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(message)))
        .expect("a request");
    let answer = sender.send_request(request).await?.into_body().collect().await?;
    let status = answer.trailers().and_then(|trailers| trailers.get("grpc-status"));
    assert_eq!(status.expect("a status"), "0");
    Ok(String::from_utf8(answer.to_bytes()[5..].to_vec()).expect("text"))
}

#[test]
fn grpc_answers_by_name_and_breaks_off() {
    let pki = Pki::at("127.0.0.1");
    let example = Started::with_flags("grpc", &pki, &[]);
    within(async {
        let stream = TokioIo::new(tls(example.address, &pki.good).await.expect("good"));
        let (mut sender, connection) = handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
        let served = tokio::spawn(connection);
        let answer = am_i(&mut sender, "hello").await.expect("answered");
        assert_eq!(answer, format!("hello, you are {GOOD}"));
        pki.replace_ring();
        example.hang_up();
        let _broken_off = served.await.expect("ends");
        am_i(&mut sender, "again").await.expect_err("broken off");
    });
    example.says("client of a live connection refused component=\"watch\" peer=127.0.0.1:");
    example.ask(&pki.good).expect_err("a stranger to this ring");
    example.says("code=\"unknown-issuer\"");
}

#[test]
fn grpc_refuses_the_revoked() {
    let pki = Pki::at("127.0.0.1");
    let example = Started::with_flags("grpc", &pki, &[]);
    let refused = example.ask(&pki.revoked).expect_err("revoked");
    assert_eq!(refused, "certificate_revoked (44)");
    example.says("client refused component=\"acceptor\" peer=127.0.0.1:");
}

/// The alert of a revoked client, after its handshake or in it.
const REVOKED: &str = "certificate_revoked (44)";

#[test]
fn echo_answers_the_good_and_refuses_the_revoked() {
    let pki = Pki::at("evidence.example");
    let example = Started::in_folder(&example("echo"), &pki);
    within(async {
        let mut stream = tls(example.address, &pki.good).await.expect("good");
        stream.write_all(b"hello").await.expect("written");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("answered");
        assert_eq!(&answer, b"hello");
    });
    example.says("accepted");
    assert_eq!(example.ask(&pki.revoked), Err(REVOKED.to_owned()));
    example.says("certificate-revoked");
}

#[test]
fn web_answers_by_name_and_refuses_the_revoked() {
    let pki = Pki::at("evidence.example");
    let example = Started::in_folder(&example("web"), &pki);
    let answer = example.ask(&pki.good).expect("good");
    assert!(answer.ends_with(&format!("you are {GOOD}\n")), "{answer}");
    assert_eq!(example.ask(&pki.revoked), Err(REVOKED.to_owned()));
    example.says("client refused component=\"acceptor\" peer=127.0.0.1:");
}

#[test]
fn rpc_answers_by_name_and_refuses_the_revoked() {
    let pki = Pki::at("evidence.example");
    let example = Started::in_folder(&example("rpc"), &pki);
    within(async {
        let stream = TokioIo::new(tls(example.address, &pki.good).await.expect("good"));
        let (mut sender, connection) = handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
        let served = tokio::spawn(connection);
        let answer = am_i(&mut sender, "hello").await.expect("answered");
        assert_eq!(answer, format!("hello, you are {GOOD}"));
        served.abort();
    });
    assert_eq!(example.ask(&pki.revoked), Err(REVOKED.to_owned()));
    example.says("code=\"certificate-revoked\"");
}

#[test]
fn threads_wait_for_evidence_and_refuse_the_revoked() {
    let pki = Pki::at("evidence.example");
    let example = Started::in_folder(&example("threads"), &pki);
    within(async {
        let mut stream = tls(example.address, &pki.good).await.expect("good at the first attempt");
        stream.write_all(b"hello\n").await.expect("written");
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).await.expect("answered");
        assert_eq!(&answer, b"hello\n");
    });
    example.ask(&pki.revoked).expect_err("revoked");
    example.says("invalid peer certificate: Revoked");
}

#[test]
fn own_config_accepts_at_the_second_attempt_and_refuses_the_revoked() {
    let pki = Pki::at("evidence.example");
    let example = Started::in_folder(&example("own_config"), &pki);
    assert_eq!(example.ask_until_answered(&pki.good), format!("you are {GOOD}\n"));
    example.ask(&pki.revoked).expect_err("revoked");
    example.says("invalid peer certificate: Revoked");
}

/// Blocks of code in a page that are a file's: the line before such a block names it.
fn embedded(page: &str) -> Vec<(&str, &str)> {
    let after_marks = page.split("<!-- code of ").skip(1);
    let blocks = after_marks.map(|rest| {
        let (file, rest) = rest.split_once(" -->\n```rust\n").expect("a block of Rust after its file");
        (file, rest.split_once("```\n").expect("an end").0)
    });
    blocks.collect()
}

#[test]
fn code_in_the_page_is_that_of_the_examples() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = package.join("../../docs/embedding.md");
    let page = fs::read_to_string(&path).expect("the page");
    let mut updated = page.clone();
    let blocks = embedded(&page);
    let files: Vec<&str> = blocks.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, ["echo.rs", "web.rs", "rpc.rs", "threads.rs", "own_config.rs"]);
    for (file, code) in blocks {
        let source = fs::read_to_string(package.join("examples").join(file)).expect("the example");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let begin = format!("<!-- code of {file} -->\n```rust\n");
            updated = updated.replace(&format!("{begin}{code}"), &format!("{begin}{source}"));
        } else {
            assert_eq!(code, source, "{file}: run this test with UPDATE_DOCS=1");
        }
    }
    if updated != page {
        fs::write(path, updated).expect("written");
    }
}

/// What the page says of the length of two of them.
#[test]
fn the_short_ones_are_short() {
    for (name, max) in [("echo", 40), ("web", 31)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
        let lines = fs::read_to_string(path).expect("the example").lines().count();
        assert!(lines <= max, "{name}: {lines} lines");
    }
}
