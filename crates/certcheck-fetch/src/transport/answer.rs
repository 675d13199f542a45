//! What a transport brings.

use serde::{Deserialize, Serialize};

use crate::transport::spool::Body;

/// What a transport says of what it brought.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transport {
    /// By what the server knows this version again (RFC 9110 8.8.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The same by time (RFC 9110 8.8.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Until when caches may give it out (RFC 9111 4.2), in seconds since 1970. It makes evidence be asked for sooner than
    /// its nextUpdate, never later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<i64>,
}

/// Bytes of a validator (ETag, Last-Modified) that is kept.
const MAX_VALIDATOR: usize = 256;

impl Transport {
    /// The same without validators of more than 256 bytes: the server that sent them decides how much, and each is kept in memory.
    /// Without one, the source is asked for the whole again.
    #[must_use]
    pub(crate) fn bounded(self) -> Self {
        let bounded = |text: Option<String>| text.filter(|text| text.len() <= MAX_VALIDATOR);
        Self {
            etag: bounded(self.etag),
            last_modified: bounded(self.last_modified),
            fresh_until: self.fresh_until,
        }
    }

    /// Bytes of memory that it takes beside itself.
    pub(crate) fn memory(&self) -> usize {
        [&self.etag, &self.last_modified].into_iter().flatten().map(String::len).sum()
    }
}

/// What came.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// Bytes; of LDAP, the values of the attribute.
    Body(Vec<Body>, Transport),
    /// What was known has not changed.
    NotModified(Transport),
}
