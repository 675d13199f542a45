//! `CertificateList` (RFC 5280 5.1), without its entries.

use crate::der::{Reader, Rule, Tlv, ViewFault, bit_string_bytes, boolean, integer, named_bits, tag};
use crate::oid::{self, Oid};
use crate::time::Time;
use crate::x509::{
    AccessDescriptions, AlgorithmIdentifier, AuthorityKeyIdentifier, DistributionPointName,
    DistributionPoints, Extension, Name, Version,
};

/// The issuingDistributionPoint extension of a CRL: its scope (RFC 5280 5.2.5).
///
/// ```asn1
/// IssuingDistributionPoint ::= SEQUENCE {
///      distributionPoint [0] OPTIONAL, onlyContainsUserCerts [1] DEFAULT FALSE,
///      onlyContainsCACerts [2] DEFAULT FALSE, onlySomeReasons [3] OPTIONAL,
///      indirectCRL [4] DEFAULT FALSE, onlyContainsAttributeCerts [5] DEFAULT FALSE }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct IssuingDistributionPoint<'a> {
    /// The name of the partition.
    pub name: Option<DistributionPointName<'a>>,
    /// Whether it only covers user certificates.
    pub only_user: bool,
    /// Whether it only covers CA certificates.
    pub only_ca: bool,
    /// The covered reasons. `None` is all. Bit 0 is the most significant.
    pub reasons: Option<u16>,
    /// Whether entries may be for certificates of other issuers.
    pub indirect: bool,
    /// Whether it only covers attribute certificates.
    pub only_attribute: bool,
}

impl<'a> IssuingDistributionPoint<'a> {
    /// Parses the body.
    ///
    /// RFC 5280 5.2.5.
    #[doc(alias = "RFC 5280 section 5.2.5")]
    pub(super) fn parse(mut body: Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "issuingDistributionPoint";
        let outer = body.expect(tag::SEQUENCE, FIELD)?;
        body.finish(FIELD)?;
        let mut fields = outer.reader();
        let name = fields.optional(tag::context_constructed(0), FIELD)?;
        let name = name.map(|tlv| DistributionPointName::parse(tlv, FIELD)).transpose()?;
        let only_user = flag(&mut fields, 1, FIELD)?;
        let only_ca = flag(&mut fields, 2, FIELD)?;
        let reasons = match fields.optional(tag::context(3), FIELD)? {
            None => None,
            Some(tlv) => match named_bits(tlv, FIELD)? {
                0 => return Err(tlv.fault(FIELD, Rule::EmptyList)),
                bits => Some(bits),
            },
        };
        let indirect = flag(&mut fields, 4, FIELD)?;
        let only_attribute = flag(&mut fields, 5, FIELD)?;
        fields.finish(FIELD)?;
        // 5.2.5: at most one of the three. An empty sequence is not allowed.
        let exclusive = [only_user, only_ca, only_attribute].into_iter().filter(|only| *only).count();
        if exclusive > 1 {
            return Err(outer.fault(FIELD, Rule::UnknownChoice));
        }
        if outer.value.is_empty() {
            return Err(outer.fault(FIELD, Rule::EmptyList));
        }
        Ok(Self { name, only_user, only_ca, reasons, indirect, only_attribute })
    }
}

/// Parses `[n] BOOLEAN DEFAULT FALSE`. Deviation: an EXPLICIT tag is accepted too. It occurs in practice and has the
/// same meaning.
///
/// RFC 5280 5.2.5.
#[doc(alias = "RFC 5280 section 5.2.5")]
fn flag(fields: &mut Reader<'_>, n: u8, field: &'static str) -> Result<bool, ViewFault> {
    if let Some(implicit) = fields.optional(tag::context(n), field)? {
        return boolean(implicit, field);
    }
    let Some(explicit) = fields.optional(tag::context_constructed(n), field)? else { return Ok(false) };
    let mut inner = explicit.reader();
    let value = boolean(inner.expect(tag::BOOLEAN, field)?, field)?;
    inner.finish(field)?;
    Ok(value)
}

/// The fields before the entries, which can be parsed when only the beginning has arrived.
///
/// ```asn1
/// TBSCertList ::= SEQUENCE {
///      version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
///      nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF ... OPTIONAL,
///      crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) version: Version,
    pub(crate) algorithm: AlgorithmIdentifier<'a>,
    pub(crate) issuer: Name<'a>,
    pub(crate) this_update: Time,
    pub(crate) next_update: Option<Time>,
    /// The begin and end of the content of revokedCertificates.
    pub(crate) entries: (usize, usize),
    /// The begin and end of tbsCertList, and the end of the document.
    pub(crate) tbs: (usize, usize),
    pub(crate) end: usize,
}

impl<'a> Head<'a> {
    /// Parses the fields before the entries. `Truncated` means that more bytes are needed.
    ///
    /// RFC 5280 5.1.2.1, RFC 5280 5.1.2.3.
    #[doc(alias("RFC 5280 section 5.1.2.1", "RFC 5280 section 5.1.2.3"))]
    pub(crate) fn parse(available: &'a [u8]) -> Result<Self, ViewFault> {
        let mut document = Open { rest: available, offset: 0 };
        let outer = document.enter(tag::SEQUENCE, "CertificateList")?;
        let tbs_start = document.offset;
        let tbs = document.enter(tag::SEQUENCE, "tbsCertList")?;
        let mut fields = Reader::at(document.rest, document.offset);
        let version = match fields.optional(tag::INTEGER, "version")? {
            None => Version::V1,
            Some(tlv) if integer(tlv, "version")? == [1] => Version::V2,
            Some(tlv) => return Err(tlv.fault("version", Rule::BadVersion)),
        };
        let algorithm = AlgorithmIdentifier::parse(fields.sequence("signature")?, "signature")?;
        let issuer = Name::parse(&mut fields, "issuer")?;
        // 5.1.2.3: the issuer must not be empty.
        if issuer.is_empty() {
            return Err(fields.fault("issuer", Rule::EmptyIssuer));
        }
        let this_update = Time::parse_with_fraction(fields.any("thisUpdate")?, "thisUpdate")?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => {
                Some(Time::parse_with_fraction(fields.any("nextUpdate")?, "nextUpdate")?)
            }
            _ => None,
        };
        if fields.is_empty() && fields.offset() < tbs {
            return Err(fields.fault("tbsCertList", Rule::Truncated));
        }
        let mut rest = Open { rest: fields.rest(), offset: fields.offset() };
        let entries = if rest.offset < tbs && rest.rest.first() == Some(&tag::SEQUENCE) {
            let end = rest.enter(tag::SEQUENCE, "revokedCertificates")?;
            (rest.offset, end)
        } else {
            (rest.offset, rest.offset)
        };
        if tbs > outer || entries.1 > tbs {
            return Err(fields.fault("tbsCertList", Rule::Truncated));
        }
        Ok(Self {
            version,
            algorithm,
            issuer,
            this_update,
            next_update,
            entries,
            tbs: (tbs_start, tbs),
            end: outer,
        })
    }
}

/// A reader that enters elements whose content may not be complete.
struct Open<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl Open<'_> {
    /// Returns the end of the element that begins here, and moves to its content.
    fn enter(&mut self, want: u8, field: &'static str) -> Result<usize, ViewFault> {
        let fault = |rule| ViewFault { offset: self.offset, field, rule };
        let (found, header, length) = crate::der::read_header(self.rest).map_err(fault)?;
        if found != want {
            return Err(fault(Rule::UnexpectedTag { want, found }));
        }
        let end = self.offset + header + length;
        self.rest = self.rest.get(header..).unwrap_or_default();
        self.offset += header;
        Ok(end)
    }
}

/// The most bytes of all extensions of a CRL together. A CRL of one distribution point has a few hundred.
const MAX_EXTENSIONS: usize = 64 << 10;

/// The fields after the entries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail<'a> {
    pub(crate) signature: (usize, usize),
    /// The content of cRLNumber, minimal and not negative.
    pub(crate) number: Option<&'a [u8]>,
    /// The content of BaseCRLNumber, if this is a delta CRL.
    pub(crate) base_number: Option<&'a [u8]>,
    pub(crate) idp: Option<IssuingDistributionPoint<'a>>,
    /// The bytes of the IDP's body. CRLs with the same bytes have the same scope.
    pub(crate) idp_bytes: &'a [u8],
    pub(crate) authority_key: Option<&'a [u8]>,
    /// The bodies of freshestCRL and authorityInfoAccess.
    pub(crate) freshest: Option<&'a [u8]>,
    pub(crate) access: Option<&'a [u8]>,
}

impl<'a> Tail<'a> {
    /// Parses what follows the entries of a complete document.
    ///
    /// RFC 5280 5.1.1.2, RFC 5280 5.1.2.2.
    #[doc(alias("RFC 5280 section 5.1.1.2", "RFC 5280 section 5.1.2.2"))]
    pub(crate) fn parse(document: &'a [u8], head: &Head<'a>) -> Result<Self, ViewFault> {
        let (_, entries_end) = head.entries;
        let slice = |from: usize, to: usize| document.get(from..to).unwrap_or_default();
        if document.len() != head.end {
            let rule = if document.len() < head.end { Rule::Truncated } else { Rule::TrailingData };
            return Err(ViewFault { offset: document.len().min(head.end), field: "CertificateList", rule });
        }
        let mut tail = Self::default();
        let mut tbs = Reader::at(slice(entries_end, head.tbs.1), entries_end);
        if let Some(explicit) = tbs.optional(tag::context_constructed(0), "crlExtensions")? {
            // 5.1.2.1: a CRL with extensions must have version 2.
            if head.version == Version::V1 {
                return Err(explicit.fault("crlExtensions", Rule::ExtensionsBeforeV2));
            }
            let mut inner = explicit.reader();
            let list = inner.expect(tag::SEQUENCE, "crlExtensions")?;
            inner.finish("crlExtensions")?;
            // The signature is not verified yet, and checking the scope compares the names in here.
            if list.value.len() > MAX_EXTENSIONS {
                return Err(list.fault("crlExtensions", Rule::TooLong));
            }
            tail.parse_extensions(list)?;
        }
        tbs.finish("tbsCertList")?;
        let mut outer = Reader::at(slice(head.tbs.1, head.end), head.tbs.1);
        let algorithm = outer.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        // 5.1.1.2, 5.1.2.2: the identifier is the same in both places.
        if algorithm.value != head.algorithm.content {
            return Err(algorithm.fault("signatureAlgorithm", Rule::SignatureAlgorithmMismatch));
        }
        let signature = outer.expect(tag::BIT_STRING, "signatureValue")?;
        let bytes = bit_string_bytes(signature, "signatureValue")?;
        outer.finish("CertificateList")?;
        tail.signature = (signature.offset + 1, signature.offset + 1 + bytes.len());
        Ok(tail)
    }

    /// Parses the extensions (RFC 5280 5.2). An unknown critical extension makes the CRL unusable. Deviation: an empty
    /// list, which exists in practice, is accepted as no extensions.
    #[doc(alias = "RFC 5280 section 5.2")]
    fn parse_extensions(&mut self, list: Tlv<'a>) -> Result<(), ViewFault> {
        const FIELD: &str = "crlExtensions";
        let mut rest = list.reader();
        let mut seen: Vec<Oid<'a>> = Vec::new();
        while !rest.is_empty() {
            let here = rest;
            let extension = Extension::parse(&mut rest)?;
            if seen.contains(&extension.oid) {
                return Err(here.fault(FIELD, Rule::DuplicateExtension));
            }
            if seen.len() > 64 {
                return Err(here.fault(FIELD, Rule::TooMany));
            }
            seen.push(extension.oid);
            self.read_extension(extension, here)?;
        }
        Ok(())
    }

    /// Parses one extension.
    ///
    /// RFC 5280 5.2.
    #[doc(alias = "RFC 5280 section 5.2")]
    fn read_extension(&mut self, extension: Extension<'a>, here: Reader<'a>) -> Result<(), ViewFault> {
        let mut body = extension.value.reader();
        let must_not_be_critical = |field| {
            if extension.critical { Err(here.fault(field, Rule::MustNotBeCritical)) } else { Ok(()) }
        };
        match extension.oid {
            oid::AUTHORITY_KEY_IDENTIFIER => {
                self.authority_key = AuthorityKeyIdentifier::of_body(body)?.key_identifier;
            }
            oid::CRL_NUMBER => {
                // Deviation: 5.2.3 requires it to be non-critical. It is processed either way.
                self.number = Some(number(&mut body, "cRLNumber")?);
            }
            oid::DELTA_CRL_INDICATOR => self.base_number = Some(number(&mut body, "deltaCRLIndicator")?),
            oid::ISSUING_DISTRIBUTION_POINT => {
                self.idp_bytes = extension.value.value;
                self.idp = Some(IssuingDistributionPoint::parse(body)?);
            }
            oid::FRESHEST_CRL => {
                must_not_be_critical("freshestCRL")?;
                DistributionPoints::of_body(body)?;
                self.freshest = Some(extension.value.value);
            }
            oid::AUTHORITY_INFO_ACCESS => {
                // 5.2.7
                must_not_be_critical("authorityInfoAccess")?;
                AccessDescriptions::of_body(body)?;
                self.access = Some(extension.value.value);
            }
            _ if extension.critical => return Err(here.fault("crlExtensions", Rule::UnknownCritical)),
            _ => {}
        }
        Ok(())
    }
}

/// A CRL number: its content bytes, not negative, and at most 20 bytes without a sign byte (RFC 5280 5.2.3).
#[doc(alias = "RFC 5280 section 5.2.3")]
fn number<'a>(body: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], ViewFault> {
    let tlv = body.expect(tag::INTEGER, field)?;
    body.finish(field)?;
    let content = integer(tlv, field)?;
    if content.first().is_some_and(|first| first & 0x80 != 0) {
        return Err(tlv.fault(field, Rule::NegativeInteger));
    }
    let magnitude = content.strip_prefix(&[0]).unwrap_or(content);
    if magnitude.len() > 20 { Err(tlv.fault(field, Rule::IntegerTooLarge)) } else { Ok(content) }
}
