//! Looking up evidence in memory for a check, without waiting.

use std::cell::RefCell;
use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::revocation::{Answer, EvidenceRequest};
use smallvec::SmallVec;

use crate::cache::entry::{CacheSlot, Memory};
use crate::cache::evidence::CachedEvidence;
use crate::cache::key::EvidenceKey;

/// Evidence that was asked for and is in memory.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) request: EvidenceRequest,
    pub(crate) slot: Arc<CacheSlot>,
    pub(crate) cached: Arc<CachedEvidence>,
}

impl Found {
    /// Whether it is still the evidence in its slot, and newer evidence is not due.
    pub(crate) fn is_current(&self, memory: &Memory, now: Time) -> bool {
        self.slot.load().as_ref().is_some_and(|cached| Arc::ptr_eq(cached, &self.cached))
            && !memory.is_due(&self.cached, now)
    }
}

/// Slots where evidence was found before, so that it is found again without a key.
pub(crate) type Places = [(EvidenceRequest, Arc<CacheSlot>)];

/// Looks up evidence in memory, and records what was found.
pub(crate) struct CacheLookup<'l> {
    memory: &'l Memory,
    now: Time,
    places: &'l Places,
    found: RefCell<SmallVec<[Found; 4]>>,
}

impl<'l> CacheLookup<'l> {
    pub(crate) fn new(memory: &'l Memory, now: Time, places: &'l Places) -> Self {
        Self { memory, now, places, found: RefCell::default() }
    }

    /// Evidence that is in memory, and for which nothing newer is due. It is the same each time.
    pub(crate) fn find(&self, request: &EvidenceRequest) -> Option<Answer> {
        if let Some(known) = self.found.borrow().iter().find(|known| known.request == *request) {
            return Some(known.cached.answer.clone());
        }
        let place = self.places.iter().find(|(known, _)| known == request).map(|(_, slot)| Arc::clone(slot));
        let placed = place.and_then(|slot| slot.get().map(|cached| (slot, cached)));
        let (slot, cached) = placed.or_else(|| {
            let slot = self.memory.find(&EvidenceKey::of(request)?)?;
            let cached = slot.get()?;
            Some((slot, cached))
        })?;
        if self.memory.is_due(&cached, self.now) {
            return None;
        }
        let answer = cached.answer.clone();
        self.found.borrow_mut().push(Found { request: request.clone(), slot, cached });
        Some(answer)
    }

    pub(crate) fn into_found(self) -> SmallVec<[Found; 4]> {
        self.found.into_inner()
    }
}
