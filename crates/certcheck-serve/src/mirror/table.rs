//! All sources, within bounds.

use std::collections::HashMap;
use std::sync::Arc;

use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::revocation::EvidenceKind;
use certcheck_rustls::certcheck_fetch::EvidenceKey;

use super::source::Source;

/// Sources of a kind that have brought nothing yet. Anyone may make up such a source, so they take no place from others.
const NEW: usize = 256;

/// The most sources of each kind, and the most bytes of all evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bounds {
    pub(super) sources: usize,
    pub(super) bytes: u64,
}

/// All sources. Those of CRLs and those of OCSP responses do not take places from each other.
#[derive(Default)]
pub(super) struct Table {
    crls: HashMap<EvidenceKey, Arc<Source>>,
    responses: HashMap<EvidenceKey, Arc<Source>>,
}

impl Table {
    fn of(&mut self, kind: EvidenceKind) -> &mut HashMap<EvidenceKey, Arc<Source>> {
        match kind {
            EvidenceKind::Ocsp => &mut self.responses,
            _ => &mut self.crls,
        }
    }

    /// A source that is there.
    pub(super) fn find(&mut self, kind: EvidenceKind, key: EvidenceKey, now: Time) -> Option<Arc<Source>> {
        let source = self.of(kind).get(&key)?;
        source.asked(now);
        Some(Arc::clone(source))
    }

    /// Adds a source, unless it is there. It takes a place from others that have brought nothing.
    pub(super) fn add(&mut self, source: Arc<Source>) -> Arc<Source> {
        let sources = self.of(source.kind());
        if let Some(known) = sources.get(&source.key) {
            known.state().is_listed |= source.state().is_listed;
            return Arc::clone(known);
        }
        while sources.values().filter(|source| source.held().is_none()).count() >= NEW {
            // One that is being asked stays: there are at most as many of these as places.
            let is_idle =
                |source: &&Arc<Source>| source.held().is_none() && source.looking.try_lock().is_ok();
            let Some(oldest) = oldest(sources.values().filter(is_idle)) else { break };
            sources.remove(&oldest);
        }
        sources.insert(source.key, Arc::clone(&source));
        source
    }

    /// Drops what is beyond the bounds: of the sources that have brought something, those that were not asked for longest.
    pub(super) fn shrink(&mut self, bounds: Bounds) {
        let size = |source: &Arc<Source>| source.held().map_or(0, |held| held.bytes());
        for sources in [&mut self.crls, &mut self.responses] {
            while sources.values().filter(|source| source.held().is_some()).count() > bounds.sources {
                let Some(oldest) = oldest(sources.values().filter(|source| source.held().is_some())) else {
                    break;
                };
                sources.remove(&oldest);
            }
        }
        let mut bytes: u64 = self.all().map(size).sum();
        while bytes > bounds.bytes {
            let Some(oldest) = oldest(self.all().filter(|source| size(source) > 0)) else { return };
            let dropped = self.crls.remove(&oldest).or_else(|| self.responses.remove(&oldest));
            bytes = bytes.saturating_sub(dropped.as_ref().map_or(0, size));
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.crls.values().chain(self.responses.values())
    }

    /// Drops the sources for which this does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&Source) -> bool) {
        for sources in [&mut self.crls, &mut self.responses] {
            sources.retain(|_, source| holds(source));
        }
    }

    /// Forgets which sources are listed.
    pub(super) fn unlist(&self) {
        self.all().for_each(|source| source.state().is_listed = false);
    }
}

/// The source that was not asked for longest. Listed ones stay.
fn oldest<'s>(sources: impl Iterator<Item = &'s Arc<Source>>) -> Option<EvidenceKey> {
    let may_go = sources.filter(|source| !source.state().is_listed);
    may_go.min_by_key(|source| source.state().asked.unix()).map(|source| source.key)
}
