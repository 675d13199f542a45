//! The settings file, in TOML: each fault with file, line and column.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::alike::nearest;
use super::{Entry, Source, arguments, commands, layers, setting};

/// A larger settings file is not read.
const MAX_BYTES: u64 = 1 << 20;

/// The settings of a file, each checked against the flags that it is for.
pub(super) fn read(path: &Path, command: &Command) -> anyhow::Result<Vec<Entry>> {
    let fault = |error: std::io::Error| anyhow!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fault)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("{}: a settings file has at most {MAX_BYTES} bytes", path.display());
    }
    let text =
        String::from_utf8(bytes).map_err(|_| anyhow!("{}: not UTF-8, as TOML has to be", path.display()))?;
    let (commands, arguments) = (commands(command), arguments(command));
    Reader { path, text: &text, commands, arguments, entries: Vec::new() }.read()
}

struct Reader<'r> {
    path: &'r Path,
    text: &'r str,
    commands: Vec<(Vec<String>, &'r Command)>,
    arguments: Vec<(Vec<String>, Arg)>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn read(mut self) -> anyhow::Result<Vec<Entry>> {
        let text = self.text;
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow!("{}: {}", self.source(at), error.message())
        })?;
        for (key, value) in document.get_ref() {
            match value.get_ref() {
                DeValue::Table(table) if key.get_ref() == "command" => self.tables(&[], table)?,
                _ => self.setting(&[], key.span().start, key.get_ref(), value)?,
            }
        }
        Ok(self.entries)
    }

    /// The tables of commands: `[command.verify]`, `[command.cache.prefetch]`.
    fn tables(&mut self, words: &[String], table: &DeTable<'_>) -> anyhow::Result<()> {
        for (key, value) in table {
            let mut inner = words.to_vec();
            inner.push(key.get_ref().clone().into_owned());
            let is_command = self.commands.iter().any(|(words, _)| *words == inner);
            let at = key.span().start;
            match value.get_ref() {
                DeValue::Table(table) if is_command => self.tables(&inner, table)?,
                _ if words.is_empty() => {
                    let known = self.commands.iter().filter(|(words, _)| words.len() == 1);
                    let known: Vec<&str> = known.map(|(words, _)| words[0].as_str()).collect();
                    let name = key.get_ref();
                    bail!("{}: no table for a command `{name}`{}", self.source(at), alike(name, &known));
                }
                _ => self.setting(words, at, key.get_ref(), value)?,
            }
        }
        Ok(())
    }

    fn setting(
        &mut self,
        words: &[String],
        at: usize,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> anyhow::Result<()> {
        let source = self.source(at);
        let is_meant = |of: &Vec<String>| words.is_empty() || of.is_empty() || of == words;
        let meant = self.arguments.iter().filter(|(of, _)| is_meant(of));
        let arguments: Vec<Arg> = meant.map(|(_, argument)| argument.clone()).collect();
        let known: Vec<&str> = arguments.iter().filter_map(setting).collect();
        if !known.contains(&name) {
            let of =
                if words.is_empty() { String::new() } else { format!(" of `certcheck {}`", words.join(" ")) };
            let is_command =
                self.commands.iter().any(|(words, _)| words.iter().map(String::as_str).eq([name]));
            if is_command && matches!(value.get_ref(), DeValue::Table(_)) {
                bail!("{source}: no setting `{name}`; the table for this command is [command.{name}]");
            }
            let is_flag = arguments.iter().any(|argument| argument.get_long() == Some(name));
            if is_flag {
                bail!("{source}: `{name}` says what one run does: give it on the command line");
            }
            bail!("{source}: no setting `{name}`{of}{}", alike(name, &known));
        }
        let value_source = self.source(value.span().start);
        let texts = texts(value.get_ref()).map_err(|fault| anyhow!("{value_source}: {name}: {fault}"))?;
        let mut values: Vec<OsString> = texts.into_iter().map(OsString::from).collect();
        for argument in arguments.iter().filter(|argument| setting(argument) == Some(name)) {
            layers::check(argument, &values).map_err(|fault| anyhow!("{value_source}: {name}: {fault}"))?;
        }
        if arguments.iter().any(|argument| setting(argument) == Some(name) && layers::is_path(argument)) {
            if values.iter().any(|value| value.to_string_lossy().starts_with('~')) {
                bail!("{value_source}: {name}: `~` has no meaning here: write the whole path");
            }
            let folder = self.path.parent().unwrap_or_else(|| Path::new(""));
            values = values.into_iter().map(|value| plain(&folder.join(PathBuf::from(value)))).collect();
        }
        self.entries.push(Entry { command: words.to_vec(), name: name.to_owned(), values, source });
        Ok(())
    }

    /// Line and column of a place in the text, both from 1; a column is a character.
    fn source(&self, at: usize) -> Source {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Source::File { path: self.path.to_owned(), line, column }
    }
}

/// A path without `.`, and without `..` where there is a folder before it.
fn plain(path: &Path) -> OsString {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain.into_os_string()
}

/// The values of a setting as the command line would have them.
fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(array) => {
            let one = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
                DeValue::Array(_) => Err("a list in a list".to_owned()),
                value => texts(value),
            };
            Ok(array.iter().map(one).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        DeValue::String(text) => Ok(vec![text.clone().into_owned()]),
        DeValue::Boolean(is_on) => Ok(vec![is_on.to_string()]),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| vec![number.to_string()])
            .map_err(|_| "a number that is too large".to_owned()),
        DeValue::Float(_) => Err("a number with a fraction; write a whole one".to_owned()),
        DeValue::Datetime(_) => Err("a date; write it in quotation marks".to_owned()),
        DeValue::Table(_) => Err("a table; tables are for commands, such as [command.verify]".to_owned()),
    }
}

/// The name that was meant, as far as it can be guessed.
fn alike(name: &str, known: &[&str]) -> String {
    const ALIKE: f64 = 0.75;
    let name = name.replace('_', "-");
    let best = nearest(&name, known.iter().copied(), ALIKE);
    best.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default()
}
