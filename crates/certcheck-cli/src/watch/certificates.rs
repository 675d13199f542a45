//! The certificates of the ring: those that expire take every path with them.

use certcheck_core::ring::Role;
use certcheck_core::{KeyRing, Time};
use serde::Serialize;

use super::Health;
use crate::json::fingerprint;
use crate::ring_command::validity_note;

/// A certificate of the ring that paths lead through.
#[derive(Serialize)]
pub(super) struct CertificateState {
    pub(super) state: Health,
    pub(super) role: &'static str,
    pub(super) subject: String,
    pub(super) sha256: String,
    pub(super) source: String,
    /// `good`, `expires-soon`, `expired` or `not-yet-valid`.
    pub(super) code: &'static str,
    pub(super) not_after: String,
    #[serde(skip)]
    pub(super) until: Time,
}

/// All but the distrusted ones.
pub(super) fn of_ring(ring: &KeyRing, now: Time, days: u32) -> Vec<CertificateState> {
    let mut found = Vec::new();
    for entry in ring.certificates() {
        let role = match entry.role() {
            Role::Anchor => "anchor",
            Role::Intermediate => "intermediate",
            _ => continue,
        };
        let certificate = entry.certificate();
        let until = certificate.not_after();
        let code = validity_note(entry, now, days).map_or("good", |note| note.code);
        let state = match code {
            "good" => Health::Good,
            "expires-soon" => Health::Soon,
            _ => Health::Bad,
        };
        found.push(CertificateState {
            state,
            role,
            subject: certificate.subject().to_string(),
            sha256: fingerprint(&certificate),
            source: entry.source().to_owned(),
            code,
            not_after: until.to_string(),
            until,
        });
    }
    found
}
