//! The decision itself, by where its evidence comes from.

use std::error::Error;
use std::sync::Arc;

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::store::{DiskOptions, DiskStore};
use certcheck_fetch::{Engine, Report};
use serde::Serialize;

use super::Bench;
use super::source::timed;
use super::stats::{Samples, Summary};

/// What is in memory takes so little that each round looks so often.
const LOOKS: usize = 200;

/// How long a check takes, from one kind of place.
#[derive(Serialize)]
pub(crate) struct DecisionFigures {
    /// `network`, `disk`, `memory` for a client that was not seen before, or `known`.
    pub(crate) from: &'static str,
    /// What that means.
    pub(crate) about: &'static str,
    /// The reason's code, or `accept`.
    pub(crate) code: &'static str,
    pub(crate) took: Option<Summary>,
    pub(crate) histogram: Vec<usize>,
}

#[derive(Default)]
struct Place {
    samples: Samples,
    code: &'static str,
}

impl Place {
    fn add(&mut self, work: impl FnOnce() -> Report) {
        let (report, took) = timed(work);
        self.samples.push(took);
        self.code = report.code();
    }

    fn figures(&self, from: &'static str, about: &'static str) -> DecisionFigures {
        DecisionFigures {
            from,
            about,
            code: self.code,
            took: self.samples.summary(),
            histogram: self.samples.histogram(),
        }
    }
}

impl Bench<'_> {
    /// Whole checks under hard-fail: each round with nothing at hand, with the disk store, and with all in memory.
    pub(super) fn decide(&self) -> Result<Vec<DecisionFigures>, Box<dyn Error>> {
        let (mut network, mut disk, mut memory, mut known) =
            (Place::default(), Place::default(), Place::default(), Place::default());
        for _ in 0..self.arguments.rounds {
            let folder = tempfile::tempdir()?;
            let with_store = || -> Result<Engine, Box<dyn Error>> {
                let store = DiskStore::open(folder.path(), DiskOptions::default())?;
                Ok(self.whole()?.store(Arc::new(store)).build()?)
            };
            let engine = with_store()?;
            network.add(|| engine.check_blocking(&self.chain, self.now, self.within));
            engine.flush_blocking();
            drop(engine);
            let engine = with_store()?;
            disk.add(|| engine.check_blocking(&self.chain, self.now, self.within));
            for _ in 0..LOOKS {
                engine.forget_paths();
                memory.add(|| engine.look_up(&self.chain, self.now));
            }
            for _ in 0..LOOKS {
                known.add(|| engine.look_up(&self.chain, self.now));
            }
            self.tick();
            std::thread::sleep(std::time::Duration::from_millis(self.arguments.pause));
        }
        Ok(vec![
            network.figures("network", "nothing at hand: every source that is needed is asked"),
            disk.figures("disk", "another run has left its evidence in the store"),
            memory.figures("memory", "the evidence is in memory, the client was not seen before"),
            known.figures("known", "the client was seen before: its evidence is looked up"),
        ])
    }

    /// As `verify` asks by default, of the whole path.
    pub(super) fn whole(&self) -> Result<certcheck_fetch::Builder, Box<dyn Error>> {
        let mut policy = Policy::client(Revocation::HardFail);
        policy.allow_sha1 = self.arguments.asked.allow_sha1;
        let ring = certcheck_core::KeyRing::from_paths(&self.arguments.ring)?;
        Ok(crate::network::builder(&self.arguments.network.reach, ring, policy))
    }
}
