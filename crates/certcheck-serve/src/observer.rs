//! What a program learns of the clients of a front that it runs itself.

use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::{AcceptError, Client};

/// What a program learns of the clients of a front that it runs itself, in addition to logs and metrics. Calls come from
/// the tasks of connections, and must not block.
pub trait ClientObserver: Send + Sync {
    /// A client sent a good certificate, or resumed its session.
    fn accepted(&self, client: &Client, took: Duration);

    /// A handshake failed, or its client was refused.
    fn refused(&self, error: &AcceptError, took: Duration);

    /// The connection of a client that was accepted has ended, for this reason, as in the log.
    fn ended(&self, client: &Client, why: &str, lasted: Duration);
}

/// The observer of a front, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Observed(Option<Arc<dyn ClientObserver>>);

impl Observed {
    pub(crate) const fn by(observer: Option<Arc<dyn ClientObserver>>) -> Self {
        Self(observer)
    }

    pub(crate) fn accepted(&self, client: &Client, took: Duration) {
        if let Some(observer) = &self.0 {
            observer.accepted(client, took);
        }
    }

    pub(crate) fn refused(&self, error: &AcceptError, took: Duration) {
        if let Some(observer) = &self.0 {
            observer.refused(error, took);
        }
    }

    pub(crate) fn ended(&self, client: Option<&Client>, why: &str, lasted: Duration) {
        if let (Some(observer), Some(client)) = (&self.0, client) {
            observer.ended(client, why, lasted);
        }
    }
}
