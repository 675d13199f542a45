//! A store in memory: for tests, and for several engines in one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex as Turn;
use tokio::time::timeout;

use super::{Entry, Lease, Store, StoreError, Stored};
use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;

/// A store in memory, bounded by how many answers it keeps: the one fetched longest ago goes first.
#[derive(Debug)]
pub struct MemoryStore {
    kept: Mutex<HashMap<EvidenceKey, Stored>>,
    turns: Mutex<HashMap<EvidenceKey, Arc<Turn<()>>>>,
    max: usize,
}

impl MemoryStore {
    /// Keeps up to so many answers.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { kept: Mutex::default(), turns: Mutex::default(), max }
    }

    fn put_now(&self, key: EvidenceKey, stored: Stored) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&key).is_some_and(|known| known.this_update > stored.this_update) {
            return Err(StoreError::Older);
        }
        if kept.len() >= self.max
            && !kept.contains_key(&key)
            && let Some(oldest) = kept.iter().min_by_key(|(_, stored)| stored.fetched_at).map(|(key, _)| *key)
        {
            kept.remove(&oldest);
        }
        kept.insert(key, stored);
        Ok(())
    }
}

impl Store for MemoryStore {
    fn origin(&self) -> Origin {
        Origin::Shared
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let found = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        async move { Ok(found) }.boxed()
    }

    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        let outcome = self.put_now(*key, stored);
        async move { outcome }.boxed()
    }

    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        async { Ok(()) }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |stored: &Stored| u64::try_from(stored.body.bytes.len()).unwrap_or(u64::MAX);
        let entries = kept.iter().map(|(key, stored)| Entry::of(*key, stored, bytes(stored)));
        let entries = entries.collect();
        async move { Ok(entries) }.boxed()
    }

    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Turns that nobody waits for are dropped.
            if turns.len() > self.max {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(turns.entry(*key).or_default())
        };
        async move { Ok(timeout(max_wait, turn.lock_owned()).await.ok().map(Lease::new)) }.boxed()
    }
}
