//! Connections to a server: TCP, TLS, and the greeting.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use super::error_line::ErrorLine;
use super::fault::Fault;
use super::frame::{Frame, Wanted};
use super::greeting::{Credentials, Info};
use super::reader::FrameReader;
use crate::store::remote::{Failed, Stream, Trouble, broken, over_tls, tcp};

/// How long a connection to one server may take to be made, with TLS and the greeting.
const CONNECT: Duration = Duration::from_secs(1);
/// The number of the only subscription of a connection.
pub(super) const SUBSCRIPTION: u64 = 1;

/// A server, by its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store::nats) struct Server {
    pub(in crate::store::nats) host: String,
    pub(in crate::store::nats) port: u16,
}

/// Connects to one of several servers.
#[derive(Debug)]
pub(in crate::store::nats) struct Connector {
    servers: Vec<Server>,
    credentials: Credentials,
    tls: Option<Arc<ClientConfig>>,
}

/// A connection on which the greeting is over, with one subscription.
pub(super) struct Session {
    pub(super) reader: FrameReader<ReadHalf<Box<dyn Stream>>>,
    pub(super) writer: WriteHalf<Box<dyn Stream>>,
    /// The largest message that the server takes, if it is known.
    pub(super) max_payload: Option<u64>,
}

impl Connector {
    /// Connections to these servers, over TLS if there is a configuration for it.
    pub(in crate::store::nats) const fn new(
        servers: Vec<Server>,
        credentials: Credentials,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        Self { servers, credentials, tls }
    }

    /// A connection with a subscription to this subject. The servers are tried one after the other, in any order, so that a
    /// server that is there is found in one attempt or another although others are not.
    pub(super) async fn connect(&self, subject: &str) -> Result<Session, Failed> {
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        fastrand::shuffle(&mut servers);
        let mut last = Failed { trouble: Trouble::Unreachable, detail: "no server is named".to_owned() };
        for server in servers {
            let failed = match timeout(CONNECT, self.connect_to(server, subject)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(failed)) => failed,
                Err(_) => {
                    Failed { trouble: Trouble::Slow, detail: format!("no connection within {CONNECT:?}") }
                }
            };
            // That a user is refused says more than that another server is not there.
            if last.trouble != Trouble::Denied {
                let detail = format!("{}:{}: {}", server.host, server.port, failed.detail);
                last = Failed { detail, ..failed };
            }
        }
        Err(last)
    }

    async fn connect_to(&self, server: &Server, subject: &str) -> Result<Session, Failed> {
        let (half, writer) = split(tcp(&server.host, server.port).await?);
        let mut reader = FrameReader::new(half);
        let info = info(&mut reader).await?;
        let mut session = match &self.tls {
            Some(tls) => {
                // The rest of this INFO is not looked at: anyone on the way may have written it.
                let stream = reader.into_half()?.unsplit(writer);
                let stream = over_tls(Arc::clone(tls), &server.host, stream).await?;
                let (half, writer) = split(stream);
                Session { reader: FrameReader::new(half), writer, max_payload: None }
            }
            None if info.tls_required => {
                let detail = "the server demands TLS: name it with tls:// in place of nats://".to_owned();
                return Err(Failed { trouble: Trouble::NeedsTls, detail });
            }
            None => Session { reader, writer, max_payload: info.max_payload },
        };
        self.greet(&mut session, subject).await.map(|()| session)
    }

    /// Says who connects, subscribes, and waits until the server has agreed.
    async fn greet(&self, session: &mut Session, subject: &str) -> Result<(), Failed> {
        let connect = self.credentials.connect_line(self.tls.is_some());
        write(session, format!("{connect}SUB {subject} {SUBSCRIPTION}\r\nPING\r\n").as_bytes()).await?;
        loop {
            match session.reader.next(|_| Ok(Wanted::Subject)).await? {
                Frame::Pong => return Ok(()),
                Frame::Ping => write(session, b"PONG\r\n").await?,
                Frame::Info(json) => {
                    session.max_payload = Info::parse(&json)?.max_payload.or(session.max_payload);
                }
                // A message for others may come at any time.
                Frame::Acknowledged | Frame::Message(_) => {}
                Frame::Error(text) if self.credentials.are_in(&text) => {
                    return Err(self.denied("the server refuses, with a text that has the password in it"));
                }
                Frame::Error(text) => {
                    return Err(match ErrorLine::of(&text) {
                        ErrorLine::End(Failed { trouble: Trouble::Denied, detail }) => self.denied(&detail),
                        ErrorLine::End(failed) => failed,
                        ErrorLine::Rights | ErrorLine::Subject => {
                            Failed { trouble: Trouble::Denied, detail: format!("the server says: {text}") }
                        }
                    });
                }
            }
        }
    }

    fn denied(&self, detail: &str) -> Failed {
        let hint = if self.credentials.is_empty() {
            ": no user and no token are configured, and nkeys and JWT are not supported"
        } else {
            ""
        };
        Failed { trouble: Trouble::Denied, detail: format!("{detail}{hint}") }
    }
}

/// What the server says about itself, before all else.
async fn info<R: AsyncRead + Unpin>(reader: &mut FrameReader<R>) -> Result<Info, Failed> {
    match reader.next(|_| Err(Fault::Subscription)).await? {
        Frame::Info(json) => Ok(Info::parse(&json)?),
        Frame::Error(text) => Err(match ErrorLine::of(&text) {
            ErrorLine::End(failed) => failed,
            ErrorLine::Rights | ErrorLine::Subject => Fault::Info.into(),
        }),
        _ => Err(Fault::Info.into()),
    }
}

async fn write(session: &mut Session, bytes: &[u8]) -> Result<(), Failed> {
    session.writer.write_all(bytes).await.map_err(|error| broken(&error))?;
    session.writer.flush().await.map_err(|error| broken(&error))
}
