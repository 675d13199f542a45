//! What stores on an engine across a network have in common: the head of an entry, its bytes in chunks, what is done with
//! them, and what is done while the engine is in trouble.
//!
//! An [`Engine`] reads and writes heads, chunks and leases. [`Entries`] decide what is read, replaced and removed, by rules
//! that are the same for all engines:
//! - Chunks are written before the head that names them, and are named by their content, so a reader never gets a mixture.
//! - Nothing that is read is trusted: not its size, not its content, not its time.
//! - A newer head is never replaced by an older one, and what is removed is removed by its SHA-256.
//! - While the engine is in trouble the store counts as empty, and nobody waits for it.

mod body;
mod chunk;
mod engine;
mod entries;
mod head;
mod implement;
mod known;
mod lease;
mod link;
mod news;
mod options;
mod stream;
mod trouble;

pub(super) use chunk::CHUNK;
pub(super) use engine::{Engine, Put, Replaced};
pub(super) use entries::{Entries, Settings};
#[cfg(feature = "store-nats")]
pub(super) use head::claimed;
#[cfg(fuzzing)]
pub(super) use head::read_head;
pub(super) use head::{Fields, MAX_RECORD, Raw, Written, digits, is_digest};
pub(super) use implement::implement_store;
pub(super) use lease::{LASTS, acquire};
pub(super) use link::{Dial, Failed, Link, noted};
pub(super) use news::news_of;
pub(super) use options::{HAS_PASSWORD, parts};
pub use options::{RemoteError, RemoteOptions};
pub(super) use stream::{Stream, broken, in_time, over_tls, tcp};
pub(super) use trouble::{Trouble, Troubles};

use crate::cache::key::EvidenceKey;

/// The beginning of all names, unless a site has several stores on one engine. The number is that of the format.
const PREFIX: &str = "cc1";
/// The digits of a key that are in a name.
const DIGITS: usize = 32;
/// Entries that are listed.
pub(super) const LISTED: usize = 100_000;

/// The part of a key that is in names and in news.
pub(super) fn short(key: &EvidenceKey) -> String {
    let mut hex = key.to_hex();
    hex.truncate(DIGITS);
    hex
}
