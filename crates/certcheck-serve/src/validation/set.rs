//! All validation listeners, over reloads.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::active::{Active, Lasting};
use super::context::Context;
use super::secret::Secret;
use super::tls;
use crate::admission::Connections;
use crate::board::Board;
use crate::certificates::{self, Certificates};
use crate::checks::PreparedEngines;
use crate::config::{CheckConfig, ConfigFault, Origins, Section, TlsConfig, ValidationConfig};
use crate::limit_log::LimitLog;
use crate::listener::Inherited;
use crate::phase::Phase;
use crate::provider;
use crate::sockets::{PreparedSockets, Sockets};

/// All validation listeners.
#[derive(Default)]
pub(crate) struct Validations {
    by_name: HashMap<String, Running>,
    /// The connections of listeners that a reload has removed, as long as there are any.
    removed: Vec<Arc<Connections>>,
    sockets: Sockets,
}

pub(super) struct Running {
    pub(super) active: watch::Sender<Arc<Active>>,
    pub(super) lasting: Arc<Lasting>,
    pub(super) connections: Arc<Connections>,
    limits: Arc<LimitLog>,
}

/// Validation listeners that are ready to be used. Nothing is changed yet.
pub(crate) struct PreparedValidations {
    sockets: PreparedSockets,
    active: Vec<Active>,
}

/// What a validation listener reads from files.
struct Read {
    secret: Option<Secret>,
    certificates: Option<certificates::Prepared>,
}

/// All faults of the files that validation listeners name, besides those of what clients are checked by.
pub(crate) fn check(validations: &[ValidationConfig], origins: &Origins) -> Vec<ConfigFault> {
    read_files(validations, origins).err().unwrap_or_default()
}

fn read_files(validations: &[ValidationConfig], origins: &Origins) -> Result<Vec<Read>, Vec<ConfigFault>> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for (number, validation) in validations.iter().enumerate() {
        let place = |key: &str| origins.place(Section::Validation(number), key);
        let mut read = Read { secret: None, certificates: None };
        match validation.secret_file.as_deref().map(Secret::read).transpose() {
            Ok(secret) => read.secret = secret,
            Err(message) => {
                faults.push(ConfigFault::new(place("secret_file"), format!("secret_file: {message}")));
            }
        }
        if let (Some(tls), Some(provider)) = (&validation.tls, provider::get()) {
            let files = TlsConfig { certificates: tls.certificates.clone(), ..TlsConfig::default() };
            match certificates::prepare(&files, &provider) {
                Ok(certificates) => read.certificates = Some(certificates),
                Err(found) => faults.extend(found.into_iter().map(|fault| {
                    let place = place(&format!("certificates.{}", fault.number));
                    ConfigFault::new(place, format!("certificates: {}", fault.error))
                })),
            }
        }
        all.push(read);
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

/// What a validation listener does by its configuration.
fn active(
    config: &ValidationConfig,
    read: Read,
    engines: Option<&PreparedEngines>,
) -> Result<Active, String> {
    let engine = |check: &CheckConfig| engines?.engine(check).cloned();
    let own = Arc::new(Certificates::empty());
    let acceptor = match (&config.tls, read.certificates) {
        (Some(tls), Some(certificates)) => {
            own.replace(certificates);
            engine(&tls.check)
                .zip(provider::get())
                .map(|(engine, provider)| tls::acceptor(config, &own, &engine, &provider))
                .transpose()
                .map_err(|error| error.to_string())?
        }
        _ => None,
    };
    // Each policy has its own, in this order. Without engines there are faults already.
    let all: Option<_> = config.policies.iter().map(|policy| engine(&policy.check)).collect();
    let engines = all.unwrap_or_default();
    Ok(Active { config: config.clone(), secret: read.secret, acceptor, engines, not_after: own.not_after() })
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
                let place = origins.place(Section::Validation(fault.listener), "listen");
                ConfigFault::new(place, format!("listen: {}", fault.error))
            };
            found.into_iter().map(fault).collect::<Vec<_>>()
        });
        let read = read_files(validations, origins);
        let (sockets, read) = match (sockets, read) {
            (Ok(sockets), Ok(read)) => (sockets, read),
            (sockets, read) => {
                return Err([sockets.err(), read.err()].into_iter().flatten().flatten().collect());
            }
        };
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (number, (config, read)) in validations.iter().zip(read).enumerate() {
            match active(config, read, engines) {
                Ok(active) => all.push(active),
                Err(message) => {
                    let place = origins.place(Section::Validation(number), "certificates");
                    faults.push(ConfigFault::new(place, format!("certificates: {message}")));
                }
            }
        }
        if faults.is_empty() { Ok(PreparedValidations { sockets, active: all }) } else { Err(faults) }
    }

    /// Uses what is prepared.
    pub(crate) fn commit(
        &mut self,
        prepared: PreparedValidations,
        phase: &watch::Sender<Phase>,
        board: &Arc<Board>,
    ) {
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
                    limits: LimitLog::new(&name),
                },
            };
            self.by_name.insert(name, running);
        }
        self.removed.extend(before.into_values().map(|running| running.connections));
        self.removed.retain(|connections| connections.number() > 0);
        let by_name = &self.by_name;
        self.sockets.commit(prepared.sockets, |name| {
            let running = by_name.get(name)?;
            let context = Context {
                listener: name.into(),
                active: running.active.subscribe(),
                lasting: Arc::clone(&running.lasting),
                has_certificate: false,
                board: Arc::clone(board),
                phase: phase.subscribe(),
                limits: Arc::clone(&running.limits),
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

    /// All listeners with their names.
    pub(super) fn running(&self) -> impl Iterator<Item = (&String, &Running)> {
        self.by_name.iter()
    }

    /// The addresses of a validation listener, as they are shown.
    pub(super) fn shown(&self, name: &str) -> Vec<String> {
        self.sockets.shown(name)
    }

    /// Ends all sockets.
    pub(crate) fn close(&mut self) -> Vec<JoinHandle<()>> {
        self.sockets.close()
    }
}
