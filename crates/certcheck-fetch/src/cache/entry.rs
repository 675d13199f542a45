//! Evidence in memory, limited by its weight.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use certcheck_core::Time;
use moka::Entry;
use moka::notification::RemovalCause;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use crate::cache::evidence::CachedEvidence;
use crate::cache::key::EvidenceKey;
use crate::clock;
use crate::limits::FetchLimits;

/// The slot of one piece of evidence. Its content changes, and everyone who holds the slot sees the change at once.
#[derive(Debug)]
pub(crate) struct CacheSlot {
    pub(crate) key: EvidenceKey,
    current: ArcSwapOption<CachedEvidence>,
    /// When it was last asked for, in seconds since 1970.
    used: AtomicI64,
}

impl CacheSlot {
    fn empty(key: EvidenceKey) -> Arc<Self> {
        Arc::new(Self { key, current: ArcSwapOption::empty(), used: AtomicI64::new(0) })
    }

    /// The current content. Takes no lock and counts nothing.
    pub(crate) fn load(&self) -> Guard<Option<Arc<CachedEvidence>>> {
        self.current.load()
    }

    pub(crate) fn get(&self) -> Option<Arc<CachedEvidence>> {
        self.current.load_full()
    }

    /// Notes that it is in use. Writes at most once a second, so that threads do not wait for each other.
    pub(crate) fn touch(&self, now: Time) {
        if self.used.load(Ordering::Relaxed) < now.unix() {
            self.used.store(now.unix(), Ordering::Relaxed);
        }
    }

    pub(crate) fn used(&self) -> Time {
        Time::from_unix(self.used.load(Ordering::Relaxed))
    }
}

/// Called with the key of evidence that has been replaced.
pub(crate) type OnChange = Box<dyn Fn(EvidenceKey) + Send + Sync>;

/// When newer evidence is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Renewal {
    /// Before it ends, while it is in use.
    Ahead,
    /// When it is used, by the freshness of HTTP.
    OnUse,
}

/// All slots.
pub(crate) struct Memory {
    slots: Cache<EvidenceKey, Arc<CacheSlot>>,
    renewal: Renewal,
    on_change: OnChange,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl Memory {
    pub(crate) fn new(limits: &FetchLimits, renewal: Renewal, on_change: OnChange) -> Self {
        // In KiB: a weight has 32 bits, and a CRL may have gigabytes.
        let weigh = |_: &EvidenceKey, slot: &Arc<CacheSlot>| {
            let bytes = slot.load().as_ref().map_or(512, |cached| cached.memory());
            u32::try_from(bytes / 1_024 + 1).unwrap_or(u32::MAX)
        };
        let slots = Cache::builder()
            .max_capacity(limits.memory_kib)
            .weigher(weigh)
            // A slot that is still held elsewhere keeps no evidence.
            .eviction_listener(|_, slot: Arc<CacheSlot>, cause| {
                if cause != RemovalCause::Replaced {
                    slot.current.store(None);
                    metrics::counter!(crate::metrics::EVICTIONS).increment(1);
                }
            })
            .build();
        Self { slots, renewal, on_change }
    }

    /// The slot of this key. It is made if there is none.
    ///
    /// Slots are made and filled in this way alone, under moka's lock of the key. With two slots for a key, a holder
    /// of the wrong one would use evidence that is never replaced.
    pub(crate) fn slot(&self, key: EvidenceKey) -> Arc<CacheSlot> {
        if let Some(slot) = self.slots.get(&key) {
            return slot;
        }
        let make = |known: Option<Entry<EvidenceKey, Arc<CacheSlot>>>| match known {
            Some(_) => Op::Nop,
            None => Op::Put(CacheSlot::empty(key)),
        };
        match self.slots.entry(key).and_compute_with(make) {
            CompResult::Unchanged(entry)
            | CompResult::Inserted(entry)
            | CompResult::ReplacedWith(entry)
            | CompResult::Removed(entry) => entry.into_value(),
            // This does not happen: a missing slot is inserted.
            CompResult::StillNone(_) => CacheSlot::empty(key),
        }
    }

    /// The slot of this key, if there is one.
    pub(crate) fn find(&self, key: &EvidenceKey) -> Option<Arc<CacheSlot>> {
        self.slots.get(key)
    }

    pub(crate) fn get(&self, key: &EvidenceKey) -> Option<Arc<CachedEvidence>> {
        self.slots.get(key)?.get()
    }

    /// Whether newer evidence is due: by its own times, and where nothing is fetched in advance, by HTTP.
    pub(crate) fn is_due(&self, cached: &CachedEvidence, now: Time) -> bool {
        cached.is_due(now) || self.renewal == Renewal::OnUse && cached.is_stale_by_http(clock::now())
    }

    /// Whether its slot has newer evidence from the same source. Older evidence never replaces it.
    pub(crate) fn is_rollback(&self, cached: &CachedEvidence) -> bool {
        let current = EvidenceKey::of(&cached.request).and_then(|key| self.get(&key));
        current.is_some_and(|current| cached.is_older_than(&current))
    }

    /// Puts evidence in its slot, unless the slot has newer evidence.
    pub(crate) fn replace(&self, key: EvidenceKey, cached: &Arc<CachedEvidence>) -> bool {
        let fill = |known: Option<Entry<EvidenceKey, Arc<CacheSlot>>>| {
            let slot = known.map_or_else(|| CacheSlot::empty(key), Entry::into_value);
            let current = slot.get();
            if current.is_some_and(|current| cached.is_older_than(&current)) {
                return Op::Nop;
            }
            slot.current.store(Some(Arc::clone(cached)));
            // Inserted again, so that it is weighed again.
            Op::Put(slot)
        };
        let is_replaced = matches!(
            self.slots.entry(key).and_compute_with(fill),
            CompResult::Inserted(_) | CompResult::ReplacedWith(_)
        );
        if is_replaced {
            (self.on_change)(key);
        }
        is_replaced
    }

    /// Empties every slot. The slots themselves remain valid for their holders.
    pub(crate) fn clear_all(&self) {
        for slot in self.all() {
            let empty = |known: Option<Entry<EvidenceKey, Arc<CacheSlot>>>| match known.map(Entry::into_value)
            {
                Some(slot) => {
                    slot.current.store(None);
                    Op::Put(slot)
                }
                None => Op::Nop,
            };
            let _emptied = self.slots.entry(slot.key).and_compute_with(empty);
        }
    }

    /// Every slot.
    pub(crate) fn all(&self) -> Vec<Arc<CacheSlot>> {
        self.slots.iter().map(|(_, slot)| slot).collect()
    }

    /// The weight of all evidence in KiB.
    pub(crate) fn kib(&self) -> u64 {
        self.slots.weighted_size()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use certcheck_core::crl::Crl;
    use certcheck_core::revocation::{Answer, EvidenceRequest};
    use certcheck_testkit::Key as Signer;
    use certcheck_testkit::crl;

    use super::*;
    use crate::cache::evidence::Origin;
    use crate::transport::answer::Transport;
    use crate::transport::spool::Body;

    fn cached(number: i64) -> Arc<CachedEvidence> {
        let list = crl::CrlBuilder::new("CN=CA").with([crl::number(number)]);
        let der: bytes::Bytes = list.issue(&Signer::p256("memory")).into();
        let list = Crl::parse(der.clone(), "http://ca.example/crl").expect("reads");
        Arc::new(CachedEvidence {
            request: EvidenceRequest::Crl { url: "http://ca.example/crl".into() },
            answer: Answer::Crl(Arc::new(list)),
            body: Body::from(der),
            transport: Transport::default(),
            fetched_at: Time::from_unix(0),
            origin: Origin::Network,
        })
    }

    /// Memory is cleared while evidence arrives and slots are taken. No slot may remain that has evidence and is
    /// never replaced.
    #[test]
    fn no_place_is_filled_that_nobody_finds() {
        let memory = Memory::new(&FetchLimits::default(), Renewal::Ahead, Box::new(|_| ()));
        let numbers: Vec<_> = (1..=64).map(cached).collect();
        let key = EvidenceKey::of(&numbers[0].request).expect("a key");
        let is_over = AtomicBool::new(false);
        let mut places: Vec<Arc<CacheSlot>> = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for cached in numbers.iter().cycle().take(20_000) {
                        memory.replace(key, cached);
                    }
                    is_over.store(true, Ordering::Relaxed);
                });
            }
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    memory.clear_all();
                }
            });
            while !is_over.load(Ordering::Relaxed) {
                let place = memory.slot(key);
                if places.last().is_none_or(|last| !Arc::ptr_eq(last, &place)) {
                    places.push(place);
                }
            }
        });
        let newest = numbers.last().expect("some");
        memory.clear_all();
        memory.replace(key, newest);
        let current = memory.slot(key);
        let stale = |place: &&Arc<CacheSlot>| !Arc::ptr_eq(place, &current) && place.get().is_some();
        assert_eq!(places.iter().filter(stale).count(), 0, "of {}", places.len());
        assert!(current.get().is_some_and(|cached| Arc::ptr_eq(&cached, newest)));
    }
}
