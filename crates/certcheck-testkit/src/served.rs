//! Servers with the verifier and the acceptor, and their clients.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::PATIENCE;
use crate::{Cert, Key, ext};
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_rustls::{AcceptLimits, Acceptor, ServerParts, SessionPolicy};
use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ClientConfig, Error, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub use crate::world::*;

/// The versions of TLS, with their names.
pub const VERSIONS: [(&str, &SupportedProtocolVersion); 2] =
    [("TLS 1.2", &rustls::version::TLS12), ("TLS 1.3", &rustls::version::TLS13)];

/// The text that an accepted client receives.
pub const HELLO: &str = "hello\n";

const SERVER_ROOT: &str = "O=Server,CN=Root";

fn pkcs8(key: &Key) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.pkcs8()).into()
}

/// The root that clients trust for the server.
pub fn server_root() -> Vec<u8> {
    let key = Key::p256("rustls server root");
    Cert::root(SERVER_ROOT, &key).valid("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z").issue(&key)
}

/// A server for `localhost`.
pub fn parts() -> ServerParts {
    let (chain, key) = server();
    ServerParts::new(chain, key).expect("a server")
}

/// The same server with this provider.
pub fn parts_over(provider: &Arc<CryptoProvider>) -> ServerParts {
    let (chain, key) = server();
    let own = CertifiedKey::from_der(chain, key, provider).expect("a server");
    ServerParts::with_resolver(Arc::clone(provider), Arc::new(SingleCertAndKey::from(own)))
}

fn server() -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let (root, own) = (Key::p256("rustls server root"), Key::p256("rustls server"));
    let cert = Cert::leaf("O=Server,CN=localhost", &own, SERVER_ROOT, &root)
        .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])])
        .valid("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    (vec![cert.issue(&root).into()], pkcs8(&own))
}

/// An engine for a world, with a policy of revocation.
pub fn engine(world: &World, revocation: Revocation) -> Arc<Engine> {
    let engine = Engine::builder(world.ring(), Policy::client(revocation)).guard(loopback());
    Arc::new(engine.limits(patient()).refreshes(false).clock(now).build().expect("builds"))
}

/// A client of the world: its chain and key.
#[derive(Clone)]
pub struct Person {
    /// The presented chain.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: Key,
}

impl Person {
    /// The client that was issued as `name`.
    pub fn new(world: &World, name: &str, cert: &Cert) -> Self {
        Self { chain: world.chain(cert), key: Key::p256(&format!("fetch client {name}")) }
    }
}

/// A client configuration of rustls that keeps its sessions.
pub fn client_config(person: Option<&Person>, version: &'static SupportedProtocolVersion) -> ClientConfig {
    client_config_over(rustls::crypto::ring::default_provider(), person, version)
}

/// The same configuration with this provider.
pub fn client_config_over(
    provider: CryptoProvider,
    person: Option<&Person>,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(server_root().into()).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots);
    let mut config = builder.with_no_client_auth();
    if let Some(person) = person {
        // Whether the two fit is not checked, because a test client may have stolen a certificate.
        let key = rustls::crypto::ring::sign::any_supported_type(&pkcs8(&person.key)).expect("a key");
        let own = CertifiedKey::new(person.chain.clone(), key);
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(own));
    }
    config.resumption = Resumption::in_memory_sessions(8);
    config
}

/// The text that a client received, or the name of the alert.
pub type Outcome = Result<String, String>;

/// The result of one connection for the client.
#[derive(Debug)]
pub struct Connected {
    /// The text that the client received, or the alert.
    pub outcome: Outcome,
    /// Whether its session was resumed.
    pub is_resumed: bool,
}

/// Connects, writes a line, and reads to the end.
pub async fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Connected {
    let name = ServerName::try_from("localhost").expect("a name");
    let io = TcpStream::connect(address).await.expect("connects");
    let mut stream = match tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name, io).await {
        Ok(stream) => stream,
        Err(error) => return Connected { outcome: Err(alert_of(&error)), is_resumed: false },
    };
    let is_resumed = stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
    let _written = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
    let mut text = String::new();
    let outcome = match stream.read_to_string(&mut text).await {
        Ok(_) => Ok(text),
        // A server that has sent everything may just disconnect.
        Err(_) if !text.is_empty() => Ok(text),
        Err(error) => Err(alert_of(&error)),
    };
    Connected { outcome, is_resumed }
}

fn alert_of(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => word(*alert),
        _ => error.to_string(),
    }
}

/// An alert by its name in RFC 8446 and its number.
pub fn word(alert: AlertDescription) -> String {
    let camel = format!("{alert:?}").replace("CA", "Ca");
    let mut name = String::new();
    for (at, letter) in camel.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    format!("{name} ({})", u8::from(alert))
}

/// A server that runs until it is dropped.
pub struct Served {
    /// The address on which it listens.
    pub address: SocketAddr,
    outcomes: Arc<Mutex<Vec<String>>>,
    runtime: Option<Runtime>,
}

impl Served {
    /// Serves every connection with the future that `serve` returns, and collects the results.
    pub fn start<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a port");
        let address = listener.local_addr().expect("bound");
        let outcomes = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&outcomes);
        runtime.spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                let (served, noted) = (serve(io), Arc::clone(&noted));
                tokio::spawn(async move {
                    let outcome = served.await;
                    noted.lock().expect("no panic").push(outcome);
                });
            }
        });
        Self { address, outcomes, runtime: Some(runtime) }
    }

    /// A server with an acceptor.
    pub fn acceptor(acceptor: Acceptor) -> Self {
        Self::start(move |io| {
            let acceptor = acceptor.clone();
            async move {
                match acceptor.accept(io).await {
                    Ok(mut admitted) => {
                        let _gone = admitted.write_all(HELLO.as_bytes()).await;
                        let _gone = admitted.shutdown().await;
                        drain(&mut admitted).await;
                        "accept".to_owned()
                    }
                    Err(error) => error.code().to_owned(),
                }
            }
        })
    }

    /// A server with a verifier, in the accept loop of a runtime.
    pub fn verifier(config: rustls::ServerConfig) -> Self {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Self::start(move |io| {
            let acceptor = acceptor.clone();
            async move {
                match acceptor.accept(io).into_fallible().await {
                    Ok(mut stream) => {
                        let _gone = stream.write_all(HELLO.as_bytes()).await;
                        let _gone = stream.shutdown().await;
                        drain(&mut stream).await;
                        "accept".to_owned()
                    }
                    Err((error, mut io)) => {
                        // So that the alert arrives.
                        let _gone = io.shutdown().await;
                        drain(&mut io).await;
                        error.to_string()
                    }
                }
            }
        })
    }

    /// The results of connections, in the order in which they ended. Waits until there are this many.
    pub fn outcomes(&self, number: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let outcomes = self.outcomes.lock().expect("no panic").clone();
            if outcomes.len() >= number {
                return outcomes;
            }
            assert!(begun.elapsed() < PATIENCE, "{outcomes:?} after {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reads to the end, or for a while.
pub async fn drain<IO: tokio::io::AsyncRead + Unpin>(io: &mut IO) {
    let mut bytes = [0; 1_024];
    let read = async { while matches!(io.read(&mut bytes).await, Ok(1..)) {} };
    let _late = tokio::time::timeout(Duration::from_millis(500), read).await;
}

/// An acceptor with the usual limits.
pub fn acceptor(engine: &Arc<Engine>, parts: ServerParts) -> Acceptor {
    let limits = AcceptLimits::default().with_deadline(PATIENCE);
    Acceptor::new(parts, Arc::clone(engine), SessionPolicy::default(), limits).expect("an acceptor")
}

/// A runtime for clients.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
