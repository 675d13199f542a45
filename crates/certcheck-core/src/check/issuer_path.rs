//! The path above an accepted leaf, kept for other leaves of the same issuer.
//!
//! A search finds its first path by the target's issuer, its authority key identifier, the presented certificates, the
//! ring and the time. For a leaf that has all of these in common with an accepted one, it would find the same path
//! first. So the search is skipped, and the path is validated for the leaf by the same code. A leaf for which the path
//! is not valid goes through a search, which explains rejections.

use core::hash::{Hash, Hasher};
use std::cell::OnceCell;
use std::sync::Arc;

use pki_types::CertificateDer;

use super::Check;
use super::chain::ParsedChain;
use super::memory::Memory;
use crate::key_ring::RingCertificate;
use crate::ocsp::{CertIdHash, HashedIssuer};
use crate::path::build::FirstPath;
use crate::path::candidate::{CertificateRef, Link};
use crate::path::context::Context;
use crate::path::pool::Pool;
use crate::revocation::plan::Planned;
use crate::revocation::{Answer, CheckedCertificate, EvidenceRequest, FetchedEvidence};
use crate::time::Time;
use crate::x509::{Certificate, Positions};

/// The path above an accepted leaf, for other leaves of the same issuer.
///
/// It belongs to one ring and one policy, and must not be used with others.
#[derive(Debug)]
pub struct IssuerPath {
    issuer: Box<[u8]>,
    authority_key: Option<Box<[u8]>>,
    presented: Box<[CertificateDer<'static>]>,
    /// The presented certificates, parsed.
    chain: ParsedChain,
    first_path: Arc<FirstPath>,
    /// The keys of the path above the leaf.
    keys: Vec<Box<[u8]>>,
    hashed_issuer: HashedIssuer,
    /// The first and last second for which the search finds the same path.
    stable_window: (Time, Time),
}

impl IssuerPath {
    /// The issuer path of a check that accepted with the first path that it found. `None` if the search depended on
    /// more of the leaf than what is compared.
    pub(super) fn new(check: &Check<'_>, chain: &ParsedChain, memory: &Memory) -> Option<Self> {
        let searched = memory.only_search()?;
        let path = &searched.outcome.path;
        let CertificateRef::Ring(anchor) = *path.last()? else { return None };
        let pool = chain.pool(check, &[]);
        let target = pool.target();
        // A warning about presented certificates must appear in each report. A leaf with the name of a CA is a special
        // case, and so is a path that was not the first one.
        let is_plain = chain.warnings.is_empty()
            && !target.certificate.is_self_issued()
            && searched.outcome.attempts.is_empty()
            && pool.by_name(target.certificate.subject()).is_empty();
        if !is_plain || path.len() < 2 {
            return None;
        }
        let above: Vec<Link<'_>> = path.iter().skip(1).filter_map(|at| pool.link(*at)).collect();
        let issuer = above.first()?.certificate;
        let presented = check.chain.get(1..)?.iter();
        let Check { ring, policy, now, issuers, .. } = *check;
        let mut context = Context::new(ring, policy, now, issuers);
        let first_path = FirstPath::new(&mut context, &pool, path, searched.spent.steps)?;
        Some(Self {
            issuer: target.certificate.issuer().raw().into(),
            authority_key: authority_key(&target.certificate).map(Into::into),
            presented: presented.map(|der| CertificateDer::from(der.to_vec())).collect(),
            chain: chain.clone(),
            keys: above.iter().map(|link| link.certificate.spki_raw().into()).collect(),
            first_path: Arc::new(first_path),
            hashed_issuer: HashedIssuer::new(&target.certificate, &issuer, CertIdHash::Sha1),
            stable_window: stable_window(&pool, path, check.ring.get(anchor)?, check.now),
        })
    }

    /// The chain of a check of another leaf, if a search finds this path first.
    pub(super) fn chain_of(&self, check: &Check<'_>, positions: Positions) -> Option<ParsedChain> {
        if !self.is_stable(check.now) {
            return None;
        }
        let target = positions.view(check.chain.first()?);
        let key = target.spki_raw();
        // RFC 4158 2.4.2: the search skips a CA with the target's own key.
        if IssuerPathKey::new(&target, check.chain)? != self.key()
            || target.is_self_issued()
            || self.keys.iter().any(|known| **known == *key)
        {
            return None;
        }
        Some(self.chain.with_target(positions))
    }

    /// The path, target first.
    pub(super) const fn first_path(&self) -> &Arc<FirstPath> {
        &self.first_path
    }

    pub(super) const fn hashed_issuer(&self) -> HashedIssuer {
        self.hashed_issuer
    }

    /// What it is found by.
    #[must_use]
    pub fn key(&self) -> IssuerPathKey<'_> {
        let authority_key = self.authority_key.as_deref();
        IssuerPathKey { issuer: &self.issuer, authority_key, presented: &self.presented }
    }

    /// Whether the search finds the same path at this time.
    #[must_use]
    pub fn is_stable(&self, now: Time) -> bool {
        (self.stable_window.0..=self.stable_window.1).contains(&now)
    }

    /// The certificates that were presented along with the leaf.
    #[must_use]
    pub const fn presented(&self) -> &[CertificateDer<'static>] {
        &self.presented
    }
}

/// What an [`IssuerPath`] is found by: what the leaves under it have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IssuerPathKey<'k> {
    issuer: &'k [u8],
    authority_key: Option<&'k [u8]>,
    /// The certificates that are presented along with the leaf.
    presented: &'k [CertificateDer<'k>],
}

impl<'k> IssuerPathKey<'k> {
    /// The key of this target, which is the first certificate of the chain.
    pub(super) fn new(target: &Certificate<'k>, chain: &'k [CertificateDer<'_>]) -> Option<Self> {
        let (issuer, authority_key) = (target.issuer().raw(), authority_key(target));
        Some(Self { issuer, authority_key, presented: chain.get(1..)? })
    }
}

impl Hash for IssuerPathKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Nearly all issuers differ in their keys, and certificates in their last bytes, the signature. All bytes are
        // compared later.
        state.write(self.authority_key.unwrap_or(self.issuer));
        for der in self.presented {
            state.write(der.last_chunk::<16>().map_or(&**der, |end| end));
        }
    }
}

/// The statuses of the CAs of one issuer path, by evidence that was useful. They are ignored with any other path.
///
/// Like their path, they belong to one ring and one policy, and also to the evidence that was given with the check.
#[derive(Debug)]
pub struct IssuerStatuses {
    of: Arc<FirstPath>,
    planned: Vec<Arc<Planned>>,
    /// The first and last second for which the same evidence gives the same statuses.
    holds: (Time, Time),
}

impl IssuerStatuses {
    /// The statuses of the CAs of this path, by a check that accepts on it. `None` if the check is on another path, and
    /// if evidence for one of them was missing or not useful.
    pub(super) fn new(
        check: &Check<'_>,
        chain: &ParsedChain,
        memory: &Memory,
        path: usize,
        of: &IssuerPath,
    ) -> Option<Self> {
        let Check { policy, now, evidence, .. } = *check;
        let pool = chain.pool(check, &[]);
        let own = &memory.only_search()?.outcome.path;
        let target = pool.target().certificate;
        if *own != of.first_path.path || IssuerPathKey::new(&target, check.chain)? != of.key() {
            return None;
        }
        let links = own.iter().filter_map(|at| Some(pool.link(*at)?.certificate));
        let certificates: Vec<Certificate<'_>> = links.collect();
        let planned: Vec<Arc<Planned>> = memory.plans(path).skip(1).map(Arc::clone).collect();
        let is_useful = |planned: &Arc<Planned>| {
            planned.next.is_none()
                && planned.asked.iter().all(|asked| {
                    let is_signers = matches!(asked.request, EvidenceRequest::Issuers { .. });
                    asked.fault.is_none() && !is_signers
                })
        };
        if !planned.iter().all(is_useful) {
            return None;
        }
        let signer_policy = OnceCell::new();
        let context = check.assess_context(&pool, *certificates.last()?, &signer_policy);
        let checked: Vec<_> = CheckedCertificate::of_path(&certificates, policy).skip(1).collect();
        let until = FetchedEvidence::of(planned.iter().flat_map(|planned| &planned.asked))
            .until(context, evidence, &checked);
        // Evidence that was not needed for a status still affects which evidence is requested.
        let ends =
            planned.iter().flat_map(|planned| &planned.asked).filter_map(|asked| match &asked.answer {
                Answer::Crl(crl) => {
                    Some(policy.freshness.says_so_until(crl.this_update(), crl.next_update(), now))
                }
                _ => None,
            });
        let of = Arc::clone(&of.first_path);
        Some(Self { of, holds: (now, ends.fold(until, Time::min)), planned })
    }

    /// The plans for the CAs of a path, if these statuses are of that path and hold at this time.
    pub(super) fn of(&self, path: &IssuerPath, now: Time) -> Option<&[Arc<Planned>]> {
        (Arc::ptr_eq(&self.of, &path.first_path) && self.hold(now)).then_some(&*self.planned)
    }

    /// Whether the same evidence gives the same statuses at this time.
    #[must_use]
    pub fn hold(&self, now: Time) -> bool {
        (self.holds.0..=self.holds.1).contains(&now)
    }

    /// The requests that were made for them, and the answers, with the position of the certificate.
    pub fn answers(&self) -> impl Iterator<Item = (usize, &EvidenceRequest, &Answer)> {
        let each = (1..).zip(&self.planned);
        let asked = each.flat_map(|(at, planned)| planned.asked.iter().map(move |asked| (at, asked)));
        asked.map(|(at, asked)| (at, &asked.request, &asked.answer))
    }
}

/// The keyIdentifier of the authorityKeyIdentifier, by which a search orders its candidates.
fn authority_key<'c>(certificate: &Certificate<'c>) -> Option<&'c [u8]> {
    certificate.authority_key_identifier().ok().flatten()?.key_identifier
}

/// The first and last second for which the same candidates for this path are valid as now. The search tries valid ones
/// first.
fn stable_window(
    pool: &Pool<'_>,
    path: &[CertificateRef],
    anchor: &RingCertificate,
    now: Time,
) -> (Time, Time) {
    let (mut from, mut until) = (Time::from_unix(i64::MIN), Time::from_unix(i64::MAX));
    let second_before = |time: Time| Time::from_unix(time.unix().saturating_sub(1));
    let second_after = |time: Time| Time::from_unix(time.unix().saturating_add(1));
    let mut name = pool.target_issuer();
    for reference in path.iter().skip(1) {
        for link in pool.by_subject(name).filter_map(|at| pool.link(at)) {
            let (not_before, not_after) = (link.certificate.not_before(), link.certificate.not_after());
            if now < not_before {
                until = until.min(second_before(not_before));
            } else {
                from = from.max(not_before);
            }
            if now > not_after {
                from = from.max(second_after(not_after));
            } else {
                until = until.min(not_after);
            }
        }
        if let Some(candidate) = pool.candidate(*reference) {
            name = candidate.issuer;
        }
    }
    (from, anchor.constraints().not_after.map_or(until, |not_after| until.min(not_after)))
}
