//! The store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::entries::Entries;
use super::options::{RedisError, RedisOptions};
use super::{lease, news};
use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;
use crate::store::version::EvidenceVersion;
use crate::store::{Entry, Lease, News, Store, StoreError, Stored};

/// A store that hosts share, on Redis 6.2 or Valkey. It is not connected to until it is used. While it cannot be used it
/// counts as empty, and no check waits for it for long.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, RedisOptions, RedisStore};
///
/// let shared = RedisStore::new(RedisOptions::new("redis://cache.example:6379/0"))?;
/// let own = DiskStore::open("/var/cache/certcheck".as_ref(), DiskOptions::default())?;
/// let store = Layered::new(Arc::new(own), Arc::new(shared));
/// // certcheck_fetch::Engine::builder(ring, policy).store(Arc::new(store))
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RedisStore(Arc<Entries>);

impl RedisStore {
    /// The store that these options name.
    ///
    /// # Errors
    /// If the address is none, or has a password in it.
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        Ok(Self(Arc::new(Entries::new(options)?)))
    }
}

impl Store for RedisStore {
    fn origin(&self) -> Origin {
        Origin::Shared
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.0.get(key).boxed()
    }

    fn version<'a>(
        &'a self,
        key: &'a EvidenceKey,
    ) -> BoxFuture<'a, Result<Option<EvidenceVersion>, StoreError>> {
        async {
            let version = self.0.version(key).await?.map(|(version, _)| version);
            self.0.known.note_version(key, version);
            Ok(version)
        }
        .boxed()
    }

    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.put(key, stored).boxed()
    }

    fn did_not_count(&self, key: &EvidenceKey) {
        self.0.known.refuse(key);
    }

    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.remove(key).boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        self.0.list().boxed()
    }

    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        async move {
            let name = self.0.names(key).lease();
            let patience = self.0.options.patience;
            lease::acquire(&self.0.link, &name, max_wait, patience).await.map_err(StoreError::from)
        }
        .boxed()
    }

    fn news(&self) -> Option<BoxStream<'static, News>> {
        Some(news::stream(Arc::clone(&self.0)))
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.0.options.folder)
    }
}
