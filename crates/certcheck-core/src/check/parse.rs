//! Parsing of the presented certificates, within limits.

use pki_types::CertificateDer;

use super::Check;
use crate::policy::{Limit, LimitHit, Limits};
use crate::reason::Reason;
use crate::report::Warning;
use crate::x509::Certificate;

/// The target, and the other certificates that can be parsed. Certificates that cannot be parsed change nothing next to
/// a good chain. `issuers` were fetched later, and come after the presented ones.
pub(super) fn read<'e>(
    check: &Check<'e>,
    issuers: &'e [CertificateDer<'static>],
    warnings: &mut Vec<Warning>,
) -> Result<(Certificate<'e>, Vec<Certificate<'e>>), Reason> {
    let limits = &check.policy.limits;
    let (first, rest) = check.chain.split_first().ok_or(Reason::NoCertificate)?;
    let target = parse(first, limits)?;
    let max = usize::try_from(limits.presented).unwrap_or(usize::MAX);
    if rest.len() > max {
        warnings.push(Warning::PresentedTooMany { allowed: limits.presented });
    }
    let mut presented = Vec::with_capacity(rest.len().min(max));
    for (index, der) in (1..).zip(rest.iter().take(max)) {
        match parse(der, limits) {
            Ok(certificate) => presented.push(certificate),
            Err(reason) => warnings.push(Warning::PresentedMalformed { index, reason }),
        }
    }
    let room = max.saturating_sub(presented.len());
    presented.extend(issuers.iter().filter_map(|der| parse(der, limits).ok()).take(room));
    Ok((target, presented))
}

pub(super) fn parse<'e>(der: &'e CertificateDer<'_>, limits: &Limits) -> Result<Certificate<'e>, Reason> {
    if u32::try_from(der.len()).is_ok_and(|length| length <= limits.certificate_bytes) {
        Certificate::parse(der).map_err(Reason::from)
    } else {
        Err(LimitHit { limit: Limit::CertificateBytes, allowed: limits.certificate_bytes }.into())
    }
}
