//! The disk store in use by processes that die and share it: never a wrong verdict, nothing to repair by hand.

mod store_kit;

use std::fs::{self};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use certcheck_core::crl::{Crl, IndexTrust};
use certcheck_core::{Time, Verdict};
use certcheck_fetch::store::{DiskStore, Store, StoreError, Stored};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use store_kit::{
    HANGS, Pair, RIGHT, age, crl, engine, key_of, names_in, open, runtime, seed, seeded, stored,
};

/// What a child is to do, and in which folder.
const ROLE: &str = "CERTCHECK_STORE_ROLE";
const FOLDER: &str = "CERTCHECK_STORE_FOLDER";

/// Runs this program again as one of the children below.
fn child(role: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", "a_child", "--nocapture"])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Not a test: what the children do.
#[test]
fn a_child() {
    let (Ok(role), Some(folder)) = (std::env::var(ROLE), std::env::var_os(FOLDER).map(PathBuf::from)) else {
        return;
    };
    let runtime = runtime();
    let store = open(&folder.join("store"));
    let seed = seeded(&folder, &runtime);
    let read = |name: &str| fs::read(folder.join(name)).expect("readable");
    let say = |word: &str| writeln!(std::io::stdout(), "{word}").expect("written");
    match role.as_str() {
        "write" => {
            say("begins");
            write_for_ever(&folder, &runtime, &store, &seed)
        }
        "ascend" => {
            for version in 1..=LAST {
                let mut value =
                    stored(&seed, &store, &point_url(3), &read(&format!("3-{}.crl", of_time(version))));
                value.this_update = Some(Time::from_unix(version));
                runtime.block_on(store.put(&key_of(&point_url(3)), value)).expect("written");
            }
        }
        "hold" => {
            let lease = runtime.block_on(store.lease(&key_of("http://a/"), HANGS));
            let _held = lease.expect("a lock").expect("free");
            say("held");
            thread::sleep(HANGS);
        }
        other => panic!("no child does {other}"),
    }
}

/// Puts, gets and removes at random.
fn write_for_ever(folder: &Path, runtime: &Runtime, store: &DiskStore, seed: &Stored) -> ! {
    let read = |name: &str| fs::read(folder.join(name)).expect("readable");
    loop {
        let (point, version) = (fastrand::usize(..POINTS.len()), fastrand::usize(..VERSIONS));
        let url = point_url(point);
        let value = stored(seed, store, &url, &read(&format!("{point}-{version}.crl")));
        let key = key_of(&url);
        let other = key_of(&point_url(fastrand::usize(..POINTS.len())));
        runtime.block_on(async {
            let (put, _) = tokio::join!(store.put(&key, value), store.get(&other));
            put.expect("written");
            if fastrand::u8(..) < 16 {
                store.remove(&other).await.expect("removed");
            }
        });
    }
}

/// Until a child says this.
fn hear(child: &mut Child, word: &str) {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    // The harness may have begun the line.
    assert!(lines.any(|line| line.ends_with(word)), "{word}");
}

/// How many entries the CRLs of a source have: in the record, in a blob, in a blob that came through a file.
const POINTS: [u32; 6] = [1, 100, 2_000, 5_000, 10_000, 60_000];
/// CRLs of each source.
const VERSIONS: usize = 4;
/// The last version that ascends.
const LAST: i64 = 300;

fn point_url(point: usize) -> String {
    format!("http://crl.test/{point}.crl")
}

/// Which of the CRLs is put as of this time.
fn of_time(time: i64) -> usize {
    usize::try_from(time).expect("positive") % VERSIONS
}

/// The pairs, and what children may put: CRLs by source and version, in the folder too.
fn workshop(folder: &Path) -> (Vec<Pair>, Vec<Vec<Vec<u8>>>) {
    seed(folder);
    let pairs: Vec<_> = (0..6).map(|n| Pair::new(n, &point_url(n.into()), false)).collect();
    let mut all = Vec::new();
    for (number, entries) in (0..).zip(POINTS) {
        let point = usize::from(number);
        let versions: Vec<_> =
            (0..4).map(|more| crl(&point_url(point), &Pair::bad(number), entries + more)).collect();
        for (version, der) in versions.iter().enumerate() {
            fs::write(folder.join(format!("{point}-{version}.crl")), der).expect("written");
        }
        all.push(versions);
    }
    (pairs, all)
}

#[test]
fn killed_two_hundred_times() {
    let folder = TempDir::new().expect("a folder");
    let at = folder.path();
    let (pairs, crls) = workshop(at);
    let runtime = runtime();
    let mut seen = [0; POINTS.len()];
    for round in 0..200 {
        let mut child = child("write", at);
        hear(&mut child, "begins");
        thread::sleep(Duration::from_millis(fastrand::u64(5..=40)));
        child.kill().expect("killed");
        child.wait().expect("ended");
        let store = open(&at.join("store"));
        for (point, versions) in crls.iter().enumerate() {
            let url = point_url(point);
            let found = runtime.block_on(store.get(&key_of(&url)));
            let Some(found) = found.unwrap_or_else(|error| panic!("round {round}, {url}: {error}")) else {
                continue;
            };
            seen[point] += 1;
            assert!(versions.iter().any(|der| *der == found.body.bytes), "round {round}, {url}");
            if let Some(index) = &found.index {
                let opened = Crl::open(found.body.bytes.clone(), index, &url, IndexTrust::Checked);
                assert_eq!(opened.map(|(_, fault)| fault), Ok(None), "round {round}, {url}");
            }
        }
        let engine = engine(store, true);
        let got = pairs[round % pairs.len()].verdicts(&engine);
        assert!(
            [RIGHT, (Verdict::Undetermined, Verdict::Undetermined)].contains(&got),
            "round {round}: {got:?}"
        );
    }
    let (small, large) = seen.split_at(3);
    assert!(small.iter().sum::<u32>() > 0 && large.iter().sum::<u32>() > 0, "{seen:?}");

    // What died in the middle of writing is cleared away when it is old, and no sooner.
    let store = open(&at.join("store"));
    let (records, blobs) = (at.join("store/records"), at.join("store/blobs"));
    let left_over = || {
        let all = [names_in(&records), names_in(&blobs)].concat();
        all.into_iter().filter(|name| name.starts_with(".arriving-")).count()
    };
    let before = left_over();
    assert!(before > 0, "never killed while it wrote");
    store.tidy().expect("tidied");
    for part in [&records, &blobs] {
        for name in names_in(part) {
            age(&part.join(name), Duration::from_secs(7_200));
        }
    }
    store.tidy().expect("tidied");
    assert_eq!(left_over(), 0, "of {before}");
    let large = names_in(&records).into_iter().filter(|name| {
        let record: Value =
            serde_json::from_slice(&fs::read(records.join(name)).expect("there")).expect("JSON");
        record.get("blob").is_some()
    });
    assert_eq!(names_in(&blobs).len(), 2 * large.count(), "a blob and an index for each, and no more");
    for (pair, versions) in pairs.iter().zip(&crls) {
        let seed = seeded(at, &runtime);
        let value = stored(&seed, &store, &pair.url, &versions[0]);
        runtime.block_on(store.put(&key_of(&pair.url), value)).expect("written");
        assert_eq!(pair.verdicts(&engine(store.clone(), true)), RIGHT, "{}", pair.url);
    }
}

#[test]
fn one_process_puts_newer_while_another_reads() {
    let folder = TempDir::new().expect("a folder");
    let at = folder.path();
    let (_, crls) = workshop(at);
    let runtime = runtime();
    let store = open(&at.join("store"));
    let key = key_of(&point_url(3));
    let mut writer = child("ascend", at);
    let (mut last, mut reads) = (0, 0);
    loop {
        let has_ended = writer.try_wait().expect("a child");
        match runtime.block_on(store.get(&key)) {
            Ok(Some(found)) => {
                let time = found.this_update.expect("a time").unix();
                assert!(time >= last, "{time} after {last}");
                assert!(crls[3][of_time(time)] == found.body.bytes, "the bytes of another than {time}");
                (last, reads) = (time, reads + 1);
            }
            Ok(None) => assert_eq!(last, 0, "gone after {last}"),
            Err(error) => panic!("after {last}: {error}"),
        }
        if let Some(status) = has_ended {
            assert!(status.success(), "{status}");
            break;
        }
    }
    assert!(last == LAST && reads > 50, "{last} after {reads} reads");
    let mut older = stored(&seeded(at, &runtime), &store, &point_url(3), &crls[3][0]);
    older.this_update = Some(Time::from_unix(LAST - 1));
    assert!(matches!(runtime.block_on(store.put(&key, older)), Err(StoreError::Older)));
}

#[test]
fn one_at_a_time_holds_a_lease() {
    let folder = TempDir::new().expect("a folder");
    seed(folder.path());
    let runtime = runtime();
    let store = open(&folder.path().join("store"));
    let key = key_of("http://a/");
    let lease =
        |max_wait: u64| runtime.block_on(store.lease(&key, Duration::from_millis(max_wait))).expect("a lock");
    let mut holder = child("hold", folder.path());
    hear(&mut holder, "held");
    let begun = Instant::now();
    assert!(lease(200).is_none());
    assert!(begun.elapsed() >= Duration::from_millis(200), "not waited for");
    // Who waits gets it when the holder dies.
    let waiting = thread::spawn({
        let store = store.clone();
        move || self::runtime().block_on(store.lease(&key, HANGS)).expect("a lock")
    });
    holder.kill().expect("killed");
    holder.wait().expect("ended");
    let cached = waiting.join().expect("ended");
    assert!(cached.is_some() && lease(0).is_none());
    drop(cached);
    assert!(lease(0).is_some());
    let left = names_in(&folder.path().join("store/locks"));
    assert!(!left.iter().any(|name| name.ends_with(".fetch")), "locks go with their holders: {left:?}");
}

/// Keys that agree in their beginning are easily made: holding one keeps nobody from another.
#[test]
fn leases_of_different_keys_never_meet() {
    let folder = TempDir::new().expect("a folder");
    let runtime = runtime();
    let store = open(folder.path());
    let victim = key_of("http://victim.test/a.crl");
    let begins = |key: &certcheck_fetch::EvidenceKey| key.to_hex()[..4].to_owned();
    let ground = (0..).map(|n| key_of(&format!("http://ground.test/{n}")));
    let alike = ground.into_iter().find(|key| begins(key) == begins(&victim)).expect("in the end");
    let lease = |key| runtime.block_on(store.lease(key, Duration::ZERO)).expect("a lock");
    let cached = lease(&alike);
    assert!(cached.is_some() && lease(&alike).is_none());
    assert!(lease(&victim).is_some(), "held up by another key");
    // What dead processes left goes when it is old.
    let left = folder.path().join("locks").join(format!("{}.fetch", victim.to_hex()));
    let other = folder.path().join("locks").join(format!("{}.write", victim.to_hex()));
    for path in [&left, &other] {
        fs::write(path, "").expect("written");
    }
    age(&left, Duration::from_secs(7_200));
    store.tidy().expect("tidied");
    assert!(!left.exists() && other.exists());
    assert!(lease(&alike).is_none(), "what is held stays");
}
