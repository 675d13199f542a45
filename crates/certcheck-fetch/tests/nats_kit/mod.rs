//! A server of NATS that is honest up to a point, and then sends something else.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::spawn;

/// What is sent without end has so many bytes.
const ENDLESS: usize = 300 << 20;
const INFO: &str = "INFO {\"max_payload\":1048576}\r\n";
const BUCKET: &str = "{\"config\":{\"allow_direct\":true,\"max_msgs_per_subject\":1},\"state\":{}}";

/// In place of what it sends something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    Info,
    /// The answer to the first request.
    Greeted,
    /// The answer to a read, if the server is armed.
    Read,
    /// The messages of a subscription.
    News,
}

/// What is sent. `{reply}` is the subject of the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sends {
    Text(&'static str),
    /// A text, and the end of the connection.
    End(&'static str),
    /// A text, and another one over and over.
    Endless(&'static str, &'static str),
}

/// A server, until the test ends.
pub(crate) struct Hostile {
    port: u16,
    is_armed: Arc<AtomicBool>,
}

impl Hostile {
    pub(crate) fn start(when: When, sends: Sends) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let is_armed = Arc::new(AtomicBool::new(when != When::Read));
        let server = Arc::clone(&is_armed);
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let is_armed = Arc::clone(&server);
                // An error says that the client has gone.
                spawn(move || drop(serve(stream, when, sends, &is_armed)));
            }
        });
        Self { port, is_armed }
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn arm(&self) {
        self.is_armed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn disarm(&self) {
        self.is_armed.store(false, Ordering::Relaxed);
    }
}

fn serve(stream: TcpStream, when: When, sends: Sends, is_armed: &AtomicBool) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    if when == When::Info {
        return send(&mut writer, sends, "");
    }
    writer.write_all(INFO.as_bytes())?;
    let mut is_listener = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["SUB", subject, _] => is_listener = subject.starts_with("$KV"),
            ["PING"] => {
                writer.write_all(b"PONG\r\n")?;
                if when == When::Greeted || (when == When::News && is_listener) {
                    return send(&mut writer, sends, "");
                }
            }
            ["PUB" | "HPUB", subject, reply, .., size] => {
                let mut payload = vec![0; size.parse::<usize>().expect("a size") + 2];
                reader.read_exact(&mut payload)?;
                let is_read = subject.starts_with("$JS.API.DIRECT.GET") && !subject.contains("none");
                if is_read && when == When::Read && is_armed.load(Ordering::Relaxed) {
                    return send(&mut writer, sends, reply);
                }
                if subject.starts_with("$JS.API.STREAM") {
                    write!(writer, "MSG {reply} 1 {}\r\n{BUCKET}\r\n", BUCKET.len())?;
                } else {
                    let headers = "NATS/1.0 404 No\r\n\r\n";
                    write!(writer, "HMSG {reply} 1 {0} {0}\r\n{headers}\r\n", headers.len())?;
                }
            }
            _ => {}
        }
    }
}

fn send(stream: &mut TcpStream, sends: Sends, reply: &str) -> std::io::Result<()> {
    let mut text = |text: &str| stream.write_all(text.replace("{reply}", reply).as_bytes());
    match sends {
        Sends::End(first) => return text(first),
        Sends::Text(first) => text(first)?,
        Sends::Endless(first, again) => {
            text(first)?;
            let block = again.repeat((64 << 10) / again.len() + 1);
            for _ in 0..ENDLESS / block.len() {
                stream.write_all(block.as_bytes())?;
            }
        }
    }
    // The connection stays until the client ends it.
    std::io::copy(stream, &mut std::io::sink()).map(drop)
}
