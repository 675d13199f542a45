//! The sources of a path's certificates, each by itself: what it says, and whether that can be used.

use std::fmt;
use std::sync::Arc;

use certcheck_core::key_ring::Role;
use certcheck_core::policy::RevocationScope;
use certcheck_core::reason::{Reason, Rejection};
use certcheck_core::revocation::{Answer, EvidenceRequest, Need};
use certcheck_core::status::{Cause, Status};
use certcheck_core::x509::{Certificate, DistributionPoints};
use certcheck_core::{Check, Evidence, KeyRing, Policy, Purpose, Revocation, Time};
use certcheck_fetch::{Engine, measure};
use pki_types::CertificateDer;

use crate::json::fingerprint;

/// Why nothing is asked about a certificate: no path to it is good.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The reason's, as `verify` tells it.
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl From<&Rejection> for Refusal {
    fn from(rejection: &Rejection) -> Self {
        Self { code: rejection.reason.code(), message: rejection.to_string() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What evidence is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Grounds<'j> {
    pub(crate) ring: &'j KeyRing,
    pub(crate) policy: &'j Policy,
    pub(crate) now: Time,
}

/// A certificate whose status is asked.
pub(crate) struct Subject {
    /// Itself, and what stands above it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) name: String,
    pub(crate) sha256: String,
}

impl Subject {
    /// It has been parsed before.
    fn new(certificate: &Certificate<'_>, above: Vec<CertificateDer<'static>>) -> Self {
        let own = CertificateDer::from(certificate.der().to_vec());
        Self {
            chain: std::iter::once(own).chain(above).collect(),
            name: certificate.subject().to_string(),
            sha256: fingerprint(certificate),
        }
    }

    /// The certificate.
    pub(crate) fn certificate(&self) -> Option<Certificate<'_>> {
        self.chain.first().and_then(|der| Certificate::parse(der).ok())
    }

    /// Every source that it names, in the order in which it would be asked. Deltas are asked for once there is what they are
    /// deltas of: see [`Subject::deltas`].
    ///
    /// # Errors
    /// Why no path to it is good: then nobody would be asked.
    pub(crate) fn needs(&self, engine: &Engine, now: Time) -> Result<Vec<Need>, Refusal> {
        let (report, mut needs) = measure::plan(engine, &self.chain, now);
        match report.reason() {
            // Nothing has come: of course nothing is known.
            None | Some(Rejection { reason: Reason::RevocationUnknown(_), .. }) => {}
            Some(rejection) => return Err(rejection.into()),
        }
        needs.retain(|need| need.at == 0);
        Ok(needs)
    }

    /// Where the deltas of a CRL are that it names: where its certificate says, and where what came does
    /// (RFC 5280 4.2.1.15, 5.2.6).
    pub(crate) fn deltas(&self, need: &Need, came: Option<&Answer>, policy: &Policy) -> Vec<Need> {
        let EvidenceRequest::Crl { .. } = need.request else { return Vec::new() };
        let own = self.certificate();
        let by_certificate = own.as_ref().and_then(|own| own.freshest_crl().ok().flatten());
        let by_crl = match came {
            Some(Answer::Crl(crl)) if crl.base_number().is_none() => crl.freshest_crl().ok().flatten(),
            _ => None,
        };
        let max = usize::try_from(policy.limits.locations).unwrap_or(usize::MAX);
        let urls = [by_certificate, by_crl].into_iter().flatten().flat_map(DistributionPoints::urls);
        let need = |url: &str| Need::new(0, EvidenceRequest::Crl { url: url.into() }, need.signer.clone());
        if policy.use_deltas { urls.take(max).map(need).collect() } else { Vec::new() }
    }

    /// What these answers alone say of it. Their signers, scope and times are checked as in a full check.
    ///
    /// # Errors
    /// Why no status was established.
    pub(crate) fn classify(&self, answers: &[&Answer], by: Grounds<'_>) -> Result<Status, Refusal> {
        let evidence = evidence_of(answers);
        let report = Check::new(&self.chain, by.ring, by.policy, by.now).with_evidence(&evidence).run();
        match report.path.first().map(|own| &own.revocation) {
            None | Some(Status::NotChecked) => Err(report.reason.as_ref().map_or_else(
                || Refusal {
                    code: "not-checked",
                    message: "the certificate's status was not checked".to_owned(),
                },
                Refusal::from,
            )),
            Some(status) => Ok(status.clone()),
        }
    }

    /// Why an answer cannot be used, given the others that are there. Not being enough alone is no fault.
    pub(crate) fn fault(
        &self,
        ask: &EvidenceRequest,
        answer: &Answer,
        beside: &[&Answer],
        by: Grounds<'_>,
    ) -> Option<Cause> {
        let evidence = evidence_of(beside);
        let check = Check::new(&self.chain, by.ring, by.policy, by.now).with_evidence(&evidence);
        let mut progress = check.begin();
        while let Some(need) = progress.needs().first().cloned() {
            if need.request == *ask {
                return progress.preview(ask, answer).fault.map(|fault| fault.cause());
            }
            progress.answer(&need.request, Answer::Failed(Cause::NotTried));
        }
        // A check would not ask for it.
        Some(Cause::OutOfScope)
    }
}

fn evidence_of(answers: &[&Answer]) -> Evidence {
    let mut evidence = Evidence::new();
    for answer in answers {
        match answer {
            Answer::Crl(crl) => evidence.add_crl(Arc::clone(crl)),
            Answer::Ocsp(response) => evidence.add_ocsp(response),
            _ => {}
        }
    }
    evidence
}

/// The policy under which one certificate is asked about, for whatever purpose.
pub(crate) fn policy(allow_sha1: bool) -> Policy {
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.revocation_scope = RevocationScope::Leaf;
    policy.signatures.allow_sha1 = allow_sha1;
    policy
}

/// Every CA below the anchors of a ring.
pub(crate) fn of_ring(ring: &KeyRing) -> Vec<Subject> {
    let below = ring.certificates().iter().filter(|entry| entry.role() == Role::Intermediate);
    below.map(|entry| Subject::new(&entry.certificate(), Vec::new())).collect()
}

/// The certificates of a path below its anchor.
///
/// # Errors
/// Why there is no path.
pub(crate) fn of_chain(chain: &[CertificateDer<'_>], by: Grounds<'_>) -> Result<Vec<Subject>, Refusal> {
    let mut policy = by.policy.clone();
    policy.revocation = Revocation::Off;
    let report = Check::new(chain, by.ring, &policy, by.now).run();
    if let Some(rejection) = &report.reason {
        return Err(rejection.into());
    }
    let path: Vec<_> = report.path.iter().map(|member| &member.certificate).collect();
    let below = path.len().saturating_sub(1);
    let der = |certificate: &&Certificate<'_>| CertificateDer::from(certificate.der().to_vec());
    Ok((0..below).map(|at| Subject::new(path[at], path[at + 1..].iter().map(der).collect())).collect())
}
