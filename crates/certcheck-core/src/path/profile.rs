//! Duties of issuers (RFC 5280 section 4) that section 6 does not have validators check: a pedantic policy does.

use crate::der::ViewFault;
use crate::reason::{Duty, Reason};
use crate::x509::{Certificate, GeneralName, KeyUsage, KnownExtension};

/// What a certificate is in the path, as far as duties differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Station {
    Target,
    Intermediate,
    Anchor,
}

/// Refuses the first duty that is not done.
pub(crate) fn check(
    certificate: &Certificate<'_>,
    station: Station,
    is_self_signed: bool,
) -> Result<(), Reason> {
    let duty = |done: bool, what, rfc| if done { Ok(()) } else { Err(Reason::Duty(Duty { what, rfc })) };
    let has = |known| certificate.has(known);
    let critical_if_present = |known| !certificate.has(known) || certificate.is_critical(known);
    let is_ca = station != Station::Target;

    duty(
        certificate.serial().is_conforming(),
        "the serial number is not positive or over 20 octets",
        "RFC 5280 4.1.2.2",
    )?;
    if !is_self_signed {
        let authority = certificate.authority_key_identifier()?;
        let named = authority.is_some_and(|authority| authority.key_identifier.is_some());
        duty(named, "authorityKeyIdentifier is absent", "RFC 5280 4.2.1.1")?;
    }
    if is_ca {
        duty(
            has(KnownExtension::SubjectKeyIdentifier),
            "a CA certificate lacks subjectKeyIdentifier",
            "RFC 5280 4.2.1.2",
        )?;
        duty(
            has(KnownExtension::BasicConstraints),
            "a CA certificate lacks basicConstraints",
            "RFC 5280 4.2.1.9",
        )?;
        let critical = certificate.is_critical(KnownExtension::BasicConstraints);
        duty(critical, "basicConstraints of a CA certificate is not critical", "RFC 5280 4.2.1.9")?;
    } else {
        let signs = certificate.key_usage().is_some_and(|usage| usage.has_any(KeyUsage::KEY_CERT_SIGN));
        let may = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
        duty(!signs || may, "keyUsage has keyCertSign and cA is not asserted", "RFC 5280 4.2.1.3")?;
    }
    let bounds_nobody = certificate
        .basic_constraints()
        .is_some_and(|constraints| !constraints.ca && constraints.path_len.is_some());
    duty(!bounds_nobody, "pathLenConstraint without cA", "RFC 5280 4.2.1.9")?;
    let constrained = critical_if_present(KnownExtension::NameConstraints);
    duty(constrained, "nameConstraints is not critical", "RFC 5280 4.2.1.10")?;
    duty(
        is_ca || !has(KnownExtension::NameConstraints),
        "nameConstraints outside a CA certificate",
        "RFC 5280 4.2.1.10",
    )?;
    let constrained = critical_if_present(KnownExtension::PolicyConstraints);
    duty(constrained, "policyConstraints is not critical", "RFC 5280 4.2.1.11")?;
    let constrained = critical_if_present(KnownExtension::InhibitAnyPolicy);
    duty(constrained, "inhibitAnyPolicy is not critical", "RFC 5280 4.2.1.14")?;
    let named = !certificate.subject().is_empty() || certificate.is_critical(KnownExtension::SubjectAltName);
    duty(named, "subject is empty and subjectAltName not critical", "RFC 5280 4.1.2.6")?;
    check_names(certificate)?.map_or(Ok(()), |duty| Err(Reason::Duty(duty)))
}

/// Syntax of host names (RFC 1034 3.5, as RFC 5280 4.2.1.6 asks) and of constraints on them.
fn check_names(certificate: &Certificate<'_>) -> Result<Option<Duty>, ViewFault> {
    let bad_host = Duty { what: "a dNSName is not in the preferred name syntax", rfc: "RFC 5280 4.2.1.6" };
    if let Some(names) = certificate.subject_alt_name()? {
        for name in names {
            match name? {
                GeneralName::Dns(name) if !is_preferred_syntax(name) => return Ok(Some(bad_host)),
                _ => {}
            }
        }
    }
    if let Some(constraints) = certificate.name_constraints()? {
        for base in [constraints.permitted, constraints.excluded].into_iter().flatten().flatten() {
            match base? {
                GeneralName::Dns(base) if !base.is_empty() && !is_preferred_syntax(base) => {
                    let what = "a dNSName constraint is not in the preferred name syntax";
                    return Ok(Some(Duty { what, rfc: "RFC 5280 4.2.1.10" }));
                }
                _ => {}
            }
        }
    }
    Ok(None)
}

/// Labels of letters, digits and inner hyphens; the last is no number.
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
