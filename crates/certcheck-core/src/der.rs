//! A strict reader of DER (X.690 section 10) over borrowed bytes.
//!
//! It guarantees that every length is definite and minimal, that every tag has one byte, and that no value extends
//! beyond the bytes that contain it. It never allocates and never recurses, so the parsers that use it bound the
//! nesting. It does not check the meaning of any value.

use core::fmt;

/// Tags of the universal class, and the context-specific tags that X.509 uses (X.690 8.1.2).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString, also T61String.
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// VisibleString.
    pub const VISIBLE_STRING: u8 = 0x1a;
    /// UniversalString.
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    /// BMPString.
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET and SET OF.
    pub const SET: u8 = 0x31;

    /// The tag `[n]` of a primitive value. `n` must be below 31.
    #[must_use]
    pub const fn context(n: u8) -> u8 {
        0x80 | n
    }

    /// The tag `[n]` of a constructed value. `n` must be below 31.
    #[must_use]
    pub const fn context_constructed(n: u8) -> u8 {
        0xa0 | n
    }
}

/// Why bytes cannot be parsed: the position, the field, and the violated rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ViewFault {
    /// The position of the fault in the document, such as a certificate, in bytes.
    pub offset: usize,
    /// The field as it is named in its ASN.1 module, such as `tbsCertificate.validity`.
    pub field: &'static str,
    /// The violated rule.
    pub rule: Rule,
}

impl ViewFault {
    /// Whether the bytes may be cut short, or be a file of another kind, instead of a faulty document.
    pub(crate) const fn may_be_another_file(&self) -> bool {
        matches!(
            self.rule,
            Rule::Truncated
                | Rule::IndefiniteLength
                | Rule::LengthTooLarge
                | Rule::HighTagNumber
                | Rule::UnexpectedTag { .. }
                | Rule::TrailingData
                | Rule::SignatureAlgorithmMismatch
        )
    }
}

impl fmt::Display for ViewFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.field, self.offset, self.rule)
    }
}

impl core::error::Error for ViewFault {}

/// A rule of encoding (X.690) or of the profile (RFC 5280 section 4) that bytes can violate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// A value that ends before its length says.
    Truncated,
    /// An indefinite length: BER, not DER (X.690 10.1).
    IndefiniteLength,
    /// A length that is not encoded in the fewest bytes (X.690 10.1).
    NonMinimalLength,
    /// A length that does not fit in four bytes.
    LengthTooLarge,
    /// A tag number above 30, which nothing in X.509 uses.
    HighTagNumber,
    /// Another tag than the expected one.
    UnexpectedTag {
        /// The expected tag.
        want: u8,
        /// The tag that was found.
        found: u8,
    },
    /// Unexpected bytes after the last field.
    TrailingData,
    /// An INTEGER without content.
    EmptyInteger,
    /// An INTEGER with a superfluous leading byte (X.690 8.3.2).
    NonMinimalInteger,
    /// A negative INTEGER in a field that does not allow one.
    NegativeInteger,
    /// An INTEGER that is larger than any meaningful value of the field.
    IntegerTooLarge,
    /// A BOOLEAN that is not one byte long (X.690 8.2.1).
    BadBoolean,
    /// A BIT STRING with more than 7 unused bits, or without the byte that counts them.
    BadUnusedBits,
    /// Unused bits of a BIT STRING that are not zero (X.690 11.2.1).
    UnusedBitsNotZero,
    /// An OBJECT IDENTIFIER that is empty, padded, cut short, or longer than 128 bytes.
    BadOid,
    /// A time that RFC 5280 4.1.2.5 does not allow: no seconds, a fraction, no `Z`, or no such day.
    BadTime,
    /// A character that the string type does not allow.
    BadCharacter,
    /// A NULL with content.
    BadNull,
    /// A version that does not exist, or that does not match the fields that follow (RFC 5280 4.1.2.1).
    BadVersion,
    /// Different values of `signature` and `signatureAlgorithm` (RFC 5280 4.1.1.2).
    SignatureAlgorithmMismatch,
    /// An issuer name without any attribute (RFC 5280 4.1.2.4).
    EmptyIssuer,
    /// An empty list where at least one member is required.
    EmptyList,
    /// A duplicate extension (RFC 5280 4.2).
    DuplicateExtension,
    /// Extensions in a version 1 or 2 certificate (RFC 5280 4.1.2.9).
    ExtensionsBeforeV3,
    /// Extensions in a version 1 CRL (RFC 5280 5.1.2.1).
    ExtensionsBeforeV2,
    /// An extension that is marked critical although conforming CAs must mark it non-critical.
    MustNotBeCritical,
    /// A duplicate policy (RFC 5280 4.2.1.4).
    DuplicatePolicy,
    /// A policy qualifier of anyPolicy other than CPS or user notice (RFC 5280 4.2.1.4).
    BadPolicyQualifier,
    /// anyPolicy in a policy mapping (RFC 5280 6.1.4 (a)).
    AnyPolicyMapped,
    /// `minimum` or `maximum` in a name constraint (RFC 5280 4.2.1.10).
    SubtreeBounds,
    /// An address that is not 4 or 16 bytes long. In constraints, not 8 or 32 bytes long, or with a mask that is not
    /// contiguous.
    BadIpAddress,
    /// An authorityCertIssuer without authorityCertSerialNumber, or the reverse (RFC 5280 4.2.1.1).
    HalfIssuerAndSerial,
    /// An alternative that the ASN.1 module does not have.
    UnknownChoice,
    /// Elements that are nested more deeply than this reader supports.
    TooDeep,
    /// More members than this reader supports.
    TooMany,
    /// A document that is longer than this reader supports.
    TooLong,
    /// An unknown critical extension of a CRL, one of its entries, or an OCSP response.
    UnknownCritical,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::UnexpectedTag { want, found } => {
                return write!(f, "tag {found:#04x} found, {want:#04x} expected");
            }
            Self::Truncated => "the length goes past the end of the data",
            Self::IndefiniteLength => "indefinite length, which DER forbids",
            Self::NonMinimalLength => "length is not encoded in the fewest bytes",
            Self::LengthTooLarge => "length is longer than four bytes",
            Self::HighTagNumber => "tag number above 30 is not supported",
            Self::TrailingData => "unexpected bytes after the last field",
            Self::EmptyInteger => "INTEGER is empty",
            Self::NonMinimalInteger => "INTEGER is not encoded in the fewest bytes",
            Self::NegativeInteger => "INTEGER is negative",
            Self::IntegerTooLarge => "INTEGER is too large",
            Self::BadBoolean => "BOOLEAN is not one byte long",
            Self::BadUnusedBits => "invalid count of unused bits",
            Self::UnusedBitsNotZero => "unused bits are not zero",
            Self::BadOid => "invalid OBJECT IDENTIFIER",
            Self::BadTime => "not a valid time (RFC 5280 4.1.2.5)",
            Self::BadCharacter => "character that this string type does not allow",
            Self::BadNull => "NULL is not empty",
            Self::BadVersion => "unknown or wrongly encoded version",
            Self::SignatureAlgorithmMismatch => "signature and signatureAlgorithm differ",
            Self::EmptyIssuer => "issuer name is empty",
            Self::EmptyList => "list is empty, at least one member is required",
            Self::DuplicateExtension => "extension appears twice",
            Self::ExtensionsBeforeV3 => "version 1 or 2 certificate with extensions, which need version 3",
            Self::ExtensionsBeforeV2 => "version 1 CRL with extensions, which need version 2",
            Self::MustNotBeCritical => "marked critical, which RFC 5280 forbids for this extension",
            Self::DuplicatePolicy => "policy appears twice",
            Self::BadPolicyQualifier => "policy qualifier that is not allowed for anyPolicy",
            Self::AnyPolicyMapped => "anyPolicy must not be mapped",
            Self::SubtreeBounds => "minimum or maximum in a name constraint is not supported",
            Self::BadIpAddress => "invalid IP address or mask",
            Self::HalfIssuerAndSerial => {
                "authorityCertIssuer and authorityCertSerialNumber must appear together"
            }
            Self::UnknownChoice => "unknown type or alternative",
            Self::TooDeep => "nested too deeply",
            Self::TooMany => "too many members",
            Self::TooLong => "too long",
            Self::UnknownCritical => "unknown critical extension",
        };
        f.write_str(text)
    }
}

/// One element: its tag, its content, and the bytes of the whole element.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tlv<'a> {
    /// The identifier byte.
    pub tag: u8,
    /// The content bytes.
    pub value: &'a [u8],
    /// The identifier, length and content bytes.
    pub raw: &'a [u8],
    /// The position of `value` in the document.
    pub offset: usize,
}

impl<'a> Tlv<'a> {
    /// A reader over the content.
    #[must_use]
    pub const fn reader(&self) -> Reader<'a> {
        Reader { rest: self.value, offset: self.offset }
    }

    /// A fault at the start of the content.
    #[must_use]
    pub const fn fault(&self, field: &'static str, rule: Rule) -> ViewFault {
        ViewFault { offset: self.offset, field, rule }
    }
}

/// Reads elements one after another. A copy of the reader can look ahead.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a whole document.
    #[must_use]
    pub const fn new(document: &'a [u8]) -> Self {
        Self { rest: document, offset: 0 }
    }

    /// A reader over a part of a document that begins at the byte `offset`.
    #[must_use]
    pub const fn at(rest: &'a [u8], offset: usize) -> Self {
        Self { rest, offset }
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes that have not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The position of the reader in the document, in bytes.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// A fault at this position.
    #[must_use]
    pub const fn fault(&self, field: &'static str, rule: Rule) -> ViewFault {
        ViewFault { offset: self.offset, field, rule }
    }

    /// The tag of the next element, if there is one.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, with any tag.
    ///
    /// # Errors
    /// The rule of X.690 that its tag or length violates.
    #[inline(always)]
    pub fn any(&mut self, field: &'static str) -> Result<Tlv<'a>, ViewFault> {
        match read_header(self.rest) {
            Ok((tag, header, length)) => {
                let end = header.saturating_add(length);
                let (Some(raw), Some(value), Some(rest)) =
                    (self.rest.get(..end), self.rest.get(header..end), self.rest.get(end..))
                else {
                    return Err(self.fault(field, Rule::Truncated));
                };
                let offset = self.offset + header;
                self.rest = rest;
                self.offset += end;
                Ok(Tlv { tag, value, raw, offset })
            }
            Err(rule) => Err(self.fault(field, rule)),
        }
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    /// Like [`Reader::any`], and [`Rule::UnexpectedTag`].
    #[inline]
    pub fn expect(&mut self, want: u8, field: &'static str) -> Result<Tlv<'a>, ViewFault> {
        match self.peek() {
            Some(found) if found == want => self.any(field),
            Some(found) => Err(self.fault(field, Rule::UnexpectedTag { want, found })),
            None => Err(self.fault(field, Rule::Truncated)),
        }
    }

    /// The next element, if it has this tag.
    ///
    /// # Errors
    /// Like [`Reader::any`].
    #[inline]
    pub fn optional(&mut self, want: u8, field: &'static str) -> Result<Option<Tlv<'a>>, ViewFault> {
        if self.peek() == Some(want) { self.any(field).map(Some) } else { Ok(None) }
    }

    /// A reader over the content of the next element, which must be a SEQUENCE.
    ///
    /// # Errors
    /// Like [`Reader::expect`].
    #[inline]
    pub fn sequence(&mut self, field: &'static str) -> Result<Self, ViewFault> {
        Ok(self.expect(tag::SEQUENCE, field)?.reader())
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`Rule::TrailingData`].
    #[inline]
    pub const fn finish(&self, field: &'static str) -> Result<(), ViewFault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(field, Rule::TrailingData)) }
    }

    /// The next BOOLEAN, or `false` if it is absent (`DEFAULT FALSE`).
    ///
    /// Deviation: DER does not encode a default (X.690 11.5), but the example in RFC 8410 and certificates in use have
    /// an explicit FALSE. It changes no meaning and no signed byte here, so it is accepted.
    ///
    /// # Errors
    /// [`Rule::BadBoolean`].
    ///
    /// RFC 5280 4.2.
    #[doc(alias = "RFC 5280 section 4.2")]
    pub fn boolean_default_false(&mut self, field: &'static str) -> Result<bool, ViewFault> {
        match self.optional(tag::BOOLEAN, field)? {
            None => Ok(false),
            Some(tlv) => boolean(tlv, field),
        }
    }
}

/// The next element of bytes that were parsed before. `None` at their end: no fault can occur.
#[inline]
pub(crate) fn next_parsed<'a>(rest: &mut &'a [u8]) -> Option<Tlv<'a>> {
    let (tag, header, length) = read_header(rest).ok()?;
    let (raw, after) = rest.split_at_checked(header.saturating_add(length))?;
    *rest = after;
    Some(Tlv { tag, value: raw.get(header..)?, raw, offset: header })
}

/// The tag, the length of the header, and the length of the content.
#[inline(always)]
pub(crate) fn read_header(input: &[u8]) -> Result<(u8, usize, usize), Rule> {
    let [tag, first, ..] = *input else { return Err(Rule::Truncated) };
    if tag & 0x1f == 0x1f {
        return Err(Rule::HighTagNumber);
    }
    match (first, input) {
        (0..=0x7f, _) => Ok((tag, 2, usize::from(first))),
        (0x80, _) => Err(Rule::IndefiniteLength),
        (0x81, [_, _, a, ..]) if *a >= 0x80 => Ok((tag, 3, usize::from(*a))),
        (0x82, [_, _, a, b, ..]) if *a != 0 => Ok((tag, 4, usize::from(u16::from_be_bytes([*a, *b])))),
        (0x83, [_, _, a, b, c, ..]) if *a != 0 => length_u32([0, *a, *b, *c]).map(|n| (tag, 5, n)),
        (0x84, [_, _, a, b, c, d, ..]) if *a != 0 => length_u32([*a, *b, *c, *d]).map(|n| (tag, 6, n)),
        (0x85.., _) => Err(Rule::LengthTooLarge),
        (n, _) if input.len() < 2 + usize::from(n & 0x7f) => Err(Rule::Truncated),
        _ => Err(Rule::NonMinimalLength),
    }
}

fn length_u32(bytes: [u8; 4]) -> Result<usize, Rule> {
    usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| Rule::LengthTooLarge)
}

/// The value of a BOOLEAN.
///
/// Deviation: in DER only `ff` is true (X.690 11.1). Other values occur in practice and are accepted, since in BER each
/// value but zero is true.
///
/// # Errors
/// [`Rule::BadBoolean`].
///
/// RFC 5280 4.2.
#[doc(alias = "RFC 5280 section 4.2")]
pub fn boolean(tlv: Tlv<'_>, field: &'static str) -> Result<bool, ViewFault> {
    match tlv.value {
        [0x00] => Ok(false),
        [_] => Ok(true),
        _ => Err(tlv.fault(field, Rule::BadBoolean)),
    }
}

/// The content of an INTEGER: two's complement, as encoded, and checked to be minimal.
///
/// # Errors
/// [`Rule::EmptyInteger`] and [`Rule::NonMinimalInteger`].
pub fn integer<'a>(tlv: Tlv<'a>, field: &'static str) -> Result<&'a [u8], ViewFault> {
    match tlv.value {
        [] => Err(tlv.fault(field, Rule::EmptyInteger)),
        [0x00, next, ..] if next & 0x80 == 0 => Err(tlv.fault(field, Rule::NonMinimalInteger)),
        [0xff, next, ..] if next & 0x80 != 0 => Err(tlv.fault(field, Rule::NonMinimalInteger)),
        value => Ok(value),
    }
}

/// The value of an INTEGER that is not negative. A larger value than `u32` can hold saturates.
///
/// # Errors
/// Like [`integer`], and [`Rule::NegativeInteger`].
pub fn unsigned(tlv: Tlv<'_>, field: &'static str) -> Result<u32, ViewFault> {
    let value = integer(tlv, field)?;
    if value.first().is_some_and(|first| first & 0x80 != 0) {
        return Err(tlv.fault(field, Rule::NegativeInteger));
    }
    Ok(value
        .iter()
        .try_fold(0u32, |n, byte| Some(n.checked_mul(256)? | u32::from(*byte)))
        .unwrap_or(u32::MAX))
}

/// The content of a BIT STRING that must be a whole number of bytes, as signatures and keys are.
///
/// # Errors
/// [`Rule::BadUnusedBits`].
pub fn bit_string_bytes<'a>(tlv: Tlv<'a>, field: &'static str) -> Result<&'a [u8], ViewFault> {
    match tlv.value {
        [0, bytes @ ..] => Ok(bytes),
        _ => Err(tlv.fault(field, Rule::BadUnusedBits)),
    }
}

/// The first 16 bits of a BIT STRING of named bits. Bit 0 is the most significant.
///
/// Deviation: DER omits trailing zero bits (X.690 11.2.2). Many issuers write them, and they change no meaning.
///
/// # Errors
/// [`Rule::BadUnusedBits`] and [`Rule::UnusedBitsNotZero`].
pub fn named_bits(tlv: Tlv<'_>, field: &'static str) -> Result<u16, ViewFault> {
    let (unused, bytes) = match tlv.value {
        [0, bytes @ ..] => (0, bytes),
        [unused @ 1..=7, bytes @ ..] if !bytes.is_empty() => (*unused, bytes),
        _ => return Err(tlv.fault(field, Rule::BadUnusedBits)),
    };
    if bytes.last().is_some_and(|last| last & !(0xffu8 << unused) != 0) {
        return Err(tlv.fault(field, Rule::UnusedBitsNotZero));
    }
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    Ok(u16::from_be_bytes([byte(0), byte(1)]))
}
