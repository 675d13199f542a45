//! Heads, chunks and leases as messages of a bucket.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use futures_util::stream::BoxStream;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::bucket::{Bucket, Last};
use super::endpoint::{Connection, Endpoint};
use super::head::{MAX, content, parse};
use super::options::{Place, prefix};
use crate::clock;
use crate::store::remote::{
    CHUNK, Engine, Failed, LASTS, LISTED, Link, Put, Raw, RemoteError, RemoteOptions, Replaced, Trouble,
    Troubles, Written, claimed, is_digest, noted,
};

/// How long a request for several chunks may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long those chunks last that no head names any more: who has read the head can still read them.
const SOON: Duration = Duration::from_secs(60);
/// Entries whose chunks wait for their end. Those of others end with the age that the bucket allows.
const ENDING: usize = 256;
/// The age at which chunks are written again, so that they last as long as their head, in seconds.
const OLD: i64 = 86_400;
/// How often a head is read again because another process has replaced it meanwhile.
const TRIES: usize = 8;

/// A bucket of JetStream.
#[derive(Debug)]
pub(super) struct NatsEngine {
    link: Arc<Link<Endpoint>>,
    bucket: Arc<Bucket>,
    ending: Arc<Semaphore>,
    /// How long a small request may take.
    patience: Duration,
}

/// A lease that this process has: the number of its message.
#[derive(Debug)]
pub(super) struct NatsTurn {
    name: String,
    holder: Bytes,
    number: u64,
}

impl NatsEngine {
    pub(super) fn new(options: &RemoteOptions) -> Result<Self, RemoteError> {
        let place = Place::parse(&options.address)?;
        let bucket = Arc::new(Bucket::new(&place.bucket, &prefix(&options.prefix)?));
        let endpoint = Endpoint::new(place, options.password.clone(), Arc::clone(&bucket))?;
        let link = Link::new(endpoint);
        let ending = Arc::new(Semaphore::new(ENDING));
        Ok(Self { link, bucket, ending, patience: options.patience })
    }

    /// Runs a small operation.
    async fn run<T, F>(&self, work: impl FnOnce(Connection) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        self.link.run(self.patience, work).await
    }

    /// A head or a lease.
    async fn last(&self, subject: &str) -> Result<Last, Trouble> {
        let room = MAX.saturating_add(1);
        self.run(async |Connection { client, bucket }| bucket.last(&client, subject, room).await).await
    }

    /// Writes a message if the last one of its subject has this number. The number of the new one, or `None` if another
    /// process was faster.
    async fn replace(&self, subject: String, content: Bytes, last: u64) -> Result<Option<u64>, Trouble> {
        let replaced =
            async |Connection { client, bucket }| bucket.replace(&client, subject, content, last).await;
        self.run(replaced).await
    }

    /// When the chunks of these bytes were written, if the head says so and it can be true and is not long ago.
    async fn written_at(&self, name: &str, sha: &str) -> Result<Option<i64>, Trouble> {
        let (raw, at) = parse(&self.last(&self.bucket.head(name)).await?.content);
        let is_of_these = claimed(&raw).is_some_and(|(_, named)| named == sha);
        Ok(at.filter(|at| is_of_these && is_recent(*at)))
    }
}

impl Engine for NatsEngine {
    type Turn = NatsTurn;

    fn troubles(&self) -> &Troubles {
        self.link.troubles()
    }

    async fn read_version(&self, name: &str) -> Result<Raw, Trouble> {
        self.read_head(name).await
    }

    async fn read_head(&self, name: &str) -> Result<Raw, Trouble> {
        Ok(parse(&self.last(&self.bucket.head(name)).await?.content).0)
    }

    async fn write_head(
        &self,
        name: &str,
        written: &Written,
        refused: &str,
        latest: i64,
        _: i64,
    ) -> Result<Put, Trouble> {
        let subject = self.bucket.head(name);
        for _ in 0..TRIES {
            let last = self.last(&subject).await?;
            let (raw, at) = parse(&last.content);
            let known = claimed(&raw);
            let mut chunks_at = clock::now().unix();
            let mut is_same = false;
            if let Some((version, sha)) = &known
                && version.this_update().unix() <= latest
                && sha != refused
            {
                is_same = *sha == written.sha;
                if *version > written.version || (*version == written.version && !is_same) {
                    return Ok(Put::Older);
                }
                if is_same {
                    chunks_at = at.filter(|at| is_recent(*at)).unwrap_or(chunks_at);
                }
            }
            let content = Bytes::from(content(written, chunks_at));
            if self.replace(subject.clone(), content, last.number).await?.is_some() {
                if is_same {
                    return Ok(Put::Same);
                }
                let old = known.filter(|(_, sha)| *sha != written.sha);
                // Chunks are found by their subjects: their number does not matter.
                return Ok(Put::Written(old.map(|(_, sha)| Replaced { sha, chunks: 0 })));
            }
        }
        Ok(Put::Older)
    }

    async fn remove_head(&self, name: &str, sha: &str) -> Result<bool, Trouble> {
        let subject = self.bucket.head(name);
        let last = self.last(&subject).await?;
        if last.content.is_empty() {
            return Ok(false);
        }
        let named = match parse(&last.content).0 {
            Raw::Fields(fields) => fields.sha,
            Raw::Nothing | Raw::Junk(..) => None,
        };
        if named.is_some_and(|named| is_digest(&named) && named != sha) {
            return Ok(false);
        }
        Ok(self.replace(subject, Bytes::new(), last.number).await?.is_some())
    }

    async fn read_chunks(&self, name: &str, sha: &str, numbers: Range<u64>) -> Result<Vec<Bytes>, Trouble> {
        let patience = if numbers.end.saturating_sub(numbers.start) > 1 { PATIENCE } else { self.patience };
        let read = async |Connection { client, bucket }: Connection| {
            let (client, bucket) = (&client, &bucket);
            let one = |number| async move {
                // One byte more than a chunk has, so that a longer one is noticed.
                let room = CHUNK.get().saturating_add(1);
                Ok(bucket.last(client, &bucket.chunk(name, sha, number), room).await?.content)
            };
            try_join_all(numbers.map(one)).await
        };
        self.link.run::<_, Failed, _>(patience, read).await
    }

    async fn write_chunks(
        &self,
        name: &str,
        sha: &str,
        first: u64,
        chunks: Vec<&[u8]>,
        _: i64,
    ) -> Result<(), Trouble> {
        let write = async |Connection { client, bucket }: Connection| {
            let (client, bucket) = (&client, &bucket);
            let one = |(number, chunk)| {
                Bucket::write(client, bucket.chunk(name, sha, number), Bytes::copy_from_slice(chunk))
            };
            try_join_all((first..).zip(chunks).map(one)).await
        };
        self.link.run::<_, Failed, _>(PATIENCE, write).await.map(drop)
    }

    async fn prolong(&self, name: &str, sha: &str, chunks: u64, _: i64) -> Result<bool, Trouble> {
        if self.written_at(name, sha).await?.is_none() {
            return Ok(false);
        }
        let filter = self.bucket.chunks(name, sha);
        // Numbers have 20 digits at most.
        let sizes = (usize::try_from(chunks).unwrap_or(usize::MAX), 20);
        let found = async |Connection { client, bucket }| bucket.subjects(&client, &filter, sizes).await;
        Ok(self.run(found).await?.len() as u64 == chunks)
    }

    async fn end_soon(&self, name: &str, sha: &str, _: u64) {
        if !is_digest(sha) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.ending).try_acquire_owned() else { return };
        let (link, patience) = (Arc::clone(&self.link), self.patience);
        let (name, sha) = (name.to_owned(), sha.to_owned());
        tokio::spawn(async move {
            sleep(SOON).await;
            let purge = async |Connection { client, bucket }| {
                let head = bucket.last(&client, &bucket.head(&name), MAX.saturating_add(1)).await?;
                // They may have been written again.
                if claimed(&parse(&head.content).0).is_some_and(|(_, named)| named == sha) {
                    return Ok::<(), Failed>(());
                }
                bucket.purge(&client, &bucket.chunks(&name, &sha)).await
            };
            // If this fails, they end with the age that the bucket allows.
            let _purged: Result<(), Trouble> = link.run(patience, purge).await;
            drop(permit);
        });
    }

    async fn names(&self, _: Vec<String>) -> Result<Vec<String>, Trouble> {
        let filter = self.bucket.heads();
        // Names have 32 digits.
        let sizes = (LISTED, 32);
        let found = async |Connection { client, bucket }| bucket.subjects(&client, &filter, sizes).await;
        let subjects = self.link.run(PATIENCE, found).await?;
        let names = subjects.iter().filter_map(|subject| self.bucket.entry_of(subject));
        Ok(names.take(LISTED).map(str::to_owned).collect())
    }

    async fn lease(&self, name: &str, holder: &str) -> Result<Option<NatsTurn>, Trouble> {
        let subject = self.bucket.lease(name);
        let last = self.last(&subject).await?;
        if !last.content.is_empty() && !last.at.is_some_and(|at| has_ended(at.unix())) {
            return Ok(None);
        }
        let holder = Bytes::copy_from_slice(holder.as_bytes());
        let number = self.replace(subject, holder.clone(), last.number).await?;
        Ok(number.map(|number| NatsTurn { name: name.to_owned(), holder, number }))
    }

    async fn prolong_lease(&self, turn: &NatsTurn) -> Result<Option<NatsTurn>, Trouble> {
        let NatsTurn { name, holder, number } = turn;
        let number = self.replace(self.bucket.lease(name), holder.clone(), *number).await?;
        Ok(number.map(|number| NatsTurn { name: name.clone(), holder: holder.clone(), number }))
    }

    async fn end_lease(&self, turn: NatsTurn) {
        let lease = self.bucket.lease(&turn.name);
        let _ended: Result<Option<u64>, Trouble> = self.replace(lease, Bytes::new(), turn.number).await;
    }

    async fn listen(&self) -> Result<BoxStream<'static, String>, Failed> {
        let names = self.link.endpoint().listen().await?;
        Ok(noted(&self.link, names).boxed())
    }
}

/// Whether chunks that were written at this time need not be written again.
fn is_recent(at: i64) -> bool {
    let age = clock::now().unix().saturating_sub(at);
    (0..OLD).contains(&age)
}

/// Whether a lease of this time has ended, by the clock of the system.
fn has_ended(at: i64) -> bool {
    let lasts = i64::try_from(LASTS.as_secs()).unwrap_or(i64::MAX);
    clock::now().unix().saturating_sub(at) > lasts
}
