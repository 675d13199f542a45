//! The sources, and the outcome of asking each once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_core::Policy;
use certcheck_core::revocation::{Answer, Need};
use certcheck_fetch::{CachedEvidence, Engine, EvidenceKey, Failure, measure};

use crate::pool;
use crate::sources::Subject;

/// How many sources are asked at once.
const AT_ONCE: usize = 8;

/// A source.
pub(super) struct Source {
    pub(super) need: Need,
    /// It is named only for deltas.
    pub(super) is_delta: bool,
    /// The places of the certificates that name it.
    pub(super) subjects: Vec<usize>,
    /// The answer and how long it took. `None` until it is asked.
    obtained: Option<Obtained>,
}

struct Obtained {
    held: Result<Arc<CachedEvidence>, Failure>,
    took: Duration,
}

impl Source {
    /// The outcome of asking.
    pub(super) fn held(&self) -> Result<&CachedEvidence, Option<&Failure>> {
        match &self.obtained {
            Some(Obtained { held: Ok(held), .. }) => Ok(held),
            Some(Obtained { held: Err(failure), .. }) => Err(Some(failure)),
            None => Err(None),
        }
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        self.held().ok().map(CachedEvidence::answer)
    }

    pub(super) fn took(&self) -> Duration {
        self.obtained.as_ref().map_or(Duration::ZERO, |obtained| obtained.took)
    }

    /// Whether it is named only for deltas, and returned one.
    pub(super) fn brought_delta(&self) -> bool {
        self.is_delta && matches!(self.answer(), Some(Answer::Crl(crl)) if crl.base_number().is_some())
    }
}

/// All sources, each once however many certificates name it.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) all: Vec<Source>,
    places: BTreeMap<EvidenceKey, usize>,
}

impl Sources {
    pub(super) fn add(&mut self, need: Need, is_delta: bool, subject: usize) {
        let key = EvidenceKey::of(&need.request);
        let known = key.and_then(|key| self.places.get(&key)).and_then(|at| self.all.get_mut(*at));
        if let Some(source) = known {
            source.is_delta &= is_delta;
            if !source.subjects.contains(&subject) {
                source.subjects.push(subject);
            }
            return;
        }
        self.places.extend(key.map(|key| (key, self.all.len())));
        self.all.push(Source { need, is_delta, subjects: vec![subject], obtained: None });
    }

    /// Asks every source, and then the sources of deltas that the answers name.
    ///
    /// # Errors
    /// The system has no threads.
    pub(super) fn ask(
        &mut self,
        engine: &Arc<Engine>,
        subjects: &[Subject],
        policy: &Policy,
        within: Duration,
    ) -> anyhow::Result<()> {
        self.ask_rest(engine, within)?;
        let mut deltas = Vec::new();
        for source in &self.all {
            for at in &source.subjects {
                let named = subjects.get(*at).map(|one| one.deltas(&source.need, source.answer(), policy));
                deltas.extend(named.into_iter().flatten().map(|need| (need, *at)));
            }
        }
        for (need, subject) in deltas {
            self.add(need, true, subject);
        }
        self.ask_rest(engine, within)
    }

    fn ask_rest(&mut self, engine: &Arc<Engine>, within: Duration) -> anyhow::Result<()> {
        let engine = Arc::clone(engine);
        let ask = move |need: Need| {
            let begun = Instant::now();
            let held = measure::fetch_blocking(&engine, &need, within);
            Obtained { held, took: begun.elapsed() }
        };
        let mut obtained = Vec::new();
        let rest =
            self.all.iter().filter(|source| source.obtained.is_none()).map(|source| source.need.clone());
        pool::in_order(rest.collect::<Vec<_>>().into_iter(), AT_ONCE, ask, |one, _| {
            obtained.push(one);
            Ok(())
        })?;
        let open = self.all.iter_mut().filter(|source| source.obtained.is_none());
        for (source, obtained) in open.zip(obtained) {
            source.obtained = Some(obtained);
        }
        Ok(())
    }

    /// The answers for a subject, without deltas.
    pub(super) fn answers_for(&self, subject: usize) -> Vec<&Answer> {
        self.named_by(subject).filter(|source| !source.brought_delta()).filter_map(Source::answer).collect()
    }

    /// The deltas for a subject.
    pub(super) fn deltas_for(&self, subject: usize) -> Vec<&Answer> {
        self.named_by(subject).filter(|source| source.brought_delta()).filter_map(Source::answer).collect()
    }

    fn named_by(&self, subject: usize) -> impl Iterator<Item = &Source> {
        self.all.iter().filter(move |source| source.subjects.contains(&subject))
    }
}
