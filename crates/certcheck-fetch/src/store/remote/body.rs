//! The bytes of an entry, in chunks: no value is large, so no other client of the engine waits long for one.

use std::path::Path;

use certcheck_core::digest::Sha256;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, stream};

use super::chunk::{CHUNK, chunks_of};
use super::engine::Engine;
use super::trouble::Trouble;
use crate::transport::spool::{Body, Spool, SpoolError};

/// The chunks of one request, and how many requests are under way.
const BATCH: usize = 4;
const BATCHES: usize = 2;

/// Which bytes of which entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks<'b, E> {
    pub(super) engine: &'b E,
    pub(super) name: &'b str,
    /// The SHA-256, in hexadecimal.
    pub(super) sha: &'b str,
}

/// Why there are no bytes.
pub(super) enum NoBody {
    /// A chunk is not there: it was evicted, or has ended.
    Missing,
    /// They are not those that the head names.
    Unusable(String),
    Trouble(Trouble),
}

impl<E: Engine> Chunks<'_, E> {
    /// Reads so many bytes, and compares their digest. At most as many are taken from any chunk as it should have.
    pub(super) async fn read(&self, size: u64, folder: &Path) -> Result<Body, NoBody> {
        let chunks = chunks_of(size);
        let mut spool = Spool::new(folder, size);
        let mut digest = Sha256::new();
        let mut batches = stream::iter((0..chunks).step_by(BATCH))
            .map(|first| {
                let end = chunks.min(first.saturating_add(BATCH as u64));
                self.engine.read_chunks(self.name, self.sha, first..end)
            })
            .buffered(BATCHES);
        while let Some(batch) = batches.next().await {
            for chunk in batch.map_err(|trouble| match trouble {
                Trouble::WrongType => NoBody::Unusable("one of its chunks is no text".into()),
                other => NoBody::Trouble(other),
            })? {
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

    /// Writes all chunks, which last until this time in milliseconds since 1970 or longer.
    pub(super) async fn write(&self, body: &Body, ends: i64) -> Result<(), Trouble> {
        let chunks: Vec<_> = (0..).zip(body.chunks(CHUNK)).collect();
        for batch in chunks.chunks(2 * BATCH) {
            let first = batch.first().map_or(0, |(number, _)| *number);
            let batch = batch.iter().map(|(_, chunk)| *chunk).collect();
            self.engine.write_chunks(self.name, self.sha, first, batch, ends).await?;
        }
        Ok(())
    }

    /// Lets all chunks last until this time. False if one is missing.
    pub(super) async fn prolong(&self, chunks: u64, ends: i64) -> Result<bool, Trouble> {
        self.engine.prolong(self.name, self.sha, chunks, ends).await
    }

    /// Lets the chunks of a head that is gone end soon. If this fails, they last as long as they would have.
    pub(super) async fn end_soon(&self, chunks: u64) {
        self.engine.end_soon(self.name, self.sha, chunks).await;
    }
}

fn unusable(error: SpoolError) -> NoBody {
    NoBody::Unusable(match error {
        SpoolError::TooLarge(max) => format!("it has more than the {max} bytes that its head names"),
        SpoolError::Io(error) => format!("its bytes cannot be kept: {error}"),
    })
}
