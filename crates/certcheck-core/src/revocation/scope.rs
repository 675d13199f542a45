//! Whether a CRL covers a certificate by a distribution point: RFC 5280 6.3.3 (b), (d).

use super::CheckedCertificate;
use super::dismissal::{Dismissal, ScopeGap};
use crate::budget::Budget;
use crate::crl::{Crl, IssuingDistributionPoint};
use crate::x509::{
    DistributionPoint, DistributionPointName, DistributionPoints, GeneralName, GeneralNames, Name, Rdn,
};

/// All reasons: bits 1 to 8 of ReasonFlags.
pub(super) const ALL_REASONS: u16 = 0x7f80;

/// How far a CRL covers a certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// The interim_reasons_mask.
    pub(super) reasons: u16,
    /// Whether entries may be for certificates of other issuers, so that they are looked up with the issuer.
    pub(super) is_indirect: bool,
}

/// The most bytes of an issuingDistributionPoint that is checked before the CRL's signature is verified.
const SHORT: usize = 1_024;

/// Whether the scope of a CRL is checked before its signature.
pub(super) fn is_short(crl: &Crl) -> bool {
    crl.scope().len() <= SHORT
}

/// The scope by all points of the certificate, and by the assumed point at the end of 6.3.3: a CRL that no point names,
/// from the certificate's issuer. It has at least one reason.
///
/// RFC 5280 6.3.3.
#[doc(alias = "RFC 5280 section 6.3.3")]
pub(super) fn of(
    crl: &Crl,
    points: Option<DistributionPoints<'_>>,
    checked: &CheckedCertificate<'_, '_>,
    budget: &mut Budget<'_>,
) -> Result<Scope, Dismissal> {
    let idp = crl.issuing_distribution_point().map_err(Dismissal::Malformed)?;
    let is_indirect = idp.is_some_and(|idp| idp.indirect);
    let mut reasons = reasons_by(crl, idp.as_ref(), None, checked, budget)?;
    if reasons != ALL_REASONS {
        for point in points.into_iter().flatten() {
            let point = point.map_err(Dismissal::Malformed)?;
            reasons |= reasons_by(crl, idp.as_ref(), Some(&point), checked, budget)?;
        }
    }
    if reasons == 0 {
        return Err(gap(crl, idp.as_ref(), points, checked).into());
    }
    Ok(Scope { reasons, is_indirect })
}

/// Why the CRL does not cover the certificate.
fn gap(
    crl: &Crl,
    idp: Option<&IssuingDistributionPoint<'_>>,
    points: Option<DistributionPoints<'_>>,
    checked: &CheckedCertificate<'_, '_>,
) -> ScopeGap {
    let is_of_issuer = crl.issuer().matches(checked.certificate.issuer());
    match idp {
        Some(idp) if idp.only_attribute => ScopeGap::OnlyAttributes,
        Some(idp) if idp.only_user && is_ca(checked) => ScopeGap::OnlyUsers,
        Some(idp) if idp.only_ca && !is_ca(checked) => ScopeGap::OnlyCas,
        idp if !is_of_issuer && !idp.is_some_and(|idp| idp.indirect) => ScopeGap::NotIndirect,
        _ if points.is_none() => ScopeGap::NoPoint,
        _ => ScopeGap::OtherPoint,
    }
}

fn is_ca(checked: &CheckedCertificate<'_, '_>) -> bool {
    checked.certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
}

/// The interim_reasons_mask by one point, (b) and (d).
///
/// RFC 5280 6.3.3 (b)(1), RFC 5280 6.3.3 (d).
#[doc(alias("RFC 5280 section 6.3.3(b)(1)", "RFC 5280 section 6.3.3(d)"))]
fn reasons_by(
    crl: &Crl,
    idp: Option<&IssuingDistributionPoint<'_>>,
    point: Option<&DistributionPoint<'_>>,
    checked: &CheckedCertificate<'_, '_>,
    budget: &mut Budget<'_>,
) -> Result<u16, Dismissal> {
    let issuer = crl.issuer();
    // (b)(1)
    let is_issued_right = match point.and_then(|point| point.crl_issuer) {
        Some(names) => names_directory(names, issuer, budget)? && idp.is_some_and(|idp| idp.indirect),
        None => issuer.matches(checked.certificate.issuer()),
    };
    if !is_issued_right {
        return Ok(0);
    }
    let point_reasons = point.and_then(|point| point.reasons).unwrap_or(ALL_REASONS) & ALL_REASONS;
    // (d)(2) and (4) without an IDP.
    let Some(idp) = idp else { return Ok(point_reasons) };
    // (b)(2)(i)
    if let Some(name) = idp.name
        && !is_same_point(name, issuer, point, checked, budget)?
    {
        return Ok(0);
    }
    // (b)(2)(ii) to (iv)
    if !covers_kind(idp, checked) {
        return Ok(0);
    }
    // (d)
    Ok(point_reasons & idp.reasons.unwrap_or(ALL_REASONS))
}

/// Whether the CRL covers certificates of this kind.
///
/// RFC 5280 6.3.3 (b)(2)(ii), RFC 5280 6.3.3 (b)(2)(iii), RFC 5280 6.3.3 (b)(2)(iv).
#[doc(alias(
    "RFC 5280 section 6.3.3(b)(2)(ii)",
    "RFC 5280 section 6.3.3(b)(2)(iii)",
    "RFC 5280 section 6.3.3(b)(2)(iv)"
))]
fn covers_kind(idp: &IssuingDistributionPoint<'_>, checked: &CheckedCertificate<'_, '_>) -> bool {
    let is_ca = is_ca(checked);
    !(idp.only_attribute || idp.only_user && is_ca || idp.only_ca && !is_ca)
}

/// Whether the names include this directory name.
///
/// RFC 5280 6.3.3 (b)(1).
#[doc(alias = "RFC 5280 section 6.3.3(b)(1)")]
fn names_directory(
    names: GeneralNames<'_>,
    wanted: Name<'_>,
    budget: &mut Budget<'_>,
) -> Result<bool, Dismissal> {
    let cost = wanted.cost();
    for name in names {
        let Ok(name) = name else { continue };
        budget.compare_names(cost.saturating_add(name.cost()))?;
        if matches!(name, GeneralName::Directory(name) if name.matches(wanted)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether (b)(2)(i) holds: one name of the IDP is one name of the point or, if the point has none, one of its
/// cRLIssuer.
///
/// RFC 5280 6.3.3 (b)(2)(i).
#[doc(alias = "RFC 5280 section 6.3.3(b)(2)(i)")]
fn is_same_point(
    name: DistributionPointName<'_>,
    crl_issuer: Name<'_>,
    point: Option<&DistributionPoint<'_>>,
    checked: &CheckedCertificate<'_, '_>,
    budget: &mut Budget<'_>,
) -> Result<bool, Dismissal> {
    let certificate_issuer = GeneralName::Directory(checked.certificate.issuer());
    let Some(point) = point else {
        // 6.3.3, end: the point is assumed to have the name of the certificate issuer.
        return any_matches(name, crl_issuer, Form::Full(certificate_issuer), budget);
    };
    match (point.name, point.crl_issuer) {
        (Some(DistributionPointName::FullName(names)), _) | (None, Some(names)) => {
            for theirs in names {
                let theirs = theirs.map_err(Dismissal::Malformed)?;
                if any_matches(name, crl_issuer, Form::Full(theirs), budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Some(DistributionPointName::RelativeToIssuer(rdn)), issuers) => {
            // Relative to cRLIssuer, which is one name then (4.2.1.13), otherwise to the certificate's issuer.
            let base = match issuers.and_then(|mut names| names.next()) {
                Some(Ok(GeneralName::Directory(name))) => name,
                _ => checked.certificate.issuer(),
            };
            any_matches(name, crl_issuer, Form::Relative(base, rdn), budget)
        }
        (None, None) => Ok(false),
    }
}

/// A full name, or an RDN below another name.
#[derive(Clone, Copy)]
enum Form<'a> {
    Full(GeneralName<'a>),
    Relative(Name<'a>, Rdn<'a>),
}

impl Form<'_> {
    /// The cost of comparing it, in bytes.
    fn cost(self) -> usize {
        match self {
            Self::Full(name) => name.cost(),
            Self::Relative(base, rdn) => base.cost().saturating_add(rdn.cost()),
        }
    }
}

/// Whether two names are the same.
///
/// RFC 5280 6.3.3 (b)(2)(i).
#[doc(alias = "RFC 5280 section 6.3.3(b)(2)(i)")]
fn is_same_form(a: Form<'_>, b: Form<'_>) -> bool {
    match (a, b) {
        (Form::Full(a), Form::Full(b)) => is_same_name(a, b),
        (Form::Relative(base, rdn), Form::Full(GeneralName::Directory(name)))
        | (Form::Full(GeneralName::Directory(name)), Form::Relative(base, rdn)) => {
            is_below_by(name, base, rdn)
        }
        (Form::Relative(a, x), Form::Relative(b, y)) => a.matches(b) && x.matches(y),
        _ => false,
    }
}

/// Whether the IDP has the name. Every comparison counts, because issuers choose how many points and names there are.
fn any_matches(
    name: DistributionPointName<'_>,
    crl_issuer: Name<'_>,
    wanted: Form<'_>,
    budget: &mut Budget<'_>,
) -> Result<bool, Dismissal> {
    let cost = wanted.cost();
    let mut compare = |ours: Form<'_>| {
        budget.compare_names(cost.saturating_add(ours.cost()))?;
        Ok(is_same_form(ours, wanted))
    };
    match name {
        DistributionPointName::FullName(names) => {
            for name in names {
                if compare(Form::Full(name.map_err(Dismissal::Malformed)?))? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        DistributionPointName::RelativeToIssuer(rdn) => compare(Form::Relative(crl_issuer, rdn)),
    }
}

/// Whether a name is another name with one RDN appended.
fn is_below_by(name: Name<'_>, base: Name<'_>, rdn: Rdn<'_>) -> bool {
    let last = name.rdns().last();
    name.rdns().count() == base.rdns().count() + 1
        && name.is_within(base)
        && last.is_some_and(|last| last.matches(rdn))
}

/// Whether two names have the same form and are the same. Directory names match by 7.1, DNS names without case. The others
/// are compared byte by byte.
///
/// RFC 5280 6.3.3 (b)(2)(i).
#[doc(alias = "RFC 5280 section 6.3.3(b)(2)(i)")]
fn is_same_name(a: GeneralName<'_>, b: GeneralName<'_>) -> bool {
    match (a, b) {
        (GeneralName::Directory(a), GeneralName::Directory(b)) => a.matches(b),
        (GeneralName::Uri(a), GeneralName::Uri(b)) | (GeneralName::Rfc822(a), GeneralName::Rfc822(b)) => {
            a == b
        }
        (GeneralName::Dns(a), GeneralName::Dns(b)) => a.eq_ignore_ascii_case(b),
        (GeneralName::Ip(a), GeneralName::Ip(b))
        | (GeneralName::X400(a), GeneralName::X400(b))
        | (GeneralName::EdiParty(a), GeneralName::EdiParty(b)) => a == b,
        (GeneralName::RegisteredId(a), GeneralName::RegisteredId(b)) => a == b,
        (GeneralName::Other { type_id: a, value: x }, GeneralName::Other { type_id: b, value: y }) => {
            a == b && x == y
        }
        _ => false,
    }
}
