//! The store.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::engine::NatsEngine;
use super::options::{NatsError, NatsOptions};
use crate::store::remote::{Entries, Settings, implement_store};

/// A store that hosts share, on JetStream of NATS 2.9 or newer. It is not connected to until it is used. While it cannot be
/// used it counts as empty, and no check waits for it for long.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, NatsOptions, NatsStore};
///
/// let shared = NatsStore::new(NatsOptions::new("nats://cache.example:4222/certcheck"))?;
/// let own = DiskStore::open("/var/cache/certcheck".as_ref(), DiskOptions::default())?;
/// let store = Layered::new(Arc::new(own), Arc::new(shared));
/// // certcheck_fetch::Engine::builder(ring, policy).store(Arc::new(store))
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NatsStore(Arc<Entries<NatsEngine>>);

impl NatsStore {
    /// The store that these options name.
    ///
    /// # Errors
    /// If the address is none, or has a password in it.
    pub fn new(options: NatsOptions) -> Result<Self, NatsError> {
        let engine = NatsEngine::new(&options)?;
        let NatsOptions { limits, folder, clock, .. } = options;
        Ok(Self(Entries::new(engine, Settings { limits, folder, clock })))
    }
}

implement_store!(NatsStore);
