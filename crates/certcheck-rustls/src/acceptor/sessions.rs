//! Sessions that may resume: their age, and whether their client would be accepted now.

use core::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use certcheck_fetch::Engine;
use pki_types::CertificateDer;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rustls::server::StoresServerSessions;

use super::handshake_context::HandshakeContext;
use crate::chain::bytes_of;
use crate::client_auth::ClientAuth;
use crate::events;
use crate::metrics as names;

/// Bytes that a session may take at most, and their average when all places are taken.
const MOST_BYTES: u64 = 64 << 10;
const BYTES_EACH: u64 = 4 << 10;

/// The shortest and the longest time between two sweeps.
const LEAST_SWEEP: Duration = Duration::from_secs(1);
const MOST_SWEEP: Duration = Duration::from_secs(3_600);

/// Which sessions may resume. The rule is the same for TLS 1.2 and for the tickets of TLS 1.3 (AT-TLS:
/// GSK_V3_SESSION_TIMEOUT).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SessionPolicy {
    /// How long after its full handshake a session may resume, however often it has resumed. With zero no session
    /// resumes, and each connection needs the client's key again.
    pub lifetime: Duration,
    /// Sessions that are kept, of 4 KiB on average. Beyond that the least used ones are dropped. Sessions of clients
    /// that present more than 32 KiB are not kept.
    pub max: usize,
}

impl Default for SessionPolicy {
    /// 300 seconds, 16,384 sessions.
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(300), max: 16_384 }
    }
}

impl SessionPolicy {
    /// Sessions of at most this age resume.
    #[must_use]
    pub fn up_to(lifetime: Duration) -> Self {
        Self { lifetime, ..Self::default() }
    }

    /// No session resumes.
    #[must_use]
    pub fn never() -> Self {
        Self::up_to(Duration::ZERO)
    }
}

/// A session of a client that was accepted.
pub(super) struct Session {
    /// The session in the form of rustls, with its secret.
    value: Vec<u8>,
    /// The chain that the client presented. Empty if there was none.
    chain: Arc<[CertificateDer<'static>]>,
    /// The time of its full handshake.
    since: Instant,
    /// The generation of ring and policy at that time.
    generation: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Session {
    /// Clients decide how much they present, and rustls keeps it too.
    fn bytes(&self) -> u64 {
        bytes_of(&self.chain).saturating_add(u64::try_from(self.value.len()).unwrap_or(u64::MAX))
    }
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Vec<u8>, Arc<Session>> for Bytes {
    fn weight(&self, _: &Vec<u8>, session: &Arc<Session>) -> u64 {
        session.bytes().max(1)
    }
}

/// The sessions of one acceptor.
pub(super) struct Sessions {
    engine: Arc<Engine>,
    auth: ClientAuth,
    policy: SessionPolicy,
    kept: Cache<Vec<u8>, Arc<Session>, Bytes>,
    /// The time of the next sweep of sessions that are too old.
    sweep_at: Mutex<Instant>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Sessions {
    pub(super) fn new(engine: Arc<Engine>, auth: ClientAuth, policy: SessionPolicy) -> Self {
        let sweep_at = Mutex::new(Instant::now());
        let max = policy.max.max(1);
        let bytes = u64::try_from(max).unwrap_or(u64::MAX).saturating_mul(BYTES_EACH);
        Self { engine, auth, policy, kept: Cache::with_weighter(max, bytes, Bytes), sweep_at }
    }

    pub(super) const fn are_kept(&self) -> bool {
        !self.policy.lifetime.is_zero() && self.policy.max > 0
    }

    /// Keeps the sessions of a client that is accepted. Those of a resumed connection are as old as the session that
    /// it resumed.
    pub(super) fn keep(
        &self,
        context: &HandshakeContext,
        chain: Option<&[CertificateDer<'static>]>,
        generation: u64,
    ) {
        let offered = context.take_offered();
        if offered.is_empty() || !self.are_kept() {
            return;
        }
        let (since, generation) = context
            .resumed()
            .map_or_else(|| (Instant::now(), generation), |session| (session.since, session.generation));
        let chain: Arc<[CertificateDer<'static>]> = chain.unwrap_or_default().into();
        for (name, value) in offered {
            let session = Session { value, chain: Arc::clone(&chain), since, generation };
            if session.bytes() <= MOST_BYTES {
                self.kept.insert(name, Arc::new(session));
            }
        }
        self.sweep();
    }

    /// Drops sessions that cannot resume any longer, once in a lifetime, because each contains a secret.
    fn sweep(&self) {
        let Ok(mut sweep_at) = self.sweep_at.try_lock() else { return };
        if *sweep_at <= Instant::now() {
            *sweep_at = Instant::now() + self.policy.lifetime.clamp(LEAST_SWEEP, MOST_SWEEP);
            drop(sweep_at);
            self.kept.retain(|_, session| session.since.elapsed() <= self.policy.lifetime);
        }
    }

    /// Whether a session may resume, or why not. If it may not, a full handshake follows, which reports any reason to
    /// refuse the client.
    fn decide(&self, session: &Session) -> Result<(), &'static str> {
        if session.since.elapsed() > self.policy.lifetime {
            return Err("session-too-old");
        }
        if session.generation != self.engine.generation() {
            return Err("other-ring");
        }
        if session.chain.is_empty() || !self.auth.is_checked() {
            return Ok(());
        }
        let report = self.engine.look_up(&session.chain, self.engine.now());
        if report.is_accepted() { Ok(()) } else { Err(report.code()) }
    }

    fn give_back(&self, session: Option<Arc<Session>>) -> Option<Vec<u8>> {
        let outcome = session.as_ref().map_or(Err("unknown"), |session| self.decide(session));
        metrics::counter!(names::SESSIONS, "outcome" => outcome.err().unwrap_or("resumed")).increment(1);
        if let Err(code) = outcome {
            events::session_not_resumed(HandshakeContext::with(HandshakeContext::peer).flatten(), code);
        }
        let session = session.filter(|_| outcome.is_ok())?;
        let value = session.value.clone();
        HandshakeContext::with(|context| context.resume(session))?;
        Some(value)
    }
}

impl StoresServerSessions for Sessions {
    /// The session is noted until the client is accepted. What the server writes after this is held back.
    fn put(&self, name: Vec<u8>, session: Vec<u8>) -> bool {
        let offer = |context: &HandshakeContext| {
            context.hold();
            context.offer(name, session);
        };
        self.are_kept() && HandshakeContext::with(offer).is_some()
    }

    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.give_back(self.kept.get(name))
    }

    fn take(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.give_back(self.kept.remove(name).map(|(_, session)| session))
    }

    fn can_cache(&self) -> bool {
        self.are_kept()
    }
}
