//! The builder of engines.

use core::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use certcheck_core::{Evidence, KeyRing, Policy, Time};
use tokio::sync::{Semaphore, mpsc};

use crate::cache::entry::{Memory, Renewal};
use crate::engine::Engine;
use crate::engine::news;
use crate::engine::refresh;
use crate::engine::shared::Shared;
use crate::engine::snapshot::Snapshot;
use crate::engine::watch::Watches;
use crate::engine::watch_loop;
use crate::fetcher::parties::Bounds;
use crate::fetcher::permits::Permits;
use crate::fetcher::{self, Fetcher, Heavy, Mirrors, Observer, StoreTrust, StoreUsed};
use crate::limits::FetchLimits;
use crate::store::{DiskStore, Store};
use crate::transport::guard::Guard;
use crate::transport::proxy::Proxies;
use crate::transport::resolve::Resolve;
use crate::transport::{Network, Route};

/// Background checks of clients that were refused because evidence was missing.
const PREFETCHES: Bounds = Bounds { all: 256, client: 4, host: usize::MAX, address: usize::MAX };

/// Threads of the engine.
const WORKERS: usize = 2;

/// Whether the system allows this many threads now. A runtime that is refused one panics.
fn try_threads(many: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        // Held until all have started.
        let _closed = gate.lock();
        let wait = || drop(gate.lock());
        (0..many).try_for_each(|_| std::thread::Builder::new().spawn_scoped(scope, wait).map(drop))
    })
}

/// Why an engine cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The system gives no thread or no I/O driver.
    Runtime(io::Error),
    /// The HTTP client cannot be built. The proxy or the User-Agent may be invalid.
    Network(String),
    /// The URL of a mirror cannot be used.
    Mirror(String),
    /// An environment variable that [`EngineBuilder::proxy_from_env`] uses is invalid.
    Proxy(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "no runtime: {error}"),
            Self::Network(error) => write!(f, "no HTTP client: {error}"),
            Self::Mirror(error) => write!(f, "a mirror cannot be used: {error}"),
            Self::Proxy(error) => write!(f, "no proxy from the environment: {error}"),
        }
    }
}

impl core::error::Error for EngineError {}

impl Engine {
    /// A builder of an engine with this ring and policy.
    #[must_use]
    pub fn builder(ring: KeyRing, policy: Policy) -> EngineBuilder {
        EngineBuilder::new(ring, policy)
    }
}

/// Where the proxy comes from.
#[derive(Clone, Default)]
struct ProxyChoice {
    explicit: Option<url::Url>,
    use_environment: bool,
}

impl ProxyChoice {
    fn proxies(self) -> Result<Proxies, String> {
        match self.explicit {
            Some(proxy) => Ok(Proxies::all(proxy)),
            None if self.use_environment => Proxies::from_variables(|name| std::env::var(name).ok()),
            None => Ok(Proxies::default()),
        }
    }
}

/// Builds an engine.
pub struct EngineBuilder {
    ring: KeyRing,
    policy: Policy,
    given: Evidence,
    limits: FetchLimits,
    route: Route,
    proxy: ProxyChoice,
    store: Option<StoreUsed>,
    mirrors: Vec<url::Url>,
    is_offline: bool,
    refreshes: bool,
    clock: fn() -> Time,
    observer: Option<Observer>,
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("limits", &self.limits)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl EngineBuilder {
    pub(crate) fn new(ring: KeyRing, policy: Policy) -> Self {
        Self {
            ring,
            policy,
            given: Evidence::new(),
            limits: FetchLimits::default(),
            route: Route { use_ocsp_get: true, ..Route::default() },
            proxy: ProxyChoice::default(),
            store: None,
            mirrors: Vec::new(),
            is_offline: false,
            refreshes: true,
            clock: crate::clock::now,
            observer: None,
        }
    }

    /// Evidence that is in memory from the start, in addition to what is fetched.
    #[must_use]
    pub fn evidence(mut self, given: Evidence) -> Self {
        self.given = given;
        self
    }

    /// The limits of fetching and caching.
    #[must_use]
    pub const fn limits(mut self, limits: FetchLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The rules for URLs and addresses of sources.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.route.guard = guard;
        self
    }

    /// A resolver of names in place of the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.route.resolver = Some(resolver);
        self
    }

    /// The HTTP proxy for all requests (AT-TLS: HttpCdpProxyServer). By default there is none, and the environment is
    /// ignored.
    ///
    /// The proxy resolves names and connects to the sources. The [`Guard`] still validates each URL: its scheme, its port,
    /// and a host that is an address. It cannot validate the addresses that a name leads to, because they are not known
    /// here: the proxy has to refuse those that must not be reached. LDAP does not go through a proxy and is refused.
    #[must_use]
    pub fn proxy(mut self, proxy: url::Url) -> Self {
        self.proxy.explicit = Some(proxy);
        self
    }

    /// The HTTP proxies that the environment names, read when the engine is built. A proxy that is given with
    /// [`EngineBuilder::proxy`] is used in place of them for all requests, in whatever order the two are called.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `HTTP_PROXY` | proxy for `http`; ignored where `REQUEST_METHOD` is set, as in a CGI program |
    /// | `HTTPS_PROXY` | proxy for `https` |
    /// | `ALL_PROXY` | proxy for those of the two that have no variable of their own |
    /// | `NO_PROXY` | hosts that are reached without a proxy, separated by commas or spaces |
    ///
    /// Each name is also looked up in lower case, and lower case comes first. An empty variable counts as unset. A proxy is
    /// a URL with the scheme `http` or `https`, or `host:port`. An entry of `NO_PROXY` is a domain (`example.com` or
    /// `.example.com`: the domain and every name below it), an address, a network (`10.0.0.0/8`), or `*` for all hosts;
    /// all but `*` may have a port (`example.com:8080`). Networks and addresses are compared with URLs whose host is an
    /// address: no name is resolved for that.
    ///
    /// A request that goes through a proxy is validated as [`EngineBuilder::proxy`] says. A request to a host in `NO_PROXY`
    /// is sent directly, and the guard validates every address. LDAP is always sent directly, except that it is refused
    /// where `ALL_PROXY` is set and `NO_PROXY` does not list the host.
    #[must_use]
    pub const fn proxy_from_env(mut self) -> Self {
        self.proxy.use_environment = true;
        self
    }

    /// `host[:port]` of the directory for LDAP URLs without a host (System SSL: GSK_LDAP_SERVER).
    #[must_use]
    pub fn directory(mut self, directory: String) -> Self {
        self.route.directory = Some(directory);
        self
    }

    /// Whether short OCSP requests are sent with GET, so that HTTP caches can answer them (RFC 9919 5). True by
    /// default (AT-TLS: OcspRetrieveViaGet).
    #[must_use]
    pub const fn ocsp_get(mut self, get: bool) -> Self {
        self.route.use_ocsp_get = get;
        self
    }

    /// The User-Agent (RFC 9110 10.1.5) of requests. By default it is `certcheck/` and the version.
    #[must_use]
    pub fn user_agent(mut self, user_agent: String) -> Self {
        self.route.user_agent = Some(user_agent);
        self
    }

    /// The name in the Via of requests, for a program that passes answers on: it knows its own requests by it, where they
    /// come back. By default there is no Via.
    ///
    /// RFC 9110 7.6.3.
    #[doc(alias = "RFC 9110 section 7.6.3")]
    #[must_use]
    pub fn via(mut self, pseudonym: String) -> Self {
        self.route.via = Some(pseudonym);
        self
    }

    /// A store that keeps evidence beyond the life of the process. It is not trusted: all evidence from it is parsed
    /// and verified again.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(StoreUsed { store, trust: StoreTrust::VerifyAgain });
        self
    }

    /// As [`EngineBuilder::store`]. With [`DiskOptions::trust_index`](crate::store::DiskOptions::trust_index) the
    /// indexes and verified signatures of this store are trusted. No other store can be trusted in this way.
    #[must_use]
    pub fn disk_store(mut self, store: DiskStore) -> Self {
        let trust = if store.is_trusted() { StoreTrust::AsKept } else { StoreTrust::VerifyAgain };
        self.store = Some(StoreUsed { store: Arc::new(store), trust });
        self
    }

    /// Mirrors of the site, in the order in which they are asked: `certcheck mirror`, or a cache that serves the same
    /// paths. Each has a URL with the scheme `http` or `https`. Evidence that a mirror has is not fetched from its source.
    /// A mirror is not trusted: what it sends is verified, and what it does not have, or what does not count, is fetched
    /// from the source. See [`mirror_url`](crate::mirror::mirror_url) for the URLs that are asked.
    #[must_use]
    pub fn mirrors(mut self, mirrors: impl IntoIterator<Item = url::Url>) -> Self {
        self.mirrors = mirrors.into_iter().collect();
        self
    }

    /// Whether fetching is off. Then only memory, the store and the given evidence are used.
    #[must_use]
    pub const fn offline(mut self, is_offline: bool) -> Self {
        self.is_offline = is_offline;
        self
    }

    /// Whether evidence in use is fetched again before it ends. True by default.
    #[must_use]
    pub const fn refreshes(mut self, refreshes: bool) -> Self {
        self.refreshes = refreshes;
        self
    }

    /// The clock for work in the background and for [`Engine::now`], in place of the system's.
    #[must_use]
    pub const fn clock(mut self, clock: fn() -> Time) -> Self {
        self.clock = clock;
        self
    }

    /// A function that is called with bytes as they arrive, to show progress.
    #[must_use]
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Builds the engine, with threads of its own.
    ///
    /// # Errors
    /// If the system gives no threads or no HTTP client, or if a proxy is invalid.
    pub fn build(self) -> Result<Engine, EngineError> {
        let Self { ring, policy, given, limits, mut route, proxy, store, is_offline, .. } = self;
        let Self { refreshes, clock, observer, mirrors, .. } = self;
        route.proxies = proxy.proxies().map_err(EngineError::Proxy)?;
        try_threads(WORKERS).map_err(EngineError::Runtime)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("certcheck")
            .enable_all()
            .build()
            .map_err(EngineError::Runtime)?;
        crate::metrics::describe();
        let limits = Arc::new(limits);
        let folder: PathBuf = fetcher::folder(store.as_ref());
        let heavy = Arc::new(Heavy::new());
        let (network, mirrors) = if is_offline {
            (None, None)
        } else {
            // The client is tied to the runtime that it is built in.
            let _inside = runtime.enter();
            let network = Network::new(route, &limits, &folder).map_err(EngineError::Network)?;
            let some = Some(mirrors).filter(|mirrors| !mirrors.is_empty());
            let mirrors = some.map(|urls| Mirrors::new(&urls, &limits, &heavy, &folder)).transpose();
            (Some(network), mirrors.map_err(EngineError::Mirror)?)
        };
        let watches = Arc::<Watches>::default();
        let watchers = Arc::clone(&watches);
        let renewal = if refreshes { Renewal::Ahead } else { Renewal::OnUse };
        let memory = Memory::new(&limits, renewal, Box::new(move |key| watchers.evidence_came(key)));
        let handle = runtime.handle().clone();
        let own = Fetcher::new(network, mirrors, store, &limits, (memory, heavy), handle, observer);
        let shared = Arc::new(Shared {
            fetcher: Arc::new(own),
            snapshot: ArcSwap::from_pointee(Snapshot::new(Arc::new(ring), policy, given, &limits)),
            checks: Arc::new(Semaphore::new(limits.checks_at_once)),
            prefetches: Permits::new(PREFETCHES),
            limits,
            clock,
            watches,
        });
        runtime.spawn(watch_loop::keep_watch(Arc::downgrade(&shared)));
        if !is_offline {
            let (announce, announced) = mpsc::channel(news::WAITING);
            shared.fetcher.announce(&announce);
            runtime.spawn(news::follow(Arc::downgrade(&shared), announced));
        }
        if refreshes && !is_offline {
            runtime.spawn(refresh::keep_fresh(Arc::downgrade(&shared)));
        }
        Ok(Engine { shared, runtime: Some(runtime) })
    }
}
