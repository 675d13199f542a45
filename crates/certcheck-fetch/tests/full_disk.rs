//! Files that are mapped: a disk that is full, or another process that truncates them, ends no process.

mod store_kit;

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use certcheck_core::Verdict;
use certcheck_testkit::crl::{self as forge, Idp, RevokedCertificate};
use certcheck_testkit::ext::Point;
use certcheck_testkit::server::{Page, Server};
use tempfile::TempDir;

use store_kit::{Pair, RIGHT, builder, ca, names_in, open};

/// Where the child works; set for it alone.
const FOLDER: &str = "CERTCHECK_FULL_DISK";
/// MiB of the file system: the CRL fits, its index does not.
const ROOM: &str = "size=72m";
/// Entries whose index is so large that it goes where the CRL is.
const ENTRIES: u32 = 2_400_000;

fn list(url: &str, serial: &[u8], entries: u32, key: &certcheck_testkit::Key) -> Vec<u8> {
    let others = (0..entries).map(|n| RevokedCertificate::new(&[&[0x22][..], &n.to_be_bytes()].concat()));
    let point = Idp { point: Point::urls(&[url]), ..Idp::default() };
    forge::CrlBuilder::new("CN=Root")
        .revoking(others.chain([RevokedCertificate::new(serial)]))
        .with([point.ext()])
        .issue(key)
}

/// Not a test by itself: what is done on the small file system.
#[test]
fn a_child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let server = Server::start();
    let other = certcheck_testkit::Key::p256("signed by another");
    for (number, path, key, expected) in [
        (1, "/unsigned.crl", &other, (Verdict::Undetermined, Verdict::Undetermined)),
        // There is room for it in memory.
        (2, "/signed.crl", &ca(), RIGHT),
    ] {
        let url = server.url(path);
        let pair = Pair::new(number, &url, false);
        server.serve(path, Page::new(list(&url, &Pair::bad(number), ENTRIES, key)));
        let cache = folder.join(path.trim_matches('/'));
        let engine = builder().disk_store(open(&cache)).build().expect("an engine");
        assert_eq!(pair.verdicts(&engine), expected, "{path}");
        engine.flush_blocking();
        drop(engine);
        let left: Vec<_> = names_in(&cache.join("blobs"));
        assert!(!left.iter().any(|name| name.starts_with(".arriving-")), "{path}: {left:?}");
        fs::remove_dir_all(&cache).expect("removed");
    }
}

#[test]
fn a_full_disk_ends_no_process() {
    let folder = TempDir::new().expect("a folder");
    let program = std::env::current_exe().expect("a program");
    let script =
        format!("mount -t tmpfs -o {ROOM},mode=700 tmpfs \"$0\" || exit 77; exec \"$1\" --exact a_child");
    let ended = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .args([folder.path(), &program])
        .env(FOLDER, folder.path())
        .output();
    let ended = match ended {
        Ok(ended) if !matches!(ended.status.code(), Some(1 | 77)) || !ended.stdout.is_empty() => ended,
        other => {
            println!("skipped: no file system of {ROOM} can be mounted here: {other:?}");
            return;
        }
    };
    let output = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert_eq!(ended.status.signal(), None, "{output:?}");
    assert!(ended.status.success(), "{output:?}");
    assert!(output[0].contains("1 passed"), "{output:?}");
}

/// All files of a store, shortened to nothing by another process.
fn truncate_all(folder: &Path) -> usize {
    let mut truncated = 0;
    for part in ["blobs", "records"] {
        for name in names_in(&folder.join(part)) {
            let file = folder.join(part).join(name);
            let ended = Command::new("truncate").args(["-s", "0"]).arg(&file).status().expect("runs");
            assert!(
                ended.success() && File::open(&file).expect("there").metadata().expect("read").len() == 0
            );
            truncated += 1;
        }
    }
    truncated
}

/// What was fetched, what was read from the store, and an index that is trusted.
#[test]
fn files_that_another_process_truncates_end_no_process() {
    let server = Server::start();
    let url = server.url("/large.crl");
    let pair = Pair::new(1, &url, false);
    server.serve("/large.crl", Page::new(list(&url, &Pair::bad(1), 100_000, &ca())));
    let folder = TempDir::new().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let fetched = builder().disk_store(open(&at("first"))).build().expect("an engine");
    assert_eq!(pair.verdicts(&fetched), RIGHT);
    fetched.flush_blocking();
    let ended = Command::new("cp").arg("-a").args([at("first"), at("second")]).status().expect("runs");
    assert!(ended.success());
    let read = builder().disk_store(open(&at("second"))).offline(true).build().expect("an engine");
    assert_eq!(pair.verdicts(&read), RIGHT);
    for name in ["first", "second"] {
        assert_eq!(truncate_all(&at(name)), 3, "record, CRL and index");
    }
    for engine in [fetched, read] {
        for _ in 0..3 {
            engine.forget_paths();
            assert_eq!(pair.verdicts(&engine), RIGHT);
        }
    }
    // What is left of it on the disk is damaged, and not taken.
    let late = builder().disk_store(open(&at("first"))).offline(true).build().expect("an engine");
    assert_eq!(pair.verdicts(&late), (Verdict::Undetermined, Verdict::Undetermined));
}
