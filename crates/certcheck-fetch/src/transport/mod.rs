//! From a URL to bytes, over HTTP or LDAP.

mod address;
pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod guard;
pub(crate) mod http;
mod inflate;
#[cfg(feature = "ldap")]
mod ldap_source;
pub(crate) mod mirror_url;
pub(crate) mod proxy;
pub(crate) mod refusal;
pub(crate) mod resolve;
pub(crate) mod sniff;
pub(crate) mod spool;
pub(crate) mod timings;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_core::revocation::{EvidenceKind, EvidenceRequest};
#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
use rustls::crypto::aws_lc_rs as provider;
#[cfg(feature = "ring")]
use rustls::crypto::ring as provider;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::limits::FetchLimits;
use crate::transport::answer::{Fetched, Transport};
use crate::transport::guard::{Guard, Scheme, Target};
use crate::transport::http::{Http, Question};
use crate::transport::proxy::Proxies;
use crate::transport::refusal::Refusal;
use crate::transport::resolve::{GuardedResolver, Resolve, ResolveError};
use crate::transport::timings::{Part, took};

/// How the network is reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    pub(crate) guard: Guard,
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
    pub(crate) proxies: Proxies,
    /// `host[:port]` of the directory for LDAP URLs without a host.
    pub(crate) directory: Option<String>,
    pub(crate) use_ocsp_get: bool,
    /// The User-Agent, if it is not the default one.
    pub(crate) user_agent: Option<String>,
    /// The pseudonym in Via. `None` sends none.
    pub(crate) via: Option<String>,
}

/// The network behind the guard.
#[derive(Debug)]
pub(crate) struct Network {
    guard: Arc<Guard>,
    /// For direct connections: a proxy resolves names itself.
    resolver: GuardedResolver,
    proxies: Arc<Proxies>,
    connect: Duration,
    http: Http,
    use_ocsp_get: bool,
    #[cfg(feature = "ldap")]
    ldap_source: ldap_source::LdapSource,
}

impl Network {
    pub(crate) fn new(route: Route, limits: &Arc<FetchLimits>, folder: &Path) -> Result<Self, String> {
        let Route { guard, resolver, proxies, directory, use_ocsp_get, user_agent, via } = route;
        let (guard, proxies) = (Arc::new(guard), Arc::new(proxies));
        let tls = tls(guard.allows_tls() || proxies.use_tls())?;
        let resolver = resolver.unwrap_or_else(|| Arc::new(resolve::SystemResolver));
        let resolver = GuardedResolver::new(resolver, Arc::clone(&guard));
        #[cfg(feature = "ldap")]
        let ldap_source = ldap_source::LdapSource::new(resolver.clone(), directory, tls.clone(), limits);
        #[cfg(not(feature = "ldap"))]
        let _ = directory;
        let http = Http::new(
            &resolver,
            limits,
            &tls,
            &proxies,
            (user_agent.as_deref(), via.as_deref()),
            folder.to_owned(),
        )
        .map_err(|error| error.to_string())?;
        Ok(Self {
            guard,
            resolver,
            proxies,
            connect: limits.connect,
            http,
            use_ocsp_get,
            #[cfg(feature = "ldap")]
            ldap_source,
        })
    }

    /// Validates the URL of a request.
    pub(crate) fn validate(&self, request: &EvidenceRequest) -> Result<Target, Failure> {
        self.guard.validate_url(request.url()).map_err(Failure::blocked)
    }

    /// The host that is resolved here. `None` for what goes through a proxy, and for the directory that the configuration
    /// names.
    fn resolved_here<'t>(&self, target: &'t Target) -> Option<&'t str> {
        target.name().filter(|_| self.proxies.proxy_for(target).is_none())
    }

    /// The addresses of a target, if they are known without asking a resolver. Empty if they are not resolved here.
    pub(crate) fn known_addresses(&self, target: &Target) -> Option<Arc<[IpAddr]>> {
        let Some(host) = self.resolved_here(target) else { return Some(Arc::default()) };
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) => Some([address].into()),
            Err(_) => self.resolver.known(host),
        }
    }

    /// The same, from the resolver.
    pub(crate) async fn addresses(&self, target: &Target) -> Result<Arc<[IpAddr]>, Failure> {
        let Some(host) = self.resolved_here(target) else { return Ok(Arc::default()) };
        let begun = Instant::now();
        let found = timeout(self.connect, self.resolver.addresses(host)).await;
        // These parts include the resolver's.
        took(Part::Connect, begun);
        took(Part::Headers, begun);
        match found {
            Ok(found) => found.map_err(ResolveError::failure),
            Err(_) => Err(Failure::silent(format!("not resolved after {:?}", self.connect))),
        }
    }

    /// Opens a stream of events.
    pub(crate) async fn open_events(&self, target: &Target) -> Result<reqwest::Response, Failure> {
        self.http.open_events(target).await
    }

    /// Sends a request. `known` is evidence in memory that is still good.
    pub(crate) async fn fetch(
        &self,
        request: &EvidenceRequest,
        target: &Target,
        known: Option<&Transport>,
        arriving: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Fetched, Failure> {
        let kind = request.kind();
        match target.scheme {
            Scheme::Http | Scheme::Https => {
                let (ocsp, has_nonce) = match request {
                    EvidenceRequest::Ocsp { request, nonce, .. } => (Some(&request[..]), nonce.is_some()),
                    _ => (None, false),
                };
                let may_get = self.use_ocsp_get && !has_nonce;
                self.http.ask(target, Question { kind, ocsp, may_get, known }, arriving).await
            }
            Scheme::Ldap | Scheme::Ldaps if self.proxies.proxy_for(target).is_some() => {
                Err(Failure::blocked(Refusal::LdapBehindProxy))
            }
            Scheme::Ldap | Scheme::Ldaps => self.search(kind, target).await,
        }
    }

    #[cfg(feature = "ldap")]
    async fn search(&self, kind: EvidenceKind, target: &Target) -> Result<Fetched, Failure> {
        self.ldap_source.search(kind, target).await
    }

    #[cfg(not(feature = "ldap"))]
    #[expect(clippy::unused_async, reason = "as with the feature")]
    async fn search(&self, _: EvidenceKind, _: &Target) -> Result<Fetched, Failure> {
        Err(Failure::blocked(Refusal::Scheme("ldap".to_owned())))
    }
}

/// Makes the built-in provider that of the process, unless it has one: for clients that can be given none.
#[cfg(feature = "store-redis")]
pub(crate) fn install_provider() {
    // An error says that there is one.
    let _others = provider::default_provider().install_default();
}

/// The configuration for TLS. The system's roots are read only if TLS is used, because that takes milliseconds.
pub(crate) fn tls(is_used: bool) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    if is_used {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    let provider = Arc::new(provider::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
