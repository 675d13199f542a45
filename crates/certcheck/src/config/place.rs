//! Which settings file is read.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::ColorChoice;

/// What the command line says before it is parsed: this decides with which defaults it is parsed.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// `--config`, or nothing of it.
    config: Option<PathBuf>,
    no_config: bool,
    /// Whether the command does anything that settings are about.
    pub(super) needs_settings: bool,
    pub(super) color: Option<ColorChoice>,
    /// The long flags and the letters of the short ones that are on the command line.
    flags: Vec<(String, Switched)>,
}

/// How a flag is on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Switched {
    On,
    /// As `--offline=false`.
    Off,
}

/// Commands that must work whatever a settings file holds, and services, which have configurations of their own.
const WITHOUT_SETTINGS: &[&str] =
    &["completions", "help", "manual", "mirror", "reference", "schema", "serve", "version"];

impl Given {
    pub(super) fn of(arguments: &[OsString]) -> Self {
        let mut given = Self { needs_settings: true, ..Self::default() };
        let mut words = arguments.iter().skip(1).take_while(|word| *word != "--").peekable();
        let mut is_first = true;
        while let Some(word) = words.next() {
            let Some(text) = word.to_str() else { continue };
            if let Some(flag) = text.strip_prefix("--") {
                let (name, value) = match flag.split_once('=') {
                    Some((name, value)) => (name, Some(OsString::from(value))),
                    None => (flag, words.peek().map(|next| (*next).clone())),
                };
                let switched = if flag.ends_with("=false") { Switched::Off } else { Switched::On };
                given.flag(name, value);
                given.flags.push((name.to_owned(), switched));
            } else if let Some(letters) = text.strip_prefix('-') {
                given.needs_settings &= !letters.starts_with(['h', 'V']);
                given.flags.extend(letters.chars().map(|letter| (letter.into(), Switched::On)));
            } else if is_first {
                is_first = false;
                given.needs_settings &= !WITHOUT_SETTINGS.contains(&text);
            }
        }
        given
    }

    fn flag(&mut self, name: &str, value: Option<OsString>) {
        match name {
            "config" => self.config = value.map(PathBuf::from),
            "no-config" => self.no_config = true,
            "help" | "version" => self.needs_settings = false,
            "color" => {
                self.color = match value.as_deref().and_then(OsStr::to_str) {
                    Some("always") => Some(ColorChoice::Always),
                    Some("never") => Some(ColorChoice::Never),
                    _ => None,
                };
            }
            _ => {}
        }
    }

    /// How a flag is on the command line, if it is.
    pub(super) fn switched(&self, argument: &clap::Arg) -> Option<Switched> {
        let is_long = |flag: &String| argument.get_long() == Some(flag.as_str());
        let is_short = |flag: &String| argument.get_short().is_some_and(|short| flag.chars().eq([short]));
        let (_, switched) = self.flags.iter().find(|(flag, _)| is_long(flag) || is_short(flag))?;
        let is_switch = matches!(argument.get_action(), clap::ArgAction::SetTrue);
        Some(if is_switch { *switched } else { Switched::On })
    }
}

/// The settings file to read, if there is one, and where it is looked for.
pub(super) fn find(given: &Given) -> anyhow::Result<(Option<PathBuf>, Vec<PathBuf>)> {
    let named = given.config.clone().or_else(|| std::env::var_os("CERTCHECK_CONFIG").map(PathBuf::from));
    match named {
        _ if given.no_config => return Ok((None, Vec::new())),
        Some(path) if path.as_os_str().is_empty() => return Ok((None, Vec::new())),
        // One that is named has to be there.
        Some(path) => return Ok((Some(checked(&path)?), vec![path])),
        None => {}
    }
    let places = usual_places();
    for place in &places {
        if is_there(place)? {
            let path = checked(place)?;
            // A pipe would wait for a writer.
            if !std::fs::metadata(&path).is_ok_and(|found| found.is_file()) {
                bail!("{}: is not a regular file; name it with --config, or use --no-config", path.display());
            }
            return Ok((Some(path), places));
        }
    }
    Ok((None, places))
}

/// Whether something is at a path, though it is a link to nothing.
///
/// # Errors
/// If that cannot be found out: the next place may have a settings file with another ring.
fn is_there(path: &Path) -> anyhow::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        // `HOME=/dev/null` of a service has no files below it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow!("{}: {error}; make this settings file readable, or use --no-config", path.display())
}

fn usual_places() -> Vec<PathBuf> {
    let is_absolute = |path: &PathBuf| path.is_absolute();
    // A relative one would name files of the current directory.
    let home =
        || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")).filter(is_absolute);
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(is_absolute).or_else(home);
    let folders = user.into_iter().chain([PathBuf::from("/etc")]);
    folders.map(|folder| folder.join("certcheck").join("certcheck.toml")).collect()
}

/// This path, if not everyone can write or replace the file: a settings file can name the trust anchors.
fn checked(path: &Path) -> anyhow::Result<PathBuf> {
    let found = std::fs::metadata(path).map_err(|error| unusable(path, &error))?;
    if found.is_dir() {
        bail!("{}: is a directory; name the settings file in it", path.display());
    }
    let refuse = |what: &Path, is: &str| -> anyhow::Result<PathBuf> {
        bail!(
            "{}: everyone can write to this {is}; take that away with `chmod o-w`, or use --no-config",
            what.display()
        )
    };
    if found.is_file() && is_open(&found) {
        return refuse(path, "settings file");
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match std::fs::metadata(folder) {
        Ok(found) if is_open(&found) => refuse(folder, "folder of the settings file"),
        _ => Ok(path.to_owned()),
    }
}

/// Whether every user can write to a file, or replace the files of a folder: its sticky bit prevents this.
#[cfg(unix)]
fn is_open(found: &Metadata) -> bool {
    let mode = std::os::unix::fs::MetadataExt::mode(found);
    mode & 0o002 != 0 && !(found.is_dir() && mode & 0o1000 != 0)
}

#[cfg(not(unix))]
const fn is_open(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_before_the_command_line_is_parsed() {
        let given = |words: &[&str]| Given::of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let named = |words: &[&str]| given(words).config;
        assert_eq!(named(&["certcheck", "--config", "a.toml", "verify"]), Some(PathBuf::from("a.toml")));
        assert_eq!(named(&["certcheck", "verify", "--config=b.toml"]), Some(PathBuf::from("b.toml")));
        assert_eq!(named(&["certcheck", "verify", "--", "--config", "b.toml"]), None);
        assert!(given(&["certcheck", "verify", "--no-config"]).no_config);
        assert!(given(&["certcheck", "verify", "help"]).needs_settings);
        for words in
            [["certcheck", "help"], ["certcheck", "--help"], ["certcheck", "-V"], ["certcheck", "version"]]
        {
            assert!(!given(&words).needs_settings, "{words:?}");
        }
        assert_eq!(given(&["certcheck", "--color=never", "ring"]).color, Some(ColorChoice::Never));
        let ring = clap::Arg::new("ring").long("ring").short('r');
        let switched = |words: &[&str], argument: &clap::Arg| given(words).switched(argument);
        assert_eq!(switched(&["certcheck", "verify", "-qr", "x"], &ring), Some(Switched::On));
        assert_eq!(switched(&["certcheck", "verify", "--ring=false"], &ring), Some(Switched::On));
        assert_eq!(switched(&["certcheck", "verify", "ring"], &ring), None);
        let json = clap::Arg::new("json").long("json").action(clap::ArgAction::SetTrue);
        assert_eq!(switched(&["certcheck", "verify", "--json"], &json), Some(Switched::On));
        assert_eq!(switched(&["certcheck", "verify", "--json=false"], &json), Some(Switched::Off));
    }
}
