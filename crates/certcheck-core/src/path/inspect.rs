//! The checks on a certificate that do not depend on its path: strength, validity, extensions and role.

use super::candidate::Link;
use super::context::Context;
use super::profile::{self, PathPosition};
use super::server_name;
use crate::der::{Rule, ViewFault};
use crate::key;
use crate::oid::{self, Oid};
use crate::reason::{NotACa, Reason};
use crate::x509::{Certificate, KeyUsage, Version};

/// The most certificates that are remembered as checked, as many as signatures can be verified.
const INSPECTED: usize = 128;

impl<'a> Context<'a> {
    /// Like [`inspect`], but only once for many paths.
    pub(super) fn inspect_once(&mut self, link: &Link<'a>, position: PathPosition) -> Result<(), Reason> {
        let key = (link.reference, position);
        if self.inspected.contains(&key) {
            return Ok(());
        }
        inspect(self, link, position)?;
        if self.budget.spent.paths > 1 && self.inspected.len() < INSPECTED {
            self.inspected.push(key);
        }
        Ok(())
    }
}

/// The checks on a certificate that do not depend on its path: strength, validity, extensions and role.
///
/// RFC 5280 4.1.2.6, RFC 5280 4.1.2.7, RFC 5280 4.2.1.3, RFC 5280 6.1.3 (a)(2).
#[doc(alias(
    "RFC 5280 section 4.1.2.6",
    "RFC 5280 section 4.1.2.7",
    "RFC 5280 section 4.2.1.3",
    "RFC 5280 section 6.1.3(a)(2)"
))]
pub(super) fn inspect(context: &Context<'_>, link: &Link<'_>, position: PathPosition) -> Result<(), Reason> {
    let (certificate, policy) = (&link.certificate, context.policy);
    if context.ring.distrusts(certificate) {
        return Err(Reason::Distrusted);
    }
    // The keys of CAs verify signatures, which fails for a point that is not on its curve.
    if position == PathPosition::Target {
        key::check_whole(certificate.spki(), &policy.signatures)?;
    } else {
        key::check_form(certificate.spki(), &policy.signatures)?;
    }
    // 6.1.3 (a)(2)
    if context.now < certificate.not_before() {
        return Err(Reason::NotYetValid { not_before: certificate.not_before(), now: context.now });
    }
    if context.now > certificate.not_after() {
        return Err(Reason::Expired { not_after: certificate.not_after(), now: context.now });
    }
    check_criticality(certificate)?;
    if policy.pedantic {
        profile::check(certificate, position, false)?;
    }
    if position == PathPosition::Target {
        // 4.1.2.6: the subject must have a name.
        if certificate.subject().is_empty() && certificate.subject_alt_name()?.is_none() {
            return Err(Reason::NoSubjectName);
        }
        // 4.2.1.3
        if let (Some(wanted), Some(usage)) = (policy.purpose.key_usage(), certificate.key_usage())
            && !usage.has_any(wanted)
        {
            return Err(Reason::KeyUsage { wanted: "digitalSignature" });
        }
        if let Some(wanted) = &policy.server_name {
            server_name::check(certificate, wanted)?;
        }
    } else {
        check_ca(certificate)?;
    }
    // 4.2.1.12, also for CAs: a CA cannot issue certificates for a purpose that it does not have.
    check_purpose(certificate, policy.purpose.key_purpose())
}

/// Checks 6.1.4 (o) and 6.1.5 (f), and that no extension is critical against the profile.
///
/// RFC 5280 4.2, RFC 5280 6.1.4 (o), RFC 5280 6.1.5 (f).
#[doc(alias("RFC 5280 section 4.2", "RFC 5280 section 6.1.4(o)", "RFC 5280 section 6.1.5(f)"))]
pub(super) fn check_criticality(certificate: &Certificate<'_>) -> Result<(), Reason> {
    if let Some(oid) = certificate.unhandled_critical_extension() {
        return Err(Reason::UnhandledCriticalExtension { oid: oid.into() });
    }
    if let Some(known) = certificate.wrongly_critical_extension() {
        return Err(ViewFault { offset: 0, field: known.field(), rule: Rule::MustNotBeCritical }.into());
    }
    Ok(())
}

/// Checks that the certificate is a CA certificate.
///
/// RFC 5280 4.2.1.9, RFC 5280 6.1.4 (k).
#[doc(alias("RFC 5280 section 4.2.1.9", "RFC 5280 section 6.1.4(k)"))]
pub(super) fn check_ca(certificate: &Certificate<'_>) -> Result<(), Reason> {
    if certificate.version() != Version::V3 {
        // (k) leaves versions 1 and 2 to out-of-band means. Being a self-signed anchor is the only one.
        return Err(Reason::NotACa(NotACa::Version));
    }
    match certificate.basic_constraints() {
        None => return Err(Reason::NotACa(NotACa::NoBasicConstraints)),
        Some(constraints) if !constraints.ca => return Err(Reason::NotACa(NotACa::NotAsserted)),
        Some(_) => {}
    }
    check_may_sign(certificate)
}

/// Checks that a CA certificate with keyUsage may sign certificates.
///
/// RFC 5280 4.2.1.3, RFC 5280 6.1.4 (n).
#[doc(alias("RFC 5280 section 4.2.1.3", "RFC 5280 section 6.1.4(n)"))]
pub(super) fn check_may_sign(certificate: &Certificate<'_>) -> Result<(), Reason> {
    match certificate.key_usage() {
        Some(usage) if !usage.has_any(KeyUsage::KEY_CERT_SIGN) => {
            Err(Reason::KeyUsage { wanted: "keyCertSign" })
        }
        _ => Ok(()),
    }
}

/// Checks that extKeyUsage, if present, includes the purpose.
///
/// RFC 5280 4.2.1.12.
#[doc(alias = "RFC 5280 section 4.2.1.12")]
pub(super) fn check_purpose(certificate: &Certificate<'_>, wanted: Option<Oid<'_>>) -> Result<(), Reason> {
    let (Some(wanted), Some(usage)) = (wanted, certificate.extended_key_usage()?) else { return Ok(()) };
    for purpose in usage.purposes() {
        let purpose = purpose?;
        if purpose == wanted || purpose == oid::ANY_EXTENDED_KEY_USAGE {
            return Ok(());
        }
    }
    Err(Reason::ExtendedKeyUsage { wanted: wanted.into() })
}
