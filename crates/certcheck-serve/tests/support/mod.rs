//! A PKI in files by the clock of the machine, services behind a front, and a front over both.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::pki_types::ServerName;
use certcheck_rustls::rustls::version::TLS13;
use certcheck_rustls::rustls::{ClientConfig, SupportedProtocolVersion};
use certcheck_rustls::tokio_rustls::TlsConnector;
use certcheck_rustls::tokio_rustls::client::TlsStream;
use certcheck_serve::Front;
use certcheck_serve::config::{self, ConfigError, Loaded};
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::Point;
use certcheck_testkit::peers::free_port;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use certcheck_testkit::{Cert, Key, ext, pem};
use hyper::body::Body;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// For whatever is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2125-01-01T00:00:00Z";

/// A PKI in files.
pub(crate) struct Pki {
    pub(crate) world: World,
    folder: TempDir,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let at_root = [ext::cdp(&[Point::urls(&[world.server.url("/root.crl")])])];
        world.ca_cert = Cert::ca(CA, &world.ca, ROOT, &world.root).with(at_root);
        world.responder.set_this_update(FROM);
        world.responder.set_produced_at(FROM);
        world.responder.set_next_update(Some(UNTIL));
        let crl = |issuer| CrlBuilder::new(issuer).valid(FROM, Some(UNTIL));
        world.server.serve("/root.crl", Page::new(crl(ROOT).issue(&world.root)));
        let pki = Self { world, folder: tempfile::tempdir().expect("a folder") };
        pki.world.server.serve("/ca.crl", Page::new(pki.crl(&["revoked"])));
        fs::create_dir(pki.path("ring")).expect("a folder");
        let world = &pki.world;
        pki.write("ring/root.pem", "CERTIFICATE", &Cert::root(ROOT, &world.root).issue(&world.root));
        pki.write("ring/ca.pem", "CERTIFICATE", &world.ca_cert.issue(&world.root));
        pki.write("server-root.pem", "CERTIFICATE", &server_root());
        pki.write_server("server", "localhost", &Key::p256("front server"));
        pki
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, label: &str, der: &[u8]) {
        // As a careful operator does: a reader has the old file or the new one.
        fs::write(self.path("draft"), pem(label, der)).expect("written");
        fs::rename(self.path("draft"), self.path(name)).expect("moved");
    }

    /// A server certificate for a host, in `NAME.pem` and `NAME.key`.
    pub(crate) fn write_server(&self, name: &str, host: &str, key: &Key) {
        let root = Key::p256("rustls server root");
        let cert = Cert::leaf(&format!("O=Server,CN={host}"), key, "O=Server,CN=Root", &root)
            .with([ext::san(&[&format!("dns:{host}")]), ext::eku(&["server"])]);
        self.write(&format!("{name}.pem"), "CERTIFICATE", &cert.issue(&root));
        self.write(&format!("{name}.key"), "PRIVATE KEY", &key.pkcs8());
    }

    /// The CRL of the CA, with these clients.
    pub(crate) fn crl(&self, revoked: &[&str]) -> Vec<u8> {
        let entries = revoked.iter().map(|name| RevokedCertificate::new(&self.cert(name).serial));
        let crl = CrlBuilder::new(CA).valid(FROM, Some(UNTIL));
        crl.revoking(entries.collect::<Vec<_>>()).issue(&self.world.ca)
    }

    /// The certificate of a client, with a CRL, or with a responder where the name begins with `ocsp`, or with the CRL of a
    /// test where it begins with `live`.
    fn cert(&self, name: &str) -> Cert {
        let cert = if name.starts_with("bare") {
            self.world.client(name, &[], &[])
        } else if name.starts_with("live") {
            self.world.client(name, &[self.world.server.url("/live.crl")], &[])
        } else if name.starts_with("ocsp") {
            self.world.client(name, &[], &[self.world.server.url("/ocsp")])
        } else {
            self.world.plain(name)
        };
        match name {
            "expired" => cert.valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            _ => cert,
        }
    }

    /// The content of the serial number of a client.
    pub(crate) fn serial(&self, name: &str) -> Vec<u8> {
        self.cert(name).serial
    }

    /// A client, with its files `NAME.pem` and `NAME.key`.
    pub(crate) fn person(&self, name: &str) -> Person {
        let cert = self.cert(name);
        match name {
            "bare-good" => self.world.responder.good(&cert.serial),
            "bare-revoked" => self.world.responder.revoke(&cert.serial, FROM, Some("keyCompromise")),
            "ocsp-good" => self.world.responder.good(&cert.serial),
            "ocsp-revoked" => self.world.responder.revoke(&cert.serial, FROM, Some("keyCompromise")),
            _ => {}
        }
        let person = if name == "stranger" {
            let (ca, key) = (Key::p256("front stranger"), Key::p256("fetch client stranger"));
            let cert = Cert::leaf("O=Fetch,CN=stranger", &key, "O=Elsewhere,CN=CA", &ca);
            Person { chain: vec![cert.issue(&ca).into()], key }
        } else {
            Person::new(&self.world, name, &cert)
        };
        self.write(&format!("{name}.pem"), "CERTIFICATE", person.chain.first().expect("a certificate"));
        self.write(&format!("{name}.key"), "PRIVATE KEY", &person.key.pkcs8());
        person
    }

    /// The configuration of a client of this name.
    pub(crate) fn client(&self, name: &str) -> Arc<ClientConfig> {
        self.client_with(name, &TLS13)
    }

    pub(crate) fn client_with(
        &self,
        name: &str,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        Arc::new(client_config(Some(&self.person(name)), version))
    }

    /// The configuration of one listener `web` on a free port, with more lines.
    pub(crate) fn config(&self, upstream: &str, more: &str) -> Result<Loaded, ConfigError> {
        let mut text = "\
            watch_files = 'off'\n\
            [[listener]]\n\
            name = 'web'\n\
            ring = 'ring'\n\
            allow_net = '127.0.0.0/8'\n"
            .to_owned();
        for (key, line) in [
            ("listen", "listen = '127.0.0.1:0'".to_owned()),
            ("upstream", format!("upstream = '{upstream}'")),
            ("certificates", "certificates = { chain = 'server.pem', key = 'server.key' }".to_owned()),
        ] {
            let own = more.split("[[listener]]").next().unwrap_or_default();
            if !own.lines().any(|other| other.starts_with(&format!("{key} "))) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text.push_str(more);
        config::read_text(&self.path("serve.toml"), &text)
    }

    /// A front with this configuration, and the address of its listener.
    pub(crate) fn front(&self, upstream: &str, more: &str) -> (Front, SocketAddr) {
        let loaded = self.config(upstream, more).unwrap_or_else(|error| panic!("{error}"));
        let front = Front::start(loaded).unwrap_or_else(|error| panic!("{error}"));
        let address = front.addresses("web").first().copied();
        (front, address.unwrap_or_else(|| SocketAddr::from(([0; 4], 0))))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A service that sends back what it gets, and `end` once its client has ended.
pub(crate) async fn echo() -> String {
    serve(|mut stream| async move {
        let (mut read, mut write) = stream.split();
        let _gone = tokio::io::copy(&mut read, &mut write).await;
        let _gone = write.write_all(b"end").await;
        let _gone = write.shutdown().await;
    })
    .await
}

/// A service that says hello and ends.
pub(crate) async fn hello() -> String {
    serve(|mut stream| async move {
        let _gone = stream.write_all(HELLO.as_bytes()).await;
        let _gone = stream.shutdown().await;
        drain(&mut stream).await;
    })
    .await
}

/// A service on loopback that does this with each connection.
pub(crate) async fn serve<F: Future<Output = ()> + Send + 'static>(
    with: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address.to_string()
}

/// A client's connection after its handshake.
pub(crate) async fn dial(address: SocketAddr, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    try_dial(address, config).await.expect("a handshake")
}

/// A client's connection that speaks HTTP/2: what sends requests, and the task that ends with the connection.
pub(crate) async fn dial_http2<B>(
    address: SocketAddr,
    client: &ClientConfig,
) -> (SendRequest<B>, JoinHandle<hyper::Result<()>>)
where
    B: Body<Data: Send, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let mut client = client.clone();
    client.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TokioIo::new(dial(address, &Arc::new(client)).await);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

/// An address of loopback with a free port.
pub(crate) fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

pub(crate) async fn try_dial(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::clone(config)).connect(name, TcpStream::connect(address).await?).await
}

/// Sends bytes, and reads as many back.
pub(crate) async fn ping(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).await?;
    assert_eq!(back, bytes);
    Ok(())
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < until, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether the connection ends: with an end or an error, in time.
pub(crate) async fn read_to_end(stream: &mut TlsStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    tokio::time::timeout(PATIENCE, read).await.expect("it ends").map(|_| bytes)
}
