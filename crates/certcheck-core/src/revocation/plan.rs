//! Planning: which evidence is requested for a certificate, one piece after the other in the order of the policy, until
//! its status is certain.
//!
//! The next request depends on the given evidence and on the answers for this certificate, never on when other answers
//! arrived. So the same requests are made in whatever order the answers arrive.

use core::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;

use super::evidence::AtHand;
use super::merge::{OwnEvidence, assess, with_signers};
use super::{
    Answer, AnswerSource, AskedEvidence, AssessContext, Assessor, CheckedCertificate, Dismissal, Evidence,
    EvidenceRequest,
};
use crate::budget::Spent;
use crate::ocsp::{CertIdHash, OcspRequest, ResponseStatus, nonce};
use crate::oid;
use crate::policy::{EvidenceOrder, Nonce};
use crate::status::{Cause, Means, Status};
use crate::x509::{
    Certificate, DistributionPoint, DistributionPointName, DistributionPoints, GeneralName, KnownExtension,
};

/// The result of planning for one certificate.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) status: Status,
    /// The next request. `None` if the status is certain, or if nothing is left to request.
    pub(crate) next: Option<EvidenceRequest>,
    pub(crate) asked: Vec<AskedEvidence>,
    /// The evidence that was received, and whether anything was used in addition to evidence from the issuer and for
    /// the certificate.
    pub(crate) own: OwnEvidence,
    /// What it spent, apart from signatures.
    pub(crate) spent: Spent,
}

impl Planned {
    /// Whether planning again with these answers gives the same: nothing has answered the open request.
    pub(crate) fn holds(&self, answers: &dyn AnswerSource, open_requests: OpenRequests) -> bool {
        match &self.next {
            None => true,
            Some(next) => open_requests == OpenRequests::Named && answers.get(next).is_none(),
        }
    }
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RequestOutcome {
    /// Useful evidence.
    Useful,
    /// Evidence that is not useful. It is evaluated all the same: evidence that is too old may still list the
    /// certificate.
    Useless,
    /// No evidence.
    Nothing,
}

/// Whether planning continues. It ends when the status is certain, or when a request is open.
type Flow<T = ()> = ControlFlow<(), T>;

/// How requests without an answer are handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OpenRequests {
    /// They are returned, to be answered.
    Named,
    /// They count as not tried.
    NotTried,
}

/// The kind of CRL that is requested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    /// A complete CRL: a delta alone cannot be used.
    Complete,
    Delta,
}

struct Plan<'s, 'e> {
    context: AssessContext<'e>,
    given: Option<&'e Evidence>,
    answers: &'s dyn AnswerSource,
    checked: CheckedCertificate<'e, 'e>,
    open_requests: OpenRequests,
    own: OwnEvidence,
    /// The certificates that were received for signers of evidence.
    signers: Vec<&'s [u8]>,
    status: Status,
    cause: Cause,
    next: Option<EvidenceRequest>,
    asked: Vec<AskedEvidence>,
    /// Whether the last answer made the status certain.
    is_assessed: bool,
    wanted: Wanted,
    spent: &'s mut Spent,
}

/// Plans for one certificate. Adds to `spent`.
pub(crate) fn plan<'e>(
    context: AssessContext<'e>,
    given: Option<&'e Evidence>,
    answers: &dyn AnswerSource,
    checked: CheckedCertificate<'e, 'e>,
    open_requests: OpenRequests,
    spent: &mut Spent,
) -> Planned {
    let before = *spent;
    let mut plan = Plan {
        context,
        given,
        answers,
        checked,
        open_requests,
        own: OwnEvidence::default(),
        signers: Vec::new(),
        status: Status::NotChecked,
        cause: Cause::NoSource,
        next: None,
        asked: Vec::new(),
        is_assessed: false,
        wanted: Wanted::Complete,
        spent,
    };
    // Without any evidence, the status would be unknown.
    let may_wait = plan.has_nothing() && !checked.has_no_status();
    if may_wait || plan.assess().is_continue() {
        let _halted = plan.ask_all();
    }
    if plan.status == Status::NotChecked {
        let _certain = plan.assess();
    }
    plan.ask_deltas();
    let status = match plan.status {
        Status::Unknown(cause) => {
            Status::Unknown(context.policy.revocation.tolerance().worse(cause, plan.cause))
        }
        certain => certain,
    };
    let Plan { next, asked, own, .. } = plan;
    Planned { status, next, asked, own, spent: spent.since(before).without_signatures() }
}

/// Why this answer is not useful for this certificate.
fn fault(
    context: AssessContext<'_>,
    signers: &[&[u8]],
    answer: &Answer,
    checked: &CheckedCertificate<'_, '_>,
    spent: &mut Spent,
) -> Option<Dismissal> {
    with_signers(context, signers, |context| {
        let mut assessor = Assessor::new(context, &[None, None], *spent);
        let outcome = match answer {
            Answer::Crl(crl) => assessor.check_crl_is_useful(crl, checked),
            Answer::Ocsp(response) => assessor.check_response_is_useful(response, checked),
            Answer::Issuers(found) if found.is_empty() => Err(Dismissal::Unreadable),
            Answer::Issuers(_) => Ok(()),
            Answer::Failed(cause) => Err(Dismissal::NotFetched(*cause)),
        };
        *spent = assessor.spent();
        outcome.err()
    })
}

impl<'s, 'e> Plan<'s, 'e> {
    /// Determines the status by the evidence so far. Planning ends if it is certain.
    fn assess(&mut self) -> Flow {
        let fetched = Some(&self.own.evidence);
        (self.status, self.own.looked_beyond) =
            assess(self.context, self.given, fetched, &self.signers, &self.checked, self.spent);
        if self.status.is_certain() { Flow::Break(()) } else { Flow::Continue(()) }
    }

    fn has_nothing(&self) -> bool {
        self.given.is_none_or(Evidence::is_blank) && self.own.evidence.is_blank()
    }

    fn ask_all(&mut self) -> Flow {
        match self.context.policy.evidence_order {
            EvidenceOrder::OcspFirst => {
                self.ask_responders()?;
                self.ask_points()
            }
            EvidenceOrder::CrlFirst => {
                self.ask_points()?;
                self.ask_responders()
            }
        }
    }

    /// Makes a request, and takes the answer. Whether it is useful is decided for this certificate if `about` is given.
    fn ask(
        &mut self,
        ask: EvidenceRequest,
        about: Option<&CheckedCertificate<'_, '_>>,
    ) -> Flow<RequestOutcome> {
        let max = usize::try_from(self.context.policy.limits.locations).unwrap_or(usize::MAX);
        let answer = self.answers.get(&ask);
        let is_evidence = matches!(answer, Some(Answer::Crl(_) | Answer::Ocsp(_) | Answer::Issuers(_)));
        let outcome_of = |fault: &Option<Dismissal>| match fault {
            None => RequestOutcome::Useful,
            Some(_) if is_evidence => RequestOutcome::Useless,
            Some(_) => RequestOutcome::Nothing,
        };
        if let Some(known) = self.asked.iter().find(|known| known.request == ask) {
            return Flow::Continue(outcome_of(&known.fault));
        }
        if self.asked.len() >= max {
            self.note(Cause::TooLarge);
            return Flow::Continue(RequestOutcome::Nothing);
        }
        let Some(answer) = answer else {
            if self.open_requests == OpenRequests::Named {
                self.next = Some(ask);
                return Flow::Break(());
            }
            let fault = Some(Dismissal::NotFetched(Cause::NotTried));
            self.asked.push(AskedEvidence { request: ask, answer: Answer::Failed(Cause::NotTried), fault });
            self.note(Cause::NotTried);
            return Flow::Continue(RequestOutcome::Nothing);
        };
        let is_sole = self.has_nothing();
        let mut found = match (&ask, answer) {
            (_, Answer::Failed(cause)) => Some(Dismissal::NotFetched(*cause)),
            (EvidenceRequest::Crl { .. }, Answer::Crl(crl)) => {
                self.own.evidence.add_crl(Arc::clone(crl));
                None
            }
            (EvidenceRequest::Ocsp { nonce, .. }, Answer::Ocsp(response)) => {
                let nonce = self.check_nonce(nonce.as_ref(), response.basic().and_then(|basic| basic.nonce));
                if nonce.is_ok() {
                    self.own.evidence.add_ocsp(response);
                }
                nonce.err()
            }
            (EvidenceRequest::Issuers { .. }, Answer::Issuers(found)) => {
                self.signers.extend(found.iter().map(AsRef::as_ref));
                None
            }
            // An answer of another kind than requested.
            _ => Some(Dismissal::Unreadable),
        };
        if let (None, Some(about)) = (&found, about) {
            let is_own = core::ptr::eq(about.certificate, self.checked.certificate);
            // The only evidence that makes the status good is useful.
            if is_own && is_sole {
                self.is_assessed = self.assess().is_break();
            }
            if !(is_own && is_sole && matches!(self.status, Status::Good(_))) {
                found = fault(self.context, &self.signers, answer, about, self.spent);
            }
        }
        let is_delta = matches!(answer, Answer::Crl(crl) if crl.base_number().is_some());
        if found.is_none() && is_delta && self.wanted == Wanted::Complete {
            found = Some(Dismissal::DeltaAlone);
        }
        if let Some(dismissal) = &found {
            self.note(dismissal.cause());
        }
        let outcome = outcome_of(&found);
        self.asked.push(AskedEvidence { request: ask, answer: answer.clone(), fault: found });
        Flow::Continue(outcome)
    }

    fn note(&mut self, cause: Cause) {
        self.cause = self.context.policy.revocation.tolerance().worse(self.cause, cause);
    }

    /// Like `ask`, and then determines the status.
    fn ask_and_assess(
        &mut self,
        ask: EvidenceRequest,
        about: Option<&CheckedCertificate<'_, '_>>,
    ) -> Flow<RequestOutcome> {
        let outcome = self.ask(ask, about)?;
        if core::mem::take(&mut self.is_assessed) {
            return Flow::Break(());
        }
        if outcome != RequestOutcome::Nothing {
            self.assess()?;
        }
        Flow::Continue(outcome)
    }

    /// Checks the nonce (RFC 9654). A response with another nonce than ours is for another request. The policy decides
    /// about a response without one.
    ///
    /// RFC 9654 2.1.
    #[doc(alias = "RFC 9654 section 2.1")]
    fn check_nonce(&self, ours: Option<&Bytes>, theirs: Option<&[u8]>) -> Result<(), Dismissal> {
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if nonce::is_same(ours, theirs) => Ok(()),
            (Some(_), Some(_)) => Err(Dismissal::NonceMismatch),
            (Some(_), None) if self.context.policy.nonce == Nonce::Demand => Err(Dismissal::NonceMismatch),
            _ => Ok(()),
        }
    }

    /// Asks every responder in authorityInfoAccess and those of the policy, each with the most common hash first, then
    /// with the other.
    ///
    /// RFC 5280 4.2.2.1, RFC 9919 3.
    #[doc(alias("RFC 5280 section 4.2.2.1", "RFC 9919 section 3"))]
    fn ask_responders(&mut self) -> Flow {
        let access = self.checked.certificate.authority_info_access().ok().flatten();
        let named = access.into_iter().flat_map(|access| access.urls(oid::AD_OCSP));
        let policy = self.context.policy;
        let (before, after) = match policy.responders_first {
            true => (policy.responders.as_slice(), &[][..]),
            false => (&[][..], policy.responders.as_slice()),
        };
        let before = before.iter().map(String::as_str);
        for url in before.chain(named).chain(after.iter().map(String::as_str)) {
            for hash in [CertIdHash::Sha1, CertIdHash::Sha256] {
                let ask = self.ocsp_ask(url, hash);
                let about = self.checked;
                if self.ask_and_assess(ask.clone(), Some(&about))? != RequestOutcome::Nothing {
                    self.ask_about_delegates(&ask)?;
                }
                // Only a responder that returns no answer may have misunderstood the hash.
                let was_misunderstood = match self.answers.get(&ask) {
                    Some(Answer::Ocsp(response)) => {
                        response.status() != ResponseStatus::Successful
                            || matches!(
                                self.status,
                                Status::Unknown(Cause::ResponderUnknown | Cause::NotTried)
                            )
                    }
                    _ => false,
                };
                if !was_misunderstood {
                    break;
                }
            }
        }
        Flow::Continue(())
    }

    /// The request to a responder.
    ///
    /// RFC 9654 2.1.
    #[doc(alias = "RFC 9654 section 2.1")]
    fn ocsp_ask(&self, url: &str, hash: CertIdHash) -> EvidenceRequest {
        let CheckedCertificate { certificate, issuer, .. } = self.checked;
        let request = match self.context.hashed_issuer.filter(|hashed| hashed.hash() == hash) {
            Some(hashed) => OcspRequest::new().about_serial(certificate.serial().bytes(), hashed),
            None => OcspRequest::new().about(certificate, issuer, hash),
        };
        let nonce = match (self.context.policy.nonce, self.answers.seed()) {
            (Nonce::Ask | Nonce::Demand, Some(seed)) => Some(nonce::derive(&seed, url, &request.encode())),
            _ => None,
        };
        let request = match &nonce {
            Some(nonce) => request.clone().with_nonce(nonce).unwrap_or(request),
            None => request,
        };
        EvidenceRequest::Ocsp { url: url.into(), request: request.encode().into(), nonce }
    }

    /// Requests the CRLs that a delegate names: its status is only known by them (RFC 6960 4.2.2.2.1).
    fn ask_about_delegates(&mut self, ask: &EvidenceRequest) -> Flow {
        let Some(Answer::Ocsp(response)) = self.answers.get(ask) else { return Flow::Continue(()) };
        let response = Arc::clone(response);
        let Some(basic) = response.basic() else { return Flow::Continue(()) };
        for delegate in
            basic.certificates().filter_map(Result::ok).filter(|delegate| basic.responder.is(delegate))
        {
            if !delegate.has(KnownExtension::OcspNocheck)
                && let Ok(Some(points)) = delegate.crl_distribution_points()
            {
                let about = CheckedCertificate { certificate: &delegate, ..self.checked };
                self.ask_each_point(points, Some(&about))?;
            }
        }
        Flow::Continue(())
    }

    /// Requests the CRLs of every distribution point, since different points have different scopes.
    fn ask_points(&mut self) -> Flow {
        let Ok(points) = self.checked.certificate.crl_distribution_points() else {
            return Flow::Continue(());
        };
        if let Some(points) = points {
            let about = self.checked;
            self.ask_each_point(points, Some(&about))?;
            self.ask_about_crl_issuers()?;
        }
        Flow::Continue(())
    }

    fn ask_each_point(
        &mut self,
        points: DistributionPoints<'_>,
        about: Option<&CheckedCertificate<'_, '_>>,
    ) -> Flow {
        for point in points.filter_map(Result::ok) {
            self.ask_point(&point, about)?;
        }
        Flow::Continue(())
    }

    /// Requests the CRL of one point. Its names are for the same CRL, so the next one is only tried if the one before
    /// brought nothing useful.
    ///
    /// RFC 5280 4.2.1.13.
    #[doc(alias = "RFC 5280 section 4.2.1.13")]
    fn ask_point(
        &mut self,
        point: &DistributionPoint<'_>,
        about: Option<&CheckedCertificate<'_, '_>>,
    ) -> Flow {
        let Some(DistributionPointName::FullName(names)) = point.name else { return Flow::Continue(()) };
        for name in names {
            if let Ok(GeneralName::Uri(url)) = name
                && self.ask_and_assess(EvidenceRequest::Crl { url: url.into() }, about)?
                    == RequestOutcome::Useful
            {
                break;
            }
        }
        Flow::Continue(())
    }

    /// If CRLs were received whose signer is unknown or not known to be good: requests the signer's certificates from
    /// where the CRLs say, then its status.
    ///
    /// RFC 5280 5.2.7.
    #[doc(alias = "RFC 5280 section 5.2.7")]
    fn ask_about_crl_issuers(&mut self) -> Flow {
        let crls: Vec<_> = self
            .asked
            .iter()
            .filter_map(|asked| match &asked.answer {
                Answer::Crl(crl) => Some(Arc::clone(crl)),
                _ => None,
            })
            .collect();
        for crl in crls {
            if self.context.policy.aia
                && let Ok(access) = crl.authority_info_access()
            {
                for url in access.into_iter().flat_map(|access| access.urls(oid::AD_CA_ISSUERS)) {
                    self.ask_and_assess(EvidenceRequest::Issuers { url: url.into() }, None)?;
                }
            }
            let name = crl.issuer();
            let pool = self.context.pool;
            let known = pool.by_name(name).into_iter().filter_map(|at| pool.certificate(at));
            let fetched: Vec<_> =
                self.signers.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
            let fetched = fetched.into_iter().filter(|signer| signer.subject().matches(name));
            for signer in known
                .chain(fetched)
                .filter(|signer| signer.der() != self.checked.issuer.der())
                .collect::<Vec<_>>()
            {
                if let Ok(Some(points)) = signer.crl_distribution_points() {
                    self.ask_each_point(points, None)?;
                }
            }
        }
        Flow::Continue(())
    }

    /// If the certificate is good or on hold by a CRL: requests its delta CRLs (RFC 5280 5.2.6). Without a delta, the
    /// CRL is used alone.
    ///
    /// RFC 5280 4.2.1.15.
    #[doc(alias("RFC 5280 section 4.2.1.15", "RFC 5280 section 5.2.6"))]
    fn ask_deltas(&mut self) {
        let by_crl = self.status.proof().is_some_and(|proof| proof.by == Means::Crl);
        let may_change = matches!(self.status, Status::Good(_)) || self.status.is_hold();
        if !by_crl || !may_change || !self.context.policy.use_deltas {
            return;
        }
        let before = self.cause;
        self.wanted = Wanted::Delta;
        let certificate = self.checked.certificate;
        let max = usize::try_from(self.context.policy.limits.locations).unwrap_or(usize::MAX);
        let mut points: Vec<String> = Vec::new();
        note_locations(certificate.freshest_crl().ok().flatten(), max, &mut points);
        for crl in AtHand::new([self.given, Some(&self.own.evidence)]).crls_of(certificate.issuer()).iter() {
            note_locations(crl.freshest_crl().ok().flatten(), max, &mut points);
        }
        for url in points {
            let about = self.checked;
            match self.ask(EvidenceRequest::Crl { url: url.into() }, Some(&about)) {
                Flow::Continue(RequestOutcome::Nothing) => {}
                Flow::Continue(_) => {
                    let _certain = self.assess();
                }
                Flow::Break(()) => break,
            }
        }
        self.cause = before;
    }
}

/// Collects the locations of deltas: every URL of every point, up to `max`.
fn note_locations(points: Option<DistributionPoints<'_>>, max: usize, to: &mut Vec<String>) {
    for url in points.into_iter().flat_map(DistributionPoints::urls) {
        if !to.iter().any(|known| known == url) {
            if to.len() >= max {
                return;
            }
            to.push(url.to_owned());
        }
    }
}
