//! One evaluation of a question: a path, the statuses of its certificates, a verdict, and what is missing.

use std::cell::OnceCell;
use std::sync::Arc;

use pki_types::CertificateDer;

use super::verdict::decide;
use super::{Check, parse};
use crate::budget::Spent;
use crate::key_ring::{RingCertificate, Role};
use crate::oid;
use crate::path::build::{self, Outcome};
use crate::path::candidate::CertificateRef;
use crate::path::context::Context;
use crate::path::pool::Pool;
use crate::path::verify::Valid;
use crate::path::{VerifiedIssuers, discovery};
use crate::policy::{AnchorValidity, Policy, Revocation};
use crate::reason::{Reason, Rejection};
use crate::report::{Attempt, PathCertificate, PathRole, Report, Verdict, Warning};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{
    Answers, AssessContext, Assessor, CheckedCertificate, Considered, Dismissal, EvidenceRequest,
    FetchedEvidence, Need, plan,
};
use crate::status::{Means, Status};
use crate::time::Time;
use crate::x509::Certificate;

/// Locations of one certificate that are asked for its issuer's. One is usual, with HTTP beside LDAP two.
const LOCATIONS_OF_ONE: usize = 4;

impl<'a> Check<'a> {
    /// Answers by the evidence that it was given.
    pub fn run(self) -> Report<'a> {
        evaluate(&self, &[], None, &Answers::default(), OpenRequests::NotTried).report
    }
}

/// What an evaluation came to.
pub(super) struct Evaluation<'e> {
    /// The verdict as it stands.
    pub(super) report: Report<'e>,
    /// What would change it.
    pub(super) needs: Vec<Need>,
    /// What a search that failed asked for, answered or not.
    pub(super) wanted_issuers: WantedIssuers,
    /// What was asked and answered for statuses, and why an answer was of no use to any certificate.
    pub(super) asked: Vec<(EvidenceRequest, Option<Dismissal>)>,
}

/// Where certificates may be that a failed search was missing, nearest to the target first.
#[derive(Default)]
pub(super) struct WantedIssuers {
    /// Issuers of which there is no certificate.
    pub(super) missing: Vec<EvidenceRequest>,
    /// Issuers of which there may be other certificates than those that lead nowhere.
    pub(super) others: Vec<EvidenceRequest>,
}

impl WantedIssuers {
    pub(super) const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.others.is_empty()
    }
}

/// A path that validated, and what came of its certificates' statuses.
struct Assessed<'e> {
    path: Vec<PathCertificate<'e>>,
    valid: Valid<'e>,
    decision: Result<(), Rejection>,
    warnings: Vec<Warning>,
    needs: Vec<Need>,
}

struct Evaluator<'c, 'e> {
    check: &'c Check<'e>,
    presented: Vec<Certificate<'e>>,
    pool: Pool<'e>,
    answers: &'c Answers,
    /// Open questions are asked; without, they count as not tried.
    open_requests: OpenRequests,
    signer_policy: OnceCell<Policy>,
    spent: Spent,
    /// See [`Evaluation::asked`].
    asked: Vec<(EvidenceRequest, Option<Dismissal>)>,
}

/// Evaluates. `issuers` came for paths; `verified` remembers signatures of this question from one evaluation to the
/// next.
pub(super) fn evaluate<'e>(
    check: &Check<'e>,
    issuers: &'e [CertificateDer<'static>],
    verified: Option<&'e VerifiedIssuers>,
    answers: &Answers,
    open_requests: OpenRequests,
) -> Evaluation<'e> {
    let mut warnings = Vec::new();
    let (target, presented) = match parse::read(check, issuers, &mut warnings) {
        Ok(read) => read,
        Err(reason) => {
            let report = refused(Rejection { at: 0, reason }, warnings);
            return Evaluation {
                report,
                needs: Vec::new(),
                wanted_issuers: WantedIssuers::default(),
                asked: Vec::new(),
            };
        }
    };
    let pool = Pool::new(check.ring, target, presented.clone());
    let evaluator = Evaluator {
        check,
        presented,
        pool,
        answers,
        open_requests,
        signer_policy: OnceCell::new(),
        spent: Spent::default(),
        asked: Vec::new(),
    };
    evaluator.run(verified, warnings)
}

impl<'e> Evaluator<'_, 'e> {
    fn run(mut self, verified: Option<&'e VerifiedIssuers>, warnings: Vec<Warning>) -> Evaluation<'e> {
        let Check { ring, policy, now, issuers, .. } = *self.check;
        let mut context = Context::new(ring, policy, now, [issuers, verified]);
        let mut excluded: Vec<CertificateRef> = Vec::new();
        let mut attempts: Vec<Attempt<'e>> = Vec::new();
        // The first path that validated and is not good for what is known of revocation.
        let mut blocked: Option<Assessed<'e>> = None;
        loop {
            let outcome = build::search(&mut context, &self.pool, &excluded);
            self.spent = context.budget.spent;
            let Outcome { path, result, attempts: failed } = outcome;
            let wanted_issuers = match &result {
                Err(_) if policy.aia && blocked.is_none() => self.wanted_issuers(&mut context, verified),
                _ => WantedIssuers::default(),
            };
            if blocked.is_none() {
                attempts.extend(failed.into_iter().map(|attempt| self.report_attempt(attempt)));
            }
            let valid = match (result, blocked.is_some()) {
                (Ok(valid), _) => valid,
                (Err(rejection), false) => {
                    let report = self.failed(&path, rejection, attempts, warnings);
                    return Evaluation { report, needs: Vec::new(), wanted_issuers, asked: Vec::new() };
                }
                (Err(_), true) => break,
            };
            let assessed = self.assess(&path, valid, verified);
            context.budget.spent = self.spent;
            let at = match &assessed.decision {
                Err(rejection) if assessed.needs.is_empty() => rejection.at,
                // Good, or not decided yet: this path is what it hangs on.
                _ => {
                    attempts.extend(blocked.and_then(as_attempt));
                    return self.close(assessed, attempts, warnings);
                }
            };
            match blocked {
                None => blocked = Some(assessed),
                Some(_) => attempts.extend(as_attempt(assessed)),
            }
            // Of the target's own status no other path can tell otherwise.
            let max = usize::try_from(policy.limits.revocation_paths).unwrap_or(usize::MAX);
            match path.get(at) {
                Some(blamed) if at > 0 && excluded.len() < max => excluded.push(*blamed),
                _ => break,
            }
        }
        match blocked {
            Some(blocked) => self.close(blocked, attempts, warnings),
            // Not reached: the loop ends only with a path that is blocked.
            None => {
                let rejection = Rejection { at: 0, reason: Reason::UnknownIssuer };
                let report = self.failed(&[], rejection, attempts, warnings);
                Evaluation {
                    report,
                    needs: Vec::new(),
                    wanted_issuers: WantedIssuers::default(),
                    asked: Vec::new(),
                }
            }
        }
    }

    /// The statuses of a path that validated.
    fn assess(
        &mut self,
        references: &[CertificateRef],
        valid: Valid<'e>,
        verified: Option<&VerifiedIssuers>,
    ) -> Assessed<'e> {
        let mut path = self.report_path(references);
        self.remember(&path, verified);
        let mut needs: Vec<Need> = Vec::new();
        let mut warnings = Vec::new();
        let mut statuses = Vec::new();
        if self.check.policy.revocation != Revocation::Off {
            statuses = self.statuses(&path, &mut needs);
        }
        // Revoked is certain, whatever else might be learned; a hold if nothing is left that might lift it.
        let is_certain = |(at, status): (usize, &Status)| match status {
            Status::Revoked(_) if status.is_hold() => needs.iter().all(|need| need.at != at),
            Status::Revoked(_) => true,
            _ => false,
        };
        let certain = statuses.iter().enumerate().position(is_certain);
        let tolerance = self.check.policy.revocation.tolerance();
        // What is certain is decided alone: a hold before it that may be lifted must not be blamed.
        let passed_over = certain.unwrap_or(0);
        let decision = decide(statuses.get(passed_over..).unwrap_or_default(), tolerance, &mut warnings)
            .map_err(|rejection| Rejection { at: rejection.at + passed_over, ..rejection });
        if certain.is_some() {
            needs.clear();
        }
        for (member, status) in path.iter_mut().zip(statuses) {
            member.revocation = status;
        }
        Assessed { path, valid, decision, warnings, needs }
    }

    /// RFC 5280 6.1.3 (a)(3).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(3)")]
    fn statuses(&mut self, path: &[PathCertificate<'e>], needs: &mut Vec<Need>) -> Vec<Status> {
        let Some(context) = self.assess_context(path) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let certificates: Vec<Certificate<'e>> = path.iter().map(|member| member.certificate).collect();
        let checked_certificates = CheckedCertificate::of_path(&certificates, policy);
        let mut spent = self.spent;
        // What was given is all there is: nothing to plan.
        if self.open_requests == OpenRequests::NotTried && self.answers.given.is_empty() {
            let mut assessor = Assessor::new(context, &[evidence, None], spent);
            let statuses = checked_certificates.map(|checked| assessor.status(&checked).to_owned()).collect();
            self.spent = assessor.spent();
            return statuses;
        }
        let checked_certificates: Vec<CheckedCertificate<'_, '_>> = checked_certificates.collect();
        let mut statuses = Vec::with_capacity(path.len());
        let mut owns = Vec::with_capacity(path.len());
        let mut asked: Vec<(EvidenceRequest, Option<Dismissal>)> = Vec::new();
        for (at, checked) in checked_certificates.iter().enumerate() {
            let planned =
                plan::plan(context, evidence, self.answers, *checked, self.open_requests, &mut spent);
            if let Some(ask) = planned.next
                && !needs.iter().any(|need| need.request == ask)
            {
                needs.push(Need { at, request: ask, signer: checked.issuer.spki().raw.into() });
            }
            for (ask, fault) in planned.asked {
                match asked.iter_mut().find(|(known, _)| *known == ask) {
                    // Of use to one is of use.
                    Some((_, known)) => *known = if fault.is_none() { None } else { known.take() },
                    None => asked.push((ask, fault)),
                }
            }
            statuses.push(planned.status);
            owns.push(planned.own);
        }
        // Everything that was asked for on behalf of the path is looked into for all of it: revoked in any is revoked.
        if needs.is_empty() && !asked.is_empty() {
            let fetched = self.fetched(&asked);
            for ((status, own), checked) in statuses.iter_mut().zip(&owns).zip(&checked_certificates) {
                fetched.merge_into(context, evidence, checked, own, status, &mut spent);
            }
        }
        self.spent = spent;
        self.asked.extend(asked);
        statuses
    }

    /// What the statuses of this path are found with.
    fn assess_context(&self, path: &[PathCertificate<'e>]) -> Option<AssessContext<'_>> {
        let Check { ring, policy, now, issuers, .. } = *self.check;
        Some(AssessContext {
            ring,
            policy,
            now,
            issuers,
            pool: &self.pool,
            presented: &self.presented,
            anchor: path.last()?.certificate,
            signer_policy: &self.signer_policy,
            hashed_issuer: None,
        })
    }

    /// The answers to all of this. Another's answer is nobody's evidence. Whatever else was found wrong is found again.
    fn fetched<'s>(&'s self, asked: &[(EvidenceRequest, Option<Dismissal>)]) -> FetchedEvidence<'s> {
        let own = asked.iter().filter(|(_, fault)| *fault != Some(Dismissal::NonceMismatch));
        FetchedEvidence::of(own.filter_map(|(ask, _)| self.answers.given.get(ask)))
    }

    /// The evidence that did not count for this path.
    fn considered(&self, path: &[PathCertificate<'e>]) -> Vec<Considered> {
        let Some(context) = self.assess_context(path) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let certificates: Vec<Certificate<'e>> = path.iter().map(|member| member.certificate).collect();
        let checked_certificates: Vec<CheckedCertificate<'_, '_>> =
            CheckedCertificate::of_path(&certificates, policy).collect();
        let max = usize::try_from(policy.limits.considered).unwrap_or(usize::MAX);
        let replayed = self.asked.iter().filter(|(_, fault)| *fault == Some(Dismissal::NonceMismatch));
        let replayed = replayed.map(|(ask, _)| Considered {
            at: None,
            kind: Some(Means::Ocsp),
            source: Arc::clone(ask.url()),
            about: String::new(),
            why: Dismissal::NonceMismatch,
        });
        let others = self.fetched(&self.asked).considered(context, evidence, &checked_certificates, max);
        replayed.chain(others).take(max).collect()
    }

    /// Where certificates may be that a failed search was missing: what the certificates name that the search reaches.
    ///
    /// RFC 5280 4.2.2.1.
    #[doc(alias = "RFC 5280 section 4.2.2.1")]
    fn wanted_issuers(
        &mut self,
        context: &mut Context<'e>,
        verified: Option<&VerifiedIssuers>,
    ) -> WantedIssuers {
        let reached = discovery::reach(context, &self.pool, verified);
        self.spent = context.budget.spent;
        let missing = locations(&reached.dead_ends, &[]);
        let others = locations(&reached.others, &missing);
        WantedIssuers { missing, others }
    }

    fn report_path(&self, path: &[CertificateRef]) -> Vec<PathCertificate<'e>> {
        let to_report = |(at, reference): (usize, &CertificateRef)| {
            let (link, _) = self.pool.link(*reference)?;
            let entry = match reference {
                CertificateRef::Ring(index) => self.check.ring.get(*index),
                CertificateRef::Target | CertificateRef::Presented(_) => None,
            };
            let role = match entry {
                _ if at == 0 => PathRole::Leaf,
                Some(entry) if entry.role() == Role::Anchor && at + 1 == path.len() => PathRole::Anchor,
                _ => PathRole::Intermediate,
            };
            Some(PathCertificate {
                role,
                certificate: link.certificate,
                in_ring: entry,
                revocation: Status::NotChecked,
            })
        };
        path.iter().enumerate().filter_map(to_report).collect()
    }

    fn report_attempt(&self, attempt: build::Attempt) -> Attempt<'e> {
        let links = attempt.path.iter().filter_map(|at| self.pool.link(*at));
        Attempt { path: links.map(|(link, _)| link.certificate).collect(), rejection: attempt.rejection }
    }

    /// Keeps the signatures of a good path: its CAs' from check to check, all of them within this one.
    fn remember(&self, path: &[PathCertificate<'e>], verified: Option<&VerifiedIssuers>) {
        for (at, (child, issuer)) in path.iter().zip(path.iter().skip(1)).enumerate() {
            let certificate = &child.certificate;
            for table in self.check.issuers.filter(|_| at > 0).into_iter().chain(verified) {
                table.add(certificate.der(), certificate.signature(), issuer.certificate.spki().raw);
            }
        }
    }

    fn failed(
        &self,
        path: &[CertificateRef],
        rejection: Rejection,
        attempts: Vec<Attempt<'e>>,
        warnings: Vec<Warning>,
    ) -> Report<'e> {
        let report = refused(rejection, warnings);
        Report { path: self.report_path(path), attempts, spent: self.spent, ..report }
    }

    fn close(
        self,
        assessed: Assessed<'e>,
        attempts: Vec<Attempt<'e>>,
        mut warnings: Vec<Warning>,
    ) -> Evaluation<'e> {
        let Assessed { path, valid, decision, warnings: of_statuses, needs } = assessed;
        let policies = valid.policies.clone();
        if let Some(anchor) = path.last().and_then(|anchor| anchor.in_ring) {
            warnings.extend(warnings_of_anchor(&valid, anchor));
        }
        warnings.extend(of_statuses);
        let verdict = match &decision {
            Ok(()) => Verdict::Accept,
            Err(Rejection { reason: Reason::RevocationUnknown(_), .. }) => Verdict::Undetermined,
            Err(_) => Verdict::Reject,
        };
        let has_unknown = path.iter().any(|member| matches!(member.revocation, Status::Unknown(_)));
        let considered = if needs.is_empty() && (has_unknown || self.check.policy.explain) {
            self.considered(&path)
        } else {
            Vec::new()
        };
        let valid_until =
            (verdict == Verdict::Accept).then(|| valid_until(self.check.policy, &path)).flatten();
        let report = Report {
            verdict,
            reason: decision.err(),
            path,
            policies,
            valid_until,
            attempts,
            considered,
            warnings,
            spent: self.spent,
        };
        Evaluation { report, needs, wanted_issuers: WantedIssuers::default(), asked: self.asked }
    }
}

/// What caIssuers of these certificates names, each location once and none that is known.
fn locations(certificates: &[Certificate<'_>], known: &[EvidenceRequest]) -> Vec<EvidenceRequest> {
    let mut found: Vec<EvidenceRequest> = Vec::new();
    for certificate in certificates {
        let access = certificate.authority_info_access().ok().flatten();
        for url in
            access.into_iter().flat_map(|access| access.urls(oid::AD_CA_ISSUERS)).take(LOCATIONS_OF_ONE)
        {
            let ask = EvidenceRequest::Issuers { url: url.into() };
            if !known.contains(&ask) && !found.contains(&ask) {
                found.push(ask);
            }
        }
    }
    found
}

/// A path that validated and was given up for another.
fn as_attempt(assessed: Assessed<'_>) -> Option<Attempt<'_>> {
    let rejection = assessed.decision.err()?;
    Some(Attempt { path: assessed.path.iter().map(|member| member.certificate).collect(), rejection })
}

/// What is worth telling of the anchor of a path.
pub(super) fn warnings_of_anchor(valid: &Valid<'_>, anchor: &RingCertificate) -> Vec<Warning> {
    let certificate = anchor.certificate();
    let outside = valid.anchor_outside_validity.then(|| Warning::AnchorOutsideValidity {
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
    });
    let promoted =
        anchor.is_promoted().then(|| Warning::AnchorPromoted { issuer: certificate.issuer().to_string() });
    outside.into_iter().chain(promoted).collect()
}

/// The earliest end of validity; the anchor's counts where policy or settings make it count.
pub(super) fn valid_until(policy: &Policy, path: &[PathCertificate<'_>]) -> Option<Time> {
    let enforce = policy.anchor_validity == AnchorValidity::Enforce;
    let counts = |member: &&PathCertificate<'_>| member.role != PathRole::Anchor || enforce;
    let own = path.iter().filter(counts).map(|member| member.certificate.not_after()).min();
    let trusted = path.last().and_then(|anchor| anchor.in_ring?.constraints().not_after);
    own.into_iter().chain(trusted).min()
}

/// Nothing was found.
fn refused(rejection: Rejection, warnings: Vec<Warning>) -> Report<'static> {
    Report {
        verdict: Verdict::Reject,
        reason: Some(rejection),
        path: Vec::new(),
        policies: Vec::new(),
        valid_until: None,
        attempts: Vec::new(),
        considered: Vec::new(),
        warnings,
        spent: Spent::default(),
    }
}
