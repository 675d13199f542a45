//! The status of a certificate, the sources that were asked about it, and the evidence that did not count.

use certcheck_core::Time;
use certcheck_core::revocation::Considered;
use certcheck_core::status::{Means, Status};
use certcheck_fetch::{Origin, SourceTried};
use serde::Serialize;

/// The status of a certificate, and the evidence for it.
#[derive(Serialize)]
pub(crate) struct RevocationObject {
    pub(crate) status: &'static str,
    pub(crate) basis: Option<&'static str>,
    pub(crate) source: Option<String>,
    pub(crate) from: Option<&'static str>,
    pub(crate) this_update: Option<String>,
    pub(crate) next_update: Option<String>,
    pub(crate) revoked_at: Option<String>,
    pub(crate) revocation_reason: Option<String>,
    pub(crate) invalid_since: Option<String>,
    pub(crate) cause: Option<&'static str>,
}

impl RevocationObject {
    /// With the sources that were tried, if any.
    pub(crate) fn new(status: &Status, sources: &[SourceTried]) -> Self {
        let proof = status.proof();
        let time = |time: Time| time.to_string();
        let revoked = match status {
            Status::Revoked(revoked) => Some(revoked),
            _ => None,
        };
        Self {
            status: status.code(),
            basis: match status {
                Status::NoRevAvail => Some("no-rev-avail"),
                _ => proof.map(|proof| proof.by.code()),
            },
            source: proof.map(|proof| proof.source.to_string()),
            from: proof.map(|proof| from_where(&proof.source, sources)),
            this_update: proof.map(|proof| time(proof.this_update)),
            next_update: proof.and_then(|proof| proof.next_update).map(time),
            revoked_at: revoked.map(|revoked| time(revoked.at)),
            revocation_reason: revoked.map(|revoked| revoked.reason.to_string()),
            invalid_since: revoked.and_then(|revoked| revoked.invalid_since).map(time),
            cause: match status {
                Status::Unknown(cause) => Some(cause.code()),
                _ => None,
            },
        }
    }
}

/// The origin of the evidence with this name: a URL, or the file it was given in.
fn from_where(source: &str, sources: &[SourceTried]) -> &'static str {
    let tried = sources.iter().filter(|tried| *tried.url == *source).find_map(|tried| tried.from);
    match tried {
        Some(from) => from.code(),
        // A known client is answered from the memory of this process.
        None if source.contains("://") => Origin::Memory.code(),
        None => "file",
    }
}

/// A source that was tried.
#[derive(Serialize)]
pub(crate) struct SourceObject {
    pub(crate) certificate_index: usize,
    pub(crate) kind: &'static str,
    pub(crate) url: String,
    pub(crate) from: Option<&'static str>,
    pub(crate) elapsed_us: u64,
    pub(crate) bytes: usize,
    pub(crate) cause: Option<&'static str>,
    pub(crate) message: Option<String>,
}

impl From<&SourceTried> for SourceObject {
    fn from(tried: &SourceTried) -> Self {
        Self {
            certificate_index: tried.at,
            kind: tried.kind.code(),
            url: tried.url.to_string(),
            from: tried.from.map(Origin::code),
            elapsed_us: super::microseconds(tried.elapsed),
            bytes: tried.bytes,
            cause: tried.failure.as_ref().map(|(cause, _)| cause.code()),
            message: tried.failure.as_ref().map(|(_, detail)| detail.clone()),
        }
    }
}

/// A piece of evidence that was given or fetched and did not count.
#[derive(Serialize)]
pub(crate) struct ConsideredObject {
    pub(crate) certificate_index: Option<usize>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) source: String,
    pub(crate) about: String,
    pub(crate) cause: &'static str,
    pub(crate) message: String,
}

impl From<&Considered> for ConsideredObject {
    fn from(piece: &Considered) -> Self {
        Self {
            certificate_index: piece.at,
            kind: piece.kind.map(Means::code),
            source: piece.source.to_string(),
            about: piece.about.clone(),
            cause: piece.why.cause().code(),
            message: piece.why.to_string(),
        }
    }
}
