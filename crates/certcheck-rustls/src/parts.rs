//! The server's own side: its certificate, and what it asks of clients.

use core::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_fetch::Engine;
use pki_types::pem::{self, PemObject as _};
use pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, StoresServerSessions};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{Error, ServerConfig, SupportedProtocolVersion};

use crate::acceptor::{AcceptLimits, Acceptor, SessionPolicy};
use crate::client_auth::ClientAuth;
use crate::verifier::{ClientVerifier, VerifierBuilder, default_provider};

type Tune = dyn Fn(&mut ServerConfig) + Send + Sync;

/// The server's own side: certificate, key, protocols, and what is asked of clients. Every [`ServerConfig`] that is
/// made of it checks revocation: that of [`server_config`](Self::server_config) for accept loops of other crates, and
/// the one inside an [`Acceptor`](crate::Acceptor).
#[must_use]
pub struct ServerParts {
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
    pub(crate) auth: ClientAuth,
    pub(crate) has_hints: bool,
    tune: Option<Box<Tune>>,
}

impl fmt::Debug for ServerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerParts")
            .field("resolver", &self.resolver)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// The engine's clock, for rustls.
#[derive(Debug)]
struct EngineClock(Arc<Engine>);

impl TimeProvider for EngineClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl ServerParts {
    /// A server with this certificate chain and key, over the process's provider.
    ///
    /// # Errors
    /// If the key cannot be parsed or is of another certificate, or if there is no provider.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        let provider = default_provider()?;
        let key = CertifiedKey::from_der(chain, key, &provider)?;
        Ok(Self::with_resolver(provider, Arc::new(SingleCertAndKey::from(key))))
    }

    /// A server with the certificate chain and the private key in these PEM files, over the process's provider.
    ///
    /// # Errors
    /// If a file cannot be read or does not contain what it should, if the key is of another certificate, or if there is no
    /// provider. The error names the file.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let failed =
            |path: &Path, error| Error::General(format!("{}: {}", path.display(), pem_fault(&error)));
        let certificates = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect);
        let certificates: Vec<_> = certificates.map_err(|error| failed(chain, error))?;
        if certificates.is_empty() {
            return Err(Error::General(format!("{}: it has no certificate in PEM", chain.display())));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, error))?;
        Self::new(certificates, private).map_err(|error| match error {
            Error::InconsistentKeys(_) => Error::General(format!(
                "{}: the key is not that of the first certificate in {}",
                key.display(),
                chain.display()
            )),
            other => other,
        })
    }

    /// A server over this provider whose certificate is chosen by `resolver` for each client.
    pub fn with_resolver(provider: Arc<CryptoProvider>, resolver: Arc<dyn ResolvesServerCert>) -> Self {
        Self {
            provider,
            resolver,
            versions: rustls::DEFAULT_VERSIONS,
            alpn: Vec::new(),
            auth: ClientAuth::default(),
            has_hints: true,
            tune: None,
        }
    }

    /// What is asked of clients: [`ClientAuth::Required`] by default.
    pub const fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Whether clients are sent the names of the ring's anchors, as they are by default. See
    /// [`VerifierBuilder::root_hints`](crate::verifier::VerifierBuilder::root_hints).
    pub const fn root_hints(mut self, has_hints: bool) -> Self {
        self.has_hints = has_hints;
        self
    }

    /// The versions of TLS that are offered.
    pub const fn versions(mut self, versions: &'static [&'static SupportedProtocolVersion]) -> Self {
        self.versions = versions;
        self
    }

    /// The protocols that are offered (ALPN), best first.
    pub fn alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// A function that changes the rest of the configuration: fragment size, order of suites, compression of
    /// certificates, key log, extended master secret, protocols and the server's certificate. Other changes have no
    /// effect.
    pub fn tune(mut self, tune: impl Fn(&mut ServerConfig) + Send + Sync + 'static) -> Self {
        self.tune = Some(Box::new(tune));
        self
    }

    /// An acceptor with the default session policy and limits; see [`Acceptor::new`] for others.
    ///
    /// # Errors
    /// If the provider supports none of the versions.
    pub fn acceptor(self, engine: &Arc<Engine>) -> Result<Acceptor, Error> {
        Acceptor::new(self, Arc::clone(engine), SessionPolicy::default(), AcceptLimits::default())
    }

    /// A configuration for accept loops of other crates, with a [`ClientVerifier`] that never waits. Sessions do not
    /// resume, because rustls would not ask the verifier about them.
    ///
    /// # Errors
    /// If the provider supports none of the versions.
    pub fn server_config(&self, engine: &Arc<Engine>) -> Result<ServerConfig, Error> {
        self.config_with(engine, ClientVerifier::builder(Arc::clone(engine)))
    }

    /// As [`ServerParts::server_config`], for servers with one thread for each connection: the verifier waits for evidence that
    /// is not in memory, for `max_wait` at most, and **holds the thread**. See
    /// [`VerifierBuilder::waiting_up_to`](crate::verifier::VerifierBuilder::waiting_up_to).
    ///
    /// # Errors
    /// If the provider supports none of the versions.
    pub fn server_config_waiting(
        &self,
        engine: &Arc<Engine>,
        max_wait: Duration,
    ) -> Result<ServerConfig, Error> {
        self.config_with(engine, ClientVerifier::builder(Arc::clone(engine)).waiting_up_to(max_wait))
    }

    fn config_with(&self, engine: &Arc<Engine>, verifier: VerifierBuilder) -> Result<ServerConfig, Error> {
        let verifier = verifier
            .provider(Arc::clone(&self.provider))
            .client_auth(self.auth)
            .root_hints(self.has_hints)
            .build()?;
        let mut config = self.config(engine, verifier, Arc::new(NoServerSessionStorage {}))?;
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    pub(crate) fn provider(&self) -> &CryptoProvider {
        &self.provider
    }

    /// A configuration with this verifier. No application data is sent or received before the handshake is over.
    pub(crate) fn config(
        &self,
        engine: &Arc<Engine>,
        verifier: ClientVerifier,
        sessions: Arc<dyn StoresServerSessions>,
    ) -> Result<ServerConfig, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(self.versions)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::clone(&self.resolver));
        config.alpn_protocols.clone_from(&self.alpn);
        if let Some(tune) = &self.tune {
            // On a copy, because it could set a verifier.
            let mut tuned = config.clone();
            tune(&mut tuned);
            take_tuned(&mut config, tuned);
        }
        config.session_storage = sessions;
        config.ticketer = Arc::new(NoTickets);
        config.max_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.time_provider = Arc::new(EngineClock(Arc::clone(engine)));
        Ok(config)
    }
}

/// What is wrong with a PEM file.
fn pem_fault(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        pem::Error::NoItemsFound => "it has no private key in PEM".to_owned(),
        other => format!("it is not valid PEM: {other}"),
    }
}

/// Takes over the fields that may be tuned.
fn take_tuned(config: &mut ServerConfig, tuned: ServerConfig) {
    config.ignore_client_order = tuned.ignore_client_order;
    config.max_fragment_size = tuned.max_fragment_size;
    config.cert_resolver = tuned.cert_resolver;
    config.alpn_protocols = tuned.alpn_protocols;
    config.key_log = tuned.key_log;
    config.require_ems = tuned.require_ems;
    config.cert_compressors = tuned.cert_compressors;
    config.cert_compression_cache = tuned.cert_compression_cache;
    config.cert_decompressors = tuned.cert_decompressors;
}

/// No tickets that contain their session: they could not be revoked.
#[derive(Debug)]
struct NoTickets;

impl rustls::server::ProducesTickets for NoTickets {
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _plain: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, _cipher: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
