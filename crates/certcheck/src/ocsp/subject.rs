//! What a response means for a certificate: a check with that response for all evidence.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use certcheck_core::reason::Reason;
use certcheck_core::revocation::OcspEvidence;
use certcheck_core::{Check, Evidence, KeyRing, Policy, Time};
use pki_types::CertificateDer;
use serde::Serialize;

use crate::exit::Exit;
use crate::hint;
use crate::input;
use crate::json::{CertificateObject, ReasonObject, RevocationObject};

/// The certificate that is asked about, and those that come with it.
pub(super) struct Subject<'a> {
    path: &'a Path,
    chain: Vec<CertificateDer<'static>>,
}

/// The verdict on it.
#[derive(Serialize)]
pub(super) struct CheckObject {
    pub(super) input: String,
    pub(super) verdict: &'static str,
    pub(super) reason: Option<ReasonObject>,
    pub(super) certificate: Option<CertificateObject>,
    pub(super) revocation: Option<RevocationObject>,
}

impl<'a> Subject<'a> {
    pub(super) fn read(path: &'a Path) -> anyhow::Result<Self> {
        let chain = input::certificates(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        Ok(Self { path, chain })
    }

    /// By a policy that asks for the status of the leaf.
    pub(super) fn check(
        &self,
        response: &Arc<OcspEvidence>,
        ring: &KeyRing,
        policy: &Policy,
        now: Time,
    ) -> anyhow::Result<(CheckObject, Exit)> {
        let mut evidence = Evidence::new();
        evidence.add_ocsp(response);
        let report = Check::new(&self.chain, ring, policy, now).with_evidence(&evidence).run();
        for warning in &report.warnings {
            crate::visible::warn(format_args!("{}: {warning}", self.path.display()))?;
        }
        let is_unreadable = report.path.is_empty()
            && matches!(
                report.reason.as_ref().map(|rejection| &rejection.reason),
                Some(Reason::Malformed(_))
            );
        let leaf = report.path.first();
        let reported = CheckObject {
            input: self.path.display().to_string(),
            verdict: report.verdict.code(),
            reason: ReasonObject::of(&report, &[], hint::HINTS),
            certificate: leaf.map(|leaf| CertificateObject::of(&leaf.certificate)),
            revocation: leaf.map(|leaf| RevocationObject::new(&leaf.revocation, &[])),
        };
        Ok((reported, if is_unreadable { Exit::Unusable } else { report.verdict.into() }))
    }
}
