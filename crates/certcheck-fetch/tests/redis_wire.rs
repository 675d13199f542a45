//! An engine of Redis that sends what it likes, or someone on the way to it: the store counts as empty, and memory stays
//! within bounds.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::spawn;
use std::time::Duration;

use certcheck_fetch::store::{RedisStore, Store, StoreError};
use futures_util::StreamExt as _;

use redis_kit::options;
use shared_kit::{key, runtime, took, until_usable};

/// How long an operation waits. This machine is busy.
const PATIENCE: Duration = Duration::from_secs(1);
/// What may be added to that.
const BUSY: Duration = Duration::from_secs(1);
/// What the store may take of memory while engines send hundreds of megabytes.
const MEMORY: u64 = 48 << 20;
/// What is sent without end has so many bytes.
const ENDLESS: usize = 300 << 20;

/// In place of what an engine sends something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    Ping,
    /// The answer to a read, if the engine is armed.
    Read,
    /// The messages of the channel.
    News,
    /// The name of the primary.
    Sentinel,
}

/// What is sent: a text, and another one over and over.
type Sends = (&'static str, &'static str);

struct Hostile {
    port: u16,
    is_armed: Arc<AtomicBool>,
}

impl Hostile {
    fn start(when: When, sends: Sends) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let is_armed = Arc::new(AtomicBool::new(when != When::Read));
        let engine = Arc::clone(&is_armed);
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let is_armed = Arc::clone(&engine);
                // An error says that the client has gone.
                spawn(move || drop(serve(stream, when, sends, &is_armed)));
            }
        });
        Self { port, is_armed }
    }

    fn store(&self) -> RedisStore {
        store_at(&format!("redis://127.0.0.1:{}", self.port))
    }
}

fn store_at(address: &str) -> RedisStore {
    let mut options = options(address);
    options.patience = PATIENCE;
    RedisStore::new(options).expect("an address")
}

fn serve(stream: TcpStream, when: When, sends: Sends, is_armed: &AtomicBool) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let count = number(&mut reader)?;
        let mut command = Vec::new();
        for _ in 0..count {
            let mut word = vec![0; number(&mut reader)? + 2];
            reader.read_exact(&mut word)?;
            command.push(String::from_utf8_lossy(&word).trim_end().to_owned());
        }
        let (answer, is_hostile): (&str, _) = match &*command[0] {
            "PING" => ("+PONG\r\n", when == When::Ping),
            "SUBSCRIBE" => {
                writer.write_all(b"*3\r\n$9\r\nsubscribe\r\n$8\r\ncc1:news\r\n:1\r\n")?;
                ("", when == When::News)
            }
            "SENTINEL" => ("*-1\r\n", when == When::Sentinel),
            "EVALSHA" => ("$-1\r\n", when == When::Read && is_armed.load(Ordering::Relaxed)),
            _ => ("+OK\r\n", false),
        };
        if is_hostile {
            writer.write_all(sends.0.as_bytes())?;
            if !sends.1.is_empty() {
                let block = sends.1.repeat((64 << 10) / sends.1.len() + 1);
                for _ in 0..ENDLESS / block.len() {
                    writer.write_all(block.as_bytes())?;
                }
            }
            // The connection stays until the client ends it.
            return std::io::copy(&mut reader, &mut std::io::sink()).map(drop);
        }
        writer.write_all(answer.as_bytes())?;
    }
}

/// The number in a line after its first byte.
fn number(reader: &mut impl std::io::BufRead) -> std::io::Result<usize> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    line.trim()
        .get(1..)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

const ROWS: &[(&str, When, Sends)] = &[
    ("bytes that are no reply", When::Ping, ("\0\u{1}\r\n", "")),
    ("another protocol", When::Ping, ("HTTP/1.1 400 Bad Request\r\n\r\n", "")),
    ("nothing", When::Ping, ("", "")),
    ("a line without end", When::Ping, ("+", "x")),
    ("a line without end in place of a read", When::Read, ("-ERR ", "x")),
    ("a text without end", When::Read, ("$500000000\r\n", "p")),
    ("a text a little too large", When::Read, ("$262146\r\n", "p")),
    ("a length of 2^63", When::Read, ("$9223372036854775808\r\n", "p")),
    ("a length of 2^64", When::Read, ("$18446744073709551616\r\n", "p")),
    ("a negative length", When::Read, ("$-5\r\n", "")),
    ("a negative number of replies", When::Read, ("*-5\r\n", "")),
    ("a billion replies", When::Read, ("*1000000000\r\n", "+x\r\n")),
    ("replies in replies", When::Read, ("", "*1\r\n")),
    ("many texts, each of a good size", When::Read, ("*1000\r\n", "$10\r\n0123456789\r\n")),
    ("large texts, together too large", When::Read, ("*1000\r\n$262144\r\n", "p")),
    ("a type of another version", When::Read, ("%1000000\r\n", "+x\r\n")),
    ("replies to nothing", When::Read, ("", ":1\r\n")),
];

#[test]
fn whatever_an_engine_sends_the_store_counts_as_empty() {
    let before = peak_memory();
    runtime().block_on(async {
        for (what, when, sends) in ROWS {
            let engine = Hostile::start(*when, *sends);
            let own = engine.store();
            if *when == When::Read {
                until_usable(&own, &key()).await;
                engine.is_armed.store(true, Ordering::Relaxed);
            }
            let (found, time) = took(own.get(&key())).await;
            eprintln!("{what}: {found:?} after {time:?}, {} bytes", peak_memory() - before);
            let is_empty =
                matches!(found, Ok(None) | Err(StoreError::Unavailable(_) | StoreError::Unusable(_)));
            assert!(is_empty && time < PATIENCE + BUSY, "{what}: {found:?} after {time:?}");
        }
    });
    let taken = peak_memory() - before;
    assert!(taken < MEMORY, "{taken} bytes");
}

#[test]
fn news_without_end_take_no_memory() {
    let before = peak_memory();
    let name = &key().to_hex()[..32];
    let message = format!("*3\r\n$7\r\nmessage\r\n$8\r\ncc1:news\r\n$32\r\n{name}\r\n").leak();
    let long =
        format!("*3\r\n$7\r\nmessage\r\n$8\r\ncc1:news\r\n$100000\r\n{}\r\n", "x".repeat(100_000)).leak();
    runtime().block_on(async {
        for sends in [
            ("", &*message),
            ("", &*long),
            ("*3\r\n$7\r\nmessage\r\n$8\r\ncc1:news\r\n$536870912\r\n", "p"),
            ("$9223372036854775808\r\n", "p"),
            ("+", "x"),
            ("", "*1\r\n"),
        ] {
            let engine = Hostile::start(When::News, sends);
            let own = engine.store();
            own.get(&key()).await.expect("reads");
            let mut news = own.news().expect("news");
            let heard = tokio::time::timeout(Duration::from_millis(700), news.next()).await;
            eprintln!("{heard:?}, {} bytes", peak_memory() - before);
            own.get(&key()).await.expect("reads");
        }
    });
    let taken = peak_memory() - before;
    assert!(taken < MEMORY, "{taken} bytes");
}

#[test]
fn whatever_a_sentinel_sends_there_is_no_primary() {
    let before = peak_memory();
    runtime().block_on(async {
        for sends in [
            ("*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n", ""),
            ("*2\r\n$9\r\n127.0.0.1\r\n$6\r\n999999\r\n", ""),
            ("*2\r\n$0\r\n\r\n$1\r\n1\r\n", ""),
            ("*-1\r\n", ""),
            ("-ERR no\r\n", ""),
            (":1\r\n", ""),
            ("", ""),
            ("+", "x"),
            ("*2\r\n$500000000\r\n", "p"),
            ("*2\r\n$1000\r\n", "p"),
            ("*1000000000\r\n", "+x\r\n"),
            ("\0\r\n", ""),
        ] {
            let sentinel = Hostile::start(When::Sentinel, sends);
            let own = store_at(&format!("redis+sentinel://127.0.0.1:{}/primary", sentinel.port));
            let (found, time) = took(own.get(&key())).await;
            let is_unavailable = matches!(found, Err(StoreError::Unavailable(_)));
            assert!(is_unavailable && time < PATIENCE + BUSY, "{sends:?}: {found:?} after {time:?}");
        }
    });
    let taken = peak_memory() - before;
    assert!(taken < MEMORY, "{taken} bytes");
}

/// The largest size that this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a size");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}
