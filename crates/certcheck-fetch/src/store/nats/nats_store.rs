//! The store.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::engine::NatsEngine;
use crate::store::remote::{Entries, RemoteError, RemoteOptions, Settings, implement_store};

/// A store that hosts share, on JetStream of NATS 2.9 or newer. It is not connected to until it is used. While it cannot be
/// used it counts as empty, and no check waits for it for long.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, RemoteOptions, NatsStore};
///
/// let shared = NatsStore::new(RemoteOptions::new("nats://cache.example:4222/certcheck"))?;
/// let own = DiskStore::open("/var/cache/certcheck".as_ref(), DiskOptions::default())?;
/// let store = Layered::new(Arc::new(own), Arc::new(shared));
/// // certcheck_fetch::Engine::builder(ring, policy).store(Arc::new(store))
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NatsStore(Arc<Entries<NatsEngine>>);

impl NatsStore {
    /// The store that these options name, by the address `nats://HOST:PORT,HOST:PORT/BUCKET`: one server, or several of a
    /// cluster. Port (4222) and bucket (`certcheck`) may be left out.
    ///
    /// With `tls` in place of `nats` over TLS: the server's certificate must be valid for its host name, under an anchor of
    /// the system. A user is written `nats://USER@HOST`.
    ///
    /// # Errors
    /// If the address is none, or has a password in it.
    pub fn new(options: RemoteOptions) -> Result<Self, RemoteError> {
        let engine = NatsEngine::new(&options)?;
        Ok(Self(Entries::new(engine, Settings::of(options))))
    }
}

implement_store!(NatsStore);
