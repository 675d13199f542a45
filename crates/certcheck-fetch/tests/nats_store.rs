//! A shared store on NATS alone: its buckets and users, leases that nobody ends, and a neighbour who writes what it likes.
#![cfg(feature = "store-nats")]

mod shared_kit;

use std::time::Duration;

use bytes::Bytes;
use certcheck_fetch::store::{NatsStore, RemoteOptions, Store, StoreError};
use certcheck_testkit::peers::Nats;
use certcheck_testkit::world::now;

use shared_kit::{HANGS, ask, ask_with, bytes_in, crl, key, runtime, stored};

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";

fn options(address: &str) -> RemoteOptions {
    let mut options = RemoteOptions::new(address);
    options.clock = now;
    options.patience = Duration::from_secs(5);
    options
}

fn store(nats: &Nats) -> NatsStore {
    NatsStore::new(options(&nats.address())).expect("an address")
}

/// The subject of a part of the entry: its head is `h`.
fn subject(part: &str) -> String {
    format!("$KV.certcheck.cc1.{}.{part}", &key().to_hex()[..32])
}

fn read(nats: &Nats, subject: &str) -> Bytes {
    ask_with(nats, &format!("$JS.API.DIRECT.GET.KV_certcheck.{subject}"), Bytes::new())
}

fn write(nats: &Nats, subject: &str, content: Bytes) {
    let answer = ask_with(nats, subject, content);
    assert!(answer.starts_with(b"{\"stream\""), "{answer:?}");
}

/// Makes a bucket with these settings in addition.
fn make(nats: &Nats, settings: &str) {
    let config = format!(
        "{{\"name\":\"KV_certcheck\",\"subjects\":[\"$KV.certcheck.>\"],\"retention\":\"limits\",\
         \"storage\":\"file\",\"num_replicas\":1,{settings}}}"
    );
    let answer = ask(nats, "$JS.API.STREAM.CREATE.KV_certcheck", &config);
    assert!(!answer.contains("\"error\""), "{answer}");
}

/// The number of the last message in the bucket.
fn last_number(nats: &Nats) -> u64 {
    let info = ask(nats, "$JS.API.STREAM.INFO.KV_certcheck", "");
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    info["state"]["last_seq"].as_u64().expect("a number")
}

/// What a neighbour makes of a head, or of the name of its first chunk and what to write there.
type Change = fn(&str) -> Vec<u8>;

fn word(head: &str, place: usize, word: &str) -> Vec<u8> {
    let (line, record) = head.split_once('\n').expect("two lines");
    let mut words: Vec<&str> = line.split(' ').collect();
    words[place] = word;
    format!("{}\n{record}", words.join(" ")).into_bytes()
}

fn record(head: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(head.contains(from), "{head}");
    head.replacen(from, to, 1).into_bytes()
}

const HEADS: &[(&str, Change)] = &[
    ("junk", |_| b"junk".to_vec()),
    ("a huge text", |_| vec![b'7'; 200 << 10]),
    ("bytes that are no text", |_| vec![0xff; 300]),
    ("one line", |head| head.replace('\n', " ").into_bytes()),
    ("another format", |head| word(head, 0, "cc2")),
    ("one word more", |head| head.replacen('\n', " 1\n", 1).into_bytes()),
    ("a line without words", |head| record(head, head.lines().next().expect("a line"), "cc1")),
    ("an empty record", |head| format!("{}\n", head.lines().next().expect("a line")).into_bytes()),
    ("a huge record", |head| format!("{head}{}", " ".repeat(20_000)).into_bytes()),
    ("a record of another URL", |head| record(head, "ca.crl", "cb.crl")),
    ("a record of another kind", |head| record(head, "\"crl\"", "\"issuers\"")),
    ("a record of another time", |head| record(head, "\"this_update\":1", "\"this_update\":11")),
    ("a record of another size", |head| record(head, "\"bytes\":", "\"bytes\":1")),
    ("a time that is no number", |head| word(head, 1, &"x".repeat(20))),
    ("a time of other digits", |head| word(head, 1, "1")),
    ("a time in the far future", |head| word(head, 1, &"9".repeat(20))),
    ("a time that is a little newer", |head| word(head, 1, &format!("{:020}", 1_798_800_000))),
    ("a higher number", |head| word(head, 2, &"f".repeat(40))),
    ("a digest of nothing", |head| word(head, 3, &"0".repeat(64))),
    ("a digest in capitals", |head| word(head, 3, &"A".repeat(64))),
    ("a digest that leads elsewhere", |head| word(head, 3, &format!("{:*<64}", ">."))),
    ("no chunks", |head| word(head, 4, "0")),
    ("too many chunks", |head| word(head, 4, "99999999")),
    ("no bytes", |head| word(head, 5, "0")),
    ("more bytes than there are numbers", |head| word(head, 5, &"9".repeat(20))),
];

#[test]
fn what_a_neighbour_makes_of_a_head_is_a_miss_and_does_not_stay() {
    let Some(nats) = Nats::start("") else { return };
    let (old, new) = (stored(&crl(3, OLD, 1)), stored(&crl(4, NEW, 2)));
    let (key, head) = (key(), subject("h"));
    for (what, change) in HEADS {
        let (one, other) = (store(&nats), store(&nats));
        runtime().block_on(async {
            other.did_not_count(&key);
            one.put(&key, old.clone()).await.expect("written");
            let content = read(&nats, &head);
            let changed = Bytes::from(change(std::str::from_utf8(&content).expect("text")));
            write(&nats, &head, changed.clone());
            let found = other.get(&key).await;
            assert!(matches!(found, Ok(None) | Err(StoreError::Unusable(_))), "{what}: {found:?}");
            // It is gone, so that it costs nobody else anything; nothing keeps out what comes next.
            assert!(read(&nats, &head).is_empty(), "{what}");
            other.put(&key, old.clone()).await.expect(what);
            assert_eq!(bytes_in(&one, &key).await.expect(what), Some(old.body.bytes.clone()), "{what}");
            // A writer that has not read it replaces it with what is newer.
            write(&nats, &head, changed);
            store(&nats).put(&key, new.clone()).await.expect(what);
            assert_eq!(bytes_in(&one, &key).await.expect(what), Some(new.body.bytes.clone()), "{what}");
            one.remove(&key).await.expect(what);
        });
    }
}

/// The headers of a message are its publisher's. None of them passes for what the server says of it.
#[test]
fn what_a_neighbour_writes_into_headers_is_a_miss_and_does_not_stay() {
    let Some(nats) = Nats::start("") else { return };
    let given = stored(&crl(3, OLD, 1));
    let (key, head) = (key(), subject("h"));
    let long = format!("NATS/1.0\r\nA: {}\r\n\r\n", "x".repeat(50 << 10));
    for headers in [
        "NATS/1.0 503\r\n\r\n",
        "NATS/1.0 503 No Responders\r\nA: b\r\n\r\n",
        "NATS/1.0 404 Message Not Found\r\n\r\n",
        "NATS/1.0 500 Broken\r\n\r\n",
        "NATS/1.0\r\nNats-Sequence: 99999\r\nNats-Time-Stamp: 2099-01-01T00:00:00Z\r\n\r\n",
        "junk\r\n\r\n",
        &long,
    ] {
        let what = &headers[..headers.len().min(60)];
        let one = store(&nats);
        runtime().block_on(async {
            one.put(&key, given.clone()).await.expect("written");
            for subject in [&head, &subject("l"), "$KV.certcheck.cc1.none.h"] {
                let answer = nats.ask_with_headers(subject, headers, b"a neighbour");
                assert!(answer.starts_with(b"{\"stream\""), "{what}: {answer:?}");
            }
            // A host that connects now finds a bucket that answers, a miss, and room for what it writes.
            let other = store(&nats);
            let found = other.get(&key).await;
            assert!(matches!(found, Ok(None) | Err(StoreError::Unusable(_))), "{what}: {found:?}");
            other.put(&key, given.clone()).await.expect(what);
            assert_eq!(bytes_in(&one, &key).await.expect(what), Some(given.body.bytes.clone()), "{what}");
            one.remove(&key).await.expect(what);
        });
    }
}

#[test]
fn what_a_neighbour_makes_of_a_chunk_is_a_miss_and_does_not_stay() {
    let Some(nats) = Nats::start("") else { return };
    let given = stored(&crl(30_000, OLD, 1));
    let key = key();
    runtime().block_on(async {
        let writer = store(&nats);
        writer.put(&key, given.clone()).await.expect("written");
        let head = read(&nats, &subject("h"));
        let head = std::str::from_utf8(&head).expect("text");
        let sha = head.split(' ').nth(3).expect("a digest");
        let chunks: Vec<_> = (0..2).map(|number| subject(&format!("c.{sha}.{number}"))).collect();
        let right: Vec<_> = chunks.iter().map(|chunk| read(&nats, chunk)).collect();
        let mut other = right[0].to_vec();
        other[100] ^= 1;
        for (what, content) in [
            ("an empty chunk", Bytes::new()),
            ("a longer chunk", [&right[0][..], b"x"].concat().into()),
            ("a shorter chunk", right[0].slice(1..)),
            ("a chunk with another byte", other.into()),
            ("the other chunk", right[1].clone()),
        ] {
            write(&nats, &chunks[0], content);
            let found = store(&nats).get(&key).await;
            assert!(matches!(found, Ok(None) | Err(StoreError::Unusable(_))), "{what}: {found:?}");
            assert!(read(&nats, &subject("h")).is_empty(), "{what}");
            // It is whole again with the next write.
            writer.put(&key, given.clone()).await.expect(what);
            assert_eq!(bytes_in(&store(&nats), &key).await.expect(what), Some(given.body.bytes.clone()));
        }
    });
}

/// What servers say that has not changed: the bytes are not sent again, unless one of them is missing.
#[test]
fn the_same_bytes_are_written_once() {
    let Some(nats) = Nats::start("") else { return };
    let mut given = stored(&crl(20_000, OLD, 1));
    runtime().block_on(async {
        let (key, one) = (key(), store(&nats));
        one.put(&key, given.clone()).await.expect("written");
        let before = last_number(&nats);
        given.transport.etag = Some("\"v2\"".into());
        one.put(&key, given.clone()).await.expect("written");
        assert_eq!(last_number(&nats), before + 1);
        let found = store(&nats).get(&key).await.expect("reads").expect("there");
        assert_eq!(found.transport, given.transport);
        let lost = format!("{{\"filter\":\"{}\"}}", subject("c.*.0"));
        ask(&nats, "$JS.API.STREAM.PURGE.KV_certcheck", &lost);
        one.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&store(&nats), &key).await.expect("reads"), Some(given.body.bytes.clone()));
    });
}

/// A lease whose holder has died ends after a while, and one that is in use does not.
#[test]
fn a_lease_ends_without_its_holder() {
    let Some(nats) = Nats::start("") else { return };
    runtime().block_on(async {
        let (key, one, other) = (key(), store(&nats), store(&nats));
        one.version(&key).await.expect("reads");
        write(&nats, &subject("l"), Bytes::from_static(b"a neighbour"));
        let short = Duration::from_millis(300);
        assert!(one.lease(&key, short).await.expect("asked").is_none());
        let lease = one.lease(&key, HANGS).await.expect("asked").expect("free");
        tokio::time::sleep(Duration::from_secs(17)).await;
        assert!(other.lease(&key, short).await.expect("asked").is_none());
        drop(lease);
        assert!(other.lease(&key, HANGS).await.expect("asked").is_some());
    });
}

/// A bucket that refuses what it has no room for, and one that drops what is oldest.
#[test]
fn a_bucket_without_room() {
    let (small, large) = (stored(&crl(1, OLD, 1)), stored(&crl(400_000, NEW, 2)));
    assert!(large.body.bytes.len() > 8 << 20);
    for discard in ["new", "old"] {
        let Some(nats) = Nats::start("") else { return };
        make(
            &nats,
            &format!(
                "\"max_msgs_per_subject\":1,\"allow_direct\":true,\"max_bytes\":4194304,\"discard\":\"{discard}\""
            ),
        );
        runtime().block_on(async {
            let (key, own) = (key(), store(&nats));
            own.put(&key, small.clone()).await.expect("written");
            let put = own.put(&key, large.clone()).await;
            if discard == "new" {
                let Err(StoreError::Unavailable(why)) = put else { panic!("it is full: {put:?}") };
                assert!(why.contains("full"), "{why}");
                // What was there still is.
                assert_eq!(bytes_in(&own, &key).await.expect("reads"), Some(small.body.bytes.clone()));
            } else {
                // It is written, and what is left of it is a miss.
                put.expect("written");
                assert_eq!(bytes_in(&own, &key).await.expect("reads"), None);
                assert_eq!(own.version(&key).await.expect("reads"), None);
                own.put(&key, small.clone()).await.expect("written");
                assert_eq!(bytes_in(&own, &key).await.expect("reads"), Some(small.body.bytes.clone()));
            }
        });
    }
}

#[test]
fn a_bucket_that_cannot_be_used() {
    for settings in ["\"max_msgs_per_subject\":1", "\"max_msgs_per_subject\":5,\"allow_direct\":true"] {
        let Some(nats) = Nats::start("") else { return };
        make(&nats, settings);
        runtime().block_on(async {
            let Err(StoreError::Unavailable(why)) = store(&nats).get(&key()).await else {
                panic!("{settings}")
            };
            assert!(why.contains("bucket"), "{why}");
        });
    }
}

#[test]
fn a_site_may_have_its_own_bucket_prefix_user_and_password() {
    let users = "authorization { users = [
        { user: site, password: secret, permissions: {
            publish: [
                \"$KV.site-1.other.>\", \"$JS.API.DIRECT.GET.KV_site-1.>\", \"$JS.API.STREAM.INFO.KV_site-1\",
                \"$JS.API.STREAM.PURGE.KV_site-1\", \"$JS.API.STREAM.CREATE.KV_site-1\"
            ],
            subscribe: [\"_INBOX.>\", \"$KV.site-1.other.*.h\"]
        } }
        { user: reader, password: secret, permissions: { publish: [\"$JS.API.>\"], subscribe: \">\" } }
    ] }";
    let Some(nats) = Nats::start(users) else { return };
    let given = stored(&crl(1, OLD, 1));
    let with = |user: &str, password: &str| {
        let mut options = options(&format!("nats://{user}@127.0.0.1:{}/site-1", nats.port()));
        options.password = Some(password.to_owned());
        options.prefix = "other".to_owned();
        options.patience = Duration::from_secs(2);
        NatsStore::new(options).expect("an address")
    };
    runtime().block_on(async {
        let key = key();
        let right = with("site", "secret");
        right.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&right, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        assert_eq!(right.list().await.expect("listed").len(), 1);
        assert!(right.lease(&key, HANGS).await.expect("asked").is_some());
        let reader = with("reader", "secret");
        assert_eq!(bytes_in(&reader, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        let newer = stored(&crl(1, NEW, 2));
        for denied in [reader.put(&key, newer).await, with("site", "wrong").get(&key).await.map(drop)] {
            let Err(StoreError::Unavailable(why)) = denied else { panic!("denied: {denied:?}") };
            assert!(why.contains("refuses this user"), "{why}");
        }
    });
}

#[test]
fn an_address_is_checked_when_the_store_is_made() {
    for address in ["nats://:secret@h", "redis://h", "nats://h/a.b"] {
        assert!(NatsStore::new(RemoteOptions::new(address)).is_err(), "{address}");
    }
    let mut options = RemoteOptions::new("nats://h");
    options.prefix = "a.>".to_owned();
    assert!(NatsStore::new(options).is_err());
}
