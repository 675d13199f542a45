//! The status of a certificate by OCSP: RFC 6960 3.2.

use std::sync::Arc;

use super::evidence::OcspEvidence;
use super::status::{Means, Proof, Revoked, Status};
use super::{Assessor, Cause, Subject};
use crate::crl::RevocationReason;
use crate::ocsp::{BasicResponse, CertStatus, ResponseStatus, SingleResponse};

/// What all responses together say.
#[derive(Default)]
pub(super) struct Found<'e> {
    /// The newest.
    pub(super) good: Option<Proof<&'e Arc<str>>>,
    /// certificateHold, the newest: a later good lifts it.
    pub(super) held: Option<Revoked<&'e Arc<str>>>,
    pub(super) cause: Option<Cause>,
}

impl<'e> Assessor<'e> {
    /// Every response at hand: the worst that is believed counts.
    pub(super) fn by_ocsp(&mut self, subject: &Subject<'_, 'e>) -> Status<&'e Arc<str>> {
        let mut found = Found::default();
        for response in self.at_hand.responses_about(subject.certificate.serial().octets()) {
            if let Some(revoked) = self.consult_response(response, subject, &mut found) {
                return Status::Revoked(revoked);
            }
        }
        match (found.held, found.good) {
            (Some(held), Some(good)) if good.this_update > held.proof.this_update => Status::Good(good),
            (Some(held), _) => Status::Revoked(held),
            (None, Some(good)) => Status::Good(good),
            (None, None) => Status::Unknown(found.cause.unwrap_or(Cause::NotTried)),
        }
    }

    /// What one response says. A revocation for good is returned, all else noted.
    pub(super) fn consult_response(
        &mut self,
        response: &'e OcspEvidence,
        subject: &Subject<'_, 'e>,
        found: &mut Found<'e>,
    ) -> Option<Revoked<&'e Arc<str>>> {
        let tolerance = self.policy().revocation.tolerance();
        let mut note = |cause: Cause| {
            found.cause = Some(found.cause.map_or(cause, |known| tolerance.worse(known, cause)));
        };
        let Some(basic) = response.basic().filter(|_| response.status() == ResponseStatus::Successful) else {
            note(Cause::ResponderError);
            return None;
        };
        // 3.2 (1): the answers about this certificate, wherever they stand among others.
        let is_about = |single: &SingleResponse<'_>| response.is_about(single, subject);
        let mut about = basic.responses().filter_map(Result::ok).filter(is_about).peekable();
        about.peek()?;
        // 3.2 (2) to (4)
        if let Err(cause) = self.check_responder(response, &basic, subject) {
            note(cause);
            return None;
        }
        // Several answers about one certificate: the worst counts, and one that is of no use spoils those that are good.
        let mut good = None;
        let mut is_spoiled = false;
        for single in about {
            let proof = Proof {
                by: Means::Ocsp,
                source: response.source(),
                this_update: single.this_update,
                next_update: single.next_update,
            };
            let current = self.is_answer_current(&basic, &single);
            match (single.status, current) {
                // An old answer that it is revoked still says so, unless the hold may have been lifted since.
                (CertStatus::Revoked { at, reason }, Ok(()) | Err(Cause::Stale))
                    if reason != RevocationReason::CertificateHold =>
                {
                    return Some(Revoked { proof, at, reason, invalid_since: single.invalid_since });
                }
                (CertStatus::Revoked { at, reason }, Ok(())) => {
                    let held = Revoked { proof, at, reason, invalid_since: single.invalid_since };
                    let is_newer = found
                        .held
                        .as_ref()
                        .is_none_or(|known| held.proof.this_update > known.proof.this_update);
                    if is_newer {
                        found.held = Some(held);
                    }
                    is_spoiled = true;
                }
                (CertStatus::Good, Ok(())) => good = Some(proof),
                (CertStatus::Unknown, Ok(())) => {
                    note(Cause::ResponderUnknown);
                    is_spoiled = true;
                }
                (_, Err(cause)) => {
                    note(cause);
                    is_spoiled = true;
                }
            }
        }
        let good = good.filter(|_| !is_spoiled)?;
        if found.good.as_ref().is_none_or(|known| good.this_update > known.this_update) {
            found.good = Some(good);
        }
        None
    }

    /// 3.2 (5), (6), and that nobody signs in the future.
    fn is_answer_current(
        &mut self,
        basic: &BasicResponse<'_>,
        single: &SingleResponse<'_>,
    ) -> Result<(), Cause> {
        let skew = self.policy().freshness.skew;
        if basic.produced_at.unix() > self.now().unix().saturating_add(skew) {
            // Rare enough not to be worth a time.
            self.until = self.now();
            return Err(Cause::NotYetValid);
        }
        self.admit(single.this_update, single.next_update)
    }
}
