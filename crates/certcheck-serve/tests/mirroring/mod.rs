//! A mirror over the PKI of the other tests, and plain HTTP clients for it.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::{CheckReport, Engine, KeyRing, Policy, Revocation};
use certcheck_serve::Front;
use certcheck_serve::config;
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::world::loopback;
use certcheck_testkit::{Cert, Key};
use data_encoding::HEXLOWER;
use socket2::{Domain, Socket, Type};

use crate::support::{PATIENCE, Pki};

pub(crate) const CA: &str = certcheck_testkit::world::CA;
pub(crate) const FROM: &str = "2026-01-01T00:00:00Z";
pub(crate) const LATER: &str = "2026-02-01T00:00:00Z";
pub(crate) const UNTIL: &str = "2125-01-01T00:00:00Z";

/// A mirror that looks at its sources every second.
pub(crate) struct Mirror {
    pub(crate) front: Front,
    pub(crate) address: SocketAddr,
}

impl Mirror {
    /// A mirror for the hosts of the world's server, with more keys.
    pub(crate) fn start(pki: &Pki, more: &str) -> Self {
        Self::start_with(pki, "1s", more)
    }

    /// A mirror that looks at its sources once, unless a client asks.
    pub(crate) fn start_slow(pki: &Pki) -> Self {
        Self::start_with(pki, "1h", "")
    }

    fn start_with(pki: &Pki, refresh: &str, more: &str) -> Self {
        let host = pki.world.server.address();
        let text = format!(
            "watch_files = \"off\"\n[mirror]\nlisten = \"127.0.0.1:0\"\nring = \"ring\"\nhosts = [\"{host}\"]\n\
             refresh = \"{refresh}\"\nallow_net = \"127.0.0.0/8\"\n{more}\n"
        );
        let loaded = config::read_text(&pki.path("mirror.toml"), &text).expect("can be read");
        let front = Front::start(loaded).expect("starts");
        let address = front.mirror_addresses()[0];
        Self { front, address }
    }

    /// The URL of the mirror itself.
    pub(crate) fn url(&self) -> url::Url {
        format!("http://{}", self.address).parse().expect("a URL")
    }

    /// The path at which it has a source.
    pub(crate) fn path_of(source: &str) -> String {
        source.replacen("http://", "/http/", 1)
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.address, "GET", path, headers, &[])
    }

    /// What is served of a source.
    pub(crate) fn served(&self, source: &str) -> Answer {
        self.get(&Self::path_of(source), &[])
    }

    /// What the mirror says of a source: `served` if its last look brought what is served, else the code.
    pub(crate) fn state(&self, url: &str) -> String {
        let answer = self.get("/v1/sources", &[]);
        let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let sources = value["sources"].as_array().expect("a list");
        match sources.iter().find(|source| source["url"] == url) {
            None => "none".to_owned(),
            Some(source) => source["failure"]["code"].as_str().unwrap_or("served").to_owned(),
        }
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Sends one request on a connection of its own.
pub(crate) fn ask(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    ask_over(TcpStream::connect(to).expect("connects"), method, path, headers, body)
}

/// The same from another address of this machine.
pub(crate) fn get_from(from: [u8; 4], to: SocketAddr, path: &str) -> Answer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of loopback");
    socket.connect(&to.into()).expect("connects");
    ask_over(socket.into(), "GET", path, &[], &[])
}

fn ask_over(
    mut stream: TcpStream,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str("host: mirror\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(b"\r\n").expect("sent");
    stream.write_all(body).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).expect("text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: answer[end + 4..].to_vec() }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha256(bytes))
}

/// A CRL of the CA with this number and these serial numbers, issued at this time.
pub(crate) fn crl_of(pki: &Pki, number: i64, from: &str, serials: &[Vec<u8>]) -> Vec<u8> {
    builder(number, from, serials).issue(&pki.world.ca)
}

/// The same, to be signed by any key.
pub(crate) fn builder(number: i64, from: &str, serials: &[Vec<u8>]) -> CrlBuilder {
    let entries = serials.iter().map(|serial| RevokedCertificate::new(serial)).collect::<Vec<_>>();
    CrlBuilder::new(CA).valid(from, Some(UNTIL)).with([crl::number(number)]).revoking(entries)
}

/// Waits until it holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// An engine of a node that asks these mirrors first.
pub(crate) fn node(pki: &Pki, mirrors: impl IntoIterator<Item = url::Url>) -> Engine {
    let ring = KeyRing::from_paths(&[pki.path("ring")]).expect("a ring");
    let builder = Engine::builder(ring, Policy::client(Revocation::HardFail)).guard(loopback());
    builder.mirrors(mirrors).build().expect("builds")
}

/// A client with its evidence at these URLs.
pub(crate) fn client(pki: &Pki, name: &str, crl: &str, ocsp: &str) -> Cert {
    let list = |url: &str| if url.is_empty() { Vec::new() } else { vec![pki.world.server.url(url)] };
    pki.world.client(name, &list(crl), &list(ocsp))
}

/// The verdict about a client, and the code of the reason.
pub(crate) async fn check(engine: &Engine, pki: &Pki, cert: &Cert) -> (&'static str, CheckReport) {
    let report = engine.check(&pki.world.chain(cert), engine.now(), Duration::from_secs(20)).await;
    (report.code(), report)
}

/// A key that no ring has.
pub(crate) fn stranger() -> Key {
    Key::p256("mirror stranger")
}
