//! The disk store in use by processes that die, share it and find it damaged: never a wrong verdict, nothing to repair by
//! hand.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use certcheck_core::crl::{Crl, IndexTrust};
use certcheck_core::revocation::Ask;
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation, Time, Verdict};
use certcheck_fetch::store::{DiskOptions, DiskStore, Store, StoreError, Stored};
use certcheck_fetch::{Body, Engine, Guard, Key, Spool};
use certcheck_testkit::cert::Cert;
use certcheck_testkit::crl::{self as forge, Entry, Idp};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use pki_types::CertificateDer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What a child is to do, and in which folder.
const ROLE: &str = "CERTCHECK_STORE_ROLE";
const FOLDER: &str = "CERTCHECK_STORE_FOLDER";
/// Nothing here takes so long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);

fn now() -> Time {
    Time::from_rfc3339("2027-01-01T00:00:00Z").expect("a time")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn open(path: &Path) -> DiskStore {
    DiskStore::open(path, DiskOptions::default()).expect("a store")
}

fn key_of(url: &str) -> Key {
    Key::of(&Ask::Crl { url: url.into() }).expect("a key")
}

/// A key of the forge.
fn ca() -> certcheck_testkit::Key {
    certcheck_testkit::Key::p256("store root")
}

/// A CRL for what names this URL, of so many entries and the serial.
fn crl(url: &str, serial: &[u8], entries: u32) -> Vec<u8> {
    let others = (0..entries).map(|n| Entry::new(&[&[0x22][..], &n.to_be_bytes()].concat()));
    let point = Idp { point: Point::urls(&[url]), ..Idp::default() };
    let list = forge::Crl::new("CN=Root").revoking(others.chain([Entry::new(serial)])).with([point.ext()]);
    list.issue(&ca())
}

/// Two certificates that name one source, which says that the second is revoked.
struct Pair {
    url: String,
    good: Vec<u8>,
    bad: Vec<u8>,
}

impl Pair {
    fn new(number: u8, url: &str, is_ocsp: bool) -> Self {
        let leaf = |serial: Vec<u8>| {
            let key = certcheck_testkit::Key::p256("client");
            let source = if is_ocsp { ext::aia(&[url], &[]) } else { ext::cdp(&[Point::urls(&[url])]) };
            Cert { serial, ..Cert::leaf("CN=client", &key, "CN=Root", &ca()) }.with([source]).issue(&ca())
        };
        Self { url: url.to_owned(), good: leaf(Self::good(number)), bad: leaf(Self::bad(number)) }
    }

    fn good(number: u8) -> Vec<u8> {
        vec![0x12, 0, number]
    }

    fn bad(number: u8) -> Vec<u8> {
        vec![0x11, 0, number]
    }

    fn verdicts(&self, engine: &Engine) -> (Verdict, Verdict) {
        let check = |der: &[u8]| {
            let chain = [CertificateDer::from(der.to_vec())];
            engine.check_blocking(&chain, now(), HANGS).verdict()
        };
        (check(&self.good), check(&self.bad))
    }
}

const RIGHT: (Verdict, Verdict) = (Verdict::Accept, Verdict::Reject);

/// Not knowing is no wrong verdict; the other's is.
fn is_wrong((good, bad): (Verdict, Verdict)) -> bool {
    good == Verdict::Reject || bad == Verdict::Accept
}

fn engine(store: DiskStore, is_offline: bool) -> Engine {
    let root = Cert::root("CN=Root", &ca()).issue(&ca());
    let mut ring = RingBuilder::new();
    ring.add("root", &root, Placement::Anchor).expect("reads");
    let guard = Guard::new().allow_net("127.0.0.0/8".parse().expect("a network"));
    Engine::builder(ring.build().expect("a ring"), Policy::client(Revocation::HardFail))
        .guard(guard)
        .store(Arc::new(store))
        .offline(is_offline)
        .refreshes(false)
        .build()
        .expect("an engine")
}

/// A record as an engine writes it, to make others of.
fn seed(folder: &Path) {
    let server = Server::start();
    let pair = Pair::new(0, &server.url("/seed.crl"), false);
    server.serve("/seed.crl", Page::new(crl(&pair.url, &Pair::bad(0), 1)));
    let engine = engine(open(&folder.join("seed")), false);
    assert_eq!(pair.verdicts(&engine), RIGHT);
    engine.flush_blocking();
}

fn seeded(folder: &Path, runtime: &Runtime) -> Stored {
    let store = open(&folder.join("seed"));
    let entry = runtime.block_on(store.list()).expect("listed").remove(0);
    runtime.block_on(store.get(&entry.key)).expect("there").expect("there")
}

/// The seed with another CRL in it, read, in memory or, if it is large, in a temporary file of the store.
fn stored(seed: &Stored, store: &DiskStore, url: &str, der: &[u8]) -> Stored {
    let mut stored = seed.clone();
    let mut spool = Spool::new(store.folder().expect("a folder"), u64::MAX);
    spool.push(der).expect("room");
    stored.body = spool.finish().expect("written");
    stored.ask = Ask::Crl { url: url.into() };
    stored.crl = Some(Arc::new(Crl::parse(Bytes::copy_from_slice(der), url).expect("a CRL")));
    stored
}

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
    let tell = |word: &str| writeln!(std::io::stdout(), "{word}").expect("told");
    match role.as_str() {
        "write" => {
            tell("begins");
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
            tell("held");
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

/// Until a child tells of this.
fn hear(child: &mut Child, word: &str) {
    let mut told = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    // The harness may have begun the line.
    assert!(told.any(|line| line.ends_with(word)), "{word}");
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

fn names_in(folder: &Path) -> Vec<String> {
    let listing = fs::read_dir(folder).expect("a folder");
    listing.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

/// As if it had been written so long ago.
fn age(path: &Path, by: Duration) {
    File::open(path).and_then(|file| file.set_modified(SystemTime::now() - by)).expect("aged");
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
                assert!(crls[3][of_time(time)] == found.body.bytes, "the octets of another than {time}");
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
        |patience: u64| runtime.block_on(store.lease(&key, Duration::from_millis(patience))).expect("a lock");
    let mut holder = child("hold", folder.path());
    hear(&mut holder, "held");
    let begun = Instant::now();
    assert!(lease(200).is_none());
    assert!(begun.elapsed() >= Duration::from_millis(200), "not waited for");
    // Whoever waits gets it when the holder dies.
    let waiting = thread::spawn({
        let store = store.clone();
        move || self::runtime().block_on(store.lease(&key, HANGS)).expect("a lock")
    });
    holder.kill().expect("killed");
    holder.wait().expect("ended");
    let held = waiting.join().expect("ended");
    assert!(held.is_some() && lease(0).is_none());
    drop(held);
    assert!(lease(0).is_some());
}

/// A store with evidence of every shape, and where it came from.
struct Kept {
    server: Server,
    pairs: Vec<Pair>,
    /// By path in the store.
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Kept {
    fn make() -> Self {
        let server = Server::start();
        // Two of a length, so that nothing but their content tells them apart.
        let sources = [("/small.crl", 3), ("/smell.crl", 3), ("/large.crl", 4_000), ("/lathe.crl", 4_000)];
        let mut pairs = Vec::new();
        for (number, (path, entries)) in (0..).zip(sources) {
            let url = server.url(path);
            server.serve(path, Page::new(crl(&url, &Pair::bad(number), entries)).with_etag("v1"));
            pairs.push(Pair::new(number, &url, false));
        }
        let responder = OcspResponder::new("CN=Root", ca());
        responder.good(&Pair::good(9));
        responder.revoke(&Pair::bad(9), "2026-05-01T00:00:00Z", None);
        server.serve_with("/ocsp", responder.handler());
        pairs.push(Pair::new(9, &server.url("/ocsp"), true));
        let folder = TempDir::new().expect("a folder");
        let engine = engine(open(folder.path()), false);
        for pair in &pairs {
            assert_eq!(pair.verdicts(&engine), RIGHT, "{}", pair.url);
        }
        engine.flush_blocking();
        let mut files = BTreeMap::new();
        for part in ["records", "blobs"] {
            for name in names_in(&folder.path().join(part)) {
                let content = fs::read(folder.path().join(part).join(&name)).expect("readable");
                files.insert(Path::new(part).join(name), content);
            }
        }
        assert_eq!(files.len(), 4 + 2 + 2 * 2, "{:?}", files.keys());
        Self { server, pairs, files }
    }

    /// The same again in a new folder, spoilt.
    fn again(&self, spoil: &dyn Fn(&Path)) -> TempDir {
        let folder = TempDir::new().expect("a folder");
        drop(open(folder.path()));
        for (path, content) in &self.files {
            fs::write(folder.path().join(path), content).expect("written");
        }
        spoil(folder.path());
        folder
    }

    /// Whether this file is about the source of the pair.
    fn is_about(&self, file: &Path, pair: &Pair) -> bool {
        let key = |pair: &Pair| key_of(&pair.url).to_hex();
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        if pair.url.ends_with("/ocsp") {
            !self.pairs.iter().any(|other| name.starts_with(&key(other)))
        } else {
            name.starts_with(&key(pair))
        }
    }

    /// Another file of the same kind, of the same length if there is one.
    fn sibling(&self, file: &Path) -> &[u8] {
        let own = &self.files[file];
        let others = self.files.iter().filter(|(path, _)| {
            *path != file && path.parent() == file.parent() && path.extension() == file.extension()
        });
        others
            .map(|(_, content)| &content[..])
            .min_by_key(|content| content.len().abs_diff(own.len()))
            .expect("two")
    }

    /// A store with this file spoilt gives right verdicts: offline what is not known is not known, and what can do
    /// without the file is right; online all are right; and then, unless nobody could remove what is there, all is good
    /// again.
    fn survives(&self, file: &Path, what: &str, is_removable: bool, spoil: &dyn Fn(&Path)) {
        let told = format!("{what}: {}", file.display());
        let is_index = file.extension().is_some_and(|kind| kind == "idx");
        let folder = self.again(spoil);
        let offline = engine(open(folder.path()), true);
        for pair in &self.pairs {
            let got = pair.verdicts(&offline);
            assert!(!is_wrong(got), "offline, {told}, {}: {got:?}", pair.url);
            assert!(
                got == RIGHT || (self.is_about(file, pair) && !is_index),
                "offline, {told}, {}: {got:?}",
                pair.url
            );
        }
        drop(offline);

        let folder = self.again(spoil);
        let store = open(folder.path());
        let runtime = runtime();
        let keys = self.files.keys().filter_map(|path| Key::from_hex(path.file_stem()?.to_str()?));
        for key in keys {
            // Whatever comes of it, it comes, and twice.
            for _ in 0..2 {
                let _found = runtime.block_on(store.get(&key));
            }
        }
        runtime.block_on(store.list()).expect("listed");
        store.tidy().expect("tidied");

        let folder = self.again(spoil);
        let online = engine(open(folder.path()), false);
        for pair in &self.pairs {
            assert_eq!(pair.verdicts(&online), RIGHT, "online, {told}, {}", pair.url);
        }
        online.flush_blocking();
        drop(online);
        let offline = engine(open(folder.path()), true);
        for pair in self.pairs.iter().filter(|pair| is_removable || !self.is_about(file, pair)) {
            assert_eq!(pair.verdicts(&offline), RIGHT, "afterwards, {told}, {}", pair.url);
        }
    }
}

/// Runs it, and fails where it stands still: what it does is told as it goes.
fn watched(work: impl FnOnce(&dyn Fn(&str)) + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        work(&|what| sender.send(what.to_owned()).expect("heard"));
    });
    let mut last = String::new();
    loop {
        match receiver.recv_timeout(HANGS) {
            Ok(what) => last = what,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs: {last}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    worker.join().unwrap_or_else(|_| panic!("at {last}"));
}

/// What stands in place of a file. The second is that file's content, the third another's of its kind.
type Spoil = fn(&Path, &[u8], &[u8]);

const SPOILS: &[(&str, Spoil)] = &[
    ("random", |path, own, _| {
        fs::write(path, own.iter().map(|_| fastrand::u8(..)).collect::<Vec<_>>()).expect("written");
    }),
    ("half", |path, own, _| fs::write(path, &own[..own.len() / 2]).expect("written")),
    ("without its last octet", |path, own, _| fs::write(path, &own[..own.len() - 1]).expect("written")),
    ("one octet more", |path, own, _| fs::write(path, [own, &[0]].concat()).expect("written")),
    ("empty", |path, _, _| fs::write(path, []).expect("written")),
    ("zeros", |path, own, _| fs::write(path, vec![0; own.len()]).expect("written")),
    ("gone", |path, _, _| fs::remove_file(path).expect("removed")),
    ("another's", |path, _, other| fs::write(path, other).expect("written")),
    ("a link", |path, _, _| {
        fs::remove_file(path).expect("removed");
        symlink("/etc/passwd", path).expect("linked");
    }),
    ("a link to nothing", |path, _, _| {
        fs::remove_file(path).expect("removed");
        symlink("nothing", path).expect("linked");
    }),
    ("a folder", |path, _, _| {
        fs::remove_file(path).expect("removed");
        fs::create_dir(path).expect("made");
        fs::write(path.join("x"), "x").expect("written");
    }),
    ("a pipe", |path, _, _| {
        fs::remove_file(path).expect("removed");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).expect("made");
    }),
    ("of mode 0666", |path, _, _| {
        fs::set_permissions(path, Permissions::from_mode(0o666)).expect("changed");
    }),
    ("deep", |path, _, _| fs::write(path, "[".repeat(200_000)).expect("written")),
    ("deep inside", |path, _, _| {
        fs::write(path, format!("{{\"certcheck\":1,\"url\":{}", "[{\"a\":".repeat(20_000))).expect("written");
    }),
    ("very long", |path, own, _| fs::write(path, own.repeat(1 + (1 << 20) / own.len())).expect("written")),
];

#[test]
fn spoilt_files() {
    let passwd = fs::read("/etc/passwd").expect("readable");
    watched(|tell| {
        let kept = Kept::make();
        for file in kept.files.keys() {
            for (what, spoil) in SPOILS {
                tell(&format!("{what}: {}", file.display()));
                let spoil = |at: &Path| spoil(&at.join(file), &kept.files[file], kept.sibling(file));
                kept.survives(file, what, *what != "a folder", &spoil);
            }
        }
        assert!(kept.server.count("/") > 0);
    });
    assert_eq!(fs::read("/etc/passwd").expect("readable"), passwd);
}

#[test]
fn records_that_lie() {
    watched(|tell| {
        let kept = Kept::make();
        let stems: Vec<_> = kept
            .files
            .keys()
            .filter(|path| path.extension().is_some_and(|kind| kind == "der"))
            .filter_map(|path| path.file_stem()?.to_str())
            .collect();
        let other_key = certcheck_testkit::Key::p256("other");
        let spki = certcheck_testkit::pem("X", other_key.spki());
        let spki: String = spki.lines().filter(|line| !line.starts_with('-')).collect();
        let lies: Vec<(&str, Value)> = vec![
            ("blob", json!("../../../../../../etc/passwd")),
            ("blob", json!("/etc/passwd")),
            ("blob", json!("")),
            ("blob", json!(".")),
            ("blob", json!("a".repeat(10_000))),
            ("blob", json!(stems[0])),
            ("blob", json!(stems[1])),
            ("blob", json!(null)),
            ("octets", json!(u64::MAX)),
            ("octets", json!(0)),
            ("octets", json!(-1)),
            ("octets", json!(1e300)),
            ("body", json!("")),
            ("body", json!("AAAA")),
            ("body", json!("?")),
            ("body", json!(null)),
            ("has_index", json!(true)),
            ("has_index", json!(false)),
            ("fetched_at", json!(i64::MAX)),
            ("fetched_at", json!(i64::MIN)),
            ("this_update", json!(i64::MIN)),
            ("this_update", json!(i64::MAX)),
            ("next_update", json!(i64::MAX)),
            ("next_update", json!(i64::MIN)),
            ("signers", json!([spki])),
            ("signers", json!([""])),
            ("signers", json!(vec!["AAAA"; 1_000])),
            ("signers", json!(["?"])),
            ("transport", json!({ "etag": "a\r\nb: c", "last_modified": "\u{0}", "fresh_until": i64::MAX })),
            ("transport", json!({ "fresh_until": i64::MIN })),
            ("certcheck", json!(2)),
            ("kind", json!("issuers")),
            ("kind", json!("ocsp")),
            ("kind", json!("")),
            ("url", json!("http://127.0.0.1:1/")),
            ("request", json!("AAAA")),
            ("more", json!(1)),
        ];
        for (file, content) in kept.files.iter().filter(|(path, _)| path.starts_with("records")) {
            for (name, lie) in &lies {
                let what = format!("{name} is {lie:.40}");
                tell(&format!("{what}: {}", file.display()));
                let mut record: Value = serde_json::from_slice(content).expect("JSON");
                record[*name] = lie.clone();
                let spoil = |at: &Path| fs::write(at.join(file), record.to_string()).expect("written");
                kept.survives(file, &what, true, &spoil);
            }
        }
    });
}

#[test]
fn an_index_with_one_bit_changed_hides_nothing() {
    watched(|tell| {
        let kept = Kept::make();
        let indexes: Vec<_> =
            kept.files.keys().filter(|path| path.extension().is_some_and(|kind| kind == "idx")).collect();
        assert_eq!(indexes.len(), 2);
        let length = kept.files[indexes[0]].len();
        // All of the header but its padding bit by bit, then here and there.
        let header = 0..128 * 8;
        let beyond = (0..300).map(|_| fastrand::usize(128 * 8..length * 8));
        for (turn, bit) in header.chain(beyond).enumerate() {
            let file = indexes[turn % 2];
            tell(&format!("bit {bit}"));
            let mut octets = kept.files[file].clone();
            octets[bit / 8] ^= 1 << (bit % 8);
            let folder = kept.again(&|at| fs::write(at.join(file), &octets).expect("written"));
            let offline = engine(open(folder.path()), true);
            for pair in kept.pairs.iter().filter(|pair| kept.is_about(file, pair)) {
                assert_eq!(pair.verdicts(&offline), RIGHT, "bit {bit}");
            }
        }
    });
}

#[test]
fn folders_that_others_can_write_are_refused() {
    for (part, mode, is_refused) in [
        ("", 0o777, true),
        ("", 0o770, true),
        ("", 0o1777, true),
        ("records", 0o777, true),
        ("blobs", 0o722, true),
        ("locks", 0o770, true),
        ("", 0o755, false),
        ("records", 0o700, false),
    ] {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("store");
        drop(open(&path));
        fs::set_permissions(path.join(part), Permissions::from_mode(mode)).expect("changed");
        let opened = DiskStore::open(&path, DiskOptions::default());
        let refused = matches!(opened, Err(StoreError::Unsafe(_)));
        assert_eq!((refused, opened.is_err()), (is_refused, is_refused), "{part} {mode:o}");
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("written");
    assert!(DiskStore::open(&file, DiskOptions::default()).is_err());
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let folder = TempDir::new().expect("a folder");
    seed(folder.path());
    let runtime = runtime();
    let mut options = DiskOptions::default();
    options.most = 2 << 20;
    let path = folder.path().join("store");
    let store = DiskStore::open(&path, options.clone()).expect("a store");
    let seed = seeded(folder.path(), &runtime);
    let urls: Vec<_> = (0..60).map(|n| format!("http://crl.test/{n}.crl")).collect();
    for (turn, url) in urls.iter().enumerate() {
        // Some in the record, some in a blob.
        let entries = if turn % 3 == 0 { 1_000 } else { 4_000 };
        let value = stored(&seed, &store, url, &crl(url, &[1], entries));
        runtime.block_on(store.put(&key_of(url), value)).expect("written");
        let record = path.join("records").join(format!("{}.json", key_of(url).to_hex()));
        if record.exists() {
            age(&record, Duration::from_secs(1_000 - u64::try_from(turn).expect("small")));
        }
    }
    store.tidy().expect("tidied");
    let size = |part: &str| -> u64 {
        names_in(&path.join(part))
            .iter()
            .map(|name| fs::metadata(path.join(part).join(name)).expect("there").len())
            .sum()
    };
    let total = size("records") + size("blobs");
    assert!((options.most / 2..=options.most).contains(&total), "{total}");
    let kept: Vec<_> =
        urls.iter().map(|url| runtime.block_on(store.get(&key_of(url))).expect("reads").is_some()).collect();
    let first = kept.iter().position(|is_kept| *is_kept).expect("some");
    assert!(first > 10 && kept[first..].iter().all(|is_kept| *is_kept), "{kept:?}");
    let listed = runtime.block_on(store.list()).expect("listed");
    assert_eq!(listed.len(), urls.len() - first);
    assert!(listed.iter().map(|entry| entry.octets).sum::<u64>() <= total);
}

/// Bodies may be given from memory too: of a store that is shared, say.
#[test]
fn octets_from_memory() {
    let folder = TempDir::new().expect("a folder");
    seed(folder.path());
    let runtime = runtime();
    let store = open(&folder.path().join("store"));
    let url = "http://crl.test/m.crl";
    for entries in [1, 5_000, 100_000] {
        let der = crl(url, &[1], entries);
        let mut value = stored(&seeded(folder.path(), &runtime), &store, url, &der);
        value.body = Body::from(Bytes::from(der.clone()));
        runtime.block_on(store.put(&key_of(url), value)).expect("written");
        let found = runtime.block_on(store.get(&key_of(url))).expect("reads").expect("there");
        assert_eq!((found.body.bytes == der, found.index.is_some()), (true, entries > 1));
    }
}
