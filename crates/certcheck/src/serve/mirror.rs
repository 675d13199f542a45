//! The configuration of a mirror alone, from flags.

use certcheck_serve::config::{
    AdminConfig, ConfigError, Loaded, MirrorConfig, NetworkConfig, Origins, ProxyFor, Section, ServeConfig,
    ValueOrigin,
};

use crate::flags::{MirrorArguments, ProxyFlag};

/// The configuration that these flags give.
///
/// # Errors
/// If they contradict each other.
pub(super) fn configuration(arguments: &MirrorArguments) -> Result<Loaded, ConfigError> {
    let mut mirror = MirrorConfig::default();
    mirror.listen.clone_from(&arguments.listen);
    mirror.clients.clone_from(&arguments.client);
    mirror.sources.clone_from(&arguments.source);
    mirror.hosts.clone_from(&arguments.host);
    mirror.tree.clone_from(&arguments.tree);
    mirror.refresh = arguments.refresh;
    mirror.check.ring.clone_from(&arguments.ring);
    mirror.check.network = network(arguments);
    let mut origins = Origins::default();
    for (key, flag) in [("listen", "--listen"), ("ring", "--ring"), ("cache_dir", "--cache-dir")] {
        origins.note(Section::Mirror, key, ValueOrigin::Flag(flag.to_owned()));
    }
    let admin = AdminConfig { listen: arguments.admin.iter().cloned().collect(), allow_remote: false };
    let config = ServeConfig { mirror: Some(mirror), admin, ..ServeConfig::default() };
    Loaded::new(config, origins)
}

fn network(arguments: &MirrorArguments) -> NetworkConfig {
    let reach = &arguments.reach;
    NetworkConfig {
        cache_dir: arguments.cache_dir.clone(),
        proxy: match &reach.proxy {
            None => ProxyFor::None,
            Some(ProxyFlag::Environment) => ProxyFor::Environment,
            Some(ProxyFlag::Url(url)) => ProxyFor::Url(url.clone()),
        },
        mirrors: reach.mirror.clone(),
        allow_net: reach.allow_net.clone(),
        allow_port: reach.allow_port.clone(),
        deny_private: reach.deny_private,
        allow_https: reach.allow_https,
        ldap_server: reach.ldap_server.clone(),
        ..NetworkConfig::default()
    }
}
