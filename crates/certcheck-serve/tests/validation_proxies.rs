//! Proxies of other projects in front of a service, each with the configuration of its folder in `examples/proxies`: which
//! clients they let in, and that nobody else gets in by headers, after a revocation, or while nobody answers.
//!
//! nginx, HAProxy, Apache and Caddy are required where peers are. Traefik and Envoy are tested if they are in the `PATH`.

mod services;
mod support;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::rustls::version::TLS13;
use certcheck_rustls::rustls::{ClientConfig, HandshakeKind};
use certcheck_rustls::tokio_rustls::client::TlsStream;
use certcheck_serve::Front;
use certcheck_serve::config;
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::peers::{Proxy, ProxyKind, ProxyParts};
use certcheck_testkit::served::{CA, client_config};
use certcheck_testkit::server::Page;
use services::*;
use support::*;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A front that validates for all proxies by this ring, with the configuration of the examples, and the addresses that it listens
/// on: for HTTP, SPOP and gRPC.
fn validation(pki: &Pki, ring: &str) -> (Front, [SocketAddr; 3]) {
    let example = include_str!("../../../examples/proxies/serve.toml");
    let text = format!("watch_files = 'off'\nallow_net = '127.0.0.0/8'\n{example}")
        .replace("8700", "0")
        .replace("8701", "0")
        .replace("8702", "0")
        .replace("\"ring\"", &format!("\"{ring}\""));
    fs::write(pki.path("secret"), SECRET).expect("written");
    let loaded = config::read_text(&pki.path("serve.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
    let front = Front::start(loaded).unwrap_or_else(|error| panic!("{error}"));
    let addresses = ["proxies", "spop", "grpc"].map(|name| front.validation_addresses(name)[0]);
    (front, addresses)
}

/// A proxy in front of a service, and what the service has seen.
struct Setting {
    pki: Pki,
    front: Front,
    proxy: Proxy,
    seen: Seen,
}

impl Setting {
    /// `None` if the proxy is not here.
    async fn new(kind: ProxyKind) -> Option<Self> {
        Self::with_ring(kind, "ring").await
    }

    async fn with_ring(kind: ProxyKind, ring: &str) -> Option<Self> {
        let pki = Pki::new();
        pki.world.server.serve("/ca.crl", Page::new(crl_with(&pki, &["revoked"])));
        let (front, [validation, spop, grpc]) = validation(&pki, ring);
        let (service, seen) = mirror().await;
        let read = |name: &str| fs::read_to_string(pki.path(name)).expect("a file");
        let parts = ProxyParts {
            certificate: read("server.pem"),
            key: read("server.key"),
            ca: read("ring/root.pem"),
            secret: SECRET.to_owned(),
            validation,
            spop,
            grpc,
            service: service.parse().expect("an address"),
        };
        let proxy = tokio::task::spawn_blocking(move || Proxy::start(kind, &parts));
        let proxy = proxy.await.expect("no panic")?;
        // Traefik listens before it has read its certificate.
        let client = Arc::new(client_config(None, &TLS13));
        let until = tokio::time::Instant::now() + PATIENCE;
        while try_dial(proxy.address(), &client).await.is_err() {
            assert!(tokio::time::Instant::now() < until, "{}", proxy.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(Self { pki, front, proxy, seen })
    }

    /// The status of a request with these headers, over a connection of its own. `cut` if there is no answer.
    async fn get(&self, client: &Arc<ClientConfig>, headers: &str) -> String {
        let mut stream = dial(self.proxy.address(), client).await;
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        let mut head = String::new();
        let asked = async {
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await?;
            BufReader::new(&mut stream).read_line(&mut head).await
        };
        match tokio::time::timeout(PATIENCE, asked).await.expect("in time") {
            Ok(1..) => status_of(&head),
            _ => "cut".to_owned(),
        }
    }

    fn nobody(&self) -> Arc<ClientConfig> {
        Arc::new(client_config(None, &TLS13))
    }

    fn requests_seen(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }
}

/// The CRL of the CA, with these clients, and `hold` on hold.
fn crl_with(pki: &Pki, revoked: &[&str]) -> Vec<u8> {
    let serial = |name: &str| pki.world.plain(name).serial;
    let mut entries: Vec<_> = revoked.iter().map(|name| RevokedCertificate::new(&serial(name))).collect();
    entries.push(RevokedCertificate::new(&serial("hold")).with([crl::reason("certificateHold")]));
    let crl = CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2125-01-01T00:00:00Z"));
    crl.revoking(entries).issue(&pki.world.ca)
}

fn status_of(answer: &str) -> String {
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// The status of a request over a connection that goes on.
async fn status(stream: &mut TlsStream<TcpStream>) -> String {
    status_of(&raw(stream, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await)
}

/// The certificate of a client in the form of each source.
fn forms(pki: &Pki, name: &str) -> [String; 3] {
    let pem = fs::read_to_string(pki.path(&format!("{name}.pem"))).expect("a file");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let escaped = pem.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace(' ', "%20");
    let escaped: String = escaped.lines().map(|line| format!("{line}%0A")).collect();
    [base64, format!("Cert=\"{escaped}\""), escaped]
}

async fn all(kind: ProxyKind) {
    let Some(setting) = Setting::new(kind).await else { return };
    let pki = &setting.pki;
    // Good in, and the service is told who it is.
    assert_eq!(setting.get(&pki.client("good"), "").await, "200", "{kind:?}: {}", setting.proxy.log());
    let seen = setting.seen.lock().expect("no panic").join("\n").to_lowercase();
    assert!(seen.contains("x-client-subject: cn=good,o=fetch"), "{kind:?}: {seen}");
    assert!(!seen.contains(SECRET), "{kind:?}: the service sees the secret: {seen}");
    // All others out.
    let before = setting.requests_seen();
    for name in ["revoked", "hold", "expired", "stranger", "bare"] {
        let status = setting.get(&pki.client(name), "").await;
        // nginx itself refuses one that has expired, and Apache even in the handshake.
        assert!(["400", "403", "cut"].contains(&&*status), "{kind:?} {name}: {status}");
    }
    let none = setting.get(&setting.nobody(), "").await;
    assert!(["401", "403"].contains(&&*none), "{kind:?}: {none}");
    // Whatever they say in headers.
    let forms = forms(pki, "good");
    for spelling in [
        "X-Client-Cert",
        "x_client_cert",
        "X-SSL-Client-Cert",
        "X-Forwarded-Client-Cert",
        "X_Forwarded_Tls_Client_Cert",
        "X-Forwarded-Tls-Client-Cert",
        "Client-Cert",
    ] {
        for form in &forms {
            for client in [setting.nobody(), pki.client("revoked")] {
                let status = setting.get(&client, &format!("{spelling}: {form}\r\n")).await;
                assert!(["400", "401", "403"].contains(&&*status), "{kind:?} {spelling}: {status}");
            }
        }
    }
    assert_eq!(setting.requests_seen(), before, "{kind:?}");
    // A good client cannot say that it is another one.
    for spelling in ["X-Client-Subject", "x_client_user", "X-Client-User", "X-CLIENT-USER"] {
        let _any = setting.get(&pki.client("good"), &format!("{spelling}: CN=admin\r\n")).await;
    }
    let seen = setting.seen.lock().expect("no panic").join("\n");
    assert!(!seen.contains("CN=admin"), "{kind:?}: {seen}");
    // A client that is revoked while it is connected is refused at its next request.
    let mut kept = dial(setting.proxy.address(), &pki.client("good")).await;
    assert_eq!(status(&mut kept).await, "200", "{kind:?}");
    pki.world.server.serve("/ca.crl", Page::new(crl_with(pki, &["revoked", "good"])));
    for engine in setting.front.engines() {
        engine.forget();
    }
    assert_eq!(status(&mut kept).await, "403", "{kind:?}");
    // Nobody is let in while nobody answers.
    pki.world.server.serve("/ca.crl", Page::new(crl_with(pki, &[])));
    for engine in setting.front.engines() {
        engine.forget();
    }
    assert_eq!(setting.get(&pki.client("second"), "").await, "200", "{kind:?}");
    let before = setting.requests_seen();
    setting.front.drain(Duration::ZERO).await;
    let down = setting.get(&pki.client("second"), "").await;
    let expected = match kind {
        ProxyKind::Nginx | ProxyKind::Traefik => "500",
        ProxyKind::Caddy => "502",
        _ => "403",
    };
    assert_eq!(down, expected, "{kind:?}");
    assert_eq!(setting.requests_seen(), before, "{kind:?}");
}

/// Whether a client gets an answer of the service through a proxy of TCP.
async fn passes(setting: &Setting, client: &Arc<ClientConfig>) -> bool {
    let Ok(mut stream) = try_dial(setting.proxy.address(), client).await else { return false };
    let answer = raw(&mut stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 200 "), "{answer}");
    !answer.is_empty()
}

async fn all_of_tcp(kind: ProxyKind) {
    let Some(setting) = Setting::new(kind).await else { return };
    let pki = &setting.pki;
    let good = pki.client("good");
    assert!(passes(&setting, &good).await, "{}", setting.proxy.log());
    // Once more over the same connection of HAProxy to us.
    assert!(passes(&setting, &pki.client("second")).await, "{}", setting.proxy.log());
    let before = setting.requests_seen();
    for name in ["revoked", "hold", "expired", "stranger", "bare"] {
        assert!(!passes(&setting, &pki.client(name)).await, "{name}");
    }
    assert!(!passes(&setting, &setting.nobody()).await);
    pki.world.server.serve("/ca.crl", Page::new(crl_with(pki, &["revoked", "good"])));
    for engine in setting.front.engines() {
        engine.forget();
    }
    assert!(!passes(&setting, &good).await);
    assert!(passes(&setting, &pki.client("second")).await);
    setting.front.drain(Duration::ZERO).await;
    assert!(!passes(&setting, &pki.client("second")).await);
    assert_eq!(setting.requests_seen(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_in_tcp_mode() {
    all_of_tcp(ProxyKind::HaproxyTcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_in_tcp_mode() {
    all_of_tcp(ProxyKind::EnvoyTcp).await;
}

/// HAProxy has no chain of a resumed session. The ring has the root alone.
#[tokio::test(flavor = "multi_thread")]
async fn resumed_sessions_of_haproxy_are_checked_with_what_is_remembered() {
    let Some(setting) = Setting::with_ring(ProxyKind::Haproxy, "ring/root.pem").await else { return };
    let resuming = |name: &str| {
        let (mut person, world) = (setting.pki.person(name), &setting.pki.world);
        person.chain.push(world.ca_cert.issue(&world.root).into());
        Arc::new(client_config(Some(&person), &TLS13))
    };
    let ask = async |client: &Arc<ClientConfig>| {
        let mut stream = dial(setting.proxy.address(), client).await;
        let status = status(&mut stream).await;
        (status, stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed))
    };
    let forget = || setting.front.engines().iter().for_each(|engine| engine.forget_paths());
    let (one, other) = (resuming("good"), resuming("revoked"));
    assert_eq!(ask(&other).await, ("403".to_owned(), false));
    // Nobody was accepted yet, so nothing is remembered.
    assert_eq!(ask(&other).await, ("403".to_owned(), true));
    assert_eq!(ask(&one).await, ("200".to_owned(), false), "{}", setting.proxy.log());
    forget();
    assert_eq!(ask(&one).await, ("200".to_owned(), true));
    assert_eq!(ask(&other).await, ("403".to_owned(), true));
    // Without what was remembered, the answer is no.
    let mut loaded = setting.front.configuration();
    for validation in &mut loaded.config.validations {
        validation.limits.max_remembered_bytes = 0;
    }
    setting.front.reload(loaded).expect("used");
    assert_eq!(ask(&resuming("second")).await, ("200".to_owned(), false));
    forget();
    assert_eq!(ask(&one).await, ("403".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx() {
    all(ProxyKind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy() {
    all(ProxyKind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache() {
    all(ProxyKind::Apache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy() {
    all(ProxyKind::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik() {
    all(ProxyKind::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy() {
    all(ProxyKind::Envoy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_over_grpc() {
    all(ProxyKind::EnvoyGrpc).await;
}
