//! Connections to a server of NATS, and to a bucket on it.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::time::timeout;

use super::bucket::Bucket;
use super::options::Place;
use super::wire::{Client, Connector, Credentials, listen};
use crate::store::remote::{Dial, Failed, RemoteError, Trouble};
use crate::transport;

/// How long the server may take to describe the bucket.
const DESCRIBE: Duration = Duration::from_secs(1);

/// Where connections go.
pub(super) struct Endpoint {
    connector: Connector,
    bucket: Arc<Bucket>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// A connection that many use at once. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) bucket: Arc<Bucket>,
}

impl Endpoint {
    pub(super) fn new(
        place: Place,
        password: Option<String>,
        bucket: Arc<Bucket>,
    ) -> Result<Self, RemoteError> {
        let Place { servers, user, uses_tls, .. } = place;
        let tls = if uses_tls {
            let tls = transport::tls(true).map_err(|why| RemoteError(format!("the shared store: {why}")))?;
            Some(Arc::new(tls))
        } else {
            None
        };
        let connector = Connector::new(servers, Credentials { user, password }, tls);
        Ok(Self { connector, bucket })
    }

    /// The names of heads that others write, by a connection of its own, and as long as that lasts. An error is the last.
    pub(super) async fn listen(&self) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
        let subjects = listen(&self.connector, &self.bucket.heads()).await?;
        let bucket = Arc::clone(&self.bucket);
        let names = subjects.filter_map(move |subject| {
            let name = match subject {
                Ok(subject) => bucket.entry_of(&subject).map(|name| Ok(name.to_owned())),
                Err(failed) => Some(Err(failed)),
            };
            std::future::ready(name)
        });
        Ok(names.boxed())
    }
}

impl Dial for Endpoint {
    type Connection = Connection;

    async fn dial(&self) -> Result<Connection, Failed> {
        let client = Client::connect(&self.connector).await?;
        let connection = Connection { client, bucket: Arc::clone(&self.bucket) };
        match timeout(DESCRIBE, self.bucket.open(&connection.client)).await {
            Ok(opened) => opened.map(|()| connection),
            Err(_) => Err(Failed {
                trouble: Self::no_answer(&connection),
                detail: format!("no answer about the bucket within {DESCRIBE:?}"),
            }),
        }
    }

    fn no_answer(connection: &Connection) -> Trouble {
        if connection.client.is_denied() {
            // To what a user may not do, a server gives no answer.
            return Trouble::Denied;
        }
        connection.client.end().unwrap_or(Trouble::Slow)
    }

    fn has_ended(connection: &Connection) -> bool {
        connection.client.end().is_some()
    }
}
