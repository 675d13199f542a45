//! Conformance vectors of others, run through the core. They are looked for in `$CERTCHECK_CORPORA`, then in
//! `shared/corpora` beside the project; where neither exists each test says that it was skipped.
//!
//! Every disagreement stands in `exceptions.json` with its reason. One that is not there fails the test, and so
//! does one that is there and no longer disagrees.

#![expect(clippy::disallowed_methods, reason = "vectors are files, and the slowest is told of")]

mod boringssl;
mod federal;
mod go;
mod limbo;
mod openssl;
mod pkits;
mod pyca;
mod webpki;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::{EvidenceFault, OcspEvidence};
use certcheck_core::status::Status;
use certcheck_core::{Check, Evidence, KeyRing, Policy, Report, Time, certificates_of, crls_of};
use pki_types::CertificateDer;
use serde_json::Value;

/// Where the vectors are, if anywhere.
fn corpus(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("CERTCHECK_CORPORA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let found = given.into_iter().chain([beside]).map(|root| root.join(name)).find(|path| path.is_dir());
    if found.is_none() {
        println!("SKIPPED: no corpus {name}: set CERTCHECK_CORPORA to a folder that has it");
    }
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("manifest is there")).expect("manifest is JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn texts<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn time(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"))
}

/// The certificates of a file, or nothing if it is none.
fn read(path: &Path) -> Vec<CertificateDer<'static>> {
    certificates_of(&std::fs::read(path).unwrap_or_else(|_| panic!("no {}", path.display())))
        .unwrap_or_default()
}

/// A flat ring of files; `None` where one does not read, which refuses whatever is asked of it.
fn flat_ring(files: &[PathBuf]) -> Option<KeyRing> {
    let mut builder = RingBuilder::new();
    for file in files {
        builder
            .add(&file.display().to_string(), &std::fs::read(file).expect("file is there"), Placement::Flat)
            .ok()?;
    }
    builder.build().ok()
}

/// CRLs and OCSP responses of files; what does not read is a fault among them.
fn evidence(crls: &[PathBuf], responses: &[PathBuf]) -> Evidence {
    let mut evidence = Evidence::new();
    let read = |file: &PathBuf| Bytes::from(std::fs::read(file).expect("file is there"));
    for file in crls {
        let source = file.display().to_string();
        for der in crls_of(&read(file)).expect("CRLs") {
            match Crl::parse(der, &source) {
                Ok(crl) => evidence.add_crl(Arc::new(crl)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(&source, fault)),
            }
        }
    }
    for file in responses {
        let source = file.display().to_string();
        match OcspEvidence::parse(read(file), &source) {
            Ok(response) => evidence.add_ocsp(&Arc::new(response)),
            Err(fault) => evidence.add_fault(EvidenceFault::new(&source, fault)),
        }
    }
    evidence
}

/// The status of the target, in a word: `good`, `revoked`, or why it is not known.
fn status_of(report: &Report<'_>) -> String {
    match report.path.first().map(|leaf| &leaf.revocation) {
        Some(Status::Unknown(cause)) => cause.code().to_owned(),
        Some(status) => status.code().to_owned(),
        None => "no path".to_owned(),
    }
}

/// What was answered, in a word: `accept`, or the code of the reason.
fn answer(report: &Report<'_>) -> String {
    report.reason.as_ref().map_or_else(|| "accept".to_owned(), |rejection| rejection.reason.code().to_owned())
}

/// Asks, with a ring that may not have been readable.
fn ask(chain: &[CertificateDer<'_>], ring: Option<&KeyRing>, policy: &Policy, now: Time) -> String {
    ring.map_or_else(
        || "ring does not read".to_owned(),
        |ring| answer(&Check::new(chain, ring, policy, now).run()),
    )
}

/// Compares a corpus with what is expected, exceptions aside.
struct Scoreboard {
    corpus: &'static str,
    exceptions: BTreeMap<String, Value>,
    agreed: usize,
    wrong: Vec<String>,
}

impl Scoreboard {
    fn new(corpus: &'static str) -> Self {
        let all = json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/exceptions.json"));
        let exceptions = all[corpus].as_object().cloned().unwrap_or_default().into_iter().collect();
        Self { corpus, exceptions, agreed: 0, wrong: Vec::new() }
    }

    /// One case: what it should be and what it is. `accept` and `refuse` are what is expected of a path;
    /// any reason refuses. `parse` and `no parse` are what is expected of a structure.
    fn case(&mut self, id: &str, expected: &str, actual: &str) {
        let agrees = match expected {
            "refuse" => actual != "accept",
            "parse" => !actual.starts_with("refused"),
            "no parse" => actual.starts_with("refused"),
            expected => expected == actual,
        };
        match self.exceptions.remove(id) {
            None if agrees => self.agreed += 1,
            None => self.wrong.push(format!("{id}: expected {expected}, got {actual}")),
            Some(exception) => {
                assert!(!text(&exception, "reason").is_empty());
                if agrees || text(&exception, "actual") != actual {
                    self.wrong
                        .push(format!("{id}: the exception is stale: expected {expected}, got {actual}"));
                }
            }
        }
    }

    fn close(self, least: usize) {
        let excepted = self.exceptions.len();
        println!("{}: {} agree", self.corpus, self.agreed);
        assert!(self.wrong.is_empty(), "{}:\n{}", self.corpus, self.wrong.join("\n"));
        assert_eq!(excepted, 0, "{}: exceptions without a case: {:?}", self.corpus, self.exceptions.keys());
        assert!(self.agreed >= least, "{}: {} cases where {least} are known", self.corpus, self.agreed);
    }
}
