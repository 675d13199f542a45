//! The store.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::engine::RedisEngine;
use crate::store::remote::{Entries, RemoteError, RemoteOptions, Settings, implement_store};

/// A store that hosts share, on Redis 6.2 or Valkey. It is not connected to until it is used. While it cannot be used it
/// counts as empty, and no check waits for it for long.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, RemoteOptions, RedisStore};
///
/// let shared = RedisStore::new(RemoteOptions::new("redis://cache.example:6379/0"))?;
/// let own = DiskStore::open("/var/cache/certcheck".as_ref(), DiskOptions::default())?;
/// let store = Layered::new(Arc::new(own), Arc::new(shared));
/// // certcheck_fetch::Engine::builder(ring, policy).store(Arc::new(store))
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RedisStore(Arc<Entries<RedisEngine>>);

impl RedisStore {
    /// The store that these options name, by an address of one of these forms:
    /// - `redis://HOST:PORT/DATABASE`, `redis+unix:///PATH`,
    /// - `redis+cluster://HOST:PORT,HOST:PORT`,
    /// - `redis+sentinel://HOST:PORT,HOST:PORT/NAME/DATABASE`, with the name that the sentinels know the primary by.
    ///
    /// With `rediss` in place of `redis` over TLS: the engine's certificate must be valid for its host name, under an
    /// anchor of the system. A user is written `redis://USER@HOST`.
    ///
    /// # Errors
    /// If the address is none, or has a password in it.
    pub fn new(options: RemoteOptions) -> Result<Self, RemoteError> {
        let engine = RedisEngine::new(&options)?;
        Ok(Self(Entries::new(engine, Settings::of(options))))
    }
}

implement_store!(RedisStore);
