//! Mirrors of the site, which are asked before the sources themselves.
//!
//! What a mirror sends is not trusted: it is parsed, verified and checked like evidence from its source. If it does not
//! count, the source is asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Policy;
use certcheck_core::revocation::{EvidenceRequest, Need};
use certcheck_core::status::Cause;
use tokio::sync::watch;
use url::Url;

use crate::cache::evidence::{CachedEvidence, Origin};
use crate::cache::key::EvidenceKey;
use crate::failure::Failure;
use crate::fetcher::exchange::{Behalf, Exchange, Exchanges};
use crate::fetcher::health::Health;
use crate::fetcher::heavy::Heavy;
use crate::fetcher::in_flight::State;
use crate::limits::FetchLimits;
use crate::transport::guard::{Guard, Target};
use crate::transport::mirror_url::mirror_url;
use crate::transport::{Network, Route};

/// The time to connect to a mirror, which is near.
const CONNECT: Duration = Duration::from_secs(1);
/// The time between two bytes of a mirror.
const IDLE: Duration = Duration::from_secs(15);

/// The path of news at a mirror.
const NEWS: &str = "v1/news";

/// The mirrors of the site, in the order in which they are asked.
pub(crate) struct Mirrors {
    exchanges: Exchanges,
    network: Arc<Network>,
    health: Arc<Health>,
    bases: Vec<Target>,
}

impl Mirrors {
    /// Mirrors with these URLs. They are trusted as addresses: no rule of the guard holds them back. A redirect would
    /// lead elsewhere, so none is followed.
    pub(crate) fn new(
        urls: &[Url],
        limits: &FetchLimits,
        heavy: &Arc<Heavy>,
        folder: &Path,
    ) -> Result<Self, String> {
        let ports = urls.iter().filter_map(Url::port_or_known_default);
        let all = ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok());
        let guard = all.fold(Guard::new().allow_tls(true), Guard::allow_net);
        let guard = ports.fold(guard, Guard::allow_port);
        let limits = Arc::new(FetchLimits {
            connect: CONNECT.min(limits.connect),
            idle: IDLE,
            redirects: 0,
            // One address for all sources.
            at_once_per_address: limits.at_once,
            // It may have to fetch the evidence itself.
            first_byte: limits.first_byte.max(IDLE),
            ..limits.clone()
        });
        let bases = urls.iter().map(|url| guard.validate_url(url.as_str()));
        let bases: Vec<Target> = bases.collect::<Result<_, _>>().map_err(|why| why.to_string())?;
        let route = Route { guard, use_ocsp_get: true, ..Route::default() };
        let network = Arc::new(Network::new(route, &limits, folder)?);
        let health = Arc::new(Health::new(&limits));
        let through = (Arc::clone(&network), Origin::Mirror);
        let exchanges = Exchanges::new(through, None, &health, &limits, heavy, None);
        Ok(Self { exchanges, network, health, bases })
    }

    /// The news of each mirror.
    pub(super) fn feeds(&self) -> impl Iterator<Item = MirrorFeed> {
        self.bases.iter().filter_map(|base| {
            let url = format!("{}/{NEWS}", base.url.as_str().trim_end_matches('/'));
            let target = Target { url: Url::parse(&url).ok()?, ..base.clone() };
            Some(MirrorFeed { network: Arc::clone(&self.network), target })
        })
    }

    /// Whether a mirror may be asked for this now.
    pub(super) fn may_be_asked(&self, request: &EvidenceRequest) -> bool {
        let is_over_http = request.url().starts_with("http");
        let is_paused = EvidenceKey::of(request).is_some_and(|key| self.health.is_paused(&key));
        is_over_http && !is_paused && self.bases.iter().any(|base| self.is_up(base))
    }

    fn is_up(&self, base: &Target) -> bool {
        self.health.ensure_allowed(&[], &self.health.host(&base.host_key())).is_ok()
    }

    /// Asks one mirror after the other.
    pub(super) async fn fetch(
        &self,
        need: &Need,
        known: Option<&Arc<CachedEvidence>>,
        behalf: &Behalf,
        policy: &Arc<Policy>,
        sender: &watch::Sender<State>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        let mut last = Failure::new(Cause::NotTried, "no mirror can be asked");
        let source = Url::parse(need.request.url()).map_err(|error| Failure::malformed(error.to_string()))?;
        for base in self.bases.iter().filter(|base| self.is_up(base)) {
            let Some(url) = mirror_url(&base.url, &source) else { continue };
            let host = self.health.host(&base.host_key());
            let target = Target { url, ..base.clone() };
            let (known, behalf) = (known.cloned(), behalf.clone());
            let exchange = Exchange { need, target: &target, known, behalf, policy };
            match self.exchanges.fetch(exchange, &host, sender).await {
                Ok((cached, _)) => return Ok(cached),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// Notes that what a mirror sent counted.
    pub(super) fn served(&self, key: &EvidenceKey) {
        self.health.served(key);
    }

    /// Notes that what a mirror sent did not count. The mirrors are not asked for it for a while.
    pub(super) fn failed(&self, key: &EvidenceKey, failure: &Failure) {
        self.health.pause_source(key, failure);
    }
}

/// Where a mirror has its news.
pub(super) struct MirrorFeed {
    network: Arc<Network>,
    target: Target,
}

impl MirrorFeed {
    /// Its URL, for logs.
    pub(super) fn name(&self) -> &str {
        self.target.url.as_str()
    }

    /// Connects to it.
    pub(super) async fn open(&self) -> Result<reqwest::Response, Failure> {
        self.network.open_events(&self.target).await
    }
}
