//! Connections to an engine, a cluster, or the primary that sentinels name.

use core::fmt;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisFuture, RedisResult, TlsMode, Value};
use tokio::sync::Mutex;

use super::options::Place;
use crate::store::remote::{Dial, Failed, RemoteError};
use crate::transport::install_provider;

/// How long a connection may take to be made. It is made in the background.
const CONNECT: Duration = Duration::from_secs(1);

/// Where connections go.
pub(super) enum Endpoint {
    One(Box<Client>),
    /// The nodes that are named are asked for news, one after the other.
    Cluster(Box<ClusterClient>, Vec<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "one engine",
            Self::Cluster(..) => "a cluster",
            Self::Sentinel(_) => "the primary of sentinels",
        })
    }
}

impl Endpoint {
    pub(super) fn new(place: Place) -> Result<Self, RemoteError> {
        if place.uses_tls() {
            // The client takes the provider of the process, and panics if there is none.
            install_provider();
        }
        let fault = |error: redis::RedisError| RemoteError(format!("the shared store: {error}"));
        Ok(match place {
            Place::One(info) => Self::One(Box::new(Client::open(info).map_err(fault)?)),
            Place::Cluster(nodes) => {
                let clients: RedisResult<Vec<_>> = nodes.iter().cloned().map(Client::open).collect();
                let cluster = ClusterClientBuilder::new(nodes).connection_timeout(CONNECT).retries(1).build();
                Self::Cluster(Box::new(cluster.map_err(fault)?), clients.map_err(fault)?)
            }
            Place::Sentinel { sentinels, name, settings, uses_tls } => {
                let mut builder = SentinelClientBuilder::new(sentinels, name, SentinelServerType::Master)
                    .map_err(fault)?
                    .set_client_to_redis_db(settings.db());
                if let Some(user) = settings.username() {
                    builder = builder.set_client_to_redis_username(user);
                }
                if let Some(password) = settings.password() {
                    builder = builder.set_client_to_redis_password(password);
                }
                if uses_tls {
                    builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
                }
                Self::Sentinel(Box::new(Mutex::new(builder.build().map_err(fault)?)))
            }
        })
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
        let client = match self {
            Self::One(client) => Client::clone(client),
            Self::Cluster(cluster, _) => {
                return Ok(Connection::Cluster(cluster.get_async_connection().await?));
            }
            Self::Sentinel(client) => client.lock().await.async_get_client().await?,
        };
        Ok(Connection::One(client.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// A connection for news. In a cluster every node has all of them.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let mut listener = match self {
            Self::One(client) => client.get_async_pubsub().await?,
            Self::Sentinel(client) => {
                client.lock().await.async_get_client().await?.get_async_pubsub().await?
            }
            Self::Cluster(_, nodes) => {
                let mut found = Err((redis::ErrorKind::ClusterConnectionNotFound, "no node is named").into());
                for node in nodes {
                    found = node.get_async_pubsub().await;
                    if found.is_ok() {
                        break;
                    }
                }
                found?
            }
        };
        listener.subscribe(channel).await?;
        Ok(listener)
    }
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
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
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
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
