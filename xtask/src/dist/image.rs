//! The container image, made by buildah or podman and tried without either.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::trial::{Root, tar_into};
use super::{Dist, Outcome, archive, made, without_program};
use crate::command;

pub(super) fn make(dist: &Dist<'_>) -> Result<Outcome> {
    if dist.program().is_none() {
        return Ok(without_program());
    }
    let Some(builder) = ["buildah", "podman"].iter().find(|name| command::find(name).is_some()) else {
        let reason = "neither buildah nor podman is installed".to_owned();
        return Ok(Outcome::LeftOut { reason, install: "apt-get install buildah" });
    };
    let name = format!("certcheck:{}", dist.version);
    let file = dist.file(&format!("certcheck-{}-{}.oci.tar", dist.version, std::env::consts::ARCH));
    let builder = || {
        let mut command = std::process::Command::new(builder);
        command.current_dir(dist.workspace.root());
        command
    };
    let mut build = builder();
    build.args(["build", "--isolation", "chroot", "--timestamp", &dist.epoch.to_string()]);
    command::run(build.args(["--file", "packaging/Containerfile", "--tag", &name]).arg(&dist.stage))?;
    let image = format!("oci-archive:{}:{name}", file.display());
    command::run(builder().args(["push", "--format", "oci", &name, &image]))?;
    let image = Image::read(&made(file.clone())?)?;
    // Again, because the builder gives each file the time of day.
    fs::write(&file, archive::tar(&image.0, dist.epoch)?)?;
    let tried = try_image(dist, &image)?;
    Ok(Outcome::Made { files: vec![file], tried })
}

/// Unpacks the image as a runtime does, and runs its program as its user.
fn try_image(dist: &Dist<'_>, image: &Image) -> Result<String> {
    let index = image.json("index.json")?;
    let manifest = image.json(&blob(&index["manifests"][0])?)?;
    let config = image.json(&blob(&manifest["config"])?)?;
    let settings = &config["config"];
    if settings["Entrypoint"] != serde_json::json!(["/usr/bin/certcheck"]) {
        bail!("the image starts {}", settings["Entrypoint"]);
    }
    let user = settings["User"].as_str().unwrap_or_default();
    if user.is_empty() || user.split(':').any(|part| part == "0" || part == "root") {
        bail!("the image runs as user `{user}`, which is root");
    }
    let root = Root::new(dist, "image")?;
    for layer in manifest["layers"].as_array().context("the image has no layers")? {
        tar_into(&root.path("")?, image.file(&blob(layer)?)?, 0)?;
    }
    root.try_program("usr", Some(user))
}

/// The files of an image in the OCI layout.
struct Image(BTreeMap<PathBuf, Vec<u8>>);

impl Image {
    fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file)?;
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(&*bytes).entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_dir() {
                continue;
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.insert(entry.path()?.into_owned(), content);
        }
        Ok(Self(files))
    }

    fn file(&self, path: &str) -> Result<&[u8]> {
        let file = self.0.get(Path::new(path));
        Ok(file.with_context(|| format!("the image has no {path}"))?)
    }

    fn json(&self, path: &str) -> Result<Value> {
        serde_json::from_slice(self.file(path)?).with_context(|| format!("{path} is not JSON"))
    }
}

/// Returns where the blob of a descriptor is.
fn blob(descriptor: &Value) -> Result<String> {
    let digest = descriptor["digest"].as_str().context("a descriptor without digest")?;
    Ok(format!("blobs/{}", digest.replace(':', "/")))
}
