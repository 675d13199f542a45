//! Packages of distributions, made by cargo-deb and cargo-generate-rpm. What goes where is in `crates/certcheck/Cargo.toml`.

use anyhow::Result;

use super::trial::Root;
use super::{Dist, Outcome, made, without_program};
use crate::command;

/// Installed files that a package must have, apart from the program. The suffix of a compressed page differs.
const COMPANIONS: [&str; 5] = [
    "usr/share/bash-completion/completions/certcheck",
    "usr/share/doc/certcheck/LICENSE-MIT",
    "usr/lib/systemd/system/certcheck-serve.service",
    "usr/lib/sysusers.d/certcheck.conf",
    "usr/lib/tmpfiles.d/certcheck.conf",
];

pub(super) fn debian(dist: &Dist<'_>) -> Result<Outcome> {
    if dist.program().is_none() {
        return Ok(without_program());
    }
    if command::find("cargo-deb").is_none() {
        let reason = "cargo-deb is not installed".to_owned();
        return Ok(Outcome::LeftOut { reason, install: "cargo install cargo-deb" });
    }
    let file = dist.file(&format!("certcheck_{}_{}.deb", dist.version, debian_architecture()));
    let mut cargo = dist.workspace.cargo();
    cargo.args([
        "deb",
        "--quiet",
        "--no-build",
        "--no-strip",
        "-p",
        "certcheck",
        "--target",
        &dist.target,
        "--output",
    ]);
    command::run(cargo.arg(&file).env("SOURCE_DATE_EPOCH", dist.epoch.to_string()))?;
    let file = made(file)?;

    let root = Root::new(dist, "deb")?;
    let Some(mut dpkg) = root.installer("dpkg").filter(|_| command::find("dpkg").is_some()) else {
        return Ok(Outcome::Made { files: vec![file], tried: untried("dpkg") });
    };
    // The root has no shell. The scripts of the package run outside of it, for it.
    dpkg.arg("--force-script-chrootless");
    command::run(dpkg.arg("--root").arg(root.folder()).arg("--install").arg(&file))?;
    root.has(&COMPANIONS)?;
    root.has(&["usr/share/man/man1/certcheck-verify.1.gz", "usr/share/zsh/vendor-completions/_certcheck"])?;
    let tried = root.try_program("usr", None)?;
    Ok(Outcome::Made { files: vec![file], tried })
}

fn untried(manager: &str) -> String {
    format!("NOT tried: that needs {manager}, and root or user namespaces")
}

fn debian_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

pub(super) fn rpm(dist: &Dist<'_>) -> Result<Outcome> {
    if dist.program().is_none() {
        return Ok(without_program());
    }
    if command::find("cargo-generate-rpm").is_none() {
        let reason = "cargo-generate-rpm is not installed".to_owned();
        return Ok(Outcome::LeftOut { reason, install: "cargo install cargo-generate-rpm" });
    }
    let file = dist.file(&format!("certcheck-{}-1.{}.rpm", dist.version, std::env::consts::ARCH));
    let mut cargo = dist.workspace.cargo();
    cargo.args([
        "generate-rpm",
        "-p",
        "crates/certcheck",
        "--target",
        &dist.target,
        "--auto-req",
        "disabled",
    ]);
    command::run(cargo.args(["--source-date", &dist.epoch.to_string(), "--output"]).arg(&file))?;
    let file = made(file)?;

    let root = Root::new(dist, "rpm")?;
    let Some(mut rpm) = root.installer("rpm").filter(|_| command::find("rpm").is_some()) else {
        return Ok(Outcome::Made { files: vec![file], tried: untried("rpm") });
    };
    // The root has no other packages, not even a shell.
    rpm.arg("--root").arg(root.folder()).args(["--dbpath", "/var/lib/rpm", "--install", "--nodeps"]);
    command::run(rpm.arg(&file))?;
    root.has(&COMPANIONS)?;
    root.has(&["usr/share/man/man1/certcheck-verify.1", "usr/share/zsh/site-functions/_certcheck"])?;
    let tried = root.try_program("usr", None)?;
    Ok(Outcome::Made { files: vec![file], tried })
}
