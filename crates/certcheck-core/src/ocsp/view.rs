//! Borrowed views of responses.

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

/// More answers than one request asks for.
const MAX_RESPONSES: usize = 4_096;
/// More certificates than a responder sends along.
const MAX_CERTIFICATES: usize = 32;

/// responseStatus (RFC 6960 4.2.1). All but the first are unsigned, and so never more than "try elsewhere".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseStatus {
    /// 0
    Successful,
    /// 1
    MalformedRequest,
    /// 2
    InternalError,
    /// 3
    TryLater,
    /// 5
    SigRequired,
    /// 6
    Unauthorized,
}

impl ResponseStatus {
    /// The name that RFC 6960 4.2.1 gives it.
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

/// ```asn1
/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE {
///      responseType OBJECT IDENTIFIER, response OCTET STRING } OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OcspResponse<'a> {
    /// Whether there is an answer.
    pub status: ResponseStatus,
    /// The answer, present exactly if the status is successful.
    pub basic: Option<BasicResponse<'a>>,
}

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
    /// The bytes that were signed.
    pub tbs: &'a [u8],
    /// How.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The content of the BIT STRING.
    pub signature: &'a [u8],
    /// Who says to have signed.
    pub responder: ResponderId<'a>,
    /// When it was signed.
    pub produced_at: Time,
    /// The nonce of the request, if it is echoed.
    pub nonce: Option<&'a [u8]>,
    responses: Reader<'a>,
    certificates: Reader<'a>,
}

/// ```asn1
/// ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the ASN.1 module has no extension marker")]
pub enum ResponderId<'a> {
    /// The subject of the responder's certificate.
    ByName(Name<'a>),
    /// SHA-1 of its public key.
    ByKey(&'a [u8]),
}

impl ResponderId<'_> {
    /// Whether this is the certificate that is meant (RFC 6960 3.2 (3)).
    #[doc(alias = "RFC 6960 section 3.2(3)")]
    #[must_use]
    pub fn is(self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::ByName(name) => name.matches(certificate.subject()),
            Self::ByKey(hash) => CertIdHash::Sha1.digest(certificate.spki().public_key).as_ref() == hash,
        }
    }
}

/// ```asn1
/// CertID ::= SEQUENCE {
///      hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
///      serialNumber INTEGER }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CertId<'a> {
    /// The hash.
    pub algorithm: Oid<'a>,
    /// Of the issuer's name.
    pub name_hash: &'a [u8],
    /// Of the issuer's key.
    pub key_hash: &'a [u8],
    /// The content of the serial number.
    pub serial: &'a [u8],
}

impl CertId<'_> {
    /// Whether it names this certificate of this issuer: name, key and serial (RFC 6960 3.2 (1)).
    #[must_use]
    pub fn is(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        self.serial == certificate.serial().bytes() && self.is_hashed(certificate.issuer(), issuer)
    }

    /// Whether it names a certificate of this issuer, whichever: the hashes of name and key.
    #[must_use]
    pub fn is_of(&self, issuer: &Certificate<'_>) -> bool {
        self.is_hashed(issuer.subject(), issuer)
    }

    /// RFC 6960 3.2 (1).
    #[doc(alias = "RFC 6960 section 3.2(1)")]
    pub(crate) fn is_hashed(&self, name: Name<'_>, issuer: &Certificate<'_>) -> bool {
        CertIdHash::of(self.algorithm).is_some_and(|hash| {
            hash.digest(name.raw()).as_ref() == self.name_hash
                && hash.digest(issuer.spki().public_key).as_ref() == self.key_hash
        })
    }
}

/// certStatus.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the ASN.1 module has no extension marker")]
pub enum CertStatus {
    /// Not revoked, which does not say issued.
    Good,
    /// Revoked, or never issued (RFC 6960 4.4.8).
    Revoked {
        /// Since when.
        at: Time,
        /// Why.
        reason: RevocationReason,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// ```asn1
/// SingleResponse ::= SEQUENCE {
///      certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
///      nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SingleResponse<'a> {
    /// About which certificate.
    pub cert_id: CertId<'a>,
    /// What is said.
    pub status: CertStatus,
    /// As of when.
    pub this_update: Time,
    /// Until when there is nothing newer; absent, something newer may be had at any time.
    pub next_update: Option<Time>,
    /// Since when certificates that have expired are kept (RFC 6960 4.4.4).
    pub archive_cutoff: Option<Time>,
    /// invalidityDate, a CRL entry extension (RFC 6960 4.4.5).
    pub invalid_since: Option<Time>,
}

impl<'a> OcspResponse<'a> {
    /// Reads a response in DER, all of it.
    ///
    /// # Errors
    /// Where and how the bytes break DER; a critical extension that is not known.
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
            // What stands beside an error is not looked at.
            _ => None,
        };
        Ok(Self { status: declared, basic })
    }
}

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
                // Nobody signs the list: whether it is one is seen here, what is in it where a signer is looked for.
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
            // v1 is 0; there is no other.
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

    /// Verifies the signature with a key, for who looks into a response alone. Whether the key's holder may answer is
    /// another question: a check asks it.
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

    /// The certificates sent along, the first few.
    pub fn certificates(&self) -> impl Iterator<Item = Result<Certificate<'a>, ViewFault>> + use<'a> {
        let mut rest = self.certificates;
        let raw = core::iter::from_fn(move || if rest.is_empty() { None } else { rest.any("certs").ok() });
        raw.take(MAX_CERTIFICATES).map(|tlv| Certificate::parse(tlv.raw))
    }
}

/// Where in the bytes the parts of a response stand, so that what has been read once need not be read again.
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
    /// Of a response that was read out of these bytes.
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
            // It read before.
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

/// Where extensions stand: each means something in one place only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// responseExtensions
    Response,
    /// singleExtensions
    Answer,
}

/// What is taken from the extensions of a response or of an answer in it.
#[derive(Clone, Copy, Debug, Default)]
struct Extensions<'a> {
    nonce: Option<&'a [u8]>,
    archive_cutoff: Option<Time>,
    invalid_since: Option<Time>,
}

impl<'a> Extensions<'a> {
    /// A critical extension that is not known there makes the response unusable.
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
                // Wrapped in an OCTET STRING since RFC 8954; older responders echo whatever was sent.
                (oid::OCSP_NONCE, Place::Response) => found.nonce = Some(extension.value.value),
                (oid::OCSP_ARCHIVE_CUTOFF, Place::Answer) => {
                    found.archive_cutoff = Some(only_time(body, field)?);
                }
                (oid::INVALIDITY_DATE, Place::Answer) => {
                    found.invalid_since = Some(invalidity_date(body, field)?);
                }
                // What is told of where the answer comes from, and of how the entry would stand in a CRL.
                (oid::OCSP_CRL_REFERENCES | oid::REASON_CODE, Place::Answer)
                | (oid::OCSP_EXTENDED_REVOKE, Place::Response) => {}
                _ if extension.critical => return Err(here.fault(field, Rule::UnknownCritical)),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// As in the entry of a CRL, where UTCTime is seen too.
fn invalidity_date(mut body: Reader<'_>, field: &'static str) -> Result<Time, ViewFault> {
    let time = Time::parse_with_fraction(body.any(field)?, field)?;
    body.finish(field)?;
    Ok(time)
}

/// The GeneralizedTime that is all there is.
fn only_time(mut body: Reader<'_>, field: &'static str) -> Result<Time, ViewFault> {
    let time = generalized_time(&mut body, field)?;
    body.finish(field)?;
    Ok(time)
}

impl<'a> SingleResponse<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, ViewFault> {
        const FIELD: &str = "SingleResponse";
        let mut fields = reader.sequence(FIELD)?;
        let mut id = fields.sequence("certID")?;
        let algorithm = AlgorithmIdentifier::parse(id.sequence("certID")?, "certID")?.oid;
        let name_hash = id.expect(tag::OCTET_STRING, "certID")?.value;
        let key_hash = id.expect(tag::OCTET_STRING, "certID")?.value;
        let serial = integer(id.expect(tag::INTEGER, "certID")?, "certID")?;
        id.finish("certID")?;
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
        let cert_id = CertId { algorithm, name_hash, key_hash, serial };
        Ok(Self { cert_id, status, this_update, next_update, archive_cutoff, invalid_since })
    }
}

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
