//! The certificates that a path may be built from: the ring's and the presented ones, found by name.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::candidate::{Candidate, CertificateRef, Link};
use crate::key_ring::{KeyRing, NameId, RingCertificate};
use crate::time::Time;
use crate::x509::{Certificate, Name, OwnedCertificate};

/// The most presented certificates whose names are compared one by one.
const FEW: usize = 8;

/// A presented certificate that is used.
#[derive(Clone, Copy, Debug)]
struct Presented {
    /// Its position among the certificates that were presented.
    place: usize,
    issuer: NameId,
    subject: NameId,
}

/// What a pool has found out about its certificates: the numbers of their names, and which of them it uses. It
/// outlives the pool, and makes the same pool again at little cost.
#[derive(Clone, Debug)]
pub(crate) struct PoolLayout {
    target_issuer: NameId,
    /// `None` if it is to be computed on demand.
    target_subject: Option<NameId>,
    presented: Vec<Presented>,
    /// The presented certificates by subject, sorted.
    by_subject: Vec<(NameId, u32)>,
}

impl PoolLayout {
    /// The layout of these certificates.
    pub(crate) fn new(ring: &KeyRing, target: &Certificate<'_>, presented: &[Certificate<'_>]) -> Self {
        let mut numbers = Numbers::new(ring, presented.len() > FEW);
        let mut kept: Vec<Presented> = Vec::with_capacity(presented.len());
        for (place, certificate) in presented.iter().enumerate() {
            let subject = numbers.of(certificate.subject());
            // A certificate that is in the ring too would only be tried twice.
            let mut in_ring = ring.by_subject(subject).iter().filter_map(|at| ring.get(*at));
            let is_same = |known: &Presented| {
                known.subject == subject
                    && presented.get(known.place).is_some_and(|known| known.der() == certificate.der())
            };
            if in_ring.any(|entry| **entry.certificate.der() == *certificate.der())
                || kept.iter().any(is_same)
            {
                continue;
            }
            kept.push(Presented { place, issuer: numbers.of(certificate.issuer()), subject });
        }
        let mut by_subject: Vec<_> = kept.iter().map(|presented| presented.subject).zip(0..).collect();
        by_subject.sort_unstable();
        let target_issuer = numbers.of(target.issuer());
        // A search compares the target's own name only with those of certificates that have its key.
        let has_key = |known: &Presented| {
            presented.get(known.place).is_some_and(|known| known.spki_raw() == target.spki_raw())
        };
        let target_subject = kept.iter().any(has_key).then(|| numbers.of(target.subject()));
        Self { target_issuer, target_subject, presented: kept, by_subject }
    }

    /// The layout for another target of the same issuer, in the same ring and with the same presented certificates.
    pub(crate) fn with_other_target(&self) -> Self {
        Self { target_subject: None, ..self.clone() }
    }

    /// The pool of these certificates, which must be those that the layout was made of.
    pub(crate) fn pool<'a>(
        self,
        ring: &'a KeyRing,
        target: Certificate<'a>,
        presented: Vec<Certificate<'a>>,
    ) -> Pool<'a> {
        let Self { target_issuer, target_subject, presented: used, by_subject } = self;
        Pool {
            ring,
            target,
            target_issuer,
            target_subject: target_subject.map_or_else(OnceCell::new, OnceCell::from),
            presented,
            used,
            by_subject,
        }
    }
}

/// The target, the presented certificates and the ring, with numbers for all their names.
pub(crate) struct Pool<'a> {
    ring: &'a KeyRing,
    target: Certificate<'a>,
    target_issuer: NameId,
    /// See [`PoolLayout`].
    target_subject: OnceCell<NameId>,
    /// All presented certificates.
    presented: Vec<Certificate<'a>>,
    /// Those that paths are built from.
    used: Vec<Presented>,
    by_subject: Vec<(NameId, u32)>,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(ring: &'a KeyRing, target: Certificate<'a>, presented: Vec<Certificate<'a>>) -> Self {
        PoolLayout::new(ring, &target, &presented).pool(ring, target, presented)
    }

    /// The ring alone, for callers that have a path and search none.
    pub(crate) fn of_ring(ring: &'a KeyRing, target: Certificate<'a>) -> Self {
        let layout = PoolLayout {
            target_issuer: NameId::MAX,
            target_subject: None,
            presented: Vec::new(),
            by_subject: Vec::new(),
        };
        layout.pool(ring, target, Vec::new())
    }

    /// All certificates that were presented, used or not.
    pub(crate) fn presented(&self) -> &[Certificate<'a>] {
        &self.presented
    }

    fn used(&self, at: u32) -> Option<(&Certificate<'a>, &Presented)> {
        let used = self.used.get(usize::try_from(at).ok()?)?;
        Some((self.presented.get(used.place)?, used))
    }

    /// The same ring and target with other presented certificates. Old references remain valid if `presented` begins
    /// with the old certificates.
    pub(crate) fn with_presented<'b>(&self, presented: Vec<Certificate<'b>>) -> Pool<'b>
    where
        'a: 'b,
    {
        Pool::new(self.ring, self.target, presented)
    }

    pub(crate) fn target(&self) -> Link<'a> {
        Link { reference: CertificateRef::Target, certificate: self.target, is_self_issued: false }
    }

    /// The number of the target's own name. If no other certificate has that name, a number that none has.
    pub(crate) fn target_subject(&self) -> NameId {
        *self.target_subject.get_or_init(|| {
            let name = self.target.subject();
            let presented = || {
                let has_name = |used: &&Presented| {
                    self.presented.get(used.place).is_some_and(|own| own.subject().matches(name))
                };
                self.used.iter().find(has_name).map(|used| used.subject)
            };
            self.ring.name_id(name).or_else(presented).unwrap_or(NameId::MAX)
        })
    }

    pub(crate) const fn target_issuer(&self) -> NameId {
        self.target_issuer
    }

    /// The certificate.
    pub(crate) fn certificate(&self, reference: CertificateRef) -> Option<Certificate<'a>> {
        match reference {
            CertificateRef::Target => Some(self.target),
            CertificateRef::Ring(at) => Some(self.ring.get(at)?.certificate()),
            CertificateRef::Presented(at) => Some(*self.used(at)?.0),
        }
    }

    /// The certificate as a member of a path.
    pub(crate) fn link(&self, reference: CertificateRef) -> Option<Link<'a>> {
        let (certificate, is_self_issued) = match reference {
            CertificateRef::Target => return Some(self.target()),
            CertificateRef::Ring(at) => {
                let entry = self.ring.get(at)?;
                (entry.certificate(), entry.issuer == entry.subject)
            }
            CertificateRef::Presented(at) => {
                let (certificate, Presented { issuer, subject, .. }) = self.used(at)?;
                (*certificate, issuer == subject)
            }
        };
        Some(Link { reference, certificate, is_self_issued })
    }

    /// What a search compares of the certificate.
    pub(crate) fn candidate(&self, reference: CertificateRef) -> Option<Candidate<'a>> {
        let (key, issuer, subject) = match reference {
            CertificateRef::Target => {
                let (key, issuer) = (self.target.spki_raw(), self.target_issuer);
                return Some(Candidate {
                    reference,
                    key,
                    subject: NameId::MAX,
                    issuer,
                    is_self_issued: false,
                });
            }
            CertificateRef::Ring(at) => {
                let entry = self.ring.get(at)?;
                (entry.certificate.spki_raw(), entry.issuer, entry.subject)
            }
            CertificateRef::Presented(at) => {
                let (certificate, Presented { issuer, subject, .. }) = self.used(at)?;
                (certificate.spki_raw(), *issuer, *subject)
            }
        };
        Some(Candidate { reference, key, subject, issuer, is_self_issued: issuer == subject })
    }

    /// The numbers of the names of these certificates' issuers.
    pub(crate) fn issuers_of(&self, path: &[CertificateRef]) -> Vec<NameId> {
        let mut issuers = Vec::with_capacity(path.len());
        issuers.extend(path.iter().filter_map(|at| Some(self.candidate(*at)?.issuer)));
        issuers
    }

    /// The entry of the ring. `None` for certificates that are not in it.
    pub(crate) fn in_ring(&self, reference: CertificateRef) -> Option<&'a RingCertificate> {
        match reference {
            CertificateRef::Ring(at) => self.ring.get(at),
            CertificateRef::Target | CertificateRef::Presented(_) => None,
        }
    }

    /// The certificate with bytes of its own, which it shares with the ring if it is in it.
    pub(crate) fn to_owned_certificate(&self, reference: CertificateRef) -> Option<OwnedCertificate> {
        match reference {
            CertificateRef::Target => Some(self.target.to_owned()),
            CertificateRef::Ring(at) => Some(self.ring.get(at)?.certificate.clone()),
            CertificateRef::Presented(at) => Some(self.used(at)?.0.to_owned()),
        }
    }

    /// The last second of validity of a certificate.
    pub(crate) fn not_after(&self, reference: CertificateRef) -> Option<Time> {
        match reference {
            CertificateRef::Target => Some(self.target.not_after()),
            CertificateRef::Ring(at) => Some(self.ring.get(at)?.certificate.not_after()),
            CertificateRef::Presented(at) => Some(self.used(at)?.0.not_after()),
        }
    }

    /// The certificates with this subject, the ring's first.
    pub(crate) fn by_name(&self, name: Name<'_>) -> Vec<CertificateRef> {
        match self.ring.name_id(name) {
            Some(known) => self.by_subject(known).collect(),
            // A name that only presented certificates have.
            None => (0..)
                .map_while(|at| Some((at, self.used(at)?.0)))
                .filter(|(_, certificate)| certificate.subject().matches(name))
                .map(|(at, _)| CertificateRef::Presented(at))
                .collect(),
        }
    }

    /// The certificates with this subject, the ring's first.
    ///
    /// RFC 5280 6.1.3 (a)(4).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(4)")]
    pub(crate) fn by_subject(&self, name: NameId) -> impl Iterator<Item = CertificateRef> + use<'_, 'a> {
        let from = self.by_subject.partition_point(|(subject, _)| *subject < name);
        let presented = self.by_subject.get(from..).unwrap_or_default();
        let presented = presented.iter().take_while(move |(subject, _)| *subject == name);
        let ring = self.ring.by_subject(name).iter().copied().map(CertificateRef::Ring);
        ring.chain(presented.map(|(_, at)| CertificateRef::Presented(*at)))
    }
}

/// A name, and its number.
struct Numbered<'a> {
    name: Name<'a>,
    /// Its [`Name::plain_hash`].
    plain_hash: Option<u64>,
    id: NameId,
}

/// Numbers for the names of presented certificates: the number in the ring, or the next free one. A client chooses the
/// names that it presents, so each is prepared for comparison a few times at most, however often it occurs.
struct Numbers<'a> {
    ring: &'a KeyRing,
    next: NameId,
    /// Every name as encoded. A few are compared one by one, many are hashed.
    few: Vec<Numbered<'a>>,
    many: HashMap<&'a [u8], NameId>,
    are_many: bool,
    /// Names in the form that is equal for names that match. Only used once a name had to be prepared.
    by_form: HashMap<Vec<u8>, NameId>,
    has_forms: bool,
}

impl<'a> Numbers<'a> {
    fn new(ring: &'a KeyRing, are_many: bool) -> Self {
        let (few, many, by_form) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { ring, next: ring.name_count(), few, many, are_many, by_form, has_forms: are_many }
    }

    fn of(&mut self, name: Name<'a>) -> NameId {
        let known = if self.are_many {
            self.many.get(name.raw()).copied()
        } else {
            self.few.iter().find(|known| known.name.raw() == name.raw()).map(|known| known.id)
        };
        known.unwrap_or_else(|| {
            let plain_hash = name.plain_hash();
            let id = self.find(name, plain_hash);
            if self.are_many {
                self.many.insert(name.raw(), id);
            } else {
                self.few.push(Numbered { name, plain_hash, id });
            }
            id
        })
    }

    /// The number of a name that has not occurred in this encoding.
    fn find(&mut self, name: Name<'a>, plain_hash: Option<u64>) -> NameId {
        if plain_hash.is_some() {
            if let Some(known) = self.ring.name_id_hashed(name, plain_hash) {
                return known;
            }
            if !self.has_forms {
                let is_same =
                    |known: &&Numbered<'a>| known.plain_hash == plain_hash && known.name.matches(name);
                let known = self.few.iter().find(is_same).map(|known| known.id);
                return known.unwrap_or_else(|| self.take());
            }
        }
        self.keep_forms();
        let form = name.normalized();
        let known = self.ring.name_id_of_form(name, &form).or_else(|| self.by_form.get(&form).copied());
        known.unwrap_or_else(|| {
            let id = self.take();
            self.by_form.insert(form, id);
            id
        })
    }

    /// Begins to distinguish names by their forms.
    fn keep_forms(&mut self) {
        if !self.has_forms {
            self.has_forms = true;
            for Numbered { name, id, .. } in &self.few {
                self.by_form.insert(name.normalized(), *id);
            }
        }
    }

    const fn take(&mut self) -> NameId {
        let id = self.next;
        self.next = self.next.saturating_add(1);
        id
    }
}
