//! The configuration of a front, from an AT-TLS policy.

use std::path::Path;

use certcheck_serve::config::{ConfigError, ListenerConfig, Loaded, Place, PolicyListener};
use certcheck_serve::policy_file;

use crate::flags::{AtTlsArguments, QuickArguments};
use crate::visible;

/// The configuration for the policy in a file, with what flags say of its surroundings. Warnings are printed.
///
/// # Errors
/// Every error of the policy with its place: then nothing of it is used.
pub(super) fn configuration(
    file: &Path,
    arguments: &AtTlsArguments,
    quick: &QuickArguments,
) -> Result<Loaded, ConfigError> {
    let (Some(upstream), Some(rings)) = (&quick.upstream, &arguments.keyring_dir) else {
        return Err(ConfigError::of("--at-tls needs --upstream and --keyring-dir"));
    };
    let mut base = ListenerConfig::new("", upstream.clone());
    base.allow_remote_upstream = quick.allow_remote_upstream;
    base.check.crl.clone_from(&quick.crl);
    base.check.network.allow_net.clone_from(&quick.allow_net);
    base.check.network.cache_dir.clone_from(&quick.cache_dir);
    if let Some(version) = quick.proxy_protocol {
        base.proxy_protocol.version = version.into();
    }
    let listener = PolicyListener {
        file: file.to_owned(),
        keyring_dir: rings.clone(),
        is_fragment: arguments.fragment,
        allow: arguments.allow.clone(),
        base,
    };
    policy_file::read(&listener, &warn)
}

/// Prints a warning about a policy.
pub(super) fn warn(place: &Place, message: &str) {
    let _unwritten = visible::warn(format_args!("{place}: {message}"));
}
