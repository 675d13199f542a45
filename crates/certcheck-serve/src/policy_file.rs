//! Files of AT-TLS policies as the configuration of a front.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::at_tls::{KeyringName, MAX_BYTES, Permissions, ReadOptions, Severity, compile, configure};
use crate::config::{self, ConfigError, ConfigFault, Loaded, Place, PolicyListener};
use crate::ring_folders;

/// What is given the warnings about a policy, each with its place.
pub type Warn<'w> = &'w dyn Fn(&Place, &str);

/// The configuration in a file of TOML, whose listeners may name AT-TLS policies.
///
/// # Errors
/// All faults of the file. If it has none, all faults of the policies.
pub fn read_config(path: &Path, warn: Warn<'_>) -> Result<Loaded, ConfigError> {
    config::read_file_with(path, &|listener| read(listener, warn))
}

/// The configuration for a policy.
///
/// # Errors
/// Every error of the policy with its place: then nothing of it is used.
pub fn read(listener: &PolicyListener, warn: Warn<'_>) -> Result<Loaded, ConfigError> {
    let PolicyListener { file, keyring_dir, is_fragment, allow, base } = listener;
    let text = bytes(file).map_err(|error| ConfigError::of(format!("{}: {error}", file.display())))?;
    let mut permissions: Permissions = allow.iter().copied().collect();
    if !base.access.users.is_empty() {
        permissions = permissions.with_user_rules();
    }
    let policy = compile(&text, ReadOptions { fragment: *is_fragment }, &permissions);
    let mut faults = Vec::new();
    for it in policy.diagnostics.sorted() {
        let place = Place { file: file.clone(), line: it.at.line, column: it.at.column };
        match it.severity {
            Severity::Error => {
                let help = it.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                faults.push(ConfigFault::new(Some(place), format!("{}{help}", it.message)));
            }
            Severity::Warning => warn(&place, &it.message),
            Severity::Note => {}
        }
    }
    if !faults.is_empty() {
        return Err(ConfigError::new(faults));
    }
    let find = |name: &KeyringName, label: Option<&str>| ring_folders::find(keyring_dir, name, label);
    configure(&policy, file, base, find)
}

fn bytes(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
