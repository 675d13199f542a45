//! Why a connection was not admitted.

use core::fmt;
use std::io;

use rustls::Error as TlsError;

use crate::refused::Refused;

/// Why a connection was not admitted.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The client is not let in. It was told so by an alert.
    Refused(Box<Refused>),
    /// The handshake failed for another reason, or the transport did.
    Handshake(io::Error),
    /// Time ran out before the handshake was over.
    Deadline,
    /// As many connections as may be were pending, until this one's time ran out.
    Busy,
}

impl AcceptError {
    /// The stable word: the reason's code, `no-certificate`, `deadline`, `busy`, or `handshake` for all else that goes wrong
    /// in one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Handshake(error) => match error.get_ref().and_then(|error| error.downcast_ref()) {
                Some(TlsError::NoCertificatesPresented) => "no-certificate",
                _ => "handshake",
            },
            Self::Deadline => "deadline",
            Self::Busy => "busy",
        }
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => write!(f, "{refused}"),
            Self::Handshake(error) => write!(f, "{}: {error}", self.code()),
            Self::Deadline => f.write_str("deadline: the handshake took too long"),
            Self::Busy => {
                f.write_str("busy: too many handshakes are pending; raise the limit or add servers")
            }
        }
    }
}

impl core::error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Handshake(error) => Some(error),
            Self::Deadline | Self::Busy => None,
        }
    }
}
