//! Why a ring is refused.

use core::fmt;

use super::no_anchor::NoAnchor;
use crate::encoding::EncodingFault;

/// More certificates than any ring has.
pub(super) const MAX_CERTIFICATES: usize = 200_000;

/// Why a ring is refused, and which file is to blame.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RingError {
    /// The file or other source.
    pub source: String,
    /// What is wrong with it.
    pub fault: RingFault,
}

/// What is wrong with a part of a ring.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RingFault {
    /// The file cannot be read.
    Unreadable(String),
    /// Its content cannot.
    Content(EncodingFault),
    /// The settings cannot, or speak of an anchor that is not there.
    Settings(SettingsFault),
    /// A directory where a file is due, or another name than anchors, intermediates, distrusted.
    UnexpectedDirectory,
    /// A directory in a flat ring that holds no certificates. It refuses no ring: it is passed over.
    NoCertificates,
    /// A file that is larger than ring files may be.
    TooLarge {
        /// The bound, in bytes.
        max: u64,
    },
    /// More certificates than a ring may have.
    TooMany,
    /// A ring without an anchor: with it, no certificate could be accepted. [`RingError::source`] lists what was added.
    NoAnchor(Box<NoAnchor>),
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.fault)
    }
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(message) => f.write_str(message),
            Self::Content(fault) => write!(f, "{fault}"),
            Self::Settings(fault) => write!(f, "{fault}"),
            Self::UnexpectedDirectory => f.write_str(
                "unexpected directory: a ring has either files alone, or the directories anchors/, intermediates/ and \
                 distrusted/",
            ),
            Self::NoCertificates => f.write_str("a directory without certificates"),
            Self::TooLarge { max } => write!(f, "larger than {max} bytes, the limit for a file of a ring"),
            Self::NoAnchor(looked_at) => write!(f, "{looked_at}"),
            Self::TooMany => write!(f, "the ring has more than {MAX_CERTIFICATES} certificates, its limit"),
        }
    }
}

impl core::error::Error for RingError {}

/// Why settings are refused. Settings restrict trust, so that nothing in them is passed over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsFault(pub(crate) String);

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for SettingsFault {}
