//! Certificates in PEM, whose line ends may be blanks.

use certcheck_rustls::pki_types::CertificateDer;

use super::encoding::{base64, one_element};
use super::{HeaderFault, MAX_CHAIN};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The certificates in a text that has nothing else.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    let mut certificates = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let body = rest.strip_prefix(BEGIN).ok_or(HeaderFault::NotPem)?;
        let end = body.windows(END.len()).position(|part| part == END).ok_or(HeaderFault::NotPem)?;
        let (body, behind) = body.split_at_checked(end).ok_or(HeaderFault::NotPem)?;
        let body: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        certificates.push(one_element(base64(&body)?)?);
        if certificates.len() > MAX_CHAIN {
            return Err(HeaderFault::TooMany(certificates.len()));
        }
        rest = behind.strip_prefix(END).unwrap_or_default().trim_ascii();
    }
    if certificates.is_empty() { Err(HeaderFault::NotPem) } else { Ok(certificates) }
}
