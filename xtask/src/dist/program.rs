//! The static program, with its manual pages and completions, staged as below a prefix.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Dist, Outcome, made};
use crate::command;

/// Bytes that the program may have.
const MAX_SIZE: u64 = 15 << 20;

/// Where the completions of each shell go.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/certcheck"),
    ("zsh", "share/zsh/site-functions/_certcheck"),
    ("fish", "share/fish/vendor_completions.d/certcheck.fish"),
];

/// Files of the workspace that come with the program.
const DOCUMENTS: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Files of `packaging/systemd`, and where they go.
const SYSTEMD: [(&str, &str); 4] = [
    ("certcheck-serve.service", "lib/systemd/system/certcheck-serve.service"),
    ("certcheck-watch.service", "lib/systemd/system/certcheck-watch.service"),
    ("certcheck.sysusers.conf", "lib/sysusers.d/certcheck.conf"),
    ("certcheck.tmpfiles.conf", "lib/tmpfiles.d/certcheck.conf"),
];

pub(super) fn make(dist: &Dist<'_>) -> Result<Outcome> {
    if command::find("musl-gcc").is_none() {
        return Ok(left_out("musl-gcc is not installed".to_owned()));
    }
    let libraries =
        command::line(Command::new("rustc").args(["--print", "target-libdir", "--target", &dist.target]))?;
    if !Path::new(&libraries).is_dir() {
        return Ok(left_out(format!("the Rust target {} is not installed", dist.target)));
    }
    let built = build(dist)?;
    let bytes = fs::read(&built.program)?;
    if bytes.len() as u64 > MAX_SIZE {
        bail!("the program has {} bytes, and may have {MAX_SIZE} at most", bytes.len());
    }
    if is_dynamic(&bytes).context("the program is not a 64-bit ELF file")? {
        bail!("{} is not static: it names an interpreter", built.program.display());
    }
    stage(dist, &built.program)?;
    let embedded = if built.is_audited {
        "its dependencies are listed inside (cargo audit bin)"
    } else {
        "its dependencies are NOT listed inside, because cargo-auditable is not installed (cargo install cargo-auditable)"
    };
    Ok(Outcome::Made { files: Vec::new(), tried: format!("{} bytes, static, {embedded}", bytes.len()) })
}

fn left_out(reason: String) -> Outcome {
    let install = "apt-get install musl-tools; rustup target add x86_64-unknown-linux-musl";
    Outcome::LeftOut { reason, install }
}

struct Built {
    program: PathBuf,
    is_audited: bool,
}

fn build(dist: &Dist<'_>) -> Result<Built> {
    let is_audited = command::find("cargo-auditable").is_some();
    let mut cargo = dist.workspace.cargo();
    if is_audited {
        cargo.arg("auditable");
    }
    cargo.args([
        "build",
        "--locked",
        "--release",
        "-p",
        "certcheck",
        "--bin",
        "certcheck",
        "--target",
        &dist.target,
    ]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(dist)).env("SOURCE_DATE_EPOCH", dist.epoch.to_string());
    command::run(&mut cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| dist.workspace.root().join("target"), PathBuf::from);
    let program = dist.workspace.root().join(target).join(&dist.target).join("release/certcheck");
    Ok(Built { program: made(program)?, is_audited })
}

/// Compiler flags that keep the folders of this machine out of the program, so that it is the same wherever it is built.
fn flags(dist: &Dist<'_>) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=certcheck", dist.workspace.root().display())];
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=cargo", home.display())));
    flags.join("\u{1f}")
}

/// Whether an ELF file names a dynamic linker: has a program header of type `PT_INTERP`.
///
/// Returns `None` if the file is not a little-endian 64-bit ELF file.
fn is_dynamic(elf: &[u8]) -> Option<bool> {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, width: usize| {
        let bytes = elf.get(at..at + width)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    if elf.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (start, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let mut types = (0..count).map(|index| number(usize::try_from(start + index * size).ok()?, 4));
    types.try_fold(false, |found, kind| Some(found || kind? == PT_INTERP))
}

fn stage(dist: &Dist<'_>, program: &Path) -> Result<()> {
    let staged = place(dist, "bin/certcheck")?;
    fs::copy(program, &staged).context("cannot stage the program")?;
    let manual = dist.stage.join("share/man/man1");
    command::run(Command::new(&staged).arg("manual").arg("--dir").arg(manual))?;
    for (shell, path) in COMPLETIONS {
        fs::write(place(dist, path)?, command::output(Command::new(&staged).args(["completions", shell]))?)?;
    }
    for name in DOCUMENTS {
        fs::copy(dist.workspace.root().join(name), place(dist, &format!("share/doc/certcheck/{name}"))?)?;
    }
    for (name, path) in SYSTEMD {
        fs::copy(dist.workspace.root().join("packaging/systemd").join(name), place(dist, path)?)?;
    }
    Ok(())
}

/// Returns where a file goes in the stage, and makes the folder for it.
fn place(dist: &Dist<'_>, path: &str) -> Result<PathBuf> {
    let path = dist.stage.join(path);
    fs::create_dir_all(path.parent().context("a file without a folder")?)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::is_dynamic;

    /// A header with one program header, of this type.
    fn elf(kind: u8) -> Vec<u8> {
        let mut elf = vec![0; 0x40 + 0x38];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[0x20], elf[0x36], elf[0x38], elf[0x40]) = (0x40, 0x38, 1, kind);
        elf
    }

    #[test]
    fn a_program_with_an_interpreter_is_dynamic() {
        assert_eq!(is_dynamic(&elf(3)), Some(true));
        assert_eq!(is_dynamic(&elf(1)), Some(false));
    }

    #[test]
    fn what_is_not_a_whole_elf_file_has_no_answer() {
        assert_eq!(is_dynamic(b"#!/bin/sh\n"), None);
        assert_eq!(is_dynamic(&elf(3)[..0x40]), None);
    }
}
