//! One evaluation of a check: a path, the statuses of its certificates, a verdict, and what is missing.

use std::cell::OnceCell;
use std::sync::Arc;

use pki_types::CertificateDer;

use super::Check;
use super::chain::{ParsedChain, Views, parse_target};
use super::memory::{Memory, Searched, WantedIssuers};
use super::verdict::decide;
use crate::budget::Spent;
use crate::key_ring::{RingCertificate, Role};
use crate::oid;
use crate::path::build::{self, Outcome};
use crate::path::candidate::CertificateRef;
use crate::path::context::Context;
use crate::path::discovery;
use crate::path::pool::Pool;
use crate::path::verify::Valid;
use crate::policy::{AnchorValidity, Policy, Revocation};
use crate::reason::{Reason, Rejection};
use crate::report::{Attempt, PathCertificate, PathRole, Report, Verdict, Warning};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{
    AnswerSource, Answers, AssessContext, Assessor, CheckedCertificate, Considered, Dismissal,
    EvidenceRequest, FetchedEvidence, Need, plan,
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
        match parse_target(&self) {
            Err(reason) => refused(Rejection { at: 0, reason }, Vec::new()),
            Ok(target) => {
                let chain = ParsedChain::parse(&self, target, &[]);
                let (answers, mut memory) = (Answers::default(), Memory::default());
                evaluate(&self, &chain, &[], &mut memory, &answers, OpenRequests::NotTried).report
            }
        }
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
    /// The numbers of the paths whose statuses were determined, in this order. The last one decided.
    pub(super) paths: Vec<usize>,
}

/// A validated path, with the statuses of its certificates.
struct Assessed<'e> {
    path: Vec<PathCertificate<'e>>,
    valid: Valid,
    decision: Result<(), Rejection>,
    warnings: Vec<Warning>,
    needs: Vec<Need>,
}

struct Evaluator<'c, 'e> {
    check: &'c Check<'e>,
    presented: Vec<Certificate<'e>>,
    pool: Pool<'e>,
    memory: &'c mut Memory,
    answers: &'c dyn AnswerSource,
    /// Whether open requests are reported as needs, or count as not tried.
    open_requests: OpenRequests,
    signer_policy: OnceCell<Policy>,
    spent: Spent,
    /// See [`Evaluation::paths`].
    paths: Vec<usize>,
}

/// Evaluates the check. `issuers` are the certificates that were fetched for paths. With a memory from an earlier
/// evaluation of the same check, only what new answers concern is determined again.
pub(super) fn evaluate<'e>(
    check: &Check<'e>,
    chain: &ParsedChain,
    issuers: &'e [CertificateDer<'static>],
    memory: &mut Memory,
    answers: &dyn AnswerSource,
    open_requests: OpenRequests,
) -> Evaluation<'e> {
    let Views { presented, pool } = chain.views(check, issuers);
    let evaluator = Evaluator {
        check,
        presented,
        pool,
        memory,
        answers,
        open_requests,
        signer_policy: OnceCell::new(),
        spent: Spent::default(),
        paths: Vec::new(),
    };
    evaluator.run(chain.warnings.clone())
}

impl<'e> Evaluator<'_, 'e> {
    fn run(mut self, warnings: Vec<Warning>) -> Evaluation<'e> {
        let policy = self.check.policy;
        let mut excluded: Vec<CertificateRef> = Vec::new();
        let mut attempts: Vec<Attempt<'e>> = Vec::new();
        // The first valid path that fails because of revocation.
        let mut blocked: Option<Assessed<'e>> = None;
        loop {
            let (Outcome { path, result, attempts: failed }, wanted_issuers) = self.search(&excluded);
            if blocked.is_none() {
                attempts.extend(failed.into_iter().map(|attempt| self.report_attempt(attempt)));
            }
            let valid = match (result, blocked.is_some()) {
                (Ok(valid), _) => valid,
                (Err(rejection), false) => {
                    let report = self.failed(&path, rejection, attempts, warnings);
                    return Evaluation { report, needs: Vec::new(), wanted_issuers, paths: Vec::new() };
                }
                (Err(_), true) => break,
            };
            let assessed = self.assess(&path, valid);
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
                let wanted_issuers = WantedIssuers::default();
                Evaluation { report, needs: Vec::new(), wanted_issuers, paths: Vec::new() }
            }
        }
    }

    /// Searches a path without these certificates, and the issuers that a failed search is missing, unless that was
    /// done before.
    fn search(&mut self, excluded: &[CertificateRef]) -> (Outcome, WantedIssuers) {
        if let Some(known) = self.memory.search(excluded) {
            self.spent = self.spent.and(known.spent);
            return (known.outcome.clone(), known.wanted_issuers.clone());
        }
        let Check { ring, policy, now, issuers, .. } = *self.check;
        let edges = core::mem::take(&mut self.memory.edges);
        let mut context = Context::with_spent(ring, policy, now, issuers, self.spent).with_edges(edges);
        let outcome = build::search(&mut context, &self.pool, excluded);
        let wanted_issuers = match &outcome.result {
            Err(_) if policy.aia && excluded.is_empty() => self.wanted_issuers(&mut context),
            _ => WantedIssuers::default(),
        };
        let spent = context.budget.spent.since(self.spent).without_signatures();
        self.spent = context.budget.spent;
        if outcome.result.is_ok() {
            self.remember(&outcome.path);
        }
        self.memory.edges = context.into_edges();
        self.memory.add_search(Searched {
            excluded: excluded.to_vec(),
            outcome: outcome.clone(),
            wanted_issuers: wanted_issuers.clone(),
            spent,
        });
        (outcome, wanted_issuers)
    }

    /// The statuses of a validated path.
    fn assess(&mut self, references: &[CertificateRef], valid: Valid) -> Assessed<'e> {
        let mut path = self.report_path(references);
        let mut needs: Vec<Need> = Vec::new();
        let mut warnings = Vec::new();
        let mut statuses = Vec::new();
        if self.check.policy.revocation != Revocation::Off {
            statuses = self.statuses(references, &path, &mut needs);
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
    fn statuses(
        &mut self,
        references: &[CertificateRef],
        path: &[PathCertificate<'e>],
        needs: &mut Vec<Need>,
    ) -> Vec<Status> {
        let number = self.memory.number_of(references);
        let Some(context) = self.assess_context(path) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let certificates: Vec<Certificate<'e>> = path.iter().map(|member| member.certificate).collect();
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
                let signer = checked.issuer.spki().raw.into();
                needs.push(Need { at, request: ask.clone(), signer });
            }
            plans.push(planned);
        }
        let mut statuses: Vec<Status> = plans.iter().map(|planned| planned.status.clone()).collect();
        // Everything that was requested for the path is evaluated for all of it: revoked by any is revoked.
        if needs.is_empty() && plans.iter().any(|planned| !planned.asked.is_empty()) {
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

    /// The evidence that was not used for this path.
    fn considered(&self, path: &[PathCertificate<'e>]) -> Vec<Considered> {
        let Some(context) = self.assess_context(path) else { return Vec::new() };
        let Check { policy, evidence, .. } = *self.check;
        let certificates: Vec<Certificate<'e>> = path.iter().map(|member| member.certificate).collect();
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

    /// The locations of certificates that a failed search is missing, from the certificates that the search reaches.
    ///
    /// RFC 5280 4.2.2.1.
    #[doc(alias = "RFC 5280 section 4.2.2.1")]
    fn wanted_issuers(&self, context: &mut Context<'e>) -> WantedIssuers {
        let reached = discovery::reach(context, &self.pool);
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

    /// Remembers the signatures on the CA certificates of a valid path for other checks.
    fn remember(&self, path: &[CertificateRef]) {
        let Some(table) = self.check.issuers else { return };
        let links: Vec<_> = path.iter().skip(1).filter_map(|at| self.pool.link(*at)).collect();
        for pair in links.windows(2) {
            if let [(child, _), (issuer, _)] = pair {
                let certificate = &child.certificate;
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
            policies: valid.policies,
            valid_until,
            attempts,
            considered,
            warnings,
            spent: self.spent,
        };
        Evaluation { report, needs, wanted_issuers: WantedIssuers::default(), paths: self.paths }
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
fn warnings_of_anchor(valid: &Valid, anchor: &RingCertificate) -> Vec<Warning> {
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
fn valid_until(policy: &Policy, path: &[PathCertificate<'_>]) -> Option<Time> {
    let enforce = policy.anchor_validity == AnchorValidity::Enforce;
    let counts = |member: &&PathCertificate<'_>| member.role != PathRole::Anchor || enforce;
    let own = path.iter().filter(counts).map(|member| member.certificate.not_after()).min();
    let trusted = path.last().and_then(|anchor| anchor.in_ring?.constraints().not_after);
    own.into_iter().chain(trusted).min()
}

/// The report of a check without a path.
pub(super) fn refused(rejection: Rejection, warnings: Vec<Warning>) -> Report<'static> {
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
