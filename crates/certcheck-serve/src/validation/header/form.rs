//! The form of each source.

use certcheck_rustls::pki_types::CertificateDer;
use hyper::header::HeaderMap;

use super::encoding::{base64, base64_der, percent_decoded, split_der};
use super::{HeaderFault, MAX_CHAIN, MAX_VALUE, pem, xfcc};
use crate::config::{CertificateSource, RouteConfig};

/// What stands for "no certificate".
const NONE: [&str; 3] = ["", "(null)", "::"];

/// What a request says about the certificate of its client.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Presented {
    None,
    /// The client's own first, at least one.
    Chain(Vec<CertificateDer<'static>>),
}

/// Reads the headers of a route, and no others.
pub(crate) fn read(route: &RouteConfig, headers: &HeaderMap) -> Result<Presented, HeaderFault> {
    let leaf = match value(headers, &route.header)? {
        Some(leaf) if !NONE.contains(&leaf) => Some(leaf),
        _ => None,
    };
    let above = match &route.chain_header {
        Some(name) => chain(route.source, headers, name)?,
        None => Vec::new(),
    };
    let Some(leaf) = leaf else {
        return if above.is_empty() { Ok(Presented::None) } else { Err(HeaderFault::ChainAlone) };
    };
    let mut certificates = certificates(route.source, leaf)?;
    certificates.extend(above);
    if certificates.len() > MAX_CHAIN {
        return Err(HeaderFault::TooMany(certificates.len()));
    }
    Ok(Presented::Chain(certificates))
}

/// The value of a header that is there once, without blanks around it.
fn value<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, HeaderFault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderFault::Twice);
    }
    text(value.as_bytes()).map(Some)
}

/// The text of a value, without blanks around it.
pub(crate) fn text(value: &[u8]) -> Result<&str, HeaderFault> {
    if value.len() > MAX_VALUE {
        return Err(HeaderFault::TooLong(value.len()));
    }
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    match core::str::from_utf8(value) {
        Ok(text) if value.iter().all(is_text) => Ok(text.trim_ascii()),
        _ => Err(HeaderFault::NotPrintable),
    }
}

/// The certificates in the header of the client's own: the first one is it.
fn certificates(source: CertificateSource, value: &str) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    match source {
        CertificateSource::Nginx | CertificateSource::Apache => {
            let certificates = escaped_pem(value)?;
            match certificates.len() {
                1 => Ok(certificates),
                several => Err(HeaderFault::Several(several)),
            }
        }
        CertificateSource::Alb => escaped_pem(value),
        CertificateSource::Xfcc => xfcc::certificates(value),
        CertificateSource::Rfc9440 => Ok(vec![byte_sequence(value)?]),
        CertificateSource::Caddy if value.starts_with(':') => Ok(vec![byte_sequence(value)?]),
        CertificateSource::Caddy | CertificateSource::Haproxy => Ok(vec![base64_der(value.as_bytes())?]),
        CertificateSource::Traefik => {
            let parts = value.split(',');
            match parts.clone().count() {
                too_many if too_many > MAX_CHAIN => Err(HeaderFault::TooMany(too_many)),
                _ => parts.map(|part| base64_der(part.as_bytes())).collect(),
            }
        }
    }
}

/// The certificates in percent-encoded PEM, or in PEM with blanks for line ends.
pub(crate) fn escaped_pem(value: &str) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    pem::certificates(&percent_decoded(value)?)
}

/// The certificates in the header of those above the client's own.
fn chain(
    source: CertificateSource,
    headers: &HeaderMap,
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    if source != CertificateSource::Rfc9440 {
        return match value(headers, name)? {
            Some(chain) if !NONE.contains(&chain) => split_der(&base64(chain.as_bytes())?),
            _ => Ok(Vec::new()),
        };
    }
    // RFC 9440 2.3: a list, which may be in several fields (RFC 9651 4.2).
    let mut certificates = Vec::new();
    for field in headers.get_all(name) {
        let field = text(field.as_bytes())?;
        for member in field.split(',').filter(|_| !field.is_empty()) {
            certificates.push(byte_sequence(member.trim_ascii())?);
            if certificates.len() > MAX_CHAIN {
                return Err(HeaderFault::TooMany(certificates.len()));
            }
        }
    }
    Ok(certificates)
}

/// RFC 9440 2.1: Base64 between colons, without parameters.
fn byte_sequence(value: &str) -> Result<CertificateDer<'static>, HeaderFault> {
    let inner = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
    base64_der(inner.ok_or(HeaderFault::NotByteSequence)?.as_bytes())
}
