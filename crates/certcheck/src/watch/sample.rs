//! The certificates that are given as samples: whether their sources are watched, and their own status.

use std::collections::BTreeMap;

use certcheck_core::Time;
use certcheck_core::x509::Certificate;
use pki_types::CertificateDer;
use serde::Serialize;

use super::Health;
use super::classify::{Finding, Revocation};
use crate::json::CertificateObject;
use crate::sources::{Refusal, Subject};

/// The code that `verify` has for an input that cannot be read.
pub(super) const UNREADABLE: &str = "no-certificate";

/// A certificate that was given, before its sources are asked.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) input: String,
    certificate: Option<CertificateObject>,
    not_after: Option<Time>,
    /// The places of its path's certificates among the subjects, itself first.
    pub(super) path: Vec<usize>,
    /// Why its sources are not watched.
    pub(super) refusal: Option<Refusal>,
}

impl Sample {
    pub(super) fn new(input: String) -> Self {
        Self { input, ..Self::default() }
    }

    /// Notes what the certificate says of itself.
    pub(super) fn describe(&mut self, chain: &[CertificateDer<'_>]) {
        if let Some(own) = chain.first().and_then(|der| Certificate::parse(der).ok()) {
            self.certificate = Some(CertificateObject::of(&own));
            self.not_after = Some(own.not_after());
        }
    }
}

/// A sample, and its own status. That it is revoked or expired says nothing about the sources.
#[derive(Serialize)]
pub(super) struct SampleState {
    pub(super) state: Health,
    pub(super) input: String,
    /// Not there if the file cannot be read.
    pub(super) certificate: Option<CertificateObject>,
    /// Whether its sources are among those that are watched.
    #[serde(rename = "watched")]
    pub(super) is_watched: bool,
    /// `good`, `certificate-revoked`, or why its sources are not watched: a reason, as `verify` has it.
    pub(super) code: &'static str,
    pub(super) message: String,
    #[serde(skip)]
    pub(super) until: Option<Time>,
}

impl SampleState {
    pub(super) fn new(sample: Sample, subjects: &[Subject], revoked: &BTreeMap<usize, Revocation>) -> Self {
        let Sample { input, certificate, not_after, path, refusal } = sample;
        let is_watched = refusal.is_none();
        let by_source = path.iter().enumerate().find_map(|(depth, place)| {
            let mut finding = Finding::from(revoked.get(place)?);
            if depth > 0 {
                finding.message = format!("{}: {}", subjects[*place].name, finding.message);
            }
            Some(finding)
        });
        let finding = by_source
            .or_else(|| refusal.map(Finding::from))
            .unwrap_or_else(|| Finding::new(Health::Good, "good", String::new()));
        let Finding { state, code, message } = finding;
        Self { state, input, certificate, is_watched, code, message, until: not_after }
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.code == UNREADABLE
    }
}
