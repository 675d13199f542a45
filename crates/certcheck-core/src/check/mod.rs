//! A check: certificates in, a report out. It does no I/O and reads no clock. The same inputs give the same report.
//!
//! ```text
//! Check -- begin --> CheckSession -- needs --> (the driver) -- answer --> CheckSession -- finish --> Report
//!
//! ParsedCheck -- begin_under an IssuerPath --> accepted at once, or a CheckSession
//! ```

mod at_once;
mod chain;
mod evaluate;
mod findings;
mod issuer_path;
mod look_up;
mod memory;
mod parsed;
mod session;
mod verdict;
mod wanted_issuers;

use std::cell::OnceCell;

use pki_types::CertificateDer;

pub use issuer_path::{IssuerPath, IssuerPathKey, IssuerStatuses};
pub use parsed::{BegunCheck, ParsedCheck};
pub use session::CheckSession;

use crate::key_ring::KeyRing;
use crate::path::VerifiedIssuers;
use crate::path::pool::Pool;
use crate::policy::Policy;
use crate::revocation::{AssessContext, Evidence};
use crate::time::Time;
use crate::x509::Certificate;

/// A check of a certificate: its inputs.
///
/// ```
/// use certcheck_core::{Check, KeyRing, Policy, Revocation, Time, certificates_of};
///
/// let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo");
/// let ring = KeyRing::from_paths(&[format!("{demo}/ring")])?;
/// let chain = certificates_of(&std::fs::read(format!("{demo}/good.pem"))?)?;
///
/// let policy = Policy::client(Revocation::Off);
/// let now = Time::from_rfc3339("2027-01-01T00:00:00Z").ok_or("not a time")?;
/// let report = Check::new(&chain, &ring, &policy, now).run();
/// assert!(report.is_accepted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    chain: &'a [CertificateDer<'a>],
    ring: &'a KeyRing,
    policy: &'a Policy,
    now: Time,
    issuers: Option<&'a VerifiedIssuers>,
    evidence: Option<&'a Evidence>,
    seed: Option<[u8; 32]>,
}

impl<'a> Check<'a> {
    /// A check of the first certificate of a chain. The others are presented intermediates, in any order.
    ///
    /// RFC 5280 6.1.1 (b).
    #[doc(alias = "RFC 5280 section 6.1.1(b)")]
    #[must_use]
    pub const fn new(
        chain: &'a [CertificateDer<'a>],
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
    ) -> Self {
        Self { chain, ring, policy, now, issuers: None, evidence: None, seed: None }
    }

    /// Uses and records verified signatures on CA certificates from check to check.
    #[must_use]
    pub const fn with_verified_issuers(mut self, issuers: &'a VerifiedIssuers) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// Uses this revocation evidence from the start.
    #[must_use]
    pub const fn with_evidence(mut self, evidence: &'a Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// Uses this seed for the nonces of OCSP requests, if the policy sends them. Without a seed none is sent.
    #[must_use]
    pub const fn with_nonce_seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Check<'_> {
    /// The context in which statuses of a path with this anchor are determined. `signer_policy` is made on demand.
    fn assess_context<'e>(
        &self,
        pool: &'e Pool<'e>,
        anchor: Certificate<'e>,
        signer_policy: &'e OnceCell<Policy>,
    ) -> AssessContext<'e>
    where
        Self: 'e,
    {
        let Self { ring, policy, now, issuers, .. } = *self;
        let presented = pool.presented();
        let hashed_issuer = None;
        AssessContext { ring, policy, now, issuers, pool, presented, anchor, signer_policy, hashed_issuer }
    }
}

/// The inputs of a check, borrowed or owned.
///
/// A [`Check`] borrows them. A program that keeps a session for longer than its inputs live implements this for a type
/// that owns them.
pub trait CheckInputs {
    /// The check. It must be of the same inputs each time: a session keeps positions in their bytes, and with other bytes
    /// its verdict means nothing.
    fn check(&self) -> Check<'_>;
}

impl CheckInputs for Check<'_> {
    fn check(&self) -> Check<'_> {
        *self
    }
}
