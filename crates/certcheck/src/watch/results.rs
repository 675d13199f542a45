//! What was found, as SARIF or JUnit XML.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::certificates::CertificateState;
use super::sample::SampleState;
use super::source::SourceState;
use super::{Found, Health};
use crate::findings::{Finding, Findings, Level};
use crate::flags::{FormatFlag, WatchArguments};

/// Writes the document. A format that is none of results writes nothing.
pub(super) fn write(
    found: &Found,
    arguments: &WatchArguments,
    format: FormatFlag,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let Some(mut findings) = Findings::begin(format, "watch", out)? else { return Ok(()) };
    for source in &found.sources {
        findings.add(out, &of_source(source))?;
    }
    for certificate in &found.certificates {
        findings.add(out, &of_certificate(certificate))?;
    }
    for sample in &found.samples {
        findings.add(out, &of_sample(sample))?;
    }
    if found.sources.is_empty() {
        let ring = arguments.ring.first().map(|ring| ring.display().to_string()).unwrap_or_default();
        findings.add(
            out,
            &Finding {
                level: Level::Warning,
                kind: "ring",
                place: &ring,
                index: None,
                label: "",
                code: "no-source",
                message: super::NOTHING,
                hint: "give a certificate that names one",
                properties: Map::new(),
                elapsed: Duration::ZERO,
            },
        )?;
    }
    findings.finish(out, found.exit(), found.took)
}

const fn level(state: Health) -> Level {
    match state {
        Health::Good => Level::Pass,
        Health::Nothing | Health::Soon => Level::Warning,
        Health::Bad => Level::Error,
    }
}

/// A text, if there is one.
fn message(message: &str) -> &str {
    if message.is_empty() { "good" } else { message }
}

/// The properties that have a value.
fn properties<const N: usize>(all: [(&str, Value); N]) -> Map<String, Value> {
    let known = all.into_iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn of_source(source: &SourceState) -> Finding<'_> {
    Finding {
        level: level(source.state),
        kind: "source",
        place: &source.url,
        index: None,
        label: source.kind,
        code: source.code,
        message: message(&source.message),
        hint: "",
        properties: properties([
            ("kind", json!(source.kind)),
            ("subject", json!(source.certificate.subject)),
            ("sha256", json!(source.certificate.sha256)),
            ("this_update", json!(source.this_update)),
            ("next_update", json!(source.next_update)),
            ("evidence_end", json!(source.evidence_end)),
        ]),
        elapsed: Duration::from_micros(source.elapsed_us),
    }
}

fn of_certificate(state: &CertificateState) -> Finding<'_> {
    Finding {
        level: level(state.state),
        kind: "certificate",
        place: &state.source,
        index: None,
        label: &state.certificate.subject,
        code: state.code,
        message: message(&state.message),
        hint: "",
        properties: properties([
            ("role", json!(state.role)),
            ("subject", json!(state.certificate.subject)),
            ("sha256", json!(state.certificate.sha256)),
            ("not_after", json!(state.certificate.not_after)),
        ]),
        elapsed: Duration::ZERO,
    }
}

/// A sample that is watched passes, whatever its own status is.
fn of_sample(sample: &SampleState) -> Finding<'_> {
    let level = match (sample.is_unreadable(), sample.is_watched) {
        (true, _) => Level::Unreadable,
        (false, true) => Level::Pass,
        (false, false) => Level::Warning,
    };
    let certificate = sample.certificate.as_ref();
    Finding {
        level,
        kind: "sample",
        place: &sample.input,
        index: None,
        label: "",
        code: sample.code,
        message: message(&sample.message),
        hint: "",
        properties: properties([
            ("subject", json!(certificate.map(|own| &own.subject))),
            ("sha256", json!(certificate.map(|own| &own.sha256))),
            ("not_after", json!(certificate.map(|own| &own.not_after))),
        ]),
        elapsed: Duration::ZERO,
    }
}
