//! The disk store: a folder that several processes share.
//!
//! ```text
//! records/KEY.json             the request, the issuer and the times; small bodies too
//! blobs/KEY.RANDOM.der, .idx   large bodies, and the index of a CRL
//! locks/KEY.fetch, KEY.write   who may fetch, and who writes: files that exist while the lock is held
//! ```
//! A record is written last, so the blob that it names exists. The folder may be deleted at any time.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use certcheck_core::Time;
use data_encoding::HEXLOWER;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::folder::{Folder, Lock};
use super::record::{MAX_INLINE, MAX_RECORD, Record};
use super::version::EvidenceVersion;
use super::{Entry, Lease, Store, StoreError, Stored};
use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;
use crate::clock::now;
use crate::mapped;
use crate::transport::spool::Body;

/// The pause between two attempts to get a lease.
const PAUSE: Duration = Duration::from_millis(20);
/// The file that says when the store was last tidied, and how often that is done.
const TIDIED: &str = "tidied";
const BETWEEN: Duration = Duration::from_secs(3_600);
/// How long to wait for another writer.
const TURN: Duration = Duration::from_secs(2);
/// The age at which a blob without a record is removed. Its record may be about to be written.
const ORPHAN: Duration = Duration::from_secs(3_600);
/// How far the clocks of processes that share a store may differ, in seconds.
const AHEAD: i64 = 86_400;
/// The least time between two marks that a record is in use.
const MARK: Duration = Duration::from_secs(3_600);

/// The options of a disk store.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DiskOptions {
    /// The size limit in bytes. The entries that were not used for longest are removed first.
    pub max_bytes: u64,
    /// Keeps the index of each CRL with it, and lets an engine trust the index and the verified signature. Opening a
    /// CRL of millions of entries then takes a copy of it at most. However, anyone who can write to the folder as
    /// this user could then hide a revocation. It takes effect only for engines that are given the store with
    /// [`EngineBuilder::disk_store`](crate::EngineBuilder::disk_store).
    pub trust_index: bool,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self { max_bytes: 4 << 30, trust_index: false }
    }
}

/// A store in a folder.
#[derive(Clone, Debug)]
pub struct DiskStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    records: Folder,
    blobs: Folder,
    locks: Folder,
    options: DiskOptions,
    /// Bytes written since it was last tidied, and the bytes that were found then.
    taken: AtomicU64,
}

impl DiskStore {
    /// Opens the store. It is made if there is none.
    ///
    /// # Errors
    /// If the folder cannot be made, or if other users can write to it.
    pub fn open(path: &Path, options: DiskOptions) -> Result<Self, StoreError> {
        let top = Folder::open(path)?;
        let part = |name: &str| Folder::open(&top.path().join(name));
        let locks = part("locks")?;
        // Programs that run for a moment tidy too: the first that writes in an hour.
        let is_tidied = locks.age(TIDIED).is_some_and(|age| age < BETWEEN);
        let taken = AtomicU64::new(if is_tidied { 0 } else { options.max_bytes });
        let inner = Inner { records: part("records")?, blobs: part("blobs")?, locks, options, taken };
        Ok(Self(Arc::new(inner)))
    }

    /// The default folder: `$XDG_CACHE_HOME/certcheck`, or else `~/.cache/certcheck`.
    #[must_use]
    pub fn default_path() -> Option<PathBuf> {
        let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        of("XDG_CACHE_HOME")
            .or_else(|| of("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("certcheck"))
    }

    /// Removes the remains of dead processes, blobs that no record names, and entries beyond the limit.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn tidy(&self) -> Result<(), StoreError> {
        self.0.tidy()
    }

    /// Whether its indexes and verified signatures may be trusted.
    pub(crate) fn is_trusted(&self) -> bool {
        self.0.options.trust_index
    }

    /// Runs work that waits for the disk on a thread where waiting does no harm.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let inner = Arc::clone(&self.0);
        async move {
            match spawn_blocking(move || work(&inner)).await {
                Ok(outcome) => outcome,
                Err(error) => Err(StoreError::Unusable(format!("the store's thread ended: {error}"))),
            }
        }
        .boxed()
    }
}

/// The locks of a key: one for fetching, one for writing or removing its record.
const FETCHES: &str = "fetch";
const WRITES: &str = "write";

fn lock_name(key: &EvidenceKey, what: &str) -> String {
    format!("{}.{what}", key.to_hex())
}

fn record_name(key: &EvidenceKey) -> String {
    format!("{}.json", key.to_hex())
}

/// Whether this is the name of a blob or an index.
fn is_blob(name: &str) -> bool {
    let stem = name.strip_suffix(".der").or_else(|| name.strip_suffix(".idx"));
    stem.and_then(|stem| stem.split_once('.')).is_some_and(|(key, _)| EvidenceKey::from_hex(key).is_some())
}

impl Inner {
    fn record(&self, key: &EvidenceKey) -> Result<Option<Record>, StoreError> {
        let content = self.records.content(&record_name(key), MAX_RECORD)?;
        content.map(|content| Record::parse(&content)).transpose()
    }

    fn get(&self, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        let mut found = self.read(key);
        if matches!(found, Err(StoreError::Unusable(_))) {
            // Another process may have written a newer record after this one was read. That is not removed.
            let lock = self.locks.try_lock(&lock_name(key, WRITES))?;
            let is_alone = lock.is_some();
            found = self.read(key);
            if is_alone && matches!(found, Err(StoreError::Unusable(_))) {
                self.remove(key);
            }
        }
        found
    }

    fn read(&self, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        let Some(record) = self.record(key)? else { return Ok(None) };
        let request = record.request_under(key)?;
        self.mark(key);
        if let Some(bytes) = record.inline()? {
            return record.into_stored(request, Body::from(bytes), None).map(Some);
        }
        let blob = record.blob.clone().unwrap_or_default();
        let file = self.blob(key, &blob, "der")?;
        let file = file.ok_or_else(|| StoreError::Unusable(format!("{blob} is missing")))?;
        let bytes = self.blobs.bytes_of(&blob, &file)?;
        if u64::try_from(bytes.len()).ok() != Some(record.bytes) {
            return Err(StoreError::Unusable(format!("{blob} has another length than it had")));
        }
        // Without its index a CRL is parsed again, which is only slower.
        let is_wanted = record.has_index && self.options.trust_index;
        let index = if is_wanted { self.blob(key, &blob, "idx").ok().flatten() } else { None };
        let index = index.and_then(|file| self.blobs.bytes_of(&blob, &file).ok());
        record.into_stored(request, Body::in_file(bytes, self.blobs.path()), index).map(Some)
    }

    /// A blob of this key: its name begins with the key and cannot lead out of the folder.
    fn blob(&self, key: &EvidenceKey, stem: &str, kind: &str) -> Result<Option<File>, StoreError> {
        let is_name = stem.len() < 128 && stem.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.');
        if !is_name || !stem.starts_with(&key.to_hex()) {
            return Err(StoreError::Unusable("it names a file of another entry".into()));
        }
        self.blobs.file(&format!("{stem}.{kind}"))
    }

    /// Notes that the record is in use.
    fn mark(&self, key: &EvidenceKey) {
        if let Ok(Some(file)) = self.records.file(&record_name(key)) {
            let is_due = file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|written| written.elapsed().is_ok_and(|age| age > MARK));
            if is_due {
                // Without the mark it may be removed sooner, which does no harm.
                let _marked = file.set_modified(SystemTime::now());
            }
        }
    }

    fn put(&self, key: &EvidenceKey, stored: &Stored) -> Result<(), StoreError> {
        let lock = self.turn(key)?;
        // A record that cannot be parsed counts as absent.
        let before = self.record(key).ok().flatten();
        // A record with a time in the future is damaged: it must not keep newer ones out.
        let latest = now().unix().saturating_add(AHEAD);
        let known = before.as_ref().and_then(|before| before.this_update).filter(|known| *known <= latest);
        if known.is_some_and(|known| stored.this_update.is_some_and(|new| new.unix() < known)) {
            return Err(StoreError::Older);
        }
        let bytes = &stored.body.bytes;
        let mut blob = None;
        let mut has_index = false;
        let kept_as = before.as_ref().and_then(|before| before.blob.clone());
        if bytes.len() > MAX_INLINE {
            let stem = self.put_blob(key, stored, kept_as.as_deref())?;
            has_index = self.put_index(&stem, stored, kept_as.as_deref())?;
            blob = Some(stem);
        }
        let record = Record::new(stored, blob.clone(), has_index)?;
        let text = serde_json::to_vec(&record).map_err(|error| StoreError::Unusable(error.to_string()))?;
        self.records.write(&record_name(key), |out| out.write_all(&text))?;
        if let Some(old) = kept_as.filter(|old| Some(old) != blob.as_ref()) {
            self.remove_blob(key, &old);
        }
        let taken = u64::try_from(bytes.len() + text.len()).unwrap_or(u64::MAX);
        let taken = self.taken.fetch_add(taken, Ordering::Relaxed).saturating_add(taken);
        drop(lock);
        // Tidied when it has grown by a sixteenth of its limit, and at first to learn its size.
        if taken > self.options.max_bytes / 16 {
            self.tidy()?;
        }
        Ok(())
    }

    /// Writes the bytes under a new name, unless they are in a file already: a server said that they have not
    /// changed.
    fn put_blob(
        &self,
        key: &EvidenceKey,
        stored: &Stored,
        known: Option<&str>,
    ) -> Result<String, StoreError> {
        let bytes = &stored.body.bytes;
        if let Some(known) = known
            && stored.body.is_in_file()
            && let Ok(Some(file)) = self.blob(key, known, "der")
            && mapped::has_content(&file, bytes).is_ok_and(|is_same| is_same)
        {
            return Ok(known.to_owned());
        }
        let mut random = [0; 8];
        // The name only has to be unique. Without randomness the time is enough.
        if getrandom::fill(&mut random).is_err() {
            random = stored.fetched_at.unix().to_be_bytes();
        }
        let stem = format!("{}.{}", key.to_hex(), HEXLOWER.encode(&random));
        let name = format!("{stem}.der");
        // A copy, even if it is in a file already: a mapped file must not have a name by which others can truncate
        // it.
        self.blobs.write(&name, |out| out.write_all(bytes))?;
        Ok(stem)
    }

    fn put_index(&self, stem: &str, stored: &Stored, known: Option<&str>) -> Result<bool, StoreError> {
        let Some(crl) = stored.crl.as_ref().filter(|_| self.options.trust_index) else { return Ok(false) };
        let name = format!("{stem}.idx");
        if known == Some(stem) && self.blobs.file(&name).is_ok_and(|file| file.is_some()) {
            return Ok(true);
        }
        self.blobs.write(&name, |out| crl.write_index(out))?;
        Ok(true)
    }

    fn remove_blob(&self, key: &EvidenceKey, stem: &str) {
        if self.blob(key, stem, "der").is_ok() {
            self.blobs.remove(&format!("{stem}.der"));
            self.blobs.remove(&format!("{stem}.idx"));
        }
    }

    /// The lock for writing or removing the record of this key. A process that holds it for long has been stopped.
    fn turn(&self, key: &EvidenceKey) -> Result<Lock, StoreError> {
        let until = std::time::Instant::now() + TURN;
        loop {
            match self.locks.try_lock(&lock_name(key, WRITES))? {
                Some(lock) => return Ok(lock),
                None if std::time::Instant::now() < until => std::thread::sleep(PAUSE),
                None => return Err(StoreError::Io("lock".into(), std::io::ErrorKind::TimedOut.into())),
            }
        }
    }

    /// Removes a record and its blob. The caller holds the lock.
    fn remove(&self, key: &EvidenceKey) {
        let record = self.record(key);
        // The record first, so that there is never one whose blob is gone.
        self.records.remove(&record_name(key));
        if let Ok(Some(Record { blob: Some(blob), .. })) = record {
            self.remove_blob(key, &blob);
        }
    }

    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for (name, size, _) in self.records.list()? {
            let Some(key) = name.strip_suffix(".json").and_then(EvidenceKey::from_hex) else { continue };
            let Ok(Some(record)) = self.record(&key) else { continue };
            let Ok(request) = record.request_under(&key) else { continue };
            let large = if record.blob.is_some() { record.bytes } else { 0 };
            entries.push(Entry {
                key,
                request,
                bytes: size + large,
                fetched_at: Time::from_unix(record.fetched_at),
                this_update: record.this_update.map(Time::from_unix),
                next_update: record.next_update.map(Time::from_unix),
            });
        }
        entries.sort_by(|a, b| a.request.url().cmp(b.request.url()).then(a.key.cmp(&b.key)));
        Ok(entries)
    }

    /// Removes the locks of processes that died. Others end with their holders.
    fn remove_old_locks(&self) -> Result<(), StoreError> {
        for (name, _, written) in self.locks.list()? {
            let of_key = name.split_once('.').is_some_and(|(key, _)| EvidenceKey::from_hex(key).is_some());
            if of_key && written.elapsed().is_ok_and(|age| age > ORPHAN) {
                drop(self.locks.try_lock(&name)?);
            }
        }
        Ok(())
    }

    fn tidy(&self) -> Result<(), StoreError> {
        // One process does it for all.
        let Some(_lock) = self.locks.try_lock("tidy")? else { return Ok(()) };
        self.remove_old_locks()?;
        let blobs = self.blobs.list()?;
        let mut sizes = std::collections::HashMap::<&str, u64>::new();
        for (name, size, _) in &blobs {
            *sizes.entry(name.get(..64).unwrap_or_default()).or_default() += size;
        }
        let mut kept = Vec::new();
        for (name, size, used) in self.records.list()? {
            // Files of other programs are left alone.
            if let Some(key) = name.strip_suffix(".json").and_then(EvidenceKey::from_hex) {
                let large = sizes.get(key.to_hex().as_str()).copied().unwrap_or(0);
                kept.push((used, key, size.saturating_add(large)));
            }
        }
        kept.sort_unstable();
        let mut total: u64 = kept.iter().map(|(_, _, size)| size).sum();
        let mut gone = HashSet::new();
        if total > self.options.max_bytes {
            for (_, key, size) in &kept {
                if total <= self.options.max_bytes / 4 * 3 {
                    break;
                }
                // A file that is being written is in use.
                let Some(lock) = self.locks.try_lock(&lock_name(key, WRITES))? else { continue };
                self.remove(key);
                drop(lock);
                gone.insert(*key);
                total = total.saturating_sub(*size);
            }
        }
        let named: HashSet<String> = kept
            .iter()
            .filter(|(_, key, _)| !gone.contains(key))
            .filter_map(|(_, key, _)| self.record(key).ok().flatten()?.blob)
            .collect();
        for (name, _, written) in &blobs {
            let is_named = name.rsplit_once('.').is_some_and(|(stem, _)| named.contains(stem));
            if !is_named && is_blob(name) && written.elapsed().is_ok_and(|age| age > ORPHAN) {
                self.blobs.remove(name);
            }
        }
        self.taken.store(0, Ordering::Relaxed);
        self.locks.write(TIDIED, |_| Ok(()))
    }
}

impl Store for DiskStore {
    fn origin(&self) -> Origin {
        Origin::Disk
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let key = *key;
        self.run(move |store| store.get(&key))
    }

    fn version<'a>(
        &'a self,
        key: &'a EvidenceKey,
    ) -> BoxFuture<'a, Result<Option<EvidenceVersion>, StoreError>> {
        let key = *key;
        self.run(move |store| store.record(&key)?.map(|record| record.version()).transpose())
    }

    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = *key;
        self.run(move |store| store.put(&key, &stored))
    }

    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = *key;
        self.run(move |store| {
            let _turn = store.turn(&key)?;
            store.remove(&key);
            Ok(())
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        self.run(Inner::list)
    }

    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        // The whole key is compared: one that agrees in part belongs to another entry, and is easily made.
        let name = lock_name(key, FETCHES);
        async move {
            let until = Instant::now() + max_wait;
            loop {
                match self.0.locks.try_lock(&name)? {
                    Some(lock) => return Ok(Some(Lease::new(lock))),
                    None if Instant::now() < until => sleep(PAUSE).await,
                    None => return Ok(None),
                }
            }
        }
        .boxed()
    }

    fn folder(&self) -> Option<&Path> {
        Some(self.0.blobs.path())
    }
}
