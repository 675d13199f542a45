//! Which settings file is read.

use std::ffi::{OsStr, OsString};
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
    flags: Vec<String>,
}

/// Commands that must work whatever a settings file holds.
const WITHOUT_SETTINGS: &[&str] = &["completions", "help", "manual", "reference", "schema", "version"];

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
                given.flag(name, value);
            } else if let Some(letters) = text.strip_prefix('-') {
                given.needs_settings &= !letters.starts_with(['h', 'V']);
                given.flags.extend(letters.chars().map(String::from));
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
        self.flags.push(name.to_owned());
    }

    /// Whether a flag is on the command line.
    pub(super) fn has(&self, argument: &clap::Arg) -> bool {
        let is_long = |flag: &String| argument.get_long() == Some(flag.as_str());
        let is_short = |flag: &String| argument.get_short().is_some_and(|short| flag.chars().eq([short]));
        self.flags.iter().any(|flag| is_long(flag) || is_short(flag))
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
        if place.exists() {
            return Ok((Some(checked(place)?), places));
        }
    }
    Ok((None, places))
}

fn usual_places() -> Vec<PathBuf> {
    let is_absolute = |path: &PathBuf| path.is_absolute();
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(is_absolute).or_else(home);
    let folders = user.into_iter().chain([PathBuf::from("/etc")]);
    folders.map(|folder| folder.join("certcheck").join("certcheck.toml")).collect()
}

/// This path, if nobody else can write to the file: a settings file can name the trust anchors.
fn checked(path: &Path) -> anyhow::Result<PathBuf> {
    let found = std::fs::metadata(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    if found.is_dir() {
        bail!("{}: is a directory; name the settings file in it", path.display());
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&found) & 0o002 != 0 {
        bail!(
            "{}: everyone can write to this settings file; take that away with `chmod o-w`, or use --no-config",
            path.display()
        );
    }
    Ok(path.to_owned())
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
        assert!(given(&["certcheck", "verify", "-qr", "x"]).has(&ring));
        assert!(given(&["certcheck", "verify", "--ring=x"]).has(&ring));
        assert!(!given(&["certcheck", "verify", "ring"]).has(&ring));
    }
}
