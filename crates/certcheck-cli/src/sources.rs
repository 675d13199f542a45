//! The sources of a path's certificates, each looked at by itself: what it says, and whether that is of use.

use std::sync::Arc;

use certcheck_core::policy::RevocationScope;
use certcheck_core::revocation::{Answer, Cause, Need, Status};
use certcheck_core::ring::Role;
use certcheck_core::view::Certificate;
use certcheck_core::{Check, Evidence, KeyRing, Policy, Purpose, Revocation, Time};
use certcheck_fetch::Engine;
use pki_types::CertificateDer;

/// A certificate whose status is asked.
pub(crate) struct Subject {
    /// Itself, and what stands above it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) name: String,
}

impl Subject {
    /// It has been parsed before.
    fn new(certificate: &Certificate<'_>, above: Vec<CertificateDer<'static>>) -> Self {
        let own = CertificateDer::from(certificate.der().to_vec());
        Self { chain: std::iter::once(own).chain(above).collect(), name: certificate.subject().to_string() }
    }

    /// Every source that it names, in the order in which it would be asked.
    pub(crate) fn needs(&self, engine: &Engine, now: Time) -> Vec<Need> {
        let (_, mut needs) = engine.plan(&self.chain, now);
        needs.retain(|need| need.at == 0);
        needs
    }

    /// What an answer says of it, were it all that there is: who signed it, its scope and its times are judged as in a check.
    pub(crate) fn judge(&self, answer: &Answer, ring: &KeyRing, policy: &Policy, now: Time) -> Status {
        let mut evidence = Evidence::new();
        match answer {
            Answer::Crl(crl) => evidence.add_crl(Arc::clone(crl)),
            Answer::Ocsp(response) => evidence.add_ocsp(response),
            Answer::Failed(cause) => return Status::Unknown(*cause),
            _ => return Status::Unknown(Cause::NoSource),
        }
        let report = Check::new(&self.chain, ring, policy, now).with_evidence(&evidence).run();
        report.path.first().map_or(Status::NotChecked, |own| own.revocation.clone())
    }
}

/// The policy under which one certificate is asked about, for whatever purpose.
pub(crate) fn policy(allow_sha1: bool) -> Policy {
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.revocation_scope = RevocationScope::Leaf;
    policy.allow_sha1 = allow_sha1;
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
pub(crate) fn of_chain(
    chain: &[CertificateDer<'_>],
    ring: &KeyRing,
    now: Time,
) -> Result<Vec<Subject>, String> {
    let policy = Policy::client(Revocation::Off).with_purpose(Purpose::Any);
    let report = Check::new(chain, ring, &policy, now).run();
    if let Some(rejection) = &report.reason {
        return Err(rejection.to_string());
    }
    let path: Vec<_> = report.path.iter().map(|member| &member.certificate).collect();
    let below = path.len().saturating_sub(1);
    let der = |certificate: &&Certificate<'_>| CertificateDer::from(certificate.der().to_vec());
    Ok((0..below).map(|at| Subject::new(path[at], path[at + 1..].iter().map(der).collect())).collect())
}
