//! What certcheck says.

use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::RevocationScope;
use certcheck_core::reason::Reason;
use certcheck_core::report::Warning;
use certcheck_core::revocation::{Evidence, EvidenceFault, OcspEvidence};
use certcheck_core::status::Status;
use certcheck_core::{Check, KeyRing, Policy, Report, Revocation, Time};
use pki_types::CertificateDer;

use crate::case::{Answer, Case, Kind, NOW};

/// What stays the same from case to case.
pub(crate) struct Ours {
    ring: KeyRing,
    path: Policy,
    revocation: Policy,
}

impl Ours {
    pub(crate) fn new(root: &[u8]) -> Self {
        let mut builder = RingBuilder::new();
        builder.add("root", root, Placement::Anchor).unwrap();
        let mut revocation = Policy::client(Revocation::HardFail);
        revocation.revocation_scope = RevocationScope::Leaf;
        Self { ring: builder.build().unwrap(), path: Policy::client(Revocation::Off), revocation }
    }

    pub(crate) fn ask(&self, case: &Case) -> Answer {
        let chain = [&case.leaf, &case.ca].map(|der| CertificateDer::from(der.as_slice()));
        let now = Time::from_unix(NOW);
        if case.kind == Kind::Certificate {
            return of_path(&Check::new(&chain, &self.ring, &self.path, now).run());
        }
        let mut evidence = Evidence::new();
        let der = case.evidence.clone().into();
        let fault = if case.kind == Kind::Crl {
            Crl::parse(der, "evidence").map(|crl| evidence.add_crl(Arc::new(crl)))
        } else {
            OcspEvidence::parse(der, "evidence").map(|response| evidence.add_ocsp(&Arc::new(response)))
        };
        if let Err(fault) = fault {
            evidence.add_fault(EvidenceFault::new("evidence", fault));
        }
        let report = Check::new(&chain, &self.ring, &self.revocation, now).with_evidence(&evidence).run();
        match report.path.first().map(|member| &member.revocation) {
            Some(Status::Good(_)) => Answer::GOOD,
            Some(Status::Revoked(_)) => Answer::REVOKED,
            Some(Status::Unknown(cause)) => match evidence.faults() {
                [only] => Answer::refused(format!("malformed: {}: {}", only.fault.field, only.fault.rule)),
                _ => Answer::refused(cause.code()),
            },
            _ => of_path(&report),
        }
    }
}

fn of_path(report: &Report<'_>) -> Answer {
    let Some(rejection) = &report.reason else { return Answer::GOOD };
    // An issuer that does not read is why it is not found.
    let left_out = report.warnings.iter().find_map(|warning| match warning {
        Warning::PresentedMalformed { reason, .. } => Some(reason),
        _ => None,
    });
    let reason = left_out.unwrap_or(&rejection.reason);
    Answer::refused(match reason {
        Reason::Malformed(fault) => format!("malformed: {}: {}", fault.field, fault.rule),
        reason => format!("{}: {reason}", reason.code()),
    })
}
