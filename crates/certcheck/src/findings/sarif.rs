//! SARIF 2.1.0: one run, a rule for each code that occurs, a result for each input that is not accepted.
//!
//! An accepted input has no result: a result of kind `pass` is for a check that a reader wants to see confirmed, and code
//! scanning would list it next to the failures.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::place::uri;
use super::{Finding, Level, rules};
use crate::exit::Exit;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// A document that is being written.
pub(crate) struct Sarif {
    /// The codes that occurred.
    codes: BTreeSet<String>,
    has_results: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'r> {
    rule_id: &'r str,
    kind: &'static str,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    properties: &'r Map<String, Value>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[LogicalLocation; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

/// The beginning of a file: code scanning shows nothing without a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// A certificate within a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

/// By what a result is recognised in a later run.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "placeAndCode/v1")]
    place_and_code: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Message>,
    help_uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
}

impl Sarif {
    pub(super) fn begin(out: &mut impl Write) -> io::Result<Self> {
        write!(out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"results\":[")?;
        Ok(Self { codes: BTreeSet::new(), has_results: false })
    }

    pub(super) fn add(&mut self, out: &mut impl Write, finding: &Finding<'_>) -> io::Result<()> {
        let level = match finding.level {
            Level::Pass => return Ok(()),
            Level::Warning => "warning",
            Level::Error | Level::Unreadable => "error",
        };
        if !self.codes.contains(finding.code) {
            self.codes.insert(finding.code.to_owned());
        }
        out.write_all(if self.has_results { b",\n" } else { b"\n" })?;
        self.has_results = true;
        let uri = uri(finding.place);
        let region = (finding.kind != "source").then_some(Region { start_line: 1 });
        let suffix = finding.suffix();
        let result = SarifResult {
            rule_id: finding.code,
            kind: "fail",
            level,
            message: Message { text: finding.text() },
            partial_fingerprints: Fingerprints { place_and_code: format!("{uri}{suffix} {}", finding.code) },
            locations: [Location {
                physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri }, region },
                logical_locations: finding.index.map(|number| {
                    [LogicalLocation {
                        name: format!("certificate {number}"),
                        fully_qualified_name: format!("{}{suffix}", finding.place),
                        kind: "object",
                    }]
                }),
            }],
            properties: &finding.properties,
        };
        serde_json::to_writer(out, &result)?;
        Ok(())
    }

    pub(super) fn finish(self, out: &mut impl Write, exit: Exit) -> io::Result<()> {
        let rules = self.codes.into_iter().map(|code| {
            let (meaning, help) = rules::of(&code).unzip();
            Rule {
                id: code,
                short_description: meaning.map(|text| Message { text }),
                help: help.map(|text| Message { text }),
                help_uri: format!("{REPOSITORY}/docs/operating.md#runbook"),
            }
        });
        let driver = Driver {
            name: "certcheck",
            semantic_version: env!("CARGO_PKG_VERSION"),
            information_uri: REPOSITORY,
            rules: rules.collect(),
        };
        let invocation = Invocation { execution_successful: exit != Exit::Unusable, exit_code: exit.code() };
        out.write_all(b"\n],\"invocations\":[")?;
        serde_json::to_writer(&mut *out, &invocation)?;
        out.write_all(b"],\"tool\":")?;
        serde_json::to_writer(&mut *out, &Tool { driver })?;
        out.write_all(b"}]}\n")
    }
}
