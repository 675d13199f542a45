//! One evaluation of a check: a path, the statuses of its certificates, a verdict, and what is missing.

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

/// The most locations that one certificate may have for its issuer's certificate. One is usual, or two with HTTP and
/// LDAP.
const LOCATIONS_OF_ONE: usize = 4;

impl<'a> Check<'a> {
    /// Decides with the evidence that was given, and returns the report.
    pub fn run(self) -> Report<'a> {
        evaluate(&self, &[], None, &Answers::default(), OpenRequests::NotTried).report
    }
}

/// The result of an evaluation.
pub(super) struct Evaluation<'e> {
    /// The verdict so far.
    pub(super) report: Report<'e>,
    /// The evidence that would change it.
    pub(super) needs: Vec<Need>,
    /// The issuers that a failed search requested, answered or not.
    pub(super) wanted_issuers: WantedIssuers,
    /// The requests for statuses that were answered, and why an answer was useful for no certificate.
    pub(super) asked: Vec<(EvidenceRequest, Option<Dismissal>)>,
}

/// The locations of certificates that a failed search is missing, nearest to the target first.
#[derive(Default)]
pub(super) struct WantedIssuers {
    /// Issuers without any certificate.
    pub(super) missing: Vec<EvidenceRequest>,
    /// Issuers that may have other certificates than those that lead nowhere.
    pub(super) others: Vec<EvidenceRequest>,
}

impl WantedIssuers {
    pub(super) const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.others.is_empty()
    }
}

/// A validated path, with the statuses of its certificates.
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
    /// Whether open requests are reported as needs, or count as not tried.
    open_requests: OpenRequests,
    signer_policy: OnceCell<Policy>,
    spent: Spent,
    /// See [`Evaluation::asked`].
    asked: Vec<(EvidenceRequest, Option<Dismissal>)>,
}

/// Evaluates the check. `issuers` are the certificates that were fetched for paths. `verified` remembers signatures of
/// this check from one evaluation to the next.
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
        // The first valid path that fails because of revocation.
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
                // Accepted, or undecided: the verdict depends on this path.
                _ => {
                    attempts.extend(blocked.and_then(as_attempt));
                    return self.close(assessed, attempts, warnings);
                }
            };
            match blocked {
                None => blocked = Some(assessed),
                Some(_) => attempts.extend(as_attempt(assessed)),
            }
            // No other path can change the target's own status.
            let max = usize::try_from(policy.limits.revocation_paths).unwrap_or(usize::MAX);
            match path.get(at) {
                Some(blamed) if at > 0 && excluded.len() < max => excluded.push(*blamed),
                _ => break,
            }
        }
        match blocked {
            Some(blocked) => self.close(blocked, attempts, warnings),
            // Not reached: the loop ends only with a blocked path.
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

    /// The statuses of a validated path.
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
        // A revocation is certain, whatever else is learned. A hold is certain if nothing is left that could lift it.
        let is_certain = |(at, status): (usize, &Status)| match status {
            Status::Revoked(_) if status.is_hold() => needs.iter().all(|need| need.at != at),
            Status::Revoked(_) => true,
            _ => false,
        };
        let certain = statuses.iter().enumerate().position(is_certain);
        let tolerance = self.check.policy.revocation.tolerance();
        // A certain revocation is decided alone: a hold before it that may be lifted must not be the reason.
        let skipped = certain.unwrap_or(0);
        let decision = decide(statuses.get(skipped..).unwrap_or_default(), tolerance, &mut warnings)
            .map_err(|rejection| Rejection { at: rejection.at + skipped, ..rejection });
        if certain.is_some() {
            needs.clear();
        }
        for (member, status) in path.iter_mut().zip(statuses) {
            member.revocation = status;
        }
        Assessed { path, valid, decision, warnings, needs }
    }

    /// The statuses of the certificates of a path.
    ///
    /// RFC 5280 6.1.3 (a)(3).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(3)")]
    fn statuses(&mut self, path: &[PathCertificate<'e>], needs: &mut Vec<Need>) -> Vec<Status> {
        let Some(context) = self.assess_context(path) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let certificates: Vec<Certificate<'e>> = path.iter().map(|member| member.certificate).collect();
        let checked_certificates = CheckedCertificate::of_path(&certificates, policy);
        let mut spent = self.spent;
        // Nothing can be fetched, so there is nothing to plan.
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
                    // An answer that is useful for one certificate is useful.
                    Some((_, known)) => *known = if fault.is_none() { None } else { known.take() },
                    None => asked.push((ask, fault)),
                }
            }
            statuses.push(planned.status);
            owns.push(planned.own);
        }
        // Everything that was requested for the path is evaluated for all of it: revoked by any is revoked.
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

    /// The inputs for the statuses of this path.
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

    /// The answers to these requests. Answers for other paths are not used. The other faults are found again.
    fn fetched<'s>(&'s self, asked: &[(EvidenceRequest, Option<Dismissal>)]) -> FetchedEvidence<'s> {
        let own = asked.iter().filter(|(_, fault)| *fault != Some(Dismissal::NonceMismatch));
        FetchedEvidence::of(own.filter_map(|(ask, _)| self.answers.given.get(ask)))
    }

    /// The evidence that was not used for this path.
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

    /// The locations of certificates that a failed search is missing, from the certificates that the search reaches.
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

    /// Remembers the signatures of an accepted path: those of its CAs for other checks, all of them within this one.
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

/// The caIssuers locations of these certificates, each once, without the known ones.
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

/// The attempt for a validated path that was given up for another.
fn as_attempt(assessed: Assessed<'_>) -> Option<Attempt<'_>> {
    let rejection = assessed.decision.err()?;
    Some(Attempt { path: assessed.path.iter().map(|member| member.certificate).collect(), rejection })
}

/// The warnings about the anchor of a path.
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

/// The earliest end of validity. The anchor's counts if the policy or the settings enforce it.
pub(super) fn valid_until(policy: &Policy, path: &[PathCertificate<'_>]) -> Option<Time> {
    let enforce = policy.anchor_validity == AnchorValidity::Enforce;
    let counts = |member: &&PathCertificate<'_>| member.role != PathRole::Anchor || enforce;
    let own = path.iter().filter(counts).map(|member| member.certificate.not_after()).min();
    let trusted = path.last().and_then(|anchor| anchor.in_ring?.constraints().not_after);
    own.into_iter().chain(trusted).min()
}

/// The report of a check without a path.
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
