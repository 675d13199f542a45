//! Settings as defaults of flags, so that the command line is above them.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Arg, ArgAction, Command, Id};

use super::alike::nearest;
use super::place::{Given, Switched};
use super::{Entry, Settings, Source, arguments, setting, variable};

/// What variables of the environment set. An empty one sets nothing.
pub(super) fn of_environment(command: &Command) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for (_, argument) in &arguments(command) {
        let Some(name) = setting(argument) else { continue };
        if found.iter().any(|entry| entry.name == name) {
            continue;
        }
        let variable = variable(name);
        let Some(value) = std::env::var_os(&variable).filter(|value| !value.is_empty()) else { continue };
        let values = if !is_list(argument) {
            vec![value]
        } else if is_path(argument) {
            std::env::split_paths(&value).map(PathBuf::into_os_string).collect()
        } else {
            value.to_string_lossy().split(',').map(|part| part.trim().into()).collect()
        };
        found.push(Entry {
            command: Vec::new(),
            name: name.to_owned(),
            values,
            source: Source::Variable(variable),
        });
    }
    found
}

/// Variables of the environment that look like a setting's and are not: each with the one that may be meant.
pub(super) fn misspelled_variables(command: &Command) -> Vec<(String, String)> {
    const ALIKE: f64 = 0.9;
    const BEGINNING: &str = "CERTCHECK_";
    let arguments = arguments(command);
    let settings = arguments.iter().filter_map(|(_, argument)| setting(argument)).map(variable);
    let known: BTreeSet<String> = settings.chain(["CERTCHECK_CONFIG".to_owned()]).collect();
    // What follows the common beginning decides.
    let ends = || known.iter().filter_map(|known| known.strip_prefix(BEGINNING));
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| !known.contains(name))
        .filter_map(|name| {
            let meant = nearest(name.strip_prefix(BEGINNING)?, ends(), ALIKE)?;
            let meant = format!("{BEGINNING}{meant}");
            Some((name, meant))
        })
        .collect()
}

/// The command with its settings as defaults.
///
/// # Errors
/// If a variable of the environment has a value that its flag does not take.
pub(super) fn apply(command: Command, settings: &Settings, given: &Given) -> anyhow::Result<Command> {
    let mut fault = None;
    let command = below(command, &[], settings, given, &mut fault);
    fault.map_or(Ok(command), Err)
}

fn below(
    mut command: Command,
    words: &[String],
    settings: &Settings,
    given: &Given,
    fault: &mut Option<anyhow::Error>,
) -> Command {
    let excluded = excluded(&command, words, settings, given);
    command = command.mut_args(|argument| {
        if excluded.contains(argument.get_id()) {
            return argument;
        }
        let Some(entry) = setting(&argument).and_then(|name| settings.effective(words, name)) else {
            return argument;
        };
        match check(&argument, &entry.values) {
            Ok(()) => with_default(argument, entry),
            Err(message) => {
                fault.get_or_insert(anyhow!("{}: {message}", entry.source));
                argument
            }
        }
    });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let mut words = words.to_vec();
        words.push(name.clone());
        command = command.mut_subcommand(name, |sub| below(sub, &words, settings, given, fault));
    }
    command
}

/// The arguments whose setting does not hold, because an argument that they conflict with has a value of a higher level.
///
/// A conflict is mutual, though only one of the two declares it.
fn excluded(command: &Command, words: &[String], settings: &Settings, given: &Given) -> BTreeSet<Id> {
    let level = |argument: &Arg| {
        match given.switched(argument) {
            Some(Switched::On) => return Some(COMMAND_LINE),
            Some(Switched::Off) => return None,
            None => {}
        }
        let entry = settings.effective(words, setting(argument)?)?;
        let is_off = matches!(argument.get_action(), ArgAction::SetTrue) && !is_true(entry.values.first());
        (!is_off).then(|| entry.level())
    };
    let mut excluded = BTreeSet::new();
    for one in command.get_arguments() {
        for other in command.get_arg_conflicts_with(one) {
            match (level(one), level(other)) {
                (Some(higher), Some(lower)) if higher < lower => excluded.insert(other.get_id().clone()),
                (Some(lower), Some(higher)) if higher < lower => excluded.insert(one.get_id().clone()),
                _ => false,
            };
        }
    }
    excluded
}

/// The place of a value in the order of precedence: the lowest counts.
type Level = (u8, usize);

const COMMAND_LINE: Level = (0, 0);

impl Entry {
    const fn level(&self) -> Level {
        match self.source {
            Source::Variable(_) => (1, 0),
            // The table of `cache prefetch` before that of `cache`.
            Source::File { .. } => (2, usize::MAX - self.command.len()),
        }
    }
}

impl Settings {
    /// The setting that holds for a command: of the environment, of the command's table, of the whole file.
    pub(super) fn effective(&self, words: &[String], name: &str) -> Option<&Entry> {
        let holds = |entry: &&Entry| entry.name == name && words.starts_with(&entry.command);
        self.entries.iter().filter(holds).min_by_key(|entry| entry.level())
    }
}

fn with_default(argument: Arg, entry: &Entry) -> Arg {
    let argument = argument.required(false);
    match argument.get_action() {
        // So that `--offline=false` takes it back.
        ArgAction::SetTrue => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(clap::value_parser!(bool))
            .default_missing_value("true")
            .default_value(if is_true(entry.values.first()) { "true" } else { "false" }),
        _ => argument.default_values(entry.values.clone()),
    }
}

fn is_true(value: Option<&OsString>) -> bool {
    value.and_then(|value| truth(value)).unwrap_or_default()
}

fn truth(value: &OsStr) -> Option<bool> {
    Some(match value.to_str()?.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => true,
        "false" | "0" | "no" | "off" => false,
        _ => return None,
    })
}

/// Whether a flag takes these values.
///
/// # Errors
/// Why not, in the words that the command line has for it.
pub(super) fn check(argument: &Arg, values: &[OsString]) -> Result<(), String> {
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return match values {
            [value] if truth(value).is_some() => Ok(()),
            _ => Err("neither true nor false".to_owned()),
        };
    }
    if !is_list(argument) && values.len() != 1 {
        return Err(format!("{} values for what has one", values.len()));
    }
    let alone = Arg::new("value").allow_hyphen_values(true).value_parser(argument.get_value_parser().clone());
    let parser = Command::new("certcheck").no_binary_name(true).disable_help_flag(true).arg(alone);
    for value in values {
        // A flag that is counted is a number here.
        let outcome = parser.clone().try_get_matches_from([OsStr::new("--"), value.as_os_str()]);
        if let Err(error) = outcome {
            return Err(sentence(&error.to_string(), value));
        }
    }
    Ok(())
}

/// The message of clap, without what is about a command line.
fn sentence(message: &str, value: &OsStr) -> String {
    let head = message.split("\n\nFor more information").next().unwrap_or_default();
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    let prefix = format!("invalid value '{}' for '[value]'", value.to_string_lossy());
    let rest = line.strip_prefix(&prefix).map(|rest| rest.trim_start_matches(':').trim());
    match rest {
        Some(rest) => format!("'{}': {rest}", value.to_string_lossy()),
        None => line.to_owned(),
    }
}

/// Whether a flag may be given several times.
pub(super) fn is_list(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append)
        || argument.get_num_args().is_some_and(|range| range.max_values() > 1)
}

/// Whether the values of a flag are paths.
pub(super) fn is_path(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == TypeId::of::<PathBuf>()
}
