//! The sockets of all listeners, each with the task that accepts its connections.

use std::collections::HashMap;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::admission::{Connections, Counted, Limit};
use crate::config::ListenAddress;
use crate::events;
use crate::listener::{BindError, Bound, Inherited, Peer};
use crate::stream::Stream;

/// The pause after a connection could not be accepted, because files or memory ran out.
const PAUSE: Duration = Duration::from_millis(100);

/// What identifies a socket over reloads: an address, and for sockets with the same address their number.
type Key = (String, usize);

/// What is done with the connections of a listener.
pub(crate) trait Serve: Clone + Send + Sync + 'static {
    /// The listener's name.
    fn listener(&self) -> &str;

    /// How many connections there may be at once.
    fn max_connections(&self) -> usize;

    /// Serves a connection to its end.
    fn serve(self, io: Stream, peer: Peer, counted: Counted) -> impl Future<Output = ()> + Send;

    /// Reports a connection that is closed because of a limit.
    fn limited(&self, peer: Peer, limit: Limit, max: usize);
}

/// All sockets.
#[derive(Default)]
pub(crate) struct Sockets(HashMap<Key, Listening>);

struct Listening {
    bound: Arc<Bound>,
    listener: Arc<str>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            // Accepting can be ended at any time: a connection that is not accepted yet stays in the socket.
            task.abort();
        }
    }
}

/// Sockets that are bound, and do not accept yet.
pub(crate) struct PreparedSockets(Vec<(Key, String, Option<Bound>)>);

/// An address that cannot be listened on, of this listener.
pub(crate) struct SocketFault {
    pub(crate) listener: usize,
    pub(crate) error: BindError,
}

impl Sockets {
    /// Binds what is not bound yet.
    pub(crate) fn prepare<'c>(
        &self,
        listeners: impl Iterator<Item = (&'c str, &'c [ListenAddress])>,
        inherited: &Inherited,
    ) -> Result<PreparedSockets, Vec<SocketFault>> {
        let (mut prepared, mut faults) = (Vec::new(), Vec::new());
        let mut seen = HashMap::<String, usize>::new();
        let mut next = |address: &str| {
            let number = seen.entry(address.to_owned()).or_default();
            *number += 1;
            (address.to_owned(), *number)
        };
        for (number, (name, addresses)) in listeners.enumerate() {
            let mut fault = |error| faults.push(SocketFault { listener: number, error });
            for address in addresses {
                for socket in address.sockets() {
                    let key = next(&socket.to_string());
                    let bound = (!self.0.contains_key(&key)).then(|| Bound::tcp(socket)).transpose();
                    match bound {
                        Ok(bound) => prepared.push((key, name.to_owned(), bound)),
                        Err(error) => fault(error),
                    }
                }
                if !matches!(address, ListenAddress::Tcp { .. }) {
                    self.prepare_other(address, inherited, name, &mut prepared, &mut fault);
                }
            }
        }
        if faults.is_empty() { Ok(PreparedSockets(prepared)) } else { Err(faults) }
    }

    fn prepare_other(
        &self,
        address: &ListenAddress,
        inherited: &Inherited,
        name: &str,
        prepared: &mut Vec<(Key, String, Option<Bound>)>,
        fault: &mut impl FnMut(BindError),
    ) {
        let text = address.to_string();
        let known: Vec<Key> = self.0.keys().filter(|(known, _)| *known == text).cloned().collect();
        if !known.is_empty() {
            prepared.extend(known.into_iter().map(|key| (key, name.to_owned(), None)));
            return;
        }
        match Bound::other(address, inherited) {
            Ok(bound) => prepared.extend(
                bound
                    .into_iter()
                    .enumerate()
                    .map(|(number, bound)| ((text.clone(), number + 1), name.to_owned(), Some(bound))),
            ),
            Err(error) => fault(error),
        }
    }

    /// Accepts on the sockets that are prepared, and ends the others.
    pub(crate) fn commit<S: Serve>(
        &mut self,
        prepared: PreparedSockets,
        context: impl Fn(&str) -> Option<(S, Arc<Connections>)>,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for (key, listener, bound) in prepared.0 {
            let going_on = before.remove(&key);
            let mut listening = match (going_on, bound) {
                (Some(listening), _) if *listening.listener == *listener => {
                    self.0.insert(key, listening);
                    continue;
                }
                (Some(listening), _) => listening,
                (None, Some(bound)) => {
                    Listening { bound: Arc::new(bound), listener: listener.as_str().into(), task: None }
                }
                (None, None) => continue,
            };
            if let Some(task) = listening.task.take() {
                task.abort();
            }
            let Some((context, connections)) = context(&listener) else { continue };
            events::listening(&listener, &listening.bound.shown());
            listening.listener = listener.into();
            let accepting = accept(Arc::clone(&listening.bound), context, connections);
            listening.task = Some(tokio::spawn(accepting));
            self.0.insert(key, listening);
        }
        for listening in before.into_values() {
            events::not_listening(&listening.listener, &listening.bound.shown());
        }
    }

    /// Ends all sockets. They are closed once the tasks that are returned have ended.
    pub(crate) fn close(&mut self) -> Vec<JoinHandle<()>> {
        let mut listening: Vec<Listening> = self.0.drain().map(|(_, listening)| listening).collect();
        let tasks = listening.iter_mut().filter_map(|listening| listening.task.take());
        tasks.inspect(JoinHandle::abort).collect()
    }

    /// The addresses of a listener, as they are shown.
    pub(crate) fn shown(&self, listener: &str) -> Vec<String> {
        let of_listener = self.0.values().filter(|listening| *listening.listener == *listener);
        let mut shown: Vec<_> = of_listener.map(|listening| listening.bound.shown()).collect();
        shown.sort();
        shown
    }

    /// The addresses of TCP that a listener really listens on.
    pub(crate) fn addresses(&self, listener: &str) -> Vec<SocketAddr> {
        let of_listener = self.0.values().filter(|listening| *listening.listener == *listener);
        let mut addresses: Vec<_> =
            of_listener.filter_map(|listening| listening.bound.local_address()).collect();
        addresses.sort();
        addresses
    }
}

/// Accepts connections for ever.
async fn accept(bound: Arc<Bound>, context: impl Serve, connections: Arc<Connections>) {
    loop {
        let (io, peer) = match bound.accept().await {
            Ok(accepted) => accepted,
            // A connection that ended while it waited takes no time from the next one.
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) =>
            {
                continue;
            }
            Err(error) => {
                events::not_accepted(context.listener(), &error);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let max = context.max_connections();
        match connections.enter(max) {
            Ok(counted) => {
                tokio::spawn(context.clone().serve(io, peer, counted));
            }
            Err(limit) => context.limited(peer, limit, max),
        }
    }
}
