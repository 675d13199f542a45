//! What validation listeners do at present, for the status page and for `/ready`.

use std::sync::Arc;

use certcheck_rustls::{Engine, Time};
use serde::Serialize;

use super::set::{Running, Validations};
use crate::config::ValidationProtocol;

/// A validation listener.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ValidationStatus {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// `http`, `grpc` or `spop`.
    pub protocol: &'static str,
    /// `secret`, `certificate`, or `secret or certificate`: what peers show.
    pub peers_show: &'static str,
    /// Connections at present.
    pub connections: usize,
    /// The most connections at once.
    pub max_connections: usize,
    /// Checks that wait for evidence.
    pub checks: usize,
    /// The most checks at once that wait.
    pub max_checks: usize,
    /// Watches that are open.
    pub watches: usize,
    /// The most watches at once.
    pub max_watches: usize,
    /// Bytes of requests that are not answered yet.
    pub request_bytes: usize,
    /// The most of them.
    pub max_request_bytes: usize,
    /// The end of the listener's own certificate that ends first.
    pub certificate_not_after: Option<String>,
}

impl Validations {
    /// All validation listeners, by name.
    pub(crate) fn states(&self) -> Vec<ValidationStatus> {
        let state = |(name, running): (&String, &Running)| {
            let Running { active, lasting, connections, .. } = running;
            let active = active.borrow();
            let limits = &active.config.limits;
            ValidationStatus {
                name: name.clone(),
                addresses: self.shown(name),
                protocol: match active.config.protocol {
                    ValidationProtocol::Http => "http",
                    ValidationProtocol::Grpc => "grpc",
                    ValidationProtocol::Spop => "spop",
                },
                peers_show: match (&active.secret, &active.config.tls) {
                    (Some(_), Some(_)) => "secret or certificate",
                    (_, Some(_)) => "certificate",
                    _ => "secret",
                },
                connections: connections.number(),
                max_connections: limits.max_connections,
                checks: lasting.checks.number(),
                max_checks: limits.max_checks,
                watches: lasting.watches.number(),
                max_watches: limits.max_watches,
                request_bytes: lasting.bytes.number(),
                max_request_bytes: limits.max_request_bytes,
                certificate_not_after: active.not_after.map(|end| end.to_string()),
            }
        };
        let mut states: Vec<_> = self.running().map(state).collect();
        states.sort_by(|one, other| one.name.cmp(&other.name));
        states
    }

    /// The names of those that listen nowhere.
    pub(crate) fn silent(&self) -> Vec<String> {
        let names = self.running().map(|(name, _)| name);
        let mut silent: Vec<_> = names.filter(|name| self.shown(name).is_empty()).cloned().collect();
        silent.sort();
        silent
    }

    /// The names of those that check clients or peers by this engine.
    pub(crate) fn names_of(&self, engine: &Arc<Engine>) -> Vec<String> {
        let uses = |(name, running): (&String, &Running)| {
            let active = running.active.borrow();
            let of_peers = active.acceptor.iter().map(|acceptor| acceptor.engine());
            let is_used = active.engines.iter().chain(of_peers).any(|own| Arc::ptr_eq(own, engine));
            is_used.then(|| name.clone())
        };
        let mut names: Vec<_> = self.running().filter_map(uses).collect();
        names.sort();
        names
    }

    /// The end of the certificate that ends first, of each listener that has certificates.
    pub(crate) fn not_after(&self) -> Vec<(String, Time)> {
        let end =
            |(name, running): (&String, &Running)| Some((name.clone(), running.active.borrow().not_after?));
        let mut ends: Vec<_> = self.running().filter_map(end).collect();
        ends.sort();
        ends
    }
}
