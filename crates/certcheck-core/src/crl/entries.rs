//! The entries of a CRL (RFC 5280 5.1.2.6, 5.3), parsed strictly in one pass. The pass can stop where the bytes end,
//! and go on when more have arrived.
//!
//! ```asn1
//! revokedCertificates ::= SEQUENCE OF SEQUENCE {
//!      userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }
//! ```

use crate::der::{Reader, Rule, ViewFault, integer, tag};
use crate::oid;
use crate::status::RevocationReason;
use crate::time::Time;
use crate::x509::{Extension, GeneralNames};

const FIELD: &str = "revokedCertificates";

/// One entry of a CRL.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CrlEntry<'a> {
    /// The content of userCertificate: two's complement, minimal.
    pub serial: &'a [u8],
    /// The revocationDate.
    pub revoked_at: Time,
    /// The reasonCode, or unspecified if it is absent.
    pub reason: RevocationReason,
    /// The invalidityDate (RFC 5280 5.3.2): since when the key has been suspected.
    pub invalid_since: Option<Time>,
    /// The body of certificateIssuer (RFC 5280 5.3.3), which also applies to the entries that follow.
    pub(crate) certificate_issuer: Option<Reader<'a>>,
}

impl<'a> CrlEntry<'a> {
    /// The certificateIssuer (RFC 5280 5.3.3): the issuer of this certificate and of those in the entries that follow.
    /// `None` if the entry does not have it: then the issuer is the same as in the entry before, and at first it is the
    /// issuer of the CRL.
    #[must_use]
    pub fn certificate_issuer(&self) -> Option<GeneralNames<'a>> {
        self.certificate_issuer.map(|names| GeneralNames::new(names, "certificateIssuer"))
    }

    /// Parses the entry at the reader's position.
    ///
    /// RFC 5280 5.1.2.6, RFC 5280 5.3.1.
    #[doc(alias("RFC 5280 section 5.1.2.6", "RFC 5280 section 5.3.1"))]
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, ViewFault> {
        let mut fields = reader.sequence(FIELD)?;
        let serial = integer(fields.expect(tag::INTEGER, FIELD)?, FIELD)?;
        let revoked_at = Time::parse_with_fraction(fields.any(FIELD)?, FIELD)?;
        let mut entry = Self {
            serial,
            revoked_at,
            reason: RevocationReason::Unspecified,
            invalid_since: None,
            certificate_issuer: None,
        };
        if !fields.is_empty() {
            entry.parse_extensions(fields.expect(tag::SEQUENCE, FIELD)?.reader())?;
        }
        fields.finish(FIELD)?;
        Ok(entry)
    }

    /// Parses the extensions of an entry (RFC 5280 5.3). Deviation: an empty list, which exists in practice, is
    /// accepted as no extensions. An unknown critical extension makes the whole CRL unusable.
    ///
    /// RFC 5280 5.3.2.
    #[doc(alias("RFC 5280 section 5.3", "RFC 5280 section 5.3.2"))]
    fn parse_extensions(&mut self, mut list: Reader<'a>) -> Result<(), ViewFault> {
        let mut seen = 0u8;
        while !list.is_empty() {
            let here = list;
            let extension = Extension::parse(&mut list)?;
            let mut body = extension.value.reader();
            let bit = match extension.oid {
                oid::REASON_CODE => {
                    let code = body.expect(tag::ENUMERATED, "reasonCode")?;
                    self.reason = RevocationReason::parse(code, "reasonCode")?;
                    1
                }
                oid::INVALIDITY_DATE => {
                    // Deviation: 5.3.2 has a GeneralizedTime, but UTCTime occurs in practice.
                    let time = body.any("invalidityDate")?;
                    self.invalid_since = Some(Time::parse_with_fraction(time, "invalidityDate")?);
                    2
                }
                oid::CERTIFICATE_ISSUER => {
                    let names = body.expect(tag::SEQUENCE, "certificateIssuer")?;
                    self.certificate_issuer = Some(names.reader());
                    4
                }
                _ if extension.critical => return Err(here.fault(FIELD, Rule::UnknownCritical)),
                _ => continue,
            };
            body.finish(FIELD)?;
            if seen & bit != 0 {
                return Err(here.fault(FIELD, Rule::DuplicateExtension));
            }
            seen |= bit;
        }
        Ok(())
    }
}

/// Returns which of two entries for one certificate counts, by their offsets. What cannot be lifted comes before a
/// hold, and a hold before removeFromCRL. With the same weight, the earlier revocation counts, then the entry listed
/// first. The RFC allows one entry per certificate (5.3), and listing it twice must not have a milder effect.
#[cold]
pub(super) fn that_counts(document: &[u8], a: u32, b: u32) -> u32 {
    let weight = |offset: u32| {
        let at = usize::try_from(offset).ok()?;
        let entry = CrlEntry::parse(&mut Reader::at(document.get(at..)?, at)).ok()?;
        let mildness = match entry.reason {
            RevocationReason::RemoveFromCrl => 2,
            RevocationReason::CertificateHold => 1,
            _ => 0,
        };
        Some((mildness, entry.revoked_at, offset))
    };
    if weight(b) < weight(a) { b } else { a }
}

/// A scan of the entries. Bytes before `position` have been parsed, and are not parsed again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryScan {
    pub(crate) position: usize,
    end: usize,
}

/// The result of a scan for each entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanned<'a> {
    /// The position of the entry in the document.
    pub(crate) offset: usize,
    pub(crate) serial: &'a [u8],
    /// Whether the entry names the issuer of this certificate and of those that follow.
    pub(crate) has_issuer: bool,
}

impl EntryScan {
    /// A scan of the content of revokedCertificates.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { position: start, end }
    }

    /// Parses the entries that are complete in `document`, which may end before the list. Returns true at the end of
    /// the list.
    pub(crate) fn advance<'a, E: From<ViewFault>>(
        &mut self,
        document: &'a [u8],
        mut each: impl FnMut(Scanned<'a>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let available = document.get(..self.end.min(document.len())).unwrap_or_default();
        while self.position < self.end {
            let rest = available.get(self.position..).unwrap_or_default();
            if let Some((length, serial)) = common_entry(rest) {
                each(Scanned { offset: self.position, serial, has_issuer: false })?;
                self.position += length;
                continue;
            }
            let mut reader = Reader::at(rest, self.position);
            match CrlEntry::parse(&mut reader) {
                Ok(entry) => {
                    let has_issuer = entry.certificate_issuer.is_some();
                    each(Scanned { offset: self.position, serial: entry.serial, has_issuer })?;
                    self.position = reader.offset();
                }
                // The bytes end inside the entry, but not the list: more will arrive.
                Err(ViewFault { rule: Rule::Truncated, .. }) if available.len() < self.end => {
                    return Ok(false);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(true)
    }
}

/// Parses the forms that nearly every entry has: a serial number, UTCTime, and nothing or a non-critical reason.
/// Returns the length of the entry, and the serial number. `None` for any other form, which the full parser then
/// handles.
#[inline]
fn common_entry(rest: &[u8]) -> Option<(usize, &[u8])> {
    let [tag::SEQUENCE, length, tag::INTEGER, serial_length @ 1..=0x7f, ..] = *rest else { return None };
    let (length, serial_length) = (usize::from(length), usize::from(serial_length));
    let entry = rest.get(2..2 + length).filter(|_| length < 0x80)?;
    let serial = entry.get(2..2 + serial_length)?;
    match serial {
        [0x00, next, ..] if next & 0x80 == 0 => return None,
        [0xff, next, ..] if next & 0x80 != 0 => return None,
        _ => {}
    }
    let (time, extensions) = entry.get(2 + serial_length..)?.split_first_chunk::<15>()?;
    if !is_utc_time(time) {
        return None;
    }
    match extensions {
        [] => {}
        // Extensions, Extension, id-ce-reasonCode, OCTET STRING, ENUMERATED.
        [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0..=6 | 8..=10] => {}
        _ => return None,
    }
    Some((2 + length, serial))
}

/// Whether an element is a UTCTime of digits, with its header, for a day that every month has. The few others are left
/// to the full parser.
#[inline]
fn is_utc_time(element: &[u8; 15]) -> bool {
    let [tag::UTC_TIME, 13, y1, y2, o1, o2, d1, d2, h1, h2, m1, m2, s1, s2, b'Z'] = *element else {
        return false;
    };
    // Year, month, day and hour, then minute and second. All bytes at once, then all pairs, in lanes of 16 bits without
    // carry.
    let first = u64::from_le_bytes([y1, y2, o1, o2, d1, d2, h1, h2]);
    let second = u64::from_le_bytes([m1, m2, s1, s2, b'0', b'0', b'0', b'0']);
    let (date, clock) = (pairs(first), pairs(second));
    const TOPS: u64 = 0x8000_8000_8000_8000;
    // A lane plus 0x7fff minus its largest value has its top bit set if it is larger.
    let too_large = (date + 0x7fe8_7fe3_7ff3_7f9c) | (clock + 0x7fff_7fff_7fc4_7fc4);
    // A lane plus 0x7fff has its top bit set if it is not 0.
    let not_zero = (date & 0x0000_ffff_ffff_0000) + 0x0000_7fff_7fff_0000;
    are_digits(first)
        & are_digits(second)
        & (too_large & TOPS == 0)
        & (not_zero & TOPS == 0x0000_8000_8000_0000)
}

/// Whether eight bytes are ASCII digits.
#[inline]
const fn are_digits(bytes: u64) -> bool {
    const TOPS: u64 = 0x8080_8080_8080_8080;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    // Above '9' the sum has its top bit set, below '0' the difference. A byte that is not ASCII has it set itself.
    let above = (bytes & !TOPS) + 0x4646_4646_4646_4646;
    let below = (bytes | TOPS) - ZEROS;
    (above | !below | bytes) & TOPS == 0
}

/// The numbers of pairs of digits, in lanes of 16 bits. The first digit of each pair is in the lower byte.
#[inline]
const fn pairs(digits: u64) -> u64 {
    const LOW: u64 = 0x000f_000f_000f_000f;
    (digits & LOW) * 10 + (digits >> 8 & LOW)
}

/// The serial number of the entry that begins here.
#[inline]
pub(super) fn serial_of(rest: &[u8]) -> Option<&[u8]> {
    if let [tag::SEQUENCE, 0..=0x7f, tag::INTEGER, length @ 0..=0x7f, serial @ ..] = rest {
        return serial.get(..usize::from(*length));
    }
    let mut fields = Reader::new(rest).sequence("revokedCertificates").ok()?;
    fields.expect(tag::INTEGER, "revokedCertificates").ok().map(|tlv| tlv.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_reading_of_times_takes_nothing_that_the_full_one_refuses() {
        let good = *b"\x17\x0d260228235959Z";
        assert!(is_utc_time(&good));
        let full =
            |element: &[u8]| Time::parse(Reader::new(element).any("time").expect("one"), "time").is_ok();
        let mut taken = 0;
        for at in 2..15 {
            for byte in 0..=255 {
                let mut changed = good;
                changed[at] = byte;
                if is_utc_time(&changed) {
                    taken += 1;
                    assert!(full(&changed), "{changed:?}");
                }
            }
        }
        assert!(taken > 50);
        // Every pair of digits in every position: both accept the same, except for days that some months do not have.
        for at in [4, 6, 8, 10, 12] {
            for pair in 0..100_u8 {
                let mut changed = good;
                changed[at] = b'0' + pair / 10;
                changed[at + 1] = b'0' + pair % 10;
                let is_late_day = at == 6 && pair > 28;
                assert_eq!(is_utc_time(&changed), full(&changed) && !is_late_day, "{changed:?}");
            }
        }
    }
}
