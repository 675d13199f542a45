//! The tasks of this workspace, one word each: `cargo xtask help` lists them.
#![forbid(unsafe_code)]

mod command;
mod dist;
mod pages;
mod stamps;
#[cfg(test)]
mod tests;
mod workspace;

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// A word of the command line.
struct Word {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<()>,
}

const WORDS: [Word; 8] = [
    Word {
        name: "ci",
        about: "everything, as on a build machine: installs what is missing",
        run: |workspace, arguments| script(workspace, ".ci/run", arguments),
    },
    Word { name: "test", about: "the tests; with arguments, those of `cargo test ARGUMENTS`", run: test },
    Word {
        name: "lint",
        about: "format, lints, documentation, feature sets, oldest compiler, packages",
        run: |workspace, arguments| script(workspace, ".ci/lint", arguments),
    },
    Word { name: "docs", about: "writes all generated pages, and the book in target/book", run: pages::docs },
    Word {
        name: "fuzz",
        about: "fuzzes: SECONDS [TARGET...]",
        run: |workspace, arguments| script(workspace, ".ci/fuzz", arguments),
    },
    Word { name: "bench", about: "the benchmarks; arguments go to `cargo bench`", run: bench },
    Word { name: "dist", about: "makes and tries the release files, in target/dist", run: dist::dist },
    Word { name: "help", about: "lists these words", run: |_, _| help() },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let word = arguments.next().unwrap_or_else(|| "help".to_owned());
    match start(&word, &arguments.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(word: &str, arguments: &[String]) -> Result<()> {
    let known = WORDS.iter().find(|known| known.name == word.trim_start_matches("--"));
    let Some(known) = known else { bail!("`{word}` is not a task; `cargo xtask help` lists them") };
    (known.run)(&Workspace::load()?, arguments)
}

#[expect(clippy::unnecessary_wraps, reason = "has the form of every task")]
fn help() -> Result<()> {
    println!("cargo xtask WORD [ARGUMENTS]\n");
    for word in &WORDS {
        println!("  {:<6} {}", word.name, word.about);
    }
    Ok(())
}

fn script(workspace: &Workspace, path: &str, arguments: &[String]) -> Result<()> {
    command::run(Command::new("bash").arg(path).args(arguments).current_dir(workspace.root()))
}

fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    if arguments.is_empty() {
        let mut all = Command::new("bash");
        return command::run(all.arg(".ci/test").env("QUICK", "1").current_dir(workspace.root()));
    }
    command::run(workspace.cargo().args(["test", "--profile", "quick"]).args(arguments))
}

fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    command::run(workspace.cargo().args(["bench", "-p", "certcheck-benches"]).args(arguments))
}
