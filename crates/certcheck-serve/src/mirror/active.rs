//! What a mirror does by its configuration: the sources that it may ask, and how.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certcheck_rustls::Engine;
use certcheck_rustls::certcheck_core::key_ring::Role;
use certcheck_rustls::certcheck_core::ocsp::OcspQuery;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest, Need};
use certcheck_rustls::certcheck_fetch::{CachedEvidence, EvidenceKey, measure, mirror};
use certcheck_rustls::pki_types::CertificateDer;
use url::{Origin, Url};

use super::select::{NotServed, Refusal};
use super::series::{Digest, keys_of};
use super::source::key_of;
use super::table::Bounds;
use super::tree;
use crate::config::MirrorConfig;

/// The most issuers that one OCSP request is about. A responder answers for a few.
const ISSUERS: usize = 8;

/// What a mirror does by its configuration.
pub(super) struct Active {
    pub(super) config: MirrorConfig,
    pub(super) engine: Arc<Engine>,
    /// Scheme, host and port of the sources that are listed.
    origins: HashSet<Origin>,
    /// `host` or `host:port` of the sources that the configuration names, by either scheme.
    hosts: HashSet<String>,
}

/// A source that the configuration or the ring names, with the keys of the CAs that sign the CRL there.
pub(super) struct Listed {
    pub(super) request: EvidenceRequest,
    pub(super) key: EvidenceKey,
    pub(super) keys: Vec<Digest>,
}

impl Active {
    pub(super) fn new(config: MirrorConfig, engine: Arc<Engine>, listed: &[Listed]) -> Self {
        let of_sources = listed.iter().filter_map(|source| Url::parse(source.request.url()).ok());
        let origins = of_sources.map(|url| url.origin()).collect();
        let hosts = config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { config, engine, origins, hosts }
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds { sources: self.config.limits.max_sources, bytes: self.config.limits.max_bytes }
    }

    pub(super) fn is_source(&self, url: &Url) -> bool {
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web
            && (self.origins.contains(&url.origin())
                || host_of(url).is_some_and(|host| self.hosts.contains(&host)))
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
        // The ring is searched once for each issuer, however many certificates the request is about.
        let mut issuers = HashSet::new();
        for id in query.cert_ids() {
            if !issuers.insert((id.algorithm, id.name_hash, id.key_hash)) {
                continue;
            }
            let is_known = || {
                let mut known = snapshot.ring().certificates().iter();
                known.any(|issuer| id.is_of(&issuer.certificate()))
            };
            if issuers.len() > ISSUERS || !is_known() {
                return Err(NotServed::OtherIssuer);
            }
        }
        Ok(())
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
pub(super) fn listed(config: &MirrorConfig, engine: &Engine) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::new();
    let mut by_key = HashMap::<EvidenceKey, usize>::new();
    let mut add = |request: EvidenceRequest, keys: Vec<Digest>| {
        let Some(key) = key_of(&request) else { return };
        let at = *by_key.entry(key).or_insert(listed.len());
        match listed.get_mut(at) {
            Some(known) => known.keys.extend(keys),
            None => listed.push(Listed { request, key, keys }),
        }
    };
    for url in &config.sources {
        add(EvidenceRequest::Crl { url: url.as_str().into() }, Vec::new());
    }
    let snapshot = engine.snapshot();
    let below = snapshot.ring().certificates().iter().filter(|entry| entry.role() == Role::Intermediate);
    for entry in below {
        let chain = [CertificateDer::from(entry.certificate().der().to_vec())];
        let (_, needs) = measure::plan(engine, &chain, engine.now());
        for need in needs {
            let is_mirrored = matches!(need.request.kind(), EvidenceKind::Crl | EvidenceKind::Ocsp);
            if is_mirrored && need.request.url().starts_with("http") {
                let keys = keys_of(&entry.certificate(), &need, (snapshot.ring(), snapshot.policy()));
                add(need.request, keys);
            }
        }
    }
    listed
}
