//! What a server can send that is not NATS, or more than is taken.

use core::fmt;

use crate::store::remote::{Failed, Trouble};

/// What is wrong with bytes of a server. Nothing after them can be understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    LongLine,
    /// A line that ends without a carriage return.
    LineEnd,
    Verb,
    /// A line about a message with fields that are missing, or with numbers that are none.
    MessageLine,
    TooLarge,
    /// Bytes after a message that are not the end of a line.
    MessageEnd,
    /// A message of a subscription that was never made.
    Subscription,
    Info,
    /// Bytes after INFO and before TLS: they would count as sent by the server that TLS proves to be there.
    BeforeTls,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LongLine => "the server sent a line that is too long",
            Self::LineEnd => "the server sent a line without its end",
            Self::Verb => "the server sent a line that is not of NATS",
            Self::MessageLine => "the server sent a message with bad fields",
            Self::TooLarge => "the server sent a message larger than NATS allows",
            Self::MessageEnd => "the server sent a message of another length than it said",
            Self::Subscription => "the server sent a message that nothing was subscribed for",
            Self::Info => "the server sent an INFO that cannot be parsed",
            Self::BeforeTls => "there was more than an INFO before TLS",
        })
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { trouble: Trouble::Other, detail: fault.to_string() }
    }
}
