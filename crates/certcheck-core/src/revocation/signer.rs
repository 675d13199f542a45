//! Who may sign a CRL: RFC 5280 6.3.3 (f) and (g), with RFC 10007.

use super::{Assessor, Cause, MAX_DEPTH, Status, Subject};
use crate::crl::{Crl, VerifiedCrl};
use crate::path::build;
use crate::path::pool::{CertificateRef, Pool};
use crate::path::verify::Context;
use crate::policy::CrlSignerUsage;
use crate::signature::SignatureFault;
use crate::view::{Certificate, KeyUsage};

impl<'e> Assessor<'e> {
    /// The CRL, verified with a key that may sign it, or why it is not.
    pub(super) fn verified(
        &mut self,
        crl: &'e Crl,
        subject: &Subject<'_, 'e>,
    ) -> Result<VerifiedCrl<'e>, Cause> {
        let name = crl.issuer();
        // That some key verifies it and may not sign says more than that others do not verify it.
        let mut is_signed = false;
        let mut cause = Cause::WrongSigner;
        // The key that issued the certificate, if the CRL is of that name: nearly always.
        let is_of_issuer = subject.issuer.subject().matches(name);
        if is_of_issuer {
            match self.try_key(crl, subject.issuer) {
                Ok(verified) if self.may_sign_crls(subject.issuer, subject.issuer_is_anchor) => {
                    return Ok(verified);
                }
                Ok(_) => is_signed = true,
                Err(found) => cause = found.into(),
            }
        }
        // Another certificate of that name: another key of the CA, or a CRL issuer of its own.
        for reference in self.pool.by_name(name) {
            let Some((link, _)) = self.pool.link(reference) else { continue };
            let candidate = link.certificate;
            let was_tried = is_of_issuer && candidate.der() == subject.issuer.der();
            if was_tried {
                continue;
            }
            match self.try_key(crl, &candidate) {
                Ok(verified) if self.is_trusted_signer(reference, &candidate) => return Ok(verified),
                Ok(_) => is_signed = true,
                Err(found) => cause = cause.max(found.into()),
            }
        }
        Err(if is_signed { Cause::WrongSigner } else { cause })
    }

    /// (g)
    fn try_key(&mut self, crl: &'e Crl, signer: &Certificate<'e>) -> Result<VerifiedCrl<'e>, SignatureFault> {
        crl.verify_with(signer.spki(), self.context.policy, &mut self.context.budget)
    }

    /// (f): the signer's own path leads to the same anchor, its keyUsage lets it sign CRLs, and it is not revoked.
    fn is_trusted_signer(&mut self, reference: CertificateRef, signer: &Certificate<'e>) -> bool {
        if signer.der() == self.anchor.der() {
            return self.may_sign_crls(signer, true);
        }
        if !self.may_sign_crls(signer, false) {
            return false;
        }
        // Whether the signer is revoked is being asked, and this CRL is of what it says itself: it is taken as signed
        // (PKITS 4.14.30). Were it listed there, it would be found so.
        if self.in_progress.iter().any(|earlier| earlier.der() == signer.der()) {
            return true;
        }
        if let Some((_, known)) = self.judged.iter().find(|(known, _)| *known == reference) {
            return *known;
        }
        if self.in_progress.len() >= MAX_DEPTH || self.searched >= self.policy().limits.crl_issuers {
            return false;
        }
        self.searched += 1;
        let is_good = self.is_good_signer(signer);
        // What was found while others were in progress leans on them.
        if self.in_progress.is_empty() {
            self.judged.push((reference, is_good));
        }
        is_good
    }

    /// Its path, and the status of each certificate in it.
    fn is_good_signer(&mut self, signer: &Certificate<'e>) -> bool {
        // The certificates of that path have times of their own.
        self.until = self.now();
        self.looked_beyond = true;
        let (ring, policy) = (self.context.ring, self.context.policy);
        let signer_policy = self.signer_policy.get_or_init(|| policy.for_crl_issuers());
        let pool = Pool::new(ring, *signer, self.presented.to_vec());
        let mut context =
            Context::with_spent(ring, signer_policy, self.now(), self.context.issuers, self.spent());
        let outcome = build::search(&mut context, &pool, &[]);
        self.context.budget.spent = context.budget.spent;
        let path: Vec<Certificate<'e>> =
            outcome.path.iter().filter_map(|at| pool.link(*at)).map(|(link, _)| link.certificate).collect();
        let is_same_anchor = path.last().is_some_and(|anchor| anchor.der() == self.anchor.der());
        if outcome.result.is_err() || !is_same_anchor {
            return false;
        }
        if self.takes_signers_unasked {
            return true;
        }
        self.in_progress.push(*signer);
        let all_good = path.iter().zip(path.iter().skip(1)).enumerate().all(|(at, (certificate, issuer))| {
            let subject = Subject { certificate, issuer, issuer_is_anchor: at + 2 == path.len() };
            matches!(self.status(&subject), Status::Good(_) | Status::NoRevAvail)
        });
        self.in_progress.pop();
        all_good
    }

    /// keyUsage, by the policy's reading of RFC 10007.
    fn may_sign_crls(&self, signer: &Certificate<'_>, is_anchor: bool) -> bool {
        let is_absence_taken = match self.policy().crl_signer_usage {
            CrlSignerUsage::Rfc10007 => is_anchor,
            CrlSignerUsage::Required => false,
            CrlSignerUsage::IfPresent => true,
        };
        signer.key_usage().map_or(is_absence_taken, |usage| usage.has_any(KeyUsage::CRL_SIGN))
    }
}
