//! X.509 certificates (RFC 5280 4.1).

use core::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::algorithm::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use super::extension_table::{Extension, ExtensionTable, KnownExtension, Span};
use super::extensions::{
    AuthorityKeyIdentifier, BasicConstraints, Body, ExtendedKeyUsage, KeyUsage, NameConstraints,
};
use super::general_name::GeneralNames;
use super::name::Name;
use super::policy_extensions::{Policies, PolicyConstraints, PolicyMappings};
use super::source_extensions::{AccessDescriptions, DistributionPoints};
use crate::der::{Reader, Rule, Tlv, ViewFault, bit_string_bytes, integer, tag};
use crate::oid::Oid;
use crate::time::Time;

/// The version of a certificate (RFC 5280 4.1.2.1).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "there will be no fourth version")]
pub enum Version {
    /// Version 1, the default: the field is absent.
    V1,
    /// Version 2, which adds unique identifiers.
    V2,
    /// Version 3, which adds extensions.
    V3,
}

/// A serial number as encoded (RFC 5280 4.1.2.2).
///
/// Zero, negative and overlong numbers are represented too. The policy decides about them. `Display` writes the content
/// bytes in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Serial<'a>(&'a [u8]);

impl<'a> Serial<'a> {
    /// The content bytes of the INTEGER: two's complement, minimal.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is positive and at most 20 bytes long.
    #[must_use]
    pub fn is_conforming(self) -> bool {
        self.0.len() <= 20 && self.0.first().is_some_and(|first| first & 0x80 == 0) && self.0 != [0]
    }
}

impl fmt::Display for Serial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A leading sign byte is not shown, unless it is the whole number.
        let shown = match self.0 {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        HEXLOWER.encode_write(shown.get(..64).unwrap_or(shown), f)?;
        if shown.len() > 64 { f.write_str("...") } else { Ok(()) }
    }
}

/// The positions of the fields in the certificate, so that an owned certificate is its bytes and these.
#[derive(Clone, Copy, Debug)]
struct Fields {
    version: Version,
    tbs: Span,
    serial: Span,
    signature_algorithm: Span,
    signature: Span,
    issuer: Span,
    subject: Span,
    not_before: Time,
    not_after: Time,
    spki: Span,
    spki_algorithm: Span,
    public_key: Span,
    extension_list: Span,
    extensions: ExtensionTable,
}

/// The positions of a certificate's fields in its bytes: what parsing has found out. It outlives the view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positions(Fields);

impl Positions {
    /// The certificate again. `der` must be the bytes that were parsed.
    pub(crate) const fn view(self, der: &[u8]) -> Certificate<'_> {
        Certificate { der, fields: self.0 }
    }
}

/// A certificate (RFC 5280 4.1).
///
/// ```asn1
/// Certificate ::= SEQUENCE {
///      tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
/// TBSCertificate ::= SEQUENCE {
///      version [0] EXPLICIT INTEGER DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier,
///      issuer Name, validity Validity, subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo,
///      issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL, extensions [3] EXPLICIT OPTIONAL }
/// ```
///
/// Parsing guarantees strict DER down to the values of names, the same algorithm identifier in both places, no
/// duplicate extension, no extension before version 3, and that each known extension can be parsed. Parsing does not
/// verify the signature. It does not check what path validation checks: criticality, usage, time, serial numbers.
#[derive(Clone, Copy)]
pub struct Certificate<'a> {
    der: &'a [u8],
    fields: Fields,
}

impl<'a> Certificate<'a> {
    /// Parses a certificate. Allocates nothing.
    ///
    /// # Errors
    /// Where and how the bytes violate DER or the profile.
    ///
    /// RFC 5280 4.1.1.2, RFC 5280 4.1.2.4.
    #[doc(alias("RFC 5280 section 4.1.1.2", "RFC 5280 section 4.1.2.4"))]
    pub fn parse(der: &'a [u8]) -> Result<Self, ViewFault> {
        let mut document = Reader::new(der);
        if u32::try_from(der.len()).is_err() {
            return Err(document.fault("Certificate", Rule::TooLong));
        }
        let mut outer = document.sequence("Certificate")?;
        document.finish("Certificate")?;
        let tbs = outer.expect(tag::SEQUENCE, "tbsCertificate")?;
        let algorithm = outer.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        AlgorithmIdentifier::parse(algorithm.reader(), "signatureAlgorithm")?;
        let signature = outer.expect(tag::BIT_STRING, "signatureValue")?;
        let signature_bytes = bit_string_bytes(signature, "signatureValue")?;
        outer.finish("Certificate")?;

        let mut tbs_fields = tbs.reader();
        let version = parse_version(&mut tbs_fields)?;
        let serial = tbs_fields.expect(tag::INTEGER, "serialNumber")?;
        integer(serial, "serialNumber")?;
        let inner_algorithm = tbs_fields.expect(tag::SEQUENCE, "signature")?;
        // RFC 5280 4.1.1.2: the algorithm identifier is the same in both places.
        if inner_algorithm.value != algorithm.value {
            return Err(inner_algorithm.fault("signature", Rule::SignatureAlgorithmMismatch));
        }
        let (issuer_span, issuer) = parse_name(&mut tbs_fields, "issuer")?;
        // RFC 5280 4.1.2.4: the issuer is not empty.
        if issuer.is_empty() {
            return Err(ViewFault { offset: tbs_fields.offset(), field: "issuer", rule: Rule::EmptyIssuer });
        }
        let mut validity = tbs_fields.sequence("validity")?;
        let not_before = Time::parse(validity.any("notBefore")?, "notBefore")?;
        let not_after = Time::parse(validity.any("notAfter")?, "notAfter")?;
        validity.finish("validity")?;
        let (subject_span, _) = parse_name(&mut tbs_fields, "subject")?;
        let spki_at = tbs_fields.offset();
        let spki = SubjectPublicKeyInfo::parse(&mut tbs_fields, "subjectPublicKeyInfo")?;
        parse_unique_ids(&mut tbs_fields, version)?;
        let (extension_list, extensions) = parse_extensions(&mut tbs_fields, version)?;
        tbs_fields.finish("tbsCertificate")?;

        let spki_end = spki_at + spki.raw.len();
        // The key is at the end of the structure. Its algorithm begins after two headers.
        let spki_algorithm = spki_algorithm_span(spki, spki_at)?;
        let fields = Fields {
            version,
            tbs: span_of_raw(tbs),
            serial: span_of_value(serial),
            signature_algorithm: span_of_value(algorithm),
            signature: Span::of(signature.offset + 1, signature_bytes.len()),
            issuer: issuer_span,
            subject: subject_span,
            not_before,
            not_after,
            spki: Span::of(spki_at, spki.raw.len()),
            spki_algorithm,
            public_key: Span::of(spki_end - spki.public_key.len(), spki.public_key.len()),
            extension_list,
            extensions,
        };
        Ok(Self { der, fields })
    }

    fn slice(&self, span: Span) -> &'a [u8] {
        span.slice(self.der)
    }

    /// The positions of its fields.
    pub(crate) const fn positions(&self) -> Positions {
        Positions(self.fields)
    }

    /// The whole certificate as encoded.
    #[must_use]
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The signed bytes (RFC 5280 4.1.1.3).
    #[doc(alias = "RFC 5280 section 4.1.1.3")]
    #[must_use]
    pub fn tbs(&self) -> &'a [u8] {
        self.slice(self.fields.tbs)
    }

    /// The version (RFC 5280 4.1.2.1).
    #[must_use]
    pub const fn version(&self) -> Version {
        self.fields.version
    }

    /// The serial number (RFC 5280 4.1.2.2).
    #[doc(alias = "RFC 5280 section 4.1.2.2")]
    #[must_use]
    pub fn serial(&self) -> Serial<'a> {
        Serial(self.slice(self.fields.serial))
    }

    /// The signature algorithm (RFC 5280 4.1.1.2).
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmIdentifier<'a> {
        AlgorithmIdentifier::reread(self.slice(self.fields.signature_algorithm))
    }

    /// The signature (RFC 5280 4.1.1.3).
    #[must_use]
    pub fn signature(&self) -> &'a [u8] {
        self.slice(self.fields.signature)
    }

    /// The issuer's name (RFC 5280 4.1.2.4). Never empty.
    #[must_use]
    pub fn issuer(&self) -> Name<'a> {
        Name::reread(self.slice(self.fields.issuer))
    }

    /// The subject's name (RFC 5280 4.1.2.6). Empty if all names of the subject are in subjectAltName.
    #[must_use]
    pub fn subject(&self) -> Name<'a> {
        Name::reread(self.slice(self.fields.subject))
    }

    /// The first second of validity (RFC 5280 4.1.2.5).
    #[must_use]
    pub const fn not_before(&self) -> Time {
        self.fields.not_before
    }

    /// The last second of validity (RFC 5280 4.1.2.5).
    #[must_use]
    pub const fn not_after(&self) -> Time {
        self.fields.not_after
    }

    /// The public key with its algorithm (RFC 5280 4.1.2.7).
    #[must_use]
    #[inline]
    pub fn spki(&self) -> SubjectPublicKeyInfo<'a> {
        SubjectPublicKeyInfo {
            raw: self.spki_raw(),
            algorithm: AlgorithmIdentifier::reread(self.slice(self.fields.spki_algorithm)),
            public_key: self.slice(self.fields.public_key),
        }
    }

    /// The encoded public key with its algorithm: [`SubjectPublicKeyInfo::raw`] alone.
    pub(crate) fn spki_raw(&self) -> &'a [u8] {
        self.slice(self.fields.spki)
    }

    /// Whether subject and issuer are the same name (RFC 5280 3.2). The keys may differ.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject().matches(self.issuer())
    }

    /// All extensions in order, known or unknown.
    pub fn extensions(&self) -> impl Iterator<Item = Result<Extension<'a>, ViewFault>> + use<'a> {
        let span = self.fields.extension_list;
        let mut rest = Reader::at(self.slice(span), usize::try_from(span.start).unwrap_or(usize::MAX));
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let extension = Extension::parse(&mut rest);
            if extension.is_err() {
                rest = Reader::new(&[]);
            }
            Some(extension)
        })
    }

    /// Whether the certificate has this extension.
    #[must_use]
    pub fn has(&self, known: KnownExtension) -> bool {
        self.fields.extensions.has(known)
    }

    /// Whether the certificate has this extension, marked critical.
    #[must_use]
    pub fn is_critical(&self, known: KnownExtension) -> bool {
        self.fields.extensions.is_critical(known)
    }

    /// The first critical extension that path validation does not process (RFC 5280 6.1.4 (o), 6.1.5 (f)).
    #[must_use]
    pub fn unhandled_critical_extension(&self) -> Option<Oid<'a>> {
        if let Some(span) = self.fields.extensions.unknown_critical() {
            return Some(Oid::new(self.slice(span)));
        }
        self.fields.extensions.critical().find(|known| !known.is_processed()).map(KnownExtension::oid)
    }

    /// The first extension that is critical although the profile requires it to be non-critical.
    #[must_use]
    pub fn wrongly_critical_extension(&self) -> Option<KnownExtension> {
        self.fields.extensions.critical().find(|known| known.must_not_be_critical())
    }

    /// The basicConstraints (RFC 5280 4.2.1.9).
    #[must_use]
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.fields.extensions.basic_constraints
    }

    /// The keyUsage (RFC 5280 4.2.1.3).
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.fields.extensions.key_usage
    }

    fn body(&self, known: KnownExtension) -> Option<Body<'a>> {
        let span = self.fields.extensions.span(known)?;
        let offset = usize::try_from(span.start).unwrap_or(usize::MAX);
        Some(Body { reader: Reader::at(self.slice(span), offset), field: known.field() })
    }

    /// The extKeyUsage (RFC 5280 4.2.1.12).
    ///
    /// # Errors
    /// None in practice: [`Certificate::parse`] has parsed every known extension. The same applies to the methods
    /// below.
    pub fn extended_key_usage(&self) -> Result<Option<ExtendedKeyUsage<'a>>, ViewFault> {
        self.body(KnownExtension::ExtendedKeyUsage).map(ExtendedKeyUsage::parse).transpose()
    }

    /// The subjectAltName (RFC 5280 4.2.1.6). `None` for an empty list.
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn subject_alt_name(&self) -> Result<Option<GeneralNames<'a>>, ViewFault> {
        self.body(KnownExtension::SubjectAltName).map_or(Ok(None), Body::alternative_names)
    }

    /// The nameConstraints (RFC 5280 4.2.1.10).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn name_constraints(&self) -> Result<Option<NameConstraints<'a>>, ViewFault> {
        self.body(KnownExtension::NameConstraints).map(NameConstraints::parse).transpose()
    }

    /// The certificatePolicies (RFC 5280 4.2.1.4).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn policies(&self) -> Result<Option<Policies<'a>>, ViewFault> {
        self.body(KnownExtension::CertificatePolicies).map(Policies::parse).transpose()
    }

    /// The policyMappings (RFC 5280 4.2.1.5).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn policy_mappings(&self) -> Result<Option<PolicyMappings<'a>>, ViewFault> {
        self.body(KnownExtension::PolicyMappings).map(PolicyMappings::parse).transpose()
    }

    /// The policyConstraints (RFC 5280 4.2.1.11).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn policy_constraints(&self) -> Result<Option<PolicyConstraints>, ViewFault> {
        self.body(KnownExtension::PolicyConstraints).map(PolicyConstraints::parse).transpose()
    }

    /// The inhibitAnyPolicy (RFC 5280 4.2.1.14): the number of certificates after which anyPolicy no longer counts.
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn inhibit_any_policy(&self) -> Result<Option<u32>, ViewFault> {
        self.body(KnownExtension::InhibitAnyPolicy).map(Body::unsigned).transpose()
    }

    /// The authorityKeyIdentifier (RFC 5280 4.2.1.1).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn authority_key_identifier(&self) -> Result<Option<AuthorityKeyIdentifier<'a>>, ViewFault> {
        self.body(KnownExtension::AuthorityKeyIdentifier).map(AuthorityKeyIdentifier::parse).transpose()
    }

    /// The subjectKeyIdentifier (RFC 5280 4.2.1.2).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn subject_key_identifier(&self) -> Result<Option<&'a [u8]>, ViewFault> {
        self.body(KnownExtension::SubjectKeyIdentifier).map(Body::octet_string).transpose()
    }

    /// The cRLDistributionPoints (RFC 5280 4.2.1.13).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn crl_distribution_points(&self) -> Result<Option<DistributionPoints<'a>>, ViewFault> {
        self.body(KnownExtension::CrlDistributionPoints).map(DistributionPoints::parse).transpose()
    }

    /// The freshestCRL (RFC 5280 4.2.1.15).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn freshest_crl(&self) -> Result<Option<DistributionPoints<'a>>, ViewFault> {
        self.body(KnownExtension::FreshestCrl).map(DistributionPoints::parse).transpose()
    }

    /// The authorityInfoAccess (RFC 5280 4.2.2.1).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    pub fn authority_info_access(&self) -> Result<Option<AccessDescriptions<'a>>, ViewFault> {
        self.body(KnownExtension::AuthorityInfoAccess).map(AccessDescriptions::parse).transpose()
    }

    /// The subjectInfoAccess (RFC 5280 4.2.2.2).
    ///
    /// # Errors
    /// None in practice, as [`Certificate::extended_key_usage`].
    #[doc(alias = "RFC 5280 section 4.2.2.2")]
    pub fn subject_info_access(&self) -> Result<Option<AccessDescriptions<'a>>, ViewFault> {
        self.body(KnownExtension::SubjectInfoAccess).map(AccessDescriptions::parse).transpose()
    }
}

impl Certificate<'_> {
    /// The same certificate with a copy of its bytes.
    #[must_use]
    pub fn to_owned(&self) -> OwnedCertificate {
        OwnedCertificate { der: self.der.into(), fields: Arc::new(self.fields) }
    }
}

impl fmt::Debug for Certificate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} #{})", self.subject(), self.serial())
    }
}

/// A certificate that owns its bytes, as in a key ring.
#[derive(Clone)]
pub struct OwnedCertificate {
    der: Arc<[u8]>,
    fields: Arc<Fields>,
}

impl OwnedCertificate {
    /// Parses a certificate and copies its bytes.
    ///
    /// # Errors
    /// The same as for [`Certificate::parse`].
    pub fn parse(der: &[u8]) -> Result<Self, ViewFault> {
        let fields = Certificate::parse(der)?.fields;
        Ok(Self { der: der.into(), fields: Arc::new(fields) })
    }

    /// The certificate.
    #[must_use]
    pub fn view(&self) -> Certificate<'_> {
        Certificate { der: &self.der, fields: *self.fields }
    }
}

impl OwnedCertificate {
    /// The bytes.
    #[must_use]
    pub const fn der(&self) -> &Arc<[u8]> {
        &self.der
    }

    /// The encoded public key with its algorithm.
    pub(crate) fn spki_raw(&self) -> &[u8] {
        self.fields.spki.slice(&self.der)
    }

    /// The last second of validity.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.fields.not_after
    }

    /// The first second of validity.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.fields.not_before
    }
}

impl fmt::Debug for OwnedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.view(), f)
    }
}

fn span_of_value(tlv: Tlv<'_>) -> Span {
    Span::of(tlv.offset, tlv.value.len())
}

fn span_of_raw(tlv: Tlv<'_>) -> Span {
    Span::of(tlv.offset + tlv.value.len() - tlv.raw.len(), tlv.raw.len())
}

/// The version (RFC 5280 4.1.2.1). An explicit v1 is an error: DER does not encode a default.
#[doc(alias = "RFC 5280 section 4.1.2.1")]
fn parse_version(fields: &mut Reader<'_>) -> Result<Version, ViewFault> {
    const FIELD: &str = "version";
    let Some(explicit) = fields.optional(tag::context_constructed(0), FIELD)? else {
        return Ok(Version::V1);
    };
    let mut inner = explicit.reader();
    let number = inner.expect(tag::INTEGER, FIELD)?;
    inner.finish(FIELD)?;
    match integer(number, FIELD)? {
        [1] => Ok(Version::V2),
        [2] => Ok(Version::V3),
        _ => Err(number.fault(FIELD, Rule::BadVersion)),
    }
}

fn parse_name<'a>(fields: &mut Reader<'a>, field: &'static str) -> Result<(Span, Name<'a>), ViewFault> {
    let at = fields.offset();
    let name = Name::parse(fields, field)?;
    Ok((Span::of(at, name.raw().len()), name))
}

/// Skips the unique identifiers (RFC 5280 4.1.2.8), which are never used.
///
/// RFC 5280 4.1.2.1.
#[doc(alias("RFC 5280 section 4.1.2.1", "RFC 5280 section 4.1.2.8"))]
fn parse_unique_ids(fields: &mut Reader<'_>, version: Version) -> Result<(), ViewFault> {
    for (n, field) in [(1, "issuerUniqueID"), (2, "subjectUniqueID")] {
        if let Some(tlv) = fields.optional(tag::context(n), field)? {
            if version == Version::V1 {
                return Err(tlv.fault(field, Rule::BadVersion));
            }
            if !matches!(tlv.value, [0..=7, ..]) {
                return Err(tlv.fault(field, Rule::BadUnusedBits));
            }
        }
    }
    Ok(())
}

/// Parses the list of extensions (RFC 5280 4.1.2.9), which only version 3 may have.
///
/// RFC 5280 4.1.2.1.
#[doc(alias = "RFC 5280 section 4.1.2.1")]
fn parse_extensions(fields: &mut Reader<'_>, version: Version) -> Result<(Span, ExtensionTable), ViewFault> {
    const FIELD: &str = "extensions";
    let Some(explicit) = fields.optional(tag::context_constructed(3), FIELD)? else {
        return Ok((Span::default(), ExtensionTable::default()));
    };
    if version != Version::V3 {
        return Err(explicit.fault(FIELD, Rule::ExtensionsBeforeV3));
    }
    let mut inner = explicit.reader();
    let list = inner.expect(tag::SEQUENCE, FIELD)?;
    inner.finish(FIELD)?;
    Ok((span_of_value(list), ExtensionTable::parse(list.reader())?))
}

fn spki_algorithm_span(spki: SubjectPublicKeyInfo<'_>, at: usize) -> Result<Span, ViewFault> {
    const FIELD: &str = "subjectPublicKeyInfo";
    let mut inner = Reader::at(spki.raw, at).sequence(FIELD)?;
    Ok(span_of_value(inner.expect(tag::SEQUENCE, FIELD)?))
}
