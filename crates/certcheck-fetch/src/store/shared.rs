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
    /// Its address, as `RedisStore::new` or `NatsStore::new` understands it.
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
    /// This program is built without stores on this kind of engine: the feature that it would need.
    NotBuilt(&'static str),
}

impl fmt::Display for SharedStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) | Self::Password(why) => f.write_str(why),
            Self::NotBuilt(feature) => {
                write!(f, "this build has no such shared stores: build it with `--features {feature}`")
            }
        }
    }
}

impl core::error::Error for SharedStoreError {}

impl SharedStore {
    /// Opens the store, behind the disk store of this host if it has one. It is connected to when it is first used.
    ///
    /// # Errors
    /// If the address or the file of the password cannot be used, or if this program is built without the feature that the address needs:
    /// `store-redis` or `store-nats`.
    pub fn open(&self, near: Option<DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        let is_nats = self.address.starts_with("nats://") || self.address.starts_with("tls://");
        let far = if is_nats { self.open_nats(near.as_ref())? } else { self.open_redis(near.as_ref())? };
        Ok(match near {
            Some(near) => Arc::new(super::Layered::new(Arc::new(near), far)),
            None => far,
        })
    }

    #[cfg(any(feature = "store-redis", feature = "store-nats"))]
    fn options(&self, near: Option<&DiskStore>) -> Result<super::RemoteOptions, SharedStoreError> {
        let mut options = super::RemoteOptions::new(self.address.as_str());
        options.password = self.password_file.as_deref().map(password).transpose()?;
        options.limits = self.limits.clone();
        if let Some(folder) = near.and_then(Store::folder) {
            options.folder = folder.to_owned();
        }
        Ok(options)
    }

    #[cfg(feature = "store-redis")]
    fn open_redis(&self, near: Option<&DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        Ok(Arc::new(super::RedisStore::new(self.options(near)?)?))
    }

    #[cfg(not(feature = "store-redis"))]
    #[expect(clippy::unused_self, reason = "the other build of it needs it")]
    const fn open_redis(&self, _: Option<&DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        Err(SharedStoreError::NotBuilt("store-redis"))
    }

    #[cfg(feature = "store-nats")]
    fn open_nats(&self, near: Option<&DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        Ok(Arc::new(super::NatsStore::new(self.options(near)?)?))
    }

    #[cfg(not(feature = "store-nats"))]
    #[expect(clippy::unused_self, reason = "the other build of it needs it")]
    const fn open_nats(&self, _: Option<&DiskStore>) -> Result<Arc<dyn Store>, SharedStoreError> {
        Err(SharedStoreError::NotBuilt("store-nats"))
    }
}

#[cfg(any(feature = "store-redis", feature = "store-nats"))]
impl From<super::RemoteError> for SharedStoreError {
    fn from(error: super::RemoteError) -> Self {
        Self::Address(error.to_string())
    }
}

/// The password in a file, without white space around it.
#[cfg(any(feature = "store-redis", feature = "store-nats"))]
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

    #[test]
    fn a_build_without_an_engine_says_so() {
        for (address, feature, is_built) in [
            ("redis://h", "store-redis", cfg!(feature = "store-redis")),
            ("nats://h", "store-nats", cfg!(feature = "store-nats")),
            ("tls://h", "store-nats", cfg!(feature = "store-nats")),
        ] {
            let opened = shared(address, None).open(None).map(drop);
            let expected = if is_built { Ok(()) } else { Err(SharedStoreError::NotBuilt(feature)) };
            assert_eq!(opened, expected, "{address}");
        }
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
