//! Names to addresses. Each address is validated before it is connected to.

use core::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use moka::sync::Cache;
use reqwest::dns::{Addrs, Name, Resolving};

use crate::failure::Failure;
use crate::transport::guard::{BlockedUrl, Guard};
use crate::transport::timings::{Part, took};

/// A resolver of names.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of a name.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's own resolver.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state")]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver that validates its answers: the addresses it returns may be connected to.
#[derive(Clone, Debug)]
pub(crate) struct GuardedResolver {
    pub(crate) inner: Arc<dyn Resolve>,
    pub(crate) guard: Arc<Guard>,
    /// The hosts of proxies, which the configuration trusts.
    trusted: Vec<String>,
    /// Validated addresses of the last seconds: a fetch whose permit is counted for an address connects to that
    /// address.
    found: Cache<String, Arc<[IpAddr]>>,
}

/// How long an address is used.
const FRESH: Duration = Duration::from_secs(10);
/// Names whose addresses are remembered.
const REMEMBERED: u64 = 1_024;

impl GuardedResolver {
    pub(crate) fn new(inner: Arc<dyn Resolve>, guard: Arc<Guard>) -> Self {
        let found = Cache::builder().max_capacity(REMEMBERED).time_to_live(FRESH).build();
        Self { inner, guard, trusted: Vec::new(), found }
    }

    /// The same for a client that connects to these proxies and to nothing else.
    pub(crate) fn for_proxies(&self, hosts: Vec<String>) -> Self {
        Self { trusted: hosts, ..Self::new(Arc::clone(&self.inner), Arc::clone(&self.guard)) }
    }

    /// The addresses of a name, if it was resolved a moment ago.
    pub(crate) fn known(&self, name: &str) -> Option<Arc<[IpAddr]>> {
        self.found.get(name)
    }

    /// The addresses of a name that may be connected to.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Arc<[IpAddr]>, ResolveError> {
        if let Some(found) = self.known(name) {
            return Ok(found);
        }
        let found: Arc<[IpAddr]> = self.find(name).await?.into();
        self.found.insert(name.to_owned(), Arc::clone(&found));
        Ok(found)
    }

    async fn find(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let is_trusted = self.trusted.iter().any(|trusted| trusted == name);
        if !is_trusted {
            self.guard.validate_name(name).map_err(ResolveError::Blocked)?;
        }
        let begun = Instant::now();
        let found = self.inner.resolve(name).await;
        took(Part::Resolve, begun);
        let found = found.map_err(ResolveError::Failed)?;
        let mut refused = None;
        let mut good = Vec::new();
        for address in found {
            match self.guard.validate_address(address) {
                Err(why) if !is_trusted => refused = Some(why),
                _ => good.push(address),
            }
        }
        match (good.is_empty(), refused) {
            (false, _) => Ok(good),
            (true, Some(why)) => {
                Err(ResolveError::Blocked(BlockedUrl { name: Some(name.to_owned()), ..why }))
            }
            (true, None) => Err(ResolveError::Failed(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no addresses",
            ))),
        }
    }
}

/// Why a name has no address to connect to.
#[derive(Debug)]
pub(crate) enum ResolveError {
    Blocked(BlockedUrl),
    Failed(io::Error),
}

impl ResolveError {
    /// The failure of the fetch.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Blocked(why) => Failure::blocked(why),
            Self::Failed(error) => Failure::silent(format!("not resolved: {error}")),
        }
    }
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            match resolver.addresses(name.as_str()).await {
                Ok(found) => {
                    let addresses: Vec<_> =
                        found.iter().map(|address| SocketAddr::new(*address, 0)).collect();
                    Ok(Box::new(addresses.into_iter()) as Addrs)
                }
                Err(ResolveError::Blocked(why)) => Err(why.into()),
                Err(ResolveError::Failed(error)) => Err(error.into()),
            }
        })
    }
}
