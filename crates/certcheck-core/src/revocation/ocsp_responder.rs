//! The allowed signers of an OCSP response: RFC 6960 3.2 (2) to (4) and 4.2.2.2.

use super::CheckedCertificate;
use super::assessor::{Assessor, MAX_DEPTH, SignerStatuses};
use super::dismissal::{Dismissal, SignerFault, stronger};
use super::evidence::OcspEvidence;
use crate::ocsp::BasicResponse;
use crate::oid;
use crate::signature::Signed;
use crate::status::{Cause, Status};
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage, KnownExtension};

impl<'e> Assessor<'e> {
    /// Checks 4.2.2.2: signed by a trusted responder, by the CA that issued the certificate, or by a delegate of that
    /// CA.
    ///
    /// RFC 6960 3.2 (4), RFC 6960 4.2.2.2 (1), RFC 6960 4.2.2.2 (2).
    #[doc(alias("RFC 6960 section 3.2(4)", "RFC 6960 section 4.2.2.2(1)", "RFC 6960 section 4.2.2.2(2)"))]
    pub(super) fn check_responder(
        &mut self,
        response: &'e OcspEvidence,
        basic: &BasicResponse<'e>,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<(), Dismissal> {
        // 1.
        for trusted in &self.policy().trusted_responders {
            if let Ok(trusted) = Certificate::parse(trusted)
                && basic.responder.is(&trusted)
                && self.verify(response, basic, &trusted).is_ok()
            {
                return Ok(());
            }
        }
        let mut dismissal: Option<Dismissal> = None;
        // 2.
        if response.is_by(basic.responder, checked.issuer) {
            match self.verify(response, basic, checked.issuer) {
                Ok(()) => return Ok(()),
                // A delegate may have the name of the CA.
                Err(found) => dismissal = Some(found),
            }
        }
        // 3.
        for delegate in basic.certificates() {
            // A certificate that cannot be parsed may be the signer's.
            let Ok(delegate) = delegate else {
                dismissal = Some(stronger(dismissal, Dismissal::Unreadable));
                continue;
            };
            if !basic.responder.is(&delegate) {
                continue;
            }
            let outcome = self
                .check_delegate(response, basic.produced_at, &delegate, checked)
                .and_then(|()| self.verify(response, basic, &delegate));
            match outcome {
                Ok(()) => return Ok(()),
                Err(found) => dismissal = Some(stronger(dismissal, found)),
            }
        }
        Err(dismissal.unwrap_or_else(|| SignerFault::NotResponder.into()))
    }

    /// Verifies the signature (3.2 (2)).
    ///
    /// RFC 6960 3.2 (2).
    #[doc(alias = "RFC 6960 section 3.2(2)")]
    fn verify(
        &mut self,
        response: &OcspEvidence,
        basic: &BasicResponse<'_>,
        signer: &Certificate<'_>,
    ) -> Result<(), Dismissal> {
        let signed = Signed { message: basic.tbs, algorithm: basic.algorithm, signature: basic.signature };
        // The response itself is at 0, and no certificate in it is.
        Ok(response.keys.verify(
            0,
            signed,
            signer.spki(),
            &self.context.policy.signatures,
            &mut self.context.budget,
        )?)
    }

    /// Checks a delegate: issued directly by the CA's key, for OCSP signing itself, not a CA, valid now, and not
    /// revoked. Deviation from RFC 5280 6.1: name and policy constraints above the CA are not checked for it. The CA
    /// may sign what the delegate signs, so nothing is gained by violating them.
    ///
    /// RFC 6960 4.2.2.2 (3).
    #[doc(alias = "RFC 6960 section 4.2.2.2(3)")]
    fn check_delegate(
        &mut self,
        response: &'e OcspEvidence,
        produced_at: Time,
        delegate: &Certificate<'e>,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<(), Dismissal> {
        let validity = self.check_validity(delegate, produced_at);
        if self.context.ring.distrusts(delegate) {
            return Err(SignerFault::Distrusted.into());
        }
        if !delegate.issuer().matches(checked.issuer.subject()) {
            return Err(SignerFault::NotByIssuer.into());
        }
        check_profile(delegate)?;
        validity?;
        let signed = Signed {
            message: delegate.tbs(),
            algorithm: delegate.signature_algorithm(),
            signature: delegate.signature(),
        };
        let at = delegate.der().as_ptr().addr().saturating_sub(response.der().as_ptr().addr());
        let key = checked.issuer.spki();
        match response.keys.verify(at, signed, key, &self.context.policy.signatures, &mut self.context.budget)
        {
            Ok(()) => self.check_delegate_status(delegate, checked),
            // It has the issuer's name, but is not signed by its key.
            Err(fault) => match Dismissal::from(fault) {
                found if found.cause() == Cause::BadSignature => Err(SignerFault::NotByIssuer.into()),
                found => Err(found),
            },
        }
    }

    /// Checks whether the delegate is valid at the time of the check. An answer for the past may be produced later, by
    /// a delegate that was certified later: then it must be valid when it signs.
    fn check_validity(&mut self, delegate: &Certificate<'_>, produced_at: Time) -> Result<(), SignerFault> {
        let (now, skew) = (self.now().unix(), self.policy().freshness.skew);
        let (not_before, not_after) = (delegate.not_before(), delegate.not_after());
        // Its own time of signing counts as far as it agrees with the clock.
        let signs_at = now.max(produced_at.unix().min(self.latest().unix()));
        let is_expired = now.max(produced_at.unix()).saturating_sub(skew) > not_after.unix();
        let is_early = signs_at.saturating_add(skew) < not_before.unix();
        let ends = if is_expired || is_early { now } else { not_after.unix().saturating_add(skew) };
        self.until = self.until.min(Time::from_unix(ends));
        if is_expired {
            return Err(SignerFault::Expired { not_after });
        }
        if is_early {
            return Err(SignerFault::NotYetValid { not_before });
        }
        Ok(())
    }

    /// Checks the status of a delegate (4.2.2.2.1). One with nocheck is trusted for its lifetime. One that names CRLs
    /// is checked with them, never with what it signs itself. One that names nothing is accepted: the RFC leaves that
    /// to local policy, and such certificates are short-lived.
    ///
    /// RFC 6960 4.2.2.2.1.
    #[doc(alias = "RFC 6960 section 4.2.2.2.1")]
    fn check_delegate_status(
        &mut self,
        delegate: &Certificate<'e>,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<(), Dismissal> {
        let is_taken =
            delegate.has(KnownExtension::OcspNocheck) || !delegate.has(KnownExtension::CrlDistributionPoints);
        if is_taken || self.signer_statuses == SignerStatuses::AssumedGood {
            return Ok(());
        }
        if self.in_progress.len() >= MAX_DEPTH {
            return Err(SignerFault::TooDeep.into());
        }
        self.looked_beyond = true;
        let about = CheckedCertificate { certificate: delegate, ..*checked };
        self.in_progress.push(*delegate);
        let status = self.by_crl(&about);
        self.in_progress.pop();
        match status {
            Status::Good(_) if self.context.budget.was_hit => {
                Err(SignerFault::StatusUnknown(Cause::TooLarge).into())
            }
            Status::Good(_) => Ok(()),
            Status::Revoked(_) => Err(SignerFault::Revoked.into()),
            Status::Unknown(cause) => Err(SignerFault::StatusUnknown(cause).into()),
            Status::NoRevAvail | Status::NotChecked => {
                Err(SignerFault::StatusUnknown(Cause::NotTried).into())
            }
        }
    }
}

/// Checks the extensions that 4.2.2.2 requires of a delegate. It requires nothing of keyUsage: a delegate signs with
/// digitalSignature or nonRepudiation, and some national identity schemes give their responders only the latter.
fn check_profile(delegate: &Certificate<'_>) -> Result<(), Dismissal> {
    let purposes = delegate.extended_key_usage().map_err(Dismissal::Malformed)?;
    let is_for_answers =
        purposes.is_some_and(|usage| usage.purposes().any(|purpose| purpose == Ok(oid::KP_OCSP_SIGNING)));
    if !is_for_answers {
        return Err(SignerFault::NoOcspSigning.into());
    }
    let signing = KeyUsage::DIGITAL_SIGNATURE.or(KeyUsage::NON_REPUDIATION);
    if delegate.key_usage().is_some_and(|usage| !usage.has_any(signing)) {
        return Err(SignerFault::NoSignatureUsage.into());
    }
    if delegate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return Err(SignerFault::IsCa.into());
    }
    let is_plain =
        delegate.unhandled_critical_extension().is_none() && delegate.wrongly_critical_extension().is_none();
    if is_plain { Ok(()) } else { Err(SignerFault::CriticalExtension.into()) }
}
