//! The extensions of a certificate (RFC 5280 4.2), each parsed once together with the certificate.
//!
//! An extension that is present and cannot be parsed makes the certificate malformed, critical or not.

use super::extensions::{
    AuthorityKeyIdentifier, BasicConstraints, Body, ExtendedKeyUsage, KeyUsage, NameConstraints,
};
use super::general_name::GeneralNames;
use super::policy_extensions::{Policies, PolicyConstraints, PolicyMappings};
use super::source_extensions::{AccessDescriptions, DistributionPoints};
use crate::der::{Reader, Rule, Tlv, ViewFault, tag};
use crate::oid::{self, Oid};

/// The most extensions of a certificate, more than any real one has.
const MAX_EXTENSIONS: usize = 64;

/// One extension of a certificate, CRL or OCSP response.
///
/// ```asn1
/// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Extension<'a> {
    /// The object identifier of the extension.
    pub oid: Oid<'a>,
    /// Whether an implementation that does not know the extension must reject the certificate.
    pub critical: bool,
    /// The content of `extnValue`.
    pub value: Tlv<'a>,
}

impl<'a> Extension<'a> {
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "extensions";
        if let Some((usual, rest)) = Self::usual(*reader) {
            *reader = rest;
            return Ok(usual);
        }
        let mut fields = reader.sequence(FIELD)?;
        let oid = Oid::parse(fields.any(FIELD)?, FIELD)?;
        let critical = fields.boolean_default_false(FIELD)?;
        let value = fields.expect(tag::OCTET_STRING, FIELD)?;
        fields.finish(FIELD)?;
        Ok(Self { oid, critical, value })
    }

    /// The extension at the reader's position, and the reader after it, if it has the form that nearly all have: an
    /// identifier under id-ce, and no length of more than one byte. `None` says nothing about other forms.
    fn usual(reader: Reader<'a>) -> Option<(Self, Reader<'a>)> {
        let (bytes, offset) = (reader.rest(), reader.offset());
        let [tag::SEQUENCE, length, tag::OID, 3, 0x55, 0x1d, arc, fields @ ..] = bytes else { return None };
        let (critical, octets, before) = match fields {
            [tag::OCTET_STRING, octets, ..] => (false, octets, 7),
            [tag::BOOLEAN, 1, 0xff, tag::OCTET_STRING, octets, ..] => (true, octets, 10),
            _ => return None,
        };
        let end = before + 2 + usize::from(*octets);
        if *length >= 0x80 || *arc >= 0x80 || end != 2 + usize::from(*length) {
            return None;
        }
        let (extension, rest) = bytes.split_at_checked(end)?;
        let raw = extension.get(before..)?;
        let value = Tlv { tag: tag::OCTET_STRING, value: raw.get(2..)?, raw, offset: offset + before + 2 };
        let oid = Oid::new(extension.get(4..7)?);
        Some((Self { oid, critical, value }, Reader::at(rest, offset + end)))
    }
}

macro_rules! known_extensions {
    ($($(#[$doc:meta])* $name:ident = $oid:ident, $field:literal;)*) => {
        /// The extensions that certcheck parses.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum KnownExtension { $($(#[$doc])* $name,)* }

        impl KnownExtension {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its object identifier.
            #[must_use]
            pub const fn oid(self) -> Oid<'static> {
                match self { $(Self::$name => oid::$oid,)* }
            }

            /// Its name in the ASN.1 module.
            #[must_use]
            pub const fn field(self) -> &'static str {
                match self { $(Self::$name => $field,)* }
            }
        }
    };
}

// Those whose bodies are read again come first: see `WITH_BODY`.
known_extensions! {
    /// The authorityKeyIdentifier (RFC 5280 4.2.1.1).
    AuthorityKeyIdentifier = AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier";
    /// The subjectKeyIdentifier (RFC 5280 4.2.1.2).
    SubjectKeyIdentifier = SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier";
    /// The certificatePolicies (RFC 5280 4.2.1.4).
    CertificatePolicies = CERTIFICATE_POLICIES, "certificatePolicies";
    /// The policyMappings (RFC 5280 4.2.1.5).
    PolicyMappings = POLICY_MAPPINGS, "policyMappings";
    /// The subjectAltName (RFC 5280 4.2.1.6).
    SubjectAltName = SUBJECT_ALT_NAME, "subjectAltName";
    /// The nameConstraints (RFC 5280 4.2.1.10).
    NameConstraints = NAME_CONSTRAINTS, "nameConstraints";
    /// The policyConstraints (RFC 5280 4.2.1.11).
    PolicyConstraints = POLICY_CONSTRAINTS, "policyConstraints";
    /// The extKeyUsage (RFC 5280 4.2.1.12).
    ExtendedKeyUsage = EXTENDED_KEY_USAGE, "extKeyUsage";
    /// The cRLDistributionPoints (RFC 5280 4.2.1.13).
    CrlDistributionPoints = CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints";
    /// The inhibitAnyPolicy (RFC 5280 4.2.1.14).
    InhibitAnyPolicy = INHIBIT_ANY_POLICY, "inhibitAnyPolicy";
    /// The freshestCRL (RFC 5280 4.2.1.15).
    FreshestCrl = FRESHEST_CRL, "freshestCRL";
    /// The authorityInfoAccess (RFC 5280 4.2.2.1).
    AuthorityInfoAccess = AUTHORITY_INFO_ACCESS, "authorityInfoAccess";
    /// The subjectInfoAccess (RFC 5280 4.2.2.2).
    SubjectInfoAccess = SUBJECT_INFO_ACCESS, "subjectInfoAccess";
    /// The keyUsage (RFC 5280 4.2.1.3).
    KeyUsage = KEY_USAGE, "keyUsage";
    /// The issuerAltName (RFC 5280 4.2.1.7).
    IssuerAltName = ISSUER_ALT_NAME, "issuerAltName";
    /// The basicConstraints (RFC 5280 4.2.1.9).
    BasicConstraints = BASIC_CONSTRAINTS, "basicConstraints";
    /// The noRevAvail (RFC 9608).
    NoRevAvail = NO_REV_AVAIL, "noRevAvail";
    /// The id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1).
    OcspNocheck = OCSP_NOCHECK, "id-pkix-ocsp-nocheck";
    /// The tlsfeature (RFC 7633).
    TlsFeature = TLS_FEATURE, "tlsfeature";
}

impl KnownExtension {
    pub(crate) fn of(oid: Oid<'_>) -> Option<Self> {
        // Nearly all are under id-ce and differ only in the last arc.
        match oid.content() {
            [0x55, 0x1d, arc] => ID_CE.iter().find(|(known, _)| known == arc).map(|(_, known)| *known),
            _ => OUTSIDE_ID_CE.iter().copied().find(|known| known.oid() == oid),
        }
    }

    /// Whether a conforming CA marks it non-critical (RFC 5280 4.2.1.1, 4.2.1.2, 4.2.1.15, 4.2.2; RFC 9608 3). A
    /// critical one violates the profile.
    ///
    /// RFC 5280 4.2.1.2, RFC 5280 4.2.1.15.
    #[doc(alias(
        "RFC 5280 section 4.2.1.1",
        "RFC 5280 section 4.2.1.2",
        "RFC 5280 section 4.2.1.15",
        "RFC 9608 section 3"
    ))]
    pub(crate) const fn must_not_be_critical(self) -> bool {
        matches!(
            self,
            Self::AuthorityKeyIdentifier
                | Self::SubjectKeyIdentifier
                | Self::FreshestCrl
                | Self::AuthorityInfoAccess
                | Self::SubjectInfoAccess
                | Self::NoRevAvail
        )
    }

    /// Whether path validation processes it, so that it may be critical (RFC 5280 6.1.4 (o), 6.1.5 (f)). The tlsfeature
    /// extension is reported, not enforced.
    pub(crate) const fn is_processed(self) -> bool {
        !matches!(self, Self::TlsFeature)
    }
}

const OUTSIDE_ID_CE: [KnownExtension; 4] = [
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::SubjectInfoAccess,
    KnownExtension::OcspNocheck,
    KnownExtension::TlsFeature,
];

/// The last arc of each extension under id-ce. Those that every certificate has come first.
const ID_CE: [(u8, KnownExtension); 15] = [
    (15, KnownExtension::KeyUsage),
    (37, KnownExtension::ExtendedKeyUsage),
    (14, KnownExtension::SubjectKeyIdentifier),
    (35, KnownExtension::AuthorityKeyIdentifier),
    (19, KnownExtension::BasicConstraints),
    (17, KnownExtension::SubjectAltName),
    (31, KnownExtension::CrlDistributionPoints),
    (32, KnownExtension::CertificatePolicies),
    (18, KnownExtension::IssuerAltName),
    (30, KnownExtension::NameConstraints),
    (33, KnownExtension::PolicyMappings),
    (36, KnownExtension::PolicyConstraints),
    (46, KnownExtension::FreshestCrl),
    (54, KnownExtension::InhibitAnyPolicy),
    (56, KnownExtension::NoRevAvail),
];

/// The position of a byte range in the certificate. `start` 0 means absent, because byte 0 is the tag of the
/// certificate itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(start: usize, length: usize) -> Self {
        // Documents of more than u32::MAX bytes are refused before they are parsed.
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(start + length) }
    }

    pub(crate) fn slice(self, document: &[u8]) -> &[u8] {
        let wide = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        document.get(wide(self.start)..wide(self.end)).unwrap_or_default()
    }
}

/// How many of [`KnownExtension::ALL`] have bodies that are read again. The bodies of the others are numbers, or say
/// nothing more.
const WITH_BODY: usize = slot_of(KnownExtension::KeyUsage);

/// Which known extensions a certificate has, and the bodies that are numbers. It is small, because it is copied with
/// each view of a certificate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExtensionTable {
    /// Where the bodies are that are read again.
    spans: [Span; WITH_BODY],
    /// Which extensions there are, by their position in [`KnownExtension::ALL`].
    present: u32,
    /// Which of them are marked critical.
    critical: u32,
    unknown_critical: Span,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
}

impl ExtensionTable {
    /// Parses `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension` with the body of each known extension. Deviation: an
    /// empty list, which exists in practice, is accepted as no extensions.
    ///
    /// RFC 5280 4.2.
    #[doc(alias = "RFC 5280 section 4.2")]
    pub(crate) fn parse(list: Reader<'_>) -> Result<Self, ViewFault> {
        const FIELD: &str = "extensions";
        let mut table = Self::default();
        let mut rest = list;
        let mut count = 0;
        while !rest.is_empty() {
            let here = rest;
            let extension = Extension::parse(&mut rest)?;
            count += 1;
            if count > MAX_EXTENSIONS {
                return Err(here.fault(FIELD, Rule::TooMany));
            }
            let span = Span::of(extension.value.offset, extension.value.value.len());
            if let Some(known) = KnownExtension::of(extension.oid) {
                table.read_known(known, extension, span, here)?;
            } else {
                let mut before = list;
                while before.offset() < here.offset() {
                    if Extension::parse(&mut before)?.oid == extension.oid {
                        return Err(here.fault(FIELD, Rule::DuplicateExtension));
                    }
                }
                if extension.critical && table.unknown_critical().is_none() {
                    let content = extension.oid.content();
                    let back = extension.value.offset.saturating_sub(here.offset());
                    // The bytes of the identifier are between the start of the extension and its value.
                    let at = here
                        .rest()
                        .get(..back)
                        .and_then(|head| head.windows(content.len()).position(|w| w == content));
                    table.unknown_critical = Span::of(here.offset() + at.unwrap_or(0), content.len());
                }
            }
        }
        Ok(table)
    }

    /// Parses the body of a known extension.
    ///
    /// RFC 5280 4.2.
    #[doc(alias = "RFC 5280 section 4.2")]
    fn read_known(
        &mut self,
        known: KnownExtension,
        extension: Extension<'_>,
        span: Span,
        here: Reader<'_>,
    ) -> Result<(), ViewFault> {
        if self.has(known) {
            return Err(here.fault(known.field(), Rule::DuplicateExtension));
        }
        self.present |= 1 << slot_of(known);
        if let Some(slot) = self.spans.get_mut(slot_of(known)) {
            *slot = span;
        }
        self.critical |= u32::from(extension.critical) << slot_of(known);
        let body = Body { reader: extension.value.reader(), field: known.field() };
        match known {
            KnownExtension::AuthorityKeyIdentifier => AuthorityKeyIdentifier::parse(body).map(drop),
            KnownExtension::SubjectKeyIdentifier => body.octet_string().map(drop),
            KnownExtension::KeyUsage => KeyUsage::parse(body).map(|usage| self.key_usage = Some(usage)),
            KnownExtension::CertificatePolicies => Policies::parse(body)?.check(),
            KnownExtension::PolicyMappings => PolicyMappings::parse(body)?.check(),
            KnownExtension::SubjectAltName | KnownExtension::IssuerAltName => {
                body.alternative_names()?.map_or(Ok(()), GeneralNames::check)
            }
            KnownExtension::BasicConstraints => {
                BasicConstraints::parse(body).map(|constraints| self.basic_constraints = Some(constraints))
            }
            KnownExtension::NameConstraints => NameConstraints::parse(body)?.check(),
            KnownExtension::PolicyConstraints => PolicyConstraints::parse(body).map(drop),
            KnownExtension::ExtendedKeyUsage => ExtendedKeyUsage::parse(body)?.check(),
            KnownExtension::CrlDistributionPoints | KnownExtension::FreshestCrl => {
                DistributionPoints::parse(body)?.check()
            }
            KnownExtension::InhibitAnyPolicy => body.unsigned().map(drop),
            KnownExtension::AuthorityInfoAccess | KnownExtension::SubjectInfoAccess => {
                AccessDescriptions::parse(body)?.check()
            }
            KnownExtension::NoRevAvail | KnownExtension::OcspNocheck => body.null(),
            KnownExtension::TlsFeature => body.integers(),
        }
    }

    /// The identifier of the first critical extension that is not known.
    pub(crate) fn unknown_critical(&self) -> Option<Span> {
        Some(self.unknown_critical).filter(|span| span.start != 0)
    }

    pub(crate) const fn has(&self, known: KnownExtension) -> bool {
        self.present >> slot_of(known) & 1 != 0
    }

    /// The position of the body of an extension, if the certificate has it and its body is read again.
    pub(crate) fn span(&self, known: KnownExtension) -> Option<Span> {
        self.spans.get(slot_of(known)).copied().filter(|span| span.start != 0)
    }

    /// The extensions that are marked critical.
    pub(crate) fn critical(&self) -> impl Iterator<Item = KnownExtension> {
        let mut rest = self.critical;
        core::iter::from_fn(move || {
            let lowest = usize::try_from(rest.trailing_zeros()).ok()?;
            rest &= rest.wrapping_sub(1);
            KnownExtension::ALL.get(lowest).copied()
        })
    }

    pub(crate) fn is_critical(&self, known: KnownExtension) -> bool {
        self.critical >> slot_of(known) & 1 != 0
    }
}

#[expect(clippy::as_conversions, reason = "the discriminant of a field-less enum is its position in ALL")]
const fn slot_of(known: KnownExtension) -> usize {
    known as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte of some extensions is changed to every other. What is read at once must be what is read field by field.
    #[test]
    fn usual_extensions_are_what_every_extension_is() {
        for whole in [
            &b"\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80"[..],
            b"\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff\x30\x00",
            b"\x30\x09\x06\x03\x55\x1d\x0e\x04\x02\x04\x00",
        ] {
            assert!(Extension::usual(Reader::new(whole)).is_some());
            for at in 0..whole.len() {
                for byte in 0..=255 {
                    let mut changed = whole.to_vec();
                    changed[at] = byte;
                    let mut reader = Reader::at(&changed, 100);
                    let Some((usual, after)) = Extension::usual(reader) else { continue };
                    let mut fields = reader.sequence("extension").expect("a sequence");
                    let oid = Oid::parse(fields.any("oid").expect("an element"), "oid").expect("a type");
                    let critical = fields.boolean_default_false("critical").expect("a boolean");
                    let value = fields.expect(tag::OCTET_STRING, "value").expect("a value");
                    fields.finish("extension").expect("nothing more");
                    assert_eq!((usual.oid, usual.critical), (oid, critical), "{changed:02x?}");
                    let parts = |tlv: Tlv<'_>| (tlv.tag, tlv.value.to_vec(), tlv.raw.to_vec(), tlv.offset);
                    assert_eq!(parts(usual.value), parts(value), "{changed:02x?}");
                    assert_eq!((after.rest(), after.offset()), (reader.rest(), reader.offset()));
                }
            }
        }
    }

    #[test]
    fn every_known_extension_is_found_by_its_identifier() {
        for (at, known) in KnownExtension::ALL.iter().enumerate() {
            assert_eq!(KnownExtension::of(known.oid()), Some(*known));
            assert_eq!(slot_of(*known), at);
        }
    }
}
