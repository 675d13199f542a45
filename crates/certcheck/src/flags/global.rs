//! Flags of every command.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Flags of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Every command")]
pub(crate) struct GlobalArguments {
    /// Print errors only: no text, no warnings, no progress. The exit code has the answer; JSON and files that are asked
    /// for are written.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show on standard error what the program does: -v its own events, -vv those of libraries too, -vvv everything.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colours. `auto` uses them on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorFlag,

    /// Read settings from this file instead of the usual ones; `certcheck config` explains.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no settings file.
    #[arg(long, global = true)]
    pub(crate) no_config: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ColorFlag {
    Auto,
    Always,
    Never,
}
