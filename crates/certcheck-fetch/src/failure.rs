//! Why a source brought no evidence.

use core::fmt;
use std::time::Duration;

use certcheck_core::status::Cause;

use crate::transport::guard::BlockedUrl;
use crate::transport::refusal::Refusal;

/// Why a source brought no evidence: the cause, what happened exactly, and when to ask again.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The cause, as in reports.
    pub cause: Cause,
    /// What happened, for people.
    pub detail: String,
    /// When the source wants to be asked again (RFC 9110 10.2.3).
    pub retry_after: Option<Duration>,
    /// The rule by which the guard refuses the source, if that is the cause.
    pub refusal: Option<Refusal>,
    /// The host does not answer any request.
    pub(crate) is_of_host: bool,
    /// False if the source was not asked because of other fetches.
    pub(crate) was_asked: bool,
}

impl Failure {
    pub(crate) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { cause, detail, retry_after: None, refusal: None, is_of_host: false, was_asked: true }
    }

    /// The guard or the protocol does not allow the source.
    pub(crate) fn blocked(why: impl Into<BlockedUrl>) -> Self {
        let why = why.into();
        Self { refusal: Some(why.refusal.clone()), ..Self::new(Cause::RefusedAddress, why.to_string()) }
    }

    /// Nothing was received, and the host is not known to be at fault.
    pub(crate) fn unreachable(detail: impl Into<String>) -> Self {
        Self::new(Cause::Unreachable, detail)
    }

    /// The source was not asked because of other fetches.
    pub(crate) fn not_asked(detail: impl Into<String>) -> Self {
        Self { was_asked: false, ..Self::unreachable(detail) }
    }

    /// The host does not answer.
    pub(crate) fn silent(detail: impl Into<String>) -> Self {
        Self { is_of_host: true, ..Self::unreachable(detail) }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Cause::Malformed, detail)
    }

    pub(crate) fn too_large(max: u64) -> Self {
        Self::new(Cause::TooLarge, format!("more than {max} bytes"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause.code(), self.detail)
    }
}

impl core::error::Error for Failure {}
