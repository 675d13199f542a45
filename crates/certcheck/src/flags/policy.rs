//! `certcheck policy`.

use std::path::PathBuf;

use certcheck_serve::at_tls::vocabulary::Permission;
use certcheck_serve::config::Upstream;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  certcheck policy check policy.txt
  certcheck policy check policy.txt --keyring-dir rings
  certcheck policy explain policy.txt
  certcheck policy format policy.txt > formatted.txt
  certcheck policy convert policy.txt --keyring-dir rings --upstream 127.0.0.1:8080 > serve.toml

A policy with an error is not used, not even in part. What would make a service accept more than
on z/OS is an error too, unless --allow names it.

Exit codes: 0 the policy can be used, 2 it cannot.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy: every error, each parameter that is not applied, each default that differs.
    Check(PolicyCheck),
    /// Explain a policy: which clients are accepted, on which port, by what, and for how long.
    Explain(PolicyFile),
    /// Print a policy in one form, with the braces that are missing.
    Format(PolicyText),
    /// Print the settings of certcheck serve for a policy.
    Convert(PolicyConvert),
}

impl PolicyCommand {
    pub(crate) const fn is_json(&self) -> bool {
        match self {
            Self::Check(check) => check.policy.json,
            Self::Explain(policy) => policy.json,
            Self::Format(_) | Self::Convert(_) => false,
        }
    }
}

/// The text of a policy.
#[derive(Args, Debug)]
pub(crate) struct PolicyText {
    /// The policy; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// It is a part of a policy, as documentation prints it: braces may be missing, and so may key rings and cipher suites
    /// that it names.
    #[arg(long)]
    pub(crate) fragment: bool,
}

/// A policy with what is allowed.
#[derive(Args, Debug)]
pub(crate) struct PolicyFile {
    #[command(flatten)]
    pub(crate) text: PolicyText,

    /// Allow what makes a service accept more than on z/OS, by its name in the error.
    #[arg(long, value_name = "NAME", value_parser = permission_parser())]
    pub(crate) allow: Vec<Permission>,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyCheck {
    #[command(flatten)]
    pub(crate) policy: PolicyFile,

    /// The folder of key rings: USER/ring is the folder USER/ring in it. Rings and certificates must be there.
    #[arg(long, value_name = "DIR")]
    pub(crate) keyring_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyConvert {
    #[command(flatten)]
    pub(crate) text: PolicyText,

    /// Allow what makes a service accept more than on z/OS, by its name in the error.
    #[arg(long, value_name = "NAME", value_parser = permission_parser())]
    pub(crate) allow: Vec<Permission>,

    /// The folder of key rings, for the paths that are printed.
    #[arg(long, value_name = "DIR", default_value = "rings")]
    pub(crate) keyring_dir: PathBuf,

    /// The service behind the listeners.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = Upstream::parse)]
    pub(crate) upstream: Upstream,
}

pub(super) fn permission_parser() -> impl clap::builder::TypedValueParser<Value = Permission> {
    let words = Permission::ALL.map(Permission::word);
    PossibleValuesParser::new(words).map(|word| {
        let named = Permission::ALL.into_iter().find(|permission| permission.word() == word);
        named.unwrap_or(Permission::PassThru)
    })
}
