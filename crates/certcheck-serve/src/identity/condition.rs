//! Conditions: a field of the certificate, and the patterns of which one matches it.

use certcheck_rustls::Identity;
use certcheck_rustls::certcheck_core::oid::Oid;

use super::pattern::Pattern;
use super::refusal::AccessRefusal;
use super::template::only;

/// A field of a certificate that a condition is about. How patterns of a field match is its own:
///
/// | field | value | `*` stands for |
/// |---|---|---|
/// | `subject`, `issuer` | the whole name in the form of RFC 4514, compared as RFC 5280 7.1 has it | as a first part `*,`: any further parts, so `*,O=Acme,C=US` is everything below Acme |
/// | `cn` | the common name, exactly; there must be only one | any characters, also none |
/// | `ou`, `o`, `uid` | one of the values, exactly | any characters, also none |
/// | `dns` | one of the DNS names; case does not count | one whole label |
/// | `uri` | one of the URIs, exactly | one whole segment of the path; `**` as the last segment: one or more |
/// | `email`, `upn` | a mailbox: the part before `@` exactly, the domain as in `dns` | before `@` any characters, in the domain one whole label |
/// | `policy` | one of the policies that hold for the whole path | - |
/// | `serial` | the serial number in hexadecimal | - |
/// | `sha256` | SHA-256 of the certificate in hexadecimal | - |
/// | `spki` | SHA-256 of its public key: a pin in Base64, or hexadecimal | - |
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Field {
    /// The subject.
    Subject,
    /// The issuer.
    Issuer,
    /// The common name of the subject.
    CommonName,
    /// An organizationalUnitName of the subject.
    Unit,
    /// An organizationName of the subject.
    Organization,
    /// A userid of the subject.
    UserId,
    /// A dNSName.
    Dns,
    /// A URI.
    Uri,
    /// A mailbox.
    Email,
    /// The user principal name.
    Upn,
    /// A policy of the path.
    Policy,
    /// The serial number.
    Serial,
    /// SHA-256 of the certificate.
    Certificate,
    /// SHA-256 of the subjectPublicKeyInfo.
    Key,
}

/// Object identifiers of attributes.
pub(super) mod attribute {
    pub(in super::super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    pub(in super::super) const ORGANIZATION: &[u8] = &[0x55, 4, 10];
    pub(in super::super) const UNIT: &[u8] = &[0x55, 4, 11];
    pub(in super::super) const USER_ID: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1];
}

impl Field {
    /// Every field with its key in a configuration.
    pub const ALL: [(&'static str, Self); 14] = [
        ("subject", Self::Subject),
        ("issuer", Self::Issuer),
        ("cn", Self::CommonName),
        ("ou", Self::Unit),
        ("o", Self::Organization),
        ("uid", Self::UserId),
        ("dns", Self::Dns),
        ("uri", Self::Uri),
        ("email", Self::Email),
        ("upn", Self::Upn),
        ("policy", Self::Policy),
        ("serial", Self::Serial),
        ("sha256", Self::Certificate),
        ("spki", Self::Key),
    ];

    /// Its key in a configuration.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(key, _)| key)
    }
}

/// A condition: one of the patterns matches the field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    field: Field,
    patterns: Vec<Pattern>,
}

impl Condition {
    /// A condition on a field. Without patterns it never holds.
    #[must_use]
    pub const fn new(field: Field, patterns: Vec<Pattern>) -> Self {
        Self { field, patterns }
    }

    /// The field.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether it holds for this certificate.
    pub(super) fn holds(&self, identity: &Identity) -> Result<bool, AccessRefusal> {
        let any = |matches: &dyn Fn(&Pattern) -> bool| self.patterns.iter().any(matches);
        let one_of = |values: &[&str]| any(&|pattern| values.iter().any(|value| pattern.matches(value)));
        Ok(match self.field {
            Field::Subject => any(&|pattern| pattern.matches_name(identity.view().subject())),
            Field::Issuer => any(&|pattern| pattern.matches_name(identity.view().issuer())),
            Field::CommonName => {
                let names = values_of(identity, attribute::COMMON_NAME)?;
                only("the common name of the subject", names)?.is_some_and(|name| one_of(&[&name]))
            }
            Field::Unit => one_of_texts(&values_of(identity, attribute::UNIT)?, &one_of),
            Field::Organization => one_of_texts(&values_of(identity, attribute::ORGANIZATION)?, &one_of),
            Field::UserId => one_of_texts(&values_of(identity, attribute::USER_ID)?, &one_of),
            Field::Dns => one_of(&identity.dns_names()?),
            Field::Uri => one_of(&identity.uris()?),
            Field::Email => one_of(&identity.emails()?),
            Field::Upn => identity.upn()?.is_some_and(|upn| one_of(&[upn])),
            Field::Policy => identity.policies().iter().any(|oid| one_of(&[&oid.to_string()])),
            Field::Serial => one_of(&[&identity.serial()]),
            Field::Certificate => any(&|pattern| pattern.matches_digest(&identity.sha256())),
            Field::Key => any(&|pattern| pattern.matches_digest(&identity.spki_sha256())),
        })
    }
}

/// The values of an attribute of the subject.
pub(super) fn values_of(identity: &Identity, attribute: &[u8]) -> Result<Vec<String>, AccessRefusal> {
    let Some(oid) = Oid::parse_content(attribute) else { return Ok(Vec::new()) };
    let values = identity.subject_values(oid)?;
    Ok(values.into_iter().map(std::borrow::Cow::into_owned).collect())
}

fn one_of_texts(values: &[String], one_of: &dyn Fn(&[&str]) -> bool) -> bool {
    values.iter().any(|value| one_of(&[value]))
}
