//! The key ring: what is trusted, what helps to build paths, what is distrusted.
//!
//! A ring is built once and never changes; certificates are found by the name of their subject, not
//! by a walk. Names that match (RFC 5280 7.1) share a number, so that path building compares numbers.

mod anchor;
mod builder;
#[cfg(feature = "fs")]
#[expect(
    clippy::disallowed_methods,
    reason = "loading a ring is the one thing that reads files, and no check does it"
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

/// What a certificate is in a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// A path may end at it.
    Anchor,
    /// A path may go through it, if it ends at an anchor.
    Intermediate,
    /// No path may have it (RACF's NOTRUST).
    Distrusted,
}

impl Role {
    /// The stable word: `anchor`, `intermediate`, `distrusted`.
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

    /// What it is here.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What the ring's settings demand of paths that end at it.
    #[must_use]
    pub const fn constraints(&self) -> &AnchorConstraints {
        &self.constraints
    }

    /// Whether it names its own key as its issuer's and, where that can be checked, has signed itself.
    #[must_use]
    pub const fn is_self_signed(&self) -> bool {
        self.is_self_signed
    }

    /// Whether it is an anchor only since its issuer is not in a flat ring. To take the issuer out of the ring does that: a
    /// program that loads rings reports it.
    #[must_use]
    pub const fn is_promoted(&self) -> bool {
        self.is_promoted
    }

    /// What a policy has against its key, or the signature on it, by name alone. Nobody looks at the signature of
    /// an anchor that signs itself.
    #[must_use]
    pub fn weakness(&self, policy: &Policy) -> Option<Reason> {
        let certificate = self.certificate();
        let key = key::check_whole(certificate.spki(), &policy.signatures).err();
        let by_hash =
            || signature::hash_strength(certificate.signature_algorithm(), &policy.signatures).err();
        key.or_else(|| if self.is_self_signed { None } else { by_hash() })
    }

    /// Why it cannot be told whether it signs itself: it is self-issued, and its signature algorithm is not supported. In a
    /// flat ring that keeps it from being an anchor. `None` if it can be told.
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

    /// The file or other source it came from.
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
    /// The certificates with this subject that a path may have, by name.
    by_subject: Vec<Vec<u32>>,
    distrusted: Distrust,
    skipped: Vec<RingError>,
}

impl KeyRing {
    /// What could not be parsed and was passed over ([`RingBuilder::skip_unreadable`]).
    #[must_use]
    pub fn skipped(&self) -> &[RingError] {
        &self.skipped
    }

    /// Everything in the ring, in the order it was added.
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

    /// As [`KeyRing::name_id`], for a name whose form is known.
    pub(crate) fn name_id_of_form(&self, name: Name<'_>, form: &[u8]) -> Option<NameId> {
        self.names.find_form(name, form)
    }

    /// How many names have numbers: the first that is free for others.
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

    /// Where an entry of this ring stands in it.
    pub(crate) fn place(&self, entry: &RingCertificate) -> Option<usize> {
        let is_it = |at: &usize| self.certificates.get(*at).is_some_and(|known| core::ptr::eq(known, entry));
        let named = self.by_subject(entry.subject).iter().filter_map(|at| usize::try_from(*at).ok());
        named.chain(0..self.certificates.len()).find(is_it)
    }

    /// Whether the ring distrusts this certificate.
    ///
    /// A CA is known again by subject and key, however it is certified; any other by issuer and serial.
    /// The bytes as a whole would not do: an ECDSA signature has a second form that anyone can write.
    #[must_use]
    pub fn distrusts(&self, certificate: &Certificate<'_>) -> bool {
        self.distrusted.has(certificate)
    }
}

/// What no path may have.
#[derive(Clone, Debug, Default)]
struct Distrust {
    /// Normalized issuer, serial.
    by_serial: HashSet<(Vec<u8>, Box<[u8]>)>,
    /// Normalized subject, key.
    by_key: HashSet<(Vec<u8>, Box<[u8]>)>,
}

impl Distrust {
    fn add(&mut self, certificate: &Certificate<'_>) {
        self.by_serial.insert((certificate.issuer().normalized(), certificate.serial().bytes().into()));
        if certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
            || certificate.is_self_issued()
        {
            self.by_key.insert((certificate.subject().normalized(), certificate.spki().raw.into()));
        }
    }

    fn has(&self, certificate: &Certificate<'_>) -> bool {
        if self.by_serial.is_empty() {
            return false;
        }
        self.by_serial.contains(&(certificate.issuer().normalized(), certificate.serial().bytes().into()))
            || self.by_key.contains(&(certificate.subject().normalized(), certificate.spki().raw.into()))
    }
}
