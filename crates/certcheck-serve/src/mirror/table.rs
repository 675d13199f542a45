//! All sources, within bounds: of all, and of each client that has named them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::revocation::EvidenceKind;
use certcheck_rustls::certcheck_fetch::EvidenceKey;

use super::alias::without_query;
use super::kept::KeptEvidence;
use super::source::Source;

/// Sources of a kind that have brought nothing yet. Anyone may make up such a source, so they take no place from others.
const NEW: usize = 256;
/// The part of every bound that the sources of one client have: the rest is for those of others.
const SHARE: usize = 2;
const SHARE_OF_BYTES: u64 = 2;
/// Sources of one client with the same bytes whose URLs differ in their queries alone.
const SAME: usize = 4;

/// The most sources of each kind, and the most bytes of all evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bounds {
    pub(super) sources: usize,
    pub(super) bytes: u64,
}

/// The sources of one kind.
#[derive(Default)]
struct Shelf {
    sources: HashMap<EvidenceKey, Arc<Source>>,
    /// Those that have brought nothing yet, and are not listed.
    new: HashSet<EvidenceKey>,
    /// How many have brought something, in all and for each client. Listed ones are of no client.
    served: usize,
    served_of: HashMap<IpAddr, usize>,
}

/// All sources. Those of CRLs and those of OCSP responses do not take places from each other.
#[derive(Default)]
pub(super) struct Table {
    crls: Shelf,
    responses: Shelf,
    /// Bytes of all evidence, in all and for each client.
    bytes: u64,
    bytes_of: HashMap<IpAddr, u64>,
}

impl Shelf {
    /// The source that was not asked for longest, of those for which this holds. Listed ones stay.
    fn oldest(&self, holds: impl Fn(&Source) -> bool) -> Option<EvidenceKey> {
        let may_go = self.sources.values().filter(|source| !source.state().is_listed && holds(source));
        may_go.min_by_key(|source| source.state().used).map(|source| source.key)
    }

    /// The same of those that have brought nothing. One that is being asked stays: there are at most as many of these as
    /// places.
    fn oldest_new(&self, client: Option<IpAddr>) -> Option<EvidenceKey> {
        let sources = self.new.iter().filter_map(|key| self.sources.get(key));
        let of_client = sources.filter(|source| client.is_none_or(|client| source.client == Some(client)));
        let idle = of_client.filter(|source| source.looking.try_lock().is_ok());
        idle.min_by_key(|source| source.state().used).map(|source| source.key)
    }

    fn new_of(&self, client: IpAddr) -> usize {
        let sources = self.new.iter().filter_map(|key| self.sources.get(key));
        sources.filter(|source| source.client == Some(client)).count()
    }
}

impl Table {
    fn shelf(&mut self, kind: EvidenceKind) -> &mut Shelf {
        match kind {
            EvidenceKind::Ocsp => &mut self.responses,
            _ => &mut self.crls,
        }
    }

    /// A source that is there.
    pub(super) fn find(&mut self, kind: EvidenceKind, key: EvidenceKey, now: Time) -> Option<Arc<Source>> {
        let source = self.shelf(kind).sources.get(&key)?;
        source.asked(now);
        Some(Arc::clone(source))
    }

    /// Adds a source, unless it is there. It takes a place from others that have brought nothing, those of its own client
    /// first.
    pub(super) fn add(&mut self, source: Arc<Source>) -> Arc<Source> {
        let kind = source.kind();
        if let Some(known) = self.shelf(kind).sources.get(&source.key).cloned() {
            let is_listed = source.state().is_listed;
            return if is_listed { self.list(known, source) } else { known };
        }
        if source.state().is_listed {
            self.shelf(kind).sources.insert(source.key, Arc::clone(&source));
            return source;
        }
        while let Some(client) = source.client
            && self.shelf(kind).new_of(client) >= NEW / SHARE
            && let Some(oldest) = self.shelf(kind).oldest_new(Some(client))
        {
            self.remove(kind, oldest);
        }
        while self.shelf(kind).new.len() >= NEW
            && let Some(oldest) = self.shelf(kind).oldest_new(None)
        {
            self.remove(kind, oldest);
        }
        let shelf = self.shelf(kind);
        shelf.new.insert(source.key);
        shelf.sources.insert(source.key, Arc::clone(&source));
        source
    }

    /// A source that is there is listed from now on: it is of no client, and is asked by the URL that lists it.
    fn list(&mut self, known: Arc<Source>, listed: Arc<Source>) -> Arc<Source> {
        if known.request != listed.request {
            self.remove(known.kind(), known.key);
            let kept = listed.take_over(&known);
            self.count(&listed, kept.as_deref(), true);
            self.shelf(listed.kind()).sources.insert(listed.key, Arc::clone(&listed));
            return listed;
        }
        let kept = known.held();
        self.count(&known, kept.as_deref(), false);
        {
            let (mut state, listed) = (known.state(), listed.state());
            state.is_listed = true;
            // Several CAs may name it.
            state.keys = state.keys.iter().chain(&*listed.keys).copied().collect();
        }
        self.shelf(known.kind()).new.remove(&known.key);
        self.count(&known, kept.as_deref(), true);
        known
    }

    /// Forgets which sources are listed.
    pub(super) fn unlist(&mut self) {
        let listed = self.all().filter(|source| source.state().is_listed).map(Arc::clone);
        for source in listed.collect::<Vec<_>>() {
            let kept = source.held();
            self.count(&source, kept.as_deref(), false);
            {
                let mut state = source.state();
                state.is_listed = false;
                state.keys = Arc::default();
            }
            self.count(&source, kept.as_deref(), true);
            if kept.is_none() {
                self.shelf(source.kind()).new.insert(source.key);
            }
        }
    }

    /// Serves this of a source from now on, if the source still has its place. Drops what is beyond the bounds: of its
    /// client's sources, and then of all, those that were not asked for longest.
    pub(super) fn hold(&mut self, source: &Arc<Source>, kept: &Arc<KeptEvidence>, bounds: Bounds) {
        let kind = source.kind();
        if !self.has(source) {
            source.set(Some(Arc::clone(kept)));
            return;
        }
        let before = source.set(Some(Arc::clone(kept)));
        self.count(source, before.as_deref(), false);
        self.count(source, Some(kept), true);
        self.shelf(kind).new.remove(&source.key);
        if before.is_none_or(|before| before.digest != kept.digest) {
            self.bound_same(source, kept);
        }
        self.shrink(kind, bounds);
    }

    /// Serves nothing of a source any more.
    pub(super) fn drop_held(&mut self, source: &Arc<Source>) {
        let before = source.set(None);
        if self.has(source) {
            self.count(source, before.as_deref(), false);
            if !source.state().is_listed {
                self.shelf(source.kind()).new.insert(source.key);
            }
        }
    }

    fn has(&mut self, source: &Arc<Source>) -> bool {
        self.shelf(source.kind()).sources.get(&source.key).is_some_and(|known| Arc::ptr_eq(known, source))
    }

    /// Counts what is kept of a source, or counts it no longer.
    fn count(&mut self, source: &Source, kept: Option<&KeptEvidence>, is_there: bool) {
        let Some(kept) = kept else { return };
        let client = source.client.filter(|_| !source.state().is_listed);
        let shelf = self.shelf(source.kind());
        let number = |count: usize| if is_there { count + 1 } else { count.saturating_sub(1) };
        shelf.served = number(shelf.served);
        if let Some(client) = client {
            let of_client = shelf.served_of.entry(client).or_default();
            *of_client = number(*of_client);
            if *of_client == 0 {
                shelf.served_of.remove(&client);
            }
        }
        let sum = |bytes: u64| {
            if is_there { bytes.saturating_add(kept.bytes()) } else { bytes.saturating_sub(kept.bytes()) }
        };
        self.bytes = sum(self.bytes);
        if let Some(client) = client {
            let of_client = self.bytes_of.entry(client).or_default();
            *of_client = sum(*of_client);
            if *of_client == 0 {
                self.bytes_of.remove(&client);
            }
        }
    }

    fn remove(&mut self, kind: EvidenceKind, key: EvidenceKey) {
        let shelf = self.shelf(kind);
        shelf.new.remove(&key);
        if let Some(source) = shelf.sources.remove(&key) {
            self.count(&source, source.held().as_deref(), false);
        }
    }

    /// Drops sources of one client with the URL and the bytes of a source, whatever their queries are, beyond a few.
    fn bound_same(&mut self, source: &Source, kept: &KeptEvidence) {
        if source.client.is_none() || source.state().is_listed {
            return;
        }
        let path = without_query(source.request.url());
        let is_same = |other: &Source| {
            other.client == source.client
                && without_query(other.request.url()) == path
                && other.held().is_some_and(|held| held.digest == kept.digest)
        };
        let shelf = self.shelf(source.kind());
        let number = shelf.sources.values().filter(|other| is_same(other)).count();
        for _ in SAME..number {
            let Some(oldest) = self.shelf(source.kind()).oldest(is_same) else { return };
            self.remove(source.kind(), oldest);
        }
    }

    fn shrink(&mut self, kind: EvidenceKind, bounds: Bounds) {
        let (share, share_of_bytes) = (bounds.sources.div_ceil(SHARE), bounds.bytes.div_ceil(SHARE_OF_BYTES));
        let largest = |counts: &HashMap<IpAddr, usize>| {
            counts.iter().find(|(_, count)| **count > share).map(|(client, _)| *client)
        };
        while let Some(client) = largest(&self.shelf(kind).served_of) {
            let is_of = |source: &Source| source.client == Some(client) && source.held().is_some();
            let Some(oldest) = self.shelf(kind).oldest(is_of) else { break };
            self.remove(kind, oldest);
        }
        while self.shelf(kind).served > bounds.sources {
            let Some(oldest) = self.shelf(kind).oldest(|source| source.held().is_some()) else { break };
            self.remove(kind, oldest);
        }
        while let Some((&client, _)) = self.bytes_of.iter().find(|(_, bytes)| **bytes > share_of_bytes) {
            let is_of = |source: &Source| source.client == Some(client) && source.held().is_some();
            if !self.remove_oldest(is_of) {
                break;
            }
        }
        while self.bytes > bounds.bytes && self.remove_oldest(|source| source.held().is_some()) {}
    }

    /// Removes the source of any kind that was not asked for longest. Whether there was one.
    fn remove_oldest(&mut self, holds: impl Fn(&Source) -> bool) -> bool {
        let of_kind = |kind, shelf: &Shelf| Some((kind, shelf.oldest(&holds)?));
        let found = [of_kind(EvidenceKind::Crl, &self.crls), of_kind(EvidenceKind::Ocsp, &self.responses)];
        let asked = |(kind, key): &(EvidenceKind, EvidenceKey)| {
            let shelf = if *kind == EvidenceKind::Ocsp { &self.responses } else { &self.crls };
            shelf.sources.get(key).map(|source| source.state().used)
        };
        let Some((kind, key)) = found.into_iter().flatten().min_by_key(asked) else { return false };
        self.remove(kind, key);
        true
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.crls.sources.values().chain(self.responses.sources.values())
    }

    /// Bytes of all evidence.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Drops the sources for which this does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&Source) -> bool) {
        let gone = self.all().filter(|source| !holds(source)).map(|source| (source.kind(), source.key));
        for (kind, key) in gone.collect::<Vec<_>>() {
            self.remove(kind, key);
        }
    }
}
