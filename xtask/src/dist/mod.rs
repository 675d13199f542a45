//! Release files: each is made and tried in `target/dist`, and what cannot be made is listed with the reason.

mod archive;
mod image;
mod packages;
mod program;
mod source;
mod sums;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::workspace::Workspace;

/// The result of one step.
enum Outcome {
    /// Files were made, and what was tried with them.
    Made { files: Vec<PathBuf>, tried: String },
    /// Something is missing on this machine.
    LeftOut { reason: String, install: &'static str },
}

struct Step {
    name: &'static str,
    make: fn(&Dist<'_>) -> Result<Outcome>,
}

/// In this order: the first makes the program that the next ones pack.
const STEPS: [Step; 7] = [
    Step { name: "static program", make: program::make },
    Step { name: "tarball", make: archive::make },
    Step { name: "Debian package", make: packages::debian },
    Step { name: "RPM package", make: packages::rpm },
    Step { name: "container image", make: image::make },
    Step { name: "source and Homebrew formula", make: source::make },
    Step { name: "list of dependencies (SBOM)", make: sums::dependencies },
];

/// What every step needs.
struct Dist<'w> {
    workspace: &'w Workspace,
    version: String,
    /// The target of the static program.
    target: String,
    /// The time of everything in the files: that of the commit.
    epoch: u64,
    /// Where the files go.
    out: PathBuf,
    /// The installed files, as below a prefix such as `/usr/local`.
    stage: PathBuf,
}

impl<'w> Dist<'w> {
    fn new(workspace: &'w Workspace) -> Result<Self> {
        let target = workspace.root().join("target");
        Ok(Self {
            workspace,
            version: workspace.version()?.to_owned(),
            target: format!("{}-unknown-linux-musl", std::env::consts::ARCH),
            epoch: epoch(workspace)?,
            out: target.join("dist"),
            stage: target.join("stage"),
        })
    }

    /// The staged program, or why there is none.
    fn program(&self) -> Option<PathBuf> {
        Some(self.stage.join("bin/certcheck")).filter(|program| program.is_file())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }
}

/// Outcome of a step that packs the static program, where there is none.
fn without_program() -> Outcome {
    Outcome::LeftOut { reason: "there is no static program to pack".to_owned(), install: "see above" }
}

/// Makes and tries all that can be made on this machine. With `--release TAG` only from the commit of that release, and
/// nothing may be left out.
pub(crate) fn dist(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let dist = Dist::new(workspace)?;
    let release = match arguments {
        [] => None,
        [flag, tag] if flag == "--release" => Some(tag),
        _ => bail!("cargo xtask dist [--release TAG]"),
    };
    if let Some(tag) = release {
        check_release(&dist, tag)?;
    }
    for folder in [&dist.out, &dist.stage] {
        empty(folder)?;
    }
    let mut made = Vec::new();
    let mut left_out = Vec::new();
    let mut summary = String::new();
    for step in STEPS {
        println!("\n==== {}", step.name);
        match (step.make)(&dist).with_context(|| format!("{} cannot be made", step.name))? {
            Outcome::Made { files, tried } => {
                summary += &format!("made      {}: {tried}\n", step.name);
                for file in files {
                    let size = fs::metadata(&file)?.len();
                    summary += &format!("          {} ({size} bytes)\n", name_of(&file));
                    made.push(file);
                }
            }
            Outcome::LeftOut { reason, install } => {
                left_out.push(step.name);
                summary += &format!("LEFT OUT  {}: {reason}\n          to make it: {install}\n", step.name);
            }
        }
    }
    sums::write(&dist, &made)?;
    println!("\n==== summary\n{summary}\nin {}, with SHA256SUMS", dist.out.display());
    if !is_clean(workspace)? {
        println!("Not for release: the working tree has changes that are not committed.");
    }
    if release.is_some() && !left_out.is_empty() {
        bail!("a release has everything, and this one has no {}", left_out.join(", no "));
    }
    Ok(())
}

/// Fails if what would be made is not the release of this tag.
fn check_release(dist: &Dist<'_>, tag: &str) -> Result<()> {
    if tag.strip_prefix('v') != Some(&dist.version) {
        bail!(
            "the tag is {tag}, and the version in Cargo.toml is {version}: the tag must be v{version}",
            version = dist.version
        );
    }
    if !is_clean(dist.workspace)? {
        bail!("the working tree has changes that are not committed; `git status` lists them");
    }
    Ok(())
}

/// Seconds since 1970 that everything made gets as its time: `SOURCE_DATE_EPOCH`, or the time of the commit.
fn epoch(workspace: &Workspace) -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => command::line(workspace.git().args(["log", "-1", "--format=%ct"]))
            .context("the time of the commit is not known; set SOURCE_DATE_EPOCH")?,
    };
    text.trim().parse().with_context(|| format!("`{text}` is not a number of seconds since 1970"))
}

fn is_clean(workspace: &Workspace) -> Result<bool> {
    Ok(command::output(workspace.git().args(["status", "--porcelain"]))?.is_empty())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Fails if a file was not made.
fn made(file: PathBuf) -> Result<PathBuf> {
    if !file.is_file() {
        bail!("{} was not made", file.display());
    }
    Ok(file)
}
