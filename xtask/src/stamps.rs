//! The version and the address of the project in files that cannot take them from `Cargo.toml`.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// A line of a file that repeats a field of `[workspace.package]`.
pub(crate) struct Stamp {
    pub(crate) file: &'static str,
    /// What the line begins with, without indentation.
    before: &'static str,
    /// What comes after the field.
    after: &'static str,
    field: &'static str,
}

const fn stamp(file: &'static str, before: &'static str, after: &'static str, field: &'static str) -> Stamp {
    Stamp { file, before, after, field }
}

pub(crate) const STAMPS: [Stamp; 9] = [
    stamp("CITATION.cff", "version: ", "", "version"),
    stamp("CITATION.cff", "url: ", "", "homepage"),
    stamp("CITATION.cff", "repository-code: ", "", "repository"),
    stamp("packaging/Containerfile", "LABEL org.opencontainers.image.version=\"", "\"", "version"),
    stamp("packaging/Containerfile", "LABEL org.opencontainers.image.url=\"", "\"", "homepage"),
    stamp("packaging/Containerfile", "LABEL org.opencontainers.image.source=\"", "\"", "repository"),
    stamp("packaging/homebrew/certcheck.rb", "version \"", "\"", "version"),
    stamp("packaging/homebrew/certcheck.rb", "homepage \"", "\"", "homepage"),
    stamp("packaging/homebrew/certcheck.rb", "REPOSITORY = \"", "\".freeze", "repository"),
];

impl Stamp {
    /// Returns the text with the line as `Cargo.toml` has it.
    pub(crate) fn apply(&self, workspace: &Workspace, text: &str) -> Result<String> {
        let field = workspace.package(self.field)?;
        let mut found = 0;
        let lines = text.lines().map(|line| {
            let content = line.trim_start();
            if !content.starts_with(self.before) {
                return line.to_owned();
            }
            found += 1;
            let indent = line.len() - content.len();
            format!("{}{}{field}{}", &line[..indent], self.before, self.after)
        });
        let text = lines.collect::<Vec<_>>().join("\n") + "\n";
        if found != 1 {
            bail!("{}: {found} lines begin with `{}`, not one", self.file, self.before);
        }
        Ok(text)
    }
}

/// Writes every stamp.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for stamp in &STAMPS {
        let text = stamp.apply(workspace, &workspace.read(stamp.file)?)?;
        fs::write(workspace.root().join(stamp.file), text)
            .with_context(|| format!("cannot write {}", stamp.file))?;
    }
    Ok(())
}
