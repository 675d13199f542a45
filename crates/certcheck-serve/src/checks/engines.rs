//! One engine for all listeners whose clients are checked by the same.

use std::path::Path;
use std::sync::Arc;

use certcheck_rustls::certcheck_core::key_ring::RingBuilder;
use certcheck_rustls::certcheck_fetch::store::{DiskOptions, DiskStore, SharedStore, SharedStoreError};
use certcheck_rustls::{Engine, Evidence, Guard, KeyRing};
use tracing::warn;

use super::given;
use crate::config::{
    CheckConfig, ClientCertificate, ListenerConfig, NetworkConfig, ProxyFor, Section, ServeConfig,
    ValidationPolicy,
};
use crate::mirror;

/// The engines in use.
#[derive(Debug, Default)]
pub(crate) struct Engines(Vec<Used>);

#[derive(Clone, Debug)]
struct Used {
    check: CheckConfig,
    engine: Arc<Engine>,
    /// The listeners that use it.
    listeners: Vec<String>,
    /// It fetches for a mirror, whose requests have a Via.
    is_mirror: bool,
}

impl Used {
    fn is_for(&self, check: &CheckConfig, is_mirror: bool) -> bool {
        self.is_mirror == is_mirror && self.check == *check
    }
}

/// A fault of what a listener's clients are checked by.
pub(crate) struct CheckFault {
    /// The part of the configuration that has it.
    pub(crate) section: Section,
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

/// Engines that are ready to be used. Nothing is changed yet.
pub(crate) struct PreparedEngines(Vec<Prepared>);

struct Prepared {
    used: Used,
    /// What an engine that is in use already has to be given.
    renewal: Option<(KeyRing, Evidence)>,
}

impl Engines {
    /// Prepares engines for these listeners. An engine goes on if its network settings stay, and if all of its
    /// listeners that stay go on with it: then live connections are checked by the new ring and policy.
    pub(crate) fn prepare(&self, config: &ServeConfig) -> Result<PreparedEngines, Vec<CheckFault>> {
        let listeners = &*uses(config);
        let mut prepared: Vec<Prepared> = Vec::new();
        let mut faults = Vec::new();
        for listener in listeners {
            if let Some(known) =
                prepared.iter_mut().find(|known| known.used.is_for(listener.check, listener.is_mirror))
            {
                known.used.listeners.push(listener.name.clone());
                continue;
            }
            let fault = |(key, message)| CheckFault { section: listener.section, key, message };
            let going_on = self
                .going_on(listeners, listener)
                .filter(|engine| !prepared.iter().any(|other| Arc::ptr_eq(&other.used.engine, engine)));
            match prepare(listener, going_on) {
                Ok((engine, renewal)) => {
                    let listeners = vec![listener.name.clone()];
                    let is_mirror = listener.is_mirror;
                    let used = Used { check: listener.check.clone(), engine, listeners, is_mirror };
                    prepared.push(Prepared { used, renewal });
                }
                Err(found) => faults.push(fault(found)),
            }
        }
        if faults.is_empty() { Ok(PreparedEngines(prepared)) } else { Err(faults) }
    }

    /// The engine that goes on with these checks.
    fn going_on(&self, listeners: &[Use<'_>], of: &Use<'_>) -> Option<Arc<Engine>> {
        let check = of.check;
        let may = |used: &&Used| {
            used.is_mirror == of.is_mirror
                && used.check.network == check.network
                && listeners
                    .iter()
                    .filter(|listener| used.listeners.contains(&listener.name))
                    .all(|listener| listener.check == check)
        };
        let same = self.0.iter().find(|used| used.is_for(check, of.is_mirror));
        let by_listener = || {
            let has_listener = |used: &&Used| {
                listeners
                    .iter()
                    .any(|listener| used.listeners.contains(&listener.name) && listener.check == check)
            };
            self.0.iter().filter(has_listener).find(may)
        };
        same.or_else(by_listener).map(|used| Arc::clone(&used.engine))
    }

    /// The engines, without repetition.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Engine>> {
        self.0.iter().map(|used| &used.engine)
    }
}

impl PreparedEngines {
    /// The engine for these checks.
    pub(crate) fn engine(&self, check: &CheckConfig) -> Option<&Arc<Engine>> {
        self.of(check, false)
    }

    /// The engine that fetches for a mirror with these checks.
    pub(crate) fn mirror_engine(&self, check: &CheckConfig) -> Option<&Arc<Engine>> {
        self.of(check, true)
    }

    fn of(&self, check: &CheckConfig, is_mirror: bool) -> Option<&Arc<Engine>> {
        let mut prepared = self.0.iter();
        prepared.find(|prepared| prepared.used.is_for(check, is_mirror)).map(|prepared| &prepared.used.engine)
    }

    /// Gives engines that go on their new rings and policies.
    pub(crate) fn commit(self) -> Engines {
        let used = self.0.into_iter().map(|Prepared { used, renewal }| {
            if let Some((ring, evidence)) = renewal {
                used.engine.reload(ring, used.check.policy(), evidence);
            }
            used
        });
        Engines(used.collect())
    }
}

/// A listener, or a policy of a validation listener, and what its clients are checked by.
struct Use<'c> {
    section: Section,
    name: String,
    check: &'c CheckConfig,
    is_mirror: bool,
}

/// All that clients are checked by.
fn uses(config: &ServeConfig) -> Vec<Use<'_>> {
    let is_checked =
        |(_, listener): &(usize, &ListenerConfig)| listener.client_auth != ClientCertificate::None;
    let listeners = config.listeners.iter().enumerate().filter(is_checked).map(|(number, listener)| Use {
        section: Section::Listener(number),
        name: listener.name.clone(),
        check: &listener.check,
        is_mirror: false,
    });
    let validations = config.validations.iter().enumerate().flat_map(|(validation, config)| {
        config.policies.iter().enumerate().map(move |(policy, ValidationPolicy { name, check })| Use {
            section: Section::of_policy(validation, policy),
            // No listener has a blank in its name.
            name: format!("{} {name}", config.name),
            check,
            is_mirror: false,
        })
    });
    let peers = config.validations.iter().enumerate().filter_map(|(validation, config)| {
        let check = &config.tls.as_ref()?.check;
        Some(Use {
            section: Section::Validation(validation),
            name: format!("{} of peers", config.name),
            check,
            is_mirror: false,
        })
    });
    // No listener has a blank in its name.
    let mirror = config.mirror.iter().map(|mirror| Use {
        section: Section::Mirror,
        name: "of the mirror".to_owned(),
        check: &mirror.check,
        is_mirror: true,
    });
    listeners.chain(validations).chain(peers).chain(mirror).collect()
}

type Renewal = Option<(KeyRing, Evidence)>;

fn prepare(
    Use { check, is_mirror, .. }: &Use<'_>,
    going_on: Option<Arc<Engine>>,
) -> Result<(Arc<Engine>, Renewal), (&'static str, String)> {
    let ring = ring(check).map_err(|message| ("ring", message))?;
    let evidence = given::read(&check.crl, &check.ocsp).map_err(|message| {
        let is_crl = check.ocsp.is_empty() || given::read(&check.crl, &[]).is_err();
        (if is_crl { "crl" } else { "ocsp" }, message)
    })?;
    if let Some(engine) = going_on {
        return Ok((engine, Some((ring, evidence))));
    }
    let network = &check.network;
    let mut builder = Engine::builder(ring, check.policy())
        .evidence(evidence)
        .limits(network.limits.clone())
        .guard(guard(network))
        .ocsp_get(network.ocsp_get)
        .offline(network.offline);
    match &network.proxy {
        ProxyFor::None => {}
        ProxyFor::Environment => builder = builder.proxy_from_env(),
        ProxyFor::Url(url) => builder = builder.proxy(url.clone()),
    }
    if let Some(name) = &network.user_agent {
        builder = builder.user_agent(name.clone());
    }
    if *is_mirror {
        builder = builder.via(mirror::PSEUDONYM.clone());
    }
    if let Some(server) = &network.ldap_server {
        builder = builder.directory(server.clone());
    }
    let near = network.cache_dir.as_deref().map(|folder| disk_store(folder, network)).transpose()?;
    if network.trust_cache && network.shared_store.is_some() {
        let message = "evidence that is shared is verified each time it is read; remove `trust_cache` or `shared_store`";
        return Err(("trust_cache", message.to_owned()));
    }
    match (shared_store(network), near) {
        (Some(shared), near) => builder = builder.store(shared.open(near).map_err(fault_of_shared)?),
        (None, Some(near)) => builder = builder.disk_store(near),
        (None, None) => {}
    }
    builder = builder.mirrors(network.mirrors.iter().cloned());
    let engine = builder.build().map_err(|error| ("proxy", error.to_string()))?;
    Ok((Arc::new(engine), None))
}

fn disk_store(folder: &Path, network: &NetworkConfig) -> Result<DiskStore, (&'static str, String)> {
    let mut options = DiskOptions::default();
    options.trust_index = network.trust_cache;
    DiskStore::open(folder, options)
        .map_err(|error| ("cache_dir", format!("the folder {} cannot be used: {error}", folder.display())))
}

fn shared_store(network: &NetworkConfig) -> Option<SharedStore> {
    Some(SharedStore {
        address: network.shared_store.clone()?,
        password_file: network.shared_store_password_file.clone(),
        limits: network.limits.clone(),
    })
}

fn fault_of_shared(error: SharedStoreError) -> (&'static str, String) {
    let key = match error {
        SharedStoreError::Password(_) => "shared_store_password_file",
        _ => "shared_store",
    };
    (key, error.to_string())
}

fn ring(check: &CheckConfig) -> Result<KeyRing, String> {
    let mut builder = RingBuilder::new().skip_unreadable(check.ring_skip_unreadable);
    for path in &check.ring {
        builder.add_path(path).map_err(|error| error.to_string())?;
    }
    let ring = builder.build().map_err(|error| error.to_string())?;
    for error in ring.skipped() {
        warn!(name: "ring-file-skipped", target: "certcheck::ring", %error, "file of the ring skipped");
    }
    Ok(ring)
}

fn guard(network: &NetworkConfig) -> Guard {
    let mut guard = Guard::new().deny_private(network.deny_private).allow_tls(network.allow_https);
    for net in &network.allow_net {
        guard = guard.allow_net(*net);
    }
    for port in &network.allow_port {
        guard = guard.allow_port(*port);
    }
    guard
}
