//! Certificates out of files: PEM, DER, and the certificates of PKCS #7 (RFC 5652 5.1, degenerate or not).

use core::fmt;

use pki_types::CertificateDer;

use crate::der::{Reader, Rule, ViewFault, tag};
use crate::oid::{self, Oid};

/// Why a file holds nothing to read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ContainerFault {
    /// Looks like PEM and is not.
    Pem(String),
    /// Neither PEM nor DER of a certificate or PKCS #7.
    Der(ViewFault),
    /// Well-formed, without a certificate.
    Empty,
    /// The certificate at this place, counted from 0, does not read.
    Certificate {
        /// Which.
        index: usize,
        /// Why.
        fault: ViewFault,
    },
}

impl fmt::Display for ContainerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(message) => write!(f, "bad PEM: {message}"),
            Self::Der(fault) => write!(f, "neither PEM nor DER: {fault}"),
            Self::Empty => f.write_str("holds no certificate"),
            Self::Certificate { index, fault } => write!(f, "certificate {index}: {fault}"),
        }
    }
}

impl core::error::Error for ContainerFault {}

/// The DER of every certificate in a file, unread. Sections of PEM that are not certificates are passed over.
///
/// # Errors
/// A file that is no container, or one without certificates.
pub fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, ContainerFault> {
    let found = if file.first() == Some(&tag::SEQUENCE) { of_der(file)? } else { of_pem(file)? };
    if found.is_empty() { Err(ContainerFault::Empty) } else { Ok(found) }
}

fn of_pem(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, ContainerFault> {
    let sections = pem::parse_many(file).map_err(|error| ContainerFault::Pem(error.to_string()))?;
    let mut found = Vec::new();
    for section in sections {
        match section.tag() {
            "CERTIFICATE" | "X509 CERTIFICATE" => found.push(section.into_contents().into()),
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => found.append(&mut of_der(section.contents())?),
            _ => {}
        }
    }
    Ok(found)
}

/// A certificate's first field is a SEQUENCE, that of PKCS #7 an OBJECT IDENTIFIER.
fn of_der(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, ContainerFault> {
    let mut document = Reader::new(file);
    let outer = document.sequence("Certificate").map_err(ContainerFault::Der)?;
    if outer.peek() != Some(tag::OID) {
        return Ok(vec![file.to_vec().into()]);
    }
    document.finish("ContentInfo").map_err(ContainerFault::Der)?;
    of_content_info(outer).map_err(ContainerFault::Der)
}

/// ```asn1
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }
/// SignedData ::= SEQUENCE {
///      version INTEGER, digestAlgorithms SET, encapContentInfo SEQUENCE,
///      certificates [0] IMPLICIT CertificateSet OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos SET }
/// ```
fn of_content_info(mut fields: Reader<'_>) -> Result<Vec<CertificateDer<'static>>, ViewFault> {
    const FIELD: &str = "SignedData";
    let kind = fields.any(FIELD)?;
    if Oid::parse(kind, FIELD)? != oid::SIGNED_DATA {
        return Err(kind.fault(FIELD, Rule::UnknownChoice));
    }
    let mut content = fields.expect(tag::context_constructed(0), FIELD)?.reader();
    fields.finish(FIELD)?;
    let mut signed = content.sequence(FIELD)?;
    content.finish(FIELD)?;
    signed.expect(tag::INTEGER, FIELD)?;
    signed.expect(tag::SET, FIELD)?;
    signed.expect(tag::SEQUENCE, FIELD)?;
    let mut found = Vec::new();
    if let Some(set) = signed.optional(tag::context_constructed(0), FIELD)? {
        let mut rest = set.reader();
        while !rest.is_empty() {
            let member = rest.any(FIELD)?;
            // CertificateChoices: other than Certificate are attribute certificates and long obsolete forms.
            if member.tag == tag::SEQUENCE {
                found.push(member.raw.to_vec().into());
            }
        }
    }
    Ok(found)
}
