//! The certificates of a check: parsed once, within limits, and kept as positions in the bytes that were given.

use pki_types::CertificateDer;

use super::Check;
use crate::path::pool::{Pool, PoolLayout};
use crate::policy::{Limit, LimitHit, Limits};
use crate::reason::Reason;
use crate::report::Warning;
use crate::x509::{Certificate, Positions};

/// The parsed certificates of a check, without their bytes. It is only valid for the check that it was parsed for.
#[derive(Clone, Debug)]
pub(super) struct ParsedChain {
    target: Positions,
    /// The other certificates that can be parsed, each with its position in the chain, fetched ones after it.
    presented: Vec<(usize, Positions)>,
    layout: PoolLayout,
    pub(super) warnings: Vec<Warning>,
}

impl ParsedChain {
    pub(super) const fn target(&self) -> Positions {
        self.target
    }

    /// Parses the certificates that were presented with a target, and the `issuers` that were fetched later.
    pub(super) fn parse(check: &Check<'_>, target: Positions, issuers: &[CertificateDer<'_>]) -> Self {
        let Presented { certificates, indices, warnings } = Presented::parse(check, issuers);
        let first = check.chain.first().map_or(&[][..], |first| &**first);
        let layout = PoolLayout::new(check.ring, &target.view(first), &certificates);
        let presented = indices.into_iter().zip(certificates.iter().map(Certificate::positions)).collect();
        Self { target, presented, layout, warnings }
    }

    /// The same presented certificates with another target of the same issuer.
    pub(super) fn with_target(&self, target: Positions) -> Self {
        Self {
            target,
            presented: self.presented.clone(),
            layout: self.layout.with_other_target(),
            warnings: self.warnings.clone(),
        }
    }

    /// The certificates as views of the bytes that were parsed.
    pub(super) fn pool<'e>(&self, check: &Check<'e>, issuers: &'e [CertificateDer<'static>]) -> Pool<'e> {
        let der = |index: usize| match check.chain.get(index) {
            Some(der) => Some(&**der),
            None => issuers.get(index - check.chain.len()).map(|der| &**der),
        };
        let target = self.target.view(der(0).unwrap_or_default());
        let presented = self.presented.iter().filter_map(|(index, at)| Some(at.view(der(*index)?)));
        self.layout.clone().pool(check.ring, target, presented.collect())
    }
}

/// The certificates that were presented with a target, parsed.
pub(super) struct Presented<'e> {
    /// Those that can be parsed, fetched ones last.
    pub(super) certificates: Vec<Certificate<'e>>,
    /// The position of each in the chain. Fetched ones come after the chain.
    indices: Vec<usize>,
    pub(super) warnings: Vec<Warning>,
}

impl<'e> Presented<'e> {
    /// Parses the certificates that were presented with a target. Those that cannot be parsed change nothing next to a
    /// good chain. `issuers` were fetched later, and come after the presented ones.
    pub(super) fn parse(check: &Check<'e>, issuers: &'e [CertificateDer<'_>]) -> Self {
        let limits = &check.policy.limits;
        let rest = check.chain.get(1..).unwrap_or_default();
        let max = usize::try_from(limits.presented).unwrap_or(usize::MAX);
        let mut warnings = Vec::new();
        if rest.len() > max {
            warnings.push(Warning::PresentedTooMany { allowed: limits.presented });
        }
        let mut certificates = Vec::with_capacity(rest.len().min(max));
        let mut indices = Vec::with_capacity(rest.len().min(max));
        for (index, der) in (1..).zip(rest.iter().take(max)) {
            match parse(der, limits) {
                Ok(certificate) => {
                    indices.push(index);
                    certificates.push(certificate);
                }
                Err(reason) => warnings.push(Warning::PresentedMalformed { index, reason }),
            }
        }
        let room = max.saturating_sub(certificates.len());
        let fetched = (check.chain.len()..).zip(issuers);
        let fetched = fetched.filter_map(|(index, der)| Some((index, parse(der, limits).ok()?)));
        for (index, certificate) in fetched.take(room) {
            indices.push(index);
            certificates.push(certificate);
        }
        Self { certificates, indices, warnings }
    }
}

/// Parses the target.
pub(super) fn parse_target<'e>(check: &Check<'e>) -> Result<Certificate<'e>, Reason> {
    parse(check.chain.first().ok_or(Reason::NoCertificate)?, &check.policy.limits)
}

fn parse<'e>(der: &'e CertificateDer<'_>, limits: &Limits) -> Result<Certificate<'e>, Reason> {
    if u32::try_from(der.len()).is_ok_and(|length| length <= limits.certificate_bytes) {
        Certificate::parse(der).map_err(Reason::from)
    } else {
        Err(LimitHit { limit: Limit::CertificateBytes, allowed: limits.certificate_bytes }.into())
    }
}
