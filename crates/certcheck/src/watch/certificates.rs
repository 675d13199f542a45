//! The certificates of the ring: those that expire, or to which no path is good, take every path with them.

use std::collections::{BTreeMap, BTreeSet};

use certcheck_core::Time;
use certcheck_core::key_ring::Role;
use serde::Serialize;

use super::Health;
use super::classify::Finding;
use crate::json::fingerprint;
use crate::ring_command::validity_note;
use crate::sources::{Grounds, Refusal};

/// A certificate of the ring that paths lead through.
#[derive(Serialize)]
pub(super) struct CertificateState {
    pub(super) state: Health,
    pub(super) role: &'static str,
    pub(super) subject: String,
    pub(super) sha256: String,
    pub(super) source: String,
    /// `good`, `expires-soon`, `expired`, `not-yet-valid`, or why no path to it is good: a reason, as `verify` tells it.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) not_after: String,
    #[serde(skip)]
    pub(super) until: Time,
}

/// All but the distrusted ones, each once.
pub(super) fn of_ring(
    by: Grounds<'_>,
    days: u32,
    refused: &BTreeMap<String, Refusal>,
) -> Vec<CertificateState> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in by.ring.certificates() {
        if entry.role() == Role::Distrusted {
            continue;
        }
        let certificate = entry.certificate();
        let sha256 = fingerprint(&certificate);
        if !seen.insert((entry.role().code(), sha256.clone())) {
            continue;
        }
        let until = certificate.not_after();
        let note = validity_note(entry, by.now, days).map(|note| {
            let state = if note.code == "expires-soon" { Health::Soon } else { Health::Bad };
            Finding::new(state, note.code, note.message)
        });
        // The CA alone is refused, not the anchor that it may be too.
        let refusal =
            refused.get(&sha256).filter(|_| entry.role() == Role::Intermediate).cloned().map(Finding::from);
        let worst = match (note, refusal) {
            // What has expired has no good path either: it is told once.
            (Some(note), _) if note.state == Health::Bad => note,
            (Some(note), Some(refusal)) if refusal.state < note.state => note,
            (_, Some(refusal)) => refusal,
            (Some(note), None) => note,
            (None, None) => Finding::new(Health::Good, "good", String::new()),
        };
        found.push(CertificateState {
            state: worst.state,
            role: entry.role().code(),
            subject: certificate.subject().to_string(),
            sha256,
            source: entry.source().to_owned(),
            code: worst.code,
            message: worst.message,
            not_after: until.to_string(),
            until,
        });
    }
    found
}
