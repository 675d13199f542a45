//! The subjects of messages, as they come.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};

use super::connect::{Connector, SUBSCRIPTION, Session};
use super::error_line::ErrorLine;
use super::fault::Fault;
use super::frame::{Frame, Wanted};
use crate::store::remote::{Failed, Trouble, in_time};

/// Of several PINGs in this time, one is answered.
const BETWEEN_PONGS: Duration = Duration::from_millis(100);
/// After this time without a word of the server it gets a PING, and after this time again the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// The subjects of messages that match this one, by a connection of its own. What they contain is dropped as it arrives. While
/// nobody asks for the next subject nothing is read, so the server waits and nothing is lost or kept. An error is the
/// last.
pub(in crate::store::nats) async fn listen(
    connector: &Connector,
    subject: &str,
) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
    let session = connector.connect(subject).await?;
    let subjects = Subjects { session, answered: None, is_asked: false };
    let subjects = stream::unfold(Some(subjects), async |subjects| {
        let mut subjects = subjects?;
        match subjects.next().await {
            Ok(subject) => Some((Ok(subject), Some(subjects))),
            Err(failed) => Some((Err(failed), None)),
        }
    });
    Ok(subjects.boxed())
}

struct Subjects {
    session: Session,
    /// When a PING was answered last.
    answered: Option<Instant>,
    /// Whether the server has been asked if it is still there.
    is_asked: bool,
}

impl Subjects {
    async fn next(&mut self) -> Result<String, Failed> {
        loop {
            let frame = self.session.reader.next(|start| match start.subscription {
                SUBSCRIPTION => Ok(Wanted::Subject),
                _ => Err(Fault::Subscription),
            });
            let Ok(frame) = timeout(SILENCE, frame).await else {
                if std::mem::replace(&mut self.is_asked, true) {
                    let detail = format!("the server said nothing for {SILENCE:?}");
                    return Err(Failed { trouble: Trouble::Slow, detail });
                }
                self.write(b"PING\r\n").await?;
                continue;
            };
            let frame = frame?;
            self.is_asked = false;
            match frame {
                // Subjects of ours are text.
                Frame::Message(message) => {
                    if let Ok(subject) = String::from_utf8(message.subject) {
                        return Ok(subject);
                    }
                }
                Frame::Ping if self.answered.is_some_and(|last| last.elapsed() < BETWEEN_PONGS) => {}
                Frame::Ping => {
                    self.answered = Some(Instant::now());
                    self.write(b"PONG\r\n").await?;
                }
                Frame::Error(text) => match ErrorLine::of(&text) {
                    ErrorLine::Rights => {
                        let detail = format!("the server says: {text}");
                        return Err(Failed { trouble: Trouble::Denied, detail });
                    }
                    ErrorLine::Subject => {}
                    ErrorLine::End(failed) => return Err(failed),
                },
                Frame::Info(_) | Frame::Pong | Frame::Acknowledged => {}
            }
        }
    }

    async fn write(&mut self, line: &[u8]) -> Result<(), Failed> {
        let written = async {
            self.session.writer.write_all(line).await?;
            self.session.writer.flush().await
        };
        in_time(written).await
    }
}
