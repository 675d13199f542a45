//! Bodies of the extensions that constrain a path: keys, usages, names (RFC 5280 4.2.1).
//!
//! A body that was parsed with the certificate can be parsed again without error. The types return `Result` all the
//! same, so that no caller treats a body that cannot be parsed as absent.

use super::general_name::{GeneralName, GeneralNames, IpForm};
use crate::der::{Reader, Rule, Tlv, ViewFault, integer, named_bits, tag, unsigned};
use crate::oid::Oid;

/// Iterates with `read` over a list whose reader is the only field. Ends after the first fault.
macro_rules! read_each {
    ($list:ident, $item:ty) => {
        impl<'a> Iterator for $list<'a> {
            type Item = Result<$item, ViewFault>;

            fn next(&mut self) -> Option<Self::Item> {
                if self.0.is_empty() {
                    return None;
                }
                let item = self.read();
                if item.is_err() {
                    self.0 = Reader::new(&[]);
                }
                Some(item)
            }
        }
    };
}

pub(super) use read_each;

/// The content of `extnValue`, and the name of the extension in faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) field: &'static str,
}

impl<'a> Body<'a> {
    /// The only element, which must have this tag.
    pub(super) fn only(self, want: u8) -> Result<Tlv<'a>, ViewFault> {
        let mut reader = self.reader;
        let tlv = reader.expect(want, self.field)?;
        reader.finish(self.field)?;
        Ok(tlv)
    }

    /// The content of the only element, a SEQUENCE of at least one member.
    pub(super) fn list(self) -> Result<Reader<'a>, ViewFault> {
        let outer = self.only(tag::SEQUENCE)?;
        if outer.value.is_empty() {
            Err(outer.fault(self.field, Rule::EmptyList))
        } else {
            Ok(outer.reader())
        }
    }

    pub(crate) fn octet_string(self) -> Result<&'a [u8], ViewFault> {
        Ok(self.only(tag::OCTET_STRING)?.value)
    }

    pub(crate) fn unsigned(self) -> Result<u32, ViewFault> {
        unsigned(self.only(tag::INTEGER)?, self.field)
    }

    /// Alternative names. Deviation: an empty list, which exists in practice and names nothing, is treated as absent.
    pub(crate) fn alternative_names(self) -> Result<Option<GeneralNames<'a>>, ViewFault> {
        let list = self.only(tag::SEQUENCE)?.reader();
        Ok((!list.is_empty()).then(|| GeneralNames::new(list, self.field)))
    }

    pub(super) fn null(self) -> Result<(), ViewFault> {
        let tlv = self.only(tag::NULL)?;
        if tlv.value.is_empty() { Ok(()) } else { Err(tlv.fault(self.field, Rule::BadNull)) }
    }

    pub(super) fn integers(self) -> Result<(), ViewFault> {
        let mut list = self.list()?;
        while !list.is_empty() {
            integer(list.expect(tag::INTEGER, self.field)?, self.field)?;
        }
        Ok(())
    }
}

/// The basicConstraints extension (RFC 5280 4.2.1.9).
///
/// ```asn1
/// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many intermediates that are not self-issued may follow. A larger number than `u32` can hold saturates.
    pub path_len: Option<u32>,
}

impl BasicConstraints {
    /// Parses the body.
    ///
    /// RFC 5280 4.2.1.9.
    #[doc(alias = "RFC 5280 section 4.2.1.9")]
    pub(super) fn parse(body: Body<'_>) -> Result<Self, ViewFault> {
        let mut fields = body.only(tag::SEQUENCE)?.reader();
        let ca = fields.boolean_default_false(body.field)?;
        let path_len =
            fields.optional(tag::INTEGER, body.field)?.map(|tlv| unsigned(tlv, body.field)).transpose()?;
        fields.finish(body.field)?;
        Ok(Self { ca, path_len })
    }
}

/// The named bits of keyUsage (RFC 5280 4.2.1.3). Bit 0 is the most significant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// The digitalSignature bit, bit 0.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// The nonRepudiation bit, bit 1. Newer versions of X.509 call it contentCommitment.
    pub const NON_REPUDIATION: Self = Self(0x4000);
    /// The keyEncipherment bit, bit 2.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// The keyAgreement bit, bit 4.
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    /// The keyCertSign bit, bit 5.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// The cRLSign bit, bit 6.
    pub const CRL_SIGN: Self = Self(0x0200);

    /// Whether at least one bit of `wanted` is set.
    #[must_use]
    pub const fn has_any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// The bits that are set in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Parses the body.
    ///
    /// RFC 5280 4.2.1.3.
    #[doc(alias = "RFC 5280 section 4.2.1.3")]
    pub(super) fn parse(body: Body<'_>) -> Result<Self, ViewFault> {
        let tlv = body.only(tag::BIT_STRING)?;
        match named_bits(tlv, body.field)? {
            // RFC 5280 4.2.1.3: at least one bit must be set.
            0 => Err(tlv.fault(body.field, Rule::EmptyList)),
            bits => Ok(Self(bits)),
        }
    }
}

/// The extKeyUsage extension: `ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId` (RFC 5280 4.2.1.12).
#[derive(Clone, Copy, Debug)]
pub struct ExtendedKeyUsage<'a>(Reader<'a>);

impl<'a> ExtendedKeyUsage<'a> {
    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        body.list().map(Self)
    }

    pub(super) fn check(self) -> Result<(), ViewFault> {
        self.purposes().try_for_each(|purpose| purpose.map(drop))
    }

    /// The purposes, in order.
    pub fn purposes(self) -> impl Iterator<Item = Result<Oid<'a>, ViewFault>> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let purpose = rest.any("extKeyUsage").and_then(|tlv| Oid::parse(tlv, "extKeyUsage"));
            if purpose.is_err() {
                rest = Reader::new(&[]);
            }
            Some(purpose)
        })
    }
}

/// The authorityKeyIdentifier extension (RFC 5280 4.2.1.1).
///
/// ```asn1
/// AuthorityKeyIdentifier ::= SEQUENCE {
///      keyIdentifier [0] KeyIdentifier OPTIONAL,
///      authorityCertIssuer [1] GeneralNames OPTIONAL, authorityCertSerialNumber [2] INTEGER OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuthorityKeyIdentifier<'a> {
    /// The subjectKeyIdentifier of the issuer: a hint for path building, never a constraint.
    pub key_identifier: Option<&'a [u8]>,
    /// The names of the issuer's issuer, and the content of the issuer's serial number. Both are present, or neither.
    pub issuer_and_serial: Option<(GeneralNames<'a>, &'a [u8])>,
}

impl<'a> AuthorityKeyIdentifier<'a> {
    /// The same extension of a CRL (RFC 5280 5.2.1).
    pub(crate) fn of_body(reader: Reader<'a>) -> Result<Self, ViewFault> {
        Self::parse(Body { reader, field: "authorityKeyIdentifier" })
    }

    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        let outer = body.only(tag::SEQUENCE)?;
        let mut fields = outer.reader();
        let key_identifier = fields.optional(tag::context(0), body.field)?.map(|tlv| tlv.value);
        let issuer = fields.optional(tag::context_constructed(1), body.field)?;
        let serial = fields.optional(tag::context(2), body.field)?;
        fields.finish(body.field)?;
        let issuer_and_serial = match (issuer, serial) {
            (None, None) => None,
            (Some(issuer), Some(serial)) => {
                let names = GeneralNames::new(issuer.reader(), body.field);
                names.check()?;
                Some((names, integer(serial, body.field)?))
            }
            _ => return Err(outer.fault(body.field, Rule::HalfIssuerAndSerial)),
        };
        Ok(Self { key_identifier, issuer_and_serial })
    }
}

/// The nameConstraints extension (RFC 5280 4.2.1.10).
///
/// ```asn1
/// NameConstraints ::= SEQUENCE {
///      permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NameConstraints<'a> {
    /// The permitted subtrees. If one of them has the form of a name, the name must be within one of that form.
    pub permitted: Option<Subtrees<'a>>,
    /// The excluded subtrees. No name may be within one of them.
    pub excluded: Option<Subtrees<'a>>,
}

impl<'a> NameConstraints<'a> {
    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        let mut fields = body.list()?;
        let mut subtrees = |n| {
            let list = fields.optional(tag::context_constructed(n), body.field)?;
            match list {
                Some(tlv) if tlv.value.is_empty() => Err(tlv.fault(body.field, Rule::EmptyList)),
                Some(tlv) => Ok(Some(Subtrees(tlv.reader()))),
                None => Ok(None),
            }
        };
        let (permitted, excluded) = (subtrees(0)?, subtrees(1)?);
        fields.finish(body.field)?;
        Ok(Self { permitted, excluded })
    }

    /// Parses a body that certcheck has encoded itself.
    pub(crate) fn of_body(reader: Reader<'a>) -> Result<Self, ViewFault> {
        Self::parse(Body { reader, field: "nameConstraints" })
    }

    pub(super) fn check(self) -> Result<(), ViewFault> {
        for subtrees in [self.permitted, self.excluded].into_iter().flatten() {
            for base in subtrees {
                base?;
            }
        }
        Ok(())
    }
}

/// An iterator over the bases of subtrees. `minimum` must be 0 and `maximum` absent (RFC 5280 4.2.1.10).
///
/// ```asn1
/// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] INTEGER DEFAULT 0, maximum [1] INTEGER OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Subtrees<'a>(Reader<'a>);

impl<'a> Subtrees<'a> {
    /// Parses the next base.
    ///
    /// RFC 5280 4.2.1.10.
    #[doc(alias = "RFC 5280 section 4.2.1.10")]
    fn read(&mut self) -> Result<GeneralName<'a>, ViewFault> {
        const FIELD: &str = "nameConstraints";
        let mut fields = self.0.sequence(FIELD)?;
        let base = GeneralName::parse(fields.any(FIELD)?, IpForm::Subnet, FIELD)?;
        if !fields.is_empty() {
            return Err(fields.fault(FIELD, Rule::SubtreeBounds));
        }
        Ok(base)
    }
}

read_each!(Subtrees, GeneralName<'a>);
