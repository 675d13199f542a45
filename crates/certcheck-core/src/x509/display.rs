//! Names as text (RFC 4514), bounded and without control characters, because the text is shown in terminals and logs.

use core::fmt::{self, Write as _};
use std::borrow::Cow;

use data_encoding::HEXLOWER;

use super::general_name::GeneralName;
use super::name::{Attribute, Name};
use crate::der::tag;
use crate::oid::Oid;

/// The most bytes that are shown of one name. Longer names are cut, so that a report is not as large as a hostile
/// certificate.
const MAX_NAME: usize = 2_048;
/// The most RDNs that are shown of a name, and attributes of an RDN.
const MAX_ATTRIBUTES: usize = 32;
/// The most characters that are shown of a value.
const MAX_CHARACTERS: usize = 256;

/// The text of RFC 4514: the last RDN first, joined with commas. Attributes of one RDN are joined with plus signs.
impl fmt::Display for Name<'_> {
    /// RFC 4514.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Bounded { f, left: Some(MAX_NAME) };
        let mut rdns: Vec<_> = self.rdns().take(MAX_ATTRIBUTES + 1).collect();
        if rdns.len() > MAX_ATTRIBUTES {
            rdns.truncate(MAX_ATTRIBUTES);
            out.write_str("...,")?;
        }
        for (at, rdn) in rdns.iter().rev().enumerate() {
            if at > 0 {
                out.write_char(',')?;
            }
            for (at, attribute) in rdn.attributes().take(MAX_ATTRIBUTES + 1).enumerate() {
                match at {
                    0 => write!(out, "{attribute}")?,
                    MAX_ATTRIBUTES => out.write_str("+...")?,
                    _ => write!(out, "+{attribute}")?,
                }
            }
        }
        Ok(())
    }
}

/// A writer that stops after a number of bytes, and then writes that there are more.
struct Bounded<'w, 'f> {
    f: &'w mut fmt::Formatter<'f>,
    /// The bytes left. `None` once something was left out.
    left: Option<usize>,
}

impl fmt::Write for Bounded<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some(left) = self.left else { return Ok(()) };
        self.left = left.checked_sub(text.len());
        self.f.write_str(if self.left.is_some() { text } else { "..." })
    }
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (short_name(self.oid), text_of(*self)) {
            (Some(name), Some(text)) => {
                write!(f, "{name}=")?;
                write_escaped(f, &text)
            }
            (None, Some(text)) => {
                write!(f, "{}=", self.oid)?;
                write_escaped(f, &text)
            }
            (name, None) => {
                match name {
                    Some(name) => write!(f, "{name}=#")?,
                    None => write!(f, "{}=#", self.oid)?,
                }
                let shown = self.value.get(..MAX_CHARACTERS).unwrap_or(self.value);
                HEXLOWER.encode_write(shown, f)
            }
        }
    }
}

impl fmt::Display for GeneralName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { type_id, .. } => write!(f, "otherName:{type_id}"),
            Self::Rfc822(mailbox) => write_labelled(f, "email", mailbox),
            Self::Dns(name) => write_labelled(f, "dns", name),
            Self::X400(_) => f.write_str("x400Address"),
            Self::Directory(name) => write!(f, "dir:{name}"),
            Self::EdiParty(_) => f.write_str("ediPartyName"),
            Self::Uri(uri) => write_labelled(f, "uri", uri),
            Self::Ip(bytes) => write_ip(f, bytes),
            Self::RegisteredId(oid) => write!(f, "rid:{oid}"),
        }
    }
}

fn write_labelled(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    write!(f, "{label}:")?;
    write_printable(f, text)
}

/// An address, or an address and its mask.
fn write_ip(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let (address, mask) = match bytes.len() {
        8 | 32 => bytes.split_at(bytes.len() / 2),
        _ => (bytes, &[][..]),
    };
    f.write_str("ip:")?;
    match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(v4), _) => write!(f, "{}", Ipv4Addr::from(v4))?,
        (_, Ok(v6)) => write!(f, "{}", Ipv6Addr::from(v6))?,
        _ => f.write_str("?")?,
    }
    if mask.is_empty() {
        return Ok(());
    }
    write!(f, "/{}", mask.iter().map(|byte| byte.leading_ones()).sum::<u32>())
}

/// The short names of RFC 4514 section 3, and others that are usual in client certificates.
fn short_name(oid: Oid<'_>) -> Option<&'static str> {
    Some(match oid.content() {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 4] => "SN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 42] => "GN",
        [0x55, 4, 46] => "dnQualifier",
        [0x55, 4, 97] => "organizationIdentifier",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        _ => return None,
    })
}

/// The value as text. A PrintableString with other ASCII characters is shown too.
fn text_of(attribute: Attribute<'_>) -> Option<Cow<'_, str>> {
    attribute.text().or_else(|| match attribute.tag {
        tag::PRINTABLE_STRING | tag::VISIBLE_STRING => {
            core::str::from_utf8(attribute.value).ok().map(Cow::Borrowed)
        }
        _ => None,
    })
}

/// Writes text with the escapes of RFC 4514 2.4, and with control characters as escaped bytes.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        if at == MAX_CHARACTERS {
            return f.write_str("...");
        }
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            '#' if at == 0 => f.write_str("\\#")?,
            ' ' if at == 0 || at == last => f.write_str("\\ ")?,
            control if is_unprintable(control) => {
                let mut bytes = [0; 4];
                control.encode_utf8(&mut bytes).bytes().try_for_each(|byte| write!(f, "\\{byte:02x}"))?;
            }
            plain => f.write_char(plain)?,
        }
    }
    Ok(())
}

fn write_printable(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (at, character) in text.chars().enumerate() {
        if at == MAX_CHARACTERS {
            return f.write_str("...");
        }
        if is_unprintable(character) {
            write!(f, "{}", character.escape_default())?
        } else {
            f.write_char(character)?
        }
    }
    Ok(())
}

/// Whether a character is a control character, or changes the direction of a line.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
