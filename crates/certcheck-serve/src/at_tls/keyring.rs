//! The names of key rings, and the folders that they stand for.
//!
//! A ring `USER/ring` is the folder `USER/ring` below the folder of all rings. A name has two parts of the letters that
//! RACF allows, so it cannot lead to another place.

use core::fmt;
use std::path::{Path, PathBuf};

/// The longest user name.
const MAX_USER: usize = 8;
/// The longest name of a ring.
const MAX_RING: usize = 237;

/// The name of a key ring.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyringName {
    /// A ring of the user that the server runs as.
    Own(String),
    /// A ring of a user.
    Ring {
        /// The user.
        user: String,
        /// The ring.
        ring: String,
    },
    /// All certificates of a user.
    OfUser(String),
    /// All certificates of authorities: `*AUTH*/*`.
    Authorities,
    /// All certificates of sites: `*SITE*/*`.
    Sites,
}

impl KeyringName {
    /// A ring by its name in a policy.
    ///
    /// # Errors
    /// Why the name cannot be that of a ring in a folder.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.starts_with('/') || name.starts_with('.') {
            return Err("key databases in files are not read".to_owned());
        }
        match name.split_once('/') {
            None => part(name, MAX_RING).map(Self::Own),
            Some(("*AUTH*", "*")) => Ok(Self::Authorities),
            Some(("*SITE*", "*")) => Ok(Self::Sites),
            Some(("*TOKEN*", _)) => Err("PKCS #11 tokens are not read".to_owned()),
            Some((user, "*")) => part(user, MAX_USER).map(Self::OfUser),
            Some((user, ring)) => Ok(Self::Ring { user: part(user, MAX_USER)?, ring: part(ring, MAX_RING)? }),
        }
    }

    /// Its folder below the folder of all rings, and other names that it may have there.
    #[must_use]
    pub fn folders(&self, rings: &Path) -> Vec<PathBuf> {
        let named = |names: [&str; 2]| names.map(|name| rings.join(name)).to_vec();
        match self {
            Self::Own(ring) => vec![rings.join(ring)],
            Self::Ring { user, ring } => vec![rings.join(user).join(ring)],
            Self::OfUser(user) => ["ALL", "*"].map(|name| rings.join(user).join(name)).to_vec(),
            Self::Authorities => named(["AUTH", "*AUTH*"]),
            Self::Sites => named(["SITE", "*SITE*"]),
        }
    }
}

impl fmt::Display for KeyringName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(ring) => f.write_str(ring),
            Self::Ring { user, ring } => write!(f, "{user}/{ring}"),
            Self::OfUser(user) => write!(f, "{user}/*"),
            Self::Authorities => f.write_str("*AUTH*/*"),
            Self::Sites => f.write_str("*SITE*/*"),
        }
    }
}

/// A part of a name: a file name on every system, and never one that leads elsewhere.
fn part(text: &str, longest: usize) -> Result<String, String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "$@_-.~".contains(letter);
    let length = text.chars().count();
    if let Some(letter) = text.chars().find(|letter| !is_allowed(*letter)) {
        return Err(format!("`{}` cannot be in the name of a user or ring", letter.escape_default()));
    }
    if text.is_empty() || text.starts_with('.') {
        return Err("a user or ring has a name that does not begin with a dot".to_owned());
    }
    if length > longest {
        return Err(format!("`{text}` has {length} characters; at most {longest} are allowed"));
    }
    Ok(text.to_owned())
}
