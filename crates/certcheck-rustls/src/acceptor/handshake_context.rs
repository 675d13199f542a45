//! The context of a handshake, from its first byte to its verdict. Verifier, session store and gate share it.
//!
//! rustls does not tell them which connection they are called for. All three are called while the handshake is
//! polled, so a task-local value identifies it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use certcheck_fetch::{CheckReport, PendingCheck};

use super::sessions::Session;

tokio::task_local! {
    static CONTEXT: Arc<HandshakeContext>;
}

/// The state of a connection that has no verdict yet.
#[derive(Debug, Default)]
pub(super) struct HandshakeContext {
    /// The client's address, if it is known.
    peer: Option<SocketAddr>,
    /// Whether what the server writes is held back.
    holds: AtomicBool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    pending: Option<PendingCheck>,
    refused: Option<CheckReport>,
    /// Sessions that rustls wants to keep, with their names.
    offered: Vec<(Vec<u8>, Vec<u8>)>,
    resumed: Option<Arc<Session>>,
}

impl HandshakeContext {
    pub(super) fn new(peer: Option<SocketAddr>) -> Self {
        Self { peer, ..Self::default() }
    }

    pub(super) const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Runs a handshake in this context.
    pub(super) async fn scope<F: Future>(self: Arc<Self>, handshake: F) -> F::Output {
        CONTEXT.scope(self, handshake).await
    }

    /// Calls a function with the context of the handshake that is being polled.
    pub(super) fn with<T>(run: impl FnOnce(&Self) -> T) -> Option<T> {
        CONTEXT.try_with(|context| run(context)).ok()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds back everything that is written from now on.
    pub(super) fn hold(&self) {
        self.holds.store(true, Ordering::Release);
    }

    pub(super) fn release(&self) {
        self.holds.store(false, Ordering::Release);
    }

    pub(super) fn holds(&self) -> bool {
        self.holds.load(Ordering::Acquire)
    }

    /// Keeps the check that the verifier has begun, for the gate.
    pub(super) fn begin(&self, pending: PendingCheck) {
        self.notes().pending = Some(pending);
    }

    pub(super) fn take_pending(&self) -> Option<PendingCheck> {
        self.notes().pending.take()
    }

    /// Notes that the verifier refuses the client.
    pub(super) fn refuse(&self, report: CheckReport) {
        self.notes().refused = Some(report);
    }

    pub(super) fn take_refusal(&self) -> Option<CheckReport> {
        self.notes().refused.take()
    }

    /// Notes a session that is to be kept if the client is accepted.
    pub(super) fn offer(&self, name: Vec<u8>, session: Vec<u8>) {
        self.notes().offered.push((name, session));
    }

    pub(super) fn has_offered(&self) -> bool {
        !self.notes().offered.is_empty()
    }

    pub(super) fn take_offered(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        core::mem::take(&mut self.notes().offered)
    }

    /// Notes the session that the client resumes.
    pub(super) fn resume(&self, session: Arc<Session>) {
        self.notes().resumed = Some(session);
    }

    pub(super) fn resumed(&self) -> Option<Arc<Session>> {
        self.notes().resumed.clone()
    }
}
