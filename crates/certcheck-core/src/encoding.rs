//! Certificates, CRLs and OCSP responses from files: PEM, DER, and PKCS #7 (RFC 5652 5.1, degenerate or not).

use core::fmt;
use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use pki_types::CertificateDer;

use crate::ber;
use crate::der::{Reader, Rule, ViewFault, tag};
use crate::oid::{self, Oid};

/// Why nothing could be taken from a file.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncodingFault {
    /// Damaged PEM, or a PEM section whose label is not supported.
    Pem(String),
    /// Damaged DER, or PKCS #7 of another content type than SignedData.
    Der(ViewFault),
    /// A file without anything of the wanted kind.
    Missing {
        /// The wanted kind, such as `certificate`.
        wanted: &'static str,
        /// What the file is instead.
        found: String,
    },
    /// A certificate that cannot be parsed.
    Certificate {
        /// Its position in the file, counted from 0.
        index: usize,
        /// Why it cannot be parsed.
        fault: ViewFault,
    },
}

impl fmt::Display for EncodingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(message) => write!(f, "invalid PEM: {message}"),
            Self::Der(fault) => write!(f, "neither PEM nor valid DER: {fault}"),
            Self::Missing { wanted, found } => write!(f, "holds no {wanted}: {found}"),
            Self::Certificate { index, fault } if fault.may_be_another_file() => write!(
                f,
                "certificate {index} cannot be parsed: {fault}; the file may be cut short, or of another kind"
            ),
            Self::Certificate { index, fault } => write!(f, "certificate {index} cannot be parsed: {fault}"),
        }
    }
}

impl core::error::Error for EncodingFault {}

/// The DER of every certificate in a file, not parsed yet.
///
/// PEM sections of other known kinds, such as keys, are skipped. A section that is cut short is an error.
///
/// # Errors
/// A file that is neither PEM nor DER, or one without certificates.
pub fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, EncodingFault> {
    let decoded = bare_base64(file);
    let file = decoded.as_deref().unwrap_or(file);
    let found = if file.first() == Some(&tag::SEQUENCE) { of_der(file)? } else { of_pem(file)? };
    if found.is_empty() { Err(missing("certificate", file)) } else { Ok(found) }
}

/// The DER of a file that is base64 without the BEGIN and END lines of PEM, as some tools export it. `None` unless the
/// file is one SEQUENCE in base64 and nothing else.
fn bare_base64(file: &[u8]) -> Option<Vec<u8>> {
    const FIELD: &str = "base64";
    let text = file.trim_ascii();
    let is_base64 = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') || byte.is_ascii_whitespace()
    };
    // The tag of a SEQUENCE begins with M.
    if text.first() != Some(&b'M') || !text.iter().all(is_base64) {
        return None;
    }
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    let mut document = ber::Reader::new(&der);
    let outer = document.any(FIELD).ok()?.tag;
    document.finish(FIELD).ok()?;
    (outer == tag::SEQUENCE).then_some(der)
}

fn of_pem(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, EncodingFault> {
    let mut found = Vec::new();
    for section in sections(file)? {
        match kind_of(section.tag())? {
            PemKind::Certificate => found.push(section.into_contents().into()),
            PemKind::Pkcs7 => found.append(&mut of_der(section.contents())?),
            _ => {}
        }
    }
    Ok(found)
}

/// What a section of PEM contains, by its label (RFC 7468 4 to 13).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PemKind {
    Certificate,
    Crl,
    Pkcs7,
    OcspResponse,
    /// A known label that is none of these, such as that of a key or a request.
    Other,
}

/// The kind of a section by its label. An unknown label is an error: it may be another spelling of a known one, and the
/// section must not be skipped.
fn kind_of(label: &str) -> Result<PemKind, EncodingFault> {
    Ok(match label {
        "CERTIFICATE" | "X509 CERTIFICATE" => PemKind::Certificate,
        "X509 CRL" | "CRL" => PemKind::Crl,
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => PemKind::Pkcs7,
        "OCSP RESPONSE" => PemKind::OcspResponse,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" | "ATTRIBUTE CERTIFICATE" | "OCSP REQUEST" => {
            PemKind::Other
        }
        // OpenSSL keeps trust settings, or distrust, after such a certificate. They would be lost unnoticed.
        "TRUSTED CERTIFICATE" => {
            let message =
                "a TRUSTED CERTIFICATE, a form that only OpenSSL uses: convert it with `openssl x509`";
            return Err(EncodingFault::Pem(message.to_owned()));
        }
        key if ["PRIVATE KEY", "PUBLIC KEY", "PARAMETERS"].iter().any(|end| key.ends_with(end)) => {
            PemKind::Other
        }
        unknown => {
            return Err(EncodingFault::Pem(format!("a section with the unknown label {unknown:?}")));
        }
    })
}

/// All sections of a PEM file (RFC 7468). A section that begins and cannot be read is an error, because skipping it
/// would go unnoticed.
fn sections(file: &[u8]) -> Result<Vec<pem::Pem>, EncodingFault> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let sections = pem::parse_many(file).map_err(|error| EncodingFault::Pem(error.to_string()))?;
    let begun = file.windows(BEGIN.len()).filter(|bytes| bytes.eq_ignore_ascii_case(BEGIN)).count();
    if begun == sections.len() {
        return Ok(sections);
    }
    let read = sections.len();
    Err(EncodingFault::Pem(format!(
        "{begun} sections begin, but only {read} are complete: each BEGIN and END line must stand alone"
    )))
}

/// The DER of every CRL in a file, not parsed yet: DER, PEM, or the CRLs of PKCS #7. DER is not copied.
///
/// # Errors
/// A file that is neither PEM nor DER, or one without CRLs.
pub fn crls(file: &Bytes) -> Result<Vec<Bytes>, EncodingFault> {
    let decoded = bare_base64(file).map(Bytes::from);
    let file = decoded.as_ref().unwrap_or(file);
    let found = if file.first() == Some(&tag::SEQUENCE) {
        crls_of_der(file)?
    } else {
        let mut found = Vec::new();
        for section in sections(file)? {
            match kind_of(section.tag())? {
                PemKind::Crl => found.push(section.into_contents().into()),
                PemKind::Pkcs7 => {
                    found.append(&mut crls_of_der(&section.into_contents().into())?);
                }
                _ => {}
            }
        }
        found
    };
    if found.is_empty() { Err(missing("CRL", file)) } else { Ok(found) }
}

fn crls_of_der(file: &Bytes) -> Result<Vec<Bytes>, EncodingFault> {
    // If the file is cut short, the CRL parser reports where.
    let Ok(Some(content)) = content_info(file, "CertificateList") else { return Ok(vec![file.clone()]) };
    let members = members(content, tag::context_constructed(1)).map_err(EncodingFault::Der)?;
    Ok(members.into_iter().map(|member| file.slice_ref(member)).collect())
}

/// The DER of every OCSP response in a file, not parsed yet: DER or PEM.
///
/// # Errors
/// A file that is neither PEM nor DER, or one without OCSP responses.
pub fn ocsp_responses(file: &Bytes) -> Result<Vec<Bytes>, EncodingFault> {
    let decoded = bare_base64(file).map(Bytes::from);
    let file = decoded.as_ref().unwrap_or(file);
    if file.first() == Some(&tag::SEQUENCE) {
        return Ok(vec![file.clone()]);
    }
    let mut found = Vec::new();
    for section in sections(file)? {
        if kind_of(section.tag())? == PemKind::OcspResponse {
            found.push(section.into_contents().into());
        }
    }
    if found.is_empty() { Err(missing("OCSP response", file)) } else { Ok(found) }
}

/// The error for a file that contains nothing of the wanted kind. It says what the file contains instead.
fn missing(wanted: &'static str, file: &[u8]) -> EncodingFault {
    let labels: BTreeSet<String> =
        pem::parse_many(file).into_iter().flatten().map(|section| section.tag().to_owned()).collect();
    let labels: Vec<String> = labels.into_iter().collect();
    let found = match (file.first(), labels.as_slice()) {
        _ if file.trim_ascii().is_empty() => "the file is empty".to_owned(),
        (Some(&tag::SEQUENCE), _) => "it is PKCS #7 without any".to_owned(),
        (_, []) => "the file is neither PEM nor DER".to_owned(),
        (_, labels) => format!("it is PEM with {}", labels.join(", ")),
    };
    EncodingFault::Missing { wanted, found }
}

fn of_der(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, EncodingFault> {
    let Some(content) = content_info(file, "Certificate").map_err(EncodingFault::Der)? else {
        return Ok(vec![file.to_vec().into()]);
    };
    let members = members(content, tag::context_constructed(0)).map_err(EncodingFault::Der)?;
    Ok(members.into_iter().map(|member| member.to_vec().into()).collect())
}

/// The content of a ContentInfo, in DER or BER (RFC 5280 4.2.2.1). `None` if the file is not one: the first field of a
/// certificate or a CRL is a SEQUENCE, that of PKCS #7 is an OBJECT IDENTIFIER.
fn content_info<'a>(file: &'a [u8], field: &'static str) -> Result<Option<ber::Reader<'a>>, ViewFault> {
    let mut document = ber::Reader::new(file);
    let outer = document.sequence(field)?;
    if outer.peek() != Some(tag::OID) {
        return Ok(None);
    }
    document.finish("ContentInfo")?;
    Ok(Some(outer))
}

/// The members of one of the two sets: `[0]` certificates, `[1]` CRLs.
///
/// ```asn1
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }
/// SignedData ::= SEQUENCE {
///      version INTEGER, digestAlgorithms SET, encapContentInfo SEQUENCE,
///      certificates [0] IMPLICIT CertificateSet OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos SET }
/// ```
fn members(mut fields: ber::Reader<'_>, wanted: u8) -> Result<Vec<&[u8]>, ViewFault> {
    const FIELD: &str = "SignedData";
    let mut kind = Reader::new(fields.any(FIELD)?.raw);
    let kind = kind.any(FIELD)?;
    if Oid::parse(kind, FIELD)? != oid::SIGNED_DATA {
        return Err(kind.fault(FIELD, Rule::UnknownChoice));
    }
    let mut content = fields.expect(tag::context_constructed(0), FIELD)?;
    fields.finish(FIELD)?;
    let mut signed = content.sequence(FIELD)?;
    content.finish(FIELD)?;
    signed.expect(tag::INTEGER, FIELD)?;
    signed.expect(tag::SET, FIELD)?;
    signed.sequence(FIELD)?;
    let mut found = Vec::new();
    for set in [tag::context_constructed(0), tag::context_constructed(1)] {
        if signed.peek() != Some(set) {
            continue;
        }
        let mut rest = signed.expect(set, FIELD)?;
        while set == wanted && !rest.is_empty() {
            let member = rest.any(FIELD)?;
            // The other alternatives are attribute certificates, other revocation information and obsolete forms.
            if member.tag == tag::SEQUENCE {
                found.push(member.raw);
            }
        }
    }
    Ok(found)
}
