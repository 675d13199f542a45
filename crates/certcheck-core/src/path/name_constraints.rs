//! Name constraints (RFC 5280 4.2.1.10, 6.1.3 (b) and (c)).
//!
//! Permitted subtrees are not intersected and excluded subtrees not united (6.1.4 (g)). Instead, each name is compared
//! with the constraints of every CA above it. The result is the same, and no set must be computed.
//!
//! Whatever cannot be compared reliably is a violation: a constraint or a name with invalid syntax, or a form without a
//! rule here. Criticality makes no difference.

use std::cell::OnceCell;

use crate::budget::Budget;
use crate::oid;
use crate::policy::{Limits, Purpose};
use crate::reason::{NameConstraintViolation, Reason};
use crate::x509::{Certificate, GeneralName, Name, NameConstraints, PreparedName, Subtrees};

/// The longest mailbox that is compared, in bytes. RFC 5321 4.5.3.1 allows 64 for the local part and 255 for the
/// domain.
const LONGEST_MAILBOX: usize = 1_024;
/// The longest URI that is compared, in bytes. It is also the limit for fetched URLs.
const LONGEST_URI: usize = 8_192;

/// The relation of a name to the base of a subtree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// The base has another form and says nothing.
    OtherForm,
    /// The name is inside.
    Inside,
    /// Some of the names that a wildcard matches are inside.
    Partly,
    /// The name is outside.
    Outside,
    /// It is unknown whether the name is inside.
    Unclear,
}

impl NameConstraints<'_> {
    /// Whether a name is allowed below a CA with these constraints (RFC 5280 6.1.3 (b), (c)).
    ///
    /// # Errors
    /// [`Reason::NameConstraint`], or a limit if there are more subtrees than a check compares by default.
    pub fn check_name(self, name: GeneralName<'_>) -> Result<(), Reason> {
        let limits = Limits::default();
        check_name(name, &[self], &mut Budget::new(&limits))
    }
}

/// How the common name of a subject may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CommonName {
    MayNameHost,
    NamesNoHost,
}

impl CommonName {
    /// The use for a target that is validated for this purpose.
    pub(crate) const fn of(purpose: &Purpose) -> Self {
        if purpose.may_name_hosts() { Self::MayNameHost } else { Self::NamesNoHost }
    }
}

/// Compares every name of a certificate with the constraints of the CAs above it.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
pub(crate) fn check(
    certificate: &Certificate<'_>,
    common_name: CommonName,
    above: &[NameConstraints<'_>],
    budget: &mut Budget<'_>,
) -> Result<(), Reason> {
    if above.is_empty() {
        return Ok(());
    }
    let subject = certificate.subject();
    if !subject.is_empty() {
        check_name(GeneralName::Directory(subject), above, budget)?;
    }
    let mut has_dns = false;
    if let Some(names) = certificate.subject_alt_name()? {
        for name in names {
            let name = name?;
            has_dns |= matches!(name, GeneralName::Dns(_));
            check_name(name, above, budget)?;
        }
    }
    for attribute in subject.attributes() {
        // 4.2.1.10 requires this if there is no subjectAltName. Deviation, stricter: it is done if there is one too, so
        // that an application that reads the email address of the subject cannot be led past a constraint.
        if attribute.oid == oid::EMAIL_ADDRESS {
            // A mailbox is ASCII. Anything else is compared as the empty mailbox, which is comparable with nothing.
            let mailbox =
                core::str::from_utf8(attribute.value).ok().filter(|text| text.is_ascii()).unwrap_or_default();
            check_name(GeneralName::Rfc822(mailbox), above, budget)?;
        }
        // The common name of a client is not a host name. If it could be read as one, it is compared with dNSName
        // constraints.
        if common_name == CommonName::MayNameHost
            && !has_dns
            && attribute.oid == oid::COMMON_NAME
            && let Some(host) = attribute.text().filter(|text| looks_like_host(text))
        {
            // A dNSName is ASCII. Anything else is comparable with nothing.
            check_name(GeneralName::Dns(if host.is_ascii() { &host } else { "?" }), above, budget)?;
        }
    }
    Ok(())
}

/// Whether a text is labels with dots between them, with characters of a host name or a wildcard, or with characters
/// that are not ASCII.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn looks_like_host(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '*' || !c.is_ascii();
    let good_label = |label: &str| {
        !label.is_empty() && label.chars().all(good) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(good_label)
}

/// Compares one name with the constraints.
///
/// RFC 5280 6.1.3 (b), RFC 5280 6.1.3 (c).
#[doc(alias("RFC 5280 section 6.1.3(b)", "RFC 5280 section 6.1.3(c)"))]
fn check_name(
    name: GeneralName<'_>,
    above: &[NameConstraints<'_>],
    budget: &mut Budget<'_>,
) -> Result<(), Reason> {
    let offend = |violation| Err(Reason::NameConstraint { name: name.to_string(), violation });
    let cost = name.cost();
    let held = Constrained::new(name);
    for constraints in above {
        // (b) within one of the permitted subtrees of its form, if there are any.
        if let Some(permitted) = constraints.permitted {
            match permits(&held, cost, permitted, budget)? {
                Standing::OtherForm | Standing::Inside => {}
                Standing::Unclear => return offend(NameConstraintViolation::NotComparable),
                Standing::Partly | Standing::Outside => return offend(NameConstraintViolation::NotPermitted),
            }
        }
        // (c) within none of the excluded ones.
        for base in constraints.excluded.into_iter().flatten() {
            let base = base?;
            budget.compare_names(cost_of(cost, name, base))?;
            match held.standing(base, Side::Excluded) {
                Standing::OtherForm | Standing::Outside => {}
                Standing::Inside | Standing::Partly => return offend(NameConstraintViolation::Excluded),
                Standing::Unclear => return offend(NameConstraintViolation::NotComparable),
            }
        }
    }
    Ok(())
}

/// A name that is compared with many bases. It is parsed only once.
struct Constrained<'a> {
    name: GeneralName<'a>,
    form: Form<'a>,
}

/// The part of a name that is compared. `None` is invalid syntax, which is comparable with nothing.
enum Form<'a> {
    Dns(Option<DnsName<'a>>),
    Mailbox(Option<Mailbox<'a>>),
    /// The host of a URI.
    Uri(Option<&'a str>),
    /// A directory name, prepared on demand: plain names are compared without preparation.
    Directory(Name<'a>, OnceCell<PreparedName>),
    /// Another form, compared as encoded or not at all.
    Other,
}

#[derive(Clone, Copy)]
enum DnsName<'a> {
    Host(&'a str),
    /// The part after `*.`.
    Wildcard(&'a str),
}

#[derive(Clone, Copy)]
struct Mailbox<'a> {
    local: &'a str,
    host: &'a str,
}

impl<'a> Constrained<'a> {
    fn new(name: GeneralName<'a>) -> Self {
        let form = match name {
            GeneralName::Dns(text) => Form::Dns(DnsName::parse(text)),
            GeneralName::Rfc822(text) => Form::Mailbox(Mailbox::parse(text)),
            // RFC 9598 6: rfc822Name constraints apply to SmtpUTF8Mailbox as well.
            GeneralName::Other { type_id: oid::ON_SMTP_UTF8_MAILBOX | oid::ON_UPN, value } => {
                Form::Mailbox(utf8_string(value).and_then(Mailbox::parse))
            }
            GeneralName::Uri(text) => Form::Uri(uri_host(text)),
            GeneralName::Directory(name) => Form::Directory(name, OnceCell::new()),
            _ => Form::Other,
        };
        Self { name, form }
    }

    /// The relation of this name to a base.
    ///
    /// RFC 5280 4.2.1.10.
    #[doc(alias = "RFC 5280 section 4.2.1.10")]
    fn standing(&self, base: GeneralName<'_>, side: Side) -> Standing {
        match (&self.form, self.name, base) {
            (Form::Directory(name, prepared), _, GeneralName::Directory(base)) => {
                directory(*name, prepared, base)
            }
            (Form::Dns(name), _, GeneralName::Dns(base)) => dns(*name, base, side),
            (Form::Mailbox(name), GeneralName::Rfc822(_), GeneralName::Rfc822(base)) => mailbox(*name, base),
            (Form::Uri(name), _, GeneralName::Uri(base)) => uri(*name, base),
            (
                Form::Mailbox(name),
                GeneralName::Other { type_id: oid::ON_SMTP_UTF8_MAILBOX, .. },
                GeneralName::Rfc822(base),
            ) => mailbox(*name, base),
            (
                form,
                GeneralName::Other { type_id: name_type, value: name },
                GeneralName::Other { type_id: base_type, value: base },
            ) => match form {
                _ if name_type != base_type => Standing::Outside,
                _ if name == base => Standing::Inside,
                Form::Mailbox(name) if name_type == oid::ON_UPN => match utf8_string(base) {
                    Some(base) => mailbox(*name, base.strip_prefix('@').unwrap_or(base)),
                    None => Standing::Unclear,
                },
                _ => Standing::Unclear,
            },
            (_, GeneralName::Ip(name), GeneralName::Ip(base)) => ip(name, base),
            // An arc is inside the arcs above it: the encoding of one is a prefix of the other.
            (_, GeneralName::RegisteredId(name), GeneralName::RegisteredId(base)) => {
                inside(name.content().starts_with(base.content()))
            }
            (_, GeneralName::X400(_), GeneralName::X400(_))
            | (_, GeneralName::EdiParty(_), GeneralName::EdiParty(_)) => Standing::Unclear,
            _ => Standing::OtherForm,
        }
    }
}

/// The cost of comparing a name, which itself costs `cost`, with this base. Other forms are not compared.
fn cost_of(cost: usize, name: GeneralName<'_>, base: GeneralName<'_>) -> usize {
    let is_same_form = core::mem::discriminant(&name) == core::mem::discriminant(&base);
    if is_same_form || matches!(name, GeneralName::Other { .. }) {
        cost.saturating_add(base.cost())
    } else {
        0
    }
}

/// The best relation to any of the bases.
fn permits(
    name: &Constrained<'_>,
    cost: usize,
    bases: Subtrees<'_>,
    budget: &mut Budget<'_>,
) -> Result<Standing, Reason> {
    let mut best = Standing::OtherForm;
    for base in bases {
        let base = base?;
        budget.compare_names(cost_of(cost, name.name, base))?;
        match name.standing(base, Side::Permitted) {
            Standing::Inside => return Ok(Standing::Inside),
            Standing::OtherForm => {}
            Standing::Unclear => best = Standing::Unclear,
            Standing::Partly | Standing::Outside if best != Standing::Unclear => best = Standing::Outside,
            Standing::Partly | Standing::Outside => {}
        }
    }
    Ok(best)
}

/// Which list a base is from. Something ambiguous is read narrowly if permitted, and widely if excluded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Permitted,
    Excluded,
}

fn inside(is_inside: bool) -> Standing {
    if is_inside { Standing::Inside } else { Standing::Outside }
}

/// The relation of directory names.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn directory(name: Name<'_>, prepared: &OnceCell<PreparedName>, base: Name<'_>) -> Standing {
    // Plain names have no values that cannot be compared.
    if name.is_plain() && base.is_plain() {
        return inside(name.is_within(base));
    }
    let (name, base) = (prepared.get_or_init(|| name.prepare()), base.prepare());
    if name.is_within(&base) {
        Standing::Inside
    } else if name.has_incomparable_value() || base.has_incomparable_value() {
        Standing::Unclear
    } else {
        Standing::Outside
    }
}

/// The text of a UTF8String with its header.
fn utf8_string(value: &[u8]) -> Option<&str> {
    let mut reader = crate::der::Reader::new(value);
    let tlv = reader.expect(crate::der::tag::UTF8_STRING, "otherName").ok()?;
    if reader.is_empty() { core::str::from_utf8(tlv.value).ok() } else { None }
}

/// A host name: labels of letters, digits, hyphens and underscores. A single trailing dot is ignored.
fn host(text: &str) -> Option<&str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (text.len() <= 253 && text.split('.').all(good_label)).then_some(text)
}

/// Whether `name` is `base`, or ends in its labels.
fn is_same_or_below(name: &str, base: &str) -> bool {
    let (name, base) = (name.as_bytes(), base.as_bytes());
    let Some((head, tail)) = name.len().checked_sub(base.len()).and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    tail.eq_ignore_ascii_case(base) && (head.is_empty() || head.ends_with(b"."))
}

fn is_below(name: &str, base: &str) -> bool {
    name.len() > base.len() && is_same_or_below(name, base)
}

impl<'a> DnsName<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(parent) => host(parent).map(Self::Wildcard),
            None => host(text).map(Self::Host),
        }
    }
}

/// The relation of DNS names, by 4.2.1.10: "any DNS name that can be constructed by adding zero or more labels to the
/// left-hand side".
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn dns(name: Option<DnsName<'_>>, base: &str, side: Side) -> Standing {
    if base.is_empty() {
        return Standing::Inside;
    }
    // A leading dot has no meaning for dNSName. It is read as only the names below if permitted, and as the whole
    // subtree if excluded.
    let (dotted, base) = base.strip_prefix('.').map_or((false, base), |rest| (true, rest));
    let (Some(name), Some(base)) = (name, host(base)) else { return Standing::Unclear };
    match name {
        DnsName::Wildcard(parent) if is_same_or_below(parent, base) => Standing::Inside,
        DnsName::Wildcard(parent) if is_same_or_below(base, parent) => Standing::Partly,
        DnsName::Wildcard(_) => Standing::Outside,
        DnsName::Host(name) if dotted && side == Side::Permitted => inside(is_below(name, base)),
        DnsName::Host(name) => inside(is_same_or_below(name, base)),
    }
}

impl<'a> Mailbox<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // A quoted local part may contain an @. The host follows the last one.
        let (local, name_host) = text.rsplit_once('@')?;
        let host = host(name_host)?;
        (text.len() <= LONGEST_MAILBOX && is_local_part(local)).then_some(Self { local, host })
    }
}

/// The relation of mailboxes, by 4.2.1.10: one mailbox, all mailboxes of a host, or with a leading dot, of all hosts
/// below a domain. The local part is compared byte for byte (7.5), the host without case.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn mailbox(name: Option<Mailbox<'_>>, base: &str) -> Standing {
    let Some(Mailbox { local, host: name_host }) = name else { return Standing::Unclear };
    if base.is_empty() {
        return Standing::Inside;
    }
    if let Some((base_local, base_host)) = base.rsplit_once('@') {
        return match host(base_host) {
            Some(base_host) => inside(local == base_local && name_host.eq_ignore_ascii_case(base_host)),
            None => Standing::Unclear,
        };
    }
    host_standing(name_host, base)
}

/// Whether a text is a dot-string or a quoted string (RFC 5321 4.1.2). RFC 6531 adds characters that are not ASCII.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn is_local_part(local: &str) -> bool {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    let is_dot_string = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    is_dot_string || quoted.is_some_and(|inner| !inner.contains('"') && !inner.chars().any(char::is_control))
}

/// The relation of URIs, by 4.2.1.10: the host of the authority. A URI without an authority, or with an address as its
/// host, is a violation.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn uri(name_host: Option<&str>, base: &str) -> Standing {
    let Some(name_host) = name_host else { return Standing::Unclear };
    if base.is_empty() { Standing::Inside } else { host_standing(name_host, base) }
}

/// The relation of a host to a host, or to a domain with a leading dot.
fn host_standing(name: &str, base: &str) -> Standing {
    let (dotted, base) = base.strip_prefix('.').map_or((false, base), |rest| (true, rest));
    let Some(base) = host(base) else { return Standing::Unclear };
    inside(if dotted { is_below(name, base) } else { name.eq_ignore_ascii_case(base) })
}

/// The host of a URI (RFC 3986 3.2), if it is a domain name.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn uri_host(uri: &str) -> Option<&str> {
    if uri.len() > LONGEST_URI {
        return None;
    }
    let (scheme, rest) = uri.split_once("://")?;
    if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    // Parsers of URIs disagree about the host if there is a backslash or a similar character.
    if !authority.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@[]".contains(&b)) {
        return None;
    }
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
    let (name, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
    let name = host(name)?;
    let is_address = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x"));
    (!is_address && port.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

/// The relation of an address to an address and mask. The other address family is outside.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn ip(name: &[u8], base: &[u8]) -> Standing {
    let Some((address, mask)) = base.split_at_checked(base.len() / 2) else { return Standing::Unclear };
    let same = name.len() == address.len()
        && name.iter().zip(address).zip(mask).all(|((name, address), mask)| name & mask == address & mask);
    inside(same)
}
