//! A front that runs: started, reloaded and drained by its program or by a test.

use core::fmt;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use certcheck_rustls::Engine;
use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::active::Active;
use crate::admin::{self, AdminSockets, PreparedAdmin};
use crate::admission::Connections;
use crate::board::Board;
use crate::certificates::{self, Certificates};
use crate::checks::{Engines, PreparedEngines};
use crate::config::{ConfigError, ConfigFault, ListenerConfig, Loaded, Origins};
use crate::listener::Inherited;
use crate::service::Context;
use crate::sockets::{PreparedSockets, Sockets};
use crate::status::FrontStatus;
use crate::validation::{self, PreparedValidations, Validations};
use crate::{events, metrics as names, provider};

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
    is_over: watch::Sender<bool>,
    generation: AtomicU64,
    inherited: Inherited,
    pub(crate) board: Arc<Board>,
}

pub(crate) struct State {
    pub(crate) loaded: Loaded,
    pub(crate) listeners: HashMap<String, Listener>,
    /// The connections of listeners that a reload has removed, as long as there are any.
    removed: Vec<Arc<Connections>>,
    /// No configuration is used any longer: it would listen again.
    is_ending: bool,
    pub(crate) sockets: Sockets,
    pub(crate) engines: Engines,
    pub(crate) validations: Validations,
    admin: AdminSockets,
    /// Tasks that look up the evidence about rings.
    rings: JoinSet<()>,
}

pub(crate) struct Listener {
    pub(crate) active: watch::Sender<Arc<Active>>,
    pub(crate) connections: Arc<Connections>,
}

/// What has become of the connections of a front.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that went on until the limit, and were cut.
    pub cut: usize,
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

/// All that a configuration needs, ready to be used. Nothing is changed yet.
struct Prepared {
    engines: PreparedEngines,
    sockets: PreparedSockets,
    listeners: Vec<(String, Active, certificates::Prepared)>,
    validations: PreparedValidations,
    admin: PreparedAdmin,
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
        if !loaded.config.admin.listen.is_empty() {
            // Before anything is counted.
            admin::install();
        }
        names::describe();
        let shared = Shared {
            state: RwLock::new(State {
                loaded: Loaded::default(),
                listeners: HashMap::new(),
                removed: Vec::new(),
                is_ending: false,
                sockets: Sockets::default(),
                engines: Engines::default(),
                validations: Validations::default(),
                admin: AdminSockets::default(),
                rings: JoinSet::new(),
            }),
            is_over: watch::Sender::new(false),
            generation: AtomicU64::new(0),
            inherited: Inherited::from_env(),
            using: Mutex::default(),
            board: Board::new(),
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

    /// Ends all listeners for good, and waits until connections have ended. Those that go on after this time are cut.
    pub async fn drain(&self, within: Duration) -> Drained {
        events::draining(self.connections(), within);
        self.shared.board.drain();
        let deadline = Instant::now() + within;
        let (connections, accepting): (Vec<Arc<Connections>>, _) = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            state.is_ending = true;
            let mut accepting = state.sockets.close();
            accepting.extend(state.validations.close());
            (state.connections().cloned().collect(), accepting)
        };
        for task in accepting {
            let _aborted = task.await;
        }
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
        self.shared.is_over.send_replace(true);
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
        state.commit(loaded, prepared, &self.shared);
        #[expect(clippy::cast_precision_loss, reason = "it counts reloads")]
        gauge!(names::GENERATION).set(generation as f64);
        shared.board.keep_rings(state.engines.all());
        let mut rings = JoinSet::new();
        for engine in state.engines.all() {
            rings.spawn(Arc::clone(&shared.board).watch_ring(Arc::clone(engine)));
        }
        // The tasks of the configuration before end.
        state.rings = rings;
        Ok(())
    }
}

/// The certificates of each listener.
fn read_certificates(
    listeners: &[ListenerConfig],
    origins: &Origins,
) -> Result<Vec<certificates::Prepared>, Vec<ConfigFault>> {
    let Some(provider) = provider::get() else {
        return Err(vec![ConfigFault::new(None, "this build has no cryptography for TLS".to_owned())]);
    };
    let (mut prepared, mut faults) = (Vec::new(), Vec::new());
    for (number, listener) in listeners.iter().enumerate() {
        match certificates::prepare(&listener.tls, &provider) {
            Ok(certificates) => prepared.push(certificates),
            Err(found) => faults.extend(found.into_iter().map(|fault| {
                let place = origins.place(Some(number), &format!("certificates.{}", fault.number));
                ConfigFault::new(place, format!("certificates: {}", fault.error))
            })),
        }
    }
    if faults.is_empty() { Ok(prepared) } else { Err(faults) }
}

fn check_faults(
    origins: &Origins,
    found: Vec<crate::checks::CheckFault>,
) -> impl Iterator<Item = ConfigFault> {
    found.into_iter().map(|fault| {
        let place = origins.place(Some(fault.listener), fault.key);
        ConfigFault::new(place, format!("{}: {}", fault.key, fault.message))
    })
}

impl State {
    /// The connections of all listeners, also of removed ones.
    fn connections(&self) -> impl Iterator<Item = &Arc<Connections>> {
        let of_listeners = self.listeners.values().map(|listener| &listener.connections);
        of_listeners.chain(&self.removed).chain(self.validations.connections())
    }

    /// An error once the front ends.
    fn refuse_end(&self) -> Result<(), ConfigError> {
        if self.is_ending {
            Err(ConfigError::of("the front ends, and uses no other configuration"))
        } else {
            Ok(())
        }
    }

    /// Prepares all that a configuration needs. What cannot be used is reported as a whole.
    fn prepare(&self, loaded: &Loaded, inherited: &Inherited) -> Result<Prepared, Vec<ConfigFault>> {
        let Loaded { config, origins, .. } = loaded;
        let mut faults = Vec::new();
        let certificates =
            read_certificates(&config.listeners, origins).map_err(|found| faults.extend(found));
        let engines =
            self.engines.prepare(config).map_err(|found| faults.extend(check_faults(origins, found)));
        let addresses = config.listeners.iter().map(|listener| (listener.name.as_str(), &*listener.listen));
        let sockets = self.sockets.prepare(addresses, inherited).map_err(|found| {
            faults.extend(found.into_iter().map(|fault| {
                let place = origins.place(Some(fault.listener), "listen");
                ConfigFault::new(place, format!("listen: {}", fault.error))
            }));
        });
        let validations = self
            .validations
            .prepare((&config.validations, origins), engines.as_ref().ok(), inherited)
            .map_err(|found| faults.extend(found));
        let admin = self.admin.prepare(&config.admin, inherited).map_err(|error| {
            let place = origins.place(None, "admin.listen");
            faults.push(ConfigFault::new(place, format!("admin.listen: {error}")));
        });
        let (Ok(certificates), Ok(engines), Ok(sockets), Ok(validations), Ok(admin)) =
            (certificates, engines, sockets, validations, admin)
        else {
            return Err(faults);
        };
        let Some(provider) = provider::get() else { return Err(faults) };
        let mut listeners = Vec::new();
        for ((number, listener), prepared) in config.listeners.iter().enumerate().zip(certificates) {
            let before = self.listeners.get(&listener.name).map(|before| Arc::clone(&before.active.borrow()));
            let resolver = match &before {
                Some(before) => Arc::clone(&before.certificates),
                None => Arc::new(Certificates::empty()),
            };
            let engine = engines.engine(&listener.check);
            match Active::new(listener.clone(), resolver, engine, &provider, before.as_deref()) {
                Ok(active) => listeners.push((listener.name.clone(), active, prepared)),
                Err(error) => {
                    let place = origins.place(Some(number), "tls_versions");
                    faults.push(ConfigFault::new(place, format!("listener `{}`: {error}", listener.name)));
                }
            }
        }
        if faults.is_empty() {
            Ok(Prepared { engines, sockets, listeners, validations, admin })
        } else {
            Err(faults)
        }
    }

    /// Uses what is prepared.
    fn commit(&mut self, loaded: Loaded, prepared: Prepared, shared: &Arc<Shared>) {
        self.engines = prepared.engines.commit();
        let mut before = std::mem::take(&mut self.listeners);
        for (name, active, certificates) in prepared.listeners {
            active.certificates.replace(certificates);
            set_not_after(&name, &active.certificates);
            let active = Arc::new(active);
            let listener = match before.remove(&name) {
                Some(listener) => {
                    listener.active.send_replace(active);
                    listener
                }
                None => Listener { connections: Connections::new(&name), active: watch::Sender::new(active) },
            };
            self.listeners.insert(name, listener);
        }
        self.removed.extend(before.into_values().map(|listener| listener.connections));
        self.removed.retain(|connections| connections.number() > 0);
        let listeners = &self.listeners;
        self.sockets.commit(prepared.sockets, |name| {
            let listener = listeners.get(name)?;
            let context = Context {
                listener: name.into(),
                active: listener.active.subscribe(),
                is_over: shared.is_over.subscribe(),
                board: Arc::clone(&shared.board),
            };
            Some((context, Arc::clone(&listener.connections)))
        });
        self.validations.commit(prepared.validations, &shared.is_over);
        self.admin.commit(prepared.admin, &Arc::downgrade(shared));
        self.loaded = loaded;
    }
}

/// Reports when the certificate ends that expires first.
fn set_not_after(listener: &str, certificates: &Certificates) {
    if let Some(end) = certificates.not_after() {
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds")]
        gauge!(names::NOT_AFTER, "listener" => listener.to_owned()).set(end.unix() as f64);
    }
}
