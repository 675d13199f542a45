//! Paths that were validated, kept by the bytes of the leaf. For a known client only time and revocation are checked.
//! A verdict is never kept.

use std::hash::{Hash, Hasher, RandomState};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use certcheck_core::policy::AnchorValidity;
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::Answer;
use certcheck_core::status::Status;
use certcheck_core::x509::{Certificate, OwnedCertificate};
use certcheck_core::{Check, Evidence, Revocation, Time};
use pki_types::CertificateDer;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use smallvec::SmallVec;

use crate::basis::Basis;
use crate::cache::entry::CacheSlot;
use crate::cache::evidence::CachedEvidence;
use crate::chain::{bytes_of, owned};

/// Bytes that are hashed. The end of a certificate is its signature, which differs most.
const HASHED: usize = 32;

/// A certificate by its bytes. Their end is hashed with a secret, and they are compared in full.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OwnedLeaf(Arc<[u8]>);

struct Leaf<'a>(&'a [u8]);

fn hash_end<H: Hasher>(bytes: &[u8], state: &mut H) {
    state.write(bytes.last_chunk::<HASHED>().map_or(bytes, |end| end));
}

impl Hash for OwnedLeaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for Leaf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<OwnedLeaf> for Leaf<'_> {
    fn equivalent(&self, key: &OwnedLeaf) -> bool {
        *self.0 == *key.0
    }
}

/// The evidence about a path, ready for look-ups, and the slots that it was made of.
#[derive(Debug)]
pub(crate) struct EvidenceSet {
    evidence: Evidence,
    of: SmallVec<[Option<Arc<CachedEvidence>>; 4]>,
    /// The period in which this evidence says that the path is good. It is not a verdict: it is void once any of the
    /// evidence is replaced, and that is checked each time.
    says_good: OnceLock<(Time, Time)>,
}

impl EvidenceSet {
    fn new(slots: &[Arc<CacheSlot>]) -> Self {
        let of: SmallVec<[Option<Arc<CachedEvidence>>; 4]> = slots.iter().map(|slot| slot.get()).collect();
        let mut evidence = Evidence::new();
        for cached in of.iter().flatten() {
            match &cached.answer {
                Answer::Crl(crl) => evidence.add_crl(Arc::clone(crl)),
                Answer::Ocsp(response) => evidence.add_ocsp(response),
                _ => {}
            }
        }
        Self { evidence, of, says_good: OnceLock::new() }
    }

    /// Whether some of it has passed its end, whatever the policy tolerates.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.of.iter().flatten().any(|cached| cached.is_due(now))
    }

    /// Whether the slots still hold what this was made of.
    fn is_of(&self, slots: &[Arc<CacheSlot>]) -> bool {
        slots.len() == self.of.len()
            && slots.iter().zip(&self.of).all(|(slot, known)| match (&*slot.load(), known) {
                (Some(cached), Some(known)) => Arc::ptr_eq(cached, known),
                (None, None) => true,
                _ => false,
            })
    }
}

/// A path that was found good, and the slots of the evidence about it.
#[derive(Debug)]
pub(crate) struct KnownPath {
    pub(crate) basis: Arc<Basis>,
    pub(crate) report: Arc<OwnedReport>,
    /// The certificates that were presented with the leaf, for later checks.
    presented: Box<[CertificateDer<'static>]>,
    /// Every certificate of the path is valid from the first of these to the second.
    valid: (Time, Time),
    pub(crate) slots: Vec<Arc<CacheSlot>>,
    /// `None` if the slots have not been read. Many clients connect only once.
    evidence_set: ArcSwapOption<EvidenceSet>,
}

impl KnownPath {
    /// The path of a report that accepts. `None` if it does not accept, or has no end.
    pub(crate) fn new(
        report: Arc<OwnedReport>,
        chain: &[CertificateDer<'_>],
        slots: Vec<Arc<CacheSlot>>,
        basis: &Arc<Basis>,
    ) -> Option<Self> {
        let presented = owned(chain.get(1..).unwrap_or_default());
        let until = report.valid_until()?;
        // Whether an anchor's own validity counts is up to the policy: if it does, `valid_until` includes it.
        let counts = if basis.policy.anchor_validity == AnchorValidity::Enforce { 0 } else { 1 };
        let counted = report.path().len().saturating_sub(counts).max(1);
        let from = report.path().take(counted).map(OwnedCertificate::not_before).max()?;
        Some(Self {
            basis: Arc::clone(basis),
            presented,
            valid: (from, until),
            evidence_set: ArcSwapOption::empty(),
            slots,
            report,
        })
    }

    /// The chain as it was presented.
    pub(crate) fn chain(&self) -> Arc<[CertificateDer<'static>]> {
        let leaf = self.report.path().take(1).map(|leaf| CertificateDer::from(leaf.der().to_vec()));
        leaf.chain(self.presented.iter().cloned()).collect()
    }

    pub(crate) fn is_valid(&self, now: Time) -> bool {
        (self.valid.0..=self.valid.1).contains(&now)
    }

    /// The current evidence. It is made again only if some of it has changed.
    pub(crate) fn evidence_set(&self) -> Arc<EvidenceSet> {
        if let Some(known) = self.evidence_set.load_full().filter(|known| known.is_of(&self.slots)) {
            return known;
        }
        let evidence_set = Arc::new(EvidenceSet::new(&self.slots));
        self.evidence_set.store(Some(Arc::clone(&evidence_set)));
        evidence_set
    }

    /// Releases evidence that is no longer in its slot.
    pub(crate) fn release_replaced(&self) {
        if self.evidence_set.load().as_ref().is_some_and(|known| !known.is_of(&self.slots)) {
            self.evidence_set.store(None);
        }
    }

    /// The statuses of the path's certificates by the evidence in memory.
    pub(crate) fn look_up(
        &self,
        evidence_set: &EvidenceSet,
        now: Time,
        each: impl FnMut(usize, &Status<&Arc<str>>),
    ) -> Time {
        let path: SmallVec<[Certificate<'_>; 4]> =
            self.report.path().map(|certificate| certificate.view()).collect();
        let Basis { ring, policy, given, issuers } = &*self.basis;
        Check::new(&[], ring, policy, now)
            .with_verified_issuers(issuers)
            .with_evidence(&evidence_set.evidence)
            .look_up(&path, Some(given), each)
    }

    /// Whether all evidence in memory says that the path is good. Allocates nothing.
    pub(crate) fn is_good(&self, evidence_set: &EvidenceSet, now: Time) -> bool {
        if self.basis.policy.revocation == Revocation::Off {
            return true;
        }
        if evidence_set.says_good.get().is_some_and(|(from, until)| (*from..=*until).contains(&now)) {
            return true;
        }
        let mut is_good = true;
        let until = self.look_up(evidence_set, now, |_, status| {
            is_good &= matches!(status, Status::Good(_) | Status::NoRevAvail);
        });
        if is_good {
            // Written once. If it holds for longer, it is looked up each time after that.
            let _first = evidence_set.says_good.set((now, until));
        }
        is_good
    }
}

/// The paths of known clients, limited by their number. Those that are not used are dropped.
#[derive(Debug)]
pub(crate) struct KnownPaths(Cache<OwnedLeaf, Arc<KnownPath>, Bytes, RandomState>);

/// Average KiB of a known path when all places are taken.
const KIB_EACH: u64 = 4;

/// The weight of a path in KiB: clients decide how much they present.
#[derive(Clone, Debug)]
pub(crate) struct Bytes;

impl Weighter<OwnedLeaf, Arc<KnownPath>> for Bytes {
    fn weight(&self, _: &OwnedLeaf, path: &Arc<KnownPath>) -> u64 {
        let members = path.report.path().map(|member| member.der().len());
        let bytes = members.sum::<usize>() + bytes_of(&path.presented);
        u64::try_from(bytes).unwrap_or(u64::MAX) / 1_024 + 1
    }
}

impl KnownPaths {
    pub(crate) fn new(max: usize) -> Self {
        let capacity = u64::try_from(max).unwrap_or(u64::MAX).saturating_mul(KIB_EACH);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self(Cache::with(max, capacity, Bytes, RandomState::new(), lifecycle))
    }

    pub(crate) fn get(&self, leaf: &[u8]) -> Option<Arc<KnownPath>> {
        self.0.get(&Leaf(leaf))
    }

    pub(crate) fn insert(&self, path: Arc<KnownPath>) {
        let leaf = path.report.path().next().map(|leaf| OwnedLeaf(Arc::clone(leaf.der())));
        if let Some(leaf) = leaf {
            self.0.insert(leaf, path);
        }
    }

    pub(crate) fn remove(&self, leaf: &[u8]) {
        self.0.remove(&Leaf(leaf));
    }

    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<KnownPath>> {
        self.0.iter().map(|(_, path)| path)
    }
}
