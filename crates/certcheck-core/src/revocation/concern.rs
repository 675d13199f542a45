//! Whether the evidence about one certificate of a path may say something about another.

use super::plan::Planned;
use super::{Answer, AskedEvidence, CheckedCertificate};
use crate::key_ring::NameId;
use crate::x509::Certificate;

/// The most answers whose issuers are compared one by one.
const FEW_ASKED: usize = 8;

/// Whether evidence that was requested for one certificate of a path may change the status of another. The evidence of
/// most paths does not, since each CA issues its own. `issuers` has the number of each certificate's issuer name.
pub(crate) fn may_concern_others<'p>(
    plans: impl Iterator<Item = &'p Planned> + Clone,
    checked: &[CheckedCertificate<'_, '_>],
    issuers: &[NameId],
) -> bool {
    let asked = || plans.clone().flat_map(|planned| &planned.asked);
    if plans.clone().any(|planned| planned.own.looked_beyond) || asked().count() > FEW_ASKED {
        return asked().next().is_some();
    }
    let each = || checked.iter().map(|checked| checked.certificate).zip(issuers);
    plans.clone().zip(each()).enumerate().any(|(at, (planned, (own, issuer)))| {
        planned.asked.iter().any(|asked| {
            let is_own_issuers = asked.is_crl_of(own);
            let may_concern = |(other, its): (&Certificate<'_>, &NameId)| {
                if is_own_issuers { its == issuer } else { asked.may_concern(other) }
            };
            each().enumerate().filter(|(other, _)| *other != at).any(|(_, other)| may_concern(other))
        })
    })
}

impl AskedEvidence {
    /// Whether the answer is a CRL of the certificate's issuer, in the same encoding of its name.
    fn is_crl_of(&self, certificate: &Certificate<'_>) -> bool {
        matches!(&self.answer, Answer::Crl(crl) if crl.issuer().raw() == certificate.issuer().raw())
    }

    /// Whether the answer may say something about this certificate, too.
    fn may_concern(&self, certificate: &Certificate<'_>) -> bool {
        match &self.answer {
            Answer::Crl(crl) => crl.issuer().matches(certificate.issuer()),
            Answer::Ocsp(response) => response.has_serial(certificate.serial().bytes()),
            Answer::Issuers(_) => true,
            Answer::Failed(_) => false,
        }
    }
}
