//! Whether one piece of evidence is useful for a certificate: whether a cache may keep it, and whether another source
//! is tried.
//!
//! The status of a certificate is decided elsewhere, from all evidence together. Here, a signer of unknown status
//! counts as good, because its status is requested next.

use super::assessor::SignerStatuses;
use super::evidence::OcspEvidence;
use super::ocsp::Found;
use super::{Assessor, CheckedCertificate, Dismissal, scope};
use crate::crl::Crl;
use crate::ocsp::ResponseStatus;
use crate::oid;
use crate::status::Cause;

impl<'e> Assessor<'e> {
    /// Checks that a CRL covers the certificate, is signed by an allowed signer, and is current.
    pub(super) fn check_crl_is_useful(
        &mut self,
        crl: &'e Crl,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<(), Dismissal> {
        self.signer_statuses = SignerStatuses::AssumedGood;
        let points = checked.certificate.crl_distribution_points().map_err(Dismissal::Malformed)?;
        let is_short = scope::is_short(crl);
        if is_short {
            scope::of(crl, points, checked, &mut self.context.budget)?;
        }
        match self.verified(crl, checked) {
            Ok(_) => {}
            // Its signer's certificate is available where the CRL says.
            Err(dismissal)
                if dismissal.cause() == Cause::WrongSigner && self.policy().aia && names_issuers(crl) => {}
            Err(dismissal) => return Err(dismissal),
        }
        if !is_short {
            scope::of(crl, points, checked, &mut self.context.budget)?;
        }
        self.is_current(crl)
    }

    /// Checks that a response is signed by an allowed signer, and has a current answer for the certificate.
    pub(super) fn check_response_is_useful(
        &mut self,
        response: &'e OcspEvidence,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<(), Dismissal> {
        self.signer_statuses = SignerStatuses::AssumedGood;
        if response.status() != ResponseStatus::Successful {
            return Err(Dismissal::ResponderError(response.status()));
        }
        let mut found = Found::default();
        let is_revoked = self.consult_response(response, checked, &mut found).is_some();
        if is_revoked || found.good.is_some() || found.held.is_some() {
            return Ok(());
        }
        Err(found.dismissal.unwrap_or_else(|| unrelated(response)))
    }
}

/// Why a response has no answer for a certificate.
pub(super) fn unrelated(response: &OcspEvidence) -> Dismissal {
    if response.has_answers() { Dismissal::OtherCertificates } else { Dismissal::NoAnswers }
}

fn names_issuers(crl: &Crl) -> bool {
    let access = crl.authority_info_access().ok().flatten();
    access.is_some_and(|access| access.urls(oid::AD_CA_ISSUERS).next().is_some())
}
