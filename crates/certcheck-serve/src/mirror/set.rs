//! The mirror over reloads.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::keeper::Keeper;
use super::listing::Listing;
use super::server::Context;
use crate::admission::Connections;
use crate::checks::PreparedEngines;
use crate::config::{ConfigFault, MirrorConfig, Origins, Section};
use crate::limit_log::LimitLog;
use crate::listener::Inherited;
use crate::phase::Phase;
use crate::sockets::{PreparedSockets, Sockets};

/// The name of the mirror in logs and metrics.
pub(super) const NAME: &str = "mirror";

/// The mirror, if there is one.
#[derive(Default)]
pub(crate) struct MirrorSet {
    running: Option<Running>,
    /// The connections of a mirror that a reload has removed, as long as there are any.
    removed: Vec<Arc<Connections>>,
    sockets: Sockets,
}

struct Running {
    config: watch::Sender<Arc<MirrorConfig>>,
    keeper: Arc<Keeper>,
    listing: Arc<Listing>,
    connections: Arc<Connections>,
    limits: Arc<LimitLog>,
}

/// A mirror that is ready to be used. Nothing is changed yet.
pub(crate) struct PreparedMirror {
    sockets: PreparedSockets,
    /// What it does, and the engine that it fetches with.
    mirror: Option<(MirrorConfig, Arc<certcheck_rustls::Engine>)>,
}

impl MirrorSet {
    /// Binds what is not bound yet.
    pub(crate) fn prepare(
        &self,
        (mirror, origins): (Option<&MirrorConfig>, &Origins),
        engines: Option<&PreparedEngines>,
        inherited: &Inherited,
    ) -> Result<PreparedMirror, Vec<ConfigFault>> {
        let addresses = mirror.iter().map(|mirror| (NAME, &*mirror.listen));
        let sockets = self.sockets.prepare(addresses, inherited).map_err(|found| {
            let fault = |fault: crate::sockets::SocketFault| {
                let place = origins.place(Section::Mirror, "listen");
                ConfigFault::new(place, format!("listen: {}", fault.error))
            };
            found.into_iter().map(fault).collect::<Vec<_>>()
        })?;
        // Without an engine there are faults already.
        let mirror = mirror.and_then(|mirror| {
            let engine = engines?.mirror_engine(&mirror.check)?;
            Some((mirror.clone(), Arc::clone(engine)))
        });
        Ok(PreparedMirror { sockets, mirror })
    }

    /// Uses what is prepared. The rings of engines are in use already.
    pub(crate) fn commit(&mut self, prepared: PreparedMirror, phase: &watch::Sender<Phase>) {
        let before = self.running.take();
        self.removed.retain(|connections| connections.number() > 0);
        self.running = match (prepared.mirror, before) {
            (Some((config, engine)), Some(running)) => {
                running.keeper.reload(config.clone(), engine);
                running.config.send_replace(Arc::new(config));
                Some(running)
            }
            (Some((config, engine)), None) => Some(Running {
                keeper: Keeper::new(config.clone(), engine),
                listing: Arc::default(),
                config: watch::Sender::new(Arc::new(config)),
                connections: Connections::new(NAME),
                limits: LimitLog::new(NAME),
            }),
            (None, before) => {
                self.removed.extend(before.map(|running| running.connections));
                None
            }
        };
        let running = self.running.as_ref();
        self.sockets.commit(prepared.sockets, |_| {
            let running = running?;
            let context = Context {
                config: running.config.subscribe(),
                keeper: Arc::clone(&running.keeper),
                listing: Arc::clone(&running.listing),
                phase: phase.subscribe(),
                limits: Arc::clone(&running.limits),
            };
            Some((context, Arc::clone(&running.connections)))
        });
    }

    /// The connections of the mirror, also of a removed one.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Connections>> {
        self.running.iter().map(|running| &running.connections).chain(&self.removed)
    }

    /// The addresses of TCP that the mirror really listens on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.addresses(NAME)
    }

    /// Ends all sockets.
    pub(crate) fn close(&mut self) -> Vec<JoinHandle<()>> {
        self.sockets.close()
    }
}
