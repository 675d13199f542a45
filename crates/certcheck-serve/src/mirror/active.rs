//! What a mirror does by its configuration: the sources that it may ask, and how.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certcheck_rustls::Engine;
use certcheck_rustls::certcheck_core::key_ring::Role;
use certcheck_rustls::certcheck_core::ocsp::OcspQuery;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use certcheck_rustls::certcheck_fetch::{CachedEvidence, EvidenceKey, measure, mirror};
use certcheck_rustls::pki_types::CertificateDer;
use url::Url;

use super::select::{NotServed, Refusal};
use super::table::Bounds;
use super::tree;
use crate::config::MirrorConfig;

/// What a mirror does by its configuration.
pub(super) struct Active {
    pub(super) config: MirrorConfig,
    pub(super) engine: Arc<Engine>,
    /// `host` or `host:port` of the sources that may be asked.
    hosts: HashSet<String>,
}

impl Active {
    pub(super) fn new(config: MirrorConfig, engine: Arc<Engine>, listed: &[EvidenceRequest]) -> Self {
        let of_sources = listed.iter().filter_map(|request| Url::parse(request.url()).ok());
        let mut hosts: HashSet<String> = of_sources.filter_map(|url| host_of(&url)).collect();
        hosts.extend(config.hosts.iter().map(|host| host.to_ascii_lowercase()));
        Self { config, engine, hosts }
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds { sources: self.config.limits.max_sources, bytes: self.config.limits.max_bytes }
    }

    pub(super) fn is_source(&self, url: &Url) -> bool {
        host_of(url).is_some_and(|host| self.hosts.contains(&host))
    }

    /// Whether the mirror may ask for this: its host is known, and an OCSP request is about a CA of the ring.
    pub(super) fn may_ask(&self, request: &EvidenceRequest) -> Result<(), NotServed> {
        let url = Url::parse(request.url()).map_err(|_| NotServed::NotASource)?;
        if !self.is_source(&url) {
            return Err(NotServed::NotASource);
        }
        let EvidenceRequest::Ocsp { request, .. } = request else { return Ok(()) };
        let query = OcspQuery::parse(request).map_err(|_| NotServed::NotASource)?;
        let snapshot = self.engine.snapshot();
        let mut issuers = snapshot.ring().certificates().iter();
        let is_known = issuers.any(|issuer| query.cert_id.is_of(&issuer.certificate()));
        if is_known { Ok(()) } else { Err(NotServed::OtherIssuer) }
    }

    /// The folder for temporary files.
    pub(super) fn folder(&self) -> PathBuf {
        let of_store = self.engine.store().and_then(|store| store.folder()).map(ToOwned::to_owned);
        of_store.unwrap_or_else(std::env::temp_dir)
    }

    /// The evidence that the tree has for this need.
    pub(super) fn read_file(&self, tree: &Path, need: &Need) -> Result<Arc<CachedEvidence>, Refusal> {
        let file = tree::file_of(tree, &need.request).ok_or(Refusal::NoFile)?;
        let max = self.config.check.network.limits.crl_bytes;
        let snapshot = self.engine.snapshot();
        let read = mirror::read_file(&file, need, snapshot.policy(), (&self.folder(), max));
        read.map(Arc::new).map_err(Refusal::Failed)
    }
}

/// `host`, or `host:port` where the port is not that of the scheme.
pub(super) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

/// The sources that the configuration names, and those that the CAs of the ring name.
pub(super) fn listed(config: &MirrorConfig, engine: &Engine) -> Vec<EvidenceRequest> {
    let named = config.sources.iter().map(|url| EvidenceRequest::Crl { url: url.as_str().into() });
    let mut listed: Vec<EvidenceRequest> = named.collect();
    let snapshot = engine.snapshot();
    let below = snapshot.ring().certificates().iter().filter(|entry| entry.role() == Role::Intermediate);
    for entry in below {
        let chain = [CertificateDer::from(entry.certificate().der().to_vec())];
        let (_, needs) = measure::plan(engine, &chain, engine.now());
        let requests = needs.into_iter().map(|need| need.request);
        listed.extend(requests.filter(|request| {
            matches!(request.kind(), EvidenceKind::Crl | EvidenceKind::Ocsp)
                && request.url().starts_with("http")
        }));
    }
    let mut seen = HashSet::new();
    listed.retain(|request| EvidenceKey::of(request).is_some_and(|key| seen.insert(key)));
    listed
}
