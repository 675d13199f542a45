//! Generated pages.

use std::fs;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use crate::{command, stamps};

/// The tests that write their pages when `UPDATE_DOCS=1` is set: the arguments of `cargo test`.
pub(crate) const WRITERS: [&[&str]; 7] = [
    &["-p", "certcheck", "--test", "json"],
    &["-p", "certcheck", "--test", "pages"],
    &["-p", "certcheck-rustls", "--test", "alerts"],
    &["-p", "certcheck-rustls", "--test", "examples"],
    &["-p", "certcheck-fetch", "--test", "faults"],
    &["-p", "certcheck-serve", "--test", "at_tls_vocabulary"],
    &["-p", "certcheck-testkit", "--features", "imports", "--test", "architecture"],
];

/// Writes all generated pages, the version in other files, and the book.
pub(crate) fn docs(workspace: &Workspace, _arguments: &[String]) -> Result<()> {
    stamps::write(workspace)?;
    for arguments in WRITERS {
        let mut test = workspace.cargo();
        test.args(["test", "--profile", "quick"]).args(arguments).env("UPDATE_DOCS", "1");
        command::run(&mut test)?;
    }
    let mut reference = workspace.cargo();
    reference.args(["run", "--quiet", "--profile", "quick", "-p", "certcheck", "--", "reference"]);
    let page = command::output(&mut reference)?;
    fs::write(workspace.root().join("docs/cli.md"), page).context("cannot write docs/cli.md")?;
    if let Some(mdbook) = command::find("mdbook") {
        command::run(
            std::process::Command::new(mdbook).args(["build", "docs"]).current_dir(workspace.root()),
        )?;
    } else {
        println!("left out: target/book, because mdbook is not installed (cargo install mdbook)");
    }
    Ok(())
}
