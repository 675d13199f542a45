//! Which certificates name which sources: the CAs of the ring, and the samples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use certcheck_core::status::Status;
use certcheck_fetch::Engine;

use super::asked::Sources;
use super::sample::{Sample, UNREADABLE};
use crate::input;
use crate::sources::{self, Grounds, Refusal, Subject};

/// All sources, and the certificates that name them.
#[derive(Default)]
pub(super) struct Named {
    pub(super) subjects: Vec<Subject>,
    pub(super) sources: Sources,
    /// The CAs of the ring whose sources are not asked, and why.
    pub(super) refused: BTreeMap<String, Refusal>,
    pub(super) samples: Vec<Sample>,
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
        let mut sample = Sample::new(path.display().to_string());
        sample.refusal = named.add_sample(path, &mut sample, engine, by).err();
        named.samples.push(sample);
    }
    named
}

impl Named {
    /// Notes the sources of a certificate, once however often it occurs, and returns its place.
    fn add(&mut self, subject: Subject, engine: &Engine, by: Grounds<'_>) -> Result<usize, Refusal> {
        if let Some(known) = self.subjects.iter().position(|known| known.sha256 == subject.sha256) {
            return Ok(known);
        }
        let needs = subject.needs(engine, by.now)?;
        // A certificate without a source is healthy only if it needs none.
        if needs.is_empty()
            && let Status::Unknown(cause) = subject.classify(&[], by)?
        {
            return Err(Refusal { code: cause.code(), message: cause.sentence().to_owned() });
        }
        let place = self.subjects.len();
        for need in needs {
            self.sources.add(need, false, place);
        }
        self.subjects.push(subject);
        Ok(place)
    }

    fn add_sample(
        &mut self,
        path: &Path,
        sample: &mut Sample,
        engine: &Engine,
        by: Grounds<'_>,
    ) -> Result<(), Refusal> {
        let chain = input::certificates(path)
            .map_err(|error| Refusal { code: UNREADABLE, message: error.to_string() })?;
        sample.describe(&chain);
        for subject in sources::of_chain(&chain, by)? {
            let name = subject.name.clone();
            let place = self.add(subject, engine, by).map_err(|Refusal { code, message }| Refusal {
                code,
                message: format!("{name}: {message}"),
            })?;
            sample.path.push(place);
        }
        Ok(())
    }
}
