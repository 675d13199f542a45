//! A shared store as a configuration names it: by an address, and the file that has its password.

use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{DiskStore, Store};
use crate::limits::FetchLimits;

/// What a configuration says of a shared store.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by its users, field by field")]
pub struct SharedStore {
    /// Its address, as in `RedisOptions::address`.
    pub address: String,
    /// The file that has the password.
    pub password_file: Option<PathBuf>,
    /// The largest sizes that are read and written.
    pub limits: FetchLimits,
}

/// Why a shared store cannot be opened.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SharedStoreError {
    /// The address is none.
    Address(String),
    /// The file of the password cannot be used.
    Password(String),
    /// This program is built without shared stores.
    NotBuilt,
}

impl fmt::Display for SharedStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) | Self::Password(why) => f.write_str(why),
            Self::NotBuilt => {
                f.write_str("this build has no shared stores: build it with `--features store-redis`")
            }
        }
    }
}

impl core::error::Error for SharedStoreError {}

impl SharedStore {
    /// Opens the store, behind the disk store of this host if it has one. It is connected to when it is first used.
    ///
    /// # Errors
    /// If the address or the file of the password cannot be used, or if this program is built without the feature
    /// `store-redis`.
    pub fn open(&self, near: Option<DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        #[cfg(feature = "store-redis")]
        {
            self.open_redis(near)
        }
        #[cfg(not(feature = "store-redis"))]
        {
            drop(near);
            Err(SharedStoreError::NotBuilt)
        }
    }

    #[cfg(feature = "store-redis")]
    fn open_redis(&self, near: Option<DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        let mut options = super::RedisOptions::new(self.address.as_str());
        options.password = self.password_file.as_deref().map(password).transpose()?;
        options.limits = self.limits.clone();
        if let Some(folder) = near.as_ref().and_then(Store::folder) {
            options.folder = folder.to_owned();
        }
        let far = super::RedisStore::new(options);
        let far = far.map_err(|error| SharedStoreError::Address(error.to_string()))?;
        Ok(match near {
            Some(near) => Arc::new(super::Layered::new(Arc::new(near), Arc::new(far))),
            None => Arc::new(far),
        })
    }
}

/// The password in a file, without white space around it.
#[cfg(feature = "store-redis")]
fn password(path: &std::path::Path) -> Result<String, SharedStoreError> {
    use std::io::Read as _;

    /// The longest password, in bytes.
    const MOST: u64 = 4_096;
    let fault = |what: &dyn fmt::Display| SharedStoreError::Password(format!("{}: {what}", path.display()));
    // A pipe would be waited for.
    if std::fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return Err(fault(&"it is not a regular file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_string(&mut text))
        .map_err(|error| fault(&format_args!("it cannot be read: {error}")))?;
    let password = text.trim();
    if password.is_empty() || text.len() as u64 > MOST {
        return Err(fault(&format_args!("a password has 1 to {MOST} bytes")));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(address: &str, password_file: Option<PathBuf>) -> SharedStore {
        SharedStore { address: address.to_owned(), password_file, limits: FetchLimits::default() }
    }

    #[cfg(not(feature = "store-redis"))]
    #[test]
    fn a_build_without_shared_stores_says_so() {
        let error = shared("redis://h", None).open(None).expect_err("not built");
        assert_eq!(error, SharedStoreError::NotBuilt);
    }

    #[cfg(feature = "store-redis")]
    #[test]
    fn what_can_be_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        assert!(shared("redis://h", None).open(None).is_ok());
        assert!(shared("redis://:x@h", None).open(None).is_err());
        for (content, is_good) in
            [("secret\n", true), ("", false), ("\n", false), (&*"x".repeat(5_000), false)]
        {
            std::fs::write(&path, content).expect("written");
            let opened = shared("redis://h", Some(path.clone())).open(None);
            assert_eq!(opened.is_ok(), is_good, "{content}");
        }
        assert!(shared("redis://h", Some(folder.path().to_owned())).open(None).is_err());
        let near = DiskStore::open(&folder.path().join("near"), super::super::DiskOptions::default());
        let both = shared("redis://h", None).open(near.ok()).expect("opens");
        assert!(both.folder().is_some_and(|own| own.starts_with(folder.path())));
    }
}
