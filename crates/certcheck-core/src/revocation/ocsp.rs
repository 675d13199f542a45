//! The status of a certificate by OCSP: RFC 6960 3.2.

use std::sync::Arc;

use super::evidence::OcspEvidence;
use super::evidence::Piece;
use super::{Assessor, CheckedCertificate, Dismissal};
use crate::ocsp::{CertStatus, ResponseStatus, SingleResponse};
use crate::status::{Cause, Means, Proof, RevocationReason, Revoked, Status};
use crate::time::Time;

/// The result of all responses together.
#[derive(Default)]
pub(super) struct Found<'e> {
    /// The newest good answer.
    pub(super) good: Option<Proof<&'e Arc<str>>>,
    /// The newest answer with certificateHold. A later good answer lifts it.
    pub(super) held: Option<Revoked<&'e Arc<str>>>,
    /// Why other answers are not used: the most specific reason.
    pub(super) dismissal: Option<Dismissal>,
}

impl<'e> Assessor<'e> {
    /// The status by all available responses. The worst verified one counts.
    pub(super) fn by_ocsp(&mut self, checked: &CheckedCertificate<'_, 'e>) -> Status<&'e Arc<str>> {
        let mut found = Found::default();
        for response in self.at_hand.responses_about(checked.certificate.serial().bytes()) {
            if let Some(revoked) = self.consult_response(response, checked, &mut found) {
                return Status::Revoked(revoked);
            }
        }
        match (found.held, found.good) {
            (Some(held), Some(good)) if good.this_update > held.proof.this_update => Status::Good(good),
            (Some(held), _) => Status::Revoked(held),
            (None, Some(good)) => Status::Good(good),
            (None, None) => {
                Status::Unknown(found.dismissal.map_or(Cause::NotTried, |dismissal| dismissal.cause()))
            }
        }
    }

    /// Evaluates one response. Returns a permanent revocation, and records everything else.
    ///
    /// RFC 6960 2.2, RFC 6960 2.4, RFC 6960 3.2 (6), RFC 6960 4.4.8.
    #[doc(alias(
        "RFC 6960 section 2.2",
        "RFC 6960 section 2.4",
        "RFC 6960 section 3.2(6)",
        "RFC 6960 section 4.4.8"
    ))]
    pub(super) fn consult_response(
        &mut self,
        response: &'e OcspEvidence,
        checked: &CheckedCertificate<'_, 'e>,
        found: &mut Found<'e>,
    ) -> Option<Revoked<&'e Arc<str>>> {
        let Some(basic) = response.basic().filter(|_| response.status() == ResponseStatus::Successful) else {
            self.note(response, found, Dismissal::ResponderError(response.status()));
            return None;
        };
        // 3.2 (1): the answers for this certificate, whatever other answers there are.
        let is_about = |single: &SingleResponse<'_>| response.is_about(single, checked);
        let mut about = basic.responses().filter_map(Result::ok).filter(is_about).peekable();
        if about.peek().is_none() {
            self.dismissed(Piece::Ocsp(response), &Dismissal::OtherCertificates);
            return None;
        }
        // 3.2 (2) to (4)
        if let Err(dismissal) = self.check_responder(response, &basic, checked) {
            self.note(response, found, dismissal);
            return None;
        }
        // If there are several answers for one certificate, the worst counts, and one that cannot be used invalidates
        // the good ones.
        let mut good = None;
        let mut is_spoiled = false;
        for single in about {
            let proof = Proof {
                by: Means::Ocsp,
                source: response.source(),
                this_update: single.this_update,
                next_update: single.next_update,
            };
            let current = self.check_times(basic.produced_at, &single);
            match (single.status, current) {
                // An answer of another time that it is revoked still counts, unless it is a hold that may have been
                // lifted since.
                (
                    CertStatus::Revoked { at, reason },
                    Err(Dismissal::Stale { .. } | Dismissal::NotYetValid { .. }),
                )
                | (CertStatus::Revoked { at, reason }, Ok(()))
                    if reason != RevocationReason::CertificateHold =>
                {
                    self.counts(response);
                    return Some(Revoked { proof, at, reason, invalid_since: single.invalid_since });
                }
                (CertStatus::Revoked { at, reason }, Ok(()) | Err(Dismissal::NotYetValid { .. })) => {
                    let held = Revoked { proof, at, reason, invalid_since: single.invalid_since };
                    let is_newer = found
                        .held
                        .as_ref()
                        .is_none_or(|known| held.proof.this_update > known.proof.this_update);
                    if is_newer {
                        found.held = Some(held);
                    }
                    self.counts(response);
                    is_spoiled = true;
                }
                (CertStatus::Good, Ok(())) => good = Some(proof),
                (CertStatus::Unknown, Ok(())) => {
                    self.note(response, found, Dismissal::ResponderUnknown);
                    is_spoiled = true;
                }
                (_, Err(dismissal)) => {
                    self.note(response, found, dismissal);
                    is_spoiled = true;
                }
            }
        }
        let good = good.filter(|_| !is_spoiled)?;
        self.counts(response);
        if found.good.as_ref().is_none_or(|known| good.this_update > known.this_update) {
            found.good = Some(good);
        }
        None
    }

    /// Checks 3.2 (5) and (6), and that the response was not signed in the future. If the check is for a past time,
    /// responses that were produced later for that time count.
    fn check_times(&mut self, produced_at: Time, single: &SingleResponse<'_>) -> Result<(), Dismissal> {
        if produced_at.unix() > self.latest().unix().saturating_add(self.policy().freshness.skew) {
            // This is too rare to compute an end.
            self.until = self.now();
            return Err(Dismissal::NotYetValid { this_update: produced_at });
        }
        self.check_current(single.this_update, single.next_update)
    }

    /// The latest time at which a response may have been produced.
    pub(super) fn latest(&self) -> Time {
        self.policy().produced_until.unwrap_or_else(|| self.now()).max(self.now())
    }

    /// Records why a response is not used. Of several causes, the one that counts most for the policy is kept.
    fn note(&mut self, response: &'e OcspEvidence, found: &mut Found<'e>, dismissal: Dismissal) {
        self.dismissed(Piece::Ocsp(response), &dismissal);
        let tolerance = self.policy().revocation.tolerance();
        let is_worse = found.dismissal.as_ref().is_none_or(|known| {
            known.cause() != dismissal.cause()
                && tolerance.worse(known.cause(), dismissal.cause()) == dismissal.cause()
        });
        if is_worse {
            found.dismissal = Some(dismissal);
        }
    }

    fn counts(&mut self, response: &'e OcspEvidence) {
        self.counted(Piece::Ocsp(response));
    }
}
