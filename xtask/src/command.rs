//! Other programs: whether they are installed, and running them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a command, shows it first, and fails if the command does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("\n== {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Returns what a command prints, and fails if the command does.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(command), output.status);
    }
    Ok(output.stdout)
}

/// Returns the first line of text that a command prints.
pub(crate) fn line(command: &mut Command) -> Result<String> {
    let text = String::from_utf8(output(command)?).context("the output is not UTF-8")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Returns where a program is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
