//! The sockets of the admin listener.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::reach::Reach;
use super::server;
use crate::config::{AdminConfig, ListenAddress};
use crate::events;
use crate::listener::{BindError, Bound, Inherited};
use crate::run::Shared;

/// Its name in logs.
const NAME: &str = "admin";
/// Connections at once. Others wait to be accepted.
const CONNECTIONS: usize = 64;
/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The sockets of the admin listener, by address.
#[derive(Default)]
pub(crate) struct AdminSockets(HashMap<String, Vec<Listening>>);

struct Listening {
    bound: Arc<Bound>,
    task: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sockets that are bound, and do not accept yet.
pub(crate) struct PreparedAdmin(Vec<(String, Vec<Bound>)>);

impl AdminSockets {
    /// Binds what is not bound yet.
    pub(crate) fn prepare(
        &self,
        config: &AdminConfig,
        inherited: &Inherited,
    ) -> Result<PreparedAdmin, BindError> {
        let mut prepared = Vec::new();
        for address in &config.listen {
            let text = address.to_string();
            if self.0.contains_key(&text) {
                prepared.push((text, Vec::new()));
                continue;
            }
            let bound = match address {
                ListenAddress::Tcp { .. } => address.sockets().map(Bound::tcp).collect::<Result<_, _>>()?,
                _ => Bound::other(address, inherited)?,
            };
            prepared.push((text, bound));
        }
        Ok(PreparedAdmin(prepared))
    }

    /// Answers on the sockets that are prepared, and ends the others.
    pub(crate) fn commit(&mut self, prepared: PreparedAdmin, front: &Weak<Shared>) {
        let mut before = std::mem::take(&mut self.0);
        for (address, bound) in prepared.0 {
            let listening = before.remove(&address).unwrap_or_else(|| {
                let listen = |bound: Bound| {
                    events::listening(NAME, &bound.shown());
                    let bound = Arc::new(bound);
                    let task = tokio::spawn(accept(Arc::clone(&bound), Weak::clone(front))).abort_handle();
                    Listening { bound, task }
                };
                bound.into_iter().map(listen).collect()
            });
            self.0.insert(address, listening);
        }
        for listening in before.values().flatten() {
            events::not_listening(NAME, &listening.bound.shown());
        }
    }

    /// The addresses of TCP that are really listened on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<_> =
            self.0.values().flatten().filter_map(|listening| listening.bound.local_address()).collect();
        addresses.sort();
        addresses
    }
}

/// Accepts connections for ever.
async fn accept(bound: Arc<Bound>, front: Weak<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let reach = Reach::of(&bound);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match bound.accept().await {
            Ok((stream, _)) => {
                let served = server::connection(stream, Weak::clone(&front), reach);
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                events::not_accepted(NAME, &error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
