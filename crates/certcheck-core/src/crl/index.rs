//! A compact index of a CRL's entries: about eight octets an entry, one cache line to look into.
//!
//! ```text
//! bucket, 64 octets: 12 tags of 1 octet, 12 offsets of 4 octets (little-endian), 4 octets unused
//! ```
//! A tag is a piece of the hash of a serial, never 0; 0 is a free slot. What finds its bucket full goes to the next,
//! so a search ends at the first bucket with a free slot. An offset leads to the entry in the CRL itself, and only
//! what stands there counts: an index can make a search longer, or miss; it cannot make up an entry. Therefore an
//! index that comes from outside is bound to its CRL by digest and checked entry by entry or by a digest of its own.

use bytes::Bytes;

use super::memory::Memory;

const SLOTS: usize = 12;
const BUCKET: usize = 64;
/// Entries a bucket is made for. At 8 of 12, one in thirty overflows.
const MEAN: usize = 8;
/// Buckets a search may walk through. Serials that collide so much were made to.
const MAX_WALK: usize = 64;
/// Entries added together.
pub(crate) const BATCH: usize = 32;

/// Buckets in octets, aligned to cache lines as far as the allocator lets us.
#[derive(Clone, Debug)]
pub(crate) struct CrlIndex {
    octets: Bytes,
    /// Where the first bucket begins, so that buckets do not straddle cache lines.
    start: usize,
    buckets: u32,
    seed: u64,
}

/// An index that is being made.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    octets: Memory,
    start: usize,
    buckets: u32,
    seed: u64,
    touched: u8,
}

/// The index has no room at the place where the entry belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

/// Bucket and tag of a serial.
#[inline]
fn place(serial: &[u8], seed: u64, buckets: u32) -> (usize, u8) {
    let hash = hash(serial, seed);
    let bucket = ((hash >> 32) * u64::from(buckets)) >> 32;
    let tag = u8::try_from(hash & 0xff).unwrap_or(0).max(1);
    (usize::try_from(bucket).unwrap_or(0), tag)
}

/// Multiplies and folds, eight octets at a time.
#[inline]
fn hash(serial: &[u8], seed: u64) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, tail) = serial.as_chunks::<8>();
    let mut hash = seed ^ u64::try_from(serial.len()).unwrap_or(0).wrapping_mul(K);
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), K);
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    fold(hash ^ u64::from_le_bytes(last), K ^ seed)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b | 1);
    let (low, high) = (product & u128::from(u64::MAX), product >> 64);
    u64::try_from(low ^ high).unwrap_or(0)
}

/// The tags of a bucket, with four octets behind them that match nothing.
#[inline]
fn tags_of(bucket: &[u8; BUCKET]) -> u128 {
    let (first, _) = bucket.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    u128::from_le_bytes(*first)
}

/// The slots with this tag, found for all at once: a borrow out of an octet that is zero after the exclusive or.
#[inline]
fn matches(tags: u128, tag: u8) -> impl Iterator<Item = usize> {
    const ONES: u128 = 0x0101_0101_0101_0101_0101_0101;
    const TOPS: u128 = ONES << 7;
    let differing = (tags & (ONES * 0xff)) ^ (ONES * u128::from(tag));
    // Exact, not merely a hint: no carry crosses octets.
    let mut found = !(((differing & !TOPS) + (TOPS - ONES)) | differing) & TOPS;
    core::iter::from_fn(move || {
        if found == 0 {
            return None;
        }
        let slot = usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
        found &= found - 1;
        Some(slot)
    })
}

#[inline]
fn offset_at(bucket: &[u8; BUCKET], slot: usize) -> u32 {
    let at = SLOTS + 4 * slot;
    bucket
        .get(at..at + 4)
        .and_then(|octets| octets.first_chunk::<4>())
        .map_or(0, |octets| u32::from_le_bytes(*octets))
}

impl IndexBuilder {
    /// Room for about so many entries.
    pub(crate) fn new(entries: usize, seed: u64) -> Self {
        let buckets = u32::try_from(entries.div_ceil(MEAN) + 1).unwrap_or(u32::MAX);
        let length = usize::try_from(buckets).unwrap_or(0) * BUCKET;
        let octets = Memory::zeroed(length + BUCKET);
        let start = octets.as_ref().as_ptr().align_offset(BUCKET).min(BUCKET);
        Self { octets, start, buckets, seed, touched: 0 }
    }

    /// Adds entries, each unless `is_same` finds it there already: a serial twice is one entry, the first.
    ///
    /// Entries come in batches so that the cache lines of all are on their way before the first is needed.
    pub(crate) fn add(
        &mut self,
        batch: &[(&[u8], u32)],
        mut is_same: impl FnMut(u32, (&[u8], u32)) -> bool,
    ) -> Result<(), Full> {
        let mut places = [(0, 0); BATCH];
        let (buckets, _) =
            self.octets.as_mut().get_mut(self.start..).unwrap_or_default().as_chunks_mut::<BUCKET>();
        for (to, (serial, _)) in places.iter_mut().zip(batch) {
            *to = place(serial, self.seed, self.buckets);
            // Any use of the octet keeps the load.
            self.touched ^= buckets.get(to.0).map_or(0, |bucket| bucket[0]);
        }
        let count = usize::try_from(self.buckets).unwrap_or(1);
        for ((first, tag), entry) in places.iter().zip(batch) {
            let mut at = *first;
            for step in 0.. {
                let Some(bucket) = buckets.get_mut(at).filter(|_| step < MAX_WALK) else { return Err(Full) };
                let tags = tags_of(bucket);
                if matches(tags, *tag).any(|slot| is_same(offset_at(bucket, slot), *entry)) {
                    break;
                }
                if let Some(free) = matches(tags, 0).next() {
                    bucket[free] = *tag;
                    if let Some(to) = bucket.get_mut(SLOTS + 4 * free..SLOTS + 4 * free + 4) {
                        to.copy_from_slice(&entry.1.to_le_bytes());
                    }
                    break;
                }
                at = if at + 1 == count { 0 } else { at + 1 };
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> CrlIndex {
        CrlIndex {
            octets: self.octets.into_bytes(),
            start: self.start,
            buckets: self.buckets,
            seed: self.seed,
        }
    }
}

impl CrlIndex {
    /// The first entry that `is_wanted` takes among those whose serials may be this one.
    #[inline]
    pub(crate) fn find(&self, serial: &[u8], mut is_wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        let (mut at, tag) = place(serial, self.seed, self.buckets);
        let (buckets, _) = self.octets.get(self.start..)?.as_chunks::<BUCKET>();
        let count = usize::try_from(self.buckets).ok()?;
        for _ in 0..MAX_WALK {
            let bucket = buckets.get(at)?;
            let tags = tags_of(bucket);
            for slot in matches(tags, tag) {
                let offset = offset_at(bucket, slot);
                if is_wanted(offset) {
                    return Some(offset);
                }
            }
            if matches(tags, 0).next().is_some() {
                return None;
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        None
    }

    /// Octets it takes.
    pub(crate) fn size(&self) -> usize {
        self.octets.len()
    }
}
