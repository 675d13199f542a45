//! Stores that keep evidence beyond the life of the process: a folder, or a store that several hosts share.
//!
//! Evidence from a store is not trusted: it is parsed, verified and checked like evidence from the network.

mod disk;
mod folder;
mod layered;
mod memory;
#[cfg(feature = "store-nats")]
mod nats;
mod record;
#[cfg(feature = "store-redis")]
mod redis;
#[cfg(any(feature = "store-redis", feature = "store-nats"))]
mod remote;
mod shared;
mod version;

use core::fmt;
use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::EvidenceRequest;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

pub use disk::{DiskOptions, DiskStore};
pub use layered::Layered;
pub use memory::MemoryStore;
#[cfg(feature = "store-nats")]
pub use nats::NatsStore;
#[cfg(all(fuzzing, feature = "store-nats"))]
pub(crate) use nats::{exercise as read_frames, read_head};
#[cfg(fuzzing)]
pub(crate) use record::read_record;
#[cfg(feature = "store-redis")]
pub use redis::RedisStore;
#[cfg(all(fuzzing, feature = "store-redis"))]
pub(crate) use redis::exercise as read_replies;
#[cfg(any(feature = "store-redis", feature = "store-nats"))]
pub use remote::{RemoteError, RemoteOptions};
pub use shared::{SharedStore, SharedStoreError};
pub use version::EvidenceVersion;

use bytes::Bytes;

use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;
use crate::transport::answer::Transport;
use crate::transport::spool::Body;

/// An answer as a store keeps it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stored {
    /// The request. The key is derived from it: an entry whose key does not match is refused.
    pub request: EvidenceRequest,
    /// The bytes. From a shared store they may have come in chunks: see [`Body::chunks`] and [`Spool`](crate::Spool).
    pub body: Body,
    /// What the transport said about the bytes.
    pub transport: Transport,
    /// When it was fetched.
    pub fetched_at: Time,
    /// thisUpdate. Older evidence does not replace newer evidence.
    pub this_update: Option<Time>,
    /// nextUpdate.
    pub next_update: Option<Time>,
    /// The CRLNumber (RFC 5280 5.2.3), as in its DER. Of two CRLs of one time, the higher number is the newer one.
    pub crl_number: Option<Box<[u8]>>,
    /// The origin that reports name, if it is not the store's own: a store of several layers says which one had it.
    pub origin: Option<Origin>,
    /// SubjectPublicKeyInfo of the signer. It is used only from a trusted store.
    pub signers: Vec<Box<[u8]>>,
    /// The CRL, if it is one and has been parsed: a store may keep its index with it.
    pub crl: Option<Arc<Crl>>,
    /// The index that was kept. It is used from a [`DiskStore`] alone, by an engine that was built to trust it. From
    /// any other store it is ignored, because an index can leave an entry out.
    pub index: Option<Bytes>,
}

impl Stored {
    /// An answer of a store that you implement: the bytes, and what was kept with them.
    #[must_use]
    pub const fn new(request: EvidenceRequest, body: Body, transport: Transport, fetched_at: Time) -> Self {
        Self {
            request,
            body,
            transport,
            fetched_at,
            this_update: None,
            next_update: None,
            crl_number: None,
            origin: None,
            signers: Vec::new(),
            crl: None,
            index: None,
        }
    }

    /// Its version: its thisUpdate, or when it was fetched if it has none, and its CRLNumber.
    #[must_use]
    pub fn version(&self) -> EvidenceVersion {
        let time = self.this_update.unwrap_or(self.fetched_at);
        EvidenceVersion::new(time.unix(), self.crl_number.as_deref())
    }
}

/// Why a store failed. No check depends on it: evidence is fetched again.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// An error of the system, and what it is about.
    Io(String, std::io::Error),
    /// The entry is not what was kept: it is damaged, swapped or foreign.
    Unusable(String),
    /// The store has newer evidence.
    Older,
    /// Other users than the owner can write to the folder.
    Unsafe(String),
    /// A store across a network cannot be used now, with the reason. It counts as empty.
    Unavailable(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Unusable(what) | Self::Unsafe(what) => f.write_str(what),
            Self::Older => f.write_str("newer evidence is there already"),
            Self::Unavailable(why) => write!(f, "the store cannot be used: {why}"),
        }
    }
}

impl core::error::Error for StoreError {}

/// The exclusive right to fetch among all processes that share a store. It ends when it is dropped, or when its
/// holder dies.
pub struct Lease {
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// A lease that ends when this value is dropped.
    pub fn new<T: Any + Send + Sync>(guard: T) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// An entry of a store, as `list` reports it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The key.
    pub key: EvidenceKey,
    /// The request.
    pub request: EvidenceRequest,
    /// The size in bytes, with the index.
    pub bytes: u64,
    /// When it was fetched.
    pub fetched_at: Time,
    /// thisUpdate.
    pub this_update: Option<Time>,
    /// nextUpdate.
    pub next_update: Option<Time>,
}

impl Entry {
    /// An entry of a store that you implement, with its size in bytes.
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

/// What a store says about evidence that other processes have put into it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum News {
    /// There is newer evidence under this key.
    Newer(EvidenceKey),
    /// The store has lost evidence that it had under this key, or has an older version of it. It is reported once.
    Lost(EvidenceKey),
    /// News may have been lost: any evidence may be newer.
    Missed,
}

/// A store of evidence, for one process, several, or several hosts.
///
/// All functions are asynchronous, so a store may be across a network. Values can be large. A store that does not
/// accept hundreds of MiB cuts them into [`Body::chunks`], and joins them with a [`Spool`](crate::Spool).
pub trait Store: fmt::Debug + Send + Sync {
    /// The origin that reports name.
    fn origin(&self) -> Origin;

    /// The entry under a key. One that is damaged or foreign is dropped and returned as an error.
    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>>;

    /// Keeps an answer in place of an older one.
    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The version of the entry under a key, without its bytes. `None` if there is none.
    fn version<'a>(
        &'a self,
        key: &'a EvidenceKey,
    ) -> BoxFuture<'a, Result<Option<EvidenceVersion>, StoreError>> {
        async { Ok(self.get(key).await?.map(|stored| stored.version())) }.boxed()
    }

    /// Notes that evidence which [`get`](Self::get) returned has been verified and counts.
    fn counted<'a>(&'a self, _: &'a EvidenceKey, _: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }

    /// Notes that evidence which [`get`](Self::get) returned did not count for a check. It stays, because it may count
    /// for others, but it must not keep evidence out that counts.
    fn did_not_count(&self, _: &EvidenceKey) {}

    /// Removes the answer that [`get`](Self::get) returned last, because it is unusable. In a shared store an answer
    /// that another process has put in its place stays.
    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>>;

    /// All entries.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>>;

    /// The lease to fetch for this key, waited for within this time. `None` if it was not free by then. The holder
    /// first looks whether the holder before has stored the evidence.
    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>>;

    /// News about what other processes put into the store. It goes on as long as it is polled. `None` for a store that
    /// has none.
    fn news(&self) -> Option<BoxStream<'static, News>> {
        None
    }

    /// The store that this host has for itself, if it is in front of one that hosts share. It is asked when what
    /// [`get`](Self::get) returned did not count, or came too late: what others write must not hide what this host has.
    fn near(&self) -> Option<&Arc<dyn Store>> {
        None
    }

    /// The best folder for temporary files, so that they need not be copied.
    fn folder(&self) -> Option<&Path> {
        None
    }
}
