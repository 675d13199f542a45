//! The bytes of an entry, in chunks: no value is large, so no other client of the engine waits long for one.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::digest::Sha256;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, stream};
use redis::Value;

use super::link::Link;
use super::names::Names;
use super::trouble::Trouble;
use crate::transport::spool::{Body, Spool, SpoolError};

/// The size of a chunk: other clients then wait some milliseconds at most.
const CHUNK: NonZeroUsize = NonZeroUsize::new(256 << 10).expect("is not zero");
/// The chunks of one request, and how many requests are under way.
const BATCH: usize = 4;
const BATCHES: usize = 2;
/// How long a request for several chunks may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer chunks last than the head that names them, and how long those last that no head names any more, in
/// milliseconds: who has read the head can still read them.
const LONGER: i64 = 60_000;
const SOON: i64 = 60_000;

/// The number of chunks of so many bytes.
pub(super) const fn chunks_of(size: u64) -> u64 {
    size.div_ceil(CHUNK.get() as u64)
}

/// Which bytes of which entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'b> {
    pub(super) link: &'b Arc<Link>,
    pub(super) names: &'b Names,
    /// The SHA-256, in hexadecimal.
    pub(super) sha: &'b str,
    /// How long a small request may take.
    pub(super) patience: Duration,
}

/// Why there are no bytes.
pub(super) enum NoBody {
    /// A chunk is not there: it was evicted, or has ended.
    Missing,
    /// They are not those that the head names.
    Unusable(String),
    Trouble(Trouble),
}

impl Bytes<'_> {
    /// Reads so many bytes, and compares their digest. At most as many are taken from any chunk as it should have.
    pub(super) async fn read(&self, size: u64, folder: &Path) -> Result<Body, NoBody> {
        let chunks = chunks_of(size);
        let mut spool = Spool::new(folder, size);
        let mut digest = Sha256::new();
        let mut batches = stream::iter((0..chunks).step_by(BATCH))
            .map(|first| self.read_batch(first, chunks.min(first.saturating_add(BATCH as u64))))
            .buffered(BATCHES);
        while let Some(batch) = batches.next().await {
            for chunk in batch.map_err(|trouble| match trouble {
                Trouble::WrongType => NoBody::Unusable("one of its chunks is no text".into()),
                other => NoBody::Trouble(other),
            })? {
                let Value::BulkString(chunk) = chunk else {
                    return Err(NoBody::Unusable("one of its chunks is no text".into()));
                };
                // This is what the engine answers for a key that does not exist.
                if chunk.is_empty() {
                    return Err(NoBody::Missing);
                }
                digest.update(&chunk);
                spool.push(&chunk).map_err(unusable)?;
            }
        }
        if spool.taken() != size || HEXLOWER.encode(&digest.finish()) != self.sha {
            return Err(NoBody::Unusable("its bytes are not those that it names".into()));
        }
        spool.finish().map_err(|error| unusable(SpoolError::Io(error)))
    }

    async fn read_batch(&self, first: u64, end: u64) -> Result<Vec<Value>, Trouble> {
        let mut pipe = redis::pipe();
        for number in first..end {
            // One byte more than a chunk has, so that a longer one is noticed.
            pipe.cmd("GETRANGE").arg(self.names.chunk(self.sha, number)).arg(0).arg(CHUNK.get());
        }
        let patience = if end - first > 1 { PATIENCE } else { self.patience };
        self.link.run(patience, async |mut connection| pipe.query_async(&mut connection).await).await
    }

    /// Writes all chunks, which last until this time in milliseconds since 1970 and a little longer.
    pub(super) async fn write(&self, body: &Body, ends: i64) -> Result<(), Trouble> {
        let chunks: Vec<_> = (0..).zip(body.chunks(CHUNK)).collect();
        for batch in chunks.chunks(2 * BATCH) {
            let mut pipe = redis::pipe();
            for (number, chunk) in batch {
                let name = self.names.chunk(self.sha, *number);
                let ends = ends.saturating_add(LONGER);
                pipe.cmd("SET").arg(name).arg(*chunk).arg("PXAT").arg(ends).ignore();
            }
            self.link
                .run(PATIENCE, async |mut connection| pipe.query_async::<()>(&mut connection).await)
                .await?;
        }
        Ok(())
    }

    /// Lets all chunks last until this time. False if one is missing.
    pub(super) async fn prolong(&self, chunks: u64, ends: i64) -> Result<bool, Trouble> {
        self.expire(chunks, "PEXPIREAT", ends.saturating_add(LONGER)).await
    }

    /// Lets the chunks of a head that is gone end soon. If this fails, they last as long as they would have.
    pub(super) async fn end_soon(&self, chunks: u64) {
        let _ends: Result<bool, Trouble> = self.expire(chunks, "PEXPIRE", SOON).await;
    }

    async fn expire(&self, chunks: u64, command: &str, when: i64) -> Result<bool, Trouble> {
        const AT_ONCE: usize = 256;
        for first in (0..chunks).step_by(AT_ONCE) {
            let mut pipe = redis::pipe();
            for number in first..chunks.min(first.saturating_add(AT_ONCE as u64)) {
                pipe.cmd(command).arg(self.names.chunk(self.sha, number)).arg(when);
            }
            let set: Vec<i64> = self
                .link
                .run(self.patience, async |mut connection| pipe.query_async(&mut connection).await)
                .await?;
            if set.contains(&0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn unusable(error: SpoolError) -> NoBody {
    NoBody::Unusable(match error {
        SpoolError::TooLarge(max) => format!("it has more than the {max} bytes that its head names"),
        SpoolError::Io(error) => format!("its bytes cannot be kept: {error}"),
    })
}
