//! Why the engine could not be used, for logs and metrics.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::metrics as names;
use crate::printable::printable;
use crate::store::StoreError;

/// How often each kind of trouble is logged.
const BETWEEN_LOGS: Duration = Duration::from_secs(60);

/// Why the engine could not be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    not(all(feature = "store-redis", feature = "store-nats")),
    expect(dead_code, reason = "each kind of engine has some of its own")
)]
pub(in crate::store) enum Trouble {
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    Slow,
    Loading,
    ReadOnly,
    Moved,
    Full,
    Denied,
    /// It takes connections over TLS alone.
    NeedsTls,
    /// There is no bucket, and it cannot be made.
    NoBucket,
    /// A key has a value that we do not write there.
    WrongType,
    /// Any other error, or an answer that is not one to the question.
    Other,
}

impl Trouble {
    /// The name in logs and metrics.
    pub(in crate::store) const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Loading => "loading",
            Self::ReadOnly => "read-only",
            Self::Moved => "moved",
            Self::Full => "full",
            Self::Denied => "denied",
            Self::NeedsTls => "needs-tls",
            Self::NoBucket => "no-bucket",
            Self::WrongType => "wrong-type",
            Self::Other => "other",
        }
    }

    /// What it means, and what helps.
    pub(in crate::store) const fn hint(self) -> &'static str {
        match self {
            Self::Unreachable => "there is no connection to it",
            Self::Slow => "it did not answer in time",
            Self::Loading => "it is loading its data and will answer soon",
            Self::ReadOnly => "it is a replica that takes no writes: name the primary, or the sentinels",
            Self::Moved => "it is part of a cluster: name it with redis+cluster://",
            Self::Full => "it is full: raise its limit (maxmemory, max_bytes), or let it drop what is old",
            Self::NoBucket => "it has no such bucket, and it could not be made",
            Self::NeedsTls => "it demands TLS: name it with tls:// in place of nats://",
            Self::Denied => "it refuses this user: see the password and the rights of the user",
            Self::WrongType => "one of its keys has a value of another program",
            Self::Other => "it gave an answer that is not expected",
        }
    }

    /// Whether the connection cannot be used any more.
    pub(in crate::store) const fn is_of_link(self) -> bool {
        matches!(self, Self::Unreachable | Self::Slow | Self::NoBucket)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(trouble.hint())
    }
}

/// Counts each trouble, and logs each kind once a minute.
#[derive(Debug, Default)]
pub(in crate::store) struct Troubles {
    logged: Mutex<HashMap<Trouble, Instant>>,
}

impl Troubles {
    pub(in crate::store) fn note(&self, trouble: Trouble, detail: &str) {
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
