//! Clients that are seen for the first time under a known issuer. An issuer path of the core is kept with the statuses
//! of its CAs and the slots of the evidence about them. A check of such a client takes one signature.

use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_core::status::Status;
use certcheck_core::{CheckSession, IssuerPath, IssuerPathKey, IssuerStatuses, Time};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::cache::entry::{CacheSlot, Memory};
use crate::cache::key::EvidenceKey;
use crate::cache::lookup::Found;
use crate::chain::bytes_of;
use crate::inputs::Inputs;

/// Issuer paths that are kept: a few for each issuer.
const MAX_TEMPLATES: usize = 1_024;

/// Bytes of the URLs that are noted for one template.
const MAX_PLACES: usize = 4 << 10;
/// Bytes that a kept client may present.
const MAX_PRESENTED: usize = 32 << 10;
/// Average KiB of a template when all places are taken.
const KIB_EACH: u64 = 8;

/// The statuses of the CAs of a template, and the evidence for them.
#[derive(Debug)]
pub(crate) struct Above {
    pub(crate) statuses: IssuerStatuses,
    /// Each with the position of the certificate that it was asked for.
    pub(crate) by: Vec<(usize, Found)>,
}

/// An issuer path, and what is known about the evidence for it.
#[derive(Debug)]
pub(crate) struct PathTemplate {
    pub(crate) issuer_path: IssuerPath,
    above: ArcSwapOption<Above>,
    /// The slots of the CRLs about leaves.
    pub(crate) places: ArcSwap<Vec<(EvidenceRequest, Arc<CacheSlot>)>>,
}

#[derive(Clone, Debug)]
struct TemplateKey(Arc<PathTemplate>);

struct TemplateKeyOf<'k>(IssuerPathKey<'k>);

impl Hash for TemplateKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.issuer_path.key().hash(state);
    }
}

/// A template takes the place of another with the same key, which may be too old.
impl PartialEq for TemplateKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.issuer_path.key() == other.0.issuer_path.key()
    }
}

impl Eq for TemplateKey {}

impl Hash for TemplateKeyOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<TemplateKey> for TemplateKeyOf<'_> {
    fn equivalent(&self, key: &TemplateKey) -> bool {
        self.0 == key.0.issuer_path.key()
    }
}

/// The weight of a template in KiB: clients decide how much they present.
#[derive(Clone, Debug)]
struct TemplateKib;

impl Weighter<TemplateKey, Arc<PathTemplate>> for TemplateKib {
    fn weight(&self, _: &TemplateKey, template: &Arc<PathTemplate>) -> u64 {
        u64::try_from(bytes_of(template.issuer_path.presented())).unwrap_or(u64::MAX) / 1_024 + 2
    }
}

/// Templates by what their leaves have in common, limited by their size.
#[derive(Debug)]
pub(crate) struct PathTemplates(Cache<TemplateKey, Arc<PathTemplate>, TemplateKib, RandomState>);

impl PathTemplates {
    pub(crate) fn new() -> Self {
        let capacity = u64::try_from(MAX_TEMPLATES).unwrap_or(u64::MAX).saturating_mul(KIB_EACH);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self(Cache::with(MAX_TEMPLATES, capacity, TemplateKib, RandomState::new(), lifecycle))
    }

    /// The template for leaves with this key.
    pub(crate) fn get(&self, key: IssuerPathKey<'_>) -> Option<Arc<PathTemplate>> {
        self.0.get(&TemplateKeyOf(key))
    }

    /// Keeps what can be kept of a check that accepts. `template` is the one that the check was begun under. Nothing is
    /// kept where a status is unknown: such clients are never known, so anyone who has seen one could fill the memory.
    pub(crate) fn learn(
        &self,
        template: Option<&Arc<PathTemplate>>,
        session: &CheckSession<Inputs>,
        found: &[Found],
        memory: &Memory,
    ) {
        let is_unknown =
            |report: &OwnedReport| report.statuses().any(|status| matches!(status, Status::Unknown(_)));
        let Inputs { chain, now, .. } = session.inputs();
        if bytes_of(chain) > MAX_PRESENTED
            || session.settled().is_none_or(|report| !report.is_accepted() || is_unknown(report))
        {
            return;
        }
        let fresh = || {
            let issuer_path = session.issuer_path()?;
            let (above, places) = (ArcSwapOption::empty(), ArcSwap::default());
            let template = Arc::new(PathTemplate { issuer_path, above, places });
            self.0.insert(TemplateKey(Arc::clone(&template)), Arc::clone(&template));
            Some(template)
        };
        let is_stable = |template: &Arc<PathTemplate>| template.issuer_path.is_stable(*now);
        let begun_under = template.filter(|template| is_stable(template)).map(Arc::clone);
        // Another check may have been completed meanwhile, for the same evidence perhaps.
        let newer = || self.get(session.issuer_path_key()?).filter(is_stable);
        let Some(template) = begun_under.or_else(newer).or_else(fresh) else { return };
        template.note_places(found.iter().filter(|found| session.place_of(&found.request) == Some(0)));
        let before = template.above.load();
        if template.above(memory, *now).is_none() {
            // A client on another path says nothing about this one. What does not hold any more is released, and what
            // another check has found out meanwhile stays.
            let above = Above::of(session, &template.issuer_path, memory).map(Arc::new);
            template.above.compare_and_swap(&before, above);
        }
    }
}

impl Above {
    /// The statuses of the CAs of a session, if all evidence for them is in memory.
    fn of(session: &CheckSession<Inputs>, path: &IssuerPath, memory: &Memory) -> Option<Self> {
        let statuses = session.issuer_statuses(path)?;
        let found = |(at, request, answer): (usize, &EvidenceRequest, &Answer)| {
            let slot = memory.find(&EvidenceKey::of(request)?)?;
            let cached = slot.get().filter(|cached| is_same(&cached.answer, answer))?;
            Some((at, Found { request: request.clone(), slot, cached }))
        };
        let by = statuses.answers().map(found).collect::<Option<Vec<_>>>()?;
        Some(Self { statuses, by })
    }
}

fn is_same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Crl(ours), Answer::Crl(theirs)) => Arc::ptr_eq(ours, theirs),
        (Answer::Ocsp(ours), Answer::Ocsp(theirs)) => Arc::ptr_eq(ours, theirs),
        _ => false,
    }
}

impl PathTemplate {
    /// The statuses of the CAs, if the evidence for them is still in memory and gives the same.
    pub(crate) fn above(&self, memory: &Memory, now: Time) -> Option<Arc<Above>> {
        let above = self.above.load();
        let above = above.as_ref().filter(|above| {
            above.statuses.hold(now) && above.by.iter().all(|(_, found)| found.is_current(memory, now))
        });
        above.map(Arc::clone)
    }

    /// Notes the slots of the CRLs among what was found about a leaf, for later leaves.
    pub(crate) fn note_places<'f>(&self, of_leaf: impl IntoIterator<Item = &'f Found> + Clone) {
        let crls = || {
            let of_leaf = of_leaf.clone().into_iter();
            of_leaf.filter(|found| matches!(found.request, EvidenceRequest::Crl { .. }))
        };
        let places = self.places.load();
        let is_known = |found: &Found| {
            places.iter().any(|(request, slot)| Arc::ptr_eq(slot, &found.slot) && *request == found.request)
        };
        let bytes: usize = crls().map(|found| found.request.url().len()).sum();
        if bytes <= MAX_PLACES && !crls().all(is_known) {
            let places = crls().map(|found| (found.request.clone(), Arc::clone(&found.slot)));
            self.places.store(Arc::new(places.collect()));
        }
    }
}
