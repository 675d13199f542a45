//! What a connection to a validation listener knows of it.

use std::sync::Arc;

use hyper::header::HeaderMap;
use metrics::counter;
use tokio::sync::watch;

use super::active::{Active, Lasting};
use super::decide::{Asker, Credential};
use super::held::{Full, HeldBytes};
use super::names::SECRET;
use crate::board::Board;
use crate::config::Unauthenticated;
use crate::events::{self, About, Validated};
use crate::limit_log::LimitLog;
use crate::listener::Peer;
use crate::metrics as metric_names;
use crate::phase::Phase;

/// What a connection knows of its listener.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) listener: Arc<str>,
    /// What the listener does, now and after reloads.
    pub(super) active: watch::Receiver<Arc<Active>>,
    pub(super) lasting: Arc<Lasting>,
    /// Whether the peer has a good certificate, which takes the place of the secret.
    pub(super) has_certificate: bool,
    /// What operators look at.
    pub(super) board: Arc<Board>,
    /// How near the front is to its end.
    pub(super) phase: watch::Receiver<Phase>,
    /// The log of its limits.
    pub(super) limits: Arc<LimitLog>,
}

impl Context {
    /// What the listener does now.
    pub(super) fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active.borrow())
    }

    /// Who asks, given the secret that it sent. `None` if it is refused, which is reported.
    pub(super) fn asker(&self, active: &Active, peer: Peer, secret: Given<'_>) -> Option<Asker> {
        let known = |secret| active.secret.filter(|known| known.is(secret));
        let credential = match secret {
            Given::One(secret) => known(secret).map(Credential::Secret),
            Given::None if self.has_certificate => Some(Credential::Certificate),
            Given::None if active.config.unauthenticated == Unauthenticated::Memory => Some(Credential::None),
            _ => None,
        };
        let Some(credential) = credential else {
            events::peer_refused(About { listener: &self.listener, peer: peer.address() });
            return None;
        };
        Some(Asker { peer, credential, within: active.config.limits.check_timeout })
    }

    /// Holds further bytes of a request. Whether it may, and what is not held is reported.
    pub(super) fn hold(&self, held: &mut HeldBytes, peer: Peer, bytes: usize) -> bool {
        let added = held.add(bytes, &self.active.borrow().config.limits);
        if let Err(Full { limit, max }) = added {
            self.limits.limited(peer.address(), limit, max);
        }
        added.is_ok()
    }

    /// Counts an answer.
    pub(super) fn count(&self, route: &str, verdict: &'static str) {
        let listener = Arc::clone(&self.listener);
        let route = route.to_owned();
        counter!(metric_names::VALIDATIONS, "listener" => listener, "route" => route, "verdict" => verdict)
            .increment(1);
    }

    /// Reports a client that was not accepted, also on the board.
    pub(super) fn refused(&self, peer: Peer, validated: Validated<'_>) {
        self.board.validation_refused(&self.listener, peer.address(), validated);
        events::validation_refused(About { listener: &self.listener, peer: peer.address() }, validated);
    }
}

/// The secret that a request has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    None,
    One(&'a [u8]),
    Several,
}

impl<'a> Given<'a> {
    /// The secret in the headers of a request.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(SECRET).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(secret), None) => Self::One(secret.as_bytes()),
            _ => Self::Several,
        }
    }
}
