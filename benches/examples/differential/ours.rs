//! What certcheck says.

use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::policy::RevocationScope;
use certcheck_core::revocation::{OcspEvidence, Status};
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, Evidence, KeyRing, Policy, Revocation, Time};
use pki_types::CertificateDer;

use crate::{NOW, Said};

/// Asks certcheck.
pub(crate) struct Ours {
    ring: KeyRing,
    path: Policy,
    status: Policy,
}

impl Ours {
    pub(crate) fn new(root: &[u8]) -> Self {
        let mut builder = RingBuilder::new();
        builder.add("root", root, Placement::Anchor).unwrap();
        let mut status = Policy::client(Revocation::HardFail);
        status.revocation_scope = RevocationScope::Leaf;
        Self { ring: builder.build().unwrap(), path: Policy::client(Revocation::Off), status }
    }

    pub(crate) fn path(&self, leaf: &[u8], ca: &[u8]) -> Said {
        let chain = [CertificateDer::from(leaf), CertificateDer::from(ca)];
        let report = Check::new(&chain, &self.ring, &self.path, Time::from_unix(NOW)).run();
        // Of an intermediate that does not read the path tells nothing: it is asked about by itself.
        let about_ca = || {
            let ca = [CertificateDer::from(ca)];
            let mut policy = self.path.clone();
            policy.purpose = certcheck_core::Purpose::Any;
            let report = Check::new(&ca, &self.ring, &policy, Time::from_unix(NOW)).run();
            report.reason.map(|rejection| format!("CA: {}: {}", rejection.reason.code(), rejection.reason))
        };
        match report.reason {
            None => Said::Good,
            Some(rejection) => {
                let own = format!("{}: {}", rejection.reason.code(), rejection.reason);
                let is_vague = rejection.reason.code() == "unknown-issuer";
                Said::Refused(is_vague.then(about_ca).flatten().unwrap_or(own))
            }
        }
    }

    pub(crate) fn crl(&self, leaf: &[u8], ca: &[u8], crl: &[u8]) -> Said {
        let mut evidence = Evidence::new();
        match Crl::parse(crl.to_vec().into(), "crl") {
            Ok(crl) => evidence.add_crl(Arc::new(crl)),
            Err(fault) => return Said::Refused(format!("malformed: {fault}")),
        }
        self.status(leaf, ca, &evidence)
    }

    pub(crate) fn ocsp(&self, leaf: &[u8], ca: &[u8], response: &[u8]) -> Said {
        let mut evidence = Evidence::new();
        match OcspEvidence::parse(response.to_vec().into(), "ocsp") {
            Ok(response) => evidence.add_ocsp(&Arc::new(response)),
            Err(fault) => return Said::Refused(format!("malformed: {fault}")),
        }
        self.status(leaf, ca, &evidence)
    }

    fn status(&self, leaf: &[u8], ca: &[u8], evidence: &Evidence) -> Said {
        let chain = [CertificateDer::from(leaf), CertificateDer::from(ca)];
        let check = Check::new(&chain, &self.ring, &self.status, Time::from_unix(NOW));
        let report = check.with_evidence(evidence).run();
        match &report.path[0].revocation {
            Status::Good(_) => Said::Good,
            Status::Revoked(_) => Said::Revoked,
            Status::Unknown(cause) => Said::Refused(cause.code().to_owned()),
            other => Said::Refused(format!("{other:?}")),
        }
    }
}
