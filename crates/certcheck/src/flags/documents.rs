//! `certcheck completions` and `certcheck manual`.

use std::path::PathBuf;

use clap::Args;
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
    /// The folder; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
