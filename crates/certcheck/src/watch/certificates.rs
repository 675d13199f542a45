//! The certificates of the ring. One that expires, is revoked or has no good path takes every path through it along.

use std::collections::{BTreeMap, BTreeSet};

use certcheck_core::Time;
use certcheck_core::key_ring::Role;
use serde::Serialize;

use super::Health;
use super::classify::{Finding, Revocation};
use crate::json::{CertificateObject, fingerprint};
use crate::ring_command::validity_note;
use crate::sources::{Grounds, Refusal};

/// A certificate of the ring that paths lead through.
#[derive(Serialize)]
pub(super) struct CertificateState {
    pub(super) state: Health,
    pub(super) role: &'static str,
    pub(super) certificate: CertificateObject,
    /// The file it came from.
    pub(super) source: String,
    /// `good`, `expires-soon`, `expired`, `not-yet-valid`, `certificate-revoked`, or why no path to it is good: a reason, as
    /// `verify` has it.
    pub(super) code: &'static str,
    pub(super) message: String,
    #[serde(skip)]
    pub(super) until: Time,
}

/// All except the distrusted ones, each once. `revoked` is by fingerprint.
pub(super) fn of_ring(
    by: Grounds<'_>,
    days: u32,
    refused: &BTreeMap<String, Refusal>,
    revoked: &BTreeMap<&str, &Revocation>,
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
        // Only the CA is refused or revoked, not the anchor that it may be too.
        let is_below = entry.role() == Role::Intermediate;
        let refusal = refused.get(&sha256).cloned().map(Finding::from);
        let revocation = revoked.get(&*sha256).map(|revocation| Finding::from(*revocation));
        let refusal = revocation.or(refusal).filter(|_| is_below);
        let worst = match (note, refusal) {
            // An expired certificate has no good path either: once is enough.
            (Some(note), _) if note.state == Health::Bad => note,
            (Some(note), Some(refusal)) if refusal.state < note.state => note,
            (_, Some(refusal)) => refusal,
            (Some(note), None) => note,
            (None, None) => Finding::new(Health::Good, "good", String::new()),
        };
        found.push(CertificateState {
            state: worst.state,
            role: entry.role().code(),
            certificate: CertificateObject::of(&certificate),
            source: entry.source().to_owned(),
            code: worst.code,
            message: worst.message,
            until,
        });
    }
    found
}
