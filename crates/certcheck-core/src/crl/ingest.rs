//! From bytes to a CRL, all at once or as they arrive.

use bytes::{Bytes, BytesMut};

use super::entries::{CrlEntry, EntryScan, Scanned, serial_of, that_counts};
use super::index::{CrlIndex, IndexBuilder};
use super::memory::IndexAllocator;
use super::saved::{self, IndexFault, IndexTrust, Kept};
use super::view::{Head, Tail};
use super::{Crl, Parts, VerifiedCrl};
use crate::der::{Reader, Rule, ViewFault, read_header};
use crate::policy::Policy;
use crate::signature::memo::SignatureMemo;
use crate::x509::{GeneralNames, SubjectPublicKeyInfo};

impl Crl {
    /// Reads a CRL in DER. `source` is the URL or file it came from.
    ///
    /// # Errors
    /// Where and how the bytes break DER or the profile; a critical extension that is not known, anywhere in it.
    pub fn parse(der: Bytes, source: &str) -> Result<Self, ViewFault> {
        parse(&der, source)
    }

    /// Reads a CRL in DER and verifies it with a key meanwhile, on a second thread: for CRLs so large that hashing them
    /// takes as long as reading. Whether the key signed it is remembered with the CRL: [`Crl::verify`] tells at once.
    ///
    /// # Errors
    /// As [`Crl::parse`].
    pub fn parse_and_verify(
        der: Bytes,
        source: &str,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
    ) -> Result<Self, ViewFault> {
        Self::parse_and_verify_in(der, source, key, policy, None)
    }

    /// As [`Crl::parse_and_verify`], with the index in memory that is given.
    ///
    /// # Errors
    /// As [`Crl::parse`].
    pub fn parse_and_verify_in(
        der: Bytes,
        source: &str,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
        allocator: Option<IndexAllocator<'_>>,
    ) -> Result<Self, ViewFault> {
        parse_beside(&der, source, allocator, |crl| drop(crl.verify(key, policy).map(VerifiedCrl::crl)))
    }

    /// Opens a CRL with the index that [`Crl::index`] gave for it once, without reading its entries. Where that index is
    /// of no use, another is built, and why is told beside the CRL.
    ///
    /// # Errors
    /// As [`Crl::parse`]. Of a CRL whose index is taken, entries are not validated again.
    pub fn open(
        der: Bytes,
        index: &Bytes,
        source: &str,
        trust: IndexTrust,
    ) -> Result<(Self, Option<IndexFault>), ViewFault> {
        open(&der, index, source, trust)
    }

    /// As [`Crl::open`] with [`IndexTrust::Checked`], and verifies the CRL with a key meanwhile, on a second thread, as
    /// [`Crl::parse_and_verify`] does.
    ///
    /// # Errors
    /// As [`Crl::open`].
    pub fn open_and_verify(
        der: Bytes,
        index: &Bytes,
        source: &str,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
    ) -> Result<(Self, Option<IndexFault>), ViewFault> {
        let verify = |crl: &Self| drop(crl.verify(key, policy).map(VerifiedCrl::crl));
        open_beside(&der, index, source, verify)
    }
}

/// Entries that are looked at to guess how many there are.
const SAMPLE: usize = 256;
/// Entries for which room is made on the word of a header: 128 MiB, of which what is not used is never touched.
const MAX_GUESS: usize = 1 << 24;
/// How often an index is made again, larger or with another seed, before the CRL is refused.
const MAX_ATTEMPTS: u64 = 4;

/// The entries as they are read: what the index will be made of, and what an indirect CRL says of issuers.
struct Entries {
    scan: EntryScan,
    builder: IndexBuilder,
    issuers: Vec<(usize, Box<[u8]>)>,
}

impl Entries {
    fn new(head: &Head<'_>, available: &[u8], attempt: u64, allocator: Option<IndexAllocator<'_>>) -> Self {
        let (begin, end) = head.entries;
        let guess = guess_count(available, begin, end);
        Self {
            scan: EntryScan::new(begin, end),
            builder: IndexBuilder::new(guess, seed(head, attempt), allocator),
            issuers: Vec::new(),
        }
    }

    /// Reads on as far as the bytes go. True at the end of the list.
    fn advance(&mut self, document: &[u8]) -> Result<bool, ViewFault> {
        let Self { scan, builder, issuers } = self;
        scan.advance::<ViewFault>(document, |entry| {
            note_issuer(document, entry, issuers)?;
            let too_long =
                ViewFault { offset: entry.offset, field: "revokedCertificates", rule: Rule::TooLong };
            builder.add(entry.serial, u32::try_from(entry.offset).map_err(|_| too_long)?);
            Ok(())
        })
    }

    /// The index of all entries. A seed that is unlucky is changed, and the entries are read again.
    fn index(
        self,
        document: &[u8],
        head: &Head<'_>,
        allocator: Option<IndexAllocator<'_>>,
    ) -> Result<Indexed, ViewFault> {
        let mut entries = self;
        for attempt in 1..=MAX_ATTEMPTS {
            let Self { builder, issuers, .. } = entries;
            let count = builder.count();
            if let Ok(index) = builder.finish(allocator, |a, b| {
                is_same_entry(document, a, b, &issuers).then(|| that_counts(document, a, b))
            }) {
                return Ok(Indexed { index, count, issuers });
            }
            entries = Self::new(head, document, attempt, allocator);
            entries.advance(document)?;
        }
        let offset = head.entries.0;
        Err(ViewFault { offset, field: "revokedCertificates", rule: Rule::TooMany })
    }
}

/// Entries, ready to be asked.
struct Indexed {
    index: CrlIndex,
    count: usize,
    issuers: Vec<(usize, Box<[u8]>)>,
}

impl Indexed {
    /// For who does not look at entries.
    fn nothing() -> Self {
        Self { index: CrlIndex::kept(Bytes::new(), 0, 0), count: 0, issuers: Vec::new() }
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
    // Whatever ends the sample, the pass itself reports.
    let _: Result<bool, ViewFault> = scan.advance(available, |_| {
        seen += 1;
        if seen > SAMPLE { Err(enough) } else { Ok(()) }
    });
    let read = scan.position.saturating_sub(begin);
    if read == 0 {
        return SAMPLE.min((end - begin) / 20);
    }
    let guess = (end - begin).saturating_mul(seen) / read;
    (guess + guess / 32).min(MAX_GUESS)
}

/// Of an indirect CRL: the entry names the issuer that holds from here on (RFC 5280 5.3.3).
#[doc(alias = "RFC 5280 section 5.3.3")]
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
fn is_same_entry(document: &[u8], a: u32, b: u32, issuers: &[(usize, Box<[u8]>)]) -> bool {
    let (Ok(known), Ok(offset)) = (usize::try_from(a), usize::try_from(b)) else { return false };
    let serial_at = |offset: usize| document.get(offset..).and_then(serial_of);
    if serial_at(known) != serial_at(offset) {
        return false;
    }
    let issuer_at = |offset: usize| {
        let before = issuers.partition_point(|(from, _)| *from <= offset);
        before.checked_sub(1).and_then(|at| issuers.get(at)).map(|(_, names)| names)
    };
    issuers.is_empty() || issuer_at(known) == issuer_at(offset)
}

/// CRLs of up to 4 GiB: offsets have four bytes.
fn check_length(length: usize) -> Result<(), ViewFault> {
    match u32::try_from(length) {
        Ok(_) => Ok(()),
        Err(_) => Err(ViewFault { offset: 0, field: "CertificateList", rule: Rule::TooLong }),
    }
}

/// The CRL without the line end behind it that some issuers publish: it is not signed and says nothing (deviation).
fn without_line_end(der: &Bytes) -> Bytes {
    let end = read_header(der).map_or(der.len(), |(_, header, length)| header.saturating_add(length));
    match der.get(end..) {
        Some(b"\n" | b"\r" | b"\r\n") => der.slice(..end),
        _ => der.clone(),
    }
}

pub(super) fn parse(der: &Bytes, source: &str) -> Result<Crl, ViewFault> {
    check_length(der.len())?;
    let der = &without_line_end(der);
    let head = Head::parse(der)?;
    let tail = Tail::parse(der, &head)?;
    let mut entries = Entries::new(&head, der, 0, None);
    entries.advance(der)?;
    let indexed = entries.index(der, &head, None)?;
    finish(der, source, &head, &tail, indexed)
}

/// As `parse`, and on a second thread what takes as long: `verify`, with the CRL as it is without its entries.
pub(super) fn parse_beside(
    der: &Bytes,
    source: &str,
    allocator: Option<IndexAllocator<'_>>,
    verify: impl FnOnce(&Crl) + Send,
) -> Result<Crl, ViewFault> {
    check_length(der.len())?;
    let der = &without_line_end(der);
    let head = Head::parse(der)?;
    let tail = Tail::parse(der, &head)?;
    let bare = finish(der, source, &head, &tail, Indexed::nothing())?;
    let indexed = beside(
        || verify(&bare),
        || {
            let mut entries = Entries::new(&head, der, 0, allocator);
            entries.advance(der)?;
            entries.index(der, &head, allocator)
        },
    )?;
    // What was learned of keys stays.
    let crl = finish(der, source, &head, &tail, indexed)?;
    Ok(Crl { keys: bare.keys, ..crl })
}

/// Does both, the first on a thread of its own. Where the system gives no thread, one after the other.
fn beside<T>(first: impl FnOnce() + Send, second: impl FnOnce() -> T) -> T {
    // The one that takes it runs it: a closure that cannot be spawned is gone.
    let first = std::sync::Mutex::new(Some(first));
    let run = || {
        let taken = first.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(first) = taken {
            first();
        }
    };
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().spawn_scoped(scope, run);
        let outcome = second();
        if spawned.is_err() {
            run();
        }
        outcome
    })
}

/// With an index that was kept, or one built again where that is of no use.
pub(super) fn open(
    der: &Bytes,
    kept: &Bytes,
    source: &str,
    trust: IndexTrust,
) -> Result<(Crl, Option<IndexFault>), ViewFault> {
    check_length(der.len())?;
    let der = &without_line_end(der);
    let head = Head::parse(der)?;
    let tail = Tail::parse(der, &head)?;
    match saved::open(der, kept, trust) {
        Ok(Kept { index, count, issuers }) => {
            finish(der, source, &head, &tail, Indexed { index, count, issuers }).map(|crl| (crl, None))
        }
        Err(fault) => parse(der, source).map(|crl| (crl, Some(fault))),
    }
}

/// As `open`, with the index checked, and on a second thread what takes as long: `verify`.
pub(super) fn open_beside(
    der: &Bytes,
    kept: &Bytes,
    source: &str,
    verify: impl FnOnce(&Crl) + Send,
) -> Result<(Crl, Option<IndexFault>), ViewFault> {
    check_length(der.len())?;
    let der = &without_line_end(der);
    let head = Head::parse(der)?;
    let tail = Tail::parse(der, &head)?;
    let bare = finish(der, source, &head, &tail, Indexed::nothing())?;
    let (crl, fault) = beside(|| verify(&bare), || open(der, kept, source, IndexTrust::Checked))?;
    Ok((Crl { keys: bare.keys, ..crl }, fault))
}

/// RFC 5280 5.3.3.
#[doc(alias = "RFC 5280 section 5.3.3")]
fn finish(
    der: &Bytes,
    source: &str,
    head: &Head<'_>,
    tail: &Tail<'_>,
    indexed: Indexed,
) -> Result<Crl, ViewFault> {
    let Indexed { index, count, issuers } = indexed;
    let idp = tail.idp.unwrap_or_default();
    // 5.3.3: entries of other issuers are for indirect CRLs alone.
    if let (Some((offset, _)), false) = (issuers.first(), idp.indirect) {
        return Err(ViewFault { offset: *offset, field: "certificateIssuer", rule: Rule::UnknownChoice });
    }
    Ok(Crl {
        der: der.clone(),
        source: source.into(),
        version: head.version,
        this_update: head.this_update,
        next_update: head.next_update,
        entries: head.entries,
        count,
        number: tail.number.map(Into::into),
        base_number: tail.base_number.map(Into::into),
        parts: Parts::of(der, head, tail),
        is_indirect: idp.indirect,
        index,
        issuers,
        keys: SignatureMemo::default(),
    })
}

/// Reads a CRL while its bytes arrive: what is there has been checked and indexed when the last of it comes.
#[derive(Default)]
pub struct CrlReader {
    bytes: BytesMut,
    entries: Option<Entries>,
    is_done: bool,
}

impl CrlReader {
    /// Nothing has arrived.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and reads on.
    ///
    /// # Errors
    /// As [`Crl::parse`], as soon as the fault has arrived.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ViewFault> {
        self.bytes.extend_from_slice(bytes);
        check_length(self.bytes.len())?;
        if self.is_done {
            return Ok(());
        }
        if self.entries.is_none() {
            let head = match Head::parse(&self.bytes) {
                Ok(head) => head,
                Err(ViewFault { rule: Rule::Truncated, .. }) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            // A few entries make a better guess of how many there will be.
            if self.bytes.len() < head.entries.1.min(head.entries.0 + 16_384) {
                return Ok(());
            }
            self.entries = Some(Entries::new(&head, &self.bytes, 0, None));
        }
        if let Some(entries) = &mut self.entries {
            self.is_done = entries.advance(&self.bytes)?;
        }
        Ok(())
    }

    /// All bytes have arrived.
    ///
    /// # Errors
    /// As [`Crl::parse`].
    pub fn finish(self, source: &str) -> Result<Crl, ViewFault> {
        let der = without_line_end(&self.bytes.freeze());
        let head = Head::parse(&der)?;
        let tail = Tail::parse(&der, &head)?;
        let mut entries = match self.entries {
            Some(entries) => entries,
            None => Entries::new(&head, &der, 0, None),
        };
        entries.advance(&der)?;
        let indexed = entries.index(&der, &head, None)?;
        finish(&der, source, &head, &tail, indexed)
    }
}
