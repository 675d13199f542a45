//! Key rings: trusted certificates, certificates that help to build paths, and distrusted certificates.
//!
//! A ring is built once and never changes. Certificates are looked up by the name of their subject. Names that match
//! (RFC 5280 7.1) share a number, so that path building compares numbers.

mod anchor;
mod builder;
#[cfg(feature = "fs")]
#[expect(
    clippy::disallowed_methods,
    reason = "loading a ring is the only thing that reads files, and no check does"
)]
mod directory;
mod fault;
mod no_anchor;
mod self_signed;
#[cfg(feature = "fs")]
mod settings;

use std::collections::HashSet;
use std::sync::Arc;

pub use anchor::AnchorConstraints;
pub use builder::{Placement, RingBuilder};
pub use fault::{RingError, RingFault, SettingsFault};
pub use no_anchor::NoAnchor;

use crate::key;
pub(crate) use crate::name_interner::NameId;
use crate::name_interner::NameInterner;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{self, Signed};
use crate::x509::{Certificate, Name, OwnedCertificate};

/// The role of a certificate in a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// A trust anchor: a path may end at it.
    Anchor,
    /// A CA certificate that a path may contain, if the path ends at an anchor.
    Intermediate,
    /// A certificate that no path may contain (NOTRUST in RACF).
    Distrusted,
}

impl Role {
    /// The stable code: `anchor`, `intermediate`, `distrusted`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Intermediate => "intermediate",
            Self::Distrusted => "distrusted",
        }
    }
}

/// One certificate of a ring.
#[derive(Clone, Debug)]
pub struct RingCertificate {
    pub(crate) certificate: OwnedCertificate,
    pub(crate) role: Role,
    pub(crate) constraints: AnchorConstraints,
    pub(crate) is_self_signed: bool,
    pub(crate) is_promoted: bool,
    pub(crate) issuer: NameId,
    pub(crate) subject: NameId,
    pub(crate) source: Arc<str>,
}

impl RingCertificate {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> Certificate<'_> {
        self.certificate.view()
    }

    /// Its role in the ring.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The constraints from the ring's settings on paths that end at it.
    #[must_use]
    pub const fn constraints(&self) -> &AnchorConstraints {
        &self.constraints
    }

    /// Whether it is self-signed: it names no other key as its issuer's, and its signature verifies with its own key,
    /// if that can be checked.
    #[must_use]
    pub const fn is_self_signed(&self) -> bool {
        self.is_self_signed
    }

    /// Whether it is an anchor only because its issuer is not in a flat ring. Removing the issuer from the ring can
    /// cause this, so programs that load rings should report it.
    #[must_use]
    pub const fn is_promoted(&self) -> bool {
        self.is_promoted
    }

    /// Why a policy rejects its key, or the algorithm of its signature, if it does. The signature of a self-signed
    /// anchor is not considered.
    #[must_use]
    pub fn weakness(&self, policy: &Policy) -> Option<Reason> {
        let certificate = self.certificate();
        let key = key::check_whole(certificate.spki(), &policy.signatures).err();
        let by_hash =
            || signature::hash_strength(certificate.signature_algorithm(), &policy.signatures).err();
        key.or_else(|| if self.is_self_signed { None } else { by_hash() })
    }

    /// Why its own signature cannot be verified: it is self-issued, and its signature algorithm is not supported. In a
    /// flat ring, this keeps it from being an anchor. `None` if the signature can be verified.
    #[must_use]
    pub fn unverifiable(&self, policy: &Policy) -> Option<Reason> {
        if self.is_self_signed || self.issuer != self.subject || self.role != Role::Intermediate {
            return None;
        }
        let certificate = self.certificate();
        let signed = Signed {
            message: certificate.tbs(),
            algorithm: certificate.signature_algorithm(),
            signature: certificate.signature(),
        };
        let refused = signature::select_verifier(signed, certificate.spki(), &policy.signatures).err()?;
        matches!(refused, Reason::UnsupportedAlgorithm { .. }).then_some(refused)
    }

    /// The file or other source from which it was read.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// A key ring. It has at least one anchor: a [`RingBuilder`] without one returns [`RingFault::NoAnchor`].
#[derive(Clone, Debug)]
pub struct KeyRing {
    certificates: Vec<RingCertificate>,
    names: NameInterner,
    /// The certificates with each subject that a path may contain, by name.
    by_subject: Vec<Vec<u32>>,
    distrusted: Distrust,
    skipped: Vec<RingError>,
}

impl KeyRing {
    /// The parts that could not be parsed and were skipped ([`RingBuilder::skip_unreadable`]).
    #[must_use]
    pub fn skipped(&self) -> &[RingError] {
        &self.skipped
    }

    /// All certificates of the ring, in the order in which they were added.
    #[must_use]
    pub fn certificates(&self) -> &[RingCertificate] {
        &self.certificates
    }

    /// The anchors.
    pub fn anchors(&self) -> impl Iterator<Item = &RingCertificate> {
        self.certificates.iter().filter(|entry| entry.role == Role::Anchor)
    }

    /// The number of a name, if the ring has it.
    pub(crate) fn name_id(&self, name: Name<'_>) -> Option<NameId> {
        self.names.find(name)
    }

    /// Like [`KeyRing::name_id`], for a name whose [`Name::plain_hash`] is known.
    pub(crate) fn name_id_hashed(&self, name: Name<'_>, plain_hash: Option<u64>) -> Option<NameId> {
        self.names.find_hashed(name, plain_hash)
    }

    /// Like [`KeyRing::name_id`], for a name whose form is known.
    pub(crate) fn name_id_of_form(&self, name: Name<'_>, form: &[u8]) -> Option<NameId> {
        self.names.find_form(name, form)
    }

    /// How many names have numbers. It is also the first number that is free for others.
    pub(crate) fn name_count(&self) -> NameId {
        self.names.count()
    }

    /// The anchors and intermediates of this subject.
    pub(crate) fn by_subject(&self, name: NameId) -> &[u32] {
        usize::try_from(name).ok().and_then(|at| self.by_subject.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The distrusted certificates of this subject.
    pub(crate) fn distrusted_by_subject(&self, name: NameId) -> impl Iterator<Item = u32> {
        let entries = (0..).zip(&self.certificates);
        let named = entries.filter(move |(_, entry)| entry.role == Role::Distrusted && entry.subject == name);
        named.map(|(at, _)| at)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&RingCertificate> {
        usize::try_from(index).ok().and_then(|at| self.certificates.get(at))
    }

    /// The position of an entry in this ring.
    pub(crate) fn place(&self, entry: &RingCertificate) -> Option<usize> {
        let is_it = |at: &usize| self.certificates.get(*at).is_some_and(|known| core::ptr::eq(known, entry));
        let named = self.by_subject(entry.subject).iter().filter_map(|at| usize::try_from(*at).ok());
        named.chain(0..self.certificates.len()).find(is_it)
    }

    /// Whether the ring distrusts this certificate.
    ///
    /// A CA is recognised by subject and key, no matter which CA certified it, and any other certificate by issuer and serial number.
    /// Comparing whole certificates would not be enough, because anyone can convert an ECDSA signature into a second
    /// valid form.
    #[must_use]
    pub fn distrusts(&self, certificate: &Certificate<'_>) -> bool {
        self.distrusted.has(certificate)
    }
}

/// The distrusted certificates.
#[derive(Clone, Debug, Default)]
struct Distrust {
    /// The normalized issuer and the serial number.
    by_serial: HashSet<(Vec<u8>, Box<[u8]>)>,
    /// The normalized subject and the key.
    by_key: HashSet<(Vec<u8>, Box<[u8]>)>,
}

impl Distrust {
    fn add(&mut self, certificate: &Certificate<'_>) {
        self.by_serial.insert((certificate.issuer().normalized(), certificate.serial().bytes().into()));
        if certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
            || certificate.is_self_issued()
        {
            self.by_key.insert((certificate.subject().normalized(), certificate.spki_raw().into()));
        }
    }

    fn has(&self, certificate: &Certificate<'_>) -> bool {
        if self.by_serial.is_empty() {
            return false;
        }
        self.by_serial.contains(&(certificate.issuer().normalized(), certificate.serial().bytes().into()))
            || self.by_key.contains(&(certificate.subject().normalized(), certificate.spki_raw().into()))
    }
}
