//! What a file says, and how it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::policy::{CrlSignerUsage, EvidenceOrder, RevocationScope};
use certcheck_core::revocation::{Evidence, EvidenceFault, OcspEvidence, Status};
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Purpose, Report, Revocation, Time};
use certcheck_testkit::recipe::{CertRecipe, CrlRecipe, OcspRecipe, Recipe};
use pki_types::CertificateDer;
use serde::Deserialize;

use crate::alike::{self, Tally};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    ring: Ring,
    cert: BTreeMap<String, CertRecipe>,
    #[serde(default)]
    crl: BTreeMap<String, CrlRecipe>,
    #[serde(default)]
    ocsp: BTreeMap<String, OcspRecipe>,
    pub(crate) case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    anchors: Vec<String>,
    #[serde(default)]
    intermediates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows.
    about: String,
    /// The RFC that has it so.
    #[serde(default)]
    #[expect(dead_code, reason = "for who reads the file")]
    rfc: String,
    /// Target first.
    #[serde(default = "leaf")]
    chain: Vec<String>,
    #[serde(default)]
    crl: Vec<String>,
    #[serde(default)]
    ocsp: Vec<String>,
    #[serde(default = "new_year")]
    at: String,
    #[serde(default)]
    policy: PolicyRecipe,
    /// The status of the certificate at `of`: `good`, `good by crl`, `revoked: reason`, `unknown: cause`.
    expect: String,
    #[serde(default)]
    of: usize,
    /// By default what hard-fail makes of the status.
    verdict: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyRecipe {
    revocation: Option<String>,
    order: Option<String>,
    scope: Option<String>,
    signer_usage: Option<String>,
    max_age: Option<i64>,
    max_stale: Option<i64>,
    oldest: Option<i64>,
    skew: Option<i64>,
    use_deltas: Option<bool>,
    #[serde(default)]
    allow_sha1: bool,
    #[serde(default)]
    trusted_responders: Vec<String>,
}

fn leaf() -> Vec<String> {
    vec!["leaf".to_owned()]
}

fn new_year() -> String {
    "2027-01-02T00:00:00Z".to_owned()
}

struct Forged {
    certs: BTreeMap<String, Vec<u8>>,
    crls: BTreeMap<String, Vec<u8>>,
    responses: BTreeMap<String, Vec<u8>>,
}

impl Suite {
    /// Asks every question; what was answered otherwise than expected.
    pub(crate) fn run(self, tally: &mut Tally) -> Vec<String> {
        let recipe = Recipe { cert: self.cert, crl: self.crl, ocsp: self.ocsp };
        let forged =
            Forged { certs: recipe.forge(), crls: recipe.forge_crls(), responses: recipe.forge_responses() };
        let mut builder = RingBuilder::new();
        for (names, placement) in
            [(&self.ring.anchors, Placement::Anchor), (&self.ring.intermediates, Placement::Intermediate)]
        {
            for name in names {
                builder.add(name, &forged.certs[name], placement).expect("ring file reads");
            }
        }
        let ring = builder.build().expect("ring builds");
        let chain_of = |names: &[String]| -> Vec<CertificateDer<'_>> {
            names.iter().map(|name| forged.certs[name].as_slice().into()).collect()
        };
        let mut leaves: Vec<&String> = self.case.iter().filter_map(|case| case.chain.first()).collect();
        leaves.sort();
        leaves.dedup();
        let mut ask = |case: &Case| {
            let chain = chain_of(&case.chain);
            let policy = case.policy.policy(&forged);
            let now = Time::from_rfc3339(&case.at).expect("a time");
            // The order of evidence says nothing.
            for is_reversed in [false, true] {
                let evidence = case.evidence(&forged, is_reversed);
                let check = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence);
                let report = check.run();
                case.judge(&report)?;
                // Any leaf in the place of one that is good: what the template makes of it, and what a check does.
                let Some(template) = alike::template(check) else { continue };
                for leaf in &leaves {
                    let other: Vec<String> =
                        core::iter::once(*leaf).chain(case.chain.iter().skip(1)).cloned().collect();
                    let other = chain_of(&other);
                    let check = Check::new(&other, &ring, &policy, now).with_evidence(&evidence);
                    alike::compare(&template, check, &ring, tally)
                        .map_err(|fault| format!("{}: {leaf}: {fault}", case.about))?;
                }
            }
            Ok(())
        };
        self.case.iter().filter_map(|case| ask(case).err()).collect()
    }
}

impl Case {
    fn evidence(&self, forged: &Forged, is_reversed: bool) -> Evidence {
        let mut evidence = Evidence::new();
        let mut crls = self.crl.clone();
        let mut responses = self.ocsp.clone();
        if is_reversed {
            crls.reverse();
            responses.reverse();
        }
        for name in &crls {
            let der = forged.crls.get(name).unwrap_or_else(|| panic!("no CRL {name}"));
            match Crl::parse(der.clone().into(), name) {
                Ok(crl) => evidence.add_crl(Arc::new(crl)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(name, fault)),
            }
        }
        for name in &responses {
            let der = forged.responses.get(name).unwrap_or_else(|| panic!("no response {name}"));
            match OcspEvidence::parse(der.clone().into(), name) {
                Ok(response) => evidence.add_ocsp(&Arc::new(response)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(name, fault)),
            }
        }
        evidence
    }

    fn judge(&self, report: &Report<'_>) -> Result<(), String> {
        let status = report.path.get(self.of).map(|member| &member.revocation);
        let told = status.map_or_else(|| format!("{:?}", report.reason), |status| tell(status, &self.expect));
        let verdict = self.verdict.as_deref().unwrap_or(match status {
            Some(Status::Revoked(_)) => "reject",
            Some(Status::Unknown(_)) => "undetermined",
            _ => "accept",
        });
        if told == self.expect && report.verdict.code() == verdict {
            return Ok(());
        }
        let (about, expect, got) = (&self.about, &self.expect, report.verdict.code());
        Err(format!("{about}: expected {expect}, {verdict}; got {told}, {got}: {:?}", report.reason))
    }
}

/// The status in the words of `expect`: by what it is known only if it asks.
fn tell(status: &Status, expect: &str) -> String {
    match status {
        Status::Good(proof) if expect.contains(" by ") => format!("good by {}", proof.source),
        Status::Revoked(revoked) if expect.contains(" by ") => {
            format!("revoked: {} by {}", revoked.reason.name(), revoked.proof.source)
        }
        Status::Good(_) => "good".to_owned(),
        Status::NoRevAvail => "none ever".to_owned(),
        Status::NotChecked => "not checked".to_owned(),
        Status::Revoked(revoked) => format!("revoked: {}", revoked.reason.name()),
        Status::Unknown(cause) => format!("unknown: {}", cause.code()),
        other => panic!("{other:?}"),
    }
}

impl PolicyRecipe {
    fn policy(&self, forged: &Forged) -> Policy {
        let mut policy = Policy::client(match self.revocation.as_deref() {
            None | Some("hard-fail") => Revocation::HardFail,
            Some("if-offered") => Revocation::IfOffered,
            Some("soft-fail") => Revocation::SoftFail,
            Some("off") => Revocation::Off,
            Some(other) => panic!("revocation {other}"),
        });
        policy.purpose = Purpose::Any;
        policy.allow_sha1 = self.allow_sha1;
        policy.use_deltas = self.use_deltas.unwrap_or(true);
        policy.freshness.max_age = self.max_age.unwrap_or(policy.freshness.max_age);
        policy.freshness.max_stale = self.max_stale.unwrap_or(0);
        policy.freshness.skew = self.skew.unwrap_or(policy.freshness.skew);
        policy.freshness.oldest = self.oldest;
        policy.evidence_order = match self.order.as_deref() {
            None | Some("ocsp-first") => EvidenceOrder::OcspFirst,
            Some("crl-first") => EvidenceOrder::CrlFirst,
            Some(other) => panic!("order {other}"),
        };
        policy.revocation_scope = match self.scope.as_deref() {
            None | Some("chain") => RevocationScope::Chain,
            Some("leaf") => RevocationScope::Leaf,
            Some(other) => panic!("scope {other}"),
        };
        policy.crl_signer_usage = match self.signer_usage.as_deref() {
            None => CrlSignerUsage::Rfc10007,
            Some("required") => CrlSignerUsage::Required,
            Some("if-present") => CrlSignerUsage::IfPresent,
            Some(other) => panic!("signer usage {other}"),
        };
        let responders = self.trusted_responders.iter();
        policy.trusted_responders = responders.map(|name| forged.certs[name].clone().into()).collect();
        policy
    }
}
