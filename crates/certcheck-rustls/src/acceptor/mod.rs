//! The acceptor: a handshake, then a gate where the client's check is waited for.
//!
//! ```text
//! permit -> handshake (path, and what memory calls revoked) -> gate: engine.check(...).await -> Admitted
//!           `-------------------------- one deadline --------------------------'
//! ```
//! Full and resumed sessions pass the same gate. No application data passes before it opens.

mod admitted;
mod alert;
#[cfg(feature = "axum")]
mod axum;
mod error;
mod gate;
mod handshake_context;
mod incoming;
mod path_only;
mod sessions;
#[cfg(feature = "tonic")]
mod tonic;

use core::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use certcheck_fetch::{CheckReport, Engine, PendingCheck};
use pki_types::CertificateDer;
use rustls::{AlertDescription, Error, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tracing::warn;

pub use admitted::{Admitted, Client, TlsStream};
pub use error::AcceptError;
pub use gate::Gate;
pub use incoming::Incoming;
pub use sessions::SessionPolicy;

use crate::client_auth::ClientAuth;
use crate::events::{self, Via};
use crate::metrics as names;
use crate::parts::ServerParts;
use crate::refused::Refused;
use crate::verifier::{ClientVerifier, hints_of};
use admitted::CutOff;
use handshake_context::HandshakeContext;
use path_only::PathOnlyVerifier;
use sessions::Sessions;

/// The longest deadline: a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long a refused client may take to read the alert: closing at once could destroy the alert on its way.
const LINGER: Duration = Duration::from_millis(500);
/// Bytes that are read from it in that time and discarded.
const LINGER_BYTES: u64 = 64 << 10;

/// The limits of accepting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AcceptLimits {
    /// The time from the transport to the verdict: permit, handshake and gate (AT-TLS: HandshakeTimeout). At most a
    /// day.
    pub deadline: Duration,
    /// Connections between transport and verdict at once. Each takes about 20 KiB. A refused client keeps its place
    /// for up to a second longer, to read the alert. Connections that wait for a place are tasks of the caller, and
    /// have no limit here.
    pub pending: NonZeroUsize,
}

impl Default for AcceptLimits {
    /// 10 seconds, 16,384 connections.
    fn default() -> Self {
        Self { deadline: Duration::from_secs(10), pending: NonZeroUsize::MIN.saturating_add(16_383) }
    }
}

impl AcceptLimits {
    /// The same with this deadline.
    #[must_use]
    pub const fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same with this limit on pending connections.
    #[must_use]
    pub const fn with_pending(self, pending: NonZeroUsize) -> Self {
        Self { pending, ..self }
    }
}

/// Accepts connections of clients whose certificate is good, including its revocation status.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use certcheck_core::{KeyRing, Policy, Revocation};
/// use certcheck_fetch::Engine;
/// use certcheck_rustls::{AcceptLimits, Acceptor, ServerParts, SessionPolicy};
/// use rustls::pki_types::pem::PemObject as _;
/// use rustls::pki_types::{CertificateDer, PrivateKeyDer};
/// use tokio::io::AsyncWriteExt as _;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = KeyRing::from_paths(&["keyring"])?;
/// let engine = Arc::new(Engine::builder(ring, Policy::client(Revocation::HardFail)).build()?);
/// let chain = CertificateDer::pem_file_iter("server.pem")?.collect::<Result<_, _>>()?;
/// let parts = ServerParts::new(chain, PrivateKeyDer::from_pem_file("server.key")?)?;
/// let acceptor = Acceptor::new(parts, engine, SessionPolicy::default(), AcceptLimits::default())?;
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:4433").await?;
/// loop {
///     let (connection, _) = listener.accept().await?;
///     let acceptor = acceptor.clone();
///     tokio::spawn(async move {
///         match acceptor.accept(connection).await {
///             Ok(mut client) => drop(client.write_all(b"hello\n").await),
///             Err(error) => eprintln!("{error}"),
///         }
///     });
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Acceptor {
    shared: Arc<Shared>,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("parts", &self.shared.parts)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

struct Shared {
    engine: Arc<Engine>,
    parts: ServerParts,
    limits: AcceptLimits,
    max_pending: usize,
    permits: Semaphore,
    sessions: Arc<Sessions>,
    /// Made again for each ring, because it has the names of the ring's anchors.
    active: ArcSwap<ActiveConfig>,
}

struct ActiveConfig {
    generation: u64,
    tls: TlsAcceptor,
}

impl Acceptor {
    /// An acceptor over this engine.
    ///
    /// # Errors
    /// If the provider supports none of the versions.
    pub fn new(
        parts: ServerParts,
        engine: Arc<Engine>,
        sessions: SessionPolicy,
        limits: AcceptLimits,
    ) -> Result<Self, Error> {
        crate::metrics::describe();
        let sessions = Arc::new(Sessions::new(Arc::clone(&engine), parts.auth, sessions));
        let active = ArcSwap::from_pointee(ActiveConfig::new(&parts, &engine, &sessions)?);
        let max_pending = limits.pending.get().min(Semaphore::MAX_PERMITS);
        let permits = Semaphore::new(max_pending);
        let shared = Shared { engine, parts, limits, max_pending, permits, sessions, active };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The engine that checks clients.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.shared.engine
    }

    /// The number of connections between transport and verdict.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.max_pending.saturating_sub(self.shared.permits.available_permits())
    }

    /// Accepts a connection: handshake, check and verdict, all before the deadline.
    ///
    /// Its events have no peer: see [`Acceptor::accept_from`].
    ///
    /// # Errors
    /// Why the client is not admitted. A client that is refused was sent the alert for the reason.
    pub async fn accept<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
    ) -> Result<Admitted<IO>, AcceptError> {
        self.accept_known(io, None).await
    }

    /// As [`Acceptor::accept`], from a client with this address. Events about it have the address in their field `peer`.
    ///
    /// # Errors
    /// As for [`Acceptor::accept`].
    pub async fn accept_from<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
        peer: SocketAddr,
    ) -> Result<Admitted<IO>, AcceptError> {
        self.accept_known(io, Some(peer)).await
    }

    async fn accept_known<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
        peer: Option<SocketAddr>,
    ) -> Result<Admitted<IO>, AcceptError> {
        let shared = &*self.shared;
        let deadline = Instant::now() + shared.limits.deadline.min(LONGEST);
        let outcome = match timeout_at(deadline, shared.permits.acquire()).await {
            Ok(Ok(permit)) => shared.handshake(io, peer, deadline, permit).await,
            _ => Err(AcceptError::Busy),
        };
        let word = outcome.as_ref().map_or_else(AcceptError::code, |_| "accept");
        metrics::counter!(names::HANDSHAKES, "component" => "acceptor", "outcome" => word).increment(1);
        match &outcome {
            Err(error) => events::not_admitted(peer, error),
            Ok(admitted) => {
                let resumed = Some(admitted.client.is_resumed);
                events::accepted(Via::Acceptor(peer), admitted.report(), resumed);
            }
        }
        outcome
    }
}

impl ActiveConfig {
    fn new(parts: &ServerParts, engine: &Arc<Engine>, sessions: &Arc<Sessions>) -> Result<Self, Error> {
        let snapshot = engine.snapshot();
        let hints = if parts.has_hints { hints_of(snapshot.ring()) } else { Vec::new() };
        let path_only = PathOnlyVerifier { engine: Arc::clone(engine), auth: parts.auth };
        let verifier = ClientVerifier::with_hooks(Arc::new(path_only), parts.auth, hints, parts.provider());
        let mut config = parts.config(engine, verifier, Arc::clone(sessions) as _)?;
        if !sessions.are_kept() {
            config.send_tls13_tickets = 0;
        }
        // Needed to encrypt an alert once the handshake is over.
        config.enable_secret_extraction = true;
        let tls = TlsAcceptor::from(Arc::new(config) as Arc<ServerConfig>);
        Ok(Self { generation: snapshot.generation(), tls })
    }
}

/// The result of a handshake that succeeded.
struct HandshakeOutput<IO> {
    stream: TlsStream<IO>,
    context: Arc<HandshakeContext>,
    generation: u64,
}

impl Shared {
    /// The configuration for the current ring.
    fn active(&self) -> Arc<ActiveConfig> {
        let active = self.active.load_full();
        if active.generation == self.engine.generation() {
            return active;
        }
        match ActiveConfig::new(&self.parts, &self.engine, &self.sessions) {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                self.active.store(Arc::clone(&fresh));
                fresh
            }
            // Only the hints are of another ring.
            Err(error) => {
                warn!(
                    name: "configuration-kept", target: "certcheck::ring",
                    %error, "new ring not used for hints; clients see the old names"
                );
                active
            }
        }
    }

    async fn handshake<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
        peer: Option<SocketAddr>,
        deadline: Instant,
        _permit: SemaphorePermit<'_>,
    ) -> Result<Admitted<IO>, AcceptError> {
        let _pending = PendingGauge::new();
        let active = self.active();
        let context = Arc::new(HandshakeContext::new(peer));
        let gate = Gate::new(io, Arc::clone(&context));
        let handshake = Arc::clone(&context).scope(active.tls.accept(gate).into_fallible());
        let stream = match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err((error, mut gate))) => {
                gate.keep_alert_alone();
                let _gone = timeout_at(deadline, gate.open()).await;
                linger(gate.get_mut()).await;
                return Err(match context.take_refusal() {
                    Some(report) => AcceptError::Refused(Box::new(Refused::new(report))),
                    None => AcceptError::Handshake(error),
                });
            }
            Err(_) => return Err(AcceptError::Deadline),
        };
        let generation = active.generation;
        self.pass_gate(HandshakeOutput { stream, context, generation }, deadline).await
    }

    /// RFC 8446 4.4.3.
    #[doc(alias = "RFC 8446 section 4.4.3")]
    async fn pass_gate<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        output: HandshakeOutput<IO>,
        deadline: Instant,
    ) -> Result<Admitted<IO>, AcceptError> {
        let HandshakeOutput { mut stream, context, generation } = output;
        let presented: Option<&[CertificateDer<'static>]> = stream.get_ref().1.peer_certificates();
        let report = match presented {
            None if self.parts.auth == ClientAuth::Required => {
                // rustls has refused it, or its session had no client certificate.
                let error = std::io::Error::other(Error::NoCertificatesPresented);
                refuse(stream, AlertDescription::CertificateRequired).await;
                return Err(AcceptError::Handshake(error));
            }
            Some(chain) if self.parts.auth.is_checked() => {
                Some(self.check(context.take_pending(), chain, deadline).await)
            }
            _ => None,
        };
        match report {
            Some(report) if !report.is_accepted() => {
                let refused = Refused::new(report);
                refuse(stream, refused.alert()).await;
                Err(AcceptError::Refused(Box::new(refused)))
            }
            report => {
                self.sessions.keep(&context, presented, generation);
                let client = Client {
                    engine: Arc::clone(&self.engine),
                    report,
                    presented: presented.unwrap_or_default().into(),
                    peer: context.peer(),
                    is_resumed: admitted::is_resumed(&stream),
                };
                context.release();
                match timeout_at(deadline, stream.get_mut().0.open()).await {
                    Ok(Ok(())) => Ok(Admitted { stream, client, cut_off: CutOff::Never }),
                    Ok(Err(error)) => Err(AcceptError::Handshake(error)),
                    Err(_) => Err(AcceptError::Deadline),
                }
            }
        }
    }

    /// Completes the check that the verifier has begun. A session that resumes has none.
    async fn check(
        &self,
        begun: Option<PendingCheck>,
        chain: &[CertificateDer<'static>],
        deadline: Instant,
    ) -> CheckReport {
        let (engine, now) = (&self.engine, self.engine.now());
        let begun = begun.filter(|pending| pending.is_current(now));
        let mut pending = begun.unwrap_or_else(|| engine.begin(chain, now));
        loop {
            let generation = pending.generation();
            let report = pending.complete(deadline.saturating_duration_since(Instant::now())).await;
            // Ring or policy may have changed while evidence was waited for. No client is accepted by the old ones.
            if !report.is_accepted() || engine.generation() == generation {
                return report;
            }
            pending = engine.begin(chain, engine.now());
        }
    }
}

/// Sends a refused client the alert, after its handshake, and ends the connection.
async fn refuse<IO: AsyncRead + AsyncWrite + Unpin>(stream: TlsStream<IO>, alert: AlertDescription) {
    let (mut gate, connection) = stream.into_inner();
    let was_held = gate.drop_held();
    let mut io = gate.into_inner();
    if let Some(record) = alert::record(connection, alert, was_held) {
        let until = Instant::now() + LINGER;
        let _gone = timeout_at(until, async {
            io.write_all(&record).await?;
            io.flush().await
        })
        .await;
    }
    linger(&mut io).await;
}

/// Gives a client time to read what was sent last: ends our side, and waits for the client to end its side.
async fn linger<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO) {
    let until = Instant::now() + LINGER;
    let _late = timeout_at(until, async {
        io.shutdown().await?;
        tokio::io::copy(&mut io.take(LINGER_BYTES), &mut tokio::io::sink()).await
    })
    .await;
}

/// Counts a connection as pending as long as it lives.
struct PendingGauge;

impl PendingGauge {
    fn new() -> Self {
        metrics::gauge!(names::PENDING).increment(1.0);
        Self
    }
}

impl Drop for PendingGauge {
    fn drop(&mut self) {
        metrics::gauge!(names::PENDING).decrement(1.0);
    }
}
