//! One evaluation of a check: a path, the statuses of its certificates, a verdict, and what is missing.

use std::cell::OnceCell;
use std::sync::Arc;

use super::Check;
use super::chain::{Presented, parse_target};
use super::findings::{Findings, valid_until, warnings_of_anchor};
use super::memory::{Memory, Searched};
use super::verdict::decide;
use super::wanted_issuers::WantedIssuers;
use crate::budget::Spent;
use crate::path::build::{self, Attempt, Outcome};
use crate::path::candidate::CertificateRef;
use crate::path::context::{Context, Edge};
use crate::path::pool::Pool;
use crate::path::verify::Valid;
use crate::policy::{Policy, Revocation};
use crate::reason::{Reason, Rejection};
use crate::report::{OwnedReport, Report, Verdict, Warning};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{
    AnswerSource, Answers, AssessContext, Assessor, CheckedCertificate, Considered, Dismissal,
    FetchedEvidence, Need, may_concern_others, plan,
};
use crate::status::{Means, Status};
use crate::x509::Certificate;

impl<'a> Check<'a> {
    /// Decides with the evidence that was given, and returns the report.
    pub fn run(self) -> Report<'a> {
        match parse_target(&self) {
            Err(reason) => Findings::rejected(Rejection { at: 0, reason }).without_path(),
            Ok(target) => {
                let Presented { certificates, warnings, .. } = Presented::parse(&self, &[]);
                let pool = Pool::new(self.ring, target, certificates);
                let (answers, mut memory) = (Answers::new(None), Memory::default());
                let (spent, open_requests) = (Spent::default(), OpenRequests::NotTried);
                evaluate(&self, pool, warnings, &mut memory, spent, &answers, open_requests).into_report()
            }
        }
    }
}

/// The result of an evaluation.
pub(super) struct Evaluation<'e> {
    pool: Pool<'e>,
    /// The verdict so far.
    pub(super) findings: Findings,
    /// The evidence that would change it.
    pub(super) needs: Vec<Need>,
    /// The issuers that a failed search requested, answered or not.
    pub(super) wanted_issuers: WantedIssuers,
    /// The numbers of the paths whose statuses were determined, in this order. The last one decided.
    pub(super) paths: Vec<usize>,
}

impl<'e> Evaluation<'e> {
    pub(super) fn into_report(self) -> Report<'e> {
        self.findings.into_report(&self.pool)
    }

    pub(super) fn into_owned_report(self) -> OwnedReport {
        self.findings.into_owned_report(&self.pool)
    }
}

/// A validated path, with the statuses of its certificates.
struct Assessed {
    searched: Arc<Searched>,
    valid: Valid,
    statuses: Vec<Status>,
    decision: Result<(), Rejection>,
    warnings: Vec<Warning>,
    needs: Vec<Need>,
}

/// What an evaluator has found.
struct Found {
    findings: Findings,
    needs: Vec<Need>,
    wanted_issuers: WantedIssuers,
}

struct Evaluator<'c, 'e> {
    check: &'c Check<'e>,
    pool: Pool<'e>,
    /// The signatures that were verified.
    edges: Vec<Edge<'e>>,
    memory: &'c mut Memory,
    answers: &'c dyn AnswerSource,
    /// Whether open requests are reported as needs, or count as not tried.
    open_requests: OpenRequests,
    signer_policy: OnceCell<Policy>,
    spent: Spent,
    /// See [`Evaluation::paths`].
    paths: Vec<usize>,
}

/// Evaluates the check with the certificates of this pool, after `spent`. With a memory from an earlier evaluation of the
/// same check, only what new answers concern is determined again.
pub(super) fn evaluate<'e>(
    check: &Check<'e>,
    pool: Pool<'e>,
    warnings: Vec<Warning>,
    memory: &mut Memory,
    spent: Spent,
    answers: &dyn AnswerSource,
    open_requests: OpenRequests,
) -> Evaluation<'e> {
    let edges = core::mem::take(&mut memory.edges);
    let mut evaluator = Evaluator {
        check,
        pool,
        edges,
        memory,
        answers,
        open_requests,
        signer_policy: OnceCell::new(),
        spent,
        paths: Vec::new(),
    };
    let Found { findings, needs, wanted_issuers } = evaluator.run(warnings);
    let Evaluator { pool, edges, memory, paths, .. } = evaluator;
    // A session goes on if something is needed, and also if an answer is taken back.
    if open_requests == OpenRequests::Named {
        memory.edges = edges.into_iter().map(Edge::into_owned).collect();
    }
    Evaluation { pool, findings, needs, wanted_issuers, paths }
}

impl<'e> Evaluator<'_, 'e> {
    fn run(&mut self, warnings: Vec<Warning>) -> Found {
        let policy = self.check.policy;
        let mut excluded: Vec<CertificateRef> = Vec::new();
        let mut attempts: Vec<Attempt> = Vec::new();
        // The first valid path that fails because of revocation.
        let mut blocked: Option<Assessed> = None;
        loop {
            let searched = self.search(&excluded);
            let Outcome { path, result, attempts: failed } = &searched.outcome;
            if blocked.is_none() {
                attempts.extend(failed.iter().cloned());
            }
            let valid = match (result, blocked.is_some()) {
                (Ok(valid), _) => valid.clone(),
                (Err(rejection), false) => {
                    self.paths.clear();
                    return self.failed(&searched, rejection.clone(), attempts, warnings);
                }
                (Err(_), true) => break,
            };
            let assessed = self.assess(&searched, valid);
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
                let findings = Findings::rejected(Rejection { at: 0, reason: Reason::UnknownIssuer });
                Found { findings, needs: Vec::new(), wanted_issuers: WantedIssuers::default() }
            }
        }
    }

    /// Searches a path without these certificates, and the issuers that a failed search is missing, unless that was
    /// done before.
    fn search(&mut self, excluded: &[CertificateRef]) -> Arc<Searched> {
        if let Some(known) = self.memory.search(excluded) {
            self.spent = self.spent.and(known.spent);
            return Arc::clone(known);
        }
        let Check { ring, policy, now, issuers, .. } = *self.check;
        let edges = core::mem::take(&mut self.edges);
        let mut context = Context::with_spent(ring, policy, now, issuers, self.spent).with_edges(edges);
        let followed = match self.memory.first_path.take() {
            Some(first_path) => {
                let followed = first_path.follow(&mut context, &self.pool);
                if followed.is_none() {
                    let verified = context.budget.spent.of_signatures();
                    context.budget.spent = self.spent.without_signatures().and(verified);
                    context.begin_search();
                }
                followed
            }
            None => None,
        };
        let was_known = followed.is_some();
        let outcome = followed.unwrap_or_else(|| build::search(&mut context, &self.pool, excluded));
        let wanted_issuers = match &outcome.result {
            Err(_) if policy.aia && excluded.is_empty() => WantedIssuers::of(&mut context, &self.pool),
            _ => WantedIssuers::default(),
        };
        let spent = context.budget.spent.since(self.spent).without_signatures();
        self.spent = context.budget.spent;
        if outcome.result.is_ok() && !was_known {
            self.remember(&outcome.path);
        }
        self.edges = context.into_edges();
        let excluded = excluded.to_vec();
        let searched = Arc::new(Searched { excluded, outcome, was_known, wanted_issuers, spent });
        // As with signatures, only a session comes back to it.
        if self.open_requests == OpenRequests::Named {
            self.memory.add_search(Arc::clone(&searched));
        }
        searched
    }

    /// The statuses of a validated path.
    fn assess(&mut self, searched: &Arc<Searched>, valid: Valid) -> Assessed {
        let mut needs: Vec<Need> = Vec::new();
        let mut warnings = Vec::new();
        let mut statuses = Vec::new();
        if self.check.policy.revocation != Revocation::Off {
            statuses = self.statuses(&searched.outcome.path, &mut needs);
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
        Assessed { searched: Arc::clone(searched), valid, statuses, decision, warnings, needs }
    }

    /// The statuses of the certificates of a path.
    ///
    /// RFC 5280 6.1.3 (a)(3).
    #[doc(alias = "RFC 5280 section 6.1.3(a)(3)")]
    fn statuses(&mut self, path: &[CertificateRef], needs: &mut Vec<Need>) -> Vec<Status> {
        let number = self.memory.number_of(path);
        let certificates = self.certificates(path);
        let Some(context) = self.assess_context(&certificates) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let checked_certificates = CheckedCertificate::of_path(&certificates, policy);
        let mut spent = self.spent;
        // Nothing can be fetched, so there is nothing to plan.
        if self.open_requests == OpenRequests::NotTried && self.answers.is_empty() {
            let mut assessor = Assessor::new(context, &[evidence, None], spent);
            let statuses = checked_certificates.map(|checked| assessor.status(&checked).to_owned()).collect();
            self.spent = assessor.spent();
            return statuses;
        }
        let checked_certificates: Vec<CheckedCertificate<'_, '_>> = checked_certificates.collect();
        let mut plans = Vec::with_capacity(path.len());
        for (at, checked) in checked_certificates.iter().enumerate() {
            let known = self.memory.planned(number, at);
            let planned = match known.filter(|known| known.holds(self.answers, self.open_requests)) {
                Some(known) => {
                    spent = spent.and(known.spent);
                    Arc::clone(known)
                }
                None => {
                    let hashed = self.memory.hashed_issuer.as_ref().filter(|_| at == 0);
                    let context = AssessContext { hashed_issuer: hashed, ..context };
                    let open_requests = self.open_requests;
                    let planned =
                        plan::plan(context, evidence, self.answers, *checked, open_requests, &mut spent);
                    Arc::new(planned)
                }
            };
            if let Some(ask) = &planned.next
                && !needs.iter().any(|need| need.request == *ask)
            {
                let signer = checked.issuer.spki_raw().into();
                needs.push(Need { at, request: ask.clone(), signer });
            }
            plans.push(planned);
        }
        let mut statuses: Vec<Status> = plans.iter().map(|planned| planned.status.clone()).collect();
        let known = || plans.iter().map(|planned| &**planned);
        // Everything that was requested for the path is evaluated for all of it: revoked by any is revoked.
        if needs.is_empty() && may_concern_others(known(), &checked_certificates, &self.pool.issuers_of(path))
        {
            let fetched = FetchedEvidence::of(plans.iter().flat_map(|planned| &planned.asked));
            for ((status, planned), checked) in statuses.iter_mut().zip(&plans).zip(&checked_certificates) {
                fetched.merge_into(context, evidence, checked, &planned.own, status, &mut spent);
            }
        }
        self.spent = spent;
        for (at, planned) in plans.into_iter().enumerate() {
            if self.memory.planned(number, at).is_none_or(|known| !Arc::ptr_eq(known, &planned)) {
                self.memory.set_planned(number, at, planned);
            }
        }
        self.paths.push(number);
        statuses
    }

    /// The inputs for the statuses of this path.
    fn assess_context(&self, path: &[Certificate<'e>]) -> Option<AssessContext<'_>> {
        Some(self.check.assess_context(&self.pool, *path.last()?, &self.signer_policy))
    }

    /// The evidence that was not used for this path.
    fn considered(&self, path: &[CertificateRef]) -> Vec<Considered> {
        let certificates = self.certificates(path);
        let Some(context) = self.assess_context(&certificates) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let checked_certificates: Vec<CheckedCertificate<'_, '_>> =
            CheckedCertificate::of_path(&certificates, policy).collect();
        let max = usize::try_from(policy.limits.considered).unwrap_or(usize::MAX);
        let asked: Vec<_> = self.paths.iter().flat_map(|path| self.memory.asked(*path)).collect();
        let replayed = asked.iter().filter(|(_, fault)| *fault == Some(&Dismissal::NonceMismatch));
        let replayed = replayed.map(|(ask, _)| Considered {
            at: None,
            kind: Some(Means::Ocsp),
            source: Arc::clone(ask.url()),
            about: String::new(),
            why: Dismissal::NonceMismatch,
        });
        let plans = self.paths.iter().flat_map(|path| self.memory.plans(*path));
        let others = FetchedEvidence::of(plans.flat_map(|planned| &planned.asked));
        let others = others.considered(context, evidence, &checked_certificates, max);
        replayed.chain(others).take(max).collect()
    }

    fn certificates(&self, path: &[CertificateRef]) -> Vec<Certificate<'e>> {
        let mut certificates = Vec::with_capacity(path.len());
        certificates.extend(path.iter().filter_map(|at| self.pool.certificate(*at)));
        certificates
    }

    /// Remembers the signatures on the CA certificates of a valid path for other checks.
    fn remember(&self, path: &[CertificateRef]) {
        let Some(table) = self.check.issuers else { return };
        let above: Vec<_> = path.iter().skip(1).filter_map(|at| self.pool.certificate(*at)).collect();
        for pair in above.windows(2) {
            if let [child, issuer] = pair {
                table.add(child.der(), child.signature(), issuer.spki_raw());
            }
        }
    }

    fn failed(
        &self,
        searched: &Searched,
        rejection: Rejection,
        attempts: Vec<Attempt>,
        warnings: Vec<Warning>,
    ) -> Found {
        let (path, spent) = (searched.outcome.path.clone(), self.spent);
        let findings = Findings { path, attempts, warnings, spent, ..Findings::rejected(rejection) };
        Found { findings, needs: Vec::new(), wanted_issuers: searched.wanted_issuers.clone() }
    }

    fn close(&self, assessed: Assessed, attempts: Vec<Attempt>, mut warnings: Vec<Warning>) -> Found {
        let Assessed { searched, valid, statuses, decision, warnings: of_statuses, needs } = assessed;
        let path = &searched.outcome.path;
        let anchor = match path.last() {
            Some(CertificateRef::Ring(at)) => self.check.ring.get(*at),
            _ => None,
        };
        warnings.extend(anchor.into_iter().flat_map(|anchor| warnings_of_anchor(&valid, anchor)));
        warnings.extend(of_statuses);
        let verdict = match &decision {
            Ok(()) => Verdict::Accept,
            Err(Rejection { reason: Reason::RevocationUnknown(_), .. }) => Verdict::Undetermined,
            Err(_) => Verdict::Reject,
        };
        let has_unknown = statuses.iter().any(|status| matches!(status, Status::Unknown(_)));
        let considered = if needs.is_empty() && (has_unknown || self.check.policy.explain) {
            self.considered(path)
        } else {
            Vec::new()
        };
        let valid_until =
            if verdict == Verdict::Accept { valid_until(self.check, &self.pool, path, anchor) } else { None };
        let findings = Findings {
            verdict,
            reason: decision.err(),
            path: path.clone(),
            statuses,
            policies: valid.policies,
            valid_until,
            attempts,
            considered,
            warnings,
            spent: self.spent,
        };
        Found { findings, needs, wanted_issuers: WantedIssuers::default() }
    }
}

/// The attempt for a validated path that was given up for another.
fn as_attempt(assessed: Assessed) -> Option<Attempt> {
    let rejection = assessed.decision.err()?;
    Some(Attempt { path: assessed.searched.outcome.path.clone(), rejection })
}
