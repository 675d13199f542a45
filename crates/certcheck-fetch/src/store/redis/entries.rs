//! The entries of a store: how they are read, written and removed.

use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::digest::sha256;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, stream};
use redis::Value;
use tokio::task::spawn_blocking;

use super::body::{Bytes, NoBody, chunks_of};
use super::endpoint::Endpoint;
use super::head::{self, Found, HEAD_FIELDS, Head, VERSION_FIELDS, Written, digits};
use super::known::Known;
use super::link::Link;
use super::names::{Names, channel, short};
use super::options::{Place, RedisError, RedisOptions};
use super::script::{READ, REMOVE, WRITE};
use super::trouble::Trouble;
use crate::cache::key::EvidenceKey;
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
/// Entries that are listed, and that are read at once for it.
const LISTED: usize = 100_000;
const AT_ONCE: usize = 64;

/// The entries of a store.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) link: Arc<Link>,
    pub(super) known: Known,
    pub(super) options: RedisOptions,
}

impl Entries {
    pub(super) fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let place = Place::parse(&options.address, options.password.as_deref())?;
        let link = Link::new(Endpoint::new(place)?);
        Ok(Self { link, known: Known::default(), options })
    }

    pub(super) fn channel(&self) -> String {
        channel(&self.options.prefix)
    }

    pub(super) fn names(&self, key: &EvidenceKey) -> Names {
        Names::new(&self.options.prefix, key)
    }

    /// The latest time that a thisUpdate can have.
    fn latest(&self) -> i64 {
        (self.options.clock)().unix().saturating_add(SKEW)
    }

    /// The bytes with this digest in an entry.
    fn bytes<'b>(&'b self, names: &'b Names, sha: &'b str) -> Bytes<'b> {
        Bytes { link: &self.link, names, sha, patience: self.options.patience }
    }

    async fn read(&self, head: &str, fields: &[(&str, usize)]) -> Result<Value, Trouble> {
        let mut call = READ.key(head);
        for (field, max) in fields {
            call.arg(*field).arg(*max);
        }
        let patience = self.options.patience;
        self.link.run(patience, async |mut connection| call.invoke_async(&mut connection).await).await
    }

    /// The version and digest of the head of an entry, if it is one of ours.
    pub(super) async fn version(
        &self,
        key: &EvidenceKey,
    ) -> Result<Option<(EvidenceVersion, String)>, Trouble> {
        let answer = self.read(&self.names(key).head(), VERSION_FIELDS).await?;
        Ok(match head::version(&answer, self.latest()) {
            Found::Head(found) => Some(found),
            Found::Nothing | Found::Junk(..) => None,
        })
    }

    pub(super) async fn get(&self, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        let names = self.names(key);
        let answer = self.read(&names.head(), HEAD_FIELDS).await?;
        let head = match head::head(&answer, &self.options.limits, self.latest()) {
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
        match self.bytes(&names, &sha).read(size, &self.options.folder).await {
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
    pub(super) async fn remove(&self, key: &EvidenceKey) -> Result<(), StoreError> {
        let Some(seen) = self.known.seen(key) else { return Ok(()) };
        let names = self.names(key);
        let is_removed = self.remove_head(&names, &seen.sha).await?;
        self.known.update(key, None);
        if is_removed && !seen.sha.is_empty() {
            self.bytes(&names, &seen.sha).end_soon(seen.chunks).await;
        }
        Ok(())
    }

    /// Removes a head with this digest, or one that is none of ours.
    async fn remove_head(&self, names: &Names, sha: &str) -> Result<bool, Trouble> {
        let call = async |mut connection| {
            REMOVE.key(names.head()).arg(sha).invoke_async::<i64>(&mut connection).await
        };
        Ok(self.link.run(self.options.patience, call).await? > 0)
    }

    /// The version and digest of a head that agrees with itself. One that does not is removed: it keeps nothing out.
    async fn known_to_engine(&self, names: &Names) -> Result<Option<(EvidenceVersion, String)>, Trouble> {
        let answer = self.read(&names.head(), HEAD_FIELDS).await?;
        Ok(match head::head(&answer, &self.options.limits, self.latest()) {
            Found::Head(head) => Some((head.version, head.sha)),
            Found::Nothing => None,
            Found::Junk(sha, _) => {
                self.remove_head(names, &sha).await?;
                None
            }
        })
    }

    pub(super) async fn put(&self, key: &EvidenceKey, stored: Stored) -> Result<(), StoreError> {
        let size = u64::try_from(stored.body.bytes.len()).unwrap_or(u64::MAX);
        let max = self.options.limits.bytes(stored.request.kind());
        if size == 0 || size > max {
            return Err(StoreError::Unusable(format!("{size} bytes are not shared: the limit is {max}")));
        }
        let bytes = stored.body.bytes.clone();
        let digest = spawn_blocking(move || sha256(&bytes)).await;
        let digest = digest.map_err(|error| StoreError::Unusable(format!("a thread ended: {error}")))?;
        let written = Written::new(&stored, digest, self.latest())?;
        let (names, refused) = (self.names(key), self.known.refused(key));
        let known = self.known_to_engine(&names).await?.filter(|(_, sha)| *sha != refused);
        if let Some((version, sha)) = &known
            && (*version > written.version || (*version == written.version && *sha != written.sha))
        {
            self.known.note_version(key, Some(*version));
            return Err(StoreError::Older);
        }
        let chunks = chunks_of(size);
        let ends = self.ends(&stored).saturating_mul(1_000);
        let bytes = self.bytes(&names, &written.sha);
        let is_there = known.is_some_and(|(_, sha)| sha == written.sha);
        let is_complete = is_there && bytes.prolong(chunks, ends).await?;
        if !is_complete && let Err(trouble) = bytes.write(&stored.body, ends).await {
            // A head that names the same bytes keeps them.
            if !is_there {
                bytes.end_soon(chunks).await;
            }
            return Err(trouble.into());
        }
        self.write_head(key, &names, &written, &refused, ends).await?;
        self.known.note(key, Some(written.version), &written.sha, chunks);
        Ok(())
    }

    async fn write_head(
        &self,
        key: &EvidenceKey,
        names: &Names,
        written: &Written,
        refused: &str,
        ends: i64,
    ) -> Result<(), StoreError> {
        let Written { version, sha, size, record } = written;
        let mut call = WRITE.key(names.head());
        call.arg(digits(version.this_update().unix())).arg(HEXLOWER.encode(version.number())).arg(sha);
        call.arg(chunks_of(*size)).arg(*size).arg(record).arg(refused).arg(digits(self.latest()));
        call.arg(ends).arg(self.channel()).arg(short(key));
        let answer: Value = self
            .link
            .run(self.options.patience, async |mut connection| call.invoke_async(&mut connection).await)
            .await?;
        let Value::Array(answer) = answer else { return Err(Trouble::Other.into()) };
        match &answer[..] {
            [Value::Int(1), Value::BulkString(old), Value::BulkString(chunks)] => {
                let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
                // A number that others wrote.
                let max = chunks_of(self.options.limits.crl_bytes);
                let chunks = number(chunks).unwrap_or(0).min(max);
                if let Ok(old) = std::str::from_utf8(old)
                    && !old.is_empty()
                    && old != sha
                {
                    self.bytes(names, old).end_soon(chunks).await;
                }
                Ok(())
            }
            [Value::Int(2)] => Ok(()),
            [Value::Int(0)] => Err(StoreError::Older),
            _ => Err(Trouble::Other.into()),
        }
    }

    /// When an entry ends, in seconds since 1970.
    fn ends(&self, stored: &Stored) -> i64 {
        let now = (self.options.clock)().unix();
        let ends = match stored.next_update.map(Time::unix) {
            Some(next) => next.saturating_add(KEPT_AFTER),
            None => stored.fetched_at.unix().saturating_add(KEPT_WITHOUT),
        };
        ends.clamp(now.saturating_add(KEPT_LEAST), now.saturating_add(KEPT_MOST))
    }

    pub(super) async fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let heads = self.heads().await?;
        let limits = &self.options.limits;
        let read = async |head: String| self.read(&head, HEAD_FIELDS).await;
        let mut answers = stream::iter(heads.clone()).map(read).buffer_unordered(AT_ONCE);
        let mut entries = Vec::new();
        while let Some(answer) = answers.next().await {
            let Found::Head(found) = head::head(&answer?, limits, self.latest()) else { continue };
            let Head { key, size, record, request, .. } = found;
            if heads.contains(&self.names(&key).head()) {
                let stored = record.into_stored(request, bytes::Bytes::new().into(), None)?;
                entries.push(Entry::of(key, &stored, size));
            }
        }
        entries.sort_by(|a, b| a.request.url().cmp(b.request.url()).then(a.key.cmp(&b.key)));
        Ok(entries)
    }

    /// The names of all heads. In a cluster, of those that this process has seen: a scan is of one node.
    async fn heads(&self) -> Result<std::collections::BTreeSet<String>, StoreError> {
        let seen = || self.known.all().into_iter().map(|seen| self.names(&seen.key).head()).collect();
        if matches!(self.link.endpoint(), Endpoint::Cluster(..)) {
            return Ok(seen());
        }
        let mut heads = std::collections::BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            let pattern = format!("{}:{{*}}:h", self.options.prefix);
            scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(500);
            let (next, found): (u64, Vec<String>) = self
                .link
                .run(self.options.patience, async |mut connection| scan.query_async(&mut connection).await)
                .await?;
            heads.extend(found);
            if next == 0 || heads.len() >= LISTED {
                return Ok(heads);
            }
            cursor = next;
        }
    }
}
