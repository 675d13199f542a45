//! The certificates that a path may be built from: the ring's and the presented ones, found by name.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::candidate::{CertificateRef, Link};
use crate::key_ring::{KeyRing, NameId, RingCertificate};
use crate::time::Time;
use crate::x509::{Certificate, Name, OwnedCertificate};

/// The most presented certificates whose names are compared one by one.
const FEW: usize = 8;

struct Presented<'a> {
    certificate: Certificate<'a>,
    issuer: NameId,
    subject: NameId,
    /// Its position among the certificates that were presented.
    place: usize,
}

/// What a pool has found out about its certificates: the numbers of their names, and which of them it uses. It
/// outlives the pool, and makes the same pool again at little cost.
#[derive(Clone, Debug)]
pub(crate) struct PoolLayout {
    target_issuer: NameId,
    target_subject: Option<NameId>,
    is_target_self_issued: Option<bool>,
    /// The presented certificates that are used: position, issuer and subject.
    presented: Vec<(usize, NameId, NameId)>,
    by_subject: Vec<(NameId, u32)>,
}

impl PoolLayout {
    /// The layout for another target of the same issuer, in the same ring and with the same presented certificates. The
    /// target must not be self-issued, and no presented certificate may have its name.
    pub(crate) fn with_other_target(&self) -> Self {
        Self { target_subject: None, is_target_self_issued: Some(false), ..self.clone() }
    }

    /// The pool of these certificates, which must be those that the layout was made of.
    pub(crate) fn pool<'a>(
        &self,
        ring: &'a KeyRing,
        target: Certificate<'a>,
        presented: &[Certificate<'a>],
    ) -> Pool<'a> {
        let used = |(place, issuer, subject): &(usize, NameId, NameId)| {
            let certificate = *presented.get(*place)?;
            Some(Presented { certificate, issuer: *issuer, subject: *subject, place: *place })
        };
        Pool {
            ring,
            target,
            target_issuer: self.target_issuer,
            target_subject: self.target_subject.map_or_else(OnceCell::new, OnceCell::from),
            is_target_self_issued: self.is_target_self_issued.map_or_else(OnceCell::new, OnceCell::from),
            presented: self.presented.iter().filter_map(used).collect(),
            by_subject: self.by_subject.clone(),
        }
    }
}

/// The target, the presented certificates and the ring, with numbers for all their names.
pub(crate) struct Pool<'a> {
    ring: &'a KeyRing,
    target: Certificate<'a>,
    target_issuer: NameId,
    /// Computed on demand if nothing was presented.
    target_subject: OnceCell<NameId>,
    /// Computed on demand.
    is_target_self_issued: OnceCell<bool>,
    presented: Vec<Presented<'a>>,
    /// The presented certificates by subject, sorted.
    by_subject: Vec<(NameId, u32)>,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(ring: &'a KeyRing, target: Certificate<'a>, presented: Vec<Certificate<'a>>) -> Self {
        let mut numbers = Numbers::new(ring, presented.len() > FEW);
        let mut kept: Vec<Presented<'a>> = Vec::with_capacity(presented.len());
        for (place, certificate) in presented.into_iter().enumerate() {
            let subject = numbers.of(certificate.subject());
            // A certificate that is in the ring too would only be tried twice.
            let mut in_ring = ring.by_subject(subject).iter().filter_map(|at| ring.get(*at));
            let is_same = |known: &Presented<'a>| {
                known.subject == subject && known.certificate.der() == certificate.der()
            };
            if in_ring.any(|entry| entry.certificate().der() == certificate.der()) || kept.iter().any(is_same)
            {
                continue;
            }
            kept.push(Presented { issuer: numbers.of(certificate.issuer()), subject, certificate, place });
        }
        let mut by_subject: Vec<_> =
            kept.iter().zip(0..).map(|(presented, at)| (presented.subject, at)).collect();
        by_subject.sort_unstable();
        let target_issuer = numbers.of(target.issuer());
        let (target_subject, is_target_self_issued) = (OnceCell::new(), OnceCell::new());
        // A presented certificate may have its name.
        if !kept.is_empty() {
            let subject = numbers.of(target.subject());
            let _fresh = (target_subject.set(subject), is_target_self_issued.set(subject == target_issuer));
        }
        Self {
            ring,
            target,
            target_issuer,
            target_subject,
            is_target_self_issued,
            presented: kept,
            by_subject,
        }
    }

    /// The ring alone, for callers that have a path and search none.
    pub(crate) fn of_ring(ring: &'a KeyRing, target: Certificate<'a>) -> Self {
        Self {
            ring,
            target,
            target_issuer: NameId::MAX,
            target_subject: OnceCell::new(),
            is_target_self_issued: OnceCell::new(),
            presented: Vec::new(),
            by_subject: Vec::new(),
        }
    }

    pub(crate) fn layout(&self) -> PoolLayout {
        let used = |one: &Presented<'_>| (one.place, one.issuer, one.subject);
        PoolLayout {
            target_issuer: self.target_issuer,
            target_subject: self.target_subject.get().copied(),
            is_target_self_issued: self.is_target_self_issued.get().copied(),
            presented: self.presented.iter().map(used).collect(),
            by_subject: self.by_subject.clone(),
        }
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
        Link {
            reference: CertificateRef::Target,
            certificate: self.target,
            subject: NameId::MAX,
            is_self_issued: *self.is_target_self_issued.get_or_init(|| self.target.is_self_issued()),
        }
    }

    /// The number of the target's own name. If it has none, a number that no certificate of the ring has.
    pub(crate) fn target_subject(&self) -> NameId {
        *self.target_subject.get_or_init(|| self.ring.name_id(self.target.subject()).unwrap_or(NameId::MAX))
    }

    pub(crate) const fn target_issuer(&self) -> NameId {
        self.target_issuer
    }

    /// The certificate, and the number of its issuer's name.
    pub(crate) fn link(&self, reference: CertificateRef) -> Option<(Link<'a>, NameId)> {
        let (certificate, issuer, subject) = match reference {
            CertificateRef::Target => return Some((self.target(), self.target_issuer)),
            CertificateRef::Ring(at) => {
                let entry = self.ring.get(at)?;
                (entry.certificate(), entry.issuer, entry.subject)
            }
            CertificateRef::Presented(at) => {
                let presented = self.presented.get(usize::try_from(at).ok()?)?;
                (presented.certificate, presented.issuer, presented.subject)
            }
        };
        Some((Link { reference, certificate, subject, is_self_issued: issuer == subject }, issuer))
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
            CertificateRef::Presented(at) => {
                Some(self.presented.get(usize::try_from(at).ok()?)?.certificate.to_owned())
            }
        }
    }

    /// The last second of validity of a certificate.
    pub(crate) fn not_after(&self, reference: CertificateRef) -> Option<Time> {
        match reference {
            CertificateRef::Target => Some(self.target.not_after()),
            CertificateRef::Ring(at) => Some(self.ring.get(at)?.certificate.not_after()),
            CertificateRef::Presented(at) => {
                Some(self.presented.get(usize::try_from(at).ok()?)?.certificate.not_after())
            }
        }
    }

    /// The certificates with this subject, the ring's first.
    pub(crate) fn by_name(&self, name: Name<'_>) -> Vec<CertificateRef> {
        match self.ring.name_id(name) {
            Some(known) => self.by_subject(known).collect(),
            // A name that only presented certificates have.
            None => (0..)
                .zip(&self.presented)
                .filter(|(_, presented)| presented.certificate.subject().matches(name))
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

/// Numbers for the names of presented certificates: the number in the ring, or the next free one. A client chooses the
/// names that it presents, so each is prepared for comparison at most once, however often it occurs.
struct Numbers<'a> {
    ring: &'a KeyRing,
    next: NameId,
    /// Every name as encoded. A few are compared one by one, many are hashed.
    few: Vec<(Name<'a>, NameId)>,
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
            self.few.iter().find(|(known, _)| known.raw() == name.raw()).map(|(_, id)| *id)
        };
        known.unwrap_or_else(|| {
            let id = self.find(name);
            if self.are_many {
                self.many.insert(name.raw(), id);
            } else {
                self.few.push((name, id));
            }
            id
        })
    }

    /// The number of a name that has not occurred in this encoding.
    fn find(&mut self, name: Name<'a>) -> NameId {
        if name.is_plain() {
            if let Some(known) = self.ring.name_id(name) {
                return known;
            }
            if !self.has_forms {
                let known = self.few.iter().find(|(known, _)| known.matches(name)).map(|(_, id)| *id);
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
            for (name, id) in &self.few {
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
