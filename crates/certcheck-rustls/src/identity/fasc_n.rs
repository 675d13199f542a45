//! The Federal Agency Smart Credential Number of US government cards.
//!
//! TIG SCEPACS 2.2, 6: 40 characters of five bits in 25 bytes. A character is four bits of BCD, the least significant
//! first, and a bit that makes the number of ones odd.
//!
//! ```text
//! SS agency(4) FS system(4) FS credential(6) FS CS FS ICI FS PI(10) OC OI(4) POA ES LRC
//! ```

use core::fmt;
use core::ops::Range;

use certcheck_core::der::{Reader, tag};
use certcheck_core::oid::Oid;

use super::IdentityError;

pub(super) const WHAT: &str = "FASC-N of subjectAltName";
/// pivFASC-N, 2.16.840.1.101.3.6.6 (FIPS 201-3).
pub(super) const PIV_FASC_N: Oid<'static> = Oid::new(&[0x60, 0x86, 0x48, 1, 0x65, 3, 6, 6]);

const BYTES: usize = 25;
const DIGITS: usize = 32;
const START_SENTINEL: u8 = 0xb;
const FIELD_SEPARATOR: u8 = 0xd;
const END_SENTINEL: u8 = 0xf;
/// The layout: start sentinel, digits, field separators, end sentinel, longitudinal redundancy character.
const LAYOUT: &[u8; 40] = b"SddddFddddFddddddFdFdFddddddddddddddddEL";

/// A Federal Agency Smart Credential Number (TIG SCEPACS 2.2, 6), with all fields as digits.
///
/// Its Display text is its fields with dashes between them.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct FascN {
    bytes: [u8; BYTES],
    digits: [u8; DIGITS],
}

impl FascN {
    /// Parses the 25 bytes of a certificate or CHUID.
    ///
    /// # Errors
    /// If the length is another one, if a character has even parity, if there is another character in place of a
    /// digit, a sentinel or a separator, or if the longitudinal redundancy character is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentityError> {
        let refused = |flaw| IdentityError::refused_bytes(WHAT, bytes, flaw);
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| refused("does not have 25 bytes"))?;
        let mut digits = [b'0'; DIGITS];
        let mut next_digit = digits.iter_mut();
        let mut sum = 0;
        for (due, character) in LAYOUT.iter().zip(characters(&bytes)) {
            if character.count_ones().is_multiple_of(2) {
                return Err(refused("has a character of even parity"));
            }
            // The parity bit is dropped. The first of the four bits is the least significant one.
            let value = (character >> 1 << 4).reverse_bits();
            sum ^= value;
            match (due, value) {
                (b'd', 0..=9) => next_digit.by_ref().take(1).for_each(|digit| *digit = b'0' + value),
                (b'd', _) => return Err(refused("has another character in place of a digit")),
                (b'S', START_SENTINEL) | (b'F', FIELD_SEPARATOR) | (b'E', END_SENTINEL) | (b'L', _) => {}
                _ => return Err(refused("has another character in place of a sentinel or separator")),
            }
        }
        // Over all characters, including this one, each of the four bits is set an even number of times.
        if sum != 0 { Err(refused("has a wrong redundancy character")) } else { Ok(Self { bytes, digits }) }
    }

    /// The bytes as they are in the certificate.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.bytes
    }

    /// All 32 digits, without sentinels and separators.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.field(0..DIGITS)
    }

    /// Agency code, 4 digits: the agency that issues. 9999 on cards whose issuer has none.
    #[must_use]
    pub fn agency(&self) -> &str {
        self.field(0..4)
    }

    /// System code, 4 digits: the system of the agency in which the card is enrolled.
    #[must_use]
    pub fn system(&self) -> &str {
        self.field(4..8)
    }

    /// Credential number, 6 digits, unique within the system.
    #[must_use]
    pub fn credential(&self) -> &str {
        self.field(8..14)
    }

    /// Credential series, 1 digit.
    #[must_use]
    pub fn credential_series(&self) -> &str {
        self.field(14..15)
    }

    /// Individual credential issue, 1 digit: the number of the card among those with this credential number.
    #[must_use]
    pub fn individual_credential_issue(&self) -> &str {
        self.field(15..16)
    }

    /// Person identifier, 10 digits: on DoD cards the EDIPI.
    #[must_use]
    pub fn person(&self) -> &str {
        self.field(16..26)
    }

    /// Organizational category, 1 digit: 1 federal, 2 state, 3 commercial, 4 foreign.
    #[must_use]
    pub fn organizational_category(&self) -> &str {
        self.field(26..27)
    }

    /// Organizational identifier, 4 digits.
    #[must_use]
    pub fn organization(&self) -> &str {
        self.field(27..31)
    }

    /// Person or organization association category, 1 digit: the role of the person in the organization.
    #[must_use]
    pub fn association(&self) -> &str {
        self.field(31..32)
    }

    fn field(&self, range: Range<usize>) -> &str {
        // Digits are ASCII, and the ranges are within bounds.
        self.digits.get(range).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

impl fmt::Display for FascN {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.agency(), self.system(), self.credential())?;
        write!(f, "-{}-{}", self.credential_series(), self.individual_credential_issue())?;
        write!(f, "-{}-{}", self.person(), self.organizational_category())?;
        write!(f, "-{}-{}", self.organization(), self.association())
    }
}

impl fmt::Debug for FascN {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FascN({self})")
    }
}

/// Parses the value of the otherName.
pub(super) fn of_other_name(value: &[u8]) -> Result<FascN, IdentityError> {
    let bytes = Reader::new(value).expect(tag::OCTET_STRING, WHAT);
    let bytes = bytes.map_err(|_| IdentityError::refused_bytes(WHAT, value, "is not an OCTET STRING"))?;
    FascN::parse(bytes.value)
}

/// The characters of five bits: eight in every five bytes.
fn characters(bytes: &[u8; BYTES]) -> impl Iterator<Item = u8> {
    bytes.chunks(5).flat_map(|block| {
        let bits = block.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).rev().map(move |at| u8::try_from(bits >> (5 * at) & 0x1f).unwrap_or(0))
    })
}
