//! Messages of a channel, as they come.
//!
//! The client of Redis is not used for this: it keeps all messages that nobody has looked at yet.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use redis::ConnectionInfo;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::reply::ReplyLimits;
use super::session::Session;
use crate::store::remote::{Failed, Trouble};

/// The limits of what others publish are those of the engine, 512 MiB if nobody has changed that. It is not kept, but for the
/// name of an entry and what shows that it is none.
const LIMITS: ReplyLimits = ReplyLimits { text: 1 << 30, whole: 2 << 30, kept: 512 };
/// After this time without a word of the engine it gets a PING, and after this time again the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// The messages of a channel, cut after some hundred bytes. While nobody asks for the next one nothing is read, so the engine
/// waits and nothing is kept. An error is the last. The caller limits the time until it listens.
pub(super) async fn listen(
    info: &ConnectionInfo,
    tls: Option<&Arc<ClientConfig>>,
    channel: &str,
) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
    let mut session = Session::connect(info, tls, LIMITS).await?;
    session.ask(&["SUBSCRIBE", channel]).await?;
    let listener = Listener { session, is_asked: false };
    let messages = stream::unfold(Some(listener), async |listener| {
        let mut listener = listener?;
        match listener.message().await {
            Ok(message) => Some((Ok(message), Some(listener))),
            Err(failed) => Some((Err(failed), None)),
        }
    });
    Ok(messages.boxed())
}

struct Listener {
    session: Session,
    /// Whether the engine has been asked if it is still there.
    is_asked: bool,
}

impl Listener {
    /// The next message. Other replies are skipped, and what is no text.
    async fn message(&mut self) -> Result<String, Failed> {
        loop {
            let Ok(reply) = timeout(SILENCE, self.session.reply()).await else {
                if std::mem::replace(&mut self.is_asked, true) {
                    let detail = format!("the engine said nothing for {SILENCE:?}");
                    return Err(Failed { trouble: Trouble::Slow, detail });
                }
                self.session.write(&["PING"]).await?;
                continue;
            };
            let reply = reply?;
            self.is_asked = false;
            if let [kind, _, content] = &reply.words[..]
                && kind == b"message"
                && let Ok(message) = std::str::from_utf8(content)
            {
                return Ok(message.to_owned());
            }
        }
    }
}
