//! Rules of the profile for issuers (RFC 5280 4) that section 6 does not make validators check. A pedantic policy
//! checks them.

use crate::der::ViewFault;
use crate::reason::{ProfileViolation, Reason};
use crate::x509::{Certificate, GeneralName, KeyUsage, KnownExtension};

/// The position of a certificate in the path, as far as the rules depend on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PathPosition {
    Target,
    Intermediate,
    Anchor,
}

/// Rejects a certificate for the first violated rule.
///
/// RFC 5280 4.1.2.2, RFC 5280 4.1.2.6, RFC 5280 4.2.1.9.
#[doc(alias("RFC 5280 section 4.1.2.2", "RFC 5280 section 4.1.2.6", "RFC 5280 section 4.2.1.9"))]
pub(crate) fn check(
    certificate: &Certificate<'_>,
    position: PathPosition,
    is_self_signed: bool,
) -> Result<(), Reason> {
    let demand = |holds: bool, otherwise| if holds { Ok(()) } else { Err(Reason::Profile(otherwise)) };
    let has = |known| certificate.has(known);
    let critical_if_present = |known| !certificate.has(known) || certificate.is_critical(known);
    let is_ca = position != PathPosition::Target;

    demand(certificate.serial().is_conforming(), ProfileViolation::SerialNumber)?;
    if !is_self_signed {
        let authority = certificate.authority_key_identifier()?;
        let named = authority.is_some_and(|authority| authority.key_identifier.is_some());
        demand(named, ProfileViolation::NoAuthorityKeyIdentifier)?;
    }
    if is_ca {
        demand(has(KnownExtension::SubjectKeyIdentifier), ProfileViolation::NoSubjectKeyIdentifier)?;
        demand(has(KnownExtension::BasicConstraints), ProfileViolation::NoBasicConstraints)?;
        let critical = certificate.is_critical(KnownExtension::BasicConstraints);
        demand(critical, ProfileViolation::BasicConstraintsNotCritical)?;
    } else {
        let signs = certificate.key_usage().is_some_and(|usage| usage.has_any(KeyUsage::KEY_CERT_SIGN));
        let may = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
        demand(!signs || may, ProfileViolation::KeyCertSignWithoutCa)?;
    }
    let bounds_nobody = certificate
        .basic_constraints()
        .is_some_and(|constraints| !constraints.ca && constraints.path_len.is_some());
    demand(!bounds_nobody, ProfileViolation::PathLenWithoutCa)?;
    let constrained = critical_if_present(KnownExtension::NameConstraints);
    demand(constrained, ProfileViolation::NameConstraintsNotCritical)?;
    demand(is_ca || !has(KnownExtension::NameConstraints), ProfileViolation::NameConstraintsOutsideCa)?;
    let constrained = critical_if_present(KnownExtension::PolicyConstraints);
    demand(constrained, ProfileViolation::PolicyConstraintsNotCritical)?;
    let constrained = critical_if_present(KnownExtension::InhibitAnyPolicy);
    demand(constrained, ProfileViolation::InhibitAnyPolicyNotCritical)?;
    let named = !certificate.subject().is_empty() || certificate.is_critical(KnownExtension::SubjectAltName);
    demand(named, ProfileViolation::EmptySubject)?;
    check_names(certificate)?.map_or(Ok(()), |violation| Err(Reason::Profile(violation)))
}

/// Checks the syntax of host names (RFC 1034 3.5, as RFC 5280 4.2.1.6 requires) and of constraints on them.
fn check_names(certificate: &Certificate<'_>) -> Result<Option<ProfileViolation>, ViewFault> {
    if let Some(names) = certificate.subject_alt_name()? {
        for name in names {
            match name? {
                GeneralName::Dns(name) if !is_preferred_syntax(name) => {
                    return Ok(Some(ProfileViolation::DnsNameSyntax));
                }
                _ => {}
            }
        }
    }
    if let Some(constraints) = certificate.name_constraints()? {
        for base in [constraints.permitted, constraints.excluded].into_iter().flatten().flatten() {
            match base? {
                GeneralName::Dns(base) if !base.is_empty() && !is_preferred_syntax(base) => {
                    return Ok(Some(ProfileViolation::DnsConstraintSyntax));
                }
                _ => {}
            }
        }
    }
    Ok(None)
}

/// Whether a name has labels of letters, digits and inner hyphens, and the last one is not a number.
fn is_preferred_syntax(name: &str) -> bool {
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(good_label) && !is_number
}
