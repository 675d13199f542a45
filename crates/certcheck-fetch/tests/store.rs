//! The disk store that is found damaged: never a wrong verdict, nothing to repair by hand.

mod store_kit;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use certcheck_fetch::store::{DiskOptions, DiskStore, Store, StoreError};
use certcheck_fetch::{Body, EvidenceKey};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

use store_kit::{
    HANGS, Pair, RIGHT, age, builder, ca, crl, engine, is_wrong, key_of, names_in, open, runtime, seed,
    seeded, stored,
};

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
        // Two of a length, so that nothing but their content differs.
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
        // An index is kept for those who trust it alone.
        let engine = builder().disk_store(open(folder.path())).build().expect("an engine");
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
        let what_is_done = format!("{what}: {}", file.display());
        let is_index = file.extension().is_some_and(|kind| kind == "idx");
        let folder = self.again(spoil);
        let offline = engine(open(folder.path()), true);
        for pair in &self.pairs {
            let got = pair.verdicts(&offline);
            assert!(!is_wrong(got), "offline, {what_is_done}, {}: {got:?}", pair.url);
            assert!(
                got == RIGHT || (self.is_about(file, pair) && !is_index),
                "offline, {what_is_done}, {}: {got:?}",
                pair.url
            );
        }
        drop(offline);

        let folder = self.again(spoil);
        let store = open(folder.path());
        let runtime = runtime();
        let keys = self.files.keys().filter_map(|path| EvidenceKey::from_hex(path.file_stem()?.to_str()?));
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
            assert_eq!(pair.verdicts(&online), RIGHT, "online, {what_is_done}, {}", pair.url);
        }
        online.flush_blocking();
        drop(online);
        let offline = engine(open(folder.path()), true);
        for pair in self.pairs.iter().filter(|pair| is_removable || !self.is_about(file, pair)) {
            assert_eq!(pair.verdicts(&offline), RIGHT, "afterwards, {what_is_done}, {}", pair.url);
        }
    }
}

/// Runs it, and fails where it stands still: what it does is noted as it goes.
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
    ("without its last byte", |path, own, _| fs::write(path, &own[..own.len() - 1]).expect("written")),
    ("one byte more", |path, own, _| fs::write(path, [own, &[0]].concat()).expect("written")),
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
    watched(|note| {
        let kept = Kept::make();
        for file in kept.files.keys() {
            for (what, spoil) in SPOILS {
                note(&format!("{what}: {}", file.display()));
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
    watched(|note| {
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
            ("bytes", json!(u64::MAX)),
            ("bytes", json!(0)),
            ("bytes", json!(-1)),
            ("bytes", json!(1e300)),
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
                note(&format!("{what}: {}", file.display()));
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
    watched(|note| {
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
            note(&format!("bit {bit}"));
            let mut bytes = kept.files[file].clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let folder = kept.again(&|at| fs::write(at.join(file), &bytes).expect("written"));
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
    options.max_bytes = 2 << 20;
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
    assert!((options.max_bytes / 2..=options.max_bytes).contains(&total), "{total}");
    let kept: Vec<_> =
        urls.iter().map(|url| runtime.block_on(store.get(&key_of(url))).expect("reads").is_some()).collect();
    let first = kept.iter().position(|is_kept| *is_kept).expect("some");
    assert!(first > 10 && kept[first..].iter().all(|is_kept| *is_kept), "{kept:?}");
    let listed = runtime.block_on(store.list()).expect("listed");
    assert_eq!(listed.len(), urls.len() - first);
    assert!(listed.iter().map(|entry| entry.bytes).sum::<u64>() <= total);
}

/// Bodies may be given from memory too: of a store that is shared, say.
#[test]
fn bytes_from_memory() {
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
