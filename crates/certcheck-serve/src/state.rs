//! What a front has at present: its configuration, listeners, sockets, engines. A reload prepares all of it before anything
//! changes.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::gauge;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::active::Active;
use crate::admin::{AdminSockets, PreparedAdmin};
use crate::admission::Connections;
use crate::board::Board;
use crate::certificates::{self, Certificates};
use crate::checks::{CheckFault, Engines, PreparedEngines};
use crate::config::{ConfigError, ConfigFault, ListenerConfig, Loaded, Origins};
use crate::limit_log::LimitLog;
use crate::listener::Inherited;
use crate::mirror::{MirrorSet, PreparedMirror};
use crate::phase::Phase;
use crate::proxy::Upstreams;
use crate::service::Context;
use crate::sockets::{PreparedSockets, Sockets};
use crate::validation::{PreparedValidations, Validations};
use crate::{metrics as names, provider};

/// What a front has at present.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) loaded: Loaded,
    pub(crate) listeners: HashMap<String, Listener>,
    /// The connections of listeners that a reload has removed, as long as there are any.
    removed: Vec<Arc<Connections>>,
    /// No configuration is used any longer: it would listen again.
    pub(crate) is_ending: bool,
    pub(crate) sockets: Sockets,
    pub(crate) engines: Engines,
    pub(crate) validations: Validations,
    pub(crate) mirror: MirrorSet,
    pub(crate) admin: AdminSockets,
    pub(crate) upstreams: Upstreams,
    /// Tasks that look up the evidence about rings, and whether services can be reached.
    pub(crate) watching: JoinSet<()>,
}

pub(crate) struct Listener {
    pub(crate) active: watch::Sender<Arc<Active>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) limits: Arc<LimitLog>,
}

/// All that a configuration needs, ready to be used. Nothing is changed yet.
pub(crate) struct Prepared {
    engines: PreparedEngines,
    sockets: PreparedSockets,
    listeners: Vec<(String, Active, certificates::Prepared)>,
    validations: PreparedValidations,
    mirror: PreparedMirror,
    admin: PreparedAdmin,
    upstreams: Upstreams,
}

impl State {
    /// The connections of all listeners, also of removed ones.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Connections>> {
        let of_listeners = self.listeners.values().map(|listener| &listener.connections);
        of_listeners
            .chain(&self.removed)
            .chain(self.validations.connections())
            .chain(self.mirror.connections())
    }

    /// An error once the front ends.
    pub(crate) fn refuse_end(&self) -> Result<(), ConfigError> {
        if self.is_ending {
            Err(ConfigError::of("the front ends, and uses no other configuration"))
        } else {
            Ok(())
        }
    }

    /// Prepares all that a configuration needs. What cannot be used is reported as a whole.
    pub(crate) fn prepare(
        &self,
        loaded: &Loaded,
        inherited: &Inherited,
    ) -> Result<Prepared, Vec<ConfigFault>> {
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
        let mirror = self
            .mirror
            .prepare((config.mirror.as_ref(), origins), engines.as_ref().ok(), inherited)
            .map_err(|found| faults.extend(found));
        let admin = self.admin.prepare(&config.admin, inherited).map_err(|error| {
            let place = origins.place(None, "admin.listen");
            faults.push(ConfigFault::new(place, format!("admin.listen: {error}")));
        });
        let (Ok(certificates), Ok(engines), Ok(sockets), Ok(validations), Ok(mirror), Ok(admin)) =
            (certificates, engines, sockets, validations, mirror, admin)
        else {
            return Err(faults);
        };
        let Some(provider) = provider::get() else { return Err(faults) };
        let upstreams = self.upstreams.prepare(&config.listeners);
        let mut listeners = Vec::new();
        for ((number, listener), prepared) in config.listeners.iter().enumerate().zip(certificates) {
            let before = self.listeners.get(&listener.name).map(|before| Arc::clone(&before.active.borrow()));
            let resolver = match &before {
                Some(before) => Arc::clone(&before.certificates),
                None => Arc::new(Certificates::empty()),
            };
            let engine = engines.engine(&listener.check);
            let upstream = upstreams.find(listener).unwrap_or_default();
            match Active::new(listener.clone(), resolver, engine, upstream, &provider, before.as_deref()) {
                Ok(active) => listeners.push((listener.name.clone(), active, prepared)),
                Err(error) => {
                    let place = origins.place(Some(number), "tls_versions");
                    faults.push(ConfigFault::new(place, format!("listener `{}`: {error}", listener.name)));
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Prepared { engines, sockets, listeners, validations, mirror, admin, upstreams })
    }

    /// Uses what is prepared. `context` is what connections of a listener know of it.
    pub(crate) fn commit(
        &mut self,
        loaded: Loaded,
        prepared: Prepared,
        context: impl Fn(&str, &Listener) -> Context,
        (phase, board): (&watch::Sender<Phase>, &Arc<Board>),
        admin: impl FnOnce(&mut AdminSockets, PreparedAdmin),
    ) {
        self.engines = prepared.engines.commit();
        self.upstreams = prepared.upstreams;
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
                None => Listener {
                    connections: Connections::new(&name),
                    active: watch::Sender::new(active),
                    limits: LimitLog::new(&name),
                },
            };
            self.listeners.insert(name, listener);
        }
        self.removed.extend(before.into_values().map(|listener| listener.connections));
        self.removed.retain(|connections| connections.number() > 0);
        let listeners = &self.listeners;
        self.sockets.commit(prepared.sockets, |name| {
            let listener = listeners.get(name)?;
            Some((context(name, listener), Arc::clone(&listener.connections)))
        });
        self.validations.commit(prepared.validations, phase, board);
        self.mirror.commit(prepared.mirror, phase);
        admin(&mut self.admin, prepared.admin);
        self.loaded = loaded;
    }
}

/// The certificates of each listener.
pub(crate) fn read_certificates(
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

pub(crate) fn check_faults(origins: &Origins, found: Vec<CheckFault>) -> impl Iterator<Item = ConfigFault> {
    found.into_iter().map(|fault| {
        let place = origins.place(fault.section, fault.key);
        ConfigFault::new(place, format!("{}: {}", fault.key, fault.message))
    })
}

/// Reports when the certificate ends that expires first.
fn set_not_after(listener: &str, certificates: &Certificates) {
    if let Some(end) = certificates.not_after() {
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds")]
        gauge!(names::NOT_AFTER, "listener" => listener.to_owned()).set(end.unix() as f64);
    }
}
