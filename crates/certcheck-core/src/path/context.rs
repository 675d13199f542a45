//! The inputs of path validation, and what it remembers from path to path: which signatures verify.

use std::borrow::Cow;

use super::candidate::{CertificateRef, Link};
use super::profile::PathPosition;
use super::verified_issuers::VerifiedIssuers;
use crate::budget::{Budget, Spent};
use crate::key_ring::KeyRing;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::time::Time;
use crate::x509::SubjectPublicKeyInfo;

/// A signature that was verified in this check.
#[derive(Clone, Debug)]
pub(crate) struct Edge<'k> {
    certificate: CertificateRef,
    /// The SubjectPublicKeyInfo with which it was verified.
    key: Cow<'k, [u8]>,
    outcome: Result<(), Reason>,
    /// Whether a search has tried it, so that it need not try it again if it failed.
    was_searched: bool,
}

impl Edge<'_> {
    pub(crate) fn into_owned(self) -> Edge<'static> {
        let Self { certificate, key, outcome, was_searched } = self;
        Edge { certificate, key: Cow::Owned(key.into_owned()), outcome, was_searched }
    }

    /// Lets the next search try it again, to report it if it failed. It is not verified again.
    pub(crate) const fn begin_search(&mut self) {
        self.was_searched = false;
    }

    fn is_of(&self, certificate: CertificateRef, key: &[u8]) -> bool {
        self.certificate == certificate && *self.key == *key
    }
}

/// The inputs for validating every path of a check.
pub(crate) struct Context<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) ring: &'a KeyRing,
    pub(crate) now: Time,
    pub(crate) budget: Budget<'a>,
    /// Signatures on CA certificates that were verified in other checks.
    pub(crate) issuers: Option<&'a VerifiedIssuers>,
    /// Signatures verified in this check. At most as many as the budget allows.
    edges: Vec<Edge<'a>>,
    /// Certificates that passed the checks on a single certificate, and in which position. Recorded if several paths
    /// are tried.
    pub(super) inspected: Vec<(CertificateRef, PathPosition)>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
        issuers: Option<&'a VerifiedIssuers>,
    ) -> Self {
        Self::with_spent(ring, policy, now, issuers, Spent::default())
    }

    /// A context for a part of a check, after `spent`.
    pub(crate) fn with_spent(
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
        issuers: Option<&'a VerifiedIssuers>,
        spent: Spent,
    ) -> Self {
        let budget = Budget::with_spent(&policy.limits, spent);
        Self { policy, ring, now, budget, issuers, edges: Vec::new(), inspected: Vec::new() }
    }

    /// The signatures that were verified, for a later search of the same check.
    pub(crate) fn into_edges(self) -> Vec<Edge<'a>> {
        self.edges
    }

    /// Goes on with the signatures of an earlier search.
    pub(crate) fn with_edges(mut self, edges: Vec<Edge<'a>>) -> Self {
        self.edges = edges;
        self
    }

    /// Lets a search try all signatures that were verified so far, to report those that failed. None is verified again.
    pub(crate) fn begin_search(&mut self) {
        self.edges.iter_mut().for_each(Edge::begin_search);
    }

    /// Whether the signature is known not to verify with this key.
    pub(crate) fn is_refused_edge(&self, child: CertificateRef, key: &[u8]) -> bool {
        self.edges.iter().any(|edge| edge.was_searched && edge.outcome.is_err() && edge.is_of(child, key))
    }

    /// Verifies a signature by 6.1.3 (a)(1), at most once for a certificate and a key.
    ///
    /// RFC 5280 6.1.3 (a)(1).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(1)")]
    pub(crate) fn verify_signature(
        &mut self,
        link: &Link<'a>,
        key: SubjectPublicKeyInfo<'a>,
    ) -> Result<(), Reason> {
        if let Some(edge) = self.edges.iter_mut().find(|edge| edge.is_of(link.reference, key.raw)) {
            edge.was_searched = true;
            return edge.outcome.clone();
        }
        let certificate = &link.certificate;
        let signed = Signed {
            message: certificate.tbs(),
            algorithm: certificate.signature_algorithm(),
            signature: certificate.signature(),
        };
        let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
        let is_known = is_ca
            && self
                .issuers
                .is_some_and(|issuers| issuers.has(certificate.der(), certificate.signature(), key.raw));
        let outcome = if is_known {
            signature::select_verifier(signed, key, &self.policy.signatures).map(drop)
        } else {
            match signature::verify(signed, key, &self.policy.signatures, &mut self.budget) {
                Ok(()) => Ok(()),
                Err(SignatureFault::Reason(reason)) => Err(reason),
                Err(SignatureFault::Limit(hit)) => return Err(hit.into()),
            }
        };
        let (certificate, key) = (link.reference, Cow::Borrowed(key.raw));
        self.edges.push(Edge { certificate, key, outcome: outcome.clone(), was_searched: true });
        outcome
    }
}
