//! The decision itself, by where its evidence comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use certcheck_core::{Policy, Revocation, Verdict};
use certcheck_fetch::store::{DiskOptions, DiskStore};
use certcheck_fetch::{CheckReport, Engine};
use serde::Serialize;

use super::Bench;
use super::source::timed;
use super::stats::{Samples, Summary};

/// What is in memory takes so little that each round looks so often.
const LOOKS: usize = 200;

/// How long checks take with evidence from one place and with one result.
#[derive(Serialize)]
pub(crate) struct DecisionFigures {
    /// `network`, `disk`, `memory` for a client that was not seen before, or `known`.
    pub(crate) from: &'static str,
    /// What that means.
    pub(crate) about: &'static str,
    /// Their result: the reason's code, or `accept`. Checks with another result have figures of their own.
    pub(crate) code: &'static str,
    #[serde(skip)]
    is_decided: bool,
    pub(crate) elapsed: Option<Summary>,
    pub(crate) histogram: Vec<usize>,
}

/// Whether every check had the same result, and none had too little evidence.
pub(super) fn is_settled(figures: &[DecisionFigures]) -> bool {
    let first = figures.first().map(|one| one.code);
    figures.iter().all(|one| one.is_decided && Some(one.code) == first)
}

/// Checks by their result: a refusal takes another time than an acceptance.
struct Place {
    from: &'static str,
    about: &'static str,
    by_code: BTreeMap<&'static str, (Samples, bool)>,
}

impl Place {
    const fn new(from: &'static str, about: &'static str) -> Self {
        Self { from, about, by_code: BTreeMap::new() }
    }

    /// Whether it was decided.
    fn add(&mut self, work: impl FnOnce() -> CheckReport) -> bool {
        let (report, took) = timed(work);
        let is_decided = report.verdict() != Verdict::Undetermined;
        let (samples, known) = self.by_code.entry(report.code()).or_default();
        samples.push(took);
        *known = is_decided;
        is_decided
    }

    /// What was decided first.
    fn figures(&self) -> impl Iterator<Item = DecisionFigures> {
        let mut all: Vec<_> = self.by_code.iter().collect();
        all.sort_by_key(|(_, (_, is_decided))| !is_decided);
        all.into_iter().map(|(code, (samples, is_decided))| DecisionFigures {
            from: self.from,
            about: self.about,
            code,
            is_decided: *is_decided,
            elapsed: samples.summary(),
            histogram: samples.histogram(),
        })
    }
}

impl Bench<'_> {
    /// Whole checks under hard-fail: in each round with an empty cache, with the disk store, and with everything in memory.
    pub(super) fn decide(&self) -> anyhow::Result<Vec<DecisionFigures>> {
        let mut network = Place::new("network", "empty cache: the evidence is fetched");
        let mut disk = Place::new("disk", "the evidence is in the disk cache");
        let mut memory = Place::new("memory", "the evidence is in memory, the client was not seen before");
        let mut known = Place::new("known", "the client was seen before: its evidence is looked up");
        for _ in 0..self.arguments.rounds {
            let folder = tempfile::tempdir()?;
            let with_store = || -> anyhow::Result<Engine> {
                let store = DiskStore::open(folder.path(), DiskOptions::default())?;
                Ok(self.whole()?.store(Arc::new(store)).build()?)
            };
            let check = |engine: &Engine| engine.check_blocking(&self.chain, self.now, self.within);
            let engine = with_store()?;
            let has_left_all = network.add(|| check(&engine));
            engine.flush_blocking();
            drop(engine);
            // Where evidence is missing, what is measured would be the network again, or the want of it.
            if has_left_all {
                let engine = with_store()?;
                if disk.add(|| check(&engine)) {
                    for _ in 0..LOOKS {
                        engine.forget_paths();
                        memory.add(|| engine.look_up(&self.chain, self.now));
                    }
                    for _ in 0..LOOKS {
                        known.add(|| engine.look_up(&self.chain, self.now));
                    }
                }
            }
            self.tick();
            std::thread::sleep(self.arguments.pause);
        }
        Ok([network, disk, memory, known].iter().flat_map(Place::figures).collect())
    }

    /// As `verify` asks by default, of the whole path.
    pub(super) fn whole(&self) -> anyhow::Result<certcheck_fetch::EngineBuilder> {
        let mut policy = Policy::client(Revocation::HardFail);
        policy.signatures.allow_sha1 = self.arguments.asked.allow_sha1;
        let ring = crate::ring_files::load(&self.arguments.ring, false)?;
        Ok(crate::network::builder(&self.arguments.network.reach, ring, policy))
    }
}
