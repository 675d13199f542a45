//! Whether bytes that arrive can still become evidence. An endless body, or a page of a captive portal, is given up
//! as soon as it is recognised.

use certcheck_core::revocation::EvidenceKind;

use crate::failure::Failure;

/// Bytes of text before the first line of PEM.
const PREAMBLE: usize = 64 << 10;
/// The beginning of the first line of PEM.
const BEGIN: &[u8] = b"-----BEGIN ";
/// Bytes of a line end.
const LINE_END: u64 = 2;
/// PEM is decoded in memory, so larger ones are refused.
const PEM_BYTES: u64 = 64 << 20;

/// The kind of body that the first bytes announce.
#[derive(Debug)]
pub(crate) struct BodySniffer {
    head: Vec<u8>,
    seen: u64,
    max: u64,
    /// Whether the outer structure may have an indefinite length.
    takes_ber: bool,
    kind: Promise,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Promise {
    Unknown,
    /// DER of this length in all.
    Der(u64),
    /// BER of an unknown length.
    Ber,
    /// Text in which PEM has begun or may still begin.
    Text {
        has_begun: bool,
    },
}

impl BodySniffer {
    pub(crate) const fn new(max: u64, of: EvidenceKind) -> Self {
        let takes_ber = matches!(of, EvidenceKind::Issuers);
        Self { head: Vec::new(), seen: 0, max, takes_ber, kind: Promise::Unknown }
    }

    /// The length that it announces.
    pub(crate) const fn length(&self) -> Option<u64> {
        match self.kind {
            Promise::Der(length) => Some(length),
            _ => None,
        }
    }

    /// Validates the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.seen = self.seen.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let is_der = matches!(self.kind, Promise::Der(_) | Promise::Ber);
        let scanned = self.head.len().saturating_sub(BEGIN.len());
        if !is_der && self.head.len() < PREAMBLE {
            let room = PREAMBLE - self.head.len();
            self.head.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        }
        self.promise(scanned)?;
        match self.kind {
            Promise::Der(length) if length > self.max => Err(Failure::too_large(self.max)),
            // A line end after it is accepted here: issuers do publish that, and the parser decides about it.
            Promise::Der(length) if self.seen > length.saturating_add(LINE_END) => {
                Err(Failure::malformed(format!("longer than the {length} bytes that it announces")))
            }
            Promise::Text { has_begun: false } if self.head.len() >= PREAMBLE => Err(no_evidence()),
            Promise::Text { .. } if self.seen > PEM_BYTES => Err(Failure::too_large(PEM_BYTES)),
            _ => Ok(()),
        }
    }

    /// `scanned` bytes of the beginning have been searched for PEM.
    fn promise(&mut self, scanned: usize) -> Result<(), Failure> {
        match self.kind {
            Promise::Der(_) | Promise::Ber | Promise::Text { has_begun: true } => return Ok(()),
            Promise::Unknown | Promise::Text { has_begun: false } => {}
        }
        self.kind = match self.head.as_slice() {
            [] | [0x30] => Promise::Unknown,
            // Certificates may be in a bag in BER (RFC 5280 4.2.2.1), whose length need not be given.
            [0x30, 0x80, ..] if self.takes_ber => Promise::Ber,
            // The indefinite length of BER, which other evidence does not have.
            [0x30, 0x80, ..] => return Err(Failure::malformed("indefinite length")),
            [0x30, length @ 0..=0x7f, ..] => Promise::Der(u64::from(*length) + 2),
            [0x30, count @ 0x81..=0x88, rest @ ..] => {
                let count = usize::from(count & 0x7f);
                match rest.get(..count) {
                    Some(digits) => {
                        let length = digits.iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
                        let header = u64::try_from(count).unwrap_or(u64::MAX).saturating_add(2);
                        Promise::Der(length.saturating_add(header))
                    }
                    None => Promise::Unknown,
                }
            }
            [b'-' | b' ' | b'\t' | b'\r' | b'\n' | b'#' | b'A'..=b'Z' | b'a'..=b'z' | 0xef, ..] => {
                let fresh = self.head.get(scanned..).unwrap_or_default();
                let has_begun = fresh.windows(BEGIN.len()).any(|window| window == BEGIN);
                Promise::Text { has_begun }
            }
            _ => return Err(no_evidence()),
        };
        Ok(())
    }

    /// Validates that the body is complete.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match self.kind {
            Promise::Der(length) if self.seen < length => {
                Err(Failure::malformed(format!("cut short: {} bytes of {length}", self.seen)))
            }
            Promise::Der(_) | Promise::Ber | Promise::Text { has_begun: true } => Ok(()),
            Promise::Text { .. } | Promise::Unknown if self.seen == 0 => Err(Failure::malformed("empty")),
            Promise::Text { .. } | Promise::Unknown => Err(no_evidence()),
        }
    }
}

fn no_evidence() -> Failure {
    Failure::malformed("neither DER nor PEM")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniff(body: &[u8], max: u64) -> Result<(), &'static str> {
        // The result is the same for one byte after the other and for all at once.
        sniff_as(body, max, EvidenceKind::Crl)
    }

    fn sniff_as(body: &[u8], max: u64, of: EvidenceKind) -> Result<(), &'static str> {
        let mut slow = BodySniffer::new(max, of);
        let outcome = body.iter().try_for_each(|byte| slow.push(&[*byte])).and_then(|()| slow.finish());
        let mut fast = BodySniffer::new(max, of);
        let at_once = fast.push(body).and_then(|()| fast.finish());
        assert_eq!(outcome.is_ok(), at_once.is_ok(), "{body:?}");
        outcome.map_err(|failure| failure.cause.code())
    }

    #[test]
    fn bodies() {
        assert_eq!(sniff(&[0x30, 1, 0], 9), Ok(()));
        assert_eq!(sniff(&[0x30, 0x81, 2, 0, 0], 9), Ok(()));
        assert_eq!(sniff(b"text\n-----BEGIN X509 CRL-----\n", 99), Ok(()));
        assert_eq!(sniff(b"", 9), Err("malformed"));
        assert_eq!(sniff(&[0x30], 9), Err("malformed"));
        assert_eq!(sniff(&[0x30, 2, 0], 9), Err("malformed"));
        assert_eq!(sniff(&[0x30, 0, b'\r', b'\n'], 9), Ok(()));
        assert_eq!(sniff(&[0x30, 0, 0, 0, 0], 9), Err("malformed"));
        assert_eq!(sniff(&[0x30, 0x80, 0, 0], 9), Err("malformed"));
        assert_eq!(sniff(b"<html>", 9), Err("malformed"));
        assert_eq!(sniff(b"Hello, please log in", 99), Err("malformed"));
        assert_eq!(sniff(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], 9), Err("too-large"));
        assert_eq!(sniff(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 9), Err("too-large"));
        assert_eq!(sniff(&[b'a'; PREAMBLE + 1], 1 << 20), Err("malformed"));
        // A bag of certificates may be BER.
        assert_eq!(sniff_as(&[0x30, 0x80, 0, 0], 9, EvidenceKind::Issuers), Ok(()));
        assert_eq!(sniff_as(&[0x30, 0x80, 0, 0], 9, EvidenceKind::Ocsp), Err("malformed"));
    }
}
