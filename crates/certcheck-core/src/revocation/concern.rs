//! Whether the evidence about one certificate of a path may say something about another.

use super::plan::Planned;
use super::{Answer, AskedEvidence, CheckedCertificate};
use crate::x509::Certificate;

/// The most answers whose issuers are compared one by one.
const FEW_ASKED: usize = 8;

/// Whether evidence that was requested for one certificate of a path may change the status of another. The evidence of
/// most paths does not, since each CA issues its own.
pub(crate) fn may_concern_others<'p>(
    plans: impl Iterator<Item = &'p Planned> + Clone,
    checked: &[CheckedCertificate<'_, '_>],
) -> bool {
    let asked = || plans.clone().flat_map(|planned| &planned.asked);
    if plans.clone().any(|planned| planned.own.looked_beyond) || asked().count() > FEW_ASKED {
        return asked().next().is_some();
    }
    plans.clone().enumerate().any(|(at, planned)| {
        let others = || checked.iter().enumerate().filter(|(other, _)| *other != at);
        planned.asked.iter().any(|asked| others().any(|(_, other)| asked.may_concern(other.certificate)))
    })
}

impl AskedEvidence {
    /// Whether the answer may say something about this certificate, too.
    pub(crate) fn may_concern(&self, certificate: &Certificate<'_>) -> bool {
        match &self.answer {
            Answer::Crl(crl) => crl.issuer().matches(certificate.issuer()),
            Answer::Ocsp(response) => response.has_serial(certificate.serial().bytes()),
            Answer::Issuers(_) => true,
            Answer::Failed(_) => false,
        }
    }
}
