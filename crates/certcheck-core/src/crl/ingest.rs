//! From bytes to a CRL, either all at once or as they arrive.

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
    /// Parses a CRL in DER. `source` is its URL or file.
    ///
    /// # Errors
    /// Where and how the bytes violate DER or the profile, or an unknown critical extension anywhere in the CRL.
    pub fn parse(der: Bytes, source: &str) -> Result<Self, ViewFault> {
        parse(&der, source)
    }

    /// Parses a CRL in DER and verifies it with a key at the same time, on a second thread.
    ///
    /// This is for CRLs so large that hashing them takes as long as parsing. Whether the key signed the CRL is
    /// remembered with it, so that [`Crl::verify`] returns at once.
    ///
    /// # Errors
    /// The same as for [`Crl::parse`].
    pub fn parse_and_verify(
        der: Bytes,
        source: &str,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
    ) -> Result<Self, ViewFault> {
        Self::parse_and_verify_in(der, source, key, policy, None)
    }

    /// Like [`Crl::parse_and_verify`], with the index in the given memory.
    ///
    /// # Errors
    /// The same as for [`Crl::parse`].
    pub fn parse_and_verify_in(
        der: Bytes,
        source: &str,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
        allocator: Option<IndexAllocator<'_>>,
    ) -> Result<Self, ViewFault> {
        parse_beside(&der, source, allocator, |crl| drop(crl.verify(key, policy).map(VerifiedCrl::crl)))
    }

    /// Opens a CRL with an index that [`Crl::index`] returned for it, without parsing its entries.
    ///
    /// If the index cannot be used, a new one is built, and the reason is returned along with the CRL.
    ///
    /// # Errors
    /// The same as for [`Crl::parse`]. If the index is used, the entries are not validated again.
    pub fn open(
        der: Bytes,
        index: &Bytes,
        source: &str,
        trust: IndexTrust,
    ) -> Result<(Self, Option<IndexFault>), ViewFault> {
        open(&der, index, source, trust)
    }

    /// Like [`Crl::open`] with [`IndexTrust::Checked`], and verifies the CRL with a key at the same time, on a second
    /// thread, as [`Crl::parse_and_verify`] does.
    ///
    /// # Errors
    /// The same as for [`Crl::open`].
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

/// The entries from which their number is estimated.
const SAMPLE: usize = 256;
/// The most entries for which memory is reserved because of a header alone: 128 MiB, of which unused pages are never
/// touched.
const MAX_GUESS: usize = 1 << 24;
/// How often an index is built again, larger or with another seed, before the CRL is refused.
const MAX_ATTEMPTS: u64 = 4;

/// The entries during parsing: the items of the index, and the issuers in an indirect CRL.
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

    /// Parses as far as the bytes go. Returns true at the end of the list.
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

    /// Builds the index of all entries. If the seed is unlucky, it is changed, and the entries are parsed again.
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

/// The entries with their index.
struct Indexed {
    index: CrlIndex,
    count: usize,
    issuers: Vec<(usize, Box<[u8]>)>,
}

impl Indexed {
    /// An empty index, for callers that use no entries.
    fn nothing() -> Self {
        Self { index: CrlIndex::kept(Bytes::new(), 0, 0), count: 0, issuers: Vec::new() }
    }
}

/// The seed of the index. The same CRL always has the same index. To make serial numbers collide, an attacker must
/// choose them after everything else.
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

/// The estimated number of entries, from the length of the first ones.
fn guess_count(available: &[u8], begin: usize, end: usize) -> usize {
    let mut scan = EntryScan::new(begin, end);
    let mut seen = 0;
    let enough = ViewFault { offset: 0, field: "revokedCertificates", rule: Rule::TooMany };
    // The pass itself reports what ends the sample.
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

/// Records that an entry of an indirect CRL names the issuer for it and the entries that follow (RFC 5280 5.3.3).
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

/// Whether two entries have the same serial number and, in an indirect CRL, the same issuer.
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

/// Checks that the CRL has at most 4 GiB, because offsets have four bytes.
fn check_length(length: usize) -> Result<(), ViewFault> {
    match u32::try_from(length) {
        Ok(_) => Ok(()),
        Err(_) => Err(ViewFault { offset: 0, field: "CertificateList", rule: Rule::TooLong }),
    }
}

/// The CRL without a line end after it. Deviation: some issuers publish one. It is not signed and means nothing.
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

/// Like `parse`, and runs `verify` on a second thread, with the CRL without its entries. Both take about as long.
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
    // What was learned about keys is kept.
    let crl = finish(der, source, &head, &tail, indexed)?;
    Ok(Crl { keys: bare.keys, ..crl })
}

/// Runs both, the first on a thread of its own, or one after the other if the system gives no thread.
fn beside<T>(first: impl FnOnce() + Send, second: impl FnOnce() -> T) -> T {
    // The thread that takes it runs it. A closure that cannot be spawned would be lost.
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

/// Opens a CRL with a saved index, or builds a new one if it cannot be used.
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

/// Like `open`, with the index checked, and runs `verify` on a second thread.
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

/// Builds the CRL from its parts.
///
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
    // 5.3.3: only indirect CRLs may have entries of other issuers.
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

/// A parser for a CRL whose bytes arrive in pieces. When the last piece arrives, the rest has been checked and indexed.
#[derive(Default)]
pub struct CrlReader {
    bytes: BytesMut,
    entries: Option<Entries>,
    is_done: bool,
}

impl CrlReader {
    /// A reader without bytes so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, and parses them.
    ///
    /// # Errors
    /// The same as for [`Crl::parse`], as soon as the fault has arrived.
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
            // A few entries give a better estimate of their number.
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

    /// Finishes after all bytes have arrived.
    ///
    /// # Errors
    /// The same as for [`Crl::parse`].
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
