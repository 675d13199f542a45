//! What is wrong with a configuration, each fault with its place.

use core::fmt;
use std::path::PathBuf;

/// A place in a file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "a place has these three parts")]
pub struct Place {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// One fault.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct ConfigFault {
    /// Where it is. `None` if it is in no file.
    pub place: Option<Place>,
    /// What is wrong, what is allowed, and what may be meant.
    pub message: String,
}

impl ConfigFault {
    /// A fault at a place.
    #[must_use]
    pub const fn new(place: Option<Place>, message: String) -> Self {
        Self { place, message }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a configuration cannot be used: all of its faults, in the order of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(Vec<ConfigFault>);

impl ConfigError {
    /// An error of these faults.
    #[must_use]
    pub fn new(mut faults: Vec<ConfigFault>) -> Self {
        faults.sort();
        faults.dedup();
        Self(faults)
    }

    /// An error of one fault that is in no file.
    #[must_use]
    pub fn of(message: impl Into<String>) -> Self {
        Self(vec![ConfigFault::new(None, message.into())])
    }

    /// The faults, at least one.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        &self.0
    }
}

/// One line for each fault.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigError {}
