//! Where evidence outlives the process: a directory, or a store that a fleet shares.
//!
//! Nothing that comes out of a store is believed: it is read, verified and checked like what comes from the network.

mod disk;
mod folder;
mod memory;
mod record;

use core::fmt;
use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use futures_util::future::BoxFuture;

pub use disk::{DiskOptions, DiskStore};
pub use memory::MemoryStore;
#[cfg(fuzzing)]
pub(crate) use record::read_record;

use bytes::Bytes;

use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;
use crate::transport::answer::Transport;
use crate::transport::spool::Body;

/// What a store keeps of one answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stored {
    /// What it answers. The key is made of this: what does not fit its key is not taken.
    pub request: EvidenceRequest,
    /// The bytes. Of a shared store they may have come in chunks: see [`Body::chunks`] and [`Spool`](crate::Spool).
    pub body: Body,
    /// What the transport said.
    pub transport: Transport,
    /// When it was fetched.
    pub fetched_at: Time,
    /// As of when it speaks. An older one does not take a newer one's place.
    pub this_update: Option<Time>,
    /// Until when there is nothing newer.
    pub next_update: Option<Time>,
    /// SubjectPublicKeyInfo of who signed it. Of a store that is trusted it is taken for that; else it is not looked at.
    pub signers: Vec<Box<[u8]>>,
    /// The CRL, if it is one and has been read: a store that can keeps its index beside it.
    pub crl: Option<Arc<Crl>>,
    /// The index that was kept. It is taken from a [`DiskStore`] alone, by an engine that was built to trust it: from any
    /// other store it is ignored, since an index can leave an entry out.
    pub index: Option<Bytes>,
}

impl Stored {
    /// What a store of one's own gives back: the bytes and what was kept with them.
    #[must_use]
    pub const fn new(request: EvidenceRequest, body: Body, transport: Transport, fetched_at: Time) -> Self {
        Self {
            request,
            body,
            transport,
            fetched_at,
            this_update: None,
            next_update: None,
            signers: Vec::new(),
            crl: None,
            index: None,
        }
    }
}

/// Why a store did not do what was asked. Nothing that a check depends on: evidence is fetched again.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// What the system says, and of what.
    Io(String, std::io::Error),
    /// What is there is not what was kept: damaged, swapped or foreign.
    Unusable(String),
    /// Newer evidence is there already.
    Older,
    /// The folder is not one that only its owner can write.
    Unsafe(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Unusable(what) | Self::Unsafe(what) => f.write_str(what),
            Self::Older => f.write_str("newer evidence is there already"),
        }
    }
}

impl core::error::Error for StoreError {}

/// The right to fetch, held by one at a time in the whole fleet. Given back when it is dropped, or when its holder dies.
pub struct Lease {
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// A lease that ends when this is dropped.
    pub fn new<T: Any + Send + Sync>(guard: T) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// What `list` says of an answer that is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its key.
    pub key: EvidenceKey,
    /// What it answers.
    pub request: EvidenceRequest,
    /// Bytes that it takes, its index included.
    pub bytes: u64,
    /// When it was fetched.
    pub fetched_at: Time,
    /// As of when it speaks.
    pub this_update: Option<Time>,
    /// Until when there is nothing newer.
    pub next_update: Option<Time>,
}

impl Entry {
    /// What a store of one's own says of an answer that it keeps so many bytes of.
    #[must_use]
    pub fn of(key: EvidenceKey, stored: &Stored, bytes: u64) -> Self {
        let Stored { request, fetched_at, this_update, next_update, .. } = stored;
        Self {
            key,
            request: request.clone(),
            bytes,
            fetched_at: *fetched_at,
            this_update: *this_update,
            next_update: *next_update,
        }
    }
}

/// A store of evidence, for one process, several, or a fleet.
///
/// Everything is asynchronous, so that a store may be across a network. Values can be large: a store that takes none of
/// hundreds of MiB cuts them into [`Body::chunks`] and puts them together with a [`Spool`](crate::Spool).
pub trait Store: fmt::Debug + Send + Sync {
    /// What reports call it.
    fn origin(&self) -> Origin;

    /// What is kept under a key. What is damaged or foreign is dropped and returned as an error.
    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>>;

    /// Keeps an answer in place of an older one.
    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Forgets an answer.
    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Everything that is kept.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>>;

    /// The right to fetch for this key: waits so long for who holds it. `None` if that was not long enough; a holder of a
    /// lease looks first whether the one before has put what is wanted.
    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>>;

    /// Where temporary files are best kept, so that they need not be copied.
    fn folder(&self) -> Option<&Path> {
        None
    }
}
