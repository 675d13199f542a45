//! Options of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request::Request;

/// A function that is called with each request and the name of its path's fault.
type Observer = Arc<dyn Fn(&Request, Option<&str>) + Send + Sync>;

/// Options of a server. By default there are no limits, as suits a test. A server that runs for long should have some.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The port. With 0, the system picks one.
    pub port: u16,
    /// The number of requests that are kept for [`Server::requests`](super::Server::requests).
    pub max_requests: usize,
    /// The most connections at a time. Further ones are closed at once.
    pub max_connections: usize,
    /// How long a connection may be without a complete request before it is closed.
    pub idle: Duration,
    pub(super) observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            max_requests: usize::MAX,
            max_connections: usize::MAX,
            idle: Duration::MAX,
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("max_requests", &self.max_requests)
            .field("max_connections", &self.max_connections)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Calls a function with each request, once it is parsed, and with the name of its path's fault, if there is one.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&Request, Option<&str>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}
