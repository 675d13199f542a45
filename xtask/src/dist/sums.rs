//! What describes the release files: their SHA-256 sums, and the list of dependencies.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Dist, Outcome, made, name_of};
use crate::command;

/// Returns a SHA-256 sum in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Writes `SHA256SUMS`, as `sha256sum --check` reads it.
pub(super) fn write(dist: &Dist<'_>, files: &[PathBuf]) -> Result<()> {
    let mut lines = String::new();
    for file in files {
        lines += &format!("{}  {}\n", sha256(&fs::read(file)?), name_of(file));
    }
    fs::write(dist.file("SHA256SUMS"), lines).context("cannot write SHA256SUMS")
}

/// Makes an SBOM in the CycloneDX format.
pub(super) fn dependencies(dist: &Dist<'_>) -> Result<Outcome> {
    if command::find("cargo-cyclonedx").is_none() {
        let reason = "cargo-cyclonedx is not installed".to_owned();
        return Ok(Outcome::LeftOut { reason, install: "cargo install cargo-cyclonedx" });
    }
    // The tool writes next to the manifest of every crate of the workspace.
    let name = format!("certcheck-{}.cdx", dist.version);
    let mut cargo = dist.workspace.cargo();
    cargo.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
    cargo.args(["--target", &dist.target, "--override-filename", &name]);
    command::run(cargo.env("SOURCE_DATE_EPOCH", dist.epoch.to_string()))?;
    let file = dist.file(&format!("{name}.json"));
    for folder in dist.workspace.folders() {
        let written = folder.join(format!("{name}.json"));
        if folder.ends_with("crates/certcheck") {
            let sbom = fs::read_to_string(&written).context("no SBOM of the program")?;
            // Our own crates are named by their folders, which differ from machine to machine.
            let root = format!("file://{}/", dist.workspace.root().display());
            fs::write(&file, sbom.replace(&root, "file:///certcheck/"))?;
        }
        if written.exists() {
            fs::remove_file(written)?;
        }
    }
    let sbom: Value = serde_json::from_slice(&fs::read(made(file.clone())?)?)?;
    let components = sbom["components"].as_array().context("an SBOM without components")?;
    let has = |name: &str| components.iter().any(|component| component["name"] == name);
    if !has("certcheck-core") || !has("rustls") {
        bail!("the SBOM does not list certcheck-core and rustls");
    }
    let tried = format!("CycloneDX, {} components", components.len());
    Ok(Outcome::Made { files: vec![file], tried })
}
