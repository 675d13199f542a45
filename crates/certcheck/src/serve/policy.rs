//! The configuration of a front, from an AT-TLS policy.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use certcheck_serve::at_tls::{
    KeyringName, MAX_BYTES, Permissions, ReadOptions, Severity, compile, configure,
};
use certcheck_serve::config::{ConfigError, ConfigFault, ListenerConfig, Loaded, Place};
use certcheck_serve::ring_folders;

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
    let text = read(file).map_err(|error| ConfigError::of(format!("{}: {error}", file.display())))?;
    let permissions: Permissions = arguments.allow.iter().copied().collect();
    let policy = compile(&text, ReadOptions { fragment: arguments.fragment }, &permissions);
    let mut faults = Vec::new();
    for it in policy.diagnostics.sorted() {
        let place = Place { file: file.to_owned(), line: it.at.line, column: it.at.column };
        match it.severity {
            Severity::Error => {
                let help = it.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                faults.push(ConfigFault::new(Some(place), format!("{}{help}", it.message)));
            }
            Severity::Warning => {
                let _unwritten = visible::warn(format_args!("{place}: {}", it.message));
            }
            _ => {}
        }
    }
    if !faults.is_empty() {
        return Err(ConfigError::new(faults));
    }
    let mut base = ListenerConfig::new("", upstream.clone());
    base.allow_remote_upstream = quick.allow_remote_upstream;
    base.check.crl.clone_from(&quick.crl);
    base.check.network.allow_net.clone_from(&quick.allow_net);
    base.check.network.cache_dir.clone_from(&quick.cache_dir);
    if let Some(version) = quick.proxy_protocol {
        base.proxy_protocol.version = version.into();
    }
    let find = |name: &KeyringName, label: Option<&str>| ring_folders::find(rings, name, label);
    configure(&policy, file, &base, find)
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
