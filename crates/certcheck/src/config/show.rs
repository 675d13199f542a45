//! `certcheck config`.

use std::io::Write as _;

use clap::{Arg, CommandFactory as _};
use serde::Serialize;

use super::{Settings, arguments, layers, setting, variable};
use crate::exit::Exit;
use crate::flags::{ConfigArguments, Flags};
use crate::text::QUIET;
use crate::{json, output, visible};

/// A setting as it holds.
#[derive(Serialize)]
struct Row {
    /// The command it is for, where it does not hold for all that have the flag.
    command: Option<String>,
    name: String,
    values: Vec<String>,
    /// `environment`, `file` or `default`.
    from: &'static str,
    /// The variable, or the place in the file.
    source: Option<String>,
}

#[derive(Serialize)]
struct ConfigObject<'c> {
    /// The settings file that was read.
    file: Option<String>,
    /// Where a settings file is looked for, in this order.
    looked_for: Vec<String>,
    settings: &'c [Row],
}

impl json::Document for ConfigObject<'_> {
    const TYPE: &'static str = "config";
}

pub(crate) fn show(arguments: &ConfigArguments, settings: &Settings) -> anyhow::Result<Exit> {
    if arguments.example {
        return example();
    }
    let rows = rows(settings, arguments.all);
    if arguments.json {
        json::print(&ConfigObject {
            file: settings.file.as_ref().map(|path| path.display().to_string()),
            looked_for: settings.places.iter().map(|path| path.display().to_string()).collect(),
            settings: &rows,
        })?;
        return Ok(Exit::Accepted);
    }
    let mut out = output::text();
    match &settings.file {
        Some(path) => writeln!(out, "settings file: {}", visible::path(path))?,
        None if settings.places.is_empty() => writeln!(out, "settings file: none, as asked for")?,
        None => {
            let places: Vec<_> = settings.places.iter().map(|path| visible::path(path).to_string()).collect();
            writeln!(out, "settings file: none; looked for {}", places.join(", "))?;
        }
    }
    writeln!(out, "precedence: command line, environment, settings file, default")?;
    if rows.is_empty() {
        writeln!(out, "nothing is set; --all lists the defaults, --example prints a settings file")?;
    }
    let shown = |row: &Row| match &row.command {
        Some(command) => format!("{command}: {}", row.name),
        None => row.name.clone(),
    };
    let width = rows.iter().map(|row| shown(row).chars().count()).max().unwrap_or_default();
    let widest =
        rows.iter().map(|row| row.values.join(", ").chars().count()).max().unwrap_or_default().min(40);
    for row in &rows {
        let (name, values) = (shown(row), visible::Visible(row.values.join(", ")).to_string());
        let source = row.source.as_deref().unwrap_or(row.from);
        writeln!(out, "  {name:<width$}  {values:<widest$}  {QUIET}{}{QUIET:#}", visible::Visible(source))?;
    }
    Ok(Exit::Accepted)
}

/// The settings by name; one that differs between commands has a row for each of these.
fn rows(settings: &Settings, is_all: bool) -> Vec<Row> {
    let command = Flags::command();
    let mut names: Vec<(String, Arg)> = Vec::new();
    for (_, argument) in arguments(&command) {
        if let Some(name) = setting(&argument).map(str::to_owned)
            && !names.iter().any(|(known, _)| *known == name)
        {
            names.push((name, argument));
        }
    }
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut rows = Vec::new();
    for (name, argument) in names {
        let mut entries: Vec<_> = settings.entries.iter().filter(|entry| entry.name == name).collect();
        // One of the environment is above all others.
        if let Some(entry) = settings.effective(&[], &name).filter(|entry| entry.source.is_variable()) {
            entries = vec![entry];
        }
        for entry in &entries {
            rows.push(Row {
                command: (!entry.command.is_empty()).then(|| entry.command.join(" ")),
                name: name.clone(),
                values: entry.values.iter().map(|value| value.to_string_lossy().into_owned()).collect(),
                from: if entry.source.is_variable() { "environment" } else { "file" },
                source: Some(entry.source.to_string()),
            });
        }
        if entries.is_empty() && is_all {
            let mut values: Vec<String> = argument
                .get_default_values()
                .iter()
                .map(|value| value.to_string_lossy().into_owned())
                .collect();
            if matches!(argument.get_action(), clap::ArgAction::SetTrue) {
                values = vec!["false".to_owned()];
            }
            rows.push(Row { command: None, name, values, from: "default", source: None });
        }
    }
    rows
}

/// A settings file with every setting, commented out: first those of several commands, then those of one.
fn example() -> anyhow::Result<Exit> {
    let command = Flags::command();
    let mut known: Vec<(String, Arg, Vec<String>)> = Vec::new();
    for (words, argument) in arguments(&command) {
        let Some(name) = setting(&argument).map(str::to_owned) else { continue };
        let of = if words.is_empty() { "every command".to_owned() } else { words.join(" ") };
        match known.iter_mut().find(|(known, ..)| *known == name) {
            Some(_) if argument.is_global_set() => {}
            Some((.., commands)) => commands.push(of),
            None => known.push((name, argument, vec![of])),
        }
    }
    known.sort_by_key(|(_, argument, commands)| (!argument.is_global_set(), commands.len() == 1));
    let mut out = output::text();
    writeln!(
        out,
        "# Settings of certcheck. `certcheck config` shows which hold, and where each comes from."
    )?;
    writeln!(out, "# Settings outside tables are for every command that has the flag.")?;
    for (name, argument, commands) in &known {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let help = help.split(" Repeat the flag for each").next().unwrap_or_default();
        writeln!(out, "\n# {}", help.trim_end_matches('.'))?;
        writeln!(out, "# For: {}. Variable: {}", commands.join(", "), variable(name))?;
        writeln!(out, "#{name} = {}", shown_default(argument))?;
    }
    writeln!(
        out,
        "\n# A table [command.NAME] is for one command. Its values take precedence over those outside tables."
    )?;
    writeln!(out, "#[command.verify]")?;
    writeln!(out, "#revocation = \"hard-fail\"")?;
    Ok(Exit::Accepted)
}

/// A value of the right kind: the default, if there is one.
fn shown_default(argument: &Arg) -> String {
    let value = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    match argument.get_action() {
        clap::ArgAction::SetTrue => "false".to_owned(),
        clap::ArgAction::Count => "0".to_owned(),
        _ if argument.get_id() == "ring" => "[\"/etc/certcheck/ring\"]".to_owned(),
        _ if layers::is_list(argument) => "[]".to_owned(),
        _ => match value {
            Some(value) if value.parse::<i64>().is_ok() => value,
            Some(value) => format!("\"{value}\""),
            None => "\"\"".to_owned(),
        },
    }
}
