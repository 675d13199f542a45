//! One source: whether it answers, and whether its answer is usable.

use serde::Serialize;

use super::Health;
use super::asked::Source;
use super::classify::{Finding, Times};
use crate::json::{CertificateObject, kind_of};

/// The health of a source.
#[derive(Serialize)]
pub(super) struct SourceState {
    pub(super) state: Health,
    /// `crl`, `ocsp`, or `delta` for a source that is named only for deltas.
    pub(super) kind: &'static str,
    pub(super) url: String,
    /// The certificate for which it is worst, of those that name it; else the first of them.
    pub(super) certificate: CertificateObject,
    /// How many certificates name it.
    pub(super) named_by: usize,
    /// `good`, `expires-soon`, or why it cannot be used: a cause, as `verify` has it.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) this_update: Option<String>,
    pub(super) next_update: Option<String>,
    /// Until when policy accepts the evidence, with nextUpdate or without.
    pub(super) evidence_end: Option<String>,
    #[serde(skip)]
    pub(super) times: Times,
    pub(super) bytes: Option<usize>,
    pub(super) elapsed_us: u64,
}

impl SourceState {
    pub(super) fn new(source: &Source, worst: Finding, certificate: CertificateObject, times: Times) -> Self {
        let time = |time: Option<certcheck_core::Time>| time.map(|time| time.to_string());
        let Finding { state, code, message } = worst;
        Self {
            state,
            kind: if source.is_delta { "delta" } else { kind_of(&source.need.request) },
            url: source.need.request.url().to_string(),
            certificate,
            named_by: source.subjects.len(),
            code,
            message,
            this_update: time(times.this),
            next_update: time(times.next),
            evidence_end: time(times.end),
            times,
            bytes: source.held().ok().map(certcheck_fetch::CachedEvidence::bytes),
            elapsed_us: u64::try_from(source.took().as_micros()).unwrap_or(u64::MAX),
        }
    }
}
