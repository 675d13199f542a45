//! Flags that examples share, and the ring, engine and certificate they name.
#![allow(dead_code, reason = "each example takes what it needs")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Evidence, KeyRing, Policy, Revocation};
use certcheck_fetch::{Ended, Engine, Guard};
use certcheck_rustls::ServerParts;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) type Failure = Box<dyn core::error::Error + Send + Sync>;

const USAGE: &str = "--ring PATH --cert FILE --key FILE [--listen ADDRESS:PORT] [--allow-net NETWORK] [--with acceptor|verifier]";

/// The flags of an example.
pub(crate) struct Flags {
    ring: Vec<PathBuf>,
    cert: PathBuf,
    key: PathBuf,
    guard: Guard,
    pub(crate) listen: SocketAddr,
    pub(crate) with_verifier: bool,
}

impl Flags {
    pub(crate) fn parse() -> Result<Self, Failure> {
        let mut flags = Self {
            ring: Vec::new(),
            cert: PathBuf::new(),
            key: PathBuf::new(),
            guard: Guard::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 4433)),
            with_verifier: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} has no value: {USAGE}"))?;
            match &*flag {
                "--ring" => flags.ring.push(value.into()),
                "--cert" => flags.cert = value.into(),
                "--key" => flags.key = value.into(),
                "--listen" => flags.listen = value.parse()?,
                // Evidence is not fetched from loopback by default.
                "--allow-net" => flags.guard = flags.guard.allow_net(value.parse()?),
                "--with" => flags.with_verifier = value == "verifier",
                _ => return Err(format!("{flag} is unknown: {USAGE}").into()),
            }
        }
        if flags.ring.is_empty() || flags.cert.as_os_str().is_empty() || flags.key.as_os_str().is_empty() {
            return Err(USAGE.into());
        }
        Ok(flags)
    }

    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Failure> {
        let engine = Engine::builder(self.ring()?, policy()).guard(self.guard.clone());
        Ok(Arc::new(engine.build()?))
    }

    pub(crate) fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let read = |error| format!("{}: {error}", self.cert.display());
        Ok(CertificateDer::pem_file_iter(&self.cert).and_then(Iterator::collect).map_err(read)?)
    }

    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, Failure> {
        let read = |error| format!("{}: {error}", self.key.display());
        Ok(PrivateKeyDer::from_pem_file(&self.key).map_err(read)?)
    }

    pub(crate) fn parts(&self) -> Result<ServerParts, Failure> {
        Ok(ServerParts::new(self.chain()?, self.key()?)?)
    }

    fn ring(&self) -> Result<KeyRing, Failure> {
        // The error of `main` is printed with Debug, so it is made text here.
        Ok(KeyRing::from_paths(&self.ring).map_err(|error| error.to_string())?)
    }

    /// Reads the ring again at each SIGHUP, for as long as the runtime lives.
    pub(crate) fn reload_on_hangup(self, engine: Arc<Engine>) -> Result<(), Failure> {
        let mut hangups = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                match self.ring() {
                    // Checks that have begun keep the old ring. Its sessions do not resume, and watches look again.
                    Ok(ring) => {
                        engine.reload(ring, policy(), Evidence::new());
                        println!("ring reloaded");
                    }
                    // A ring that cannot be read changes nothing.
                    Err(error) => println!("ring not reloaded: {error}"),
                }
            }
        });
        Ok(())
    }
}

fn policy() -> Policy {
    Policy::client(Revocation::HardFail)
}

/// The next connection. One that cannot be accepted does not end the server.
pub(crate) async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => println!("not accepted: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Why a watch has ended, as a stable code.
pub(crate) fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Rejected(report) => report.code(),
        _ => "unwatched",
    }
}
