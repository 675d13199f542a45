//! The status of a certificate, the sources that were asked about it, and the evidence that did not count.

use certcheck_rustls::certcheck_core::Time;
use certcheck_rustls::certcheck_core::revocation::Considered;
use certcheck_rustls::certcheck_core::status::{Means, Status};
use certcheck_rustls::certcheck_fetch::{Origin, SourceTried};
use serde::Serialize;

/// The status of a certificate, and the evidence for it.
#[derive(Serialize)]
#[non_exhaustive]
pub struct RevocationObject {
    /// `good`, `revoked`, `unknown` or `not-checked`.
    pub status: &'static str,
    /// What it is known by: `crl`, `ocsp` or `no-rev-avail`.
    pub basis: Option<&'static str>,
    /// The URL or file of the evidence.
    pub source: Option<String>,
    /// Where the evidence came from.
    pub from: Option<&'static str>,
    /// The thisUpdate of the evidence.
    pub this_update: Option<String>,
    /// The nextUpdate of the evidence.
    pub next_update: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// Why it was revoked.
    pub revocation_reason: Option<String>,
    /// Since when its key may be in other hands.
    pub invalid_since: Option<String>,
    /// Why the status is unknown.
    pub cause: Option<&'static str>,
}

impl RevocationObject {
    /// With the sources that were tried, if any.
    #[must_use]
    pub fn new(status: &Status, sources: &[SourceTried]) -> Self {
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
#[non_exhaustive]
pub struct SourceObject {
    /// The place of the certificate in the path.
    pub certificate_index: usize,
    /// What was asked for.
    pub kind: &'static str,
    /// The URL.
    pub url: String,
    /// Where the answer came from.
    pub from: Option<&'static str>,
    /// How long the check waited, in microseconds.
    pub elapsed_us: u64,
    /// The size of the answer.
    pub bytes: usize,
    /// Why it could not be used.
    pub cause: Option<&'static str>,
    /// What happened, in a sentence.
    pub message: Option<String>,
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
#[non_exhaustive]
pub struct ConsideredObject {
    /// The place of the certificate in the path.
    pub certificate_index: Option<usize>,
    /// What it is.
    pub kind: Option<&'static str>,
    /// The URL or file.
    pub source: String,
    /// What it is about.
    pub about: String,
    /// Why it does not count.
    pub cause: &'static str,
    /// The same in a sentence.
    pub message: String,
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
