//! Names of subjectAltName (RFC 5280 4.2.1.6).
//!
//! Names of other forms, such as x400Address and ediPartyName, do not hide the ones that are parsed here.

use std::net::IpAddr;

use certcheck_core::der::{Reader, tag};
use certcheck_core::oid::{self, Oid};
use certcheck_core::x509::GeneralName;

use super::fasc_n::{self, FascN};
use super::{Identity, IdentityError};

const RFC822: &str = "rfc822Name of subjectAltName";
const SMTP_UTF8: &str = "SmtpUTF8Mailbox of subjectAltName";
const DNS: &str = "dNSName of subjectAltName";
const URI: &str = "URI of subjectAltName";
const IP: &str = "iPAddress of subjectAltName";
const UPN: &str = "UPN of subjectAltName";
const CARD_UUID: &str = "card UUID of subjectAltName";
const URN_UUID: &str = "urn:uuid:";

/// A name whose form is given by an identifier (otherName, RFC 5280 4.2.1.6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct OtherName<'a> {
    /// What kind of name it is.
    pub type_id: Oid<'a>,
    /// The value inside the explicit tag, header included, as encoded.
    pub value: &'a [u8],
}

impl Identity {
    /// Mailboxes: rfc822Name (RFC 5280 4.2.1.6) and SmtpUTF8Mailbox (RFC 9598 3), in the order of the certificate. An
    /// emailAddress in the subject is not included.
    ///
    /// # Errors
    /// If one of them is empty, has a control character, or cannot be parsed.
    pub fn emails(&self) -> Result<Vec<&str>, IdentityError> {
        self.select(|name| match name {
            GeneralName::Rfc822(mailbox) => Some(clean(RFC822, mailbox)),
            GeneralName::Other { type_id: oid::ON_SMTP_UTF8_MAILBOX, value } => {
                Some(utf8_string(SMTP_UTF8, value))
            }
            _ => None,
        })
    }

    /// Each dNSName (RFC 5280 4.2.1.6), in the order of the certificate. Its syntax is not checked beyond IA5String.
    ///
    /// # Errors
    /// If one of them is empty or has a control character.
    pub fn dns_names(&self) -> Result<Vec<&str>, IdentityError> {
        self.select(|name| match name {
            GeneralName::Dns(name) => Some(clean(DNS, name)),
            _ => None,
        })
    }

    /// Each uniformResourceIdentifier (RFC 5280 4.2.1.6), in the order of the certificate. Its syntax is not checked
    /// beyond IA5String.
    ///
    /// # Errors
    /// If one of them is empty or has a control character.
    pub fn uris(&self) -> Result<Vec<&str>, IdentityError> {
        self.select(|name| match name {
            GeneralName::Uri(uri) => Some(clean(URI, uri)),
            _ => None,
        })
    }

    /// Each iPAddress (RFC 5280 4.2.1.6), in the order of the certificate.
    ///
    /// # Errors
    /// None that the check of the certificate would not have found.
    pub fn ip_addresses(&self) -> Result<Vec<IpAddr>, IdentityError> {
        self.select(|name| match name {
            GeneralName::Ip(bytes) => Some(address(bytes)),
            _ => None,
        })
    }

    /// Each otherName (RFC 5280 4.2.1.6), including those that other accessors parse.
    ///
    /// # Errors
    /// None that the check of the certificate would not have found.
    pub fn other_names(&self) -> Result<Vec<OtherName<'_>>, IdentityError> {
        self.select(|name| match name {
            GeneralName::Other { type_id, value } => Some(Ok(OtherName { type_id, value })),
            _ => None,
        })
    }

    /// The user principal name: otherName szOID_NT_PRINCIPAL_NAME, 1.3.6.1.4.1.311.20.2.3, a UTF8String.
    ///
    /// # Errors
    /// If there are several, or if it is empty, has a control character, or has another type.
    pub fn upn(&self) -> Result<Option<&str>, IdentityError> {
        let upns = self.select(|name| match name {
            GeneralName::Other { type_id: oid::ON_UPN, value } => Some(utf8_string(UPN, value)),
            _ => None,
        })?;
        only(UPN, upns)
    }

    /// The FASC-N of a PIV credential: otherName pivFASC-N, 2.16.840.1.101.3.6.6, an OCTET STRING (FIPS 201-3).
    ///
    /// # Errors
    /// If there are several, or if [`FascN::parse`] fails.
    pub fn fasc_n(&self) -> Result<Option<FascN>, IdentityError> {
        let numbers = self.select(|name| match name {
            GeneralName::Other { type_id: fasc_n::PIV_FASC_N, value } => Some(fasc_n::of_other_name(value)),
            _ => None,
        })?;
        only(fasc_n::WHAT, numbers)
    }

    /// The UUID of a PIV or PIV-I card: the URI `urn:uuid:` (FIPS 201-3), written in lower case as RFC 9562 4 does.
    ///
    /// # Errors
    /// If there are several, if it is not a UUID, or if [`uris`](Self::uris) fails.
    pub fn card_uuid(&self) -> Result<Option<String>, IdentityError> {
        let uuids = self.uris()?.into_iter().filter_map(|uri| Some((uri, after_urn_uuid(uri)?)));
        let uuids: Result<Vec<_>, _> = uuids
            .map(|(uri, uuid)| {
                if is_uuid(uuid) {
                    Ok(uuid.to_ascii_lowercase())
                } else {
                    Err(IdentityError::refused(CARD_UUID, uri, "is not a UUID"))
                }
            })
            .collect();
        only(CARD_UUID, uuids?)
    }

    /// The names that `pick` selects, in the order of the certificate. The first error ends it.
    fn select<'a, T>(
        &'a self,
        pick: impl Fn(GeneralName<'a>) -> Option<Result<T, IdentityError>>,
    ) -> Result<Vec<T>, IdentityError> {
        let names = self.view().subject_alt_name().map_err(IdentityError::Malformed)?;
        let picked = names.into_iter().flatten().filter_map(|name| match name {
            Ok(name) => pick(name),
            Err(fault) => Some(Err(IdentityError::Malformed(fault))),
        });
        picked.collect()
    }
}

/// The name, if there is exactly one.
pub(super) fn only<T>(what: &'static str, names: Vec<T>) -> Result<Option<T>, IdentityError> {
    let count = names.len();
    if count > 1 { Err(IdentityError::Ambiguous { what, count }) } else { Ok(names.into_iter().next()) }
}

/// The name, unless it must not identify anyone.
pub(super) fn clean<'a>(what: &'static str, name: &'a str) -> Result<&'a str, IdentityError> {
    if name.is_empty() {
        return Err(IdentityError::refused(what, name, "is empty"));
    }
    if name.chars().any(is_forbidden) {
        return Err(IdentityError::refused(what, name, "has a control character"));
    }
    Ok(name)
}

/// Control characters such as NUL, separators of lines, and characters that change the direction of a line. PRECIS
/// does not allow them in identifiers either (RFC 8264 4.2.3).
pub(super) fn is_forbidden(character: char) -> bool {
    // These include characters without width and marks of direction.
    let is_unseen = matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    character.is_control() || is_unseen
}

fn utf8_string<'a>(what: &'static str, value: &'a [u8]) -> Result<&'a str, IdentityError> {
    let text = Reader::new(value).expect(tag::UTF8_STRING, what).ok();
    match text.and_then(|tlv| core::str::from_utf8(tlv.value).ok()) {
        Some(text) => clean(what, text),
        None => Err(IdentityError::refused_bytes(what, value, "is not a UTF8String")),
    }
}

fn address(bytes: &[u8]) -> Result<IpAddr, IdentityError> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .map_err(|_| IdentityError::refused_bytes(IP, bytes, "is not an address"))
}

/// The text after `urn:uuid:`, which may be of either case (RFC 8141 3.1).
fn after_urn_uuid(uri: &str) -> Option<&str> {
    let (prefix, uuid) = uri.split_at_checked(URN_UUID.len())?;
    prefix.eq_ignore_ascii_case(URN_UUID).then_some(uuid)
}

/// RFC 9562 4: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
