//! `certcheck completions`, `certcheck manual` and `certcheck schema`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  certcheck completions bash > ~/.local/share/bash-completion/completions/certcheck
  certcheck completions fish > ~/.config/fish/completions/certcheck.fish
  certcheck completions zsh > ~/.zfunc/_certcheck";

#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

const MANUAL_EXAMPLES: &str = "\
Examples:
  certcheck manual --dir ~/.local/share/man/man1
  man certcheck-verify";

#[derive(Args, Debug)]
#[command(after_help = MANUAL_EXAMPLES)]
pub(crate) struct ManualArguments {
    /// The folder. It is created if it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  certcheck schema > certcheck.schema.json
  certcheck schema verify";

#[derive(Args, Debug)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(crate) struct SchemaArguments {
    /// Only the objects that this command prints [default: all].
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<SchemaCommand>,
}

/// A command that prints JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SchemaCommand {
    Verify,
    Ring,
    Crl,
    Ocsp,
    Fetch,
    Cache,
    Watch,
    Bench,
    Lab,
    Policy,
    Config,
    Version,
}

impl SchemaCommand {
    /// The objects that the command prints, by their `type`.
    pub(crate) const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Verify => &["verification", "plan", "summary"],
            Self::Ring => &["ring", "error"],
            Self::Crl => &["crl", "error"],
            Self::Ocsp => &["ocsp", "error"],
            Self::Fetch => &["fetch", "crl", "ocsp", "error"],
            Self::Cache => &["cache-entry", "prefetch", "crl", "ocsp", "error"],
            Self::Watch => &["watch", "error"],
            Self::Bench => &["bench", "error"],
            Self::Lab => &["lab-ready", "lab-event", "lab-status", "error"],
            Self::Policy => &["policy", "error"],
            Self::Config => &["config", "error"],
            Self::Version => &["version", "error"],
        }
    }
}
