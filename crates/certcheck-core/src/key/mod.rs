//! Public keys: whether a key is strong enough, and well-formed for its algorithm (RFC 3279, RFC 5480, RFC 8410).
//!
//! The same rules apply to the keys of clients and of CAs. A CA that certifies a key does not vouch for its strength,
//! and anyone who finds a weak private key can use the certificate.

mod curve;
mod named;

use crate::der::{Reader, Rule, Tlv, ViewFault, integer, next_parsed, tag};
use crate::oid::Oid;
use crate::policy::SignaturePolicy;
use crate::reason::{KeyFault, Reason, Unsupported};
use crate::x509::SubjectPublicKeyInfo;

use named::Curve;

/// The longest modulus with which signatures are verified, in bits. The key of a leaf may be longer: that is no weaker,
/// and nothing here computes with it.
pub(crate) const LONGEST_MODULUS: u32 = 8192;
/// The longest exponent with which signatures are verified, in bits. It is the limit of the providers.
const LONGEST_EXPONENT: u32 = 33;

/// The modulus and the public exponent of an RSA key, without leading zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RsaKey<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    /// The RSA key in a SubjectPublicKeyInfo. `None` if the key has another algorithm.
    ///
    /// ```asn1
    /// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
    /// ```
    pub(crate) fn of(key: SubjectPublicKeyInfo<'a>) -> Option<Result<Self, ViewFault>> {
        // rsaEncryption, id-RSAES-OAEP, id-RSASSA-PSS, and the obsolete id-ea-rsa.
        let is_rsa = matches!(
            key.algorithm.oid.content(),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 | 7 | 10] | [0x55, 8, 1, 1]
        );
        is_rsa.then(|| Self::parse(key.public_key))
    }

    fn parse(document: &'a [u8]) -> Result<Self, ViewFault> {
        const FIELD: &str = "RSAPublicKey";
        let mut document = Reader::new(document);
        let mut fields = document.sequence(FIELD)?;
        document.finish(FIELD)?;
        let modulus = natural(fields.expect(tag::INTEGER, FIELD)?, FIELD)?;
        let exponent = natural(fields.expect(tag::INTEGER, FIELD)?, FIELD)?;
        fields.finish(FIELD)?;
        Ok(Self { modulus, exponent })
    }

    pub(crate) const fn modulus(self) -> &'a [u8] {
        self.modulus
    }

    pub(crate) const fn exponent(self) -> &'a [u8] {
        self.exponent
    }

    /// The length of the modulus in bits.
    pub(crate) fn bits(self) -> u32 {
        bits(self.modulus)
    }

    /// Rejects a key that is not valid for RSA, or that is too weak.
    fn check(self, min_bits: u32) -> Result<(), Reason> {
        let bits = self.bits();
        if bits < min_bits {
            return Err(Reason::WeakKey { bits, min_bits });
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !is_odd(self.modulus) {
            return Err(KeyFault::EvenModulus.into());
        }
        // RFC 8017 3.1: odd, and at least 3.
        if !is_odd(self.exponent) || self.exponent == [1] {
            return Err(KeyFault::Exponent.into());
        }
        let lengths = self.exponent.len().cmp(&self.modulus.len());
        if lengths.then_with(|| self.exponent.cmp(self.modulus)).is_ge() {
            return Err(KeyFault::ExponentTooLarge.into());
        }
        Ok(())
    }

    /// Rejects a key with which no provider verifies signatures.
    fn check_provided(self) -> Result<(), Reason> {
        let (modulus, exponent) = (self.bits(), bits(self.exponent));
        let unsupported = if modulus > LONGEST_MODULUS {
            Unsupported::RsaLength { bits: modulus, longest: LONGEST_MODULUS }
        } else if exponent > LONGEST_EXPONENT {
            Unsupported::RsaExponent { bits: exponent, longest: LONGEST_EXPONENT }
        } else {
            return Ok(());
        };
        Err(Reason::UnsupportedAlgorithm(unsupported))
    }
}

/// The content of an INTEGER that is not negative, without the sign byte.
fn natural<'a>(tlv: Tlv<'a>, field: &'static str) -> Result<&'a [u8], ViewFault> {
    match integer(tlv, field)? {
        [0x80..=0xff, ..] => Err(tlv.fault(field, Rule::NegativeInteger)),
        [0, magnitude @ ..] if !magnitude.is_empty() => Ok(magnitude),
        magnitude => Ok(magnitude),
    }
}

fn bits(magnitude: &[u8]) -> u32 {
    let bytes = u32::try_from(magnitude.len()).unwrap_or(u32::MAX / 8);
    (bytes * 8).saturating_sub(magnitude.first().map_or(0, |first| first.leading_zeros()))
}

/// Rejects keys below the minimum lengths of the policy, and malformed keys. Does not check whether a point is on its
/// curve: for keys that verify a signature, the verification does.
pub(crate) fn check_form(key: SubjectPublicKeyInfo<'_>, policy: &SignaturePolicy) -> Result<(), Reason> {
    check(key, policy, PointCheck::Form)
}

/// Like [`check_form`], and also checks whether a point is on its curve, for curves where this is possible. For keys
/// that verify no signature here.
pub(crate) fn check_whole(key: SubjectPublicKeyInfo<'_>, policy: &SignaturePolicy) -> Result<(), Reason> {
    check(key, policy, PointCheck::OnCurve)
}

/// Like [`check_form`], and also checks whether providers verify signatures with a key of this size and form.
pub(crate) fn check_signer(key: SubjectPublicKeyInfo<'_>, policy: &SignaturePolicy) -> Result<(), Reason> {
    check(key, policy, PointCheck::Form)?;
    match RsaKey::of(key) {
        Some(rsa) => rsa.map_err(Reason::Malformed)?.check_provided(),
        None => Ok(()),
    }
}

/// How thoroughly the point of an elliptic-curve key is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PointCheck {
    /// Its form and length.
    Form,
    /// Its form and length, and whether it is on its curve.
    OnCurve,
}

/// Checks a key.
///
/// RFC 5280 4.1.2.7.
#[doc(alias = "RFC 5280 section 4.1.2.7")]
fn check(key: SubjectPublicKeyInfo<'_>, policy: &SignaturePolicy, points: PointCheck) -> Result<(), Reason> {
    if let Some(rsa) = RsaKey::of(key) {
        return rsa.map_err(Reason::Malformed)?.check(policy.min_rsa_bits.max(1024));
    }
    match key.algorithm.oid.content() {
        // id-ecPublicKey, and id-ecDH and id-ecMQV for keys that are only for key agreement (RFC 5480 2.1).
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] | [0x2b, 0x81, 0x04, 1, 12 | 13] => {
            check_point(key, policy.min_ec_bits.max(160), points)
        }
        _ => check_fixed(key),
    }
}

/// The curve of an elliptic-curve key, if it is given by a known name.
fn curve_of(key: SubjectPublicKeyInfo<'_>) -> Result<Curve, Reason> {
    // RFC 5480 2.1.1: namedCurve is the only alternative. With explicit parameters, a key could choose its own
    // generator.
    let mut parameters = key.algorithm.parameters.unwrap_or_default();
    let name = match next_parsed(&mut parameters) {
        Some(name) if name.tag == tag::OID => name,
        _ => return Err(Reason::ExplicitCurve),
    };
    if let Some(curve) = Curve::named(Oid::new(name.value)) {
        return Ok(curve);
    }
    let unknown = Oid::parse(name, "namedCurve")?;
    Err(Reason::UnsupportedAlgorithm(Unsupported::Curve(unknown.into())))
}

/// The name of the curve of a key, if it is a known one.
pub(crate) fn curve_name(key: SubjectPublicKeyInfo<'_>) -> Option<&'static str> {
    matches!(key.algorithm.oid.content(), [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1])
        .then(|| curve_of(key).ok())
        .flatten()
        .map(|curve| curve.name)
}

/// Checks the point of an elliptic-curve key: its form and length, and whether it is on its curve (RFC 5480 2.2).
///
/// RFC 5280 4.1.2.7.
#[doc(alias = "RFC 5280 section 4.1.2.7")]
fn check_point(key: SubjectPublicKeyInfo<'_>, min_bits: u32, points: PointCheck) -> Result<(), Reason> {
    let curve = curve_of(key)?;
    let Curve { name, bits, has } = curve;
    if bits < min_bits {
        return Err(KeyFault::ShortCurve { curve: name, bits, min_bits }.into());
    }
    let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
    let want = match key.public_key.first() {
        Some(4) => 1 + 2 * bytes,
        Some(2 | 3) => 1 + bytes,
        first => return Err(KeyFault::PointForm { first: first.copied() }.into()),
    };
    let found = key.public_key.len();
    if found != want {
        return Err(KeyFault::Length { of: name, found, want }.into());
    }
    // Deviation: RFC 5480 2.2 makes this form optional. Providers do not support it, and do not report whether the
    // point exists.
    if found == 1 + bytes {
        return Err(Reason::UnsupportedAlgorithm(Unsupported::CompressedPoint { curve: name }));
    }
    let coordinates = key.public_key.get(1..).and_then(|rest| rest.split_at_checked(bytes));
    match (coordinates, has) {
        (Some((x, y)), Some(has)) if points == PointCheck::OnCurve && !has(x, y) => {
            Err(KeyFault::NotOnCurve { curve: name }.into())
        }
        _ => Ok(()),
    }
}

/// What keys of an algorithm without parameters are, apart from their length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fixed {
    /// A coordinate y on edwards25519, with the sign of x (RFC 8032 5.1.2).
    Edwards25519,
    /// A coordinate u on curve25519 (RFC 7748 5).
    Montgomery25519,
    Bytes,
}

/// Checks keys whose algorithm has no parameters: RFC 8410, RFC 9881, RFC 9909, RFC 9935.
fn check_fixed(key: SubjectPublicKeyInfo<'_>) -> Result<(), Reason> {
    let oid = key.algorithm.oid;
    let (want, kind) = match oid.content() {
        [0x2b, 0x65, 110] => (32, Fixed::Montgomery25519),
        [0x2b, 0x65, 111] => (56, Fixed::Bytes),
        [0x2b, 0x65, 112] => (32, Fixed::Edwards25519),
        [0x2b, 0x65, 113] => (57, Fixed::Bytes),
        // The ML-DSA, SLH-DSA and ML-KEM of NIST.
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17] => (1312, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18] => (1952, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19] => (2592, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 20 | 21 | 26 | 27] => (32, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 22 | 23 | 28 | 29] => (48, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 24 | 25 | 30 | 31] => (64, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 1] => (800, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2] => (1184, Fixed::Bytes),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 3] => (1568, Fixed::Bytes),
        _ => return Err(Reason::UnsupportedAlgorithm(Unsupported::Key(oid.into()))),
    };
    let of = oid.algorithm_name().unwrap_or("unnamed");
    if key.algorithm.parameters.is_some() {
        return Err(KeyFault::Parameters { of }.into());
    }
    match (kind, <&[u8; 32]>::try_from(key.public_key)) {
        (Fixed::Edwards25519, Ok(point)) => check_25519(*point, kind),
        (Fixed::Montgomery25519, Ok(point)) => check_25519(*point, kind),
        (_, _) if key.public_key.len() == want => Ok(()),
        _ => Err(KeyFault::Length { of, found: key.public_key.len(), want }.into()),
    }
}

/// Rejects points of small order. With such an Ed25519 key anyone's signatures verify, and an X25519 key always agrees
/// on zero. The byte order is little-endian.
fn check_25519(mut point: [u8; 32], kind: Fixed) -> Result<(), Reason> {
    /// The coordinates y of points of order 8.
    const EDWARDS: [[u8; 32]; 2] = [
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    ];
    /// The coordinates u of points of order 8.
    const MONTGOMERY: [[u8; 32]; 2] = [
        *b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00",
        *b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57",
    ];
    // The sign of x. For X25519 this bit is ignored (RFC 7748 5).
    point[31] &= 0x7f;
    let (first, middle, last) = (point[0], &point[1..31], point[31]);
    // 2^255 - 19 is the prime.
    let is_at_the_top = last == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    let is_not_reduced = is_at_the_top && first >= 0xed;
    let is_near_zero = last == 0 && middle.iter().all(|byte| *byte == 0) && first <= 1;
    // 0, 1 and -1 have the orders 1, 2 and 4. So do the prime and the prime plus 1, for implementations that reduce
    // them.
    let is_small = is_near_zero || is_at_the_top && (0xec..=0xee).contains(&first);
    let of_order_eight = if kind == Fixed::Edwards25519 { EDWARDS } else { MONTGOMERY };
    if is_small || of_order_eight.contains(&point) {
        return Err(KeyFault::SmallOrder.into());
    }
    // RFC 8032 5.1.3 rejects it. RFC 7748 5 reduces it modulo the prime.
    if is_not_reduced && kind == Fixed::Edwards25519 { Err(KeyFault::NotReduced.into()) } else { Ok(()) }
}
