//! CRLs of any size and kind: parsed strictly in one pass, indexed, and used only after their signature is verified.
//!
//! The original bytes are kept, along with an index of about eight bytes per entry. An answer is read from the entry
//! itself.

mod entries;
mod index;
mod ingest;
#[cfg(feature = "fs")]
mod mapped;
mod memory;
mod saved;
mod view;

use core::hint::black_box;
use core::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

pub use entries::CrlEntry;
pub use ingest::CrlReader;
#[cfg(feature = "fs")]
pub use mapped::map;
pub use memory::{GivenMemory, IndexAllocator};
pub use saved::{IndexFault, IndexTrust};
pub use view::IssuingDistributionPoint;

use crate::budget::Budget;
use crate::der::{Reader, ViewFault};
use crate::oid::Oid;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::memo::SignatureMemo;
use crate::signature::{SignatureFault, Signed};
use crate::time::Time;
use crate::x509::{
    AccessDescriptions, AlgorithmIdentifier, DistributionPoints, GeneralName, GeneralNames, Name,
    SubjectPublicKeyInfo, Version,
};

use index::CrlIndex;
use view::{Head, Tail};

/// The length of an entry with a serial number of 16 bytes and no extensions.
const USUAL_ENTRY: usize = 35;

/// A certificate revocation list, parsed and indexed. It is not verified until it is used with a key: see
/// [`Crl::verify`].
#[derive(Debug)]
pub struct Crl {
    der: Bytes,
    source: Arc<str>,
    version: Version,
    this_update: Time,
    next_update: Option<Time>,
    entries: (usize, usize),
    count: usize,
    number: Option<Box<[u8]>>,
    base_number: Option<Box<[u8]>>,
    parts: Parts,
    is_indirect: bool,
    index: CrlIndex,
    /// For an indirect CRL: the offset from which each issuer applies (RFC 5280 5.3.3).
    issuers: Vec<(usize, Box<[u8]>)>,
    keys: SignatureMemo,
}

/// The positions of parts that are used often. They were parsed once, so that they can be parsed again.
#[derive(Clone, Debug)]
struct Parts {
    tbs: Range<usize>,
    /// The name with its header.
    issuer: Range<usize>,
    /// The content of AlgorithmIdentifier.
    algorithm: Range<usize>,
    signature: Range<usize>,
    authority_key: Option<Range<usize>>,
    /// The bodies of extensions.
    idp: Option<Range<usize>>,
    freshest: Option<Range<usize>>,
    access: Option<Range<usize>>,
}

impl Parts {
    fn of(document: &[u8], head: &Head<'_>, tail: &Tail<'_>) -> Self {
        let place = |part: &[u8]| {
            let from = part.as_ptr().addr().saturating_sub(document.as_ptr().addr());
            from..from + part.len()
        };
        Self {
            tbs: head.tbs.0..head.tbs.1,
            issuer: place(head.issuer.raw()),
            algorithm: place(head.algorithm.content),
            signature: tail.signature.0..tail.signature.1,
            authority_key: tail.authority_key.map(place),
            idp: tail.idp.map(|_| place(tail.idp_bytes)),
            freshest: tail.freshest.map(place),
            access: tail.access.map(place),
        }
    }
}

impl Crl {
    /// The index, to be saved next to the CRL for [`Crl::open`].
    #[must_use]
    pub fn index(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.index.size() + 256);
        // Writing to memory cannot fail.
        drop(self.write_index(&mut out));
        out
    }

    /// Writes the index of [`Crl::index`] without a second copy in memory.
    ///
    /// # Errors
    /// An error of the writer.
    pub fn write_index(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        saved::save(&self.der, &self.index, self.count, &self.issuers, out)
    }

    /// Records without verification that this key signed the CRL. For callers that verified it before, and stored CRL
    /// and key where nobody else can have changed them.
    pub fn assume_signed_with(&self, key: SubjectPublicKeyInfo<'_>) {
        self.keys.remember(self.parts.tbs.start, key, true);
    }

    /// The keys, as SubjectPublicKeyInfo, that are known to have signed it.
    pub fn known_signers(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.good(self.parts.tbs.start)
    }

    /// Whether another CRL replaces this one because it is newer: same issuer, scope and kind, known to be signed with
    /// the same key, and with a higher number or a later time. A CRL without a verified signature replaces nothing.
    ///
    /// RFC 5280 5.2.3.
    #[doc(alias = "RFC 5280 section 5.2.3")]
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        let is_same_series = self.issuer().matches(other.issuer())
            && self.scope() == other.scope()
            && self.base_number.is_some() == other.base_number.is_some();
        let by_number = match (self.number(), other.number()) {
            (Some(own), Some(other)) => compare_numbers(own, other),
            _ => core::cmp::Ordering::Equal,
        };
        // A higher number with an earlier time is not newer.
        is_same_series
            && by_number.then(self.this_update.cmp(&other.this_update)).is_lt()
            && self.this_update <= other.this_update
            && self.known_signers().any(|key| other.known_signers().any(|theirs| theirs == key))
    }

    /// The original bytes.
    #[must_use]
    pub const fn der(&self) -> &Bytes {
        &self.der
    }

    /// The URL or file from which it was read.
    #[must_use]
    pub const fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The version (RFC 5280 5.1.2.1).
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The thisUpdate (RFC 5280 5.1.2.4).
    #[must_use]
    pub const fn this_update(&self) -> Time {
        self.this_update
    }

    /// The nextUpdate (RFC 5280 5.1.2.5). The profile requires it. Without it, a CRL can be used for the policy's
    /// `max_age`.
    #[must_use]
    pub const fn next_update(&self) -> Option<Time> {
        self.next_update
    }

    /// The number of listed certificates.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether no certificate is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The content of the cRLNumber (RFC 5280 5.2.3).
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.number.as_deref()
    }

    /// The content of BaseCRLNumber, if this is a delta CRL (RFC 5280 5.2.4).
    #[must_use]
    pub fn base_number(&self) -> Option<&[u8]> {
        self.base_number.as_deref()
    }

    /// The memory in addition to the DER, in bytes.
    #[must_use]
    pub fn overhead(&self) -> usize {
        let issuers: usize = self.issuers.iter().map(|(_, bytes)| bytes.len() + 24).sum();
        self.index.size() + issuers + size_of::<Self>()
    }

    fn part(&self, place: &Range<usize>) -> &[u8] {
        self.der.get(place.clone()).unwrap_or_default()
    }

    /// The issuer's name (RFC 5280 5.1.2.3).
    #[must_use]
    pub fn issuer(&self) -> Name<'_> {
        Name::reread(self.part(&self.parts.issuer))
    }

    fn algorithm(&self) -> AlgorithmIdentifier<'_> {
        AlgorithmIdentifier::reread(self.part(&self.parts.algorithm))
    }

    /// The object identifier of the signature algorithm.
    #[must_use]
    pub fn signature_algorithm(&self) -> Oid<'_> {
        self.algorithm().oid
    }

    /// The issuingDistributionPoint (RFC 5280 5.2.5), if the CRL has it.
    ///
    /// # Errors
    /// None in practice: [`Crl::parse`] has parsed it. The same applies to the methods below.
    pub fn issuing_distribution_point(&self) -> Result<Option<IssuingDistributionPoint<'_>>, ViewFault> {
        self.parts.idp.as_ref().map(|idp| IssuingDistributionPoint::parse(self.reader(idp))).transpose()
    }

    /// The body of issuingDistributionPoint, empty if there is none. CRLs with the same body have the same scope.
    #[must_use]
    pub fn scope(&self) -> &[u8] {
        self.parts.idp.as_ref().map_or(&[], |idp| self.part(idp))
    }

    /// The keyIdentifier of authorityKeyIdentifier (RFC 5280 5.2.1), which is a hint.
    #[must_use]
    pub fn authority_key(&self) -> Option<&[u8]> {
        self.parts.authority_key.as_ref().map(|key| self.part(key))
    }

    /// The distribution points of its delta CRLs (RFC 5280 5.2.6).
    ///
    /// # Errors
    /// None in practice, as [`Crl::issuing_distribution_point`].
    #[doc(alias = "RFC 5280 section 5.2.6")]
    pub fn freshest_crl(&self) -> Result<Option<DistributionPoints<'_>>, ViewFault> {
        self.parts
            .freshest
            .as_ref()
            .map(|points| DistributionPoints::of_body(self.reader(points)))
            .transpose()
    }

    /// The locations of its issuer's certificates (RFC 5280 5.2.7).
    ///
    /// # Errors
    /// None in practice, as [`Crl::issuing_distribution_point`].
    pub fn authority_info_access(&self) -> Result<Option<AccessDescriptions<'_>>, ViewFault> {
        self.parts.access.as_ref().map(|access| AccessDescriptions::of_body(self.reader(access))).transpose()
    }

    fn reader(&self, place: &Range<usize>) -> Reader<'_> {
        Reader::at(self.part(place), place.start)
    }

    /// The signed bytes.
    pub(crate) fn tbs(&self) -> &[u8] {
        self.part(&self.parts.tbs)
    }

    /// Verifies the signature with a key, once: the result is remembered with the CRL.
    ///
    /// RFC 5280 5.1.1.3.
    #[doc(alias = "RFC 5280 section 5.1.1.3")]
    pub(crate) fn verify_with<'a>(
        &'a self,
        key: SubjectPublicKeyInfo<'a>,
        policy: &Policy,
        budget: &mut Budget<'_>,
    ) -> Result<VerifiedCrl<'a>, SignatureFault> {
        let algorithm = self.algorithm();
        let signed = Signed { message: self.tbs(), algorithm, signature: self.part(&self.parts.signature) };
        self.keys.verify(self.parts.tbs.start, signed, key, &policy.signatures, budget)?;
        Ok(VerifiedCrl { crl: self, key })
    }

    /// Verifies the signature with a key, for callers that inspect a single CRL.
    ///
    /// # Errors
    /// Why it does not verify.
    pub fn verify<'a>(
        &'a self,
        key: SubjectPublicKeyInfo<'a>,
        policy: &Policy,
    ) -> Result<VerifiedCrl<'a>, Reason> {
        self.verify_with(key, policy, &mut Budget::new(&policy.limits)).map_err(Reason::from)
    }

    /// All entries in order, not verified. For callers that inspect a CRL.
    pub fn entries(&self) -> impl Iterator<Item = Result<CrlEntry<'_>, ViewFault>> {
        let (from, to) = self.entries;
        let mut rest = Reader::at(self.der.get(from..to).unwrap_or_default(), from);
        core::iter::from_fn(move || if rest.is_empty() { None } else { Some(CrlEntry::parse(&mut rest)) })
    }

    /// The entry of a serial number among those of this issuer. The signature is not checked. For callers that inspect or
    /// compare CRLs. `None` as issuer is the CRL's own. Trusted answers come from [`VerifiedCrl::find`].
    #[must_use]
    pub fn find_unverified(
        &self,
        serial: &[u8],
        issuer: Option<Name<'_>>,
    ) -> Option<Result<CrlEntry<'_>, ViewFault>> {
        self.find(serial, issuer)
    }

    /// The entry of a serial number among those of this issuer. `None` as issuer is the CRL's own.
    pub(crate) fn find(
        &self,
        serial: &[u8],
        issuer: Option<Name<'_>>,
    ) -> Option<Result<CrlEntry<'_>, ViewFault>> {
        let offset = self.find_offset(serial, issuer)?;
        Some(CrlEntry::parse(&mut self.reader_at(offset)?))
    }

    fn find_offset(&self, serial: &[u8], issuer: Option<Name<'_>>) -> Option<u32> {
        self.index.find(
            serial,
            !self.is_indirect,
            |offset| {
                self.serial_at(offset) == Some(serial) && (!self.is_indirect || self.is_of(offset, issuer))
            },
            |a, b| entries::that_counts(&self.der, a, b),
        )
    }

    fn reader_at(&self, offset: u32) -> Option<Reader<'_>> {
        let offset = usize::try_from(offset).ok()?;
        self.der.get(offset..self.entries.1).map(|rest| Reader::at(rest, offset))
    }

    fn serial_at(&self, offset: u32) -> Option<&[u8]> {
        let offset = usize::try_from(offset).ok().filter(|offset| *offset >= self.entries.0)?;
        let rest = self.der.get(offset..self.entries.1)?;
        // An entry may be in two cache lines, and the positions of its later fields are only known from the first one.
        // Both are requested at once.
        black_box(rest.get(USUAL_ENTRY).copied());
        entries::serial_of(rest)
    }

    /// Whether the entry at this offset is for a certificate of this issuer (RFC 5280 5.3.3).
    #[doc(alias = "RFC 5280 section 5.3.3")]
    fn is_of(&self, offset: u32, issuer: Option<Name<'_>>) -> bool {
        let Ok(offset) = usize::try_from(offset) else { return false };
        let before = self.issuers.partition_point(|(from, _)| *from <= offset);
        let named = before.checked_sub(1).and_then(|at| self.issuers.get(at));
        match (named, issuer) {
            // Before the first certificateIssuer, entries are for certificates of the CRL's issuer.
            (None, None) => true,
            (None, Some(issuer)) => self.issuer().matches(issuer),
            (Some((_, names)), issuer) => {
                let issuer = issuer.unwrap_or_else(|| self.issuer());
                let mut names = GeneralNames::new(Reader::new(names), "certificateIssuer");
                names.any(|name| matches!(name, Ok(GeneralName::Directory(name)) if name.matches(issuer)))
            }
        }
    }
}

/// A CRL whose signature was verified with the key of its issuer. Only this form gives answers.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedCrl<'a> {
    crl: &'a Crl,
    key: SubjectPublicKeyInfo<'a>,
}

impl<'a> VerifiedCrl<'a> {
    /// The CRL.
    #[must_use]
    pub const fn crl(self) -> &'a Crl {
        self.crl
    }

    /// The key that signed it.
    #[must_use]
    pub const fn key(self) -> SubjectPublicKeyInfo<'a> {
        self.key
    }

    /// The entry of a serial number among those of this issuer. `None` as issuer is the CRL's own. `None` as the result
    /// means that it is not listed. What that means depends on scope and time.
    #[must_use]
    pub fn find(self, serial: &[u8], issuer: Option<Name<'_>>) -> Option<Result<CrlEntry<'a>, ViewFault>> {
        self.crl.find(serial, issuer)
    }
}

/// Compares CRL numbers, which are minimal and not negative.
pub(crate) fn compare_numbers(a: &[u8], b: &[u8]) -> core::cmp::Ordering {
    let magnitude = |bytes: &[u8]| bytes.iter().position(|byte| *byte != 0).map_or(0, |at| bytes.len() - at);
    let (long_a, long_b) = (magnitude(a), magnitude(b));
    let (a, b) = (a.get(a.len() - long_a..), b.get(b.len() - long_b..));
    long_a.cmp(&long_b).then_with(|| a.cmp(&b))
}
