//! An index that is saved next to its CRL, so that a CRL with millions of entries can be opened again without parsing.
//!
//! ```text
//! magic 16 | SHA-256 of the CRL 32 | SHA-256 of all that follows 32
//! | bytes of the CRL 8 | entries 8 | seed 8 | buckets 4 | issuers 4 | bytes of issuers 8 | zeros to 128
//! | buckets, 64 each | issuers: offset 4, length 4, names
//! ```
//!
//! Numbers are little-endian. The format is for the machine that wrote it and may change. An index in another format is
//! built again.

use std::io::{self, Write};

use bytes::Bytes;

use super::index::{BUCKET, CrlIndex};
use crate::digest::{Sha256, sha256};

const MAGIC: &[u8; 16] = b"certcheck idx 3\n";
const DIGESTS: usize = 80;
const HEADER: usize = 128;

/// How far a saved index is trusted.
///
/// Someone who can write an index can make a listed certificate look unlisted. So it must be stored where only the user
/// that runs the check can write. The checks here find damage, and an index of another CRL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IndexTrust {
    /// Its digests are computed again: of the CRL and of the index itself.
    Checked,
    /// Its digests are trusted, and only lengths are compared. For files that cannot have changed since they were
    /// checked.
    AsKept,
}

/// Why a saved index cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IndexFault {
    /// It is not an index, or has another format.
    NotAnIndex,
    /// It belongs to another CRL.
    OtherCrl,
    /// Its bytes have changed, or some are missing.
    Damaged,
}

impl core::fmt::Display for IndexFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotAnIndex => "not a CRL index, or one of another format",
            Self::OtherCrl => "the index belongs to another CRL",
            Self::Damaged => "the index is damaged",
        })
    }
}

impl core::error::Error for IndexFault {}

/// The offsets from which the issuers of an indirect CRL apply.
type Issuers = Vec<(usize, Box<[u8]>)>;

/// The content of a saved index.
pub(super) struct Kept {
    pub(super) index: CrlIndex,
    pub(super) count: usize,
    pub(super) issuers: Issuers,
}

/// Writes an index.
pub(super) fn save(
    der: &[u8],
    index: &CrlIndex,
    count: usize,
    issuers: &Issuers,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut names = Vec::new();
    for (offset, issuer) in issuers {
        names.extend(u32_of(*offset));
        names.extend(u32_of(issuer.len()));
        names.extend_from_slice(issuer);
    }
    let buckets = index.buckets();
    let mut numbers = Vec::with_capacity(HEADER - DIGESTS);
    numbers.extend(u64_of(der.len()));
    numbers.extend(u64_of(count));
    numbers.extend(index.seed().to_le_bytes());
    numbers.extend(u32_of(buckets.len() / BUCKET));
    numbers.extend(u32_of(issuers.len()));
    numbers.extend(u64_of(names.len()));
    numbers.resize(HEADER - DIGESTS, 0);
    let mut own = Sha256::new();
    for part in [&numbers[..], buckets, &names] {
        own.update(part);
    }
    for part in [&MAGIC[..], &sha256(der), &own.finish(), &numbers, buckets, &names] {
        out.write_all(part)?;
    }
    Ok(())
}

/// Parses a saved index, and checks that it belongs to this CRL.
pub(super) fn open(der: &[u8], kept: &Bytes, trust: IndexTrust) -> Result<Kept, IndexFault> {
    let header = kept.first_chunk::<HEADER>().ok_or(IndexFault::NotAnIndex)?;
    let rest = header.strip_prefix(MAGIC).ok_or(IndexFault::NotAnIndex)?;
    let (of_crl, rest) = rest.split_first_chunk::<32>().ok_or(IndexFault::NotAnIndex)?;
    let (own, mut rest) = rest.split_first_chunk::<32>().ok_or(IndexFault::NotAnIndex)?;
    let mut number = |bytes: usize| {
        let (number, after) = rest.split_at_checked(bytes)?;
        rest = after;
        let value = number.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).ok()
    };
    let (length, count) = (number(8), number(8));
    let seed = number(8).and_then(|seed| u64::try_from(seed).ok());
    let (buckets, issuers, names) = (number(4), number(4), number(8));
    let (Some(length), Some(count), Some(seed), Some(buckets), Some(issuers), Some(names)) =
        (length, count, seed, buckets, issuers, names)
    else {
        return Err(IndexFault::Damaged);
    };
    if length != der.len() {
        return Err(IndexFault::OtherCrl);
    }
    let end = buckets.checked_mul(BUCKET).and_then(|bytes| bytes.checked_add(HEADER));
    let end = end.filter(|end| end.checked_add(names) == Some(kept.len())).ok_or(IndexFault::Damaged)?;
    if trust == IndexTrust::Checked {
        if sha256(kept.get(DIGESTS..).unwrap_or_default()) != *own {
            return Err(IndexFault::Damaged);
        }
        if sha256(der) != *of_crl {
            return Err(IndexFault::OtherCrl);
        }
    }
    let issuers = read_issuers(kept.get(end..).unwrap_or_default(), issuers).ok_or(IndexFault::Damaged)?;
    let buckets = u32::try_from(buckets).map_err(|_| IndexFault::Damaged)?;
    Ok(Kept { index: CrlIndex::kept(kept.slice(HEADER..end), buckets, seed), count, issuers })
}

fn read_issuers(mut rest: &[u8], count: usize) -> Option<Issuers> {
    let mut issuers = Vec::new();
    for _ in 0..count {
        let (offset, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (names, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        issuers.push((usize::try_from(u32::from_le_bytes(*offset)).ok()?, names.into()));
        rest = after;
    }
    rest.is_empty().then_some(issuers)
}

fn u32_of(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

fn u64_of(number: usize) -> [u8; 8] {
    u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes()
}
