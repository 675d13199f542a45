//! The allowed signers of a CRL: RFC 5280 6.3.3 (f) and (g), with RFC 10007.
//!
//! Deviation, stricter than 6.3.3 (f): a name is not enough. Any CA below the anchor could issue a certificate for any
//! name, and with it a CRL that removes the revocations of another CA. So a signer other than the issuer's own key must
//! be in the ring, or be certified by a key on which the certificate's own path depends. Presented or fetched
//! certificates do not count otherwise.

use super::CheckedCertificate;
use super::assessor::{Assessor, MAX_DEPTH, SignerStatuses};
use super::dismissal::{Dismissal, SignerFault, stronger};
use crate::crl::{Crl, VerifiedCrl};
use crate::path::build;
use crate::path::candidate::{CertificateRef, Link};
use crate::path::context::Context;
use crate::path::pool::Pool;
use crate::policy::CrlSignerUsage;
use crate::status::{Cause, Status};
use crate::x509::{Certificate, KeyUsage};

impl<'e> Assessor<'e> {
    /// The CRL, verified with a key that is allowed to sign it, or why it is not.
    ///
    /// RFC 5280 6.3.3 (g).
    #[doc(alias = "RFC 5280 section 6.3.3(g)")]
    pub(super) fn verified(
        &mut self,
        crl: &'e Crl,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<VerifiedCrl<'e>, Dismissal> {
        let name = crl.issuer();
        // A key that verifies it but is not allowed to sign it says more than keys that do not verify it.
        let mut refused: Option<SignerFault> = None;
        let mut dismissal: Option<Dismissal> = None;
        // The key that issued the certificate, if the CRL has that name, which is nearly always the case.
        let is_of_issuer = checked.issuer.subject().matches(name);
        if is_of_issuer {
            match self.try_key(crl, checked.issuer) {
                Ok(verified) => match self.check_usage(checked.issuer, checked.issuer_is_anchor()) {
                    Ok(()) => return Ok(verified),
                    Err(fault) => refused = Some(fault),
                },
                Err(found) => dismissal = Some(found),
            }
        }
        // Another certificate with that name: another key of the CA, or a separate CRL issuer.
        for reference in self.pool.by_name(name) {
            let Some(link) = self.pool.link(reference) else { continue };
            let candidate = link.certificate;
            let was_tried = is_of_issuer && candidate.der() == checked.issuer.der();
            if was_tried {
                continue;
            }
            // Before the CRL is hashed for it, because anyone can present certificates with this name.
            if !self.is_tied(&link, is_of_issuer, checked) {
                dismissal = Some(stronger(dismissal, SignerFault::NotTied.into()));
                continue;
            }
            match self.try_key(crl, &candidate) {
                Ok(verified) => match self.check_signer(reference, &candidate) {
                    Ok(()) => return Ok(verified),
                    Err(fault) => refused = refused.or(Some(fault)),
                },
                Err(found) => dismissal = Some(stronger(dismissal, found)),
            }
        }
        Err(refused.map(Dismissal::from).or(dismissal).unwrap_or_else(|| SignerFault::Unknown.into()))
    }

    /// Verifies the CRL with the key of a signer (g).
    ///
    /// RFC 5280 6.3.3 (g).
    #[doc(alias = "RFC 5280 section 6.3.3(g)")]
    fn try_key(&mut self, crl: &'e Crl, signer: &Certificate<'e>) -> Result<VerifiedCrl<'e>, Dismissal> {
        Ok(crl.verify_with(signer.spki(), self.context.policy, &mut self.context.budget)?)
    }

    /// Whether a signer with the right name is tied to the certificate's path by a key. It is tied if it is in the
    /// ring, if it has the issuer's key, if its key and name are on the path, or if it was certified
    /// - under the issuer's name (a CA with several keys): by a key that the CA has on the path, the issuer's first, or
    ///   by the key that certified the CA there,
    /// - under another name, for an indirect CRL: by any key of the path.
    ///
    /// The certificates above the issuer only count if the ring does not know the CA otherwise: see
    /// [`Self::is_path_of_ring`].
    ///
    /// RFC 5280 6.3.3 (f).
    #[doc(alias = "RFC 5280 section 6.3.3(f)")]
    fn is_tied(
        &mut self,
        signer: &Link<'e>,
        is_of_issuer: bool,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> bool {
        if matches!(signer.reference, CertificateRef::Ring(_)) {
            return true;
        }
        let is = |known: &Certificate<'e>| {
            known.spki_raw() == signer.certificate.spki_raw()
                && known.subject().matches(signer.certificate.subject())
        };
        if is(checked.issuer) || self.certifies(checked.issuer, signer) {
            return true;
        }
        // Self-issued certificates of the CA follow one another. The certifier of the last one certified the CA.
        let ca = checked.issuer.subject();
        let own = checked.above.iter().take_while(|known| known.subject().matches(ca)).count();
        if !self.is_path_of_ring(checked, own) {
            // The anchor is trusted by itself, whatever leads to it.
            let anchor = self.anchor;
            return !is_of_issuer && self.certifies(&anchor, signer);
        }
        let above = if is_of_issuer { own.saturating_add(1) } else { usize::MAX };
        checked.above.iter().any(is)
            || checked.above.iter().take(above).any(|known| self.certifies(known, signer))
    }

    /// Whether this key made the signature on a signer's certificate. False if a limit is reached.
    fn certifies(&mut self, certifier: &Certificate<'e>, signer: &Link<'e>) -> bool {
        let (issuer, name) = (signer.certificate.issuer(), certifier.subject());
        self.context.budget.compare_names(issuer.cost().saturating_add(name.cost())).is_ok()
            && issuer.matches(name)
            && self.context.verify_signature(signer, certifier.spki()).is_ok()
    }

    /// Whether the certificates above the CA on this path are those that the ring has above it.
    ///
    /// A client could present a path on which another CA has certified the CA's key, and then other certificates with
    /// its name. If the ring does not know the CA, or if the anchor certified it, there is nothing to compare. `own` is
    /// the number of certificates of the CA above the issuer.
    fn is_path_of_ring(&mut self, checked: &CheckedCertificate<'_, 'e>, own: usize) -> bool {
        let Some(certifier) = checked.above.get(own) else { return true };
        if certifier.der() == self.anchor.der() {
            return true;
        }
        let (ring, ca) = (self.context.ring, checked.issuer);
        let named = ring.name_id(ca.subject()).map_or(&[][..], |name| ring.by_subject(name));
        let links = named.iter().filter_map(|at| self.pool.link(CertificateRef::Ring(*at)));
        let of_key: Vec<Link<'e>> =
            links.filter(|link| link.certificate.spki_raw() == ca.spki_raw()).collect();
        of_key.is_empty() || of_key.iter().any(|link| self.certifies(certifier, link))
    }

    /// Checks (f): the signer's own path leads to the same anchor, its keyUsage allows signing CRLs, and it is not
    /// revoked.
    ///
    /// RFC 5280 6.3.3 (f).
    #[doc(alias = "RFC 5280 section 6.3.3(f)")]
    fn check_signer(
        &mut self,
        reference: CertificateRef,
        signer: &Certificate<'e>,
    ) -> Result<(), SignerFault> {
        if signer.der() == self.anchor.der() {
            return self.check_usage(signer, true);
        }
        self.check_usage(signer, false)?;
        // The signer's own status is being determined, and this CRL is its own: it is accepted as signed (PKITS
        // 4.14.30). If the signer were listed in it, it would be found revoked.
        if self.in_progress.iter().any(|earlier| earlier.der() == signer.der()) {
            return Ok(());
        }
        if let Some((_, known)) = self.known_signers.iter().find(|(known, _)| *known == reference) {
            return known.clone();
        }
        if self.in_progress.len() >= MAX_DEPTH || self.searched >= self.policy().limits.crl_issuers {
            return Err(SignerFault::TooDeep);
        }
        self.searched += 1;
        let outcome = self.check_path_of_signer(signer);
        // Results that were found while others were in progress depend on those.
        if self.in_progress.is_empty() {
            self.known_signers.push((reference, outcome.clone()));
        }
        outcome
    }

    /// Checks the signer's path, and the status of each certificate in it.
    ///
    /// RFC 5280 6.3.3 (f).
    #[doc(alias = "RFC 5280 section 6.3.3(f)")]
    fn check_path_of_signer(&mut self, signer: &Certificate<'e>) -> Result<(), SignerFault> {
        // The certificates of that path have validity periods of their own.
        self.until = self.now();
        self.looked_beyond = true;
        let (ring, policy) = (self.context.ring, self.context.policy);
        let signer_policy = self.signer_policy.get_or_init(|| policy.for_crl_issuers());
        let pool = Pool::new(ring, *signer, self.presented.to_vec());
        let mut context =
            Context::with_spent(ring, signer_policy, self.now(), self.context.issuers, self.spent());
        let outcome = build::search(&mut context, &pool, &[]);
        self.context.budget.spent = context.budget.spent;
        self.context.budget.was_hit |= context.budget.was_hit;
        if let Err(rejection) = outcome.result {
            return Err(SignerFault::NoPath(Box::new(rejection.reason)));
        }
        let path: Vec<Certificate<'e>> = outcome.path.iter().filter_map(|at| pool.certificate(*at)).collect();
        if path.last().is_none_or(|anchor| anchor.der() != self.anchor.der()) {
            return Err(SignerFault::OtherAnchor);
        }
        if self.signer_statuses == SignerStatuses::AssumedGood {
            return Ok(());
        }
        self.in_progress.push(*signer);
        let fault = CheckedCertificate::of_each(&path).find_map(|checked| match self.status(&checked) {
            Status::Good(_) | Status::NoRevAvail => None,
            Status::Revoked(_) => Some(SignerFault::Revoked),
            Status::Unknown(cause) => Some(SignerFault::StatusUnknown(cause)),
            Status::NotChecked => Some(SignerFault::StatusUnknown(Cause::NotTried)),
        });
        self.in_progress.pop();
        fault.map_or(Ok(()), Err)
    }

    /// Checks keyUsage, as the policy requires it (RFC 10007).
    ///
    /// RFC 5280 6.3.3 (f), RFC 10007 3.
    #[doc(alias("RFC 5280 section 6.3.3(f)", "RFC 10007 section 3"))]
    fn check_usage(&self, signer: &Certificate<'_>, is_anchor: bool) -> Result<(), SignerFault> {
        let is_absence_taken = match self.policy().crl_signer_usage {
            CrlSignerUsage::Rfc10007 => is_anchor,
            CrlSignerUsage::Required => false,
            CrlSignerUsage::IfPresent => true,
        };
        match signer.key_usage() {
            Some(usage) if usage.has_any(KeyUsage::CRL_SIGN) => Ok(()),
            Some(_) => Err(SignerFault::NoCrlSign),
            None if is_absence_taken => Ok(()),
            None => Err(SignerFault::NoKeyUsage),
        }
    }
}
