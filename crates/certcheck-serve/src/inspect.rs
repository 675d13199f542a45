//! Looks up the state of a front.

use std::sync::Arc;

use certcheck_rustls::certcheck_core::key_ring::Role;
use certcheck_rustls::certcheck_fetch::printable;
use certcheck_rustls::{Engine, Time};

use crate::board;
use crate::config::{ClientCertificate, ListenerConfig};
use crate::run::Shared;
use crate::state::{Listener, State};
use crate::status::{
    CaStatus, EndingStatus, EvidenceStatus, FrontStatus, ListenerStatus, Missing, Ready, RingStatus,
    SourceStatus, UpstreamStatus, ends_soon,
};

/// Pieces of evidence that are listed.
const EVIDENCE: usize = 500;

impl Shared {
    /// The state at present.
    pub(crate) fn status(&self) -> FrontStatus {
        let now = board::now();
        let state = self.state();
        let mut status = FrontStatus {
            version: env!("CARGO_PKG_VERSION"),
            now: now.to_string(),
            started: self.board.started.to_string(),
            generation: self.generation(),
            ready: self.ready_with(&state),
            reload: None,
            listeners: state.listener_states(),
            validations: state.validations.states(),
            rings: state.rings(self),
            evidence: Vec::new(),
            sources: Vec::new(),
            refusals: Vec::new(),
            connections: Vec::new(),
            ending: state.ending(now),
        };
        for engine in state.engines.all() {
            let room = EVIDENCE.saturating_sub(status.evidence.len());
            let evidence = engine.evidence(room);
            status.evidence.extend(evidence.iter().map(|one| EvidenceStatus::of(one, now)));
            status.sources.extend(engine.hosts().iter().map(SourceStatus::of));
        }
        drop(state);
        status.add_board(&self.board, now);
        status.ending.sort_by_key(|ending| ending.days);
        status
    }

    /// Whether clients can be served, and what is missing.
    pub(crate) fn ready(&self) -> Ready {
        self.ready_with(&self.state())
    }

    /// Each listener whose service was tried, and whether it was reached.
    pub(crate) fn upstreams_up(&self) -> Vec<(String, bool)> {
        let state = self.state();
        let is_up = |(name, listener): (&String, &Listener)| {
            let attempt = listener.active.borrow().upstream.last()?;
            Some((name.clone(), attempt.failure.is_none()))
        };
        let mut listeners: Vec<_> = state.listeners.iter().filter_map(is_up).collect();
        listeners.sort();
        listeners
    }

    fn ready_with(&self, state: &State) -> Ready {
        let mut missing = Vec::new();
        let mut add = |kind, detail: String| missing.push(Missing { kind, detail });
        if self.board.is_draining() {
            add("draining", "no further connection is accepted".to_owned());
        }
        for listener in &state.loaded.config.listeners {
            if !self.board.is_draining() && state.sockets.shown(&listener.name).is_empty() {
                add("listener", format!("listener `{}` listens nowhere", listener.name));
            }
            if let Some(why) = state.unreachable(listener) {
                let (name, upstream) = (&listener.name, &listener.upstream);
                add("upstream", format!("the service {upstream} of listener `{name}` {why}"));
            }
        }
        for name in state.validations.silent() {
            if !self.board.is_draining() {
                add("listener", format!("validation listener `{name}` listens nowhere"));
            }
        }
        for engine in state.engines.all() {
            let names = state.listeners_of(engine).join("`, `");
            match self.board.ring(engine) {
                None => add(
                    "ring",
                    format!("evidence about the ring of `{names}` is looked up for the first time"),
                ),
                Some(cas) => {
                    for ca in cas.into_iter().map(CaStatus::of).filter(CaStatus::is_missing) {
                        let detail = ca.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
                        add("evidence", format!("{}: {}{detail}", ca.subject, ca.code));
                    }
                }
            }
        }
        Ready { ready: missing.is_empty(), missing }
    }
}

impl State {
    fn listeners_of(&self, engine: &Arc<Engine>) -> Vec<String> {
        let uses = |listener: &&ListenerConfig| {
            let active =
                self.listeners.get(&listener.name).map(|listener| Arc::clone(&listener.active.borrow()));
            active.is_some_and(|active| active.engine().is_some_and(|own| Arc::ptr_eq(own, engine)))
        };
        let listeners = self.loaded.config.listeners.iter().filter(uses);
        let names = listeners.map(|listener| listener.name.clone());
        names.chain(self.validations.names_of(engine)).collect()
    }

    /// Why the service of a listener is missing, if it is tried at all.
    fn unreachable(&self, config: &ListenerConfig) -> Option<String> {
        config.limits.upstream_probe?;
        let listener = self.listeners.get(&config.name)?;
        match listener.active.borrow().upstream.last() {
            None => Some("is tried for the first time".to_owned()),
            Some(attempt) => attempt.failure.map(|failure| format!("cannot be reached: {failure}")),
        }
    }

    fn listener_states(&self) -> Vec<ListenerStatus> {
        let state = |config: &ListenerConfig| {
            let listener = self.listeners.get(&config.name)?;
            let not_after = listener.active.borrow().certificates.not_after();
            Some(ListenerStatus {
                name: config.name.clone(),
                addresses: self.sockets.shown(&config.name),
                upstream: config.upstream.to_string(),
                upstream_health: listener.active.borrow().upstream.last().map(UpstreamStatus::of),
                protocol: if config.http.is_some() { "http" } else { "tcp" },
                client_auth: match config.client_auth {
                    ClientCertificate::Required => "required",
                    ClientCertificate::Optional => "optional",
                    ClientCertificate::None => "none",
                },
                connections: listener.connections.number(),
                max_connections: config.limits.max_connections,
                certificate_not_after: not_after.map(|end| end.to_string()),
            })
        };
        self.loaded.config.listeners.iter().filter_map(state).collect()
    }

    fn rings(&self, shared: &Shared) -> Vec<RingStatus> {
        let ring = |engine: &Arc<Engine>| {
            let cas = shared.board.ring(engine).unwrap_or_default();
            let cas = cas.into_iter().map(CaStatus::of).collect();
            RingStatus::new(engine.snapshot().ring(), self.listeners_of(engine), cas)
        };
        self.engines.all().map(ring).collect()
    }

    /// Certificates of servers and of rings that end soon.
    fn ending(&self, now: Time) -> Vec<EndingStatus> {
        let mut ending = Vec::new();
        for config in &self.loaded.config.listeners {
            let Some(listener) = self.listeners.get(&config.name) else { continue };
            if let Some(end) =
                listener.active.borrow().certificates.not_after().filter(|end| ends_soon(*end, now))
            {
                ending.push(EndingStatus::new("server", &config.name, None, end, now));
            }
        }
        let of_validations = self.validations.not_after().into_iter();
        ending.extend(
            of_validations
                .filter(|(_, end)| ends_soon(*end, now))
                .map(|(name, end)| EndingStatus::new("server", &name, None, end, now)),
        );
        for engine in self.engines.all() {
            let names = self.listeners_of(engine).join(", ");
            let snapshot = engine.snapshot();
            let used = snapshot.ring().certificates().iter().filter(|entry| entry.role() != Role::Distrusted);
            ending.extend(used.filter_map(|entry| {
                let certificate = entry.certificate();
                let subject = printable(certificate.subject()).to_string();
                let end = certificate.not_after();
                ends_soon(end, now).then(|| EndingStatus::new("ring", &names, Some(subject), end, now))
            }));
        }
        ending
    }
}
