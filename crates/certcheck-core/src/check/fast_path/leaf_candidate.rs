//! The leaf that the fast path checks.

use core::hash::Hasher;

use pki_types::CertificateDer;

use super::super::{Check, parse};
use super::leaf_profile;
use crate::x509::Certificate;

impl<'a> Check<'a> {
    /// The candidate for an [`IssuerPath`](super::IssuerPath). `None` if the certificate cannot be parsed.
    #[must_use]
    pub fn leaf_candidate(self) -> Option<LeafCandidate<'a>> {
        LeafCandidate::new(self)
    }
}

/// A check whose certificate has been parsed, for an [`IssuerPath`](super::IssuerPath).
#[derive(Clone, Copy, Debug)]
pub struct LeafCandidate<'a> {
    pub(super) check: Check<'a>,
    pub(super) target: Certificate<'a>,
}

impl<'a> LeafCandidate<'a> {
    /// The candidate of a check. `None` if the certificate cannot be parsed: the check itself reports why.
    fn new(check: Check<'a>) -> Option<Self> {
        let target = parse::parse(check.chain.first()?, &check.policy.limits).ok()?;
        Some(Self { check, target })
    }

    pub(super) fn presented(&self) -> &'a [CertificateDer<'a>] {
        self.check.chain.get(1..).unwrap_or_default()
    }

    /// Hashes the profile: candidates with one profile have the same hash, and so does their issuer path.
    pub fn hash_profile<H: Hasher>(&self, state: &mut H) {
        leaf_profile::hash(&self.target, self.presented(), state);
    }
}
