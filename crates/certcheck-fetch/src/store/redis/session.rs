//! Commands and their replies, one after the other, without the client of Redis.

use std::sync::Arc;

use redis::{ConnectionInfo, parse_redis_value};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::connect::connect;
use super::reply::{Reply, ReplyLimits, ReplyParser};
use crate::store::remote::{Failed, Stream, Trouble, broken, in_time};

/// What is read at once.
const BUFFER: usize = 8 << 10;

/// A connection for a few commands.
pub(super) struct Session {
    stream: Box<dyn Stream>,
    parser: ReplyParser,
    buffer: Vec<u8>,
    /// Which bytes of the buffer have not been parsed.
    from: usize,
    to: usize,
}

impl Session {
    /// Connects, as the user that is configured if there is a password. The caller limits the time.
    pub(super) async fn connect(
        info: &ConnectionInfo,
        tls: Option<&Arc<ClientConfig>>,
        limits: ReplyLimits,
    ) -> Result<Self, Failed> {
        let stream = connect(info, tls).await?;
        let parser = ReplyParser::new(limits);
        let mut session = Self { stream, parser, buffer: vec![0; BUFFER], from: 0, to: 0 };
        let settings = info.redis_settings();
        if let Some(password) = settings.password() {
            let user = settings.username().into_iter();
            let words: Vec<&str> = ["AUTH"].into_iter().chain(user).chain([password]).collect();
            // The text of a refusal may repeat the words.
            let hidden = |failed: Failed| match failed.trouble {
                Trouble::Unreachable | Trouble::Slow => failed,
                trouble => {
                    Failed { trouble, detail: "the engine refuses the user or the password".to_owned() }
                }
            };
            session.ask(&words).await.map_err(hidden)?;
        }
        Ok(session)
    }

    /// The reply to a command, unless it is an error. The caller limits the time.
    pub(super) async fn ask(&mut self, words: &[&str]) -> Result<Reply, Failed> {
        self.write(words).await?;
        self.reply().await
    }

    /// Writes a command.
    pub(super) async fn write(&mut self, words: &[&str]) -> Result<(), Failed> {
        let texts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let command = format!("*{}\r\n{texts}", words.len());
        let written = async {
            self.stream.write_all(command.as_bytes()).await?;
            self.stream.flush().await
        };
        in_time(written).await
    }

    /// The next reply, unless it is an error. If this is dropped before it ends, nothing is lost.
    pub(super) async fn reply(&mut self) -> Result<Reply, Failed> {
        loop {
            let mut bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
            let reply = self.parser.take(&mut bytes);
            self.from = self.to.saturating_sub(bytes.len());
            let reply =
                reply.map_err(|fault| Failed { trouble: Trouble::Other, detail: fault.to_string() })?;
            if let Some(reply) = reply {
                return agreed(reply);
            }
            let read = self.stream.read(&mut self.buffer).await.map_err(|error| broken(&error))?;
            if read == 0 {
                let detail = "the engine closed the connection".to_owned();
                return Err(Failed { trouble: Trouble::Unreachable, detail });
            }
            (self.from, self.to) = (0, read);
        }
    }
}

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

#[cfg(test)]
mod tests {
    use redis::{IntoConnectionInfo as _, RedisConnectionInfo};
    use tokio::net::TcpListener;

    use super::*;

    /// An engine whose AUTH is renamed repeats what it does not know.
    #[tokio::test]
    async fn a_refusal_shows_no_password() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let engine = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut command = [0; 256];
            let _read = stream.read(&mut command).await.expect("a command");
            let reply = "-ERR unknown command 'AUTH', with args beginning with: 'u' 'hunter2'\r\n";
            stream.write_all(reply.as_bytes()).await.expect("written");
        };
        let settings = RedisConnectionInfo::default().set_username("u").set_password("hunter2");
        let info = format!("redis://127.0.0.1:{port}").into_connection_info().expect("an address");
        let info = info.set_redis_settings(settings);
        let limits = ReplyLimits { text: 1_000, whole: 1_000, kept: 200 };
        let (session, ()) = tokio::join!(Session::connect(&info, None, limits), engine);
        let failed = session.err().expect("a refusal");
        assert!(!failed.detail.contains("hunter2"), "{failed:?}");
        assert_eq!(failed.detail, "the engine refuses the user or the password");
    }
}
