//! Trying a package: its files are unpacked into an empty root folder, and its program runs there with nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::archive::gunzip;
use super::{Dist, empty};
use crate::command;

/// A client of the demonstration PKI, and the exit code that it must get.
const CLIENTS: [(&str, i32); 2] = [("good", 0), ("revoked", 1)];

/// A time at which the demonstration PKI is valid.
const AT: &str = "2027-01-01T00:00:00Z";

/// A folder that is the root of a file system for what is tried.
pub(super) struct Root {
    folder: PathBuf,
    version: String,
    alone: Alone,
}

impl Root {
    /// Makes an empty root, with the demonstration PKI in `/demo`.
    pub(super) fn new(dist: &Dist<'_>, name: &str) -> Result<Self> {
        let folder = dist.workspace.root().join("target/root").join(name);
        empty(&folder)?;
        copy(&dist.workspace.root().join("testdata/demo"), &folder.join("demo"))?;
        Ok(Self { folder, version: dist.version.clone(), alone: Alone::available()? })
    }

    /// The program of a package manager that installs into the root, or `None` where it would need to be root.
    pub(super) fn installer(&self, program: &str) -> Option<Command> {
        match self.alone {
            Alone::Root => Some(Command::new(program)),
            Alone::Namespace => Some(in_namespace(program)),
            Alone::No => None,
        }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a folder in the root, and makes it.
    pub(super) fn path(&self, inside: &str) -> Result<PathBuf> {
        let path = self.folder.join(inside);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Runs the program below a prefix, as this user if that is possible. Returns what was done, in words.
    pub(super) fn try_program(&self, prefix: &str, user: Option<&str>) -> Result<String> {
        let program = format!("{prefix}/bin/certcheck");
        let output = command::line(&mut self.command(&program, &["--version"], user))?;
        if !output.ends_with(&self.version) {
            bail!("the program says `{output}`, not {}", self.version);
        }
        for (client, expected) in CLIENTS {
            let demo = match self.alone {
                Alone::No => self.folder.join("demo").to_string_lossy().into_owned(),
                Alone::Root | Alone::Namespace => "/demo".to_owned(),
            };
            let (leaf, ring, crl) =
                (format!("{demo}/{client}.pem"), format!("{demo}/ring"), format!("{demo}/crl"));
            let words =
                ["verify", &leaf, "--ring", &ring, "--crl", &crl, "--at", AT, "--offline", "--no-cache"];
            let status = self.command(&program, &words, user).stdout(Stdio::null()).status();
            let code = status.context("the program does not start")?.code();
            if code != Some(expected) {
                bail!("the {client} client of testdata/demo: exit code {code:?}, not {expected}");
            }
        }
        let user = user.filter(|_| matches!(self.alone, Alone::Root));
        let user = user.map(|user| format!(", as user {user}")).unwrap_or_default();
        Ok(format!("good accepted and revoked rejected, {}{user}", self.alone.in_words()))
    }

    /// Fails if one of the files is missing in the root.
    pub(super) fn has(&self, paths: &[&str]) -> Result<()> {
        let missing: Vec<_> = paths.iter().filter(|path| !self.folder.join(path).is_file()).collect();
        if missing.is_empty() { Ok(()) } else { bail!("the package has no {missing:?}") }
    }

    fn command(&self, program: &str, arguments: &[&str], user: Option<&str>) -> Command {
        let mut command = match self.alone {
            Alone::Root => {
                let mut command = Command::new("chroot");
                command.args(user.map(|user| format!("--userspec={user}")));
                command
            }
            Alone::Namespace => in_namespace("chroot"),
            Alone::No => Command::new(self.folder.join(program)),
        };
        if !matches!(self.alone, Alone::No) {
            command.arg(&self.folder).arg(format!("/{program}"));
        }
        command.args(arguments);
        command
    }
}

/// How a program is kept apart from the other files of this machine.
enum Alone {
    /// By chroot.
    Root,
    /// By chroot in a user namespace.
    Namespace,
    /// It is not.
    No,
}

impl Alone {
    fn available() -> Result<Self> {
        if command::find("chroot").is_some() && command::line(Command::new("id").arg("-u"))? == "0" {
            return Ok(Self::Root);
        }
        let probe = in_namespace("true").stderr(Stdio::null()).status();
        Ok(if probe.is_ok_and(|status| status.success()) { Self::Namespace } else { Self::No })
    }

    const fn in_words(&self) -> &'static str {
        match self {
            Self::Root | Self::Namespace => "alone in an empty root",
            Self::No => "NOT alone in an empty root: that needs root or user namespaces",
        }
    }
}

fn in_namespace(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", program]);
    command
}

/// Unpacks a compressed tar archive into a folder, without the first so many parts of each path.
pub(super) fn tar_into(folder: &Path, tarball: &[u8], strip: usize) -> Result<()> {
    let plain = if tarball.starts_with(b"\x1f\x8b") { gunzip(tarball)? } else { tarball.to_owned() };
    for entry in tar::Archive::new(&*plain).entries()? {
        let mut entry = entry?;
        let inside: PathBuf = entry.path()?.components().skip(strip).collect();
        let path = folder.join(inside);
        fs::create_dir_all(path.parent().context("an entry without a folder")?)?;
        entry.unpack(path)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
