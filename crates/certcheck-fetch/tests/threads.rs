//! A system that gives no more threads: an error that says so, and no abort.

use std::process::Command;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::{Engine, EngineError};
use certcheck_testkit::{Cert, Key};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set for the child alone.
const CHILD: &str = "CERTCHECK_NO_THREADS";

/// Memory that a few small values still find, and no stack does.
const SPARE: u64 = 1 << 20;

/// Not a test by itself: what is done where there is no room for another stack.
#[test]
fn a_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let root = Key::p256("threads");
    let root = Cert::root("CN=Root", &root).issue(&root);
    let ring = || {
        let mut builder = RingBuilder::new();
        builder.add("root", &root, Placement::Anchor).expect("parsed");
        builder.build().expect("builds")
    };
    let build = || Engine::builder(ring(), Policy::client(Revocation::HardFail)).build();
    let statm = std::fs::read_to_string("/proc/self/statm").expect("readable");
    let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number");
    let before = getrlimit(Resource::As);
    let tight = Rlimit { current: Some(pages * 4_096 + SPARE), maximum: before.maximum };
    setrlimit(Resource::As, tight).expect("set");
    let built = build().map(drop);
    setrlimit(Resource::As, before).expect("set");
    assert!(matches!(built, Err(EngineError::Runtime(_))), "{built:?}");
    drop(build().expect("threads enough"));
}

#[test]
fn an_engine_without_threads_is_an_error() {
    let ended = Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", "a_child"])
        .env(CHILD, "1")
        .output()
        .expect("runs");
    let output = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && output.contains("1 passed"), "{}: {output}", ended.status);
}
