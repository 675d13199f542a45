//! What a check keeps from one evaluation to the next: the searches for paths, and the status of each certificate of
//! each path as far as the answers go.
//!
//! A search depends on no evidence. A status depends on the answers that were asked for it, so an answer concerns only
//! the certificates whose planning stopped at it.

use std::sync::Arc;

use super::wanted_issuers::WantedIssuers;
use crate::budget::Spent;
use crate::ocsp::HashedIssuer;
use crate::path::build::{FirstPath, Outcome};
use crate::path::candidate::CertificateRef;
use crate::path::context::Edge;
use crate::revocation::plan::Planned;
use crate::revocation::{AskedEvidence, Dismissal, EvidenceRequest};

/// What a check keeps from one evaluation to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The signatures that were verified in all searches.
    pub(super) edges: Vec<Edge<'static>>,
    /// The path that a search would find first, if it is known.
    pub(super) first_path: Option<Arc<FirstPath>>,
    searches: Vec<Arc<Searched>>,
    paths: Vec<PathStatuses>,
    /// The hashes of the target's issuer, if they are known.
    pub(super) hashed_issuer: Option<HashedIssuer>,
    /// What was replaced since the trial began.
    replaced: Vec<(usize, usize, Option<Arc<Planned>>)>,
}

/// A search that was made.
#[derive(Clone, Debug)]
pub(super) struct Searched {
    /// The certificates that its path must not contain.
    pub(super) excluded: Vec<CertificateRef>,
    pub(super) outcome: Outcome,
    /// Whether the path was known, so that nothing was searched.
    pub(super) was_known: bool,
    pub(super) wanted_issuers: WantedIssuers,
    /// What it spent, apart from signatures.
    pub(super) spent: Spent,
}

/// The statuses of one path so far.
#[derive(Clone, Debug)]
struct PathStatuses {
    path: Vec<CertificateRef>,
    /// For each certificate whose status is checked, target first.
    planned: Vec<Option<Arc<Planned>>>,
}

/// A request, and why its answer was not useful. `None` if it was useful for one certificate of the path.
pub(super) type Asked<'m> = (&'m EvidenceRequest, Option<&'m Dismissal>);

impl Memory {
    /// The memory of a check that has verified signatures, and knows nothing else.
    pub(super) fn of_edges(edges: Vec<Edge<'static>>) -> Self {
        Self { edges, ..Self::default() }
    }

    /// The memory of a check whose path may be known, with the plans for its CAs if these are known too, and the
    /// signatures that were verified.
    pub(super) fn of_path(
        first_path: &Arc<FirstPath>,
        hashed_issuer: HashedIssuer,
        above: &[Arc<Planned>],
        edges: Vec<Edge<'static>>,
    ) -> Self {
        let mut memory = Self {
            edges,
            first_path: Some(Arc::clone(first_path)),
            hashed_issuer: Some(hashed_issuer),
            ..Self::default()
        };
        if !above.is_empty() {
            let number = memory.number_of(&first_path.path);
            for (at, planned) in (1..).zip(above) {
                memory.set_planned(number, at, Arc::clone(planned));
            }
        }
        memory
    }

    /// The search without these certificates, if it was made.
    pub(super) fn search(&self, excluded: &[CertificateRef]) -> Option<&Arc<Searched>> {
        self.searches.iter().find(|search| search.excluded == excluded)
    }

    /// The only search, if there was only one.
    pub(super) fn only_search(&self) -> Option<&Searched> {
        match &self.searches[..] {
            [search] => Some(search),
            _ => None,
        }
    }

    pub(super) fn add_search(&mut self, search: Arc<Searched>) {
        self.searches.push(search);
    }

    /// Forgets what depends on the certificates that paths are built from. Signatures stay, and the next search reports
    /// those that failed as if it were the first.
    pub(super) fn forget_paths(&mut self) {
        self.edges.iter_mut().for_each(Edge::begin_search);
        self.first_path = None;
        self.searches.clear();
        self.paths.clear();
        self.replaced.clear();
    }

    /// The number of a path.
    pub(super) fn number_of(&mut self, path: &[CertificateRef]) -> usize {
        let known = self.paths.iter().position(|known| known.path == path);
        known.unwrap_or_else(|| {
            self.paths.push(PathStatuses { path: path.to_vec(), planned: Vec::new() });
            self.paths.len() - 1
        })
    }

    /// The plan for a certificate of a path, if there is one.
    pub(super) fn planned(&self, path: usize, at: usize) -> Option<&Arc<Planned>> {
        self.paths.get(path)?.planned.get(at)?.as_ref()
    }

    /// All plans for a path.
    pub(super) fn plans(&self, path: usize) -> impl Iterator<Item = &Arc<Planned>> {
        self.paths.get(path).into_iter().flat_map(|path| path.planned.iter().flatten())
    }

    pub(super) fn set_planned(&mut self, path: usize, at: usize, planned: Arc<Planned>) {
        let Some(statuses) = self.paths.get_mut(path) else { return };
        if statuses.planned.len() <= at {
            statuses.planned.resize(at + 1, None);
        }
        if let Some(place) = statuses.planned.get_mut(at) {
            let before = place.replace(planned);
            self.replaced.push((path, at, before));
        }
    }

    /// Begins a trial: from here, changes can be taken back.
    pub(super) fn begin_trial(&mut self) {
        self.replaced.clear();
    }

    /// Takes back all plans since the trial began.
    pub(super) fn take_back(&mut self) {
        for (path, at, before) in self.replaced.drain(..).rev() {
            if let Some(place) = self.paths.get_mut(path).and_then(|path| path.planned.get_mut(at)) {
                *place = before;
            }
        }
    }

    /// The path that was found last.
    pub(super) fn last_path(&self) -> Option<&[CertificateRef]> {
        Some(&self.searches.last()?.outcome.path)
    }

    /// The position of the first certificate of a path for which this was requested.
    pub(super) fn place_of(&self, path: usize, ask: &EvidenceRequest) -> Option<usize> {
        let planned = &self.paths.get(path)?.planned;
        let has_asked = |planned: &Arc<Planned>| planned.asked.iter().any(|asked| asked.request == *ask);
        planned.iter().position(|planned| planned.as_ref().is_some_and(has_asked))
    }

    /// Why the answer to this request is not used. It is used if it is used for any of these paths.
    pub(super) fn fault(&self, paths: &[usize], ask: &EvidenceRequest) -> Option<Dismissal> {
        let mut worst: Option<&Dismissal> = None;
        let asked = paths.iter().flat_map(|path| self.plans(*path)).flat_map(|planned| &planned.asked);
        for asked in asked.filter(|asked| asked.request == *ask) {
            let fault = asked.fault.as_ref()?;
            if worst.is_none_or(|worst| fault.cause() >= worst.cause()) {
                worst = Some(fault);
            }
        }
        // Not evaluated: everything is certain without it.
        Some(worst.map_or(Dismissal::NotLookedAt, Clone::clone))
    }

    /// The requests that were answered for a path.
    pub(super) fn asked(&self, path: usize) -> Vec<Asked<'_>> {
        let mut asked: Vec<Asked<'_>> = Vec::new();
        for AskedEvidence { request, fault, .. } in self.plans(path).flat_map(|planned| &planned.asked) {
            match asked.iter_mut().find(|(known, _)| *known == request) {
                // An answer that is useful for one certificate is useful.
                Some((_, known)) => *known = fault.as_ref().and(*known),
                None => asked.push((request, fault.as_ref())),
            }
        }
        asked
    }
}
