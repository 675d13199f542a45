//! A server of NATS that sends what it likes, or someone on the way to it: the store counts as empty, with a trouble that
//! has a name, and memory stays within bounds.
#![cfg(feature = "store-nats")]

mod nats_kit;
mod shared_kit;

use std::time::Duration;

use certcheck_fetch::store::{NatsStore, RemoteOptions, Store, StoreError};
use certcheck_testkit::world::now;
use futures_util::StreamExt as _;

use nats_kit::{Hostile, Sends, When};
use shared_kit::{key, runtime, took, until_usable};

/// How long an operation waits. This machine is busy.
const PATIENCE: Duration = Duration::from_secs(1);
/// What may be added to that.
const BUSY: Duration = Duration::from_secs(1);
/// What the store may take of memory while servers send hundreds of megabytes.
const MEMORY: u64 = 48 << 20;

const OTHER: &str = "not expected";
const LOST: &str = "no connection";
const SLOW: &str = "in time";
const DENIED: &str = "refuses this user";

fn store(server: &Hostile) -> NatsStore {
    let mut options = RemoteOptions::new(server.address());
    options.clock = now;
    options.patience = PATIENCE;
    NatsStore::new(options).expect("an address")
}

/// What is sent in place of the INFO, of the first answer, or of the answer to a read; and what the trouble is.
const ROWS: &[(&str, When, Sends, &str)] = &[
    ("an empty error", When::Info, Sends::Text("-ERR\r\n"), OTHER),
    ("a refusal", When::Info, Sends::Text("-ERR 'Authorization Violation'\r\n"), DENIED),
    ("an endless line", When::Info, Sends::Endless("", "x"), OTHER),
    ("an endless INFO", When::Info, Sends::Endless("INFO {\"a\":\"", "x"), OTHER),
    ("an INFO that is no JSON", When::Info, Sends::Text("INFO {\r\n"), OTHER),
    ("an INFO with another type", When::Info, Sends::Text("INFO {\"max_payload\":-1}\r\n"), OTHER),
    ("a demand for TLS", When::Info, Sends::Text("INFO {\"tls_required\":true}\r\n"), "tls://"),
    (
        "a demand for a user",
        When::Info,
        Sends::Text("INFO {\"auth_required\":true,\"nonce\":\"x\"}\r\n-ERR 'Authorization Violation'\r\n"),
        DENIED,
    ),
    ("a PING before all else", When::Info, Sends::Text("PING\r\n"), OTHER),
    ("a message before all else", When::Info, Sends::Text("MSG a 1 1\r\nx\r\n"), OTHER),
    ("bytes that are no text", When::Info, Sends::Text("\0\u{7f}\r\n\u{1}\n"), OTHER),
    ("nothing", When::Info, Sends::Text(""), SLOW),
    ("the end", When::Info, Sends::End(""), LOST),
    ("the end of a line", When::Info, Sends::End("INFO {"), LOST),
    ("an empty error after the greeting", When::Greeted, Sends::Text("-ERR\r\n"), OTHER),
    ("a stale connection", When::Greeted, Sends::Text("-ERR 'Stale Connection'\r\n"), LOST),
    ("a line that no server sends", When::Greeted, Sends::Text("HELLO\r\n"), OTHER),
    ("a message of no subscription", When::Greeted, Sends::Text("MSG a 2 1\r\nx\r\n"), OTHER),
    ("PINGs without end", When::Greeted, Sends::Endless("", "PING\r\n"), SLOW),
    ("INFOs without end", When::Greeted, Sends::Endless("", "INFO {}\r\n"), SLOW),
    ("an empty error in place of an answer", When::Read, Sends::Text("-ERR\r\n"), OTHER),
    ("a length of 2^63", When::Read, Sends::Text("MSG {reply} 1 9223372036854775808\r\n"), OTHER),
    ("a length of 2^64", When::Read, Sends::Text("MSG {reply} 1 18446744073709551616\r\n"), OTHER),
    ("a negative length", When::Read, Sends::Text("MSG {reply} 1 -1\r\n"), OTHER),
    ("more headers than bytes", When::Read, Sends::Text("HMSG {reply} 1 20 10\r\n"), OTHER),
    ("headers without end", When::Read, Sends::Endless("HMSG {reply} 1 60000000 60000001\r\n", "h"), ""),
    ("a payload without end", When::Read, Sends::Endless("MSG {reply} 1 67108864\r\n", "p"), ""),
    ("a line without end", When::Read, Sends::Endless("MSG {reply} ", "1"), OTHER),
    ("an answer without its number", When::Read, Sends::Text("MSG {reply} 1 1\r\nx\r\n"), OTHER),
    ("a message that is longer than it says", When::Read, Sends::Text("MSG {reply} 1 1\r\nxyz\r\n"), OTHER),
    (
        "nobody who answers",
        When::Read,
        Sends::Text("HMSG {reply} 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
        "bucket",
    ),
    ("a message in part", When::Read, Sends::End("MSG {reply} 1 100\r\nabc"), LOST),
    ("no answer", When::Read, Sends::Text(""), SLOW),
    (
        "a missing right",
        When::Read,
        Sends::Text("-ERR 'Permissions Violation for Publish to \"x\"'\r\n"),
        DENIED,
    ),
    ("a payload that is too large", When::Read, Sends::Text("-ERR 'Maximum Payload Violation'\r\n"), "full"),
    (
        "answers that nobody waits for",
        When::Read,
        Sends::Endless("", "MSG _INBOX.x.1 1 20\r\n01234567890123456789\r\n"),
        SLOW,
    ),
];

#[test]
fn whatever_a_server_sends_the_store_counts_as_empty() {
    let before = peak_memory();
    runtime().block_on(async {
        for (what, when, sends, why) in ROWS {
            let server = Hostile::start(*when, *sends);
            let own = store(&server);
            if *when == When::Read {
                until_usable(&own, &key()).await;
                server.arm();
            }
            let (found, time) = took(own.get(&key())).await;
            let Err(StoreError::Unavailable(hint)) = &found else { panic!("{what}: {found:?}") };
            assert!(hint.contains(why), "{what}: {hint}");
            assert!(time < PATIENCE + BUSY, "{what}: {time:?}");
            // A server that has sent no more than a wrong answer is asked again.
            let (_, time) = took(own.version(&key())).await;
            assert!(time < PATIENCE + BUSY, "{what}: {time:?}");
        }
    });
    let taken = peak_memory() - before;
    assert!(taken < MEMORY, "{taken} bytes");
    eprintln!("{taken} bytes of memory");
}

/// A server that is honest again is used again.
#[test]
fn a_connection_that_ended_is_replaced() {
    runtime().block_on(async {
        for sends in [Sends::Text("-ERR\r\n"), Sends::Text("-ERR 'User Authentication Expired'\r\n")] {
            let server = Hostile::start(When::Read, sends);
            let own = store(&server);
            until_usable(&own, &key()).await;
            server.arm();
            own.get(&key()).await.expect_err("the connection ends");
            server.disarm();
            until_usable(&own, &key()).await;
            assert!(own.get(&key()).await.expect("reads").is_none());
        }
    });
}

#[test]
fn news_without_end_take_no_memory() {
    let before = peak_memory();
    let subject = format!("$KV.certcheck.cc1.{}.h", &key().to_hex()[..32]);
    let message: &'static str = format!("MSG {subject} 1 1000\r\n{}\r\n", "x".repeat(1_000)).leak();
    runtime().block_on(async {
        for sends in [
            Sends::Endless("", message),
            Sends::Endless("", "PING\r\n"),
            Sends::Endless("MSG x 1 67108864\r\n", "p"),
            Sends::Text("-ERR\r\n"),
            Sends::Text("MSG x 7 1\r\n"),
            Sends::End("MSG x 1 7\r\nab"),
        ] {
            let server = Hostile::start(When::News, sends);
            let own = store(&server);
            own.get(&key()).await.expect("reads");
            let mut news = own.news().expect("news");
            // Nothing has changed, so there is none; and the store can be used meanwhile.
            let heard = tokio::time::timeout(Duration::from_millis(700), news.next()).await;
            eprintln!("{heard:?}");
            own.get(&key()).await.expect("reads");
        }
    });
    let taken = peak_memory() - before;
    assert!(taken < MEMORY, "{taken} bytes");
    eprintln!("{taken} bytes of memory");
}

/// The largest size that this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a size");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}
