//! Why a connection was not admitted.

use core::fmt;
use std::io;

use certcheck_fetch::printable;
use rustls::Error as TlsError;

use crate::refused::Refused;

/// Why a connection was not admitted.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The client's certificate is not good. The client was sent the alert for the reason.
    Refused(Box<Refused>),
    /// The handshake failed for another reason, or the transport did.
    Handshake(io::Error),
    /// Time ran out before the handshake was over.
    Deadline,
    /// The limit of pending connections was reached until this one's time ran out.
    Busy,
}

impl AcceptError {
    /// The stable code: that of the reason, `no-certificate`, `deadline`, `busy`, or `handshake` for any other fault
    /// of a handshake.
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

impl AcceptError {
    /// What happened, without the code.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Refused(refused) => refused.report().message().unwrap_or_default(),
            Self::Handshake(_) if self.code() == "no-certificate" => {
                "the client sent no certificate".to_owned()
            }
            Self::Handshake(error) => error.to_string(),
            Self::Deadline => "the handshake was not over before the deadline".to_owned(),
            Self::Busy => "too many handshakes were pending until the deadline".to_owned(),
        }
    }

    /// What to do about it, in terms of this API. `None` if nothing is known that would help.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Refused(refused) => return refused.report().advice(),
            Self::Handshake(_) if self.code() == "no-certificate" => {
                "have the client send a certificate, or accept clients without one with `ClientAuth::IfSent`"
            }
            Self::Handshake(_) => return None,
            Self::Deadline => "raise `AcceptLimits::deadline` if clients need longer",
            Self::Busy => "raise `AcceptLimits::pending`, or add servers",
        };
        Some(text.to_owned())
    }
}

/// One line: the code, what happened, and what to do.
impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Refused(refused) = self {
            return write!(f, "{refused}");
        }
        write!(f, "{}: {}", self.code(), printable(self.detail()))?;
        match self.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
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
