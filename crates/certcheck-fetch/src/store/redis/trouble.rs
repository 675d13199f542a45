//! Why the engine could not be used, for logs and metrics.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};
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
        // Of several commands, the first that failed.
        if let Some(errors) = error.clone().into_server_errors()
            && let Some((_, first)) = errors.first()
        {
            return Self::of_answer(first);
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::Denied,
            ErrorKind::Io if error.is_timeout() => Self::Slow,
            ErrorKind::Io
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::Parse => Self::Unreachable,
            _ => Self::Other,
        }
    }

    fn of_answer(error: &ServerError) -> Self {
        match error.kind() {
            Some(ServerErrorKind::BusyLoading) => return Self::Loading,
            Some(ServerErrorKind::ReadOnly) => return Self::ReadOnly,
            Some(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot) => {
                return Self::Moved;
            }
            Some(ServerErrorKind::NoPerm) => return Self::Denied,
            Some(ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain) => {
                return Self::Unreachable;
            }
            _ => {}
        }
        match error.code() {
            "OOM" => return Self::Full,
            "WRONGTYPE" => return Self::WrongType,
            "NOAUTH" | "WRONGPASS" => return Self::Denied,
            _ => {}
        }
        // The error of a command that a script ran: some engines give the script's code and have the command's in the
        // text.
        let detail = error.details().unwrap_or_default();
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
            Self::Loading => "it is loading its data and will answer soon",
            Self::ReadOnly => "it is a replica that takes no writes: name the primary, or the sentinels",
            Self::Moved => "it is part of a cluster: name it with redis+cluster://",
            Self::Full => "it has no memory left: raise maxmemory, or set a maxmemory-policy that evicts",
            Self::Denied => "it refuses this user: see the password and the rights of the user",
            Self::WrongType => "one of its keys has a value of another program",
            Self::Other => "it gave an answer that is not expected",
        }
    }

    /// Whether the connection cannot be used any more.
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

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn each_error_has_its_name() {
        for (answer, code) in [
            ("-LOADING Redis is loading the dataset in memory", "loading"),
            ("-READONLY You can't write against a read only replica.", "read-only"),
            (
                "-READONLY You can't write against a read only replica. script: 7f92, on @user_script:12.",
                "read-only",
            ),
            ("-ERR user_script:2: -READONLY You can't write against a read only replica.", "read-only"),
            ("-MOVED 3999 127.0.0.1:6381", "moved"),
            ("-CROSSSLOT Keys in request don't hash to the same slot", "moved"),
            ("-CLUSTERDOWN Hash slot not served", "unreachable"),
            ("-MASTERDOWN Link with MASTER is down", "unreachable"),
            ("-OOM command not allowed when used memory > 'maxmemory'.", "full"),
            ("-ERR user_script:9: OOM command not allowed when used memory > 'maxmemory'.", "full"),
            ("-WRONGTYPE Operation against a key holding the wrong kind of value", "wrong-type"),
            ("-NOAUTH Authentication required.", "denied"),
            ("-NOPERM this user has no permissions to run the 'eval' command", "denied"),
            ("-ERR unknown command 'EVALSHA'", "other"),
            ("-MISCONF Redis is configured to save RDB snapshots", "other"),
        ] {
            let value = parse_redis_value(format!("{answer}\r\n").as_bytes()).expect("an answer");
            let error = value.extract_error().expect_err("an error");
            assert_eq!(Trouble::of(&error).code(), code, "{answer}");
        }
    }

    #[test]
    fn trouble_with_the_connection() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(Trouble::of(&refused.into()), Trouble::Unreachable);
        let slow = std::io::Error::from(std::io::ErrorKind::TimedOut);
        assert_eq!(Trouble::of(&slow.into()), Trouble::Slow);
    }
}
