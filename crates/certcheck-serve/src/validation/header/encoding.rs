//! Base64, percent-encoding, and DER elements one behind the other.

use certcheck_rustls::certcheck_core::der::Reader;
use certcheck_rustls::pki_types::CertificateDer;
use data_encoding::BASE64;

use super::{HeaderFault, MAX_CERTIFICATE, MAX_CHAIN};

/// A percent-encoded text. `+` stands for itself: this is no form of HTML.
pub(super) fn percent_decoded(text: &str) -> Result<Vec<u8>, HeaderFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(HeaderFault::BadPercent) };
        bytes.push(u8::try_from(high << 4 | low).map_err(|_| HeaderFault::BadPercent)?);
    }
    Ok(bytes)
}

/// One certificate from Base64 of its DER.
pub(crate) fn base64_der(text: &[u8]) -> Result<CertificateDer<'static>, HeaderFault> {
    one_element(base64(text)?)
}

/// Bytes from Base64, with padding and nothing else.
pub(super) fn base64(text: &[u8]) -> Result<Vec<u8>, HeaderFault> {
    BASE64.decode(text).map_err(|_| HeaderFault::NotBase64)
}

/// A certificate: one DER element, and nothing behind it.
pub(super) fn one_element(der: Vec<u8>) -> Result<CertificateDer<'static>, HeaderFault> {
    if der.len() > MAX_CERTIFICATE {
        return Err(HeaderFault::CertificateTooLarge(der.len()));
    }
    let mut reader = Reader::new(&der);
    if reader.any("certificate").is_err() || !reader.is_empty() {
        return Err(HeaderFault::NotDer);
    }
    Ok(CertificateDer::from(der))
}

/// Certificates that stand one behind the other, possibly none.
pub(crate) fn split_der(der: &[u8]) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    let mut reader = Reader::new(der);
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        let before = reader.rest();
        reader.any("certificate").map_err(|_| HeaderFault::NotDer)?;
        let length = before.len() - reader.rest().len();
        let element = before.get(..length).unwrap_or_default();
        certificates.push(one_element(element.to_vec())?);
        if certificates.len() > MAX_CHAIN {
            return Err(HeaderFault::TooMany(certificates.len()));
        }
    }
    Ok(certificates)
}
