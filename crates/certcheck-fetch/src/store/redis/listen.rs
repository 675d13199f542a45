//! Messages of a channel, as they come.
//!
//! The client of Redis is not used for this: it keeps all messages that nobody has looked at yet.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use redis::{ConnectionInfo, parse_redis_value};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::connect::connect;
use super::reply::{Reply, ReplyLimits, ReplyParser};
use crate::store::remote::{Failed, Stream, Trouble, broken};

/// What is read at once.
const BUFFER: usize = 8 << 10;
/// The limits of what others publish are those of the engine, 512 MiB if nobody has changed that. It is not kept, but for the
/// name of an entry and what shows that it is none.
const LIMITS: ReplyLimits = ReplyLimits { text: 1 << 30, whole: 2 << 30, kept: 512 };
/// How long a command may take to be written.
const WRITE: Duration = Duration::from_secs(5);
/// After this time without a word of the engine it gets a PING, and after this time again the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// The messages of a channel, cut after some hundred bytes. While nobody asks for the next one nothing is read, so the engine
/// waits and nothing is kept. An error is the last. The caller limits the time until it listens.
pub(super) async fn listen(
    info: &ConnectionInfo,
    tls: Option<&Arc<ClientConfig>>,
    channel: &str,
) -> Result<BoxStream<'static, Result<String, Failed>>, Failed> {
    let stream = connect(info, tls).await?;
    let parser = ReplyParser::new(LIMITS);
    let mut listener = Listener { stream, parser, buffer: vec![0; BUFFER], from: 0, to: 0, is_asked: false };
    let settings = info.redis_settings();
    if let Some(password) = settings.password() {
        let user = settings.username().into_iter();
        let words: Vec<&str> = ["AUTH"].into_iter().chain(user).chain([password]).collect();
        listener.write(&words).await?;
        listener.agreed().await?;
    }
    listener.write(&["SUBSCRIBE", channel]).await?;
    listener.agreed().await?;
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
    stream: Box<dyn Stream>,
    parser: ReplyParser,
    buffer: Vec<u8>,
    /// Which bytes of the buffer have not been parsed.
    from: usize,
    to: usize,
    /// Whether the engine has been asked if it is still there.
    is_asked: bool,
}

impl Listener {
    /// The next message. Others are skipped, and what is no text.
    async fn message(&mut self) -> Result<String, Failed> {
        loop {
            let Ok(reply) = timeout(SILENCE, self.reply()).await else {
                if std::mem::replace(&mut self.is_asked, true) {
                    let detail = format!("the engine said nothing for {SILENCE:?}");
                    return Err(Failed { trouble: Trouble::Slow, detail });
                }
                self.write(&["PING"]).await?;
                continue;
            };
            let reply = agreed(reply?)?;
            self.is_asked = false;
            if let [kind, _, content] = &reply.words[..]
                && kind == b"message"
                && let Ok(message) = std::str::from_utf8(content)
            {
                return Ok(message.to_owned());
            }
        }
    }

    async fn agreed(&mut self) -> Result<(), Failed> {
        agreed(self.reply().await?).map(drop)
    }

    /// The next reply. If this is dropped before it ends, nothing is lost.
    async fn reply(&mut self) -> Result<Reply, Failed> {
        loop {
            let mut bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
            let reply = self.parser.take(&mut bytes);
            self.from = self.to.saturating_sub(bytes.len());
            let reply =
                reply.map_err(|fault| Failed { trouble: Trouble::Other, detail: fault.to_string() })?;
            if let Some(reply) = reply {
                return Ok(reply);
            }
            let read = self.stream.read(&mut self.buffer).await.map_err(|error| broken(&error))?;
            if read == 0 {
                let detail = "the engine closed the connection".to_owned();
                return Err(Failed { trouble: Trouble::Unreachable, detail });
            }
            (self.from, self.to) = (0, read);
        }
    }

    async fn write(&mut self, words: &[&str]) -> Result<(), Failed> {
        let texts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let command = format!("*{}\r\n{texts}", words.len());
        let written = async {
            self.stream.write_all(command.as_bytes()).await?;
            self.stream.flush().await
        };
        match timeout(WRITE, written).await {
            Ok(written) => written.map_err(|error| broken(&error)),
            Err(_) => {
                let detail = format!("the engine read nothing for {WRITE:?}");
                Err(Failed { trouble: Trouble::Slow, detail })
            }
        }
    }
}

/// The reply, unless it is an error.
fn agreed(reply: Reply) -> Result<Reply, Failed> {
    if !reply.is_error {
        return Ok(reply);
    }
    let text = reply.words.first().map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    let error = parse_redis_value(format!("-{}\r\n", text.replace(['\r', '\n'], " ")).as_bytes());
    match error.and_then(redis::Value::extract_error) {
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failed { trouble: Trouble::Other, detail: text.into_owned() }),
    }
}
