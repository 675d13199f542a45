//! The part of a path that is the same for every leaf with one profile, and what is checked for each leaf.

use core::hash::Hasher;
use std::cell::OnceCell;

use pki_types::CertificateDer;

use super::super::evaluate::{valid_until, warnings_of_anchor};
use super::super::verdict::decide;
use super::super::{Check, parse};
use super::leaf_candidate::LeafCandidate;
use super::leaf_profile::LeafProfile;
use crate::budget::{Budget, Spent};
use crate::key_ring::{NameId, RingCertificate};
use crate::ocsp::{CertIdHash, HashedIssuer};
use crate::oid::OidBuf;
use crate::path::candidate::{CertificateRef, Link};
use crate::path::context::Context;
use crate::path::name_constraints::CommonName;
use crate::path::pool::{OwnedPool, Pool};
use crate::path::verify;
use crate::path::{VerifiedIssuers, build, name_constraints};
use crate::policy::{Policy, Revocation};
use crate::report::{OwnedMember, OwnedReport, PathRole, Warning};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{
    Answer, AnswerSource as _, AssessContext, CheckedCertificate, Evidence, EvidenceRequest, FetchedEvidence,
    LazyAnswers, OwnEvidence, plan,
};
use crate::status::Status;
use crate::time::Time;
use crate::x509::{Certificate, NameConstraints, OwnedCertificate};

/// The statuses of the CAs of an issuer path, by the available evidence.
#[derive(Debug)]
pub struct IssuerStatuses {
    statuses: Vec<Status>,
    owns: Vec<OwnEvidence>,
    /// The answered requests, each with the position of its certificate in the path.
    asked: Vec<(usize, EvidenceRequest, Answer)>,
    /// The first and last second for which the same evidence gives the same statuses.
    holds: (Time, Time),
    spent: Spent,
}

impl IssuerStatuses {
    /// Whether the same evidence gives the same statuses at this time.
    #[must_use]
    pub fn hold(&self, now: Time) -> bool {
        (self.holds.0..=self.holds.1).contains(&now)
    }

    /// The position of the first certificate of the path for which this was requested.
    #[must_use]
    pub fn place_of(&self, ask: &EvidenceRequest) -> Option<usize> {
        self.asked.iter().find(|(_, known, _)| known == ask).map(|(at, ..)| *at)
    }
}

/// An accepted candidate.
#[derive(Debug)]
#[non_exhaustive]
pub struct FastAccept {
    /// The report of a check of it.
    pub report: OwnedReport,
    /// All evidence that was requested for its path.
    pub evidence: Evidence,
}

/// The part of an accepted path that is reused for other leaves with the same profile.
///
/// It belongs to one ring and one policy, and must not be used with others.
#[derive(Debug)]
pub struct IssuerPath {
    profile: LeafProfile,
    presented: Vec<OwnedCertificate>,
    pool: OwnedPool,
    /// The certificates from the issuer up, with the anchor last.
    above: Vec<OwnedMember>,
    /// Their keys.
    keys: Vec<Box<[u8]>>,
    /// The hashes of the leaf's issuer, for requests.
    hashed_issuer: HashedIssuer,
    /// Whether a constraint applies to the leaf's names.
    is_constrained: bool,
    policies: Vec<OidBuf>,
    warnings: Vec<Warning>,
    /// The first and last second for which the search finds the same path.
    stable_window: (Time, Time),
    /// The earliest end of validity above the leaf.
    until: Option<Time>,
    /// What search and validation spend, except for signatures and the leaf's own names.
    spent: Spent,
}

impl IssuerPath {
    /// The issuer path of a check that accepts, and whose signatures are all in `verified`. `None` if the path depends
    /// on more than the profile of its leaf.
    pub(in crate::check) fn new(
        check: &Check<'_>,
        verified: &VerifiedIssuers,
        report: &OwnedReport,
    ) -> Option<Self> {
        let Check { ring, policy, now, issuers, .. } = *check;
        let mut warnings = Vec::new();
        let (target, presented) = parse::read(check, &[], &mut warnings).ok()?;
        // A warning about presented certificates must appear in each report, and a leaf with the CA's own name is a
        // special case.
        if !report.view(ring).is_accepted() || !warnings.is_empty() || target.is_self_issued() {
            return None;
        }
        let pool = Pool::new(ring, target, presented.clone());
        let mut context = Context::new(ring, policy, now, [issuers, Some(verified)]);
        let outcome = build::search(&mut context, &pool, &[]);
        let valid = outcome.result.ok()?;
        let path: Vec<Link<'_>> =
            outcome.path.iter().filter_map(|at| pool.link(*at)).map(|(link, _)| link).collect();
        let members = report.members();
        let is_path = path.len() == members.len()
            && path
                .iter()
                .zip(members)
                .all(|(link, member)| link.certificate.der() == &**member.certificate.der());
        // The first path that was tried, and no candidate in it was skipped because it resembles the target.
        let is_plain = outcome.attempts.is_empty() && pool.by_name(target.subject()).is_empty();
        if !is_path || !is_plain || path.len() < 2 {
            return None;
        }
        let anchor = anchor_of(check, members)?;
        let mut spent =
            Spent { signatures: 0, evidence_signatures: 0, signature_cost: 0, ..context.budget.spent };
        let constraints = constraints_of(policy, anchor, members)?;
        let own = names_compared(check, &target, &constraints)?;
        spent.name_comparisons = spent.name_comparisons.checked_sub(own.name_comparisons)?;
        spent.name_bytes = spent.name_bytes.checked_sub(own.name_bytes)?;
        let view = report.view(ring);
        warnings.extend(warnings_of_anchor(&valid, anchor));
        let unchecked =
            |member: &OwnedMember| OwnedMember { revocation: Status::NotChecked, ..member.clone() };
        Some(Self {
            profile: LeafProfile::of(&target, check.chain.get(1..)?)?,
            presented: presented.iter().map(Certificate::to_owned).collect(),
            pool: pool.to_owned(),
            above: members.iter().skip(1).map(unchecked).collect(),
            keys: path.iter().skip(1).map(|link| link.certificate.spki().raw.into()).collect(),
            hashed_issuer: HashedIssuer::new(&target, &path.get(1)?.certificate, CertIdHash::Sha1),
            is_constrained: !constraints.is_empty(),
            policies: valid.policies.iter().map(|policy| OidBuf::from(*policy)).collect(),
            warnings,
            stable_window: stable_window(&pool, &outcome.path, anchor, now),
            until: valid_until(policy, view.path.get(1..)?),
            spent,
        })
    }

    /// The same hash as [`LeafCandidate::hash_profile`].
    pub fn hash_profile<H: Hasher>(&self, state: &mut H) {
        self.profile.hash(state);
    }

    /// Whether the candidate's leaf has the profile, and the same certificates are presented with it.
    #[must_use]
    pub fn has_same_profile(&self, candidate: &LeafCandidate<'_>) -> bool {
        self.profile.has(&candidate.target, candidate.presented())
    }

    /// Whether the path above is still the same at this time.
    #[must_use]
    pub fn is_stable(&self, now: Time) -> bool {
        (self.stable_window.0..=self.stable_window.1).contains(&now)
    }

    /// The certificates that were presented along with the leaf.
    #[must_use]
    pub const fn presented(&self) -> &[CertificateDer<'static>] {
        &self.profile.presented
    }

    /// The statuses of the CAs. Each piece of evidence is requested from `source`. `None` unless all requested evidence
    /// is available and useful.
    pub fn issuer_statuses(
        &self,
        candidate: &LeafCandidate<'_>,
        source: &dyn Fn(&EvidenceRequest) -> Option<Answer>,
    ) -> Option<IssuerStatuses> {
        let Check { policy, now, evidence, seed, .. } = candidate.check;
        let mut found = IssuerStatuses {
            statuses: Vec::new(),
            owns: Vec::new(),
            asked: Vec::new(),
            holds: (now, Time::from_unix(i64::MAX)),
            spent: Spent::default(),
        };
        let source = |ask: &EvidenceRequest| at_hand(ask, source);
        let answers = LazyAnswers::new(&source, seed);
        self.with_context(candidate, |context, checked_certificates| {
            for (at, checked) in checked_certificates.iter().enumerate().skip(1) {
                let planned =
                    plan::plan(context, evidence, &answers, *checked, OpenRequests::Named, &mut found.spent);
                for ask in of_use(&planned)? {
                    if !found.asked.iter().any(|(_, known, _)| known == ask) {
                        found.asked.push((at, ask.clone(), at_hand_of(&answers, ask)?));
                    }
                }
                found.statuses.push(planned.status);
                found.owns.push(planned.own);
            }
            let fetched = FetchedEvidence::of(found.asked.iter().map(|(.., answer)| answer));
            let until = fetched.until(context, evidence, checked_certificates.get(1..).unwrap_or_default());
            // Evidence that was not needed for a status still affects which evidence is requested.
            let ends = found.asked.iter().filter_map(|(.., answer)| match answer {
                Answer::Crl(crl) => {
                    Some(policy.freshness.says_so_until(crl.this_update(), crl.next_update(), now))
                }
                _ => None,
            });
            found.holds.1 = ends.fold(until, Time::min);
            Some(found)
        })
    }

    /// Accepts the candidate if all evidence for its path is available and good.
    ///
    /// `above` is a result of [`IssuerPath::issuer_statuses`] that holds. Evidence for the leaf is requested from
    /// `source`. The result is what a check would report. `None` means that a check must decide, not that the candidate
    /// is rejected.
    pub fn accept_fast(
        &self,
        candidate: &LeafCandidate<'_>,
        above: &IssuerStatuses,
        source: &dyn Fn(&EvidenceRequest) -> Option<Answer>,
    ) -> Option<FastAccept> {
        let Check { ring, policy, now, .. } = candidate.check;
        let target = candidate.target;
        if !self.has_same_profile(candidate)
            || !self.is_stable(now)
            || !above.hold(now)
            || target.is_self_issued()
        {
            return None;
        }
        let anchor = anchor_of(&candidate.check, &self.above)?;
        let issuer = self.above.first()?.certificate.view();
        // RFC 4158 2.4.2: the search skips a CA with the target's own key.
        let key = target.spki().raw;
        if self.keys.iter().any(|known| **known == *key) {
            return None;
        }
        let mut spent = self.spent;
        let (mut statuses, evidence) = self.statuses(candidate, above, source, &mut spent)?;
        let mut warnings = self.warnings.clone();
        decide(&statuses, policy.revocation.tolerance(), &mut warnings).ok()?;

        let constraints =
            if self.is_constrained { constraints_of(policy, anchor, &self.above)? } else { Vec::new() };
        let mut context = Context::with_spent(ring, policy, now, [None, None], spent);
        let link = Link {
            reference: CertificateRef::Target,
            certificate: target,
            subject: NameId::MAX,
            is_self_issued: false,
        };
        verify::validate_alike(&mut context, &link, &issuer, &constraints).ok()?;

        let mut path = Vec::with_capacity(self.above.len() + 1);
        path.push(OwnedMember {
            role: PathRole::Leaf,
            certificate: target.to_owned(),
            in_ring: None,
            revocation: Status::NotChecked,
        });
        path.extend(self.above.iter().cloned());
        for (member, status) in path.iter_mut().zip(statuses.drain(..)) {
            member.revocation = status;
        }
        let own_end = target.not_after();
        let until = self.until.map_or(own_end, |until| until.min(own_end));
        let spent = context.budget.spent;
        let report = OwnedReport::accepted(path, self.policies.clone(), Some(until), warnings, spent);
        Some(FastAccept { report, evidence })
    }

    /// The statuses of the whole path, determined as in a check: each certificate's by the evidence that was requested
    /// for it, then all by all evidence.
    fn statuses(
        &self,
        candidate: &LeafCandidate<'_>,
        above: &IssuerStatuses,
        source: &dyn Fn(&EvidenceRequest) -> Option<Answer>,
        spent: &mut Spent,
    ) -> Option<(Vec<Status>, Evidence)> {
        let Check { policy, evidence, seed, .. } = candidate.check;
        if policy.revocation == Revocation::Off {
            return Some((Vec::new(), Evidence::new()));
        }
        let source = |ask: &EvidenceRequest| at_hand(ask, source);
        let answers = LazyAnswers::new(&source, seed);
        self.with_context(candidate, |context, checked_certificates| {
            let for_leaf = AssessContext { hashed_issuer: Some(&self.hashed_issuer), ..context };
            let planned = plan::plan(
                for_leaf,
                evidence,
                &answers,
                *checked_certificates.first()?,
                OpenRequests::Named,
                spent,
            );
            let mut asked = Vec::with_capacity(planned.asked.len());
            for ask in of_use(&planned)? {
                asked.push(at_hand_of(&answers, ask)?);
            }
            let mut statuses = Vec::with_capacity(checked_certificates.len());
            statuses.push(planned.status);
            statuses.extend(above.statuses.iter().cloned());
            *spent = spent.and(above.spent);
            let fetched =
                FetchedEvidence::of(asked.iter().chain(above.asked.iter().map(|(.., answer)| answer)));
            if !(asked.is_empty() && above.asked.is_empty()) {
                let owns = core::iter::once(&planned.own).chain(&above.owns);
                for ((status, own), checked) in statuses.iter_mut().zip(owns).zip(checked_certificates) {
                    fetched.merge_into(context, evidence, checked, own, status, spent);
                }
            }
            Some((statuses, fetched.into_evidence()))
        })
    }

    /// Calls a function with the inputs for determining statuses.
    fn with_context<T>(
        &self,
        candidate: &LeafCandidate<'_>,
        run: impl for<'s> FnOnce(AssessContext<'s>, &[CheckedCertificate<'s, 's>]) -> Option<T>,
    ) -> Option<T> {
        let LeafCandidate { check: Check { ring, policy, now, issuers, .. }, target } = *candidate;
        let above = self.above.iter().map(|member| member.certificate.view());
        let mut path = Vec::with_capacity(self.above.len() + 1);
        path.push(target);
        path.extend(above);
        let presented: Vec<Certificate<'_>> = self.presented.iter().map(OwnedCertificate::view).collect();
        let pool = self.pool.with_target(ring, target);
        let signer_policy = OnceCell::new();
        let context = AssessContext {
            ring,
            policy,
            now,
            issuers,
            pool: &pool,
            presented: &presented,
            anchor: *path.last()?,
            signer_policy: &signer_policy,
            hashed_issuer: None,
        };
        let checked_certificates: Vec<CheckedCertificate<'_, '_>> = match policy.revocation {
            Revocation::Off => Vec::new(),
            _ => CheckedCertificate::of_path(&path, policy).collect(),
        };
        run(context, &checked_certificates)
    }
}

/// The answer, if it is a CRL or a response. Certificates for signers are left to a check.
fn at_hand(ask: &EvidenceRequest, source: &dyn Fn(&EvidenceRequest) -> Option<Answer>) -> Option<Answer> {
    match ask {
        EvidenceRequest::Issuers { .. } => None,
        _ => source(ask).filter(|answer| matches!(answer, Answer::Crl(_) | Answer::Ocsp(_))),
    }
}

fn at_hand_of(answers: &LazyAnswers<'_>, ask: &EvidenceRequest) -> Option<Answer> {
    answers.get(ask).cloned()
}

/// The requests, if every answer is available and useful.
fn of_use(planned: &plan::Planned) -> Option<impl Iterator<Item = &EvidenceRequest>> {
    let is_whole = planned.next.is_none() && planned.asked.iter().all(|(_, fault)| fault.is_none());
    is_whole.then(|| planned.asked.iter().map(|(ask, _)| ask))
}

fn anchor_of<'a>(check: &Check<'a>, members: &[OwnedMember]) -> Option<&'a RingCertificate> {
    check.ring.certificates().get(members.last()?.in_ring?)
}

/// The constraints on a leaf below these CAs, whose last certificate is the anchor.
fn constraints_of<'a>(
    policy: &'a Policy,
    anchor: &'a RingCertificate,
    members: &'a [OwnedMember],
) -> Option<Vec<NameConstraints<'a>>> {
    let below = members.iter().rev().skip(1).filter(|member| member.role != PathRole::Leaf);
    verify::constraints_above(policy, anchor, below.map(|member| member.certificate.view())).ok()
}

/// The cost of the leaf's own names.
fn names_compared(
    check: &Check<'_>,
    target: &Certificate<'_>,
    above: &[NameConstraints<'_>],
) -> Option<Spent> {
    let mut budget = Budget::new(&check.policy.limits);
    let common_name = CommonName::of(&check.policy.purpose);
    name_constraints::check(target, common_name, above, &mut budget).ok()?;
    Some(budget.spent)
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
        for (link, _) in pool.by_subject(name).filter_map(|at| pool.link(at)) {
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
        if let Some((_, above)) = pool.link(*reference) {
            name = above;
        }
    }
    (from, anchor.constraints().not_after.map_or(until, |not_after| until.min(not_after)))
}
