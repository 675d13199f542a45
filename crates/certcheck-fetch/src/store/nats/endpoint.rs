//! Connections to a server of NATS.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::bucket::Bucket;
use super::options::Place;
use crate::store::remote::{Dial, Failed, Trouble};
use crate::transport::install_provider;

/// How long a connection may take to be made, and how long the server may take to describe the bucket.
const CONNECT: Duration = Duration::from_secs(1);
/// Messages that wait to be looked at. Each has a megabyte at most, if the server keeps to its own limit.
const WAITING: usize = 64;

/// Where connections go.
pub(super) struct Endpoint {
    place: Place,
    password: Option<String>,
    bucket: Arc<Bucket>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A connection that many use at once. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) bucket: Arc<Bucket>,
    is_denied: Arc<AtomicBool>,
}

impl Endpoint {
    pub(super) fn new(place: Place, password: Option<String>, bucket: Arc<Bucket>) -> Self {
        if place.uses_tls {
            // The client takes the provider of the process, and panics if there is none.
            install_provider();
        }
        Self { place, password, bucket }
    }

    /// A connection, and what becomes true when it is lost.
    async fn connect(&self) -> Result<(Connection, watch::Receiver<bool>), Failed> {
        let is_denied = Arc::new(AtomicBool::new(false));
        let (lost, is_lost) = watch::channel(false);
        let (denied, lost) = (Arc::clone(&is_denied), Arc::new(lost));
        let mut options = ConnectOptions::new()
            .name("certcheck")
            .connection_timeout(CONNECT)
            .request_timeout(None)
            .subscription_capacity(WAITING)
            // The servers that are named, and no others.
            .ignore_discovered_servers()
            // A connection that is lost is replaced by one of which the rest of the store knows.
            .max_reconnects(1)
            .event_callback(move |event| {
                match event {
                    Event::ServerError(ServerError::Other(error)) if is_about_rights(&error) => {
                        denied.store(true, Ordering::Relaxed);
                    }
                    Event::Disconnected | Event::Closed => {
                        lost.send_replace(true);
                    }
                    _ => {}
                }
                std::future::ready(())
            });
        options = match (&self.place.user, &self.password) {
            (Some(user), password) => {
                options.user_and_password(user.clone(), password.clone().unwrap_or_default())
            }
            (None, Some(token)) => options.token(token.clone()),
            (None, None) => options,
        };
        let client = options.connect(&self.place.servers[..]).await.map_err(failed)?;
        Ok((Connection { client, bucket: Arc::clone(&self.bucket), is_denied }, is_lost))
    }

    /// The names of heads that others write, by a connection of its own, and as long as that lasts.
    pub(super) async fn listen(&self) -> Result<BoxStream<'static, String>, Failed> {
        let (connection, mut is_lost) = self.connect().await?;
        let Connection { client, bucket, .. } = connection;
        let other = |error: &dyn fmt::Display| Failed { trouble: Trouble::Other, detail: error.to_string() };
        let messages = client.subscribe(bucket.heads()).await.map_err(|error| other(&error))?;
        client.flush().await.map_err(|error| other(&error))?;
        let lost = async move {
            let _lost = is_lost.wait_for(|is_lost| *is_lost).await;
            // The connection lasts as long as its messages are waited for.
            drop(client);
        };
        let names = messages.filter_map(move |message| {
            std::future::ready(bucket.entry_of(&message.subject).map(str::to_owned))
        });
        Ok(names.take_until(lost).boxed())
    }
}

impl Dial for Endpoint {
    type Connection = Connection;

    async fn dial(&self) -> Result<Connection, Failed> {
        let (connection, _) = self.connect().await?;
        match timeout(CONNECT, self.bucket.open(&connection.client)).await {
            Ok(opened) => opened.map(|()| connection),
            Err(_) => Err(Failed {
                trouble: Self::no_answer(&connection),
                detail: format!("no answer about the bucket within {CONNECT:?}"),
            }),
        }
    }

    fn no_answer(connection: &Connection) -> Trouble {
        if connection.is_denied.load(Ordering::Relaxed) {
            // To what a user may not do, a server gives no answer.
            Trouble::Denied
        } else if connection.client.connection_state() == State::Connected {
            Trouble::Slow
        } else {
            Trouble::Unreachable
        }
    }
}

fn is_about_rights(error: &str) -> bool {
    error.to_ascii_lowercase().contains("permissions violation")
}

fn failed(error: ConnectError) -> Failed {
    let detail = error.to_string();
    let trouble = match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => Trouble::Denied,
        ConnectErrorKind::TimedOut => Trouble::Slow,
        _ if detail.to_ascii_lowercase().contains("authorization") => Trouble::Denied,
        _ => Trouble::Unreachable,
    };
    Failed { trouble, detail }
}
