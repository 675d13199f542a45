//! Clients: new connections, bulk, connections that are held, and handshakes that do not go on.

use std::io::{BufRead as _, stdin};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The bytes that are sent at once.
const CHUNK: usize = 256 << 10;
/// The longest time until evidence is there, in seconds.
const WARM: usize = 60;
/// How a ClientHello of TLS begins, as far as a slow client sends it.
const BEGINNING: [u8; 6] = [22, 3, 1, 2, 0, 1];

/// A client of one server.
#[derive(Clone)]
struct Dialer {
    address: SocketAddr,
    connector: TlsConnector,
    number: Arc<AtomicU64>,
}

impl Dialer {
    fn new(address: SocketAddr, folder: &Path) -> Self {
        let chain = |name: &str| -> Vec<CertificateDer<'static>> {
            CertificateDer::pem_file_iter(folder.join(name)).unwrap().map(Result::unwrap).collect()
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain("root.pem"));
        let key = PrivateKeyDer::from_pem_file(folder.join("client.key")).unwrap();
        let cipher_suites = vec![cipher_suite::TLS13_AES_128_GCM_SHA256];
        let provider = CryptoProvider { cipher_suites, ..default_provider() };
        let name = if address.ip() == Ipv4Addr::new(127, 0, 0, 2) { "million.pem" } else { "few.pem" };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain(name), key)
            .unwrap();
        config.resumption = Resumption::disabled();
        Self { address, connector: TlsConnector::from(Arc::new(config)), number: Arc::default() }
    }

    /// From one of many addresses, so that ports do not run out.
    async fn tcp(&self) -> std::io::Result<TcpStream> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let last = u8::try_from(10 + number % 200).unwrap();
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 1, last], 0)))?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A connection over which a request was answered with 200.
    async fn answered(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = self.connector.connect(name, self.tcp().await?).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        stream.flush().await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        if &status != b"HTTP/1.1 200" {
            return Err(std::io::Error::other(String::from_utf8_lossy(&status).into_owned()));
        }
        Ok(stream)
    }

    /// A connection over which a byte came back.
    async fn served(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = self.connector.connect(name, self.tcp().await?).await?;
        stream.write_all(b"x").await?;
        stream.flush().await?;
        let mut back = [0];
        stream.read_exact(&mut back).await?;
        Ok(stream)
    }
}

/// Puts this load on the server, and prints the outcome.
pub(crate) fn run(what: &str, address: SocketAddr, folder: &Path, numbers: &[usize]) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let dialer = Dialer::new(address, folder);
    runtime.block_on(async {
        match (what, numbers) {
            ("connect", &[seconds, at_once]) => connect(dialer, seconds, at_once, false).await,
            ("request", &[seconds, at_once]) => connect(dialer, seconds, at_once, true).await,
            ("bulk", &[seconds, connections]) => bulk(dialer, seconds, connections).await,
            ("hold", &[connections]) => hold(dialer, connections).await,
            ("slow", &[seconds, slow]) => beside_slow(dialer, seconds, slow).await,
            _ => panic!("no load {what} {numbers:?}"),
        }
    });
    // Connections that are left need no orderly end.
    std::process::exit(0);
}

fn until(seconds: usize) -> Instant {
    Instant::now() + Duration::from_secs(seconds as u64)
}

/// Prints how many connections were served, each with a request if they are of HTTP.
async fn connect(dialer: Dialer, seconds: usize, at_once: usize, is_http: bool) {
    // What is asked fetches its evidence first.
    let warm = until(WARM);
    while is_http && Instant::now() < warm && dialer.answered().await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let until = until(seconds);
    let tasks: Vec<_> = (0..at_once)
        .map(|_| {
            let dialer = dialer.clone();
            tokio::spawn(async move {
                let mut served = 0_u64;
                while Instant::now() < until {
                    let stream = if is_http { dialer.answered().await } else { dialer.served().await };
                    let mut stream = stream.unwrap();
                    served += 1;
                    let _gone = stream.shutdown().await;
                }
                served
            })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        served += task.await.unwrap();
    }
    println!("{served}");
}

/// Prints how many bytes came back within these seconds, after one for the beginning.
async fn bulk(dialer: Dialer, seconds: usize, connections: usize) {
    let came = Arc::new(AtomicU64::new(0));
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(dialer.served().await.unwrap());
    }
    for stream in streams {
        let came = Arc::clone(&came);
        let (mut read, mut write) = tokio::io::split(stream);
        tokio::spawn(async move {
            let chunk = vec![7; CHUNK];
            while write.write_all(&chunk).await.is_ok() {}
        });
        tokio::spawn(async move {
            let mut buffer = vec![0; CHUNK];
            while let Ok(read) = read.read(&mut buffer).await {
                came.fetch_add(read as u64, Ordering::Relaxed);
            }
        });
    }
    // The windows of TCP grow first.
    tokio::time::sleep(Duration::from_secs(1)).await;
    came.store(0, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    println!("{}", came.load(Ordering::Relaxed));
}

/// Holds connections until standard input ends. Prints how many there are once there are all of them.
async fn hold(dialer: Dialer, connections: usize) {
    let mut held = Vec::with_capacity(connections);
    while held.len() < connections {
        let some = (0..connections.saturating_sub(held.len()).min(32)).map(|_| {
            let dialer = dialer.clone();
            tokio::spawn(async move { dialer.served().await.unwrap() })
        });
        for one in some.collect::<Vec<_>>() {
            held.push(one.await.unwrap());
        }
    }
    println!("{}", held.len());
    tokio::task::spawn_blocking(|| stdin().lock().read_line(&mut String::new())).await.unwrap().unwrap();
}

/// Prints how many connections were served one after the other beside slow ones, how many failed, and what they took in
/// milliseconds: the median, and what 99 of 100 are within.
async fn beside_slow(dialer: Dialer, seconds: usize, slow: usize) {
    let mut begun = Vec::with_capacity(slow);
    for _ in 0..slow {
        let mut stream = dialer.tcp().await.unwrap();
        stream.write_all(&BEGINNING).await.unwrap();
        begun.push(stream);
    }
    let until = until(seconds);
    let (mut times, mut failed) = (Vec::new(), 0);
    while Instant::now() < until {
        let begun = Instant::now();
        match dialer.served().await {
            Ok(_) => times.push(begun.elapsed().as_secs_f64() * 1e3),
            Err(_) => failed += 1,
        }
    }
    drop(begun);
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    println!("{} {failed} {} {}", times.len(), at(0.5), at(0.99));
}
