//! `certcheck config` and `certcheck version`.

use clap::Args;

const CONFIG_EXAMPLES: &str = "\
Examples:
  certcheck config
  certcheck config --all
  certcheck config --example > ~/.config/certcheck/certcheck.toml

A setting is a flag by its long name. Its value is the first of:
  1. the flag on the command line
  2. the environment: CERTCHECK_ and the name in capitals, such as CERTCHECK_CACHE_DIR
  3. the settings file, in the table of the command: [command.verify]
  4. the settings file, outside any table
  5. the default
A list on the command line replaces the list of the environment or the file.

The settings file is the first of these that exists; the others are not read:
  1. --config FILE, or CERTCHECK_CONFIG (empty: no file)
  2. $XDG_CONFIG_HOME/certcheck/certcheck.toml (~/.config/certcheck/certcheck.toml)
  3. /etc/certcheck/certcheck.toml
Relative paths in the file are relative to the file's folder.

Exit codes: 0 printed, 2 a setting is wrong.";

#[derive(Args, Debug)]
#[command(after_help = CONFIG_EXAMPLES)]
pub(crate) struct ConfigArguments {
    /// List all settings, those at their defaults too.
    #[arg(long)]
    pub(crate) all: bool,

    /// Print a settings file with every setting, commented out.
    #[arg(long, conflicts_with_all = ["all", "json"])]
    pub(crate) example: bool,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VersionArguments {
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
