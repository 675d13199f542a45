//! From octets to a CRL, all at once or as they arrive.

use bytes::{Bytes, BytesMut};

use super::entries::{CrlEntry, EntryScan, Scanned};
use super::index::{BATCH, Full, IndexBuilder};
use super::view::{Head, Tail};
use super::{Crl, Parts};
use crate::der::{Reader, Rule, ViewFault, tag};
use crate::tried_keys::TriedKeys;
use crate::view::GeneralNames;

/// Entries that are looked at to guess how many there are.
const SAMPLE: usize = 256;
/// How often an index is made anew, larger or with another seed, before the CRL is refused.
const MAX_ATTEMPTS: u64 = 4;

/// Why a pass ended early.
enum Stop {
    Fault(ViewFault),
    /// The index has no room.
    Full,
}

impl From<ViewFault> for Stop {
    fn from(fault: ViewFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Full> for Stop {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// The entries as they are read: the index and what an indirect CRL says of issuers.
struct Entries {
    scan: EntryScan,
    begin: usize,
    builder: IndexBuilder,
    count: usize,
    issuers: Vec<(usize, Box<[u8]>)>,
    attempt: u64,
}

impl Entries {
    fn new(head: &Head<'_>, available: &[u8]) -> Self {
        let (begin, end) = head.entries;
        let guess = guess_count(available, begin, end);
        Self {
            scan: EntryScan::new(begin, end),
            begin,
            builder: IndexBuilder::new(guess, seed(head, 0)),
            count: 0,
            issuers: Vec::new(),
            attempt: 0,
        }
    }

    /// Reads on as far as the octets go. True at the end of the list.
    fn advance(&mut self, document: &[u8], head: &Head<'_>) -> Result<bool, ViewFault> {
        loop {
            match self.pass(document) {
                Err(Stop::Full) if self.attempt < MAX_ATTEMPTS => self.begin_anew(document, head),
                Err(Stop::Full) => {
                    let offset = self.scan.position;
                    return Err(ViewFault { offset, field: "revokedCertificates", rule: Rule::TooMany });
                }
                Err(Stop::Fault(fault)) => return Err(fault),
                Ok(is_done) => return Ok(is_done),
            }
        }
    }

    fn pass(&mut self, document: &[u8]) -> Result<bool, Stop> {
        let Self { scan, builder, count, issuers, .. } = self;
        let mut batch = [(&[][..], 0); BATCH];
        let mut filled = 0;
        let is_done = scan.advance::<Stop>(document, |entry| {
            note_issuer(document, entry, issuers)?;
            let too_long =
                ViewFault { offset: entry.offset, field: "revokedCertificates", rule: Rule::TooLong };
            let offset = u32::try_from(entry.offset).map_err(|_| too_long)?;
            if let Some(to) = batch.get_mut(filled) {
                *to = (entry.serial, offset);
            }
            filled += 1;
            *count += 1;
            if filled == BATCH {
                filled = 0;
                builder.add(&batch, |known, entry| is_same_entry(document, known, entry, issuers))?;
            }
            Ok(())
        })?;
        let rest = batch.get(..filled).unwrap_or_default();
        builder.add(rest, |known, entry| is_same_entry(document, known, entry, issuers))?;
        Ok(is_done)
    }

    /// The guess was too low, or the seed unlucky.
    fn begin_anew(&mut self, document: &[u8], head: &Head<'_>) {
        self.attempt += 1;
        let (begin, end) = head.entries;
        let seen = self.count.max(guess_count(document, begin, end));
        let read = self.scan.position.saturating_sub(begin).max(1);
        let expected = seen.max(self.count.saturating_mul(end - begin) / read);
        let room = expected + expected / 4 * usize::try_from(self.attempt).unwrap_or(4);
        self.builder = IndexBuilder::new(room, seed(head, self.attempt));
        self.scan = EntryScan::new(self.begin, end);
        self.count = 0;
        self.issuers.clear();
    }
}

/// The same CRL always gets the same index; who wants serials to collide must choose them after all else.
fn seed(head: &Head<'_>, attempt: u64) -> u64 {
    let times =
        head.this_update.unix().wrapping_mul(31).wrapping_add(head.next_update.map_or(0, |time| time.unix()));
    let lengths = u64::try_from(head.end).unwrap_or(0);
    times
        .cast_unsigned()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(lengths)
        .rotate_left(17)
        .wrapping_add(attempt)
}

/// How many entries there will be, by the length of the first.
fn guess_count(available: &[u8], begin: usize, end: usize) -> usize {
    let mut scan = EntryScan::new(begin, end);
    let mut seen = 0;
    let enough = ViewFault { offset: 0, field: "revokedCertificates", rule: Rule::TooMany };
    // Whatever ends the sample, the pass itself will judge.
    let _: Result<bool, ViewFault> = scan.advance(available, |_| {
        seen += 1;
        if seen > SAMPLE { Err(enough) } else { Ok(()) }
    });
    let read = scan.position.saturating_sub(begin);
    if read == 0 {
        return SAMPLE.min((end - begin) / 20);
    }
    let guess = (end - begin).saturating_mul(seen) / read;
    guess + guess / 32
}

/// Of an indirect CRL: the entry names the issuer that holds from here on (RFC 5280 5.3.3).
fn note_issuer(
    document: &[u8],
    entry: Scanned<'_>,
    issuers: &mut Vec<(usize, Box<[u8]>)>,
) -> Result<(), ViewFault> {
    if !entry.has_issuer {
        return Ok(());
    }
    let rest = document.get(entry.offset..).unwrap_or_default();
    let whole = CrlEntry::parse(&mut Reader::at(rest, entry.offset))?;
    if let Some(names) = whole.certificate_issuer {
        GeneralNames::new(names, "certificateIssuer").check()?;
        issuers.push((entry.offset, names.rest().into()));
    }
    Ok(())
}

/// The same serial, and in an indirect CRL the same issuer.
fn is_same_entry(document: &[u8], known: u32, entry: (&[u8], u32), issuers: &[(usize, Box<[u8]>)]) -> bool {
    let (Ok(known), Ok(offset)) = (usize::try_from(known), usize::try_from(entry.1)) else { return false };
    if document.get(known..).and_then(serial_of) != Some(entry.0) {
        return false;
    }
    let issuer_at = |offset: usize| {
        let before = issuers.partition_point(|(from, _)| *from <= offset);
        before.checked_sub(1).and_then(|at| issuers.get(at)).map(|(_, names)| names)
    };
    issuers.is_empty() || issuer_at(known) == issuer_at(offset)
}

/// The serial of the entry that begins here.
#[inline]
pub(super) fn serial_of(rest: &[u8]) -> Option<&[u8]> {
    if let [tag::SEQUENCE, 0..=0x7f, tag::INTEGER, length @ 0..=0x7f, serial @ ..] = rest {
        return serial.get(..usize::from(*length));
    }
    let mut fields = Reader::new(rest).sequence("revokedCertificates").ok()?;
    fields.expect(tag::INTEGER, "revokedCertificates").ok().map(|tlv| tlv.value)
}

pub(super) fn parse(der: Bytes, source: &str) -> Result<Crl, ViewFault> {
    if u32::try_from(der.len()).is_err() {
        return Err(ViewFault { offset: 0, field: "CertificateList", rule: Rule::TooLong });
    }
    let head = Head::parse(&der)?;
    let tail = Tail::parse(&der, &head)?;
    let mut entries = Entries::new(&head, &der);
    entries.advance(&der, &head)?;
    finish(&der, source, &head, &tail, entries)
}

fn finish(
    der: &Bytes,
    source: &str,
    head: &Head<'_>,
    tail: &Tail<'_>,
    entries: Entries,
) -> Result<Crl, ViewFault> {
    let idp = tail.idp.unwrap_or_default();
    // 5.3.3: entries of other issuers are for indirect CRLs alone.
    if let (Some((offset, _)), false) = (entries.issuers.first(), idp.indirect) {
        return Err(ViewFault { offset: *offset, field: "certificateIssuer", rule: Rule::UnknownChoice });
    }
    Ok(Crl {
        der: der.clone(),
        source: source.into(),
        version: head.version,
        this_update: head.this_update,
        next_update: head.next_update,
        entries: head.entries,
        count: entries.count,
        number: tail.number.map(Into::into),
        base_number: tail.base_number.map(Into::into),
        parts: Parts::of(der, head, tail),
        is_indirect: idp.indirect,
        index: entries.builder.finish(),
        issuers: entries.issuers,
        keys: TriedKeys::default(),
    })
}

/// Reads a CRL while its octets arrive: what is there has been checked and indexed when the last of it comes.
#[derive(Default)]
pub struct CrlReader {
    octets: BytesMut,
    entries: Option<Entries>,
    is_done: bool,
}

impl CrlReader {
    /// Nothing has arrived.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets and reads on.
    ///
    /// # Errors
    /// As [`Crl::parse`], as soon as the fault has arrived.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), ViewFault> {
        self.octets.extend_from_slice(octets);
        if u32::try_from(self.octets.len()).is_err() {
            return Err(ViewFault { offset: 0, field: "CertificateList", rule: Rule::TooLong });
        }
        if self.is_done {
            return Ok(());
        }
        let head = match Head::parse(&self.octets) {
            Ok(head) => head,
            Err(ViewFault { rule: Rule::Truncated, .. }) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        // A few entries make a better guess of how many there will be.
        if self.entries.is_none() && self.octets.len() < head.entries.1.min(head.entries.0 + 16_384) {
            return Ok(());
        }
        let entries = self.entries.get_or_insert_with(|| Entries::new(&head, &self.octets));
        self.is_done = entries.advance(&self.octets, &head)?;
        Ok(())
    }

    /// All octets have arrived.
    ///
    /// # Errors
    /// As [`Crl::parse`].
    pub fn finish(self, source: &str) -> Result<Crl, ViewFault> {
        let der = self.octets.freeze();
        let head = Head::parse(&der)?;
        let tail = Tail::parse(&der, &head)?;
        let mut entries = match self.entries {
            Some(entries) => entries,
            None => Entries::new(&head, &der),
        };
        entries.advance(&der, &head)?;
        finish(&der, source, &head, &tail, entries)
    }
}
