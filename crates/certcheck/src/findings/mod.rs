//! Results for programs that collect results of many tools: SARIF for code scanning, JUnit XML for test reports.
//!
//! Each result is written when it is known, however many there are: SARIF to standard output at once, JUnit XML into a
//! temporary file first, because its counts come before its results.

mod junit;
mod place;
mod rules;
mod sarif;

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::flags::FormatFlag;
use crate::json::Line;
use junit::Junit;
use sarif::Sarif;

/// How bad a result is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    /// Nothing is wrong.
    Pass,
    /// Undetermined, or bad soon.
    Warning,
    /// Rejected, or bad.
    Error,
    /// The input could not be read.
    Unreadable,
}

/// One result.
pub(crate) struct Finding<'f> {
    pub(crate) level: Level,
    /// What it is about: `input`, `source`, `certificate`, `sample` or `ring`.
    pub(crate) kind: &'static str,
    /// The file, or the URL.
    pub(crate) place: &'f str,
    /// Which certificate of the file, counted from 0.
    pub(crate) index: Option<u64>,
    /// What distinguishes several results of one place. May be empty.
    pub(crate) label: &'f str,
    /// The stable code.
    pub(crate) code: &'f str,
    /// One sentence.
    pub(crate) message: &'f str,
    /// What would help. May be empty.
    pub(crate) hint: &'f str,
    /// More, by the names that JSON has.
    pub(crate) properties: Map<String, Value>,
    pub(crate) elapsed: Duration,
}

impl<'f> Finding<'f> {
    /// The result of an input. With `is_of_bundle` the input is a file, `#` and the index of a certificate in it.
    pub(crate) fn of_line(line: &'f Line, is_of_bundle: bool) -> Self {
        let level = match line.verdict {
            _ if line.unreadable => Level::Unreadable,
            "accept" => Level::Pass,
            "undetermined" => Level::Warning,
            _ => Level::Error,
        };
        let member = |index: usize| line.path.get(index);
        let at = line.reason.as_ref().map(|reason| reason.certificate_index);
        let blamed = at.and_then(member).or_else(|| member(0));
        let mut properties = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                properties.insert(name.to_owned(), value);
            }
        };
        add("verdict", json!(line.verdict));
        add("certificate_index", json!(at));
        add("rfc", json!(line.reason.as_ref().map(|reason| reason.rfc)));
        add("subject", json!(blamed.map(|member| &member.certificate.subject)));
        add("serial", json!(blamed.map(|member| &member.certificate.serial)));
        add("sha256", json!(blamed.map(|member| &member.certificate.sha256)));
        add("cause", json!(blamed.and_then(|member| member.revocation.cause)));
        add("source", json!(blamed.and_then(|member| member.revocation.source.as_ref())));
        add("tolerated", json!(line.tolerated));
        let in_bundle = line.input.rsplit_once('#').filter(|_| is_of_bundle);
        let in_bundle = in_bundle.and_then(|(file, index)| Some((file, index.parse().ok()?)));
        Self {
            level,
            kind: "input",
            place: in_bundle.map_or(&line.input, |(file, _)| file),
            index: in_bundle.map(|(_, index)| index),
            label: "",
            code: line.reason.as_ref().map_or("accept", |reason| reason.code),
            message: line.reason.as_ref().map_or("accepted", |reason| &reason.message),
            hint: line.reason.as_ref().map_or("", |reason| &reason.hint),
            properties,
            elapsed: Duration::from_micros(line.elapsed_us),
        }
    }

    /// What distinguishes it from other results of the same place, to follow the place. May be empty.
    fn suffix(&self) -> String {
        let index = self.index.map_or_else(String::new, |index| format!("#{index}"));
        if self.label.is_empty() { index } else { format!("{index} {}", self.label) }
    }

    /// The message, and what would help, as one text.
    fn text(&self) -> String {
        if self.hint.is_empty() {
            self.message.to_owned()
        } else {
            format!("{}; {}", self.message, self.hint)
        }
    }
}

/// A document of results that is being written.
pub(crate) enum Findings {
    Sarif(Sarif),
    Junit(Box<Junit>),
}

impl Findings {
    /// A document of this format for a command; `None` if the format is none of results.
    pub(crate) fn begin(
        format: FormatFlag,
        command: &'static str,
        out: &mut impl Write,
    ) -> io::Result<Option<Self>> {
        Ok(match format {
            FormatFlag::Text | FormatFlag::Json => None,
            FormatFlag::Sarif => Some(Self::Sarif(Sarif::begin(out)?)),
            FormatFlag::Junit => Some(Self::Junit(Box::new(Junit::begin(command)?))),
        })
    }

    pub(crate) fn add(&mut self, out: &mut impl Write, finding: &Finding<'_>) -> io::Result<()> {
        match self {
            Self::Sarif(sarif) => sarif.add(out, finding),
            Self::Junit(junit) => junit.add(finding),
        }
    }

    pub(crate) fn finish(self, out: &mut impl Write, exit: Exit, elapsed: Duration) -> io::Result<()> {
        match self {
            Self::Sarif(sarif) => sarif.finish(out, exit),
            Self::Junit(junit) => junit.finish(out, elapsed),
        }
    }
}
