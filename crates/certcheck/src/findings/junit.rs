//! JUnit XML: a test suite for the command, a test case for each input or source.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{Finding, Level};
use crate::visible::Visible;

/// A document that is being written: the test cases are in a temporary file until their number is known.
pub(crate) struct Junit {
    command: &'static str,
    cases: Writer<BufWriter<File>>,
    tests: u64,
    failures: u64,
    errors: u64,
}

impl Junit {
    pub(super) fn begin(command: &'static str) -> io::Result<Self> {
        let cases = Writer::new(BufWriter::new(tempfile::tempfile()?));
        Ok(Self { command, cases, tests: 0, failures: 0, errors: 0 })
    }

    pub(super) fn add(&mut self, finding: &Finding<'_>) -> io::Result<()> {
        self.tests += 1;
        let suffix = finding.suffix();
        let class = format!("certcheck.{}.{}", self.command, finding.kind);
        let case = start(
            "testcase",
            &[
                ("classname", &class),
                ("name", &format!("{}{suffix}", finding.place)),
                ("time", &seconds(finding.elapsed)),
            ],
        );
        let element = match finding.level {
            Level::Pass => {
                self.cases.write_event(Event::Empty(case))?;
                return self.cases.get_mut().write_all(b"\n");
            }
            Level::Warning | Level::Error => {
                self.failures += 1;
                "failure"
            }
            Level::Unreadable => {
                self.errors += 1;
                "error"
            }
        };
        self.cases.write_event(Event::Start(case))?;
        let fault = start(element, &[("type", finding.code), ("message", finding.message)]);
        self.cases.write_event(Event::Start(fault))?;
        self.cases.write_event(Event::Text(BytesText::new(&legal(&details(finding)))))?;
        self.cases.write_event(Event::End(BytesEnd::new(element)))?;
        self.cases.write_event(Event::End(BytesEnd::new("testcase")))?;
        self.cases.get_mut().write_all(b"\n")
    }

    pub(super) fn finish(self, out: &mut impl Write, elapsed: Duration) -> io::Result<()> {
        let Self { command, cases, tests, failures, errors } = self;
        let mut cases = cases.into_inner().into_inner().map_err(io::IntoInnerError::into_error)?;
        cases.rewind()?;
        let mut xml = Writer::new(out);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.get_mut().write_all(b"\n")?;
        let (tests, failures, errors) = (tests.to_string(), failures.to_string(), errors.to_string());
        let time = seconds(elapsed);
        let counts = [("tests", &*tests), ("failures", &failures), ("errors", &errors), ("time", &time)];
        let named = |element, name: &str| {
            let mut start = start(element, &[("name", name)]);
            start.extend_attributes(counts);
            Event::Start(start)
        };
        xml.write_event(named("testsuites", "certcheck"))?;
        xml.get_mut().write_all(b"\n")?;
        xml.write_event(named("testsuite", &format!("certcheck {command}")))?;
        xml.get_mut().write_all(b"\n")?;
        io::copy(&mut cases, xml.get_mut())?;
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
        xml.get_mut().write_all(b"\n")?;
        xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
        xml.get_mut().write_all(b"\n")
    }
}

/// An element with attributes, each on one line.
fn start<'e>(name: &'e str, attributes: &[(&str, &str)]) -> BytesStart<'e> {
    let mut element = BytesStart::new(name);
    for (name, value) in attributes {
        element.push_attribute((*name, &*legal(&Visible(value).to_string())));
    }
    element
}

/// What would help, and the properties, a line each.
fn details(finding: &Finding<'_>) -> String {
    let mut text = finding.hint.to_owned();
    for (name, value) in &finding.properties {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text += &format!("\n{name}: {}", Visible(value));
    }
    text
}

/// Text without the characters that XML 1.0 cannot have: these are spelled out.
fn legal(text: &str) -> String {
    let is_legal = |sign: char| matches!(sign, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let spell = |sign: char| {
        if is_legal(sign) { sign.to_string() } else { format!("\\u{{{:x}}}", u32::from(sign)) }
    };
    text.chars().map(spell).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_have_is_spelled_out() {
        assert_eq!(
            legal("a\u{0}\u{b}\u{fffe}\u{ffff}\t\n\u{85}\u{1f600}"),
            "a\\u{0}\\u{b}\\u{fffe}\\u{ffff}\t\n\u{85}\u{1f600}"
        );
    }
}
