//! The commands that the pages show, run as a reader would paste them, and their output compared.
//!
//! Blocks of README.md and docs/*.md, by the word after the fence:
//!
//! | word | meaning |
//! |---|---|
//! | `sh` | given to the shell whole; every command succeeds, unless an `output` block follows |
//! | `output` | what the `sh` block before it prints |
//! | `console` | a command after each `$ `, and its output |
//! | anything else | not run |
//!
//! Errors are part of the output. Times, ports and keys of a lab, durations and rates differ in each run and are compared by
//! their form (`pages/same.rs`); a line `...` stands for any lines.
//!
//! A page has one folder of its own, with the files that readers are supposed to have: `testdata`, `examples`, `keyring`,
//! `client.pem`, `crls`. A block that is `certcheck lab` alone runs in a second terminal until the page ends.
//!
//! `UPDATE_DOCS=1` writes the output of this run into the pages.
#![allow(clippy::unwrap_used, reason = "an unexpected page or program fails the test")]

#[path = "pages/block.rs"]
mod block;
#[path = "pages/same.rs"]
mod same;
#[path = "pages/terminal.rs"]
mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use block::Block;
use terminal::Terminal;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the blocks of a page and holds them to what the page shows.
fn run(name: &str) {
    let path = root().join(name);
    let page = fs::read_to_string(&path).unwrap();
    let blocks = block::of(&page);
    let mut terminal = Terminal::open();
    let (mut made, mut faults) = (page.clone(), Vec::new());
    let updates = std::env::var_os("UPDATE_DOCS").is_some();
    for block in blocks.iter().filter(|block| block.runs()) {
        let Some(output) = terminal.run(block, &mut faults) else { continue };
        let shown = block.shown();
        if !same::is_same(shown, &output, terminal.has_lab()) {
            made = made.replacen(&block.with(shown), &block.with(&output), 1);
            if !updates {
                faults.push(format!("{name}: the page shows\n{shown}\nand the program says\n{output}"));
            }
        }
    }
    if updates && made != page {
        fs::write(&path, made).unwrap();
    }
    assert!(faults.is_empty(), "{}\nUPDATE_DOCS=1 writes the page", faults.join("\n"));
}

/// Every page with a block that runs has a test below.
#[test]
fn every_page_is_run() {
    let tests = include_str!("pages.rs");
    let folders = ["docs", "docs/proxies"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let docs = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    for path in pages.chain([root().join("README.md")]) {
        let page = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let is_run = tests.contains(&format!("run(\"{name}\")"));
        assert!(is_run || !block::of(&page).iter().any(Block::runs), "no test runs the blocks of {name}");
    }
}

#[test]
fn readme() {
    run("README.md");
}

#[test]
fn at_tls() {
    run("docs/at-tls.md");
}

#[test]
fn install() {
    run("docs/install.md");
}

#[test]
fn json() {
    run("docs/json.md");
}

#[test]
fn lab() {
    run("docs/lab.md");
}

#[test]
fn operating() {
    run("docs/operating.md");
}

#[test]
fn pipelines() {
    run("docs/pipelines.md");
}

#[test]
fn policy() {
    run("docs/policy.md");
}

#[test]
fn serve() {
    run("docs/serve.md");
}

#[test]
fn settings() {
    run("docs/settings.md");
}

/// One at a time: the examples of proxies have ports of their own.
static EXAMPLES: Mutex<()> = Mutex::new(());

#[test]
fn validation() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/validation.md");
}

#[test]
fn mirror() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/mirror.md");
}

#[test]
fn nginx() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/proxies/nginx.md");
}

#[test]
fn haproxy() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/proxies/haproxy.md");
}

#[test]
fn caddy() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/proxies/caddy.md");
}

#[test]
fn apache() {
    let _alone = EXAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    run("docs/proxies/apache.md");
}
