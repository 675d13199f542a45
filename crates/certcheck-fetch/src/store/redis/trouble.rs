//! Why the engine could not be used, for logs and metrics.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::Instant;
use tracing::warn;

use crate::metrics as names;
use crate::printable::printable;
use crate::store::StoreError;

/// How often each kind of trouble is logged.
const BETWEEN_LOGS: Duration = Duration::from_secs(60);

/// Why the engine could not be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Trouble {
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    Slow,
    /// It was in trouble a moment ago, and has not been found well since.
    Paused,
    Loading,
    ReadOnly,
    Moved,
    Full,
    Denied,
    /// A key has a value that we do not write there.
    WrongType,
    /// Any other error, or an answer that is not one to the question.
    Other,
}

impl Trouble {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(kind) => match kind {
                ServerErrorKind::BusyLoading => Self::Loading,
                ServerErrorKind::ReadOnly => Self::ReadOnly,
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot => Self::Moved,
                ServerErrorKind::NoPerm => Self::Denied,
                ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain => {
                    Self::Unreachable
                }
                _ => Self::in_script(error),
            },
            ErrorKind::AuthenticationFailed => Self::Denied,
            ErrorKind::Io if error.is_timeout() => Self::Slow,
            ErrorKind::Io
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::Parse => Self::Unreachable,
            _ => Self::in_script(error),
        }
    }

    /// The error of a command that a script ran: some engines give the script's code and have the command's in the text.
    fn in_script(error: &RedisError) -> Self {
        match error.code() {
            Some("OOM") => return Self::Full,
            Some("WRONGTYPE") => return Self::WrongType,
            Some("NOAUTH" | "WRONGPASS") => return Self::Denied,
            _ => {}
        }
        let detail = error.detail().unwrap_or_default();
        for (word, trouble) in [
            ("OOM", Self::Full),
            ("WRONGTYPE", Self::WrongType),
            ("READONLY", Self::ReadOnly),
            ("NOPERM", Self::Denied),
            ("ACL failure", Self::Denied),
        ] {
            if detail.contains(word) {
                return trouble;
            }
        }
        Self::Other
    }

    /// The name in logs and metrics.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Paused => "paused",
            Self::Loading => "loading",
            Self::ReadOnly => "read-only",
            Self::Moved => "moved",
            Self::Full => "full",
            Self::Denied => "denied",
            Self::WrongType => "wrong-type",
            Self::Other => "other",
        }
    }

    /// What it means, and what helps.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Unreachable => "there is no connection to it",
            Self::Slow => "it did not answer in time",
            Self::Paused => "it failed a moment ago, and is being tried in the background",
            Self::Loading => "it is loading its data and will answer soon",
            Self::ReadOnly => "it is a replica that takes no writes: name the primary, or the sentinels",
            Self::Moved => "it is part of a cluster: name it with redis+cluster://",
            Self::Full => "it has no memory left: raise maxmemory, or set a maxmemory-policy that evicts",
            Self::Denied => "it refuses this user: see the password and the rights of the user",
            Self::WrongType => "one of its keys has a value of another program",
            Self::Other => "it gave an answer that is not expected",
        }
    }

    /// Whether the connection is of no use any more.
    pub(super) const fn is_of_link(self) -> bool {
        matches!(self, Self::Unreachable | Self::Slow)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(trouble.hint())
    }
}

/// Counts each trouble, and logs each kind once a minute.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    logged: Mutex<HashMap<Trouble, Instant>>,
}

impl Troubles {
    pub(super) fn note(&self, trouble: Trouble, detail: &str) {
        if trouble == Trouble::Paused {
            return;
        }
        metrics::counter!(names::STORE_UNAVAILABLE, "why" => trouble.code()).increment(1);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if logged.get(&trouble).is_some_and(|last| now.duration_since(*last) < BETWEEN_LOGS) {
            return;
        }
        logged.insert(trouble, now);
        drop(logged);
        warn!(
            name: "store-unavailable", target: "certcheck::store",
            why = trouble.code(), hint = trouble.hint(), detail = %printable(detail),
            "shared store not used; evidence is fetched instead"
        );
    }
}
