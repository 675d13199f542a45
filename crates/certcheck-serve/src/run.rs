//! A front that runs: started, reloaded and drained by its program or by a test.

use core::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use certcheck_rustls::Engine;
use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::admin;
use crate::admission::Connections;
use crate::board::Board;
use crate::checks::Engines;
use crate::config::{ConfigError, Loaded};
use crate::listener::Inherited;
use crate::observer::{ClientObserver, Observed};
use crate::phase::Phase;
use crate::reload::Reloads;
use crate::service::Context;
use crate::state::{Listener, State, check_faults, read_certificates};
use crate::status::FrontStatus;
use crate::validation;
use crate::{events, metrics as names};

/// The time for connections to end once they are cut.
const CUT: Duration = Duration::from_secs(2);

/// A front that runs in the runtime that it was started in. Dropping its last clone cuts all of its connections.
#[derive(Clone)]
pub struct Front {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    state: RwLock<State>,
    /// Held while a configuration is prepared and used: one at a time.
    using: Mutex<()>,
    phase: watch::Sender<Phase>,
    generation: AtomicU64,
    inherited: Inherited,
    reloads: Reloads,
    observed: Observed,
    pub(crate) board: Arc<Board>,
}

/// What has become of the connections of a front.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that went on until the limit, and were cut.
    pub cut: usize,
}

impl From<Arc<Shared>> for Front {
    fn from(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of configurations that were used so far.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// The engines that check clients.
    pub(crate) fn engines(&self) -> Vec<Arc<Engine>> {
        self.state().engines.all().cloned().collect()
    }
}

impl Front {
    /// Starts a front: reads rings, evidence and certificates, and listens. It must be called within a runtime of
    /// tokio.
    ///
    /// # Errors
    /// All faults, with the places of the configuration that are wrong.
    pub fn start(loaded: Loaded) -> Result<Self, ConfigError> {
        Self::start_with(loaded, None)
    }

    /// As [`Front::start`], with an observer.
    ///
    /// # Errors
    /// As for [`Front::start`].
    pub fn start_observed(loaded: Loaded, observer: Arc<dyn ClientObserver>) -> Result<Self, ConfigError> {
        Self::start_with(loaded, Some(observer))
    }

    fn start_with(loaded: Loaded, observer: Option<Arc<dyn ClientObserver>>) -> Result<Self, ConfigError> {
        if !loaded.config.admin.listen.is_empty() {
            // Before anything is counted.
            admin::install();
        }
        names::describe();
        let shared = Shared {
            state: RwLock::default(),
            phase: watch::Sender::new(Phase::Running),
            generation: AtomicU64::new(0),
            inherited: Inherited::from_env(),
            using: Mutex::default(),
            reloads: Reloads::default(),
            board: Board::new(),
            observed: Observed::by(observer),
        };
        let front = Self { shared: Arc::new(shared) };
        front.use_configuration(loaded)?;
        Ok(front)
    }

    /// Checks a configuration with all files that it names. No address is listened on.
    ///
    /// # Errors
    /// All faults, as for [`Front::start`].
    pub fn check(loaded: &Loaded) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        let listeners = &loaded.config.listeners;
        if let Err(found) = Engines::default().prepare(&loaded.config) {
            faults.extend(check_faults(&loaded.origins, found));
        }
        faults.extend(validation::check(&loaded.config.validations, &loaded.origins));
        if let Err(found) = read_certificates(listeners, &loaded.origins) {
            faults.extend(found);
        }
        if faults.is_empty() { Ok(()) } else { Err(ConfigError::new(faults)) }
    }

    /// Uses another configuration. Rings, evidence and certificates are read again, also where the configuration is
    /// the same. Connections stay, unless their client would be refused by the new rings and policies.
    ///
    /// # Errors
    /// All faults. Then nothing has changed.
    pub fn reload(&self, loaded: Loaded) -> Result<(), ConfigError> {
        self.reload_from(|| Ok(loaded))
    }

    /// As [`Front::reload`], with a configuration that is read first. That it cannot be read is reported as that it
    /// cannot be used.
    ///
    /// # Errors
    /// As for [`Front::reload`], and those of reading.
    pub fn reload_from(&self, read: impl FnOnce() -> Result<Loaded, ConfigError>) -> Result<(), ConfigError> {
        let outcome = read().and_then(|loaded| self.use_configuration(loaded));
        self.shared.board.reloaded(outcome.as_ref().err());
        let word = if outcome.is_ok() { "loaded" } else { "kept" };
        counter!(names::RELOADS, "outcome" => word).increment(1);
        match &outcome {
            Ok(()) => events::reloaded(self.generation()),
            Err(error) => {
                for fault in error.faults() {
                    events::reload_failed(fault);
                }
            }
        }
        outcome
    }

    /// What is read at a reload.
    pub(crate) fn reloads(&self) -> &Reloads {
        &self.shared.reloads
    }

    /// The configuration in use.
    pub fn configuration(&self) -> Loaded {
        self.shared.state().loaded.clone()
    }

    /// The number of configurations that were used so far, this one included.
    pub fn generation(&self) -> u64 {
        self.shared.generation()
    }

    /// The addresses that a listener really listens on, also where the configuration has port 0.
    pub fn addresses(&self, listener: &str) -> Vec<SocketAddr> {
        self.shared.state().sockets.addresses(listener)
    }

    /// The addresses that a validation listener really listens on, also where the configuration has port 0.
    pub fn validation_addresses(&self, validation: &str) -> Vec<SocketAddr> {
        self.shared.state().validations.addresses(validation)
    }

    /// The addresses that the mirror really listens on, also where the configuration has port 0.
    pub fn mirror_addresses(&self) -> Vec<SocketAddr> {
        self.shared.state().mirror.addresses()
    }

    /// The addresses that the admin listener really listens on, of TCP.
    pub fn admin_addresses(&self) -> Vec<SocketAddr> {
        self.shared.state().admin.addresses()
    }

    /// The state at present: what `/v1/status` of the admin listener shows.
    pub fn status(&self) -> FrontStatus {
        self.shared.status()
    }

    /// The number of connections at present, handshakes included.
    pub fn connections(&self) -> usize {
        self.shared.state().connections().map(|connections| connections.number()).sum()
    }

    /// The engines that check clients.
    pub fn engines(&self) -> Vec<Arc<Engine>> {
        self.shared.engines()
    }

    /// Ends all listeners for good, and waits until connections have ended. Over HTTP they end after the requests that go
    /// on. Those that go on after this time are cut.
    pub async fn drain(&self, within: Duration) -> Drained {
        events::draining(self.connections(), within);
        self.shared.board.drain();
        let deadline = Instant::now() + within;
        let (connections, accepting): (Vec<Arc<Connections>>, _) = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            state.is_ending = true;
            let mut accepting = state.sockets.close();
            accepting.extend(state.validations.close());
            accepting.extend(state.mirror.close());
            (state.connections().cloned().collect(), accepting)
        };
        for task in accepting {
            let _aborted = task.await;
        }
        self.shared.phase.send_replace(Phase::Draining);
        let none_left = async {
            for connections in &connections {
                connections.none_left().await;
            }
        };
        if timeout_at(deadline, none_left).await.is_ok() {
            events::drained(0);
            return Drained { cut: 0 };
        }
        let cut = connections.iter().map(|connections| connections.number()).sum();
        self.shared.phase.send_replace(Phase::Over);
        let none_left = async {
            for connections in &connections {
                connections.none_left().await;
            }
        };
        let _gone = timeout(CUT, none_left).await;
        events::drained(cut);
        Drained { cut }
    }

    fn use_configuration(&self, loaded: Loaded) -> Result<(), ConfigError> {
        let shared = &*self.shared;
        let _one_at_a_time = shared.using.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = {
            let state = shared.state();
            state.refuse_end()?;
            state.prepare(&loaded, &shared.inherited).map_err(ConfigError::new)?
        };
        let mut state = shared.state.write().unwrap_or_else(PoisonError::into_inner);
        // It may have begun to end since.
        state.refuse_end()?;
        let generation = shared.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let context = |name: &str, listener: &Listener| Context {
            listener: name.into(),
            active: listener.active.subscribe(),
            phase: shared.phase.subscribe(),
            board: Arc::clone(&shared.board),
            observed: shared.observed.clone(),
            limits: Arc::clone(&listener.limits),
        };
        state.commit(loaded, prepared, context, (&shared.phase, &shared.board), |admin, prepared| {
            admin.commit(prepared, &Arc::downgrade(&self.shared));
        });
        #[expect(clippy::cast_precision_loss, reason = "it counts reloads")]
        gauge!(names::GENERATION).set(generation as f64);
        shared.board.keep_rings(state.engines.all());
        let mut watching = JoinSet::new();
        for engine in state.engines.all() {
            watching.spawn(Arc::clone(&shared.board).watch_ring(Arc::clone(engine)));
        }
        for watch in state.upstreams.watches(&state.loaded.config.listeners) {
            watching.spawn(watch);
        }
        // The tasks of the configuration before end.
        state.watching = watching;
        Ok(())
    }
}
