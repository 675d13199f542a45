//! Whose certificates name which sources: the CAs of the ring, and the certificates that are given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use certcheck_core::status::Status;
use certcheck_fetch::Engine;
use serde::Serialize;

use super::Health;
use super::asked::Sources;
use super::classify::Finding;
use crate::input;
use crate::sources::{self, Grounds, Refusal, Subject};

/// As `verify` tells it of an input that does not read.
const UNREADABLE: &str = "no-certificate";

/// A certificate that was given.
#[derive(Serialize)]
pub(super) struct InputState {
    pub(super) state: Health,
    pub(super) input: String,
    /// `good`: its sources are among those that are watched; else why they are not.
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl InputState {
    fn new(path: &Path, Finding { state, code, message }: Finding) -> Self {
        Self { state, input: path.display().to_string(), code, message }
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.code == UNREADABLE
    }
}

/// All that is named, and by whom.
#[derive(Default)]
pub(super) struct Named {
    pub(super) subjects: Vec<Subject>,
    pub(super) sources: Sources,
    /// The CAs of the ring that nobody would be asked about, and why.
    pub(super) refused: BTreeMap<String, Refusal>,
    pub(super) inputs: Vec<InputState>,
}

pub(super) fn all(inputs: &[PathBuf], engine: &Engine, by: Grounds<'_>) -> Named {
    let mut named = Named::default();
    for subject in sources::of_ring(by.ring) {
        let sha256 = subject.sha256.clone();
        if let Err(refusal) = named.add(subject, engine, by) {
            named.refused.insert(sha256, refusal);
        }
    }
    let mut seen = BTreeSet::new();
    for path in inputs.iter().filter(|path| seen.insert(*path)) {
        let finding = named.add_input(path, engine, by).unwrap_or_else(Finding::from);
        named.inputs.push(InputState::new(path, finding));
    }
    named
}

impl Named {
    /// Notes the sources of a certificate, once however often it is met.
    fn add(&mut self, subject: Subject, engine: &Engine, by: Grounds<'_>) -> Result<(), Refusal> {
        if self.subjects.iter().any(|known| known.sha256 == subject.sha256) {
            return Ok(());
        }
        let needs = subject.needs(engine, by.now)?;
        // Who names nobody to ask, and is not good for another reason, is not well looked after.
        if needs.is_empty()
            && let Status::Unknown(cause) = subject.classify(&[], by)?
        {
            return Err(Refusal { code: cause.code(), message: cause.sentence().to_owned() });
        }
        for need in needs {
            self.sources.add(need, false, self.subjects.len());
        }
        self.subjects.push(subject);
        Ok(())
    }

    fn add_input(&mut self, path: &Path, engine: &Engine, by: Grounds<'_>) -> Result<Finding, Refusal> {
        let chain = input::certificates(path)
            .map_err(|error| Refusal { code: UNREADABLE, message: error.to_string() })?;
        for subject in sources::of_chain(&chain, by)? {
            let name = subject.name.clone();
            self.add(subject, engine, by).map_err(|Refusal { code, message }| Refusal {
                code,
                message: format!("{name}: {message}"),
            })?;
        }
        Ok(Finding::new(Health::Good, "good", String::new()))
    }
}
