//! The store.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::engine::RedisEngine;
use super::options::{RedisError, RedisOptions};
use crate::store::remote::{Entries, Settings, implement_store};

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
pub struct RedisStore(Arc<Entries<RedisEngine>>);

impl RedisStore {
    /// The store that these options name.
    ///
    /// # Errors
    /// If the address is none, or has a password in it.
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let engine = RedisEngine::new(&options)?;
        let RedisOptions { limits, folder, clock, .. } = options;
        Ok(Self(Entries::new(engine, Settings { limits, folder, clock })))
    }
}

implement_store!(RedisStore);
