//! From flags to an engine: how evidence is fetched, and where it is kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use certcheck_core::{Evidence, KeyRing, Policy};
use certcheck_fetch::store::{DiskOptions, DiskStore, SharedStore};
use certcheck_fetch::{Engine, EngineBuilder, FetchLimits, Guard, Observer};

use crate::flags::{NetworkArguments, ProxyFlag, ReachArguments};
use crate::progress::Progress;
use crate::visible;

/// How many clients are remembered.
const KNOWN_PATHS: usize = 1_024;
/// Downloads from here on show their progress.
const LARGE: u64 = 4 << 20;

/// The engine that these flags ask for.
pub(crate) fn engine(
    arguments: &NetworkArguments,
    has_store: bool,
    ring: KeyRing,
    policy: Policy,
    given: Evidence,
) -> anyhow::Result<Engine> {
    let builder = reporting_builder(&arguments.reach, ring, policy);
    let mut builder = builder.offline(arguments.offline).evidence(given);
    let mut near = None;
    if has_store && !arguments.no_cache {
        match store(arguments.cache_dir.as_deref(), arguments.trust_cache) {
            Ok(store) => near = Some(store),
            // A folder that was named must work; the default one need not.
            Err(error) if arguments.cache_dir.is_some() => return Err(error),
            Err(error) => visible::warn(format_args!("no cache: {error}"))?,
        }
    }
    match (&arguments.shared_store, near) {
        (Some(address), near) if has_store => {
            let password_file = arguments.shared_store_password_file.clone();
            let shared = SharedStore { address: address.clone(), password_file, limits: limits() };
            builder = builder.store(shared.open(near).context("the shared store cannot be used")?);
        }
        (_, Some(near)) => builder = builder.disk_store(near),
        (_, None) => {}
    }
    Ok(builder.build()?)
}

/// An engine that has what sources say now, and nothing else.
pub(crate) fn live(arguments: &ReachArguments, ring: KeyRing, policy: Policy) -> anyhow::Result<Engine> {
    Ok(reporting_builder(arguments, ring, policy).build()?)
}

/// The builder of an engine that reports what goes on.
fn reporting_builder(arguments: &ReachArguments, ring: KeyRing, policy: Policy) -> EngineBuilder {
    builder(arguments, ring, policy).observer(progress())
}

/// The builder of an engine as these flags ask for it, which keeps nothing between runs and reports nothing.
pub(crate) fn builder(arguments: &ReachArguments, ring: KeyRing, policy: Policy) -> EngineBuilder {
    let mut guard = Guard::new().deny_private(arguments.deny_private).allow_tls(arguments.allow_https);
    for net in &arguments.allow_net {
        guard = guard.allow_net(*net);
    }
    for port in &arguments.allow_port {
        guard = guard.allow_port(*port);
    }
    let mut builder = Engine::builder(ring, policy)
        .limits(limits())
        .guard(guard)
        // A run ends before anything grows old.
        .refreshes(false);
    match &arguments.proxy {
        Some(ProxyFlag::Url(proxy)) => builder = builder.proxy(proxy.clone()),
        Some(ProxyFlag::Environment) => builder = builder.proxy_from_env(),
        None => {}
    }
    builder = builder.mirrors(arguments.mirror.iter().cloned());
    if let Some(directory) = &arguments.ldap_server {
        builder = builder.directory(directory.clone());
    }
    builder
}

/// What a run may take.
pub(crate) fn limits() -> FetchLimits {
    let mut limits = FetchLimits::default();
    // A run asks about most certificates once.
    limits.known_paths = KNOWN_PATHS;
    limits
}

/// The disk store in this folder, or where it is by default.
pub(crate) fn store(path: Option<&Path>, trust_index: bool) -> anyhow::Result<DiskStore> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => DiskStore::default_path()
            .context("neither HOME nor XDG_CACHE_HOME is set; use --cache-dir or --no-cache")?,
    };
    let mut options = DiskOptions::default();
    options.trust_index = trust_index;
    let opened = DiskStore::open(&path, options);
    opened.with_context(|| format!("the cache folder {} cannot be used", path.display()))
}

/// A progress bar for a large download.
fn progress() -> Observer {
    let current: Mutex<Option<(String, Progress)>> = Mutex::new(None);
    Arc::new(move |url: &str, bytes: u64, length: Option<u64>| {
        if length.unwrap_or(bytes) < LARGE {
            return;
        }
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(known, _)| known != url) {
            let template = match length {
                Some(_) => "{msg} {bar:30} {done} of {whole}, {speed}, {eta} left",
                None => "{msg} {spinner} {done}, {speed}",
            };
            let progress = Progress::new(length, template);
            progress.set_message(shortened(url));
            *current = Some((url.to_owned(), progress));
        }
        if let Some((_, progress)) = &*current {
            progress.set(bytes);
        }
        if length == Some(bytes) {
            *current = None;
        }
    })
}

/// The beginning of a URL, so that the bar fits into a line.
fn shortened(url: &str) -> String {
    const MAX: usize = 40;
    if url.chars().count() <= MAX {
        return url.to_owned();
    }
    format!("{}...", url.chars().take(MAX).collect::<String>())
}
