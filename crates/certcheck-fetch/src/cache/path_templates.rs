//! Clients that are seen for the first time under an issuer that is known: a template of the core's, kept by the kind of
//! leaf, with the places of the evidence about it. What it takes is one signature; whoever is not admitted so is checked
//! as if there were no template.

use std::cell::{OnceCell, RefCell};
use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_core::status::Status;
use certcheck_core::{Admitted, Check, IssuerPath, IssuerStatuses, LeafCandidate, Progress, Time};
use pki_types::CertificateDer;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use smallvec::SmallVec;

use crate::basis::Basis;
use crate::cache::entry::Slot;
use crate::cache::evidence::{Held, Origin};
use crate::cache::key::Key;
use crate::cache::known_paths::KnownPath;
use crate::chain::octets_of;
use crate::engine::driver::Order;
use crate::engine::report::SourceTried;
use crate::engine::snapshot::Snapshot;
use crate::fetcher::Fetcher;
use crate::limits::Kind;
use crate::metrics as names;

/// Kinds of leaves that are kept: one or a few for each issuer.
const MOST: usize = 1_024;

/// A client that was admitted.
pub(crate) struct FirstSeen {
    pub(crate) path: KnownPath,
    pub(crate) sources: Vec<SourceTried>,
}

/// Evidence that was asked for and is at hand.
#[derive(Clone, Debug)]
struct Found {
    /// For which certificate of the path.
    at: usize,
    ask: EvidenceRequest,
    slot: Arc<Slot>,
    held: Arc<Held>,
}

/// What is known of the CAs of a template, and by what.
#[derive(Debug)]
struct Above {
    statuses: IssuerStatuses,
    by: Vec<Found>,
}

/// A template, and where the evidence about its paths is.
#[derive(Debug)]
struct Kept {
    template: IssuerPath,
    presented: Arc<[CertificateDer<'static>]>,
    above: ArcSwapOption<Above>,
    /// The CRLs that leaves of the kind ask for.
    places: ArcSwap<Vec<(EvidenceRequest, Arc<Slot>)>>,
}

#[derive(Clone, Debug)]
struct OwnedKind(Arc<Kept>);

struct KindOf<'n>(&'n LeafCandidate<'n>);

impl Hash for OwnedKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.template.hash_profile(state);
    }
}

impl PartialEq for OwnedKind {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OwnedKind {}

impl Hash for KindOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_profile(state);
    }
}

impl Equivalent<OwnedKind> for KindOf<'_> {
    fn equivalent(&self, key: &OwnedKind) -> bool {
        key.0.template.has_same_profile(self.0)
    }
}

/// Templates by the kind of their leaves, bounded by their number.
#[derive(Debug)]
pub(crate) struct Templates(Cache<OwnedKind, Arc<Kept>, Octets, RandomState>);

/// Octets that may be presented beside the leaf by clients of a kind that is kept.
const MOST_PRESENTED: usize = 32 << 10;
/// KiB that a template may take on the average, where all places are taken.
const KIB_EACH: u64 = 8;

/// Templates by what is presented, in KiB: clients decide how much that is.
#[derive(Clone, Debug)]
struct Octets;

impl Weighter<OwnedKind, Arc<Kept>> for Octets {
    fn weight(&self, _: &OwnedKind, kept: &Arc<Kept>) -> u64 {
        u64::try_from(octets_of(&kept.presented)).unwrap_or(u64::MAX) / 1_024 + 2
    }
}

impl Templates {
    pub(crate) fn new() -> Self {
        let capacity = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_mul(KIB_EACH);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self(Cache::with(MOST, capacity, Octets, RandomState::new(), lifecycle))
    }

    /// Keeps what can be kept of a check that accepts, unless there is a template for it. Where something is unknown
    /// clients are never known, and whoever has seen one could have any number of kinds kept.
    pub(crate) fn learn(&self, basis: &Basis, order: Order<'_>, progress: &Progress<'_>) {
        let is_unknown =
            |report: &OwnedReport| report.statuses().any(|status| matches!(status, Status::Unknown(_)));
        if octets_of(order.chain) > MOST_PRESENTED || progress.settled().is_none_or(is_unknown) {
            return;
        }
        let Some(leaf_candidate) = leaf_candidate(basis, order.chain, order.now) else { return };
        match self.0.get(&KindOf(&leaf_candidate)) {
            Some(kept) if kept.template.is_stable(order.now) => return,
            // Of another time.
            Some(_) => drop(self.0.remove(&KindOf(&leaf_candidate))),
            None => {}
        }
        let Some(template) = progress.issuer_path() else { return };
        let kept = Arc::new(Kept {
            presented: template.presented().into(),
            template,
            above: ArcSwapOption::empty(),
            places: ArcSwap::default(),
        });
        self.0.insert(OwnedKind(Arc::clone(&kept)), kept);
    }
}

fn leaf_candidate<'n>(
    basis: &'n Basis,
    chain: &'n [CertificateDer<'n>],
    now: Time,
) -> Option<LeafCandidate<'n>> {
    Check::new(chain, &basis.ring, &basis.policy, now)
        .with_verified_issuers(&basis.issuers)
        .with_evidence(&basis.given)
        // Where policy has requests carry nonces, theirs is answered by nothing that is at hand.
        .with_nonce_seed([0; 32])
        .leaf_candidate()
}

/// Who looks for evidence in memory.
struct Looker<'l> {
    fetcher: &'l Fetcher,
    now: Time,
    /// The clock, if HTTP has a say in what is due.
    clock: OnceCell<Time>,
    /// Where it was the last time.
    places: &'l [(EvidenceRequest, Arc<Slot>)],
    found: RefCell<SmallVec<[Found; 4]>>,
}

impl<'l> Looker<'l> {
    fn new(fetcher: &'l Fetcher, now: Time, places: &'l [(EvidenceRequest, Arc<Slot>)]) -> Self {
        Self { fetcher, now, clock: OnceCell::new(), places, found: RefCell::default() }
    }

    /// As who drives a check has it: what is due is first asked for anew.
    fn is_due(&self, held: &Held) -> bool {
        let clock = || *self.clock.get_or_init(crate::clock::now);
        held.is_due(self.now) || self.fetcher.revalidates && held.is_stale_by_http(clock())
    }

    /// What is at hand and not due.
    fn find(&self, ask: &EvidenceRequest) -> Option<Answer> {
        let place = self.places.iter().find(|(known, _)| known == ask).map(|(_, slot)| Arc::clone(slot));
        let kept = place.and_then(|slot| slot.get().map(|held| (slot, held)));
        let (slot, held) = kept.or_else(|| {
            let slot = self.fetcher.memory.find(&Key::of(ask)?)?;
            let held = slot.get()?;
            Some((slot, held))
        })?;
        if self.is_due(&held) {
            return None;
        }
        let answer = held.answer.clone();
        self.found.borrow_mut().push(Found { at: 0, ask: ask.clone(), slot, held });
        Some(answer)
    }
}

impl Above {
    /// Whether it is made of what is at hand still, and of nothing that is due.
    fn is_current(&self, looker: &Looker<'_>) -> bool {
        let is_same = |found: &Found| {
            found.slot.load().as_ref().is_some_and(|held| Arc::ptr_eq(held, &found.held))
                && !looker.is_due(&found.held)
        };
        self.statuses.hold(looker.now) && self.by.iter().all(is_same)
    }
}

impl Kept {
    fn above(&self, leaf_candidate: &LeafCandidate<'_>, looker: &Looker<'_>) -> Option<Arc<Above>> {
        let known = self.above.load();
        if let Some(above) = &*known
            && above.is_current(looker)
        {
            return Some(Arc::clone(above));
        }
        let own = Looker::new(looker.fetcher, looker.now, &[]);
        let statuses = self.template.issuer_statuses(leaf_candidate, &|ask| own.find(ask))?;
        let mut by = own.found.into_inner().into_vec();
        for found in &mut by {
            found.at = statuses.place_of(&found.ask)?;
        }
        let above = Arc::new(Above { statuses, by });
        self.above.store(Some(Arc::clone(&above)));
        Some(above)
    }

    /// Notes where the CRLs are, for who comes next.
    fn note_places(&self, places: &[(EvidenceRequest, Arc<Slot>)], found: &[Found]) {
        let crls = || found.iter().filter(|found| matches!(found.ask, EvidenceRequest::Crl { .. }));
        let is_known = |found: &Found| {
            places.iter().any(|(ask, slot)| *ask == found.ask && Arc::ptr_eq(slot, &found.slot))
        };
        if !crls().all(is_known) {
            let places = crls().map(|found| (found.ask.clone(), Arc::clone(&found.slot)));
            self.places.store(Arc::new(places.collect()));
        }
    }
}

/// Admits a client that was not seen before, if all that has a say in it is at hand. `None` says nothing: a check must find
/// out.
pub(crate) fn admit(
    fetcher: &Fetcher,
    snapshot: &Snapshot,
    chain: &[CertificateDer<'_>],
    now: Time,
) -> Option<FirstSeen> {
    let basis = &snapshot.basis;
    let leaf_candidate = leaf_candidate(basis, chain, now)?;
    let kept = snapshot.templates.0.get(&KindOf(&leaf_candidate))?;
    if !kept.template.is_stable(now) {
        return None;
    }
    let places = kept.places.load();
    let looker = Looker::new(fetcher, now, &places);
    let above = kept.above(&leaf_candidate, &looker)?;
    let Admitted { report, evidence } =
        kept.template.admit(&leaf_candidate, &above.statuses, &|ask| looker.find(ask))?;
    let found = looker.found.into_inner();
    kept.note_places(&places, &found);
    let count = found.len() + above.by.len();
    let mut sources = Vec::with_capacity(count);
    let mut slots: Vec<Arc<Slot>> = Vec::with_capacity(count);
    let mut held: SmallVec<[Option<Arc<Held>>; 4]> = SmallVec::with_capacity(count);
    let (mut crls, mut responses) = (0, 0);
    for found in found.iter().chain(&above.by) {
        if slots.iter().any(|known| known.key == found.slot.key) {
            continue;
        }
        found.slot.touch(now);
        let kind = found.held.kind();
        match kind {
            Kind::Ocsp => responses += 1,
            _ => crls += 1,
        }
        sources.push(SourceTried {
            at: found.at,
            kind,
            url: Arc::clone(found.ask.url()),
            from: Some(Origin::Memory),
            elapsed: Duration::ZERO,
            octets: found.held.octets(),
            failure: None,
            refusal: None,
        });
        slots.push(Arc::clone(&found.slot));
        held.push(Some(Arc::clone(&found.held)));
    }
    if crls > 0 {
        metrics::counter!(names::ANSWERS, "kind" => "crl", "from" => "memory").increment(crls);
    }
    if responses > 0 {
        metrics::counter!(names::ANSWERS, "kind" => "ocsp", "from" => "memory").increment(responses);
    }
    let presented = Arc::clone(&kept.presented);
    let path = KnownPath::of_evidence(Arc::new(report), presented, slots, basis, evidence, held)?;
    Some(FirstSeen { path, sources })
}
