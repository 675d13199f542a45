//! Settings: the command line, then the environment, then a settings file, then the defaults.
//!
//! A setting is a flag by its long name, so that one list of flags is all there is to know:
//!
//! ```text
//! file    -> entries with line and column    (certcheck.toml)
//! layers  -> defaults of the flags            (environment over file)
//! clap    -> the command line over these
//! ```

mod alike;
mod file;
mod layers;
mod place;
mod show;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _};

use crate::flags::{Flags, GlobalArguments};
use crate::visible;
pub(crate) use show::show;

/// Settings as they were found, with where each comes from.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The settings file that was read.
    file: Option<PathBuf>,
    /// Where a settings file is looked for.
    places: Vec<PathBuf>,
    /// Variables that look like a setting's, with the one that may be meant.
    misspelled: Vec<(String, String)>,
    entries: Vec<Entry>,
}

/// One setting.
#[derive(Clone, Debug)]
struct Entry {
    /// The command it holds for, by its words. Empty: all that have the flag.
    command: Vec<String>,
    /// The long name of the flag.
    name: String,
    values: Vec<OsString>,
    source: Source,
}

impl Settings {
    /// Warns of variables that may be misspelled.
    ///
    /// # Errors
    /// Of standard error.
    pub(crate) fn warn(&self) -> std::io::Result<()> {
        let warn = |(name, meant): &(String, String)| {
            visible::warn(format_args!("{name} is no setting; did you mean {meant}?"))
        };
        self.misspelled.iter().try_for_each(warn)
    }
}

/// Where a setting comes from.
#[derive(Clone, Debug)]
enum Source {
    /// A variable of the environment.
    Variable(String),
    /// A line of the settings file, from 1, and a column, from 1.
    File { path: PathBuf, line: usize, column: usize },
}

impl Source {
    const fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
        }
    }
}

/// The flags that these arguments, the environment and the settings file give together. Ends the program where the
/// arguments ask for help or are wrong, as clap does.
///
/// # Errors
/// If a settings file cannot be read, or a setting is wrong.
pub(crate) fn parse(arguments: Vec<OsString>) -> anyhow::Result<(Flags, Settings)> {
    let given = place::Given::of(&arguments);
    let command = match given.color {
        Some(color) => Flags::command().color(color),
        None => Flags::command(),
    };
    let settings = if given.needs_settings { read(&command, &given)? } else { Settings::default() };
    let command = layers::apply(command, &settings, &given)?;
    let mut matches = command.try_get_matches_from(arguments).unwrap_or_else(|error| refuse(&error));
    let flags = Flags::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit());
    Ok((flags, settings))
}

/// Ends the program as clap does, with what else gives a ring where none is named.
fn refuse(error: &clap::Error) -> ! {
    let is_ring_missing = error.kind() == clap::error::ErrorKind::MissingRequiredArgument
        && error.to_string().contains("--ring <PATH>");
    if is_ring_missing {
        let _ = error.print();
        eprintln!(
            "The key ring can also be set once, by CERTCHECK_RING or `ring` in a settings file: see certcheck config --help."
        );
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn read(command: &clap::Command, given: &place::Given) -> anyhow::Result<Settings> {
    let (file, places) = place::find(given)?;
    let mut entries = match &file {
        Some(path) => file::read(path, command)?,
        None => Vec::new(),
    };
    entries.extend(layers::of_environment(command));
    Ok(Settings { file, places, entries, misspelled: layers::misspelled_variables(command) })
}

/// Flags that say what one run does, and are no settings.
const NO_SETTINGS: &[&str] = &[
    "all",
    "at",
    "cert",
    "config",
    "diff",
    "dry-run",
    "each",
    "example",
    "explain",
    "files0-from",
    "find",
    "help",
    "hold",
    "hostname",
    "how",
    "key",
    "kind",
    "no-config",
    "out",
    "report",
    "summary",
    "version",
];

/// The name of the setting that an argument is, if it is one.
fn setting(argument: &clap::Arg) -> Option<&str> {
    // `certcheck ring PATH` names the key ring without a flag.
    let name = argument.get_long().or_else(|| Some(argument.get_id().as_str()).filter(|id| *id == "ring"))?;
    let is_setting = !NO_SETTINGS.contains(&name) && !argument.is_hide_set();
    is_setting.then_some(name)
}

/// The variable of the environment for a setting.
fn variable(name: &str) -> String {
    format!("CERTCHECK_{}", name.replace('-', "_").to_uppercase())
}

/// Every command below this one that does something, with its words.
fn commands(command: &clap::Command) -> Vec<(Vec<String>, &clap::Command)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), command)];
    while let Some((words, command)) = open.pop() {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
            let mut words = words.clone();
            words.push(sub.get_name().to_owned());
            open.push((words.clone(), sub));
            found.push((words, sub));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Every argument, with the words of its command: first those of all commands, with no words.
fn arguments(command: &clap::Command) -> Vec<(Vec<String>, clap::Arg)> {
    let of_all = GlobalArguments::augment_args(clap::Command::new("certcheck"));
    let mut found: Vec<_> = of_all.get_arguments().map(|argument| (Vec::new(), argument.clone())).collect();
    for (words, command) in commands(command) {
        found.extend(command.get_arguments().map(|argument| (words.clone(), argument.clone())));
    }
    found
}
