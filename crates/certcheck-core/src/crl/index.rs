//! A compact index of the entries of a CRL: about eight bytes per entry, and one cache line per lookup.
//!
//! ```text
//! bucket, 64 bytes: 12 tags of 1 byte, 12 offsets of 4 bytes (little-endian), count of tags, 3 bytes unused
//! ```
//!
//! A tag is a part of the hash of a serial number and never 0, because 0 is a free slot. An entry whose bucket is full
//! goes to the next one, so a search ends at the first bucket with a free slot. An offset leads to the entry in the CRL
//! itself, and only that entry counts. A wrong index can make a search longer or miss an entry, but it cannot invent
//! one. So an index from outside is bound to its CRL by a digest, and checked entry by entry or by a digest of its own.

use core::hint::black_box;

use bytes::Bytes;

use super::memory::{IndexAllocator, Memory};

const SLOTS: usize = 12;
pub(super) const BUCKET: usize = 64;
/// The mean number of entries in a bucket. With 8 of 12, one in thirty overflows.
const MEAN: usize = 8;
/// The most buckets of a search. Serial numbers that collide more were chosen for it.
const MAX_WALK: usize = 64;
/// The most entries for which the buckets fit in the cache in any order. For more entries, parts of about this size are
/// filled one after the other.
const FEW: usize = 32_768;
/// The most parts. More parallel streams are slower to write than they are worth.
const MAX_PARTS: usize = 256;

/// The buckets in bytes, aligned to cache lines as far as the allocator allows.
#[derive(Clone, Debug)]
pub(crate) struct CrlIndex {
    bytes: Bytes,
    /// Where the first bucket begins, so that no bucket crosses a cache line.
    start: usize,
    buckets: u32,
    seed: u64,
}

/// The items from which an index is built: places and offsets, roughly sorted as they arrive, so that the buckets can
/// be filled part by part.
///
/// ```text
/// item, 8 bytes: the offset of an entry, 4 bytes; the place of its serial number's hash, 4 bytes
/// ```
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    items: Memory,
    /// The room of each part in items, and how many it has.
    room: usize,
    filled: Vec<usize>,
    /// The items whose part was full, because the estimated count was too low. In order.
    spilled: Vec<[u8; 8]>,
    count: usize,
    seed: u64,
}

/// There is no room in the index where the entry belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

/// The place of a serial number: the upper bits select the bucket, the lowest byte is the tag.
#[inline]
fn place(serial: &[u8], seed: u64) -> u32 {
    u32::try_from(hash(serial, seed) >> 32).unwrap_or(0)
}

#[inline]
fn bucket_of(place: u32, buckets: u32) -> usize {
    usize::try_from((u64::from(place) * u64::from(buckets)) >> 32).unwrap_or(0)
}

#[inline]
fn tag_of(place: u32) -> u8 {
    let [tag, ..] = place.to_le_bytes();
    tag.max(1)
}

/// A hash that multiplies and folds, eight bytes at a time.
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

/// The tags of a bucket, followed by four bytes that match nothing.
#[inline]
fn tags_of(bucket: &[u8; BUCKET]) -> u128 {
    let (first, _) = bucket.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    u128::from_le_bytes(*first)
}

/// The slots with this tag, found all at once: after an exclusive or, a match is a zero byte.
#[inline]
fn matches(tags: u128, tag: u8) -> impl Iterator<Item = usize> {
    const ONES: u128 = 0x0101_0101_0101_0101_0101_0101;
    const TOPS: u128 = ONES << 7;
    let differing = (tags & (ONES * 0xff)) ^ (ONES * u128::from(tag));
    // Exact, not only a hint: no carry crosses bytes.
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
        .and_then(|bytes| bytes.first_chunk::<4>())
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[inline]
fn put_offset(bucket: &mut [u8; BUCKET], slot: usize, offset: u32) {
    if let Some(to) = bucket.get_mut(SLOTS + 4 * slot..SLOTS + 4 * slot + 4) {
        to.copy_from_slice(&offset.to_le_bytes());
    }
}

impl IndexBuilder {
    /// A builder with room for about this many entries.
    pub(crate) fn new(entries: usize, seed: u64, allocator: Option<IndexAllocator<'_>>) -> Self {
        let parts = entries.div_ceil(FEW).next_power_of_two().min(MAX_PARTS);
        // The sizes of parts vary by chance. This is more than four standard deviations.
        let mean = entries / parts;
        let room = mean + 4 * mean.isqrt() + 64;
        Self {
            items: Memory::zeroed(parts * room * 8, allocator),
            room,
            filled: vec![0; parts],
            spilled: Vec::new(),
            count: 0,
            seed,
        }
    }

    /// The number of entries that were added.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Adds an entry.
    #[inline]
    pub(crate) fn add(&mut self, serial: &[u8], offset: u32) {
        let place = place(serial, self.seed);
        let item = (u64::from(offset) | u64::from(place) << 32).to_le_bytes();
        self.count += 1;
        let part = bucket_of(place, u32::try_from(self.filled.len()).unwrap_or(1));
        if let Some(filled) = self.filled.get_mut(part)
            && *filled < self.room
            && let Some(to) = self.items.as_mut().as_chunks_mut::<8>().0.get_mut(part * self.room + *filled)
        {
            *to = item;
            *filled += 1;
        } else {
            self.spilled.push(item);
        }
    }

    /// Builds the index. If two entries are for one certificate, `rival` returns which one counts. It is only called if
    /// a bucket is full.
    pub(crate) fn finish(
        self,
        allocator: Option<IndexAllocator<'_>>,
        rival: impl Fn(u32, u32) -> Option<u32>,
    ) -> Result<CrlIndex, Full> {
        let buckets = u32::try_from(self.count.div_ceil(MEAN) + 1).unwrap_or(u32::MAX);
        let length = usize::try_from(buckets).unwrap_or(0) * BUCKET;
        let mut bytes = Memory::zeroed(length + BUCKET, allocator);
        let start = bytes.as_ref().as_ptr().align_offset(BUCKET).min(BUCKET);
        let target = bytes.as_mut().get_mut(start..start + length).unwrap_or_default();
        let (target, _) = target.as_chunks_mut::<BUCKET>();
        let (items, _) = self.items.as_ref().as_chunks::<8>();
        for (part, filled) in self.filled.iter().enumerate() {
            let from = part * self.room;
            // Fresh memory is in no cache. It arrives faster in order than bucket by bucket.
            let bounds = |part: usize| part * target.len() / self.filled.len();
            let part_of_target = target.get(bounds(part)..bounds(part + 1)).unwrap_or_default();
            black_box(part_of_target.iter().fold(0, |sum, bucket| sum ^ bucket[0]));
            for item in items.get(from..from + filled).unwrap_or_default() {
                insert(target, *item, &rival)?;
            }
        }
        for item in &self.spilled {
            insert(target, *item, &rival)?;
        }
        Ok(CrlIndex { bytes: bytes.into_bytes(), start, buckets, seed: self.seed })
    }
}

/// Puts an entry into its bucket, or into the next one with a free slot. So entries for one certificate share a bucket.
#[inline]
fn insert(
    buckets: &mut [[u8; BUCKET]],
    item: [u8; 8],
    rival: &impl Fn(u32, u32) -> Option<u32>,
) -> Result<(), Full> {
    let item = u64::from_le_bytes(item);
    let offset = u32::try_from(item & u64::from(u32::MAX)).unwrap_or(0);
    let place = u32::try_from(item >> 32).unwrap_or(0);
    let tag = tag_of(place);
    let mut at = bucket_of(place, u32::try_from(buckets.len()).unwrap_or(u32::MAX));
    for _ in 0..MAX_WALK {
        let Some(bucket) = buckets.get_mut(at) else { return Err(Full) };
        let [.., count, _, _, _] = bucket;
        let free = usize::from(*count);
        if free < SLOTS {
            *count += 1;
            if let Some(to) = bucket.get_mut(free) {
                *to = tag;
            }
            put_offset(bucket, free, offset);
            return Ok(());
        }
        let known = matches(tags_of(bucket), tag);
        let mut known = known.filter_map(|slot| Some((slot, rival(offset_at(bucket, slot), offset)?)));
        if let Some((slot, counts)) = known.next() {
            put_offset(bucket, slot, counts);
            return Ok(());
        }
        at = if at + 1 == buckets.len() { 0 } else { at + 1 };
    }
    Err(Full)
}

impl CrlIndex {
    /// An index of buckets that were saved.
    pub(super) const fn kept(bytes: Bytes, buckets: u32, seed: u64) -> Self {
        Self { bytes, start: 0, buckets, seed }
    }

    /// All buckets, to be saved.
    pub(super) fn buckets(&self) -> &[u8] {
        let length = usize::try_from(self.buckets).unwrap_or(0) * BUCKET;
        self.bytes.get(self.start..self.start + length).unwrap_or_default()
    }

    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }

    /// The entry that `is_wanted` accepts, among those whose serial numbers may be this one. If there are several,
    /// `counts` decides. `is_single` says that there is at most one, as in a CRL that is not indirect: there the index
    /// has the one that counts.
    ///
    /// RFC 5280 5.1.2.6.
    #[doc(alias = "RFC 5280 section 5.1.2.6")]
    #[inline]
    pub(crate) fn find(
        &self,
        serial: &[u8],
        is_single: bool,
        mut is_wanted: impl FnMut(u32) -> bool,
        counts: impl Fn(u32, u32) -> u32,
    ) -> Option<u32> {
        let place = place(serial, self.seed);
        let (mut at, tag) = (bucket_of(place, self.buckets), tag_of(place));
        let count = usize::try_from(self.buckets).ok()?;
        let (buckets, _) = self.bytes.get(self.start..self.start + count * BUCKET)?.as_chunks::<BUCKET>();
        let mut found = None;
        for _ in 0..MAX_WALK {
            let bucket = buckets.get(at)?;
            let tags = tags_of(bucket);
            let wanted = matches(tags, tag).map(|slot| offset_at(bucket, slot)).filter(|at| is_wanted(*at));
            found = found.into_iter().chain(wanted).reduce(&counts);
            if (is_single && found.is_some()) || matches(tags, 0).next().is_some() {
                return found;
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        found
    }

    /// The size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}
