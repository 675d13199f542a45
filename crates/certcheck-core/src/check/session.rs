//! A check in progress. It names what is missing, is given an answer, and names what is still missing.

use pki_types::CertificateDer;

use super::evaluate::{Evaluation, WantedIssuers, evaluate};
use super::{Check, IssuerPath};
use crate::path::VerifiedIssuers;
use crate::reason::Reason;
use crate::report::{OwnedReport, Report};
use crate::revocation::plan::OpenRequests;
use crate::revocation::{Answer, AnswerPreview, Answers, Dismissal, EvidenceRequest, Need};
use crate::status::Status;

impl<'a> Check<'a> {
    /// Begins a check that names the missing evidence.
    #[must_use]
    pub fn begin(self) -> CheckSession<'a> {
        CheckSession::new(self)
    }
}

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
#[derive(Debug)]
pub struct CheckSession<'a> {
    check: Check<'a>,
    answers: Answers,
    /// Certificates that were fetched for paths, in the order of the requests.
    issuers: Vec<CertificateDer<'static>>,
    /// The requests whose certificates have been added to `issuers`, in that order.
    joined: Vec<EvidenceRequest>,
    /// Signatures of this check's own certificates that are known to verify.
    verified: VerifiedIssuers,
    needs: Vec<Need>,
    /// The signatures verified so far. The report counts all of them.
    signatures: u32,
    /// The report, once nothing is needed.
    settled: Option<OwnedReport>,
}

/// What is kept of an evaluation.
struct Kept {
    needs: Vec<Need>,
    wants_issuers: bool,
    signatures: u32,
    settled: Option<OwnedReport>,
}

impl<'a> CheckSession<'a> {
    pub(super) fn new(check: Check<'a>) -> Self {
        let mut session = Self {
            check,
            answers: Answers { seed: check.seed, ..Answers::default() },
            issuers: Vec::new(),
            joined: Vec::new(),
            verified: VerifiedIssuers::new(),
            needs: Vec::new(),
            signatures: 0,
            settled: None,
        };
        session.go_on();
        session
    }

    /// The missing evidence, most important first. If it is empty, the verdict is final.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Answers a request. An answer that was not requested, or is no longer needed, is ignored.
    pub fn answer(&mut self, ask: &EvidenceRequest, answer: Answer) {
        let is_needed = self.needs.iter().any(|need| need.request == *ask);
        if is_needed {
            self.answers.given.insert(ask.clone(), answer);
            self.go_on();
        }
    }

    /// What this answer would change. A driver asks its cache first, and the source if the answer from the cache is not
    /// useful. It keeps an answer for other checks only if it is useful.
    #[must_use]
    pub fn preview(&self, ask: &EvidenceRequest, answer: &Answer) -> AnswerPreview {
        if let EvidenceRequest::Issuers { .. } = ask {
            return AnswerPreview { fault: fault_of_issuers(answer), asks_on: true, finds_revoked: false };
        }
        let mut answers = self.answers.clone();
        answers.given.insert(ask.clone(), answer.clone());
        let Evaluation { needs, asked, report, .. } =
            evaluate(&self.check, &self.issuers, Some(&self.verified), &answers, OpenRequests::Named);
        let asks_on = needs.iter().any(|need| !self.needs.iter().any(|known| known.request == need.request));
        let is_revoked = |status: &Status| matches!(status, Status::Revoked(_));
        let was_revoked = |reason: &Reason| matches!(reason, Reason::CertificateRevoked(_));
        let finds_revoked = report.path.iter().any(|member| is_revoked(&member.revocation))
            || report.attempts.iter().any(|attempt| was_revoked(&attempt.rejection.reason));
        AnswerPreview { fault: fault_in(ask, &asked), asks_on, finds_revoked }
    }

    /// Answers a request if the answer is useful. Otherwise it changes nothing, and returns why the answer is not
    /// useful.
    ///
    /// # Errors
    /// Why the answer is not useful, as in [`CheckSession::preview`].
    pub fn offer(&mut self, ask: &EvidenceRequest, answer: Answer) -> Result<(), Dismissal> {
        if !self.needs.iter().any(|need| need.request == *ask) {
            return Err(Dismissal::NotLookedAt);
        }
        if let EvidenceRequest::Issuers { .. } = ask {
            fault_of_issuers(&answer).map_or(Ok(()), Err)?;
            self.answer(ask, answer);
            return Ok(());
        }
        self.answers.given.insert(ask.clone(), answer);
        let evaluation =
            evaluate(&self.check, &self.issuers, Some(&self.verified), &self.answers, OpenRequests::Named);
        if let Some(dismissal) = fault_in(ask, &evaluation.asked) {
            self.answers.given.remove(ask);
            return Err(dismissal);
        }
        let kept = self.kept(evaluation);
        self.take(kept);
        Ok(())
    }

    /// Like [`CheckSession::offer`], for several answers. Either all are used, or none.
    pub fn offer_all(&mut self, offered: Vec<(EvidenceRequest, Answer)>) -> bool {
        let is_needed = |ask: &EvidenceRequest| self.needs.iter().any(|need| need.request == *ask);
        if offered.iter().any(|(ask, _)| matches!(ask, EvidenceRequest::Issuers { .. }) || !is_needed(ask)) {
            return false;
        }
        let asks: Vec<EvidenceRequest> = offered.iter().map(|(ask, _)| ask.clone()).collect();
        self.answers.given.extend(offered);
        let evaluation =
            evaluate(&self.check, &self.issuers, Some(&self.verified), &self.answers, OpenRequests::Named);
        if asks.iter().any(|ask| fault_in(ask, &evaluation.asked).is_some()) {
            self.answers.given.retain(|known, _| !asks.contains(known));
            return false;
        }
        let kept = self.kept(evaluation);
        self.take(kept);
        true
    }

    /// The part of an evaluation that is kept.
    fn kept(&self, evaluation: Evaluation<'_>) -> Kept {
        let Evaluation { needs, wanted_issuers, report, .. } = evaluation;
        let signatures = self.signatures.saturating_add(report.spent.signatures);
        let is_settled = wanted_issuers.is_empty() && needs.is_empty();
        let settled =
            is_settled.then(|| OwnedReport::new(&report, self.check.ring).with_signatures(signatures));
        Kept { needs, wants_issuers: !wanted_issuers.is_empty(), signatures, settled }
    }

    fn take(&mut self, kept: Kept) {
        let Kept { needs, wants_issuers, signatures, settled } = kept;
        self.signatures = signatures;
        if wants_issuers {
            self.go_on();
        } else {
            self.settled = settled;
            self.needs = needs;
        }
    }

    fn owned(&self, report: &Report<'_>) -> OwnedReport {
        OwnedReport::new(report, self.check.ring).with_signatures(self.signatures)
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
            None => OwnedReport::new(&self.finish(), self.check.ring),
        }
    }

    /// The report with the answers so far. A request without an answer counts as not tried.
    pub fn finish(&self) -> Report<'_> {
        let mut report =
            evaluate(&self.check, &self.issuers, Some(&self.verified), &self.answers, OpenRequests::NotTried)
                .report;
        report.spent.signatures = report.spent.signatures.saturating_add(self.signatures);
        report
    }

    /// The part of the path that can be reused for other leaves with the same profile, once it has been accepted.
    #[must_use]
    pub fn issuer_path(&self) -> Option<IssuerPath> {
        IssuerPath::new(&self.check, &self.verified, self.settled.as_ref()?)
    }

    fn go_on(&mut self) {
        loop {
            let Evaluation { needs, wanted_issuers, report, .. } = evaluate(
                &self.check,
                &self.issuers,
                Some(&self.verified),
                &self.answers,
                OpenRequests::Named,
            );
            self.signatures = self.signatures.saturating_add(report.spent.signatures);
            // The number of locations is limited for the whole check, whatever the search does.
            let max = usize::try_from(self.check.policy.limits.issuer_locations).unwrap_or(usize::MAX);
            let room = max.saturating_sub(self.joined.len());
            let WantedIssuers { missing, others } = wanted_issuers;
            let fresh = |wanted: Vec<EvidenceRequest>| -> Vec<EvidenceRequest> {
                wanted.into_iter().filter(|ask| !self.joined.contains(ask)).take(room).collect()
            };
            // If no issuer is missing, the available ones may have other certificates.
            let mut next = fresh(missing);
            if next.is_empty() {
                next = fresh(others);
            }
            let fresh = next;
            if fresh.is_empty() {
                self.settled = needs.is_empty().then(|| self.owned(&report));
                self.needs = needs;
                return;
            }
            // All requests of a failed search are awaited, so that the next search begins with the same certificates,
            // whatever arrived first.
            let is_open = |ask: &&EvidenceRequest| !self.answers.given.contains_key(*ask);
            let open: Vec<Need> =
                fresh.iter().filter(is_open).map(|ask| need_of_issuers(ask.clone())).collect();
            if !open.is_empty() {
                self.settled = None;
                self.needs = open;
                return;
            }
            for ask in fresh {
                if let Some(Answer::Issuers(found)) = self.answers.given.get(&ask) {
                    self.issuers.extend(found.iter().cloned());
                }
                self.joined.push(ask);
            }
        }
    }
}

fn fault_of_issuers(answer: &Answer) -> Option<Dismissal> {
    match answer {
        Answer::Issuers(found) if !found.is_empty() => None,
        Answer::Failed(cause) => Some(Dismissal::NotFetched(*cause)),
        _ => Some(Dismissal::Unreadable),
    }
}

/// Why the answer to this request is not used. It is used if it is used for any path.
fn fault_in(ask: &EvidenceRequest, asked: &[(EvidenceRequest, Option<Dismissal>)]) -> Option<Dismissal> {
    let mut faults =
        asked.iter().filter(|(known, _)| known == ask).map(|(_, fault)| fault.clone()).peekable();
    match faults.peek() {
        Some(_) => faults
            .collect::<Option<Vec<_>>>()
            .and_then(|faults| faults.into_iter().max_by_key(Dismissal::cause)),
        // Not evaluated: everything is certain without it.
        None => Some(Dismissal::NotLookedAt),
    }
}

/// The need for issuers. The key of the issuer is not known.
fn need_of_issuers(ask: EvidenceRequest) -> Need {
    Need { at: 0, request: ask, signer: Box::default() }
}
