//! Errors of key rings.

use core::fmt;

use super::no_anchor::NoAnchor;
use crate::encoding::EncodingFault;

/// The most certificates of a ring, more than any real one has.
pub(super) const MAX_CERTIFICATES: usize = 200_000;

/// Why a ring is refused, and which file caused it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RingError {
    /// The file or other source.
    pub source: String,
    /// The fault.
    pub fault: RingFault,
}

/// A fault in a part of a ring.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RingFault {
    /// A file that cannot be read.
    Unreadable(String),
    /// A file whose content cannot be parsed.
    Content(EncodingFault),
    /// Settings that cannot be parsed, or that are for an anchor that is not in the ring.
    Settings(SettingsFault),
    /// A directory where a file is expected, or one with another name than anchors, intermediates or distrusted.
    UnexpectedDirectory,
    /// A directory without certificates in a flat ring. It is skipped, and does not refuse the ring.
    NoCertificates,
    /// A file that is larger than a file of a ring may be.
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

/// Why settings are refused. Settings restrict trust, so nothing in them is skipped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsFault(pub(crate) String);

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for SettingsFault {}
