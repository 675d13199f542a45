//! The heads that this process has read or written: what it removes, replaces and hears of.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::short;
use crate::cache::key::EvidenceKey;
use crate::store::version::EvidenceVersion;

/// The heads that are remembered. Of others there is no news.
const MAX: usize = 4_096;

/// A head as it was last seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) key: EvidenceKey,
    /// `None` if there was none.
    pub(super) version: Option<EvidenceVersion>,
    /// The digest of its bytes, or an empty text.
    pub(super) sha: String,
    pub(super) chunks: u64,
    /// A check found that it does not count.
    is_refused: bool,
    used: u64,
}

#[derive(Debug, Default)]
struct Table {
    by_name: HashMap<String, Seen>,
    clock: u64,
}

/// The heads that this process has seen.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Table>);

impl Known {
    /// Notes that nothing usable was there: something with this digest, or an empty text.
    pub(super) fn note_nothing(&self, key: &EvidenceKey, sha: &str) {
        self.note(key, None, sha, 0);
    }

    /// Notes what was read or written.
    pub(super) fn note(&self, key: &EvidenceKey, version: Option<EvidenceVersion>, sha: &str, chunks: u64) {
        self.with(key, |seen| {
            seen.is_refused &= seen.sha == sha;
            (seen.version, seen.sha, seen.chunks) = (version, sha.to_owned(), chunks);
        });
    }

    /// Notes the version of a head whose bytes were not read. That it is older than it was is left to be found as news.
    pub(super) fn note_version(&self, key: &EvidenceKey, version: Option<EvidenceVersion>) {
        self.with(key, |seen| seen.version = seen.version.max(version));
    }

    fn with(&self, key: &EvidenceKey, change: impl FnOnce(&mut Seen)) {
        let mut table = self.lock();
        table.clock += 1;
        let used = table.clock;
        let name = short(key);
        if table.by_name.len() >= MAX && !table.by_name.contains_key(&name) {
            let oldest = table.by_name.iter().min_by_key(|(_, seen)| seen.used).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                table.by_name.remove(&oldest);
            }
        }
        let unseen =
            Seen { key: *key, version: None, sha: String::new(), chunks: 0, is_refused: false, used };
        let seen = table.by_name.entry(name).or_insert(unseen);
        seen.used = used;
        change(seen);
    }

    /// Notes that the head that was last read did not count.
    pub(super) fn refuse(&self, key: &EvidenceKey) {
        if let Some(seen) = self.lock().by_name.get_mut(&short(key)) {
            seen.is_refused = true;
        }
    }

    /// The head that was last read or written.
    pub(super) fn seen(&self, key: &EvidenceKey) -> Option<Seen> {
        self.named(&short(key))
    }

    /// The same, if it did not count.
    pub(super) fn refused(&self, key: &EvidenceKey) -> String {
        let table = self.lock();
        let refused = table.by_name.get(&short(key)).filter(|seen| seen.is_refused);
        refused.map(|seen| seen.sha.clone()).unwrap_or_default()
    }

    /// Notes the version that a head has now, without reading its bytes.
    pub(super) fn update(&self, key: &EvidenceKey, version: Option<EvidenceVersion>) {
        if let Some(seen) = self.lock().by_name.get_mut(&short(key)) {
            seen.version = version;
        }
    }

    /// The head with this name.
    pub(super) fn named(&self, name: &str) -> Option<Seen> {
        self.lock().by_name.get(name).cloned()
    }

    /// All heads.
    pub(super) fn all(&self) -> Vec<Seen> {
        self.lock().by_name.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> EvidenceKey {
        EvidenceKey::from_hex(&format!("{number:032x}{number:032x}")).expect("a key")
    }

    #[test]
    fn the_head_seen_longest_ago_is_forgotten() {
        let known = Known::default();
        (0..MAX).for_each(|number| known.note_nothing(&key(number), "a"));
        known.note_nothing(&key(0), "b");
        known.note_nothing(&key(MAX), "c");
        assert_eq!(known.all().len(), MAX);
        assert_eq!(known.seen(&key(0)).map(|seen| seen.sha).as_deref(), Some("b"));
        assert!(known.seen(&key(1)).is_none());
    }

    #[test]
    fn a_refusal_is_about_the_bytes_that_were_read() {
        let known = Known::default();
        known.note_nothing(&key(1), "a");
        known.refuse(&key(1));
        known.note_nothing(&key(1), "a");
        assert_eq!(known.refused(&key(1)), "a");
        known.note_nothing(&key(1), "b");
        assert_eq!(known.refused(&key(1)), "");
    }
}
