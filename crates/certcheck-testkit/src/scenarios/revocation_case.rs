//! Cases of revocation: a PKI with its evidence, and the expected results.

use std::collections::{BTreeMap, BTreeSet};

use crate::recipe::{CertRecipe, CrlRecipe, OcspRecipe, Recipe};
use certcheck_core::key_ring::Placement;
use certcheck_core::policy::{CrlSignerUsage, EvidenceOrder, RevocationScope};
use certcheck_core::status::Status;
use certcheck_core::{Policy, Purpose, Report, Revocation, Time, Verdict};
use serde::Deserialize;

use super::question::Question;

/// A file of cases about one PKI.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    ring: Ring,
    cert: BTreeMap<String, CertRecipe>,
    #[serde(default)]
    crl: BTreeMap<String, CrlRecipe>,
    #[serde(default)]
    ocsp: BTreeMap<String, OcspRecipe>,
    /// The cases.
    pub case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    anchors: Vec<String>,
    #[serde(default)]
    intermediates: Vec<String>,
}

/// A check in the PKI of its file, and the expected result.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows.
    about: String,
    /// The RFC that requires it.
    #[serde(default)]
    #[expect(dead_code, reason = "the clause, for readers of the file")]
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
    /// The verdict. By default the one of hard-fail for the status.
    verdict: Option<String>,
    /// The expected texts about unused evidence. Each is a part of the text for one piece.
    #[serde(default)]
    considered: Vec<String>,
    /// The expected remedy.
    remedy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
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
    produced_until: Option<String>,
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
    /// Parses a file of cases.
    ///
    /// # Panics
    /// If it cannot be parsed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The questions, each with its case.
    ///
    /// # Panics
    /// If a case names something that its file does not have.
    #[must_use]
    pub fn questions(&self) -> Vec<(&Case, Question)> {
        let recipe = Recipe { cert: self.cert.clone(), crl: self.crl.clone(), ocsp: self.ocsp.clone() };
        let forged =
            Forged { certs: recipe.forge(), crls: recipe.forge_crls(), responses: recipe.forge_responses() };
        let in_ring =
            [(&self.ring.anchors, Placement::Anchor), (&self.ring.intermediates, Placement::Intermediate)];
        let placed = in_ring.into_iter().flat_map(|(names, placement)| {
            names.iter().map(move |name| (placement, name)).collect::<Vec<_>>()
        });
        let ring: Vec<_> =
            placed.map(|(placement, name)| (placement, name.clone(), forged.certs[name].clone())).collect();
        let named = |names: &[String], all: &BTreeMap<String, Vec<u8>>, what: &str| {
            let found = |name: &String| all.get(name).unwrap_or_else(|| panic!("no {what} {name}")).clone();
            names.iter().map(|name| (name.clone(), found(name))).collect()
        };
        let leaves: BTreeSet<&String> = self.case.iter().filter_map(|case| case.chain.first()).collect();
        let others: Vec<_> =
            leaves.into_iter().map(|name| (name.clone(), forged.certs[name].clone())).collect();
        let question = |case: &Case| Question {
            about: case.about.clone(),
            at: case.at.clone(),
            chain: case.chain.iter().map(|name| forged.certs[name].clone()).collect(),
            key: recipe.key_of(&case.chain[0]),
            ring: ring.clone(),
            settings: String::new(),
            policy: case.policy.policy(&forged),
            crls: named(&case.crl, &forged.crls, "CRL"),
            responses: named(&case.ocsp, &forged.responses, "response"),
            others: others.clone(),
        };
        self.case.iter().map(|case| (case, question(case))).collect()
    }
}

impl Case {
    /// Compares a report with the expected result.
    ///
    /// # Errors
    /// The difference.
    pub fn compare(&self, report: &Report<'_>) -> Result<(), String> {
        let status = report.path.get(self.of).map(|member| &member.revocation);
        let found =
            status.map_or_else(|| format!("{:?}", report.reason), |status| summary(status, &self.expect));
        let verdict = self.verdict.as_deref().unwrap_or(match status {
            Some(Status::Revoked(_)) => "reject",
            Some(Status::Unknown(_)) => "undetermined",
            _ => "accept",
        });
        if found == self.expect && report.verdict.code() == verdict {
            return self.compare_explanation(report);
        }
        let (about, expect, got) = (&self.about, &self.expect, report.verdict.code());
        Err(format!("{about}: expected {expect}, {verdict}; got {found}, {got}: {:?}", report.reason))
    }
}

impl Case {
    fn compare_explanation(&self, report: &Report<'_>) -> Result<(), String> {
        let pieces: Vec<String> = report.considered.iter().map(ToString::to_string).collect();
        for wanted in &self.considered {
            if !pieces.iter().any(|piece| piece.contains(wanted)) {
                return Err(format!("{}: nothing says {wanted:?}: {pieces:#?}", self.about));
            }
        }
        // Evidence that was used for no certificate must be reported, or at least other evidence that was given with
        // it.
        let proofs = report.path.iter().filter_map(|member| member.revocation.proof());
        let proofs: Vec<&str> = proofs.map(|proof| &*proof.source).collect();
        let is_proof = |given: &String| proofs.contains(&&**given);
        let is_unknown = report.verdict == Verdict::Undetermined;
        if is_unknown && pieces.is_empty() && !self.crl.iter().chain(&self.ocsp).all(is_proof) {
            return Err(format!("{}: nothing says why evidence did not count", self.about));
        }
        let remedy = report.remedy().map(|remedy| format!("{remedy:?}"));
        match &self.remedy {
            Some(wanted) if remedy.as_ref() != Some(wanted) => {
                Err(format!("{}: remedy {remedy:?}, not {wanted}", self.about))
            }
            _ => Ok(()),
        }
    }
}

/// The status in the words of `expect`. The means is only included if `expect` has it.
fn summary(status: &Status, expect: &str) -> String {
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
        policy.signatures.allow_sha1 = self.allow_sha1;
        policy.produced_until =
            self.produced_until.as_deref().map(|time| Time::from_rfc3339(time).expect("a time"));
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
