//! Why a source brought nothing.

use core::fmt;
use std::time::Duration;

use certcheck_core::status::Cause;

use crate::transport::guard::BlockedUrl;
use crate::transport::refusal::Refusal;

/// Why a source brought nothing: the core's word for it, what exactly happened, and when to come back.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The stable word.
    pub cause: Cause,
    /// What happened, for people.
    pub detail: String,
    /// When the source wants to be asked again (RFC 9110 10.2.3).
    pub retry_after: Option<Duration>,
    /// The rule by which the source is not followed, if that is why.
    pub refusal: Option<Refusal>,
    /// The host does not answer, whatever it is asked.
    pub(crate) is_of_host: bool,
    /// False if others were in the way.
    pub(crate) was_asked: bool,
}

impl Failure {
    pub(crate) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { cause, detail, retry_after: None, refusal: None, is_of_host: false, was_asked: true }
    }

    /// The guard, or what is spoken, does not go there.
    pub(crate) fn blocked(why: impl Into<BlockedUrl>) -> Self {
        let why = why.into();
        Self { refusal: Some(why.refusal.clone()), ..Self::new(Cause::RefusedAddress, why.to_string()) }
    }

    /// Nothing came, by no fault of the host that is known.
    pub(crate) fn unreachable(detail: impl Into<String>) -> Self {
        Self::new(Cause::Unreachable, detail)
    }

    /// Others were in the way.
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
