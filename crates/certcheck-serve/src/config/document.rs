//! A TOML document whose keys are taken one by one: each value with its place, each fault noted.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{ConfigFault, Place};
use super::nearest::did_you_mean;
use super::origin::{Origins, Section, ValueOrigin};
use super::values::Parsed;

/// How many keys are listed at most.
const FEW: usize = 6;

/// A value with its span.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// The keys of a table, and of the table whose keys count where it has none.
#[derive(Clone, Copy)]
pub(super) struct Scope<'d> {
    /// The part of the configuration that it is.
    pub(super) section: Section,
    /// Before each key in messages and origins, such as `admin.`.
    pub(super) prefix: &'static str,
    pub(super) own: &'d DeTable<'d>,
    pub(super) outer: Option<&'d DeTable<'d>>,
    /// The table whose keys count where the outer one has none either.
    pub(super) outermost: Option<&'d DeTable<'d>>,
    /// The offset of the table itself, for keys that are missing.
    pub(super) at: usize,
}

impl<'d> Scope<'d> {
    /// The value of a key, in the table or in the outer one.
    fn find(&self, key: &str) -> Option<&'d Value<'d>> {
        let outer = [self.outer, self.outermost].into_iter().flatten();
        [self.own].into_iter().chain(outer).find_map(|table| find(table, key))
    }

    /// The value of a key in the table itself.
    pub(super) fn own_value(&self, key: &str) -> Option<&'d Value<'d>> {
        find(self.own, key)
    }

    /// Whether there is a value for a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }
}

impl Scope<'_> {
    /// The offset of the value of a key in the table itself.
    pub(super) fn place_of(&self, key: &str) -> Option<usize> {
        find(self.own, key).map(|value| value.span().start)
    }
}

/// The reading of one document.
pub(super) struct Reading<'d> {
    file: PathBuf,
    text: &'d str,
    pub(super) faults: Vec<ConfigFault>,
    pub(super) origins: Origins,
}

impl<'d> Reading<'d> {
    pub(super) fn new(file: &Path, text: &'d str) -> Self {
        Self { file: file.to_owned(), text, faults: Vec::new(), origins: Origins::default() }
    }

    /// The place of a byte.
    pub(super) fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Place { file: self.file.clone(), line, column }
    }

    /// Notes a fault at a byte.
    pub(super) fn fault(&mut self, offset: usize, message: impl Into<String>) {
        let place = self.place(offset);
        self.faults.push(ConfigFault::new(Some(place), message.into()));
    }

    /// The folder that relative paths are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or_else(|| Path::new(""))
    }

    /// The value of a key, if it has one that can be parsed. Keys may be written with `-` instead of `_`.
    pub(super) fn optional<T>(
        &mut self,
        scope: Scope<'d>,
        key: &str,
        parse: impl FnOnce(&Value<'d>) -> Parsed<T>,
    ) -> Option<T> {
        let value = scope.find(key)?;
        let prefix = scope.prefix;
        let origin = ValueOrigin::File(self.place(value.span().start));
        self.origins.note(scope.section, format!("{prefix}{key}"), origin);
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(flaws) => {
                for flaw in flaws {
                    self.fault(flaw.at, format!("{prefix}{key}: {}", flaw.text));
                }
                None
            }
        }
    }

    /// The value of a key, or the default.
    pub(super) fn value<T>(
        &mut self,
        scope: Scope<'d>,
        key: &str,
        default: T,
        parse: impl FnOnce(&Value<'d>) -> Parsed<T>,
    ) -> T {
        self.optional(scope, key, parse).unwrap_or(default)
    }

    /// The table of this name within a table, if there is one.
    pub(super) fn table_of(
        &mut self,
        outer: Scope<'d>,
        name: &'static str,
        prefix: &'static str,
    ) -> Option<Scope<'d>> {
        let value = find(outer.own, name)?;
        let at = value.span().start;
        let Some(own) = value.get_ref().as_table() else {
            let title = match outer.section {
                Section::Validation(_) | Section::Policy(..) => "validation.",
                Section::Listener(_) => "listener.",
                Section::Top | Section::Mirror => "",
            };
            self.fault(at, format!("{name}: not a table, which is written as [{title}{name}]"));
            return None;
        };
        Some(Scope { section: outer.section, prefix, own, outer: None, outermost: None, at })
    }

    /// Notes each key of a table that is not known, and each that is there in both spellings.
    pub(super) fn refuse_unknown(
        &mut self,
        table: &'d DeTable<'d>,
        title: &str,
        known: &[&[&str]],
        elsewhere: &[(&[&str], &str)],
    ) {
        let mut seen: Vec<String> = Vec::new();
        for key in table.keys() {
            let folded = fold(key.get_ref());
            let at = key.span().start;
            let is_known = known.iter().any(|keys| keys.contains(&folded.as_str()));
            if is_known && seen.contains(&folded) {
                self.fault(at, format!("{title}the key `{folded}` is there twice"));
            } else if !is_known {
                let hint = elsewhere.iter().find(|(keys, _)| keys.contains(&folded.as_str()));
                let hint = match hint {
                    Some((_, hint)) => format!("; {hint}"),
                    None => allowed(&folded, known),
                };
                self.fault(at, format!("{title}no key `{}`{hint}", key.get_ref()));
            }
            seen.push(folded);
        }
    }
}

fn find<'d>(table: &'d DeTable<'d>, key: &str) -> Option<&'d Value<'d>> {
    table.iter().find(|(name, _)| fold(name.get_ref()) == key).map(|(_, value)| value)
}

/// The key that may be meant, or all of them if they are few.
fn allowed(key: &str, known: &[&[&str]]) -> String {
    let all: Vec<&str> = known.iter().copied().flatten().copied().collect();
    let hint = did_you_mean(key, all.iter().copied());
    match all.as_slice() {
        [few @ .., last] if hint.is_empty() && few.len() < FEW => {
            format!("; the keys are `{}` and `{last}`", few.join("`, `"))
        }
        _ => hint,
    }
}

/// The key as it is documented.
fn fold(key: &str) -> String {
    key.replace('-', "_")
}
