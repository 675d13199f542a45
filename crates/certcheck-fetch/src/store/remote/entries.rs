//! The entries of a store: how they are read, written and removed.

use std::path::PathBuf;
use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::digest::sha256;
use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::body::{Chunks, NoBody};
use super::chunk::chunks_of;
use super::engine::{Engine, Put};
use super::head::{self, Found, Head, Written};
use super::known::Known;
use super::options::RemoteOptions;
use super::trouble::Trouble;
use super::{LISTED, short};
use crate::cache::key::EvidenceKey;
use crate::limits::FetchLimits;
use crate::store::version::EvidenceVersion;
use crate::store::{Entry, StoreError, Stored};

/// How far the clocks of hosts and CAs may differ, in seconds. A later thisUpdate counts as this one, so that nobody can
/// keep newer evidence out.
const SKEW: i64 = 300;
/// How long an entry is kept after its nextUpdate, in seconds: what is revoked in it is still revoked, and it keeps older
/// ones out.
const KEPT_AFTER: i64 = 86_400;
/// How long it is kept if it has no nextUpdate, and at least and at most.
const KEPT_WITHOUT: i64 = 7 * 86_400;
const KEPT_LEAST: i64 = 3_600;
const KEPT_MOST: i64 = 400 * 86_400;

/// Heads that are read at once for a list.
const AT_ONCE: usize = 64;

/// What the rules of entries depend on.
#[derive(Debug)]
pub(in crate::store) struct Settings {
    /// The largest sizes that are read and written.
    limits: FetchLimits,
    /// The folder for bodies that do not fit into memory.
    folder: PathBuf,
    /// The clock by which times in the future are recognised.
    clock: fn() -> Time,
}

impl Settings {
    pub(in crate::store) fn of(options: RemoteOptions) -> Self {
        let RemoteOptions { limits, folder, clock, .. } = options;
        Self { limits, folder, clock }
    }
}

/// The entries of a store on an engine.
#[derive(Debug)]
pub(in crate::store) struct Entries<E> {
    pub(super) engine: E,
    pub(super) known: Known,
    settings: Settings,
}

impl<E: Engine> Entries<E> {
    pub(in crate::store) fn new(engine: E, settings: Settings) -> Arc<Self> {
        Arc::new(Self { engine, known: Known::default(), settings })
    }

    pub(in crate::store) const fn folder(&self) -> &PathBuf {
        &self.settings.folder
    }

    /// The latest time that a thisUpdate can have.
    fn latest(&self) -> i64 {
        (self.settings.clock)().unix().saturating_add(SKEW)
    }

    /// The bytes with this digest in an entry.
    const fn chunks<'b>(&'b self, name: &'b str, sha: &'b str) -> Chunks<'b, E> {
        Chunks { engine: &self.engine, name, sha }
    }

    /// The version and digest of the head of an entry, if it is one of ours.
    pub(super) async fn version_of(
        &self,
        key: &EvidenceKey,
    ) -> Result<Option<(EvidenceVersion, String)>, Trouble> {
        let raw = self.engine.read_version(&short(key)).await?;
        Ok(match head::version(&raw, self.latest()) {
            Found::Head(found) => Some(found),
            Found::Nothing | Found::Junk(..) => None,
        })
    }

    pub(in crate::store) async fn version(
        &self,
        key: &EvidenceKey,
    ) -> Result<Option<EvidenceVersion>, StoreError> {
        let version = self.version_of(key).await?.map(|(version, _)| version);
        self.known.note_version(key, version);
        Ok(version)
    }

    pub(in crate::store) async fn get(&self, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        let name = short(key);
        let raw = self.engine.read_head(&name).await?;
        let head = match head::head(&raw, &self.settings.limits, self.latest()) {
            Found::Head(head) if head.key == *key => head,
            Found::Head(head) => return self.refuse(key, &head.sha, "it is about another request").await,
            Found::Junk(sha, why) => return self.refuse(key, &sha, why).await,
            Found::Nothing => {
                self.known.note_nothing(key, "");
                return Ok(None);
            }
        };
        let Head { version, sha, size, record, request, .. } = head;
        self.known.note(key, Some(version), &sha, chunks_of(size));
        match self.chunks(&name, &sha).read(size, &self.settings.folder).await {
            Ok(body) => record.into_stored(request, body, None).map(Some),
            Err(NoBody::Missing) => {
                self.remove(key).await?;
                Ok(None)
            }
            Err(NoBody::Unusable(why)) => {
                self.remove(key).await?;
                Err(StoreError::Unusable(why))
            }
            Err(NoBody::Trouble(trouble)) => Err(trouble.into()),
        }
    }

    /// Removes what was found in place of a head.
    async fn refuse(&self, key: &EvidenceKey, sha: &str, why: &str) -> Result<Option<Stored>, StoreError> {
        self.known.note_nothing(key, sha);
        self.remove(key).await?;
        Err(StoreError::Unusable(why.into()))
    }

    /// Removes the head that was last read, and not one that came in its place.
    pub(in crate::store) async fn remove(&self, key: &EvidenceKey) -> Result<(), StoreError> {
        let Some(seen) = self.known.seen(key) else { return Ok(()) };
        let name = short(key);
        let is_removed = self.engine.remove_head(&name, &seen.sha).await?;
        self.known.update(key, None);
        if is_removed && !seen.sha.is_empty() {
            self.chunks(&name, &seen.sha).end_soon(seen.chunks).await;
        }
        Ok(())
    }

    /// The version and digest of a head that agrees with itself. One that does not is removed: it keeps nothing out.
    async fn known_to_engine(&self, name: &str) -> Result<Option<(EvidenceVersion, String)>, Trouble> {
        let raw = self.engine.read_head(name).await?;
        Ok(match head::head(&raw, &self.settings.limits, self.latest()) {
            Found::Head(head) => Some((head.version, head.sha)),
            Found::Nothing => None,
            Found::Junk(sha, _) => {
                self.engine.remove_head(name, &sha).await?;
                None
            }
        })
    }

    pub(in crate::store) async fn put(&self, key: &EvidenceKey, stored: Stored) -> Result<(), StoreError> {
        let size = u64::try_from(stored.body.bytes.len()).unwrap_or(u64::MAX);
        let max = self.settings.limits.bytes(stored.request.kind());
        if size == 0 || size > max {
            return Err(StoreError::Unusable(format!("{size} bytes are not shared: the limit is {max}")));
        }
        let bytes = stored.body.bytes.clone();
        let digest = spawn_blocking(move || sha256(&bytes)).await;
        let digest = digest.map_err(|error| StoreError::Unusable(format!("a thread ended: {error}")))?;
        let written = Written::new(&stored, digest, self.latest())?;
        let (name, refused) = (short(key), self.known.refused(key));
        let known = self.known_to_engine(&name).await?.filter(|(_, sha)| *sha != refused);
        if let Some((version, sha)) = &known
            && (*version > written.version || (*version == written.version && *sha != written.sha))
        {
            self.known.note_version(key, Some(*version));
            return Err(StoreError::Older);
        }
        let chunks = chunks_of(size);
        let ends = self.ends(&stored).saturating_mul(1_000);
        let bytes = self.chunks(&name, &written.sha);
        let is_there = known.is_some_and(|(_, sha)| sha == written.sha);
        let is_complete = is_there && bytes.prolong(chunks, ends).await?;
        if !is_complete && let Err(trouble) = bytes.write(&stored.body, ends).await {
            // A head that names the same bytes keeps them.
            if !is_there {
                bytes.end_soon(chunks).await;
            }
            return Err(trouble.into());
        }
        match self.engine.write_head(&name, &written, &refused, self.latest(), ends).await? {
            Put::Older => return Err(StoreError::Older),
            Put::Written(Some(old)) => {
                // A number that others wrote.
                let max = chunks_of(self.settings.limits.crl_bytes);
                self.chunks(&name, &old.sha).end_soon(old.chunks.min(max)).await;
            }
            Put::Same | Put::Written(None) => {}
        }
        self.known.note(key, Some(written.version), &written.sha, chunks);
        Ok(())
    }

    /// When an entry ends, in seconds since 1970.
    fn ends(&self, stored: &Stored) -> i64 {
        let now = (self.settings.clock)().unix();
        let ends = match stored.next_update.map(Time::unix) {
            Some(next) => next.saturating_add(KEPT_AFTER),
            None => stored.fetched_at.unix().saturating_add(KEPT_WITHOUT),
        };
        ends.clamp(now.saturating_add(KEPT_LEAST), now.saturating_add(KEPT_MOST))
    }

    /// All entries, up to a limit.
    pub(in crate::store) async fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let seen = self.known.all().into_iter().map(|seen| short(&seen.key)).collect();
        let names = self.engine.names(seen).await?;
        let read = async |name: String| (self.engine.read_head(&name).await, name);
        let mut heads = stream::iter(names.into_iter().take(LISTED)).map(read).buffer_unordered(AT_ONCE);
        let mut entries = Vec::new();
        while let Some((raw, name)) = heads.next().await {
            let found = head::head(&raw?, &self.settings.limits, self.latest());
            let Found::Head(Head { key, size, record, request, .. }) = found else { continue };
            if short(&key) == name {
                let stored = record.into_stored(request, bytes::Bytes::new().into(), None)?;
                entries.push(Entry::of(key, &stored, size));
            }
        }
        entries.sort_by(|a, b| a.request.url().cmp(b.request.url()).then(a.key.cmp(&b.key)));
        Ok(entries)
    }

    pub(in crate::store) fn did_not_count(&self, key: &EvidenceKey) {
        self.known.refuse(key);
    }
}
