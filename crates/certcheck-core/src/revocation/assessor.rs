//! The assessor: one status for one certificate, from all available evidence.

use std::cell::OnceCell;
use std::sync::Arc;

use super::evidence::{AtHand, Piece};
use super::record::Record;
use super::{CheckedCertificate, Dismissal, Evidence, SignerFault};
use crate::budget::Spent;
use crate::key_ring::KeyRing;
use crate::ocsp::HashedIssuer;
use crate::path::VerifiedIssuers;
use crate::path::candidate::CertificateRef;
use crate::path::context::Context;
use crate::path::pool::Pool;
use crate::policy::{EvidenceOrder, Policy};
use crate::status::{Cause, Status};
use crate::time::Time;
use crate::x509::Certificate;

/// The deepest nesting of the paths of evidence signers.
pub(super) const MAX_DEPTH: usize = 4;

/// How the statuses of evidence signers are handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SignerStatuses {
    /// Each must be known not to be revoked by evidence of its own.
    Assessed,
    /// They are assumed to be good, for checking whether evidence is useful.
    AssumedGood,
}

/// The inputs and state of an assessment.
pub(crate) struct Assessor<'e> {
    pub(super) context: Context<'e>,
    /// The certificates for the paths of signers that are not the issuer.
    pub(super) pool: &'e Pool<'e>,
    pub(super) presented: &'e [Certificate<'e>],
    /// The anchor of the validated path. A signer's path must end there too (RFC 5280 6.3.3 (f)).
    pub(super) anchor: Certificate<'e>,
    /// The policy for signers' paths, created on demand.
    pub(super) signer_policy: &'e OnceCell<Policy>,
    pub(super) at_hand: AtHand<'e>,
    /// CRL issuers that were validated while nothing else was in progress.
    pub(super) known_signers: Vec<(CertificateRef, Result<(), SignerFault>)>,
    /// The number of CRL issuers whose paths were searched.
    pub(super) searched: u32,
    /// Certificates whose status is being determined. Evidence that they sign themselves is accepted as signed by them.
    pub(super) in_progress: Vec<Certificate<'e>>,
    pub(super) signer_statuses: SignerStatuses,
    /// Whether anything was used in addition to evidence by the certificate's issuer and responses for it.
    pub(super) looked_beyond: bool,
    /// The last second for which everything that depends on time is the same as now.
    pub(super) until: Time,
    /// The record of each piece of evidence, if a report needs it.
    pub(super) record: Option<Record<'e>>,
}

/// The inputs of an assessor that a check provides.
#[derive(Clone, Copy)]
pub(crate) struct AssessContext<'e> {
    pub(crate) ring: &'e KeyRing,
    pub(crate) policy: &'e Policy,
    pub(crate) now: Time,
    pub(crate) issuers: Option<&'e VerifiedIssuers>,
    pub(crate) pool: &'e Pool<'e>,
    pub(crate) presented: &'e [Certificate<'e>],
    pub(crate) anchor: Certificate<'e>,
    pub(crate) signer_policy: &'e OnceCell<Policy>,
    /// The hashes of the issuer of the one certificate that is planned for, if they are known.
    pub(crate) hashed_issuer: Option<&'e HashedIssuer>,
}

impl<'e> Assessor<'e> {
    pub(crate) fn new(
        context: AssessContext<'e>,
        evidence: &[Option<&'e Evidence>; 2],
        spent: Spent,
    ) -> Self {
        let AssessContext { ring, policy, now, issuers, pool, presented, anchor, signer_policy, .. } =
            context;
        Self {
            context: Context::with_spent(ring, policy, now, issuers, spent),
            pool,
            presented,
            anchor,
            signer_policy,
            at_hand: AtHand::new(*evidence),
            known_signers: Vec::new(),
            searched: 0,
            in_progress: Vec::new(),
            signer_statuses: SignerStatuses::Assessed,
            looked_beyond: false,
            until: Time::from_unix(i64::MAX),
            record: None,
        }
    }

    pub(crate) const fn spent(&self) -> Spent {
        self.context.budget.spent
    }

    /// Whether anything was used in addition to CRLs of the certificate's issuer and responses for its serial number.
    /// If not, the status is the same for any other evidence, as long as these are the same.
    pub(crate) const fn looked_beyond(&self) -> bool {
        self.looked_beyond
    }

    /// The last second for which the same evidence gives the same results.
    pub(crate) const fn until(&self) -> Time {
        self.until
    }

    /// Checks whether evidence with these times is current, and records until when the result holds.
    pub(super) fn check_current(
        &mut self,
        this_update: Time,
        next_update: Option<Time>,
    ) -> Result<(), Dismissal> {
        let (freshness, now) = (&self.policy().freshness, self.now());
        self.until = self.until.min(freshness.says_so_until(this_update, next_update, now));
        freshness.check_current(this_update, next_update, now).map_err(|cause| match cause {
            Cause::NotYetValid => Dismissal::NotYetValid { this_update },
            _ => Dismissal::Stale { ended: freshness.ends(this_update, next_update) },
        })
    }

    /// Records that a piece of evidence was used, if there is a record.
    pub(super) fn counted(&mut self, piece: Piece<'e>) {
        if let Some(record) = &mut self.record {
            record.count(piece);
        }
    }

    /// Records why a piece of evidence was not used, if there is a record.
    pub(super) fn dismissed(&mut self, piece: Piece<'e>, why: &Dismissal) {
        if let Some(record) = &mut self.record {
            record.dismiss(piece, why);
        }
    }

    pub(super) const fn policy(&self) -> &'e Policy {
        self.context.policy
    }

    /// The cause that counts, out of two.
    pub(super) fn worse(&self, a: Cause, b: Cause) -> Cause {
        self.policy().revocation.tolerance().worse(a, b)
    }

    pub(super) const fn now(&self) -> Time {
        self.context.now
    }

    /// The status of one certificate by the available evidence.
    ///
    /// RFC 9608 4.
    #[doc(alias = "RFC 9608 section 4")]
    pub(crate) fn status(&mut self, checked: &CheckedCertificate<'_, 'e>) -> Status<&'e Arc<str>> {
        if checked.has_no_status() {
            return Status::NoRevAvail;
        }
        match self.status_within_limits(checked) {
            // Something that was not checked might give another status: a newer CRL, a delta, another response.
            Status::Good(_) | Status::Unknown(_) if self.context.budget.was_hit => {
                Status::Unknown(Cause::TooLarge)
            }
            status => status,
        }
    }

    /// The status by what was checked within the limits.
    fn status_within_limits(&mut self, checked: &CheckedCertificate<'_, 'e>) -> Status<&'e Arc<str>> {
        let (ocsp, crl) = (self.by_ocsp(checked), self.by_crl(checked));
        let (first, second) = match self.policy().evidence_order {
            EvidenceOrder::OcspFirst => (ocsp, crl),
            EvidenceOrder::CrlFirst => (crl, ocsp),
        };
        match (first, second) {
            (Status::Revoked(revoked), _) | (_, Status::Revoked(revoked)) => Status::Revoked(revoked),
            (Status::Good(proof), _) | (_, Status::Good(proof)) => Status::Good(proof),
            (Status::Unknown(a), Status::Unknown(b)) => {
                // Evidence that cannot be parsed may have been for this certificate.
                let cause = self.worse(self.worse(a, b), self.at_hand.cause_of_nothing());
                let nothing = cause == Cause::NotTried && !checked.names_source();
                Status::Unknown(if nothing { Cause::NoSource } else { cause })
            }
            (other, _) => other,
        }
    }
}
