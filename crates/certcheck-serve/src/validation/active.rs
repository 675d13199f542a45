//! What a validation listener does at present, and what it keeps over reloads.

use std::sync::Arc;

use certcheck_rustls::{Acceptor, Engine, Time};
use metrics::gauge;

use super::held::RequestBytes;
use super::pace::Pace;
use super::remembered::Remembered;
use super::secret::Secret;
use crate::admission::Connections;
use crate::config::ValidationConfig;
use crate::metrics as names;

/// What a validation listener does at present. A reload replaces it as a whole.
pub(super) struct Active {
    pub(super) config: ValidationConfig,
    pub(super) secret: Option<Secret>,
    /// What accepts peers with certificates. `None`: no TLS.
    pub(super) acceptor: Option<Acceptor>,
    /// The engine of each policy, in the order of the configuration.
    pub(super) engines: Vec<Arc<Engine>>,
    /// The end of the listener's own certificate that ends first.
    pub(super) not_after: Option<Time>,
}

impl Active {
    /// The engine of a policy, or of the first one.
    pub(super) fn engine(&self, policy: Option<&str>) -> Option<&Arc<Engine>> {
        let at = match policy {
            Some(name) => self.config.policies.iter().position(|policy| policy.name == name)?,
            None => 0,
        };
        self.engines.get(at)
    }
}

/// What a validation listener keeps over reloads.
pub(super) struct Lasting {
    pub(super) remembered: Remembered,
    /// Checks that wait for evidence.
    pub(super) checks: Arc<Connections>,
    /// Watches that are open.
    pub(super) watches: Arc<Connections>,
    /// Bytes of requests that are not answered yet.
    pub(super) bytes: Arc<RequestBytes>,
    /// How much before their deadlines checks must end.
    pub(super) pace: Pace,
}

impl Lasting {
    pub(super) fn new(listener: &str) -> Arc<Self> {
        let counted =
            |name: &'static str| Connections::counted_by(gauge!(name, "listener" => listener.to_owned()));
        Arc::new(Self {
            remembered: Remembered::default(),
            checks: counted(names::VALIDATION_CHECKS),
            watches: counted(names::VALIDATION_WATCHES),
            bytes: RequestBytes::new(listener),
            pace: Pace::default(),
        })
    }
}
