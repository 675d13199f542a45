//! The inputs of path validation, and what it remembers from path to path: which signatures verify.

use super::candidate::{CertificateRef, Link};
use super::profile::PathPosition;
use super::verified_issuers::VerifiedIssuers;
use crate::budget::{Budget, Spent};
use crate::key_ring::KeyRing;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::time::Time;
use crate::x509::Certificate;

/// The inputs for validating every path of a check.
pub(crate) struct Context<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) ring: &'a KeyRing,
    pub(crate) now: Time,
    pub(crate) budget: Budget<'a>,
    /// Signatures on certificates that were verified before, in other checks and in this one.
    pub(crate) issuers: [Option<&'a VerifiedIssuers>; 2],
    /// Signatures verified in this check: certificate, issuer's key, result. At most as many as the budget allows.
    edges: Vec<(CertificateRef, &'a [u8], Result<(), Reason>)>,
    /// Certificates that passed the checks on a single certificate, and in which position. Recorded if several paths
    /// are tried.
    pub(super) inspected: Vec<(CertificateRef, PathPosition)>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
        issuers: [Option<&'a VerifiedIssuers>; 2],
    ) -> Self {
        Self::with_spent(ring, policy, now, issuers, Spent::default())
    }

    /// A context for a part of a check, after `spent`.
    pub(crate) fn with_spent(
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
        issuers: [Option<&'a VerifiedIssuers>; 2],
        spent: Spent,
    ) -> Self {
        let budget = Budget::with_spent(&policy.limits, spent);
        Self { policy, ring, now, budget, issuers, edges: Vec::new(), inspected: Vec::new() }
    }

    /// Whether the signature is known not to verify with this key.
    pub(crate) fn is_refused_edge(&self, child: CertificateRef, key: &[u8]) -> bool {
        self.edges
            .iter()
            .any(|(known, issuer, outcome)| *known == child && *issuer == key && outcome.is_err())
    }

    /// Verifies a signature by 6.1.3 (a)(1), at most once for a certificate and a key.
    ///
    /// RFC 5280 6.1.3 (a)(1).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(1)")]
    pub(crate) fn verify_signature(
        &mut self,
        link: &Link<'a>,
        issuer: &Certificate<'a>,
    ) -> Result<(), Reason> {
        let key = issuer.spki();
        if let Some((_, _, outcome)) =
            self.edges.iter().find(|(child, known_key, _)| *child == link.reference && *known_key == key.raw)
        {
            return outcome.clone();
        }
        let certificate = &link.certificate;
        let signed = Signed {
            message: certificate.tbs(),
            algorithm: certificate.signature_algorithm(),
            signature: certificate.signature(),
        };
        let is_known = self
            .issuers
            .iter()
            .flatten()
            .any(|issuers| issuers.has(certificate.der(), certificate.signature(), key.raw));
        let outcome = if is_known {
            signature::select_verifier(signed, key, &self.policy.signatures).map(drop)
        } else {
            match signature::verify(signed, key, &self.policy.signatures, &mut self.budget) {
                Ok(()) => Ok(()),
                Err(SignatureFault::Reason(reason)) => Err(reason),
                Err(SignatureFault::Limit(hit)) => return Err(hit.into()),
            }
        };
        self.edges.push((link.reference, key.raw, outcome.clone()));
        outcome
    }
}
