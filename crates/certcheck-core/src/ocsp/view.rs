//! Borrowed views of OCSP responses.

use core::ops::Range;

use super::CertIdHash;
use crate::budget::Budget;
use crate::der::{Reader, Rule, Tlv, ViewFault, bit_string_bytes, integer, tag};
use crate::oid::{self, Oid};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{self, Signed};
use crate::status::RevocationReason;
use crate::time::Time;
use crate::x509::{AlgorithmIdentifier, Certificate, Extension, Name, SubjectPublicKeyInfo};

/// The most answers in a response, more than for any one request.
const MAX_RESPONSES: usize = 4_096;
/// The most certificates in a response, more than any responder sends.
const MAX_CERTIFICATES: usize = 32;

/// The responseStatus (RFC 6960 4.2.1). All but the first are unsigned, so that they only mean that another source must
/// be tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseStatus {
    /// Status 0.
    Successful,
    /// Status 1.
    MalformedRequest,
    /// Status 2.
    InternalError,
    /// Status 3.
    TryLater,
    /// Status 5.
    SigRequired,
    /// Status 6.
    Unauthorized,
}

impl ResponseStatus {
    /// The name in RFC 6960 4.2.1.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// An OCSP response (RFC 6960 4.2.1).
///
/// ```asn1
/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE {
///      responseType OBJECT IDENTIFIER, response OCTET STRING } OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OcspResponse<'a> {
    /// The status of the response: successful, or an error.
    pub status: ResponseStatus,
    /// The answers. Present exactly if the status is successful.
    pub basic: Option<BasicResponse<'a>>,
}

/// A response with answers (RFC 6960 4.2.1).
///
/// ```asn1
/// BasicOCSPResponse ::= SEQUENCE {
///      tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING,
///      certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ResponseData ::= SEQUENCE {
///      version [0] EXPLICIT INTEGER DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
///      responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BasicResponse<'a> {
    /// The signed bytes.
    pub tbs: &'a [u8],
    /// The signature algorithm.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The content of the BIT STRING.
    pub signature: &'a [u8],
    /// The responder, as it names itself.
    pub responder: ResponderId<'a>,
    /// The time of signing.
    pub produced_at: Time,
    /// The nonce, if the response has one.
    pub nonce: Option<&'a [u8]>,
    responses: Reader<'a>,
    certificates: Reader<'a>,
}

/// The identifier of a responder.
///
/// ```asn1
/// ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the ASN.1 module has no extension marker")]
pub enum ResponderId<'a> {
    /// The subject of the responder's certificate.
    ByName(Name<'a>),
    /// The SHA-1 hash of its public key.
    ByKey(&'a [u8]),
}

impl ResponderId<'_> {
    /// Whether it identifies this certificate (RFC 6960 3.2 (3)).
    #[doc(alias = "RFC 6960 section 3.2(3)")]
    #[must_use]
    pub fn is(self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::ByName(name) => name.matches(certificate.subject()),
            Self::ByKey(hash) => CertIdHash::Sha1.digest(certificate.spki().public_key).as_ref() == hash,
        }
    }
}

/// The identifier of a certificate in a request or response (RFC 6960 4.1.1).
///
/// ```asn1
/// CertID ::= SEQUENCE {
///      hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
///      serialNumber INTEGER }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CertId<'a> {
    /// The hash algorithm.
    pub algorithm: Oid<'a>,
    /// The hash of the issuer's name.
    pub name_hash: &'a [u8],
    /// The hash of the issuer's key.
    pub key_hash: &'a [u8],
    /// The content of the serial number.
    pub serial: &'a [u8],
}

impl<'a> CertId<'a> {
    /// Parses the content of a CertID.
    ///
    /// RFC 6960 4.1.1.
    #[doc(alias = "RFC 6960 section 4.1.1")]
    pub(super) fn parse(mut id: Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "certID";
        let algorithm = AlgorithmIdentifier::parse(id.sequence(FIELD)?, FIELD)?.oid;
        let name_hash = id.expect(tag::OCTET_STRING, FIELD)?.value;
        let key_hash = id.expect(tag::OCTET_STRING, FIELD)?.value;
        let serial = integer(id.expect(tag::INTEGER, FIELD)?, FIELD)?;
        id.finish(FIELD)?;
        Ok(Self { algorithm, name_hash, key_hash, serial })
    }

    /// Whether it identifies this certificate of this issuer: name, key and serial number (RFC 6960 3.2 (1)).
    #[must_use]
    pub fn is(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        self.serial == certificate.serial().bytes() && self.is_hashed(certificate.issuer(), issuer)
    }

    /// Whether it identifies any certificate of this issuer: the hashes of name and key match.
    #[must_use]
    pub fn is_of(&self, issuer: &Certificate<'_>) -> bool {
        self.is_hashed(issuer.subject(), issuer)
    }

    /// Whether the hashes match this name and the key of this issuer.
    ///
    /// RFC 6960 3.2 (1).
    #[doc(alias = "RFC 6960 section 3.2(1)")]
    pub(crate) fn is_hashed(&self, name: Name<'_>, issuer: &Certificate<'_>) -> bool {
        CertIdHash::of(self.algorithm).is_some_and(|hash| {
            hash.digest(name.raw()).as_ref() == self.name_hash
                && hash.digest(issuer.spki().public_key).as_ref() == self.key_hash
        })
    }
}

/// The certStatus of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the ASN.1 module has no extension marker")]
pub enum CertStatus {
    /// Not revoked. This does not mean that the certificate was issued.
    Good,
    /// Revoked, or never issued (RFC 6960 4.4.8).
    Revoked {
        /// The time of revocation.
        at: Time,
        /// The reason.
        reason: RevocationReason,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// One answer of a response.
///
/// ```asn1
/// SingleResponse ::= SEQUENCE {
///      certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
///      nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SingleResponse<'a> {
    /// The identifier of the certificate.
    pub cert_id: CertId<'a>,
    /// The status of the certificate.
    pub status: CertStatus,
    /// The thisUpdate: the time for which the status holds.
    pub this_update: Time,
    /// The nextUpdate. If it is absent, newer information is available at any time.
    pub next_update: Option<Time>,
    /// The archive cutoff: since when expired certificates are kept (RFC 6960 4.4.4).
    pub archive_cutoff: Option<Time>,
    /// The invalidityDate, a CRL entry extension (RFC 6960 4.4.5).
    pub invalid_since: Option<Time>,
}

impl<'a> OcspResponse<'a> {
    /// Parses a response in DER, all of it.
    ///
    /// # Errors
    /// Where and how the bytes violate DER, or an unknown critical extension.
    pub fn parse(der: &'a [u8]) -> Result<Self, ViewFault> {
        const FIELD: &str = "OCSPResponse";
        let mut document = Reader::new(der);
        let mut fields = document.sequence(FIELD)?;
        document.finish(FIELD)?;
        let status = fields.expect(tag::ENUMERATED, "responseStatus")?;
        let declared = match status.value {
            [0] => ResponseStatus::Successful,
            [1] => ResponseStatus::MalformedRequest,
            [2] => ResponseStatus::InternalError,
            [3] => ResponseStatus::TryLater,
            [5] => ResponseStatus::SigRequired,
            [6] => ResponseStatus::Unauthorized,
            _ => return Err(status.fault("responseStatus", Rule::UnknownChoice)),
        };
        let bytes = fields.optional(tag::context_constructed(0), "responseBytes")?;
        fields.finish(FIELD)?;
        let basic = match (declared, bytes) {
            (ResponseStatus::Successful, Some(explicit)) => Some(parse_bytes(explicit)?),
            (ResponseStatus::Successful, None) => return Err(fields.fault("responseBytes", Rule::Truncated)),
            // The rest of an error response is not used.
            _ => None,
        };
        Ok(Self { status: declared, basic })
    }
}

/// Parses `responseBytes`.
///
/// RFC 6960 4.2.1.
#[doc(alias = "RFC 6960 section 4.2.1")]
fn parse_bytes(explicit: Tlv<'_>) -> Result<BasicResponse<'_>, ViewFault> {
    const FIELD: &str = "responseBytes";
    let mut outer = explicit.reader();
    let mut fields = outer.sequence(FIELD)?;
    outer.finish(FIELD)?;
    let kind = fields.any(FIELD)?;
    if Oid::parse(kind, FIELD)? != oid::OCSP_BASIC {
        return Err(kind.fault(FIELD, Rule::UnknownChoice));
    }
    let response = fields.expect(tag::OCTET_STRING, FIELD)?;
    fields.finish(FIELD)?;
    BasicResponse::parse(response.reader())
}

impl<'a> BasicResponse<'a> {
    /// Parses a basic response.
    ///
    /// RFC 6960 4.2.1.
    #[doc(alias = "RFC 6960 section 4.2.1")]
    fn parse(mut document: Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "BasicOCSPResponse";
        let mut outer = document.sequence(FIELD)?;
        document.finish(FIELD)?;
        let tbs = outer.expect(tag::SEQUENCE, "tbsResponseData")?;
        let algorithm =
            AlgorithmIdentifier::parse(outer.sequence("signatureAlgorithm")?, "signatureAlgorithm")?;
        let signature = bit_string_bytes(outer.expect(tag::BIT_STRING, "signature")?, "signature")?;
        let certificates = match outer.optional(tag::context_constructed(0), "certs")? {
            Some(explicit) => {
                let mut inner = explicit.reader();
                let list = inner.sequence("certs")?;
                inner.finish("certs")?;
                // The list is not signed. Its structure is checked here, and its certificates only when a signer is
                // searched.
                let mut rest = list;
                while !rest.is_empty() {
                    rest.expect(tag::SEQUENCE, "certs")?;
                }
                list
            }
            None => Reader::new(&[]),
        };
        outer.finish(FIELD)?;

        let mut fields = tbs.reader();
        if let Some(explicit) = fields.optional(tag::context_constructed(0), "version")? {
            // v1 is 0. There is no other version.
            if explicit.value != [tag::INTEGER, 1, 0] {
                return Err(explicit.fault("version", Rule::BadVersion));
            }
        }
        let responder = parse_responder(&mut fields)?;
        let produced_at = generalized_time(&mut fields, "producedAt")?;
        let responses = fields.sequence("responses")?;
        let nonce = match fields.optional(tag::context_constructed(1), "responseExtensions")? {
            Some(explicit) => Extensions::parse(explicit, Place::Response, "responseExtensions")?.nonce,
            None => None,
        };
        fields.finish("tbsResponseData")?;
        let view = Self {
            tbs: tbs.raw,
            algorithm,
            signature,
            responder,
            produced_at,
            nonce,
            responses,
            certificates,
        };
        for (at, single) in view.responses().enumerate() {
            single?;
            if at >= MAX_RESPONSES {
                return Err(view.responses.fault("responses", Rule::TooMany));
            }
        }
        Ok(view)
    }

    /// Verifies the signature with a key, for callers that inspect a single response. It does not check whether the
    /// owner of the key is an authorized responder. A check does.
    ///
    /// # Errors
    /// Why it does not verify.
    pub fn verify(&self, key: SubjectPublicKeyInfo<'_>, policy: &Policy) -> Result<(), Reason> {
        let signed = Signed { message: self.tbs, algorithm: self.algorithm, signature: self.signature };
        signature::verify(signed, key, &policy.signatures, &mut Budget::new(&policy.limits))
            .map_err(Reason::from)
    }

    /// The answers, in order.
    pub fn responses(&self) -> impl Iterator<Item = Result<SingleResponse<'a>, ViewFault>> + use<'a> {
        let mut rest = self.responses;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let single = SingleResponse::parse(&mut rest);
            if single.is_err() {
                rest = Reader::new(&[]);
            }
            Some(single)
        })
    }

    /// The included certificates, the first few of them.
    pub fn certificates(&self) -> impl Iterator<Item = Result<Certificate<'a>, ViewFault>> + use<'a> {
        let mut rest = self.certificates;
        let raw = core::iter::from_fn(move || if rest.is_empty() { None } else { rest.any("certs").ok() });
        raw.take(MAX_CERTIFICATES).map(|tlv| Certificate::parse(tlv.raw))
    }
}

/// The positions of the parts of a response, so that it is not parsed again.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    tbs: Range<usize>,
    /// The content of AlgorithmIdentifier.
    algorithm: Range<usize>,
    signature: Range<usize>,
    /// The name with its header, or the hash of the key.
    responder: Range<usize>,
    is_by_name: bool,
    produced_at: Time,
    nonce: Option<Range<usize>>,
    responses: Range<usize>,
    certificates: Range<usize>,
}

impl Layout {
    /// The positions of a response that was parsed from these bytes.
    pub(crate) fn of(document: &[u8], basic: &BasicResponse<'_>) -> Self {
        let place = |part: &[u8]| {
            let from = part.as_ptr().addr().saturating_sub(document.as_ptr().addr());
            from..from + part.len()
        };
        let (responder, is_by_name) = match basic.responder {
            ResponderId::ByName(name) => (name.raw(), true),
            ResponderId::ByKey(hash) => (hash, false),
        };
        Self {
            tbs: place(basic.tbs),
            algorithm: place(basic.algorithm.content),
            signature: place(basic.signature),
            responder: place(responder),
            is_by_name,
            produced_at: basic.produced_at,
            nonce: basic.nonce.map(place),
            responses: place(basic.responses.rest()),
            certificates: if basic.certificates.is_empty() { 0..0 } else { place(basic.certificates.rest()) },
        }
    }

    /// The response in the same bytes.
    pub(crate) fn view<'a>(&self, document: &'a [u8]) -> Option<BasicResponse<'a>> {
        let part = |place: &Range<usize>| document.get(place.clone()).unwrap_or_default();
        let reader = |place: &Range<usize>| Reader::at(part(place), place.start);
        let responder = part(&self.responder);
        Some(BasicResponse {
            tbs: part(&self.tbs),
            // It was parsed before.
            algorithm: AlgorithmIdentifier::parse(reader(&self.algorithm), "signatureAlgorithm").ok()?,
            signature: part(&self.signature),
            responder: if self.is_by_name {
                ResponderId::ByName(Name::reread(responder))
            } else {
                ResponderId::ByKey(responder)
            },
            produced_at: self.produced_at,
            nonce: self.nonce.as_ref().map(part),
            responses: reader(&self.responses),
            certificates: reader(&self.certificates),
        })
    }
}

fn parse_responder<'a>(fields: &mut Reader<'a>) -> Result<ResponderId<'a>, ViewFault> {
    const FIELD: &str = "responderID";
    let choice = fields.any(FIELD)?;
    let mut inner = choice.reader();
    let responder = match choice.tag {
        0xa1 => ResponderId::ByName(Name::parse(&mut inner, FIELD)?),
        0xa2 => ResponderId::ByKey(inner.expect(tag::OCTET_STRING, FIELD)?.value),
        _ => return Err(choice.fault(FIELD, Rule::UnknownChoice)),
    };
    inner.finish(FIELD)?;
    Ok(responder)
}

fn generalized_time(fields: &mut Reader<'_>, field: &'static str) -> Result<Time, ViewFault> {
    Time::parse_with_fraction(fields.expect(tag::GENERALIZED_TIME, field)?, field)
}

/// Where extensions are: each has a meaning in one place only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// In responseExtensions.
    Response,
    /// In singleExtensions.
    Answer,
}

/// The extensions of a response, or of an answer in it, that are used.
#[derive(Clone, Copy, Debug, Default)]
struct Extensions<'a> {
    nonce: Option<&'a [u8]>,
    archive_cutoff: Option<Time>,
    invalid_since: Option<Time>,
}

impl<'a> Extensions<'a> {
    /// Parses extensions. An unknown critical extension makes the response unusable.
    ///
    /// RFC 6960 4.4, RFC 9654 2.1.
    #[doc(alias("RFC 6960 section 4.4", "RFC 9654 section 2.1"))]
    fn parse(explicit: Tlv<'a>, place: Place, field: &'static str) -> Result<Self, ViewFault> {
        let mut outer = explicit.reader();
        let mut list = outer.sequence(field)?;
        outer.finish(field)?;
        let mut found = Self::default();
        let mut seen: Vec<Oid<'a>> = Vec::new();
        while !list.is_empty() {
            let here = list;
            let extension = Extension::parse(&mut list)?;
            if seen.contains(&extension.oid) {
                return Err(here.fault(field, Rule::DuplicateExtension));
            }
            if seen.len() > 64 {
                return Err(here.fault(field, Rule::TooMany));
            }
            seen.push(extension.oid);
            let body = extension.value.reader();
            match (extension.oid, place) {
                // Wrapped in an OCTET STRING since RFC 8954. Older responders return whatever was sent.
                (oid::OCSP_NONCE, Place::Response) => found.nonce = Some(extension.value.value),
                (oid::OCSP_ARCHIVE_CUTOFF, Place::Answer) => {
                    found.archive_cutoff = Some(only_time(body, field)?);
                }
                (oid::INVALIDITY_DATE, Place::Answer) => {
                    found.invalid_since = Some(invalidity_date(body, field)?);
                }
                // Where the answer is from, and how the entry would look in a CRL.
                (oid::OCSP_CRL_REFERENCES | oid::REASON_CODE, Place::Answer)
                | (oid::OCSP_EXTENDED_REVOKE, Place::Response) => {}
                _ if extension.critical => return Err(here.fault(field, Rule::UnknownCritical)),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Parses an invalidityDate as in the entry of a CRL, where UTCTime occurs too.
fn invalidity_date(mut body: Reader<'_>, field: &'static str) -> Result<Time, ViewFault> {
    let time = Time::parse_with_fraction(body.any(field)?, field)?;
    body.finish(field)?;
    Ok(time)
}

/// The GeneralizedTime, which must be the only element.
fn only_time(mut body: Reader<'_>, field: &'static str) -> Result<Time, ViewFault> {
    let time = generalized_time(&mut body, field)?;
    body.finish(field)?;
    Ok(time)
}

impl<'a> SingleResponse<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "SingleResponse";
        let mut fields = reader.sequence(FIELD)?;
        let cert_id = CertId::parse(fields.sequence("certID")?)?;
        let status = parse_status(fields.any("certStatus")?)?;
        let this_update = generalized_time(&mut fields, "thisUpdate")?;
        let next_update = match fields.optional(tag::context_constructed(0), "nextUpdate")? {
            Some(explicit) => {
                let mut inner = explicit.reader();
                let time = generalized_time(&mut inner, "nextUpdate")?;
                inner.finish("nextUpdate")?;
                Some(time)
            }
            None => None,
        };
        let extensions = match fields.optional(tag::context_constructed(1), "singleExtensions")? {
            Some(explicit) => Extensions::parse(explicit, Place::Answer, "singleExtensions")?,
            None => Extensions::default(),
        };
        fields.finish(FIELD)?;
        let Extensions { archive_cutoff, invalid_since, .. } = extensions;
        Ok(Self { cert_id, status, this_update, next_update, archive_cutoff, invalid_since })
    }
}

/// Parses a status.
///
/// ```asn1
/// CertStatus ::= CHOICE {
///      good [0] IMPLICIT NULL, revoked [1] IMPLICIT SEQUENCE {
///           revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL },
///      unknown [2] IMPLICIT NULL }
/// ```
///
/// RFC 6960 2.2.
#[doc(alias = "RFC 6960 section 2.2")]
fn parse_status(choice: Tlv<'_>) -> Result<CertStatus, ViewFault> {
    const FIELD: &str = "certStatus";
    match (choice.tag, choice.value) {
        (0x80, []) => Ok(CertStatus::Good),
        (0x82, []) => Ok(CertStatus::Unknown),
        (0xa1, _) => {
            let mut fields = choice.reader();
            let at = generalized_time(&mut fields, FIELD)?;
            let reason = match fields.optional(tag::context_constructed(0), FIELD)? {
                Some(explicit) => {
                    let mut inner = explicit.reader();
                    let reason = RevocationReason::parse(inner.expect(tag::ENUMERATED, FIELD)?, FIELD)?;
                    inner.finish(FIELD)?;
                    reason
                }
                None => RevocationReason::Unspecified,
            };
            fields.finish(FIELD)?;
            Ok(CertStatus::Revoked { at, reason })
        }
        _ => Err(choice.fault(FIELD, Rule::UnknownChoice)),
    }
}
