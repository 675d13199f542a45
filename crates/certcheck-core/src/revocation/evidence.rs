//! Available evidence: CRLs and OCSP responses, parsed but not verified.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::CheckedCertificate;
use crate::crl::Crl;
use crate::der::ViewFault;
use crate::name_interner::NameInterner;
use crate::ocsp::{BasicResponse, Layout, OcspResponse, ResponderId, ResponseStatus, SingleResponse};
use crate::signature::memo::SignatureMemo;
use crate::status::Cause;
use crate::time::Time;
use crate::x509::{Certificate, Name};

/// The most issuers whose names are compared one by one.
const FEW: usize = 8;

/// The most responses without a certificate that are kept for reports.
const UNATTRIBUTED: usize = 16;

/// Evidence that cannot be parsed, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EvidenceFault {
    /// The URL or file from which it was read.
    pub source: Arc<str>,
    /// The fault.
    pub fault: ViewFault,
}

impl EvidenceFault {
    /// The fault of evidence from this source.
    #[must_use]
    pub fn new(source: &str, fault: ViewFault) -> Self {
        Self { source: source.into(), fault }
    }
}

impl fmt::Display for EvidenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.fault)
    }
}

impl core::error::Error for EvidenceFault {}

/// An OCSP response that has been parsed. It is not verified until it is used for a certificate.
#[derive(Debug)]
pub struct OcspEvidence {
    der: Bytes,
    source: Arc<str>,
    status: ResponseStatus,
    /// The contents of all serial numbers in it.
    serials: Vec<Box<[u8]>>,
    /// The earliest thisUpdate and nextUpdate in it.
    this_update: Option<Time>,
    next_update: Option<Time>,
    /// The positions of its parts, unless it is an error.
    layout: Option<Layout>,
    pub(super) keys: SignatureMemo,
    /// Whether an answer in it, or its responder, is of an issuer: the results of comparing hashes.
    hashes: SignatureMemo,
}

impl OcspEvidence {
    /// Parses a response in DER. `source` is its URL or file.
    ///
    /// # Errors
    /// The same as for [`OcspResponse::parse`].
    pub fn parse(der: Bytes, source: &str) -> Result<Self, ViewFault> {
        let response = OcspResponse::parse(&der)?;
        let answers = response.basic.iter().flat_map(BasicResponse::responses);
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        let serials = answers.iter().map(|single| single.cert_id.serial.into()).collect();
        let this_update = answers.iter().map(|single| single.this_update).min();
        let next_update = answers.iter().filter_map(|single| single.next_update).min();
        let layout = response.basic.as_ref().map(|basic| Layout::of(&der, basic));
        let status = response.status;
        let (keys, hashes) = (SignatureMemo::default(), SignatureMemo::default());
        Ok(Self {
            der,
            source: source.into(),
            status,
            serials,
            this_update,
            next_update,
            layout,
            keys,
            hashes,
        })
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

    /// The status of the response: successful, or an error.
    #[must_use]
    pub const fn status(&self) -> ResponseStatus {
        self.status
    }

    /// The earliest thisUpdate of its answers. `None` for an error.
    #[must_use]
    pub const fn this_update(&self) -> Option<Time> {
        self.this_update
    }

    /// The earliest nextUpdate of its answers, if one has it.
    #[must_use]
    pub const fn next_update(&self) -> Option<Time> {
        self.next_update
    }

    /// The content, not verified. `None` for an error.
    #[must_use]
    pub fn basic(&self) -> Option<BasicResponse<'_>> {
        // It was parsed when it was added.
        self.layout.as_ref()?.view(&self.der)
    }

    /// Whether this answer is for this certificate.
    ///
    /// RFC 6960 3.2 (1).
    #[doc(alias = "RFC 6960 section 3.2(1)")]
    pub(super) fn is_about(&self, single: &SingleResponse<'_>, checked: &CheckedCertificate<'_, '_>) -> bool {
        let (certificate, issuer) = (checked.certificate, checked.issuer);
        let at = self.place(single.cert_id.name_hash);
        let of = [certificate.issuer().raw(), issuer.spki_raw()];
        single.cert_id.serial == certificate.serial().bytes()
            && self.hashes.memoize(at, of, || single.cert_id.is_hashed(certificate.issuer(), issuer))
    }

    /// Whether this certificate is its responder.
    ///
    /// RFC 6960 3.2 (3).
    #[doc(alias = "RFC 6960 section 3.2(3)")]
    pub(super) fn is_by(&self, responder: ResponderId<'_>, signer: &Certificate<'_>) -> bool {
        match responder {
            ResponderId::ByName(_) => responder.is(signer),
            ResponderId::ByKey(hash) => {
                self.hashes.memoize(self.place(hash), [signer.spki_raw(), &[]], || responder.is(signer))
            }
        }
    }

    /// Whether it has an answer, for any certificate.
    pub(super) const fn has_answers(&self) -> bool {
        !self.serials.is_empty()
    }

    /// Whether it has an answer for this serial number, of any issuer.
    pub(super) fn has_serial(&self, serial: &[u8]) -> bool {
        self.serials.iter().any(|known| **known == *serial)
    }

    fn place(&self, part: &[u8]) -> usize {
        part.as_ptr().addr().saturating_sub(self.der.as_ptr().addr())
    }
}

/// A collection of evidence. Nothing in it is used before its signature is verified for the certificate. This happens
/// once, and the result is remembered with the evidence.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The CRLs, grouped by issuer.
    crls: Vec<Vec<Arc<Crl>>>,
    /// Numbers for the issuers' names, if there are more than a few: the index of their group.
    names: NameInterner,
    /// The responses by serial number.
    responses: HashMap<Box<[u8]>, Vec<Arc<OcspEvidence>>>,
    /// Whether a responder returned an error. Errors are not signed, so they only explain why there is no answer.
    has_error: bool,
    /// Responses for no certificate: errors, and those without answers.
    unattributed: Vec<Arc<OcspEvidence>>,
    /// Evidence that cannot be parsed.
    faults: Vec<EvidenceFault>,
}

impl Evidence {
    /// A collection without evidence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a CRL.
    pub fn add_crl(&mut self, crl: Arc<Crl>) {
        let group = self.group_of(crl.issuer()).unwrap_or_else(|| {
            self.crls.push(Vec::new());
            // A few names are compared. If there are many, each gets a number.
            let unnumbered = if self.crls.len() == FEW + 1 { 0 } else { self.crls.len() - 1 };
            if self.crls.len() > FEW {
                for group in self.crls.iter().skip(unnumbered) {
                    self.names.add(group.first().unwrap_or(&crl).issuer());
                }
            }
            self.crls.len() - 1
        });
        if let Some(group) = self.crls.get_mut(group)
            && !group.iter().any(|known| Arc::ptr_eq(known, &crl) || known.der() == crl.der())
        {
            group.push(crl);
        }
    }

    fn group_of(&self, issuer: Name<'_>) -> Option<usize> {
        if self.crls.len() > FEW {
            return self.names.find(issuer).and_then(|group| usize::try_from(group).ok());
        }
        let position = |is_same: &dyn Fn(Name<'_>) -> bool| {
            self.crls.iter().position(|group| group.first().is_some_and(|crl| is_same(crl.issuer())))
        };
        // Nearly all names of one issuer are encoded alike.
        position(&|name| name.raw() == issuer.raw()).or_else(|| position(&|name| name.matches(issuer)))
    }

    /// Adds an OCSP response.
    pub fn add_ocsp(&mut self, response: &Arc<OcspEvidence>) {
        self.has_error |= response.status != ResponseStatus::Successful;
        let is_known = |known: &Arc<OcspEvidence>| known.der == response.der;
        if response.serials.is_empty()
            && self.unattributed.len() < UNATTRIBUTED
            && !self.unattributed.iter().any(is_known)
        {
            self.unattributed.push(Arc::clone(response));
        }
        for serial in &response.serials {
            let known = self.responses.entry(serial.clone()).or_default();
            if !known.iter().any(|known| known.der == response.der) {
                known.push(Arc::clone(response));
            }
        }
    }

    /// Records evidence that cannot be parsed. It is then the cause for certificates without other evidence.
    pub fn add_fault(&mut self, fault: EvidenceFault) {
        self.faults.push(fault);
    }

    /// The evidence that cannot be parsed.
    #[must_use]
    pub fn faults(&self) -> &[EvidenceFault] {
        &self.faults
    }

    /// Whether there is no evidence.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.crls.is_empty() && self.responses.is_empty()
    }

    /// Whether there is no evidence, and no fault that would explain it.
    pub(super) fn is_blank(&self) -> bool {
        self.is_empty() && !self.has_error && self.faults.is_empty()
    }

    /// Whether both have the same CRLs of this name and the same responses for this serial number, in the same order.
    pub(super) fn is_same_about(&self, other: &Self, issuer: Name<'_>, serial: &[u8]) -> bool {
        fn is_same<T>(ours: &[Arc<T>], theirs: &[Arc<T>]) -> bool {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| Arc::ptr_eq(a, b))
        }
        is_same(self.crls_of(issuer), other.crls_of(issuer))
            && is_same(self.responses_about(serial), other.responses_about(serial))
    }

    fn crls_of(&self, issuer: Name<'_>) -> &[Arc<Crl>] {
        self.group_of(issuer).and_then(|group| self.crls.get(group)).map_or(&[], Vec::as_slice)
    }

    fn responses_about(&self, serial: &[u8]) -> &[Arc<OcspEvidence>] {
        // Many collections have no responses, and then nothing is hashed.
        if self.responses.is_empty() {
            return &[];
        }
        self.responses.get(serial).map_or(&[], Vec::as_slice)
    }
}

/// The evidence that was given, and what has been fetched since.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtHand<'e> {
    stores: [Option<&'e Evidence>; 2],
}

impl<'e> AtHand<'e> {
    pub(super) const fn new(stores: [Option<&'e Evidence>; 2]) -> Self {
        Self { stores }
    }

    /// The CRLs of this issuer.
    pub(super) fn crls_of(self, issuer: Name<'_>) -> Group<'e> {
        Group(self.stores.map(|store| store.map_or(&[][..], |store| store.crls_of(issuer))))
    }

    /// The responses with an answer for this serial number, of any issuer.
    pub(super) fn responses_about(
        self,
        serial: &[u8],
    ) -> impl Iterator<Item = &'e OcspEvidence> + use<'e, '_> {
        self.stores
            .into_iter()
            .flatten()
            .flat_map(move |store| store.responses_about(serial))
            .map(AsRef::as_ref)
    }

    /// All pieces of evidence.
    pub(super) fn pieces(self) -> impl Iterator<Item = Piece<'e>> {
        let stores = || self.stores.into_iter().flatten();
        let crls = stores().flat_map(|store| store.crls.iter().flatten()).map(|crl| Piece::Crl(crl));
        let mut responses: Vec<&'e OcspEvidence> = stores()
            .flat_map(|store| store.responses.values().flatten().chain(&store.unattributed))
            .map(AsRef::as_ref)
            .collect();
        // In an order that does not depend on hashing. A response with answers for several certificates is one piece.
        responses.sort_by(|a, b| (a.source(), a.der()).cmp(&(b.source(), b.der())));
        responses.dedup_by(|a, b| core::ptr::eq(*a, *b));
        crls.chain(responses.into_iter().map(Piece::Ocsp))
    }

    /// The evidence that cannot be parsed.
    pub(super) fn faults(self) -> impl Iterator<Item = &'e EvidenceFault> {
        self.stores.into_iter().flatten().flat_map(|store| &store.faults)
    }

    /// Why there may be no evidence for a certificate.
    pub(super) fn cause_of_nothing(self) -> Cause {
        let stores = || self.stores.into_iter().flatten();
        if stores().any(|store| !store.faults.is_empty()) {
            Cause::Malformed
        } else if stores().any(|store| store.has_error) {
            Cause::ResponderError
        } else {
            Cause::NotTried
        }
    }
}

/// The CRLs of one issuer: complete CRLs and deltas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<'e>([&'e [Arc<Crl>]; 2]);

impl<'e> Group<'e> {
    pub(super) fn iter(self) -> impl Iterator<Item = &'e Crl> {
        self.0.into_iter().flatten().map(AsRef::as_ref)
    }
}

/// A piece of evidence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'e> {
    Crl(&'e Crl),
    Ocsp(&'e OcspEvidence),
}

impl Piece<'_> {
    /// Whether both have the same bytes from the same source.
    pub(super) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Crl(a), Self::Crl(b)) => core::ptr::eq(a, b),
            (Self::Ocsp(a), Self::Ocsp(b)) => core::ptr::eq(a, b),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_with_their_issuers_however_many_there_are() {
        let key = certcheck_testkit::Key::p256("groups");
        let crl = |n: usize, number: i64| {
            let crl = certcheck_testkit::crl::CrlBuilder::new(&format!("CN=Issuer {n}"));
            let der = crl.with([certcheck_testkit::crl::number(number)]).issue(&key);
            Arc::new(Crl::parse(der.into(), "test").unwrap())
        };
        for issuers in [1, FEW, FEW + 1, FEW + 2, 3 * FEW] {
            let mut evidence = Evidence::new();
            for number in [1, 2, 2] {
                (0..issuers).for_each(|n| evidence.add_crl(crl(n, number)));
            }
            for n in 0..issuers {
                let wanted = crl(n, 1);
                let found = evidence.crls_of(wanted.issuer());
                assert_eq!(found.len(), 2, "{n} of {issuers}");
                assert!(found.iter().all(|crl| crl.issuer().matches(wanted.issuer())));
            }
            assert!(evidence.crls_of(crl(issuers, 1).issuer()).is_empty());
        }
    }
}
