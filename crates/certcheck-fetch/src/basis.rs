//! The ring, the policy and the given evidence of a check.

use core::fmt;
use std::sync::Arc;

use certcheck_core::{Evidence, KeyRing, Policy, VerifiedIssuers};

/// What checks are made with. Every path keeps the one that it was found with.
pub(crate) struct Basis {
    pub(crate) ring: Arc<KeyRing>,
    pub(crate) policy: Arc<Policy>,
    /// Evidence that was given, in addition to what is fetched.
    pub(crate) given: Evidence,
    pub(crate) issuers: VerifiedIssuers,
}

impl fmt::Debug for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basis").field("ring", &self.ring.certificates().len()).finish_non_exhaustive()
    }
}
