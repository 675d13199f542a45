//! The clock of this host.

use std::time::{SystemTime, UNIX_EPOCH};

use certcheck_core::Time;

/// The clock, for what transports say. Evidence is checked by the time that is asked about.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Time::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}
