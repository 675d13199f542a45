//! The size of chunks.

use std::num::NonZeroUsize;

/// The size of a chunk: other clients then wait some milliseconds at most.
pub(in crate::store) const CHUNK: NonZeroUsize = NonZeroUsize::new(256 << 10).expect("is not zero");

/// The number of chunks of so many bytes.
pub(super) const fn chunks_of(size: u64) -> u64 {
    size.div_ceil(CHUNK.get() as u64)
}
