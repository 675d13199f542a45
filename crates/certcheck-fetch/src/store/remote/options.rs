//! The options of a store on an engine across a network.

use core::fmt;
use std::path::PathBuf;
use std::time::Duration;

use certcheck_core::Time;

use super::PREFIX;
use crate::clock;
use crate::limits::FetchLimits;

/// What is said of an address with a password.
pub(in crate::store) const HAS_PASSWORD: &str =
    "a password does not belong into the address, which is shown: keep it in a file";

/// Why an address or an option of a shared store cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RemoteError(pub(in crate::store) String);

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for RemoteError {}

/// The options of a shared store, whatever its engine is.
#[derive(Clone)]
#[non_exhaustive]
pub struct RemoteOptions {
    /// Where it is: see the store for the addresses that it understands. A password is not written here.
    pub address: String,
    /// The password of the user. For NATS, the token if there is no user.
    pub password: Option<String>,
    /// The beginning of the names of all keys. The default is `cc1`.
    pub prefix: String,
    /// The largest sizes that are read and written.
    pub limits: FetchLimits,
    /// The folder for bodies that do not fit into memory. The default is the system's for temporary files.
    pub folder: PathBuf,
    /// How long a small operation may take. The default is 50 ms.
    pub patience: Duration,
    /// The clock by which times in the future are recognised, in place of the system's.
    pub clock: fn() -> Time,
}

impl RemoteOptions {
    /// The default options for a store at this address.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            password: None,
            prefix: PREFIX.to_owned(),
            limits: FetchLimits::default(),
            folder: std::env::temp_dir(),
            patience: Duration::from_millis(50),
            clock: clock::now,
        }
    }
}

/// Without the password.
impl fmt::Debug for RemoteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix, folder, patience, .. } = self;
        f.debug_struct("RemoteOptions")
            .field("address", address)
            .field("prefix", prefix)
            .field("folder", folder)
            .field("patience", patience)
            .finish_non_exhaustive()
    }
}

/// User, hosts and path of what follows the scheme of an address.
pub(in crate::store) fn parts(rest: &str) -> (Option<&str>, &str, &str) {
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    match hosts.rsplit_once('@') {
        Some((user, hosts)) => (Some(user), hosts, path),
        None => (None, hosts, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let mut options = RemoteOptions::new("redis://h");
        options.password = Some("hunter2".into());
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}
