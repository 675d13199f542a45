//! All validation listeners, over reloads.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::active::{Active, Lasting};
use super::context::Context;
use super::secret::Secret;
use crate::admission::Connections;
use crate::checks::PreparedEngines;
use crate::config::{ConfigFault, Origins, ValidationConfig, validation_number};
use crate::listener::Inherited;
use crate::sockets::{PreparedSockets, Sockets};

/// All validation listeners.
#[derive(Default)]
pub(crate) struct Validations {
    by_name: HashMap<String, Running>,
    /// The connections of listeners that a reload has removed, as long as there are any.
    removed: Vec<Arc<Connections>>,
    sockets: Sockets,
    ending: watch::Sender<bool>,
}

struct Running {
    active: watch::Sender<Arc<Active>>,
    lasting: Arc<Lasting>,
    connections: Arc<Connections>,
}

/// Validation listeners that are ready to be used. Nothing is changed yet.
pub(crate) struct PreparedValidations {
    sockets: PreparedSockets,
    active: Vec<Active>,
}

/// The secret of each, or all faults.
pub(crate) fn check(validations: &[ValidationConfig], origins: &Origins) -> Vec<ConfigFault> {
    read_secrets(validations, origins).err().unwrap_or_default()
}

fn read_secrets(
    validations: &[ValidationConfig],
    origins: &Origins,
) -> Result<Vec<Secret>, Vec<ConfigFault>> {
    let (mut secrets, mut faults) = (Vec::new(), Vec::new());
    for (number, validation) in validations.iter().enumerate() {
        match Secret::read(&validation.secret_file) {
            Ok(secret) => secrets.push(secret),
            Err(message) => {
                let place = origins.place(Some(validation_number(number)), "secret_file");
                faults.push(ConfigFault::new(place, format!("secret_file: {message}")));
            }
        }
    }
    if faults.is_empty() { Ok(secrets) } else { Err(faults) }
}

impl Validations {
    /// Reads secrets and binds what is not bound yet.
    pub(crate) fn prepare(
        &self,
        (validations, origins): (&[ValidationConfig], &Origins),
        engines: Option<&PreparedEngines>,
        inherited: &Inherited,
    ) -> Result<PreparedValidations, Vec<ConfigFault>> {
        let addresses = validations.iter().map(|validation| (validation.name.as_str(), &*validation.listen));
        let sockets = self.sockets.prepare(addresses, inherited).map_err(|found| {
            let fault = |fault: crate::sockets::SocketFault| {
                let place = origins.place(Some(validation_number(fault.listener)), "listen");
                ConfigFault::new(place, format!("listen: {}", fault.error))
            };
            found.into_iter().map(fault).collect::<Vec<_>>()
        });
        let secrets = read_secrets(validations, origins);
        let (sockets, secrets) = match (sockets, secrets) {
            (Ok(sockets), Ok(secrets)) => (sockets, secrets),
            (sockets, secrets) => {
                return Err([sockets.err(), secrets.err()].into_iter().flatten().flatten().collect());
            }
        };
        // Without engines there are faults already.
        let active = validations.iter().zip(secrets).map(|(config, secret)| {
            let engine = |policy: &crate::config::ValidationPolicy| engines?.engine(&policy.check).cloned();
            let engines = config.policies.iter().filter_map(engine).collect();
            Active { config: config.clone(), secret, engines }
        });
        Ok(PreparedValidations { sockets, active: active.collect() })
    }

    /// Uses what is prepared.
    pub(crate) fn commit(&mut self, prepared: PreparedValidations, is_over: &watch::Sender<bool>) {
        let mut before = std::mem::take(&mut self.by_name);
        for active in prepared.active {
            let name = active.config.name.clone();
            let active = Arc::new(active);
            let running = match before.remove(&name) {
                Some(running) => {
                    running.active.send_replace(active);
                    running
                }
                None => Running {
                    active: watch::Sender::new(active),
                    lasting: Lasting::new(&name),
                    connections: Connections::new(&name),
                },
            };
            self.by_name.insert(name, running);
        }
        self.removed.extend(before.into_values().map(|running| running.connections));
        self.removed.retain(|connections| connections.number() > 0);
        let (by_name, ending) = (&self.by_name, &self.ending);
        self.sockets.commit(prepared.sockets, |name| {
            let running = by_name.get(name)?;
            let context = Context {
                listener: name.into(),
                active: running.active.subscribe(),
                lasting: Arc::clone(&running.lasting),
                ending: ending.subscribe(),
                is_over: is_over.subscribe(),
            };
            Some((context, Arc::clone(&running.connections)))
        });
    }

    /// The connections of all validation listeners, also of removed ones.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Connections>> {
        self.by_name.values().map(|running| &running.connections).chain(&self.removed)
    }

    /// The addresses of TCP that a validation listener really listens on.
    pub(crate) fn addresses(&self, name: &str) -> Vec<SocketAddr> {
        self.sockets.addresses(name)
    }

    /// Ends all sockets, and each connection after its present request.
    pub(crate) fn close(&mut self) -> Vec<JoinHandle<()>> {
        self.ending.send_replace(true);
        self.sockets.close()
    }
}
