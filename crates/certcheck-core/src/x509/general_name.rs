//! `GeneralName` (RFC 5280 4.2.1.6). Names are only compared with names of the same form.

use super::name::Name;
use crate::der::{Reader, Rule, Tlv, ViewFault, tag};
use crate::oid::Oid;

/// A name in one of the forms of X.509 (RFC 5280 4.2.1.6).
///
/// ```asn1
/// GeneralName ::= CHOICE {
///      otherName [0], rfc822Name [1], dNSName [2], x400Address [3], directoryName [4],
///      ediPartyName [5], uniformResourceIdentifier [6], iPAddress [7], registeredID [8] }
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "X.509 fixes the choice")]
pub enum GeneralName<'a> {
    /// A name of another kind, with its `type-id`.
    Other {
        /// The kind of name.
        type_id: Oid<'a>,
        /// The value inside the explicit tag, with its header.
        value: &'a [u8],
    },
    /// An email address in ASCII.
    Rfc822(&'a str),
    /// A domain name in ASCII. Its syntax is not checked.
    Dns(&'a str),
    /// An X.400 address, not parsed.
    X400(&'a [u8]),
    /// A distinguished name.
    Directory(Name<'a>),
    /// An EDI party name, not parsed.
    EdiParty(&'a [u8]),
    /// A URI in ASCII. Its syntax is not checked.
    Uri(&'a str),
    /// An IP address of 4 or 16 bytes. As the base of a constraint, 8 or 32 bytes: address and mask.
    Ip(&'a [u8]),
    /// An object identifier.
    RegisteredId(Oid<'a>),
}

/// Whether an iPAddress is one address or a subnet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IpForm {
    /// 4 or 16 bytes (RFC 5280 4.2.1.6).
    Address,
    /// 8 or 32 bytes (RFC 5280 4.2.1.10).
    Subnet,
}

impl<'a> GeneralName<'a> {
    /// The cost of comparing this name, in bytes. For a directory name see [`Name::cost`].
    pub(crate) fn cost(self) -> usize {
        match self {
            Self::Directory(name) => name.cost(),
            Self::Rfc822(text) | Self::Dns(text) | Self::Uri(text) => text.len(),
            Self::Ip(bytes) | Self::X400(bytes) | Self::EdiParty(bytes) => bytes.len(),
            Self::Other { value, .. } => value.len(),
            Self::RegisteredId(oid) => oid.content().len(),
        }
    }

    /// Parses a name.
    ///
    /// RFC 5280 4.2.1.6, RFC 5280 4.2.1.7.
    #[doc(alias("RFC 5280 section 4.2.1.6", "RFC 5280 section 4.2.1.7"))]
    pub(crate) fn parse(tlv: Tlv<'a>, ip: IpForm, field: &'static str) -> Result<Self, ViewFault> {
        match tlv.tag {
            0xa0 => {
                let mut fields = tlv.reader();
                let type_id = Oid::parse(fields.any(field)?, field)?;
                let explicit = fields.expect(tag::context_constructed(0), field)?;
                fields.finish(field)?;
                let mut inner = explicit.reader();
                let value = inner.any(field)?.raw;
                inner.finish(field)?;
                Ok(Self::Other { type_id, value })
            }
            0x81 => ia5(tlv, field).map(Self::Rfc822),
            0x82 => ia5(tlv, field).map(Self::Dns),
            0xa3 => Ok(Self::X400(tlv.value)),
            0xa4 => {
                let mut inner = tlv.reader();
                let name = Name::parse(&mut inner, field)?;
                inner.finish(field)?;
                Ok(Self::Directory(name))
            }
            0xa5 => Ok(Self::EdiParty(tlv.value)),
            0x86 => ia5(tlv, field).map(Self::Uri),
            0x87 => {
                let good = match (ip, tlv.value.len()) {
                    (IpForm::Address, 4 | 16) => true,
                    (IpForm::Subnet, 8 | 32) => tlv
                        .value
                        .split_at_checked(tlv.value.len() / 2)
                        .is_some_and(|(_, mask)| is_contiguous(mask)),
                    _ => false,
                };
                if good { Ok(Self::Ip(tlv.value)) } else { Err(tlv.fault(field, Rule::BadIpAddress)) }
            }
            0x88 => Oid::parse_content(tlv.value)
                .map(Self::RegisteredId)
                .ok_or_else(|| tlv.fault(field, Rule::BadOid)),
            _ => Err(tlv.fault(field, Rule::UnknownChoice)),
        }
    }
}

fn ia5<'a>(tlv: Tlv<'a>, field: &'static str) -> Result<&'a str, ViewFault> {
    match core::str::from_utf8(tlv.value) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(tlv.fault(field, Rule::BadCharacter)),
    }
}

/// Whether a mask is ones followed by zeros.
///
/// RFC 5280 4.2.1.10.
#[doc(alias = "RFC 5280 section 4.2.1.10")]
fn is_contiguous(mask: &[u8]) -> bool {
    let mut rest = mask.iter().skip_while(|byte| **byte == 0xff);
    let edge = rest.next().is_none_or(|byte| byte.leading_ones() + byte.trailing_zeros() == 8);
    edge && rest.all(|byte| *byte == 0)
}

/// A list of names. Iterating parses them, which cannot fail for a list that the certificate's parser has checked.
///
/// ```asn1
/// GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GeneralNames<'a> {
    names: Reader<'a>,
    field: &'static str,
}

impl<'a> GeneralNames<'a> {
    /// The list in the content of the SEQUENCE.
    pub(crate) const fn new(names: Reader<'a>, field: &'static str) -> Self {
        Self { names, field }
    }

    /// Parses all of them once.
    ///
    /// RFC 5280 4.2.1.6, RFC 5280 4.2.1.7.
    #[doc(alias("RFC 5280 section 4.2.1.6", "RFC 5280 section 4.2.1.7"))]
    pub(crate) fn check(self) -> Result<(), ViewFault> {
        if self.names.is_empty() {
            return Err(self.names.fault(self.field, Rule::EmptyList));
        }
        for name in self {
            name?;
        }
        Ok(())
    }
}

impl<'a> Iterator for GeneralNames<'a> {
    type Item = Result<GeneralName<'a>, ViewFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.names.is_empty() {
            return None;
        }
        let name =
            self.names.any(self.field).and_then(|tlv| GeneralName::parse(tlv, IpForm::Address, self.field));
        if name.is_err() {
            self.names = Reader::new(&[]);
        }
        Some(name)
    }
}
