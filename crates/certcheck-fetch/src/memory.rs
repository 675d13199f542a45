//! Evidence in memory, bounded by its weight.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use certcheck_core::Time;
use moka::notification::RemovalCause;
use moka::sync::Cache;

use crate::held::Held;
use crate::key::Key;
use crate::limits::Limits;

/// The place of one piece of evidence: what is in it changes, and who keeps the place sees that at once.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    current: ArcSwapOption<Held>,
    /// When it was last asked for, in seconds since 1970.
    used: AtomicI64,
}

impl Slot {
    /// What is in it now. Takes no lock and counts nothing.
    pub(crate) fn load(&self) -> Guard<Option<Arc<Held>>> {
        self.current.load()
    }

    pub(crate) fn get(&self) -> Option<Arc<Held>> {
        self.current.load_full()
    }

    /// Notes that it is in use. Written at most once a second, so that threads do not wait for each other.
    pub(crate) fn touch(&self, now: Time) {
        if self.used.load(Ordering::Relaxed) < now.unix() {
            self.used.store(now.unix(), Ordering::Relaxed);
        }
    }

    pub(crate) fn used(&self) -> Time {
        Time::from_unix(self.used.load(Ordering::Relaxed))
    }
}

/// All slots.
#[derive(Debug)]
pub(crate) struct Memory {
    slots: Cache<Key, Arc<Slot>>,
}

impl Memory {
    pub(crate) fn new(limits: &Limits) -> Self {
        // In KiB: a weight has 32 bits, and CRLs may have gigabytes.
        let weigh = |_: &Key, slot: &Arc<Slot>| {
            let octets = slot.load().as_ref().map_or(512, |held| held.memory());
            u32::try_from(octets / 1_024 + 1).unwrap_or(u32::MAX)
        };
        let slots = Cache::builder()
            .max_capacity(limits.memory_kib)
            .weigher(weigh)
            // Who still keeps the place keeps no evidence in it.
            .eviction_listener(|_, slot: Arc<Slot>, cause| {
                if cause != RemovalCause::Replaced {
                    slot.current.store(None);
                    metrics::counter!(crate::metrics::EVICTIONS).increment(1);
                }
            })
            .build();
        Self { slots }
    }

    /// The place of this key, made where there is none.
    pub(crate) fn slot(&self, key: Key) -> Arc<Slot> {
        self.slots.get_with(key, || {
            Arc::new(Slot { key, current: ArcSwapOption::empty(), used: AtomicI64::new(0) })
        })
    }

    /// The place of this key, if there is one.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Slot>> {
        self.slots.get(key)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Held>> {
        self.slots.get(key)?.get()
    }

    /// Puts evidence in its place, unless newer is there.
    pub(crate) fn replace(&self, key: Key, held: &Arc<Held>) -> bool {
        let slot = self.slot(key);
        let mut current = slot.current.load();
        loop {
            if current.as_ref().is_some_and(|current| held.is_older_than(current)) {
                return false;
            }
            let before = slot.current.compare_and_swap(&*current, Some(Arc::clone(held)));
            if before.as_ref().map(Arc::as_ptr) == current.as_ref().map(Arc::as_ptr) {
                break;
            }
            current = before;
        }
        // Weighed anew.
        self.slots.insert(key, slot);
        true
    }

    pub(crate) fn clear_all(&self) {
        for (_, slot) in &self.slots {
            slot.current.store(None);
        }
        self.slots.invalidate_all();
    }

    /// Every place with evidence in it.
    pub(crate) fn all(&self) -> Vec<Arc<Slot>> {
        self.slots.iter().map(|(_, slot)| slot).collect()
    }

    /// Octets held, as weighed.
    pub(crate) fn kib(&self) -> u64 {
        self.slots.weighted_size()
    }
}
