//! Clients that are seen for the first time under a known issuer. An issuer path of the core is kept by the profile
//! of the leaf, with the slots of the evidence about it. Accepting a client then takes one signature. A client that
//! is not accepted in this way is checked as if there were no template.

use std::cell::RefCell;
use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_core::status::Status;
use certcheck_core::{Check, CheckSession, FastAccept, IssuerPath, IssuerStatuses, LeafCandidate, Time};
use pki_types::CertificateDer;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use smallvec::SmallVec;

use crate::basis::Basis;
use crate::cache::entry::{CacheSlot, Memory};
use crate::cache::evidence::CachedEvidence;
use crate::cache::key::EvidenceKey;
use crate::cache::known_paths::KnownPath;
use crate::chain::bytes_of;

/// Profiles of leaves that are kept: a few for each issuer.
const MAX_TEMPLATES: usize = 1_024;

/// A client that was accepted.
pub(crate) struct FirstSeen {
    pub(crate) path: KnownPath,
    /// The evidence it was accepted by.
    pub(crate) found: Vec<Found>,
}

/// Evidence that was asked for and is in memory.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The certificate of the path that it is about.
    pub(crate) at: usize,
    pub(crate) request: EvidenceRequest,
    slot: Arc<CacheSlot>,
    pub(crate) cached: Arc<CachedEvidence>,
}

/// The status of the CAs of a template, and the evidence for it.
#[derive(Debug)]
struct Above {
    statuses: IssuerStatuses,
    by: Vec<Found>,
}

/// A template, and the slots of the evidence about its paths.
#[derive(Debug)]
struct PathTemplate {
    issuer_path: IssuerPath,
    presented: Arc<[CertificateDer<'static>]>,
    above: ArcSwapOption<Above>,
    /// The CRLs that leaves of the profile ask for.
    places: ArcSwap<Vec<(EvidenceRequest, Arc<CacheSlot>)>>,
}

#[derive(Clone, Debug)]
struct OwnedProfile(Arc<PathTemplate>);

struct ProfileOf<'n>(&'n LeafCandidate<'n>);

impl Hash for OwnedProfile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.issuer_path.hash_profile(state);
    }
}

impl PartialEq for OwnedProfile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OwnedProfile {}

impl Hash for ProfileOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_profile(state);
    }
}

impl Equivalent<OwnedProfile> for ProfileOf<'_> {
    fn equivalent(&self, key: &OwnedProfile) -> bool {
        key.0.issuer_path.has_same_profile(self.0)
    }
}

/// Templates by the profile of their leaves, limited by their number.
#[derive(Debug)]
pub(crate) struct PathTemplates(Cache<OwnedProfile, Arc<PathTemplate>, Bytes, RandomState>);

/// Bytes that clients of a kept profile may present in addition to the leaf.
const MAX_PRESENTED: usize = 32 << 10;
/// Average KiB of a template when all places are taken.
const KIB_EACH: u64 = 8;

/// The weight of a template in KiB: clients decide how much they present.
#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<OwnedProfile, Arc<PathTemplate>> for Bytes {
    fn weight(&self, _: &OwnedProfile, template: &Arc<PathTemplate>) -> u64 {
        u64::try_from(bytes_of(&template.presented)).unwrap_or(u64::MAX) / 1_024 + 2
    }
}

impl PathTemplates {
    pub(crate) fn new() -> Self {
        let capacity = u64::try_from(MAX_TEMPLATES).unwrap_or(u64::MAX).saturating_mul(KIB_EACH);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self(Cache::with(MAX_TEMPLATES, capacity, Bytes, RandomState::new(), lifecycle))
    }

    /// Keeps what can be kept of a check that accepts, unless there is a template for it. Nothing is kept where a
    /// status is unknown: such clients are never known, so anyone who has seen one could fill the memory with
    /// profiles.
    pub(crate) fn learn(
        &self,
        basis: &Basis,
        chain: &[CertificateDer<'_>],
        now: Time,
        progress: &CheckSession<'_>,
    ) {
        let is_unknown =
            |report: &OwnedReport| report.statuses().any(|status| matches!(status, Status::Unknown(_)));
        if bytes_of(chain) > MAX_PRESENTED || progress.settled().is_none_or(is_unknown) {
            return;
        }
        let Some(leaf_candidate) = leaf_candidate(basis, chain, now) else { return };
        match self.0.get(&ProfileOf(&leaf_candidate)) {
            Some(template) if template.issuer_path.is_stable(now) => return,
            // Evidence of another time.
            Some(_) => drop(self.0.remove(&ProfileOf(&leaf_candidate))),
            None => {}
        }
        let Some(issuer_path) = progress.issuer_path() else { return };
        let template = Arc::new(PathTemplate {
            presented: issuer_path.presented().into(),
            issuer_path,
            above: ArcSwapOption::empty(),
            places: ArcSwap::default(),
        });
        self.0.insert(OwnedProfile(Arc::clone(&template)), template);
    }

    /// Accepts a client that was not seen before, if all evidence that matters is in memory. `None` means that a
    /// check has to decide.
    pub(crate) fn accept_fast(
        &self,
        memory: &Memory,
        basis: &Arc<Basis>,
        chain: &[CertificateDer<'_>],
        now: Time,
    ) -> Option<FirstSeen> {
        let leaf_candidate = leaf_candidate(basis, chain, now)?;
        let template = self.0.get(&ProfileOf(&leaf_candidate))?;
        if !template.issuer_path.is_stable(now) {
            return None;
        }
        let places = template.places.load();
        let lookup = CacheLookup::new(memory, now, &places);
        let above = template.above(&leaf_candidate, &lookup)?;
        let FastAccept { report, evidence, .. } =
            template
                .issuer_path
                .accept_fast(&leaf_candidate, &above.statuses, &|request| lookup.find(request))?;
        let mut found = lookup.found.into_inner().into_vec();
        template.note_places(&places, &found);
        found.extend(above.by.iter().cloned());
        let mut seen: SmallVec<[EvidenceKey; 4]> = SmallVec::new();
        found.retain(|found| {
            let is_first = !seen.contains(&found.slot.key);
            seen.push(found.slot.key);
            is_first
        });
        let slots = found.iter().map(|found| Arc::clone(&found.slot)).collect();
        let cached = found.iter().map(|found| Some(Arc::clone(&found.cached))).collect();
        let presented = Arc::clone(&template.presented);
        let path = KnownPath::of_evidence(Arc::new(report), presented, slots, basis, evidence, cached)?;
        found.iter().for_each(|found| found.slot.touch(now));
        Some(FirstSeen { path, found })
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
        // If the policy wants nonces in requests, no evidence in memory answers this client's request.
        .with_nonce_seed([0; 32])
        .leaf_candidate()
}

/// A search for evidence in memory.
struct CacheLookup<'l> {
    memory: &'l Memory,
    now: Time,
    /// The slots where it was the last time.
    places: &'l [(EvidenceRequest, Arc<CacheSlot>)],
    found: RefCell<SmallVec<[Found; 4]>>,
}

impl<'l> CacheLookup<'l> {
    fn new(memory: &'l Memory, now: Time, places: &'l [(EvidenceRequest, Arc<CacheSlot>)]) -> Self {
        Self { memory, now, places, found: RefCell::default() }
    }

    /// Evidence that is in memory and not due.
    fn find(&self, request: &EvidenceRequest) -> Option<Answer> {
        let place = self.places.iter().find(|(known, _)| known == request).map(|(_, slot)| Arc::clone(slot));
        let template = place.and_then(|slot| slot.get().map(|cached| (slot, cached)));
        let (slot, cached) = template.or_else(|| {
            let slot = self.memory.find(&EvidenceKey::of(request)?)?;
            let cached = slot.get()?;
            Some((slot, cached))
        })?;
        if self.memory.is_due(&cached, self.now) {
            return None;
        }
        let answer = cached.answer.clone();
        self.found.borrow_mut().push(Found { at: 0, request: request.clone(), slot, cached });
        Some(answer)
    }
}

impl Above {
    /// Whether it is still made of the evidence in memory, and none of that is due.
    fn is_current(&self, lookup: &CacheLookup<'_>) -> bool {
        let is_same = |found: &Found| {
            found.slot.load().as_ref().is_some_and(|cached| Arc::ptr_eq(cached, &found.cached))
                && !lookup.memory.is_due(&found.cached, lookup.now)
        };
        self.statuses.hold(lookup.now) && self.by.iter().all(is_same)
    }
}

impl PathTemplate {
    fn above(&self, leaf_candidate: &LeafCandidate<'_>, lookup: &CacheLookup<'_>) -> Option<Arc<Above>> {
        let known = self.above.load();
        if let Some(above) = &*known
            && above.is_current(lookup)
        {
            return Some(Arc::clone(above));
        }
        let own = CacheLookup::new(lookup.memory, lookup.now, &[]);
        let statuses = self.issuer_path.issuer_statuses(leaf_candidate, &|request| own.find(request))?;
        let mut by = own.found.into_inner().into_vec();
        for found in &mut by {
            found.at = statuses.place_of(&found.request)?;
        }
        let above = Arc::new(Above { statuses, by });
        self.above.store(Some(Arc::clone(&above)));
        Some(above)
    }

    /// Notes the slots of the CRLs for later clients.
    fn note_places(&self, places: &[(EvidenceRequest, Arc<CacheSlot>)], found: &[Found]) {
        let crls = || found.iter().filter(|found| matches!(found.request, EvidenceRequest::Crl { .. }));
        let is_known = |found: &Found| {
            places.iter().any(|(request, slot)| *request == found.request && Arc::ptr_eq(slot, &found.slot))
        };
        if !crls().all(is_known) {
            let places = crls().map(|found| (found.request.clone(), Arc::clone(&found.slot)));
            self.places.store(Arc::new(places.collect()));
        }
    }
}
