//! Directories that certificates and CRLs name: the address to ask, and the attributes.

use std::net::SocketAddr;
use std::sync::Arc;

use certcheck_core::revocation::EvidenceKind;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::ldap::{self, LdapFault, LdapUrl};
use crate::limits::FetchLimits;
use crate::transport::answer::{Fetched, Transport};
use crate::transport::guard::Target;
use crate::transport::refusal::Refusal;
use crate::transport::resolve::{GuardedResolver, ResolveError};
use crate::transport::spool::Body;

/// The attributes that are searched for if a URL names none (RFC 4523 2).
const OF_CRLS: [&str; 2] = ["certificateRevocationList;binary", "authorityRevocationList;binary"];
const OF_CERTIFICATES: [&str; 1] = ["cACertificate;binary"];

/// The largest answer of a directory in bytes: it is held in memory.
const MAX: u64 = 64 << 20;

/// Addresses of a directory that are tried. Each has the time of a whole small answer.
const MAX_ADDRESSES: usize = 4;

#[derive(Debug)]
pub(crate) struct LdapSource {
    resolver: GuardedResolver,
    /// `host[:port]` for URLs without a host (GSK_LDAP_SERVER).
    configured: Option<String>,
    tls: Arc<rustls::ClientConfig>,
    limits: Arc<FetchLimits>,
}

impl LdapSource {
    pub(crate) fn new(
        resolver: GuardedResolver,
        configured: Option<String>,
        tls: rustls::ClientConfig,
        limits: &Arc<FetchLimits>,
    ) -> Self {
        Self { resolver, configured, tls: Arc::new(tls), limits: Arc::clone(limits) }
    }

    pub(crate) async fn search(&self, kind: EvidenceKind, target: &Target) -> Result<Fetched, Failure> {
        let mut url = LdapUrl::of(target).map_err(Failure::blocked)?;
        url.with_default_attributes(match kind {
            EvidenceKind::Crl => &OF_CRLS,
            EvidenceKind::Issuers => &OF_CERTIFICATES,
            EvidenceKind::Ocsp => {
                return Err(Failure::blocked(Refusal::Scheme("ldap (for OCSP)".to_owned())));
            }
        });
        let whole = self.limits.whole(kind);
        let max = usize::try_from(MAX.min(self.limits.bytes(kind))).unwrap_or(usize::MAX);
        let search = async {
            let (name, addresses) = self.addresses(&url).await?;
            let mut last = Failure::unreachable("no address");
            for address in addresses {
                let asked = ldap::fetch(&url, address, &name, Arc::clone(&self.tls), max);
                // An address that does not answer must not use up the time of the next.
                match timeout(self.limits.connect + self.limits.small_whole, asked).await {
                    Ok(Ok(values)) => return Ok(values),
                    Ok(Err(fault)) => last = to_failure(&fault, MAX.min(self.limits.bytes(kind))),
                    Err(_) => last = Failure::silent(format!("no answer from {address}")),
                }
            }
            Err(last)
        };
        match timeout(whole, search).await {
            Ok(values) => {
                let bodies = values?.into_iter().map(Body::from).collect();
                Ok(Fetched::Body(bodies, Transport::default()))
            }
            Err(_) => Err(Failure::unreachable(format!("not complete after {whole:?}"))),
        }
    }

    /// The addresses to connect to. Those of the URL's own host are validated. The configured directory is trusted.
    async fn addresses(&self, url: &LdapUrl) -> Result<(String, Vec<SocketAddr>), Failure> {
        if let Some(host) = &url.host {
            let found = match host.parse() {
                Ok(address) => {
                    self.resolver.guard.validate_address(address).map_err(Failure::blocked)?;
                    vec![address]
                }
                Err(_) => self.resolver.addresses(host).await.map_err(ResolveError::failure)?.to_vec(),
            };
            let found = found.into_iter().take(MAX_ADDRESSES);
            return Ok((host.clone(), found.map(|ip| SocketAddr::new(ip, url.port)).collect()));
        }
        let Some(configured) = &self.configured else {
            return Err(Failure::blocked(Refusal::NoDirectory));
        };
        if let Ok(address) = configured.parse() {
            return Ok((configured.clone(), vec![address]));
        }
        let (name, port) = match configured.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().unwrap_or(url.port)),
            None => (configured.as_str(), url.port),
        };
        let found = match name.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let failed = |error| ResolveError::Failed(error).failure();
                self.resolver.inner.resolve(name).await.map_err(failed)?
            }
        };
        Ok((name.to_owned(), found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()))
    }
}

fn to_failure(fault: &LdapFault, max: u64) -> Failure {
    match fault {
        LdapFault::TooLarge => Failure::too_large(max),
        other => Failure::unreachable(other.to_string()),
    }
}
