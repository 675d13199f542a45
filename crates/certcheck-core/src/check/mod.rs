//! A check: certificates in, a report out. No I/O, no clock; the same answer for the same question.
//!
//! ```text
//! Check -- begin --> CheckSession -- needs --> (the driver) -- answer --> CheckSession -- finish --> Report
//! ```

mod evaluate;
mod fast_path;
mod parse;
mod session;
mod verdict;

use std::cell::OnceCell;
use std::sync::Arc;

use pki_types::CertificateDer;

pub use fast_path::{FastAccept, IssuerPath, IssuerStatuses, LeafCandidate};
pub use session::CheckSession;

use crate::budget::Spent;
use crate::key_ring::KeyRing;
use crate::path::VerifiedIssuers;
use crate::path::pool::Pool;
use crate::policy::Policy;
use crate::report::Report;
use crate::revocation::plan::OpenRequests;
use crate::revocation::{AssessContext, Assessor, CheckedCertificate, Evidence};
use crate::status::Status;
use crate::time::Time;
use crate::x509::Certificate;

/// A question about a certificate.
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
    /// Asks about the first certificate of a chain; the others are presented intermediates, in any order.
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

    /// Remembers signatures on CA certificates from check to check.
    #[must_use]
    pub const fn with_verified_issuers(mut self, issuers: &'a VerifiedIssuers) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// Has revocation evidence at hand from the start.
    #[must_use]
    pub const fn with_evidence(mut self, evidence: &'a Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// Randomness for the nonces that policy has OCSP requests carry; without it none is sent.
    #[must_use]
    pub const fn with_nonce_seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Answers by what is at hand.
    pub fn run(self) -> Report<'a> {
        evaluate::evaluate(&self, &[], None, &session::no_answers(), OpenRequests::NotTried).report
    }

    /// Looks up again, in the evidence at hand, the revocation of a path that a check like this one found good, anchor last:
    /// what a client costs that is known. `each` is told the place and status of every certificate that policy asks about.
    ///
    /// Nothing is searched, and no signature is verified that was before; whether the path itself is still good is told
    /// by `Report::valid_until`. Signers of evidence other than a certificate's own issuer are looked for in the ring. What
    /// is at hand `also` counts like what was given. Returns the last second at which the same evidence says the same.
    pub fn look_up(
        &self,
        path: &[Certificate<'_>],
        also: Option<&Evidence>,
        mut each: impl FnMut(usize, &Status<&Arc<str>>),
    ) -> Time {
        let ([target, ..], [.., anchor]) = (path, path) else { return self.now };
        let pool = Pool::of_ring(self.ring, *target);
        let signer_policy = OnceCell::new();
        let context = AssessContext {
            ring: self.ring,
            policy: self.policy,
            now: self.now,
            issuers: self.issuers,
            pool: &pool,
            presented: &[],
            anchor: *anchor,
            signer_policy: &signer_policy,
            hashed_issuer: None,
        };
        let mut assessor = Assessor::new(context, &[self.evidence, also], Spent::default());
        for (at, checked) in CheckedCertificate::of_path(path, self.policy).enumerate() {
            each(at, &assessor.status(&checked));
        }
        assessor.until()
    }

    /// The question for a [`IssuerPath`]. `None` if the certificate does not read.
    #[must_use]
    pub fn leaf_candidate(self) -> Option<LeafCandidate<'a>> {
        LeafCandidate::new(self)
    }

    /// Begins a check that names the evidence that is missing.
    #[must_use]
    pub fn begin(self) -> CheckSession<'a> {
        CheckSession::new(self)
    }
}
