//! Distinguished names (RFC 5280 4.1.2.4): their structure. Comparison is in `name_match`.

use std::borrow::Cow;

use crate::der::{Reader, Rule, Tlv, ViewFault, next_parsed, tag};
use crate::oid::Oid;

/// A distinguished name (RFC 5280 4.1.2.4).
///
/// ```asn1
/// Name ::= CHOICE { rdnSequence RDNSequence }
/// RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
/// ```
///
/// The structure is checked. The characters of the values are not.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    raw: &'a [u8],
}

impl<'a> Name<'a> {
    /// Parses a name at the reader's position.
    ///
    /// # Errors
    /// Invalid DER, or an empty RDN ([`Rule::EmptyList`]).
    pub fn parse(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let outer = reader.expect(tag::SEQUENCE, field)?;
        let mut rdns = outer.reader();
        while !rdns.is_empty() {
            match Attribute::of_usual_rdn(rdns.rest()) {
                Some((_, rest)) => {
                    let length = rdns.rest().len() - rest.len();
                    rdns = Reader::at(rest, rdns.offset() + length);
                }
                None => drop(Rdn::parse(&mut rdns, field)?),
            }
        }
        Ok(Self { raw: outer.raw })
    }

    /// A name from bytes that were parsed before.
    pub(crate) const fn reread(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The name as encoded, with its header.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether it has no RDN.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        // A header without content.
        self.raw.len() <= 2
    }

    /// The RDNs in the order of the encoding, the most general first.
    pub fn rdns(self) -> impl Iterator<Item = Rdn<'a>> + Clone {
        let mut whole = self.raw;
        let mut rest = next_parsed(&mut whole).map_or(&[][..], |outer| outer.value);
        core::iter::from_fn(move || {
            let set = next_parsed(&mut rest)?;
            Some(Rdn { raw: set.raw, content: set.value })
        })
    }

    /// Every attribute of every RDN.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> + Clone {
        self.rdns().flat_map(Rdn::attributes)
    }
}

/// A relative distinguished name: a set of attributes.
///
/// ```asn1
/// RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rdn<'a> {
    raw: &'a [u8],
    content: &'a [u8],
}

impl<'a> Rdn<'a> {
    /// Parses an RDN at the reader's position. The order of the set is not checked, because sets are compared as sets.
    ///
    /// # Errors
    /// Invalid DER, or an empty set.
    pub fn parse(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let set = reader.expect(tag::SET, field)?;
        if set.value.is_empty() {
            return Err(set.fault(field, Rule::EmptyList));
        }
        Self::of_content(set.raw, set, field)
    }

    /// Checks the attributes of a set. The caller checks its tag, because `nameRelativeToCRLIssuer` is `[1] IMPLICIT`.
    pub(crate) fn of_content(raw: &'a [u8], set: Tlv<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let mut attributes = set.reader();
        while !attributes.is_empty() {
            Attribute::parse(&mut attributes, field)?;
        }
        Ok(Self { raw, content: set.value })
    }

    /// The RDN as encoded.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Its attribute, if it has only one, as nearly all.
    pub(super) fn only_attribute(self) -> Option<Attribute<'a>> {
        if let Some((only, [])) = Attribute::of_usual_rdn(self.raw) {
            return Some(only);
        }
        let mut attributes = self.attributes();
        match (attributes.next(), attributes.next()) {
            (only, None) => only,
            _ => None,
        }
    }

    /// Its attributes.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> + Clone {
        let mut rest = self.content;
        core::iter::from_fn(move || {
            let mut fields = next_parsed(&mut rest)?.value;
            let (oid, value) = (next_parsed(&mut fields)?, next_parsed(&mut fields)?);
            Some(Attribute { oid: Oid::new(oid.value), tag: value.tag, value: value.value })
        })
    }
}

/// An attribute of a name.
///
/// ```asn1
/// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attribute<'a> {
    /// The type of the attribute.
    pub oid: Oid<'a>,
    /// The tag of its value.
    pub tag: u8,
    /// The content bytes of its value.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The value as text, if it has a string type and all characters are allowed in that type.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        decoded(self.tag, self.value)
    }

    /// The attribute of the RDN at the start of these bytes, and the bytes after it, if the RDN has the form that nearly
    /// all have: one attribute, whose type is under id-at, and no length of more than one byte. `None` says nothing
    /// about other forms.
    pub(super) fn of_usual_rdn(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let [tag::SET, set, tag::SEQUENCE, attribute, tag::OID, 3, 0x55, 0x04, arc, tag, length, rest @ ..] =
            bytes
        else {
            return None;
        };
        // The lengths of the headers in between.
        let is_usual = *set < 0x80
            && u16::from(*set) == u16::from(*length) + 9
            && u16::from(*attribute) == u16::from(*length) + 7
            && *arc < 0x80
            && tag & 0x1f != 0x1f;
        if !is_usual {
            return None;
        }
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        Some((Self { oid: Oid::new(bytes.get(6..9)?), tag: *tag, value }, rest))
    }

    fn parse(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let mut fields = reader.sequence(field)?;
        let oid = Oid::parse(fields.any(field)?, field)?;
        let value = fields.any(field)?;
        fields.finish(field)?;
        Ok(Self { oid, tag: value.tag, value: value.value })
    }
}

/// The characters of a value. `None` if the string type does not allow one of them.
///
/// RFC 4518 2.1.
#[doc(alias = "RFC 4518 section 2.1")]
fn decoded(tag: u8, value: &[u8]) -> Option<Cow<'_, str>> {
    match tag {
        tag::UTF8_STRING => core::str::from_utf8(value).ok().map(Cow::Borrowed),
        tag::PRINTABLE_STRING => {
            let printable = |b: &u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(b);
            if value.iter().all(printable) {
                core::str::from_utf8(value).ok().map(Cow::Borrowed)
            } else {
                None
            }
        }
        tag::IA5_STRING => {
            value.is_ascii().then(|| core::str::from_utf8(value).ok().map(Cow::Borrowed)).flatten()
        }
        // T.61 is ISO 8859-1 in practice. Its escape sequences are not used.
        tag::TELETEX_STRING => Some(value.iter().copied().map(char::from).collect()),
        tag::BMP_STRING => {
            let (units, rest) = value.as_chunks::<2>();
            let text: Option<String> =
                units.iter().map(|u| char::from_u32(u32::from(u16::from_be_bytes(*u)))).collect();
            text.filter(|_| rest.is_empty()).map(Cow::Owned)
        }
        tag::UNIVERSAL_STRING => {
            let (units, rest) = value.as_chunks::<4>();
            let text: Option<String> = units.iter().map(|u| char::from_u32(u32::from_be_bytes(*u))).collect();
            text.filter(|_| rest.is_empty()).map(Cow::Owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::name::name;

    use super::*;

    /// Every byte of some names is changed to every other. What is read at once must be what is read field by field.
    #[test]
    fn usual_rdns_are_what_every_rdn_is() {
        let long = format!("O={}", "o".repeat(130));
        for (text, is_usual) in [
            ("CN=a", true),
            ("C=DE,O=Example,CN=device 1", true),
            ("DC=example,CN=", false),
            (&*long, false),
            ("CN=a,DC=b", true),
        ] {
            let whole = name(text);
            let rdns = Reader::new(&whole).sequence("name").expect("a name").rest();
            assert_eq!(Attribute::of_usual_rdn(rdns).is_some(), is_usual, "{text}");
            for at in 2..whole.len() {
                for byte in 0..=255 {
                    let mut changed = whole.clone();
                    changed[at] = byte;
                    let mut general = Reader::new(&changed).sequence("name").map(|rdns| rdns.rest());
                    let Ok(bytes) = &mut general else { continue };
                    let Some((usual, after)) = Attribute::of_usual_rdn(bytes) else { continue };
                    let mut reader = Reader::new(bytes);
                    let rdn = Rdn::parse(&mut reader, "name").expect("an RDN");
                    assert_eq!(reader.rest(), after, "{changed:02x?}");
                    let attributes: Vec<_> = rdn.attributes().collect();
                    let [only] = &attributes[..] else { panic!("{attributes:?}") };
                    assert_eq!((only.oid, only.tag, only.value), (usual.oid, usual.tag, usual.value));
                }
            }
        }
    }
}
