//! `X-Forwarded-Client-Cert` as Envoy writes it.

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::pki_types::CertificateDer;
use data_encoding::HEXLOWER_PERMISSIVE;

use super::encoding::percent_decoded;
use super::{HeaderFault, pem};

/// The fields that count. The others are ignored.
#[derive(Debug, Default)]
struct Fields {
    hash: Option<String>,
    cert: Option<String>,
    chain: Option<String>,
}

/// What a header says of the certificate of a client.
struct Stated {
    hash: Option<String>,
    /// The client's own first.
    certificates: Option<Vec<CertificateDer<'static>>>,
}

/// The certificates of the client: those of `Chain`, or that of `Cert`. What else the fields say of the certificate has
/// to be the same. Names in other fields are not read: they come from the certificate.
pub(crate) fn certificates(value: &str) -> Result<Vec<CertificateDer<'static>>, HeaderFault> {
    let stated = Stated::read(value)?;
    let leaf = stated.certificates.as_ref().and_then(|certificates| certificates.first());
    stated.ensure_hash_of(leaf.ok_or(HeaderFault::XfccNoCertificate)?)?;
    stated.certificates.ok_or(HeaderFault::XfccNoCertificate)
}

/// The certificates of the client whose own one is known from elsewhere, if there are any. Each field that says something of
/// a certificate has to be about that one.
pub(crate) fn certificates_with(
    leaf: &CertificateDer<'static>,
    value: &str,
) -> Result<Option<Vec<CertificateDer<'static>>>, HeaderFault> {
    let stated = Stated::read(value)?;
    stated.ensure_hash_of(leaf)?;
    match stated.certificates {
        Some(certificates) if certificates.first() != Some(leaf) => {
            Err(HeaderFault::XfccContradiction("Chain"))
        }
        certificates => Ok(certificates),
    }
}

impl Stated {
    fn read(value: &str) -> Result<Self, HeaderFault> {
        let Fields { hash, cert, chain } = fields(value)?;
        let certificates_of = |text: String| pem::certificates(&percent_decoded(&text)?);
        let cert = cert.filter(|text| !text.is_empty()).map(certificates_of).transpose()?;
        let chain = chain.filter(|text| !text.is_empty()).map(certificates_of).transpose()?;
        if let Some(several) = cert.as_ref().map(Vec::len).filter(|number| *number > 1) {
            return Err(HeaderFault::Several(several));
        }
        if let (Some(cert), Some(chain)) = (&cert, &chain)
            && cert.first() != chain.first()
        {
            return Err(HeaderFault::XfccContradiction("Chain"));
        }
        Ok(Self { hash: hash.filter(|hash| !hash.is_empty()), certificates: chain.or(cert) })
    }

    /// The hash, where there is one, is that of the client's own certificate.
    fn ensure_hash_of(&self, leaf: &CertificateDer<'_>) -> Result<(), HeaderFault> {
        match &self.hash {
            Some(hash)
                if HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok().as_deref() != Some(&sha256(leaf)) =>
            {
                Err(HeaderFault::XfccContradiction("Hash"))
            }
            _ => Ok(()),
        }
    }
}

/// `Key=value;Key="value"`, where a quoted value has `\"` for a quote. Elements are separated by commas.
fn fields(value: &str) -> Result<Fields, HeaderFault> {
    let mut found = Fields::default();
    let mut elements = 1;
    let mut rest = value.chars().peekable();
    while rest.peek().is_some() {
        let mut key = String::new();
        loop {
            match rest.next().ok_or(HeaderFault::BadXfcc)? {
                '=' => break,
                ',' | ';' | '"' => return Err(HeaderFault::BadXfcc),
                sign => key.push(sign),
            }
        }
        let value = field_value(&mut rest)?;
        note(&mut found, elements, key.trim(), value)?;
        match rest.next() {
            None => break,
            Some(';') => {}
            Some(',') => elements += 1,
            Some(_) => return Err(HeaderFault::BadXfcc),
        }
        // A separator has something behind it.
        rest.peek().ok_or(HeaderFault::BadXfcc)?;
    }
    if elements > 1 { Err(HeaderFault::XfccElements(elements)) } else { Ok(found) }
}

/// A value, up to the sign behind it.
fn field_value(rest: &mut core::iter::Peekable<core::str::Chars<'_>>) -> Result<String, HeaderFault> {
    let mut value = String::new();
    if rest.next_if_eq(&'"').is_none() {
        while let Some(sign) = rest.next_if(|sign| !matches!(sign, ',' | ';')) {
            if sign == '"' {
                return Err(HeaderFault::BadXfcc);
            }
            value.push(sign);
        }
        return Ok(value);
    }
    loop {
        match rest.next().ok_or(HeaderFault::BadXfcc)? {
            '"' => return Ok(value),
            '\\' if rest.next_if_eq(&'"').is_some() => value.push('"'),
            sign => value.push(sign),
        }
    }
}

fn note(found: &mut Fields, element: usize, key: &str, value: String) -> Result<(), HeaderFault> {
    // Several elements are refused as a whole.
    if element > 1 {
        return Ok(());
    }
    let (name, place) = match key.to_ascii_lowercase().as_str() {
        "hash" => ("Hash", &mut found.hash),
        "cert" => ("Cert", &mut found.cert),
        "chain" => ("Chain", &mut found.chain),
        _ => return Ok(()),
    };
    if place.replace(value).is_some() { Err(HeaderFault::XfccFieldTwice(name)) } else { Ok(()) }
}
