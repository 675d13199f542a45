//! The workspace: where it is, and what its manifests say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

/// The workspace that this program is part of.
pub(crate) struct Workspace {
    root: PathBuf,
    package: Table,
    folders: Vec<PathBuf>,
}

impl Workspace {
    /// Reads the manifest of the workspace.
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
        let manifest = table(&root.join("Cargo.toml"))?;
        let workspace = field(&manifest, "workspace")?;
        let members = workspace.get("members").and_then(Value::as_array).context("no members")?;
        let folders = members.iter().filter_map(Value::as_str).map(|folder| root.join(folder)).collect();
        Ok(Self { root: root.to_owned(), package: field(workspace, "package")?.clone(), folders })
    }

    /// The folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folders of all crates.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// A field of `[workspace.package]`.
    pub(crate) fn package(&self, field: &str) -> Result<&str> {
        let value = self.package.get(field).and_then(Value::as_str);
        value.with_context(|| format!("Cargo.toml: [workspace.package] has no `{field}`"))
    }

    /// The version of all crates.
    pub(crate) fn version(&self) -> Result<&str> {
        self.package("version")
    }

    /// `cargo`, in the folder of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }

    /// `git`, in the folder of the workspace.
    pub(crate) fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }
}

/// Reads a TOML file.
pub(crate) fn table(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

fn field<'t>(table: &'t Table, name: &str) -> Result<&'t Table> {
    table.get(name).and_then(Value::as_table).with_context(|| format!("no [{name}]"))
}
