//! Who may sign an OCSP response: RFC 6960 3.2 (2) to (4) and 4.2.2.2.

use super::evidence::OcspEvidence;
use super::{Assessor, Cause, MAX_DEPTH, Status, Subject};
use crate::ocsp::BasicResponse;
use crate::oid;
use crate::signature::Signed;
use crate::time::Time;
use crate::view::{Certificate, KeyUsage, KnownExtension};

impl<'e> Assessor<'e> {
    /// 4.2.2.2: signed by a responder that is trusted here, by the CA that issued the certificate, or by who that CA
    /// itself has named for it.
    pub(super) fn check_responder(
        &mut self,
        response: &'e OcspEvidence,
        basic: &BasicResponse<'e>,
        subject: &Subject<'_, 'e>,
    ) -> Result<(), Cause> {
        // 1.
        for trusted in &self.policy().trusted_responders {
            if let Ok(trusted) = Certificate::parse(trusted)
                && basic.responder.is(&trusted)
                && self.verify(response, basic, &trusted).is_ok()
            {
                return Ok(());
            }
        }
        let mut cause = Cause::WrongSigner;
        // 2.
        if response.is_by(basic.responder, subject.issuer) {
            match self.verify(response, basic, subject.issuer) {
                Ok(()) => return Ok(()),
                // A delegate may have the CA's name.
                Err(found) => cause = found,
            }
        }
        // 3.
        for delegate in basic.certificates() {
            // One that does not read may be who signed.
            let Ok(delegate) = delegate else {
                cause = cause.max(Cause::Malformed);
                continue;
            };
            if !basic.responder.is(&delegate) {
                continue;
            }
            let outcome = self
                .check_delegate(response, &delegate, subject)
                .and_then(|()| self.verify(response, basic, &delegate));
            match outcome {
                Ok(()) => return Ok(()),
                Err(found) => cause = cause.max(found),
            }
        }
        Err(cause)
    }

    /// 3.2 (2)
    fn verify(
        &mut self,
        response: &OcspEvidence,
        basic: &BasicResponse<'_>,
        signer: &Certificate<'_>,
    ) -> Result<(), Cause> {
        let signed = Signed { message: basic.tbs, algorithm: basic.algorithm, signature: basic.signature };
        // The response itself stands at 0: no certificate in it does.
        Ok(response.keys.verify(0, signed, signer.spki(), self.context.policy, &mut self.context.budget)?)
    }

    /// A delegate: issued directly by the CA's key, for signing answers and nothing inherited, no CA, valid now, not
    /// revoked. Deviation from RFC 5280 6.1: constraints above the CA, on names and policies, are not held against
    /// it: the CA may sign what it has the delegate sign, so nobody gains by it.
    fn check_delegate(
        &mut self,
        response: &OcspEvidence,
        delegate: &Certificate<'e>,
        subject: &Subject<'_, 'e>,
    ) -> Result<(), Cause> {
        let is_named = delegate.issuer().matches(subject.issuer.subject());
        let is_for_answers = delegate
            .extended_key_usage()
            .map_err(|_| Cause::Malformed)?
            .is_some_and(|usage| usage.purposes().any(|purpose| purpose == Ok(oid::KP_OCSP_SIGNING)));
        let may_sign = delegate.key_usage().is_none_or(|usage| usage.has_any(KeyUsage::DIGITAL_SIGNATURE));
        let is_ca = delegate.basic_constraints().is_some_and(|constraints| constraints.ca);
        let (now, skew) = (self.now().unix(), self.policy().freshness.skew);
        let is_current = now.saturating_add(skew) >= delegate.not_before().unix()
            && now.saturating_sub(skew) <= delegate.not_after().unix();
        let ends = if is_current { delegate.not_after().unix().saturating_add(skew) } else { now };
        self.until = self.until.min(Time::from_unix(ends));
        let is_plain = delegate.unhandled_critical_extension().is_none()
            && delegate.wrongly_critical_extension().is_none();
        let may = is_named && is_for_answers && may_sign && !is_ca && is_current && is_plain;
        if !may || self.context.ring.distrusts(delegate) {
            return Err(Cause::WrongSigner);
        }
        let signed = Signed {
            message: delegate.tbs(),
            algorithm: delegate.signature_algorithm(),
            signature: delegate.signature(),
        };
        let at = delegate.der().as_ptr().addr().saturating_sub(response.der().as_ptr().addr());
        let key = subject.issuer.spki();
        match response.keys.verify(at, signed, key, self.context.policy, &mut self.context.budget) {
            Ok(()) => self.check_delegate_status(delegate, subject),
            // Of the issuer's name, and not by its key.
            Err(fault) => match fault.into() {
                Cause::BadSignature => Err(Cause::WrongSigner),
                cause => Err(cause),
            },
        }
    }

    /// 4.2.2.2.1: nocheck is trust for its lifetime; who names CRLs is checked by them, never by what it signs itself;
    /// who names nothing is taken: the RFC leaves that to local policy, and such certificates are short-lived.
    fn check_delegate_status(
        &mut self,
        delegate: &Certificate<'e>,
        subject: &Subject<'_, 'e>,
    ) -> Result<(), Cause> {
        let is_taken =
            delegate.has(KnownExtension::OcspNocheck) || !delegate.has(KnownExtension::CrlDistributionPoints);
        if is_taken || self.takes_signers_unasked {
            return Ok(());
        }
        if self.in_progress.len() >= MAX_DEPTH {
            return Err(Cause::TooLarge);
        }
        self.looked_beyond = true;
        let about = Subject { certificate: delegate, ..*subject };
        self.in_progress.push(*delegate);
        let status = self.by_crl(&about);
        self.in_progress.pop();
        if matches!(status, Status::Good(_)) { Ok(()) } else { Err(Cause::WrongSigner) }
    }
}
