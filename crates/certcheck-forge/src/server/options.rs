//! How a server is run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request::Request;

/// Is shown each request, with the name of its path's fault.
type Observer = Arc<dyn Fn(&Request, Option<&str>) + Send + Sync>;

/// How a server is run. Without bounds by default, as suits a test; one that runs for long has some.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The port; 0 lets the system pick one.
    pub port: u16,
    /// How many requests are kept for [`Server::requests`](super::Server::requests).
    pub max_requests: usize,
    /// Connections at once; more are closed unread.
    pub max_connections: usize,
    /// How long a connection may go without a whole request before it is closed.
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
    /// Shows each request, once it is read, with the name of its path's fault, if that is broken.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&Request, Option<&str>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}
