//! The examples as anyone runs them, with files and flags: who is good gets an answer with his name, who is revoked gets
//! none, and a ring that is replaced counts for those who are there and for those who come.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use certcheck_testkit::{Cert, Key, ext, pem};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki_types::ServerName;
use rustls::ClientConfig;
use rustls::version::TLS13;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For whatever is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2125-01-01T00:00:00Z";
const POLICY: &str = "1.3.6.1.4.1.99999.1";
const GOOD: &str = "CN=good,O=Fetch";

/// A PKI in files, good by the clock of the machine.
struct Pki {
    _world: World,
    folder: TempDir,
    good: Arc<ClientConfig>,
    revoked: Arc<ClientConfig>,
}

impl Pki {
    fn new() -> Self {
        let mut world = World::new();
        world.ca_cert = world.ca_cert.clone().with([ext::policies(&[POLICY])]);
        let own = |name| {
            world.plain(name).with([ext::san(&["email:who@client.example"]), ext::policies(&[POLICY])])
        };
        let (good, revoked) = (own("good"), own("revoked"));
        let crl = |issuer| CrlBuilder::new(issuer).valid(FROM, Some(UNTIL));
        world.server.serve("/root.crl", Page::new(crl(ROOT).issue(&world.root)));
        let listing = crl(CA).revoking([RevokedCertificate::new(&revoked.serial)]);
        world.server.serve("/ca.crl", Page::new(listing.issue(&world.ca)));

        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, label: &str, der: &[u8]| {
            fs::write(folder.path().join(name), pem(label, der)).expect("written");
        };
        fs::create_dir(folder.path().join("ring")).expect("a folder");
        write("ring/root.pem", "CERTIFICATE", &Cert::root(ROOT, &world.root).issue(&world.root));
        write("ring/ca.pem", "CERTIFICATE", &world.ca_cert.issue(&world.root));
        let (root, server) = (Key::p256("rustls server root"), Key::p256("examples server"));
        let cert = Cert::leaf("O=Server,CN=localhost", &server, "O=Server,CN=Root", &root)
            .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
        write("server.pem", "CERTIFICATE", &cert.issue(&root));
        write("server.key", "PRIVATE KEY", &server.pkcs8());

        let config = |name, cert| Arc::new(client_config(Some(&Person::new(&world, name, cert)), &TLS13));
        let (good, revoked) = (config("good", &good), config("revoked", &revoked));
        Self { _world: world, folder, good, revoked }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A ring in which nobody's CA is.
    fn replace_ring(&self) {
        let stranger = Key::p256("examples stranger");
        fs::remove_file(self.path("ring/ca.pem")).expect("removed");
        let root = Cert::root("O=Stranger,CN=Root", &stranger).issue(&stranger);
        fs::write(self.path("ring/root.pem"), pem("CERTIFICATE", &root)).expect("written");
    }
}

/// An example that runs until it is dropped.
struct Example {
    child: Child,
    address: SocketAddr,
    lines: Receiver<String>,
    said: RefCell<Vec<String>>,
}

impl Example {
    fn start(name: &str, pki: &Pki, more: &[&str]) -> Self {
        let mut child = Command::new(binary(name))
            .args(["--listen", "127.0.0.1:0", "--allow-net", "127.0.0.0/8"])
            .arg("--ring")
            .arg(pki.path("ring"))
            .arg("--cert")
            .arg(pki.path("server.pem"))
            .arg("--key")
            .arg(pki.path("server.key"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        // Killed from here on, whatever comes.
        let mut example =
            Self { child, address: SocketAddr::from(([0; 4], 0)), lines, said: RefCell::default() };
        let line = example.lines.recv_timeout(PATIENCE).expect("says where it listens");
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        example.address = address.unwrap_or_else(|| panic!("{line}"));
        example
    }

    /// Waits for a line that has this in it. Lines come in no order that could be relied on: what was passed over is
    /// looked at the next time.
    fn says(&self, what: &str) {
        let until = Instant::now() + PATIENCE;
        let mut said = self.said.borrow_mut();
        loop {
            if let Some(at) = said.iter().position(|line| line.contains(what)) {
                said.remove(at);
                return;
            }
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => said.push(line),
                Err(_) => panic!("not {what:?}, but {said:?}"),
            }
        }
    }

    fn hang_up(&self) {
        // The shell has one of its own everywhere.
        let kill = format!("kill -HUP {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        self.says("ring reloaded");
    }

    fn ask(&self, config: &Arc<ClientConfig>) -> Outcome {
        within(connect(self.address, config)).outcome
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Cargo builds examples with the tests of their package, into the folder beside `deps`.
fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let profile = own.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let path = profile.join("examples").join(name);
    assert!(path.is_file(), "{}: build it with `cargo build --examples`", path.display());
    path
}

fn within<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(async { timeout(PATIENCE, future).await.expect("in time") })
}

async fn tls(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let io = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::clone(config)).connect(name, io).await
}

#[test]
fn https_answers_by_name_and_follows_its_ring() {
    let pki = Pki::new();
    let example = Example::start("https", &pki, &[]);
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
        // Who is there already is sent away.
        live.read_to_end(&mut bytes).await.expect("ends as it should");
    });
    example.says("ends: unknown-issuer");
    example.ask(&pki.good).expect_err("a stranger to this ring");
    example.says("unknown-issuer");
}

#[test]
fn https_with_the_verifier_accepts_at_the_second_attempt() {
    let pki = Pki::new();
    let example = Example::start("https", &pki, &["--with", "verifier"]);
    // Nothing is known of anybody yet. The first attempt is what has it fetched.
    example.ask(&pki.good).expect_err("not known");
    let until = Instant::now() + PATIENCE;
    let answer = loop {
        match example.ask(&pki.good) {
            Ok(answer) => break answer,
            Err(alert) => assert!(Instant::now() < until, "{alert}"),
        }
        thread::sleep(Duration::from_millis(50));
    };
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
    let pki = Pki::new();
    let example = Example::start("blocking", &pki, &[]);
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
    let pki = Pki::new();
    let example = Example::start("grpc", &pki, &[]);
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
    example.says("ends: unknown-issuer");
    example.ask(&pki.good).expect_err("a stranger to this ring");
    example.says("unknown-issuer");
}

#[test]
fn grpc_refuses_the_revoked() {
    let pki = Pki::new();
    let example = Example::start("grpc", &pki, &[]);
    let refused = example.ask(&pki.revoked).expect_err("revoked");
    assert_eq!(refused, "certificate_revoked (44)");
    example.says("certificate-revoked");
}
