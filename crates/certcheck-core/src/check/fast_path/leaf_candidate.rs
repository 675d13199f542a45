//! The leaf that the fast path is asked about.

use core::hash::Hasher;

use pki_types::CertificateDer;

use super::super::{Check, parse};
use super::leaf_profile;
use crate::x509::Certificate;

impl<'a> Check<'a> {
    /// The question for an [`IssuerPath`](super::IssuerPath). `None` if the certificate cannot be parsed.
    #[must_use]
    pub fn leaf_candidate(self) -> Option<LeafCandidate<'a>> {
        LeafCandidate::new(self)
    }
}

/// A question about a certificate that has been parsed, for an [`IssuerPath`](super::IssuerPath).
#[derive(Clone, Copy, Debug)]
pub struct LeafCandidate<'a> {
    pub(super) check: Check<'a>,
    pub(super) target: Certificate<'a>,
}

impl<'a> LeafCandidate<'a> {
    /// `None` if the certificate does not read: the check itself says why.
    fn new(check: Check<'a>) -> Option<Self> {
        let target = parse::parse(check.chain.first()?, &check.policy.limits).ok()?;
        Some(Self { check, target })
    }

    pub(super) fn presented(&self) -> &'a [CertificateDer<'a>] {
        self.check.chain.get(1..).unwrap_or_default()
    }

    /// What candidates with one profile hash to alike, as does their issuer path.
    pub fn hash_profile<H: Hasher>(&self, state: &mut H) {
        leaf_profile::hash(&self.target, self.presented(), state);
    }
}
