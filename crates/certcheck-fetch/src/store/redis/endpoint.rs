//! Connections to an engine, a cluster, or the primary that sentinels name.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, ConnectionInfo, Pipeline, RedisFuture, Value};
use rustls::ClientConfig;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::connect::connect;
use super::guarded::Guarded;
use super::listen::listen;
use super::options::Place;
use super::sentinels::Sentinels;
use crate::store::remote::{Dial, Failed, RemoteError, Trouble};
use crate::transport::{install_provider, tls};

/// How long a connection may take to be made. It is made in the background.
const CONNECT: Duration = Duration::from_secs(1);

/// Where connections go.
pub(super) struct Endpoint {
    engines: Engines,
    tls: Option<Arc<ClientConfig>>,
}

enum Engines {
    One(Box<ConnectionInfo>),
    /// The nodes that are named are asked for news, one after the other, in any order.
    Cluster(Box<ClusterClient>, Vec<ConnectionInfo>),
    Sentinel(Box<Sentinels>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.engines {
            Engines::One(_) => "one engine",
            Engines::Cluster(..) => "a cluster",
            Engines::Sentinel(_) => "the primary of sentinels",
        })
    }
}

impl Endpoint {
    pub(super) fn new(place: Place) -> Result<Self, RemoteError> {
        let fault = |why: &dyn fmt::Display| RemoteError(format!("the shared store: {why}"));
        let tls = if place.uses_tls() {
            // The client of clusters takes the provider of the process, and panics if there is none.
            install_provider();
            Some(Arc::new(tls(true).map_err(|why| fault(&why))?))
        } else {
            None
        };
        let engines = match place {
            Place::One(info) => Engines::One(Box::new(info)),
            Place::Cluster(nodes) => {
                let cluster = ClusterClientBuilder::new(nodes.clone()).connection_timeout(CONNECT).retries(1);
                Engines::Cluster(Box::new(cluster.build().map_err(|error| fault(&error))?), nodes)
            }
            Place::Sentinel { sentinels, name, settings, .. } => {
                Engines::Sentinel(Box::new(Sentinels { addresses: sentinels, name, settings }))
            }
        };
        Ok(Self { engines, tls })
    }

    pub(super) const fn is_cluster(&self) -> bool {
        matches!(self.engines, Engines::Cluster(..))
    }

    async fn connect(&self) -> Result<Connection, Failed> {
        match &self.engines {
            Engines::One(info) => self.connect_to(info).await,
            Engines::Cluster(cluster, _) => Ok(Connection::Cluster(cluster.get_async_connection().await?)),
            Engines::Sentinel(sentinels) => {
                self.connect_to(&sentinels.primary(self.tls.as_ref()).await?).await
            }
        }
    }

    async fn connect_to(&self, info: &ConnectionInfo) -> Result<Connection, Failed> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let connected = async {
            let stream = Guarded::new(connect(info, self.tls.as_ref()).await?);
            let (client, work) =
                MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
            let work = Arc::new(Work(tokio::spawn(work).abort_handle()));
            Ok(Connection::One { client, _work: work })
        };
        within(connected).await
    }

    /// The messages of a channel. In a cluster every node has all of them. An error is the last.
    pub(super) async fn listen(
        &self,
        channel: &str,
    ) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
        match &self.engines {
            Engines::One(info) => self.listen_to(info, channel).await,
            Engines::Sentinel(sentinels) => {
                self.listen_to(&sentinels.primary(self.tls.as_ref()).await?, channel).await
            }
            Engines::Cluster(_, nodes) => {
                let detail = "no node is named".to_owned();
                let mut found = Err(Failed { trouble: Trouble::Unreachable, detail });
                let mut nodes: Vec<&ConnectionInfo> = nodes.iter().collect();
                fastrand::shuffle(&mut nodes);
                for node in nodes {
                    found = self.listen_to(node, channel).await;
                    if found.is_ok() {
                        break;
                    }
                }
                found
            }
        }
    }

    async fn listen_to(
        &self,
        info: &ConnectionInfo,
        channel: &str,
    ) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
        within(listen(info, self.tls.as_ref(), channel)).await
    }
}

/// A connection that is made in time.
async fn within<T>(connected: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let slow = || Failed { trouble: Trouble::Slow, detail: format!("no connection within {CONNECT:?}") };
    timeout(CONNECT, connected).await.unwrap_or_else(|_| Err(slow()))
}

impl Dial for Endpoint {
    type Connection = Connection;

    async fn dial(&self) -> Result<Connection, Failed> {
        let mut connection = self.connect().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(connection)
    }
}

/// A connection that many use at once. It ends when the last clone is dropped.
#[derive(Clone)]
pub(super) enum Connection {
    One { client: MultiplexedConnection, _work: Arc<Work> },
    Cluster(ClusterConnection),
}

/// The task that reads and writes for a connection. It ends with it, so that what an engine still sends is not read.
pub(super) struct Work(AbortHandle);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One { client, .. } => client.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One { client, .. } => client.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One { client, .. } => client.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
