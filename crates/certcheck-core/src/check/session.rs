//! A check in progress. It names what is missing, is given an answer, and names what is still missing.

use pki_types::CertificateDer;

use super::CheckInputs;
use super::chain::ParsedChain;
use super::evaluate::evaluate;
use super::findings::Findings;
use super::issuer_path::{IssuerPath, IssuerPathKey, IssuerStatuses};
use super::memory::Memory;
use super::wanted_issuers::WantedIssuers;
use crate::budget::Spent;
use crate::reason::{Reason, Rejection};
use crate::report::{OwnedReport, Report};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{
    Answer, AnswerFn, AnswerPreview, AnswerSource as _, Answers, AnswersWith, Dismissal, EvidenceRequest,
    Need,
};

/// A check in progress.
///
/// Needs are only named for a validated path, so that a made-up certificate cannot make a server fetch anything. The
/// exception is `Policy::aia`.
///
/// The driver gets what [`CheckSession::needs`] names from any place, in any order, answers with
/// [`CheckSession::answer`], and repeats this until nothing is needed. The verdict does not depend on the order.
///
/// ```
/// use std::sync::Arc;
///
/// use certcheck_core::crl::Crl;
/// use certcheck_core::revocation::{Answer, EvidenceRequest};
/// use certcheck_core::status::Cause;
/// use certcheck_core::{Check, KeyRing, Policy, Revocation, Time, certificates_of, crls_of};
///
/// let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo");
/// let ring = KeyRing::from_paths(&[format!("{demo}/ring")])?;
/// let chain = certificates_of(&std::fs::read(format!("{demo}/revoked.pem"))?)?;
/// let policy = Policy::client(Revocation::HardFail);
/// let now = Time::from_rfc3339("2027-01-01T00:00:00Z").ok_or("not a time")?;
///
/// let mut session = Check::new(&chain, &ring, &policy, now).begin();
/// while let Some(need) = session.needs().first() {
///     let request = need.request.clone();
///     // A driver with a network fetches the URL; here the CRLs are files.
///     let answer = match &request {
///         EvidenceRequest::Crl { url } => {
///             let file = url.replace("http://crl.acme.example/", "").replace(".crl", ".pem");
///             let crls = crls_of(&std::fs::read(format!("{demo}/crl/{file}"))?.into())?;
///             Answer::Crl(Arc::new(Crl::parse(crls[0].clone(), url)?))
///         }
///         _ => Answer::Failed(Cause::Unreachable),
///     };
///     session.answer(&request, answer);
/// }
/// let report = session.finish();
/// assert_eq!(report.reason.ok_or("it is revoked")?.reason.code(), "certificate-revoked");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Everything that does not depend on evidence is determined once: parsing, the search for a path, its validation, and
/// signatures. An answer causes only the statuses that it concerns to be determined again.
#[derive(Debug)]
pub struct CheckSession<I> {
    inputs: I,
    /// `Err` is the reason to reject the target at once.
    chain: Result<ParsedChain, Reason>,
    memory: Memory,
    answers: Answers,
    /// Certificates that were fetched for paths, in the order of the requests.
    issuers: Vec<CertificateDer<'static>>,
    /// The requests whose certificates have been added to `issuers`, in that order.
    joined: Vec<EvidenceRequest>,
    needs: Vec<Need>,
    /// The numbers of the paths that were evaluated last.
    paths: Vec<usize>,
    /// What was spent before the first evaluation.
    before: Spent,
    /// The signatures verified so far. The report counts all of them.
    signatures: u32,
    /// The evaluations so far.
    evaluations: u32,
    /// The report, once nothing is needed.
    settled: Option<OwnedReport>,
}

/// The part of an evaluation that outlives it.
struct Step {
    needs: Vec<Need>,
    wanted_issuers: WantedIssuers,
    paths: Vec<usize>,
    finds_revoked: bool,
    /// The report, if nothing is needed.
    settled: Option<OwnedReport>,
    /// The answers that were looked up.
    found: Vec<(EvidenceRequest, Answer)>,
}

impl Step {
    /// The step of a target that is rejected at once.
    const fn refused(report: OwnedReport) -> Self {
        Self {
            needs: Vec::new(),
            wanted_issuers: WantedIssuers { missing: Vec::new(), others: Vec::new() },
            paths: Vec::new(),
            finds_revoked: false,
            settled: Some(report),
            found: Vec::new(),
        }
    }
}

impl<I: CheckInputs> CheckSession<I> {
    /// Begins a session, for which `spent` was spent before.
    pub(super) fn begin(
        inputs: I,
        chain: Result<ParsedChain, Reason>,
        memory: Memory,
        spent: Spent,
        source: AnswerFn<'_>,
    ) -> Self {
        let answers = Answers::new(inputs.check().seed);
        let mut session = Self {
            inputs,
            chain,
            memory,
            answers,
            issuers: Vec::new(),
            joined: Vec::new(),
            needs: Vec::new(),
            paths: Vec::new(),
            before: spent,
            signatures: 0,
            evaluations: 0,
            settled: None,
        };
        session.go_on(source);
        session
    }

    /// The inputs.
    #[must_use]
    pub const fn inputs(&self) -> &I {
        &self.inputs
    }

    /// The missing evidence, most important first. If it is empty, the verdict is final.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Answers a request. An answer that was not requested, or is no longer needed, is ignored.
    pub fn answer(&mut self, ask: &EvidenceRequest, answer: Answer) {
        if self.is_needed(ask) {
            self.answers.add(ask.clone(), answer);
            self.go_on(&|_| None);
        }
    }

    /// Answers all requests that `source` has an answer for, if the answer is useful.
    pub fn answer_from(&mut self, source: AnswerFn<'_>) {
        if !self.needs.is_empty() {
            self.go_on(source);
        }
    }

    /// What this answer would change. A driver asks its cache first, and the source if the answer from the cache is not
    /// useful. It keeps an answer for other checks only if it is useful.
    #[must_use]
    pub fn preview(&mut self, ask: &EvidenceRequest, answer: &Answer) -> AnswerPreview {
        if let EvidenceRequest::Issuers { .. } = ask {
            return AnswerPreview { fault: fault_of_issuers(answer), asks_on: true, finds_revoked: false };
        }
        let step = self.step(&|known| (known == ask).then(|| answer.clone()));
        let fault = self.memory.fault(&step.paths, ask);
        self.memory.take_back();
        let asks_on = step.needs.iter().any(|need| !self.is_needed(&need.request));
        AnswerPreview { fault, asks_on, finds_revoked: step.finds_revoked }
    }

    /// Answers a request if the answer is useful. Otherwise it changes nothing, and returns why the answer is not
    /// useful.
    ///
    /// # Errors
    /// Why the answer is not useful, as in [`CheckSession::preview`].
    pub fn offer(&mut self, ask: &EvidenceRequest, answer: Answer) -> Result<(), Dismissal> {
        if !self.is_needed(ask) {
            return Err(Dismissal::NotLookedAt);
        }
        if let EvidenceRequest::Issuers { .. } = ask {
            fault_of_issuers(&answer).map_or(Ok(()), Err)?;
            self.answer(ask, answer);
            return Ok(());
        }
        let step = self.step(&|known| (known == ask).then(|| answer.clone()));
        if let Some(dismissal) = self.memory.fault(&step.paths, ask) {
            self.memory.take_back();
            return Err(dismissal);
        }
        if !self.take(step) {
            self.go_on(&|_| None);
        }
        Ok(())
    }

    /// The report, if the verdict is final because nothing is needed.
    #[must_use]
    pub const fn settled(&self) -> Option<&OwnedReport> {
        self.settled.as_ref()
    }

    /// Like [`CheckSession::finish`], for callers that keep the report.
    #[must_use]
    pub fn into_report(self) -> OwnedReport {
        match self.settled {
            Some(report) => report,
            None => OwnedReport::new(&self.finish(), self.inputs.check().ring),
        }
    }

    /// The report with the answers so far. A request without an answer counts as not tried.
    pub fn finish(&self) -> Report<'_> {
        self.report(self.memory.clone())
    }

    /// The same report as [`CheckSession::finish`], with everything determined again from the inputs and the answers.
    /// Tests compare it with what the session has kept.
    pub fn finish_from_nothing(&self) -> Report<'_> {
        self.report(Memory::default())
    }

    fn report(&self, mut memory: Memory) -> Report<'_> {
        let check = self.inputs.check();
        let mut report = match &self.chain {
            Err(reason) => Findings::rejected(Rejection { at: 0, reason: reason.clone() }).without_path(),
            Ok(chain) => {
                // Once the verdict is final, requests that are still open do not matter.
                let open_requests =
                    if self.needs.is_empty() { OpenRequests::Named } else { OpenRequests::NotTried };
                let (pool, warnings) = (chain.pool(&check, &self.issuers), chain.warnings.clone());
                let spent = Spent::default();
                evaluate(&check, pool, warnings, &mut memory, spent, &self.answers, open_requests)
                    .into_report()
            }
        };
        report.spent.signatures = report.spent.signatures.saturating_add(self.signatures);
        report
    }

    /// Whether the path was known from another leaf, so that nothing was searched.
    #[must_use]
    pub fn is_on_known_path(&self) -> bool {
        self.memory.only_search().is_some_and(|search| search.was_known)
    }

    /// How often the check was evaluated. An evaluation determines only what the answers before it concern.
    #[must_use]
    pub const fn evaluations(&self) -> u32 {
        self.evaluations
    }

    /// The SubjectPublicKeyInfo of each issuer of the path so far, the target's first.
    #[must_use]
    pub fn issuer_keys(&self) -> Vec<&[u8]> {
        let check = self.inputs.check();
        let path = self.memory.last_path().unwrap_or_default();
        match &self.chain {
            Ok(chain) => {
                let pool = chain.pool(&check, &self.issuers);
                let links = path.iter().skip(1).filter_map(|at| pool.link(*at));
                links.map(|link| link.certificate.spki_raw()).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The position of the first certificate of the path for which this was requested and answered.
    #[must_use]
    pub fn place_of(&self, ask: &EvidenceRequest) -> Option<usize> {
        self.paths.iter().rev().find_map(|path| self.memory.place_of(*path, ask))
    }

    /// What an [`IssuerPath`] for the target is found by. `None` if the target cannot be parsed.
    #[must_use]
    pub fn issuer_path_key(&self) -> Option<IssuerPathKey<'_>> {
        let presented = self.inputs.check().chain;
        let target = self.chain.as_ref().ok()?.target().view(presented.first()?);
        IssuerPathKey::new(&target, presented)
    }

    /// The part of the path that can be reused for other leaves, once it has been accepted.
    #[must_use]
    pub fn issuer_path(&self) -> Option<IssuerPath> {
        let is_plain = self.joined.is_empty() && self.settled.as_ref()?.is_accepted();
        if is_plain {
            IssuerPath::new(&self.inputs.check(), self.chain.as_ref().ok()?, &self.memory)
        } else {
            None
        }
    }

    /// The statuses of the CAs of an issuer path, if the check has accepted on this path, by evidence that was useful.
    #[must_use]
    pub fn issuer_statuses(&self, of: &IssuerPath) -> Option<IssuerStatuses> {
        if !self.joined.is_empty() || !self.settled.as_ref()?.is_accepted() {
            return None;
        }
        let number = *self.paths.last()?;
        IssuerStatuses::new(&self.inputs.check(), self.chain.as_ref().ok()?, &self.memory, number, of)
    }

    fn is_needed(&self, ask: &EvidenceRequest) -> bool {
        self.needs.iter().any(|need| need.request == *ask)
    }

    /// Evaluates with the answers so far and those of a source. What it changes in the memory can be taken back.
    fn step(&mut self, source: AnswerFn<'_>) -> Step {
        self.evaluations = self.evaluations.saturating_add(1);
        self.memory.begin_trial();
        let check = self.inputs.check();
        let answers = AnswersWith::new(&self.answers, source);
        let chain = match &self.chain {
            Ok(chain) => chain,
            Err(reason) => {
                let findings = Findings::rejected(Rejection { at: 0, reason: reason.clone() });
                return Step::refused(OwnedReport::new(&findings.without_path(), check.ring));
            }
        };
        let (open_requests, before) = (OpenRequests::Named, core::mem::take(&mut self.before));
        let (pool, warnings) = (chain.pool(&check, &self.issuers), chain.warnings.clone());
        let mut evaluation =
            evaluate(&check, pool, warnings, &mut self.memory, before, &answers, open_requests);
        self.signatures = self.signatures.saturating_add(evaluation.findings.spent.signatures);
        let is_settled = evaluation.needs.is_empty() && evaluation.wanted_issuers.is_empty();
        let finds_revoked = evaluation.findings.finds_revoked();
        let needs = core::mem::take(&mut evaluation.needs);
        let wanted_issuers = core::mem::take(&mut evaluation.wanted_issuers);
        let paths = core::mem::take(&mut evaluation.paths);
        let owned = || evaluation.into_owned_report().with_signatures(self.signatures);
        let settled = is_settled.then(owned);
        Step { needs, wanted_issuers, paths, finds_revoked, settled, found: answers.into_found() }
    }

    /// Keeps the result of a step and its answers. Returns whether it needs no issuers, so that nothing is left to do.
    fn take(&mut self, step: Step) -> bool {
        for (ask, answer) in step.found {
            self.answers.add(ask, answer);
        }
        self.needs = step.needs;
        self.paths = step.paths;
        self.settled = step.settled;
        step.wanted_issuers.is_empty()
    }

    /// Evaluates until something is needed that has no answer. Answers of the source that are not useful are not used.
    fn go_on(&mut self, source: AnswerFn<'_>) {
        let mut useless: Vec<EvidenceRequest> = Vec::new();
        loop {
            let mut step = self.step(&|ask| if useless.contains(ask) { None } else { source(ask) });
            let is_faulty = |ask: &EvidenceRequest| {
                let fault = self.memory.fault(&step.paths, ask);
                fault.is_some_and(|fault| fault != Dismissal::NotLookedAt)
            };
            let faulty: Vec<_> =
                step.found.iter().map(|(ask, _)| ask).filter(|ask| is_faulty(ask)).cloned().collect();
            if !faulty.is_empty() {
                self.memory.take_back();
                useless.extend(faulty);
                continue;
            }
            let wanted = core::mem::take(&mut step.wanted_issuers);
            let _is_whole = self.take(step);
            if !self.join_issuers(wanted) {
                return;
            }
        }
    }

    /// Adds the certificates of wanted issuers, once all of them are answered. Returns whether there are new ones, with
    /// which the search begins again.
    fn join_issuers(&mut self, wanted: WantedIssuers) -> bool {
        let check = self.inputs.check();
        // The number of locations is limited for the whole check, whatever the search does.
        let max = usize::try_from(check.policy.limits.issuer_locations).unwrap_or(usize::MAX);
        let room = max.saturating_sub(self.joined.len());
        let WantedIssuers { missing, others } = wanted;
        let fresh = |wanted: Vec<EvidenceRequest>| -> Vec<EvidenceRequest> {
            wanted.into_iter().filter(|ask| !self.joined.contains(ask)).take(room).collect()
        };
        // If no issuer is missing, the available ones may have other certificates.
        let mut next = fresh(missing);
        if next.is_empty() {
            next = fresh(others);
        }
        if next.is_empty() {
            if self.settled.is_none() && self.needs.is_empty() {
                let report = OwnedReport::new(&self.report(self.memory.clone()), check.ring);
                self.settled = Some(report);
            }
            return false;
        }
        // All requests of a failed search are awaited, so that the next search begins with the same certificates,
        // whatever arrived first.
        let is_open = |ask: &&EvidenceRequest| self.answers.get(ask).is_none();
        let open: Vec<Need> = next.iter().filter(is_open).map(|ask| need_of_issuers(ask.clone())).collect();
        if !open.is_empty() {
            self.settled = None;
            self.needs = open;
            return false;
        }
        for ask in next {
            if let Some(Answer::Issuers(found)) = self.answers.get(&ask) {
                self.issuers.extend(found.iter().cloned());
            }
            self.joined.push(ask);
        }
        if let Ok(chain) = &mut self.chain {
            *chain = ParsedChain::parse(&check, chain.target(), &self.issuers);
        }
        self.memory.forget_paths();
        true
    }
}

fn fault_of_issuers(answer: &Answer) -> Option<Dismissal> {
    match answer {
        Answer::Issuers(found) if !found.is_empty() => None,
        Answer::Failed(cause) => Some(Dismissal::NotFetched(*cause)),
        _ => Some(Dismissal::Unreadable),
    }
}

/// The need for issuers. The key of the issuer is not known.
fn need_of_issuers(ask: EvidenceRequest) -> Need {
    Need { at: 0, request: ask, signer: Box::default() }
}
