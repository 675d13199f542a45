//! The verifier: for servers whose accept loop is in another crate.

mod adapter;
mod cached;
mod hints;

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use certcheck_fetch::{CheckReport, Engine};
use pki_types::CertificateDer;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{DistinguishedName, Error};

use crate::client_auth::ClientAuth;
use cached::Cached;
pub use hints::MAX_HINTS;
pub(crate) use hints::hints_of;

/// The function that refusals are reported to.
pub(crate) type Observer = Arc<dyn Fn(&CheckReport) + Send + Sync>;

/// Handshakes that may wait for evidence at once. Each holds a thread.
const MAX_WAITERS: usize = 64;

/// The decisions of a verifier, and when they are made.
pub(crate) trait VerifierHooks: fmt::Debug + Send + Sync {
    /// A chain is presented. It is not proved yet that the peer holds its key.
    fn on_certificate(&self, chain: &[CertificateDer<'_>], now: Time) -> Result<(), Error>;

    /// The peer has proved that it holds the key of this leaf.
    fn on_possession_proved(&self, leaf: &CertificateDer<'_>) -> Result<(), Error>;
}

/// A client certificate verifier with full revocation checking, for any server that uses rustls: axum, hyper, tonic,
/// quinn.
///
/// It does not wait by default. The path, and what memory knows as revoked, are decided when the certificate is
/// presented. An unknown status is decided once the client has proved that it holds its key. Then the client is
/// refused, the missing evidence is fetched in the background, and the client's next attempt finds it. Nothing is
/// fetched before that proof.
///
/// rustls does not ask a verifier when a session resumes. A server whose sessions resume would accept a client that
/// was revoked in the meantime. [`ServerParts::server_config`](crate::ServerParts::server_config) makes a whole
/// configuration without sessions. An [`Acceptor`](crate::Acceptor) has sessions, and checks their clients.
pub struct ClientVerifier {
    hooks: Arc<dyn VerifierHooks>,
    auth: ClientAuth,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier")
            .field("auth", &self.auth)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

impl ClientVerifier {
    /// A builder with the defaults: certificates are required, nothing is waited for, the names of anchors are sent,
    /// and the algorithms are those of the process's provider.
    pub fn builder(engine: Arc<Engine>) -> VerifierBuilder {
        VerifierBuilder {
            engine,
            provider: None,
            auth: ClientAuth::default(),
            has_hints: true,
            max_wait: None,
            max_waiters: MAX_WAITERS,
            observer: None,
        }
    }

    /// A verifier with other rules than the public ones.
    pub(crate) fn with_hooks(
        hooks: Arc<dyn VerifierHooks>,
        auth: ClientAuth,
        hints: Vec<DistinguishedName>,
        provider: &CryptoProvider,
    ) -> Self {
        Self { hooks, auth, hints, algorithms: provider.signature_verification_algorithms }
    }
}

/// A builder of a [`ClientVerifier`].
#[must_use]
pub struct VerifierBuilder {
    engine: Arc<Engine>,
    provider: Option<Arc<CryptoProvider>>,
    auth: ClientAuth,
    has_hints: bool,
    max_wait: Option<Duration>,
    max_waiters: usize,
    observer: Option<Observer>,
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl VerifierBuilder {
    /// The provider whose algorithms verify the signature of the handshake.
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// What is asked of clients.
    pub const fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Whether clients are sent the names of the ring's anchors, so that they choose the right certificate. They are
    /// by default, unless the names take more than [16 KiB](crate::MAX_HINTS). Reloading the ring does not change
    /// them.
    pub const fn root_hints(mut self, has_hints: bool) -> Self {
        self.has_hints = has_hints;
        self
    }

    /// Waits for missing evidence for this long at most, and **holds the thread**. Use it only in servers with one
    /// thread for each connection: on a runtime, all tasks of the thread would wait too. At most
    /// [`max_waiters`](Self::max_waiters) handshakes wait at once. The others are decided by what is in memory.
    pub const fn waiting_up_to(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// How many handshakes may wait at once. 64 by default.
    pub const fn max_waiters(mut self, max: usize) -> Self {
        self.max_waiters = max;
        self
    }

    /// A function that is called with the report of each client that is refused. It is called within the handshake.
    pub fn on_refusal(mut self, observer: impl Fn(&CheckReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    /// If no provider is given and the process has none.
    pub fn build(self) -> Result<ClientVerifier, Error> {
        let Self { engine, provider, auth, has_hints, max_wait, max_waiters, observer } = self;
        let provider = provider.map_or_else(default_provider, Ok)?;
        let hints = if has_hints { hints_of(engine.snapshot().ring()) } else { Vec::new() };
        let hooks = Arc::new(Cached::new(engine, auth, max_wait, max_waiters, observer));
        Ok(ClientVerifier::with_hooks(hooks, auth, hints, &provider))
    }
}

/// The process's provider, or else the one that this crate was built with.
pub(crate) fn default_provider() -> Result<Arc<CryptoProvider>, Error> {
    if let Some(provider) = CryptoProvider::get_default() {
        return Ok(Arc::clone(provider));
    }
    #[cfg(feature = "aws-lc-rs")]
    return Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
}
