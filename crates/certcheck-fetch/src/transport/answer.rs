//! The answer of a transport.

use serde::{Deserialize, Serialize};

use crate::transport::spool::Body;

/// What the transport says about a body.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transport {
    /// The validator of this version (RFC 9110 8.8.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The same as a time (RFC 9110 8.8.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// The time until which caches may serve it (RFC 9111 4.2), in seconds since 1970. Evidence may be asked for
    /// sooner than its nextUpdate because of it, never later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<i64>,
}

/// The longest validator (ETag, Last-Modified) that is kept, in bytes.
const MAX_VALIDATOR: usize = 256;

impl Transport {
    /// The same without validators of more than 256 bytes: the server decides their length, and each is kept in
    /// memory. Without one, the source is asked for the whole body again.
    #[must_use]
    pub(crate) fn bounded(self) -> Self {
        let bounded = |text: Option<String>| text.filter(|text| text.len() <= MAX_VALIDATOR);
        Self {
            etag: bounded(self.etag),
            last_modified: bounded(self.last_modified),
            fresh_until: self.fresh_until,
        }
    }

    /// The memory that it takes, in bytes, without the struct itself.
    pub(crate) fn memory(&self) -> usize {
        [&self.etag, &self.last_modified].into_iter().flatten().map(String::len).sum()
    }
}

/// The result of a request.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// Bodies. For LDAP they are the values of the attribute.
    Body(Vec<Body>, Transport),
    /// The evidence in memory has not changed.
    NotModified(Transport),
}
