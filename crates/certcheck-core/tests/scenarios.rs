//! Scenarios as data: each file of `scenarios/` is a small PKI, a question and the answer.

#![expect(clippy::disallowed_methods, reason = "scenarios are files")]

mod alike;

use std::collections::BTreeMap;
use std::path::Path;

use certcheck_core::oid::OidBuf;
use certcheck_core::policy::AnchorValidity;
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Purpose, Revocation, Time};
use certcheck_testkit::recipe::{CertRecipe, Recipe};
use pki_types::CertificateDer;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows, for who reads it.
    about: String,
    #[serde(default = "default_time")]
    at: String,
    /// Target first.
    chain: Vec<String>,
    ring: Ring,
    #[serde(default)]
    policy: PolicyRecipe,
    expect: Expect,
    cert: BTreeMap<String, CertRecipe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    #[serde(default)]
    anchors: Vec<String>,
    #[serde(default)]
    intermediates: Vec<String>,
    #[serde(default)]
    distrusted: Vec<String>,
    #[serde(default)]
    flat: Vec<String>,
    #[serde(default)]
    settings: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyRecipe {
    purpose: Option<String>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    require_explicit_policy: bool,
    #[serde(default)]
    inhibit_any_policy: bool,
    #[serde(default)]
    inhibit_policy_mapping: bool,
    #[serde(default)]
    allow_sha1: bool,
    min_rsa_bits: Option<u32>,
    max_depth: Option<u32>,
    partial_chain: Option<bool>,
    #[serde(default)]
    enforce_anchor_validity: bool,
    #[serde(default)]
    pedantic: bool,
    revocation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: String,
    code: Option<String>,
    at: Option<usize>,
    policies: Option<Vec<String>>,
    path: Option<usize>,
}

fn default_time() -> String {
    "2027-01-01T00:00:00Z".to_owned()
}

impl PolicyRecipe {
    fn policy(&self) -> Policy {
        let revocation = match self.revocation.as_deref() {
            None | Some("off") => Revocation::Off,
            Some("hard-fail") => Revocation::HardFail,
            Some("if-offered") => Revocation::IfOffered,
            Some("soft-fail") => Revocation::SoftFail,
            Some(other) => panic!("revocation {other}"),
        };
        let purpose = match self.purpose.as_deref() {
            None | Some("client") => Purpose::Client,
            Some("server") => Purpose::Server,
            Some("any") => Purpose::Any,
            Some(oid) => Purpose::Other(OidBuf::from_dotted(oid).expect("a purpose")),
        };
        let mut policy = Policy::client(revocation).with_purpose(purpose);
        policy.initial_policies =
            self.policies.iter().map(|oid| OidBuf::from_dotted(oid).expect("a policy")).collect();
        policy.require_explicit_policy = self.require_explicit_policy;
        policy.inhibit_any_policy = self.inhibit_any_policy;
        policy.inhibit_policy_mapping = self.inhibit_policy_mapping;
        policy.allow_sha1 = self.allow_sha1;
        policy.min_rsa_bits = self.min_rsa_bits.unwrap_or(policy.min_rsa_bits);
        policy.max_depth = self.max_depth.unwrap_or(policy.max_depth);
        policy.partial_chain = self.partial_chain.unwrap_or(policy.partial_chain);
        policy.pedantic = self.pedantic;
        if self.enforce_anchor_validity {
            policy.anchor_validity = AnchorValidity::Enforce;
        }
        policy
    }
}

fn run(file: &Path, tally: &mut alike::Tally) {
    let text = std::fs::read_to_string(file).expect("scenario reads");
    let scenario: Scenario =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let certs = Recipe { cert: scenario.cert, ..Recipe::default() }.forge();
    let mut builder = RingBuilder::new();
    for (names, placement) in [
        (&scenario.ring.anchors, Placement::Anchor),
        (&scenario.ring.intermediates, Placement::Intermediate),
        (&scenario.ring.distrusted, Placement::Distrusted),
        (&scenario.ring.flat, Placement::Flat),
    ] {
        for name in names {
            builder.add(name, &certs[name], placement).expect("ring file reads");
        }
    }
    builder.add_settings("ring.toml", &scenario.ring.settings).expect("settings read");
    let ring = builder.build().expect("ring builds");
    let chain: Vec<CertificateDer<'_>> =
        scenario.chain.iter().map(|name| certs[name].as_slice().into()).collect();
    let policy = scenario.policy.policy();
    let now = Time::from_rfc3339(&scenario.at).expect("a time");
    // Whoever takes the leaf's place in the chain is admitted by its template only if the whole check accepts it.
    if let Some(template) = alike::template(Check::new(&chain, &ring, &policy, now)) {
        for (name, der) in &certs {
            let mut other = chain.clone();
            other[0] = der.as_slice().into();
            let check = Check::new(&other, &ring, &policy, now);
            alike::compare(&template, check, &ring, tally)
                .unwrap_or_else(|fault| panic!("{}: {name}: {fault}", file.display()));
        }
    }
    let report = Check::new(&chain, &ring, &policy, now).run();
    let told = (report.verdict.code(), report.reason.as_ref().map(|rejection| rejection.reason.code()));
    let context = format!("{}: {}\n  {:?}", file.display(), scenario.about, report.reason);
    assert_eq!(told, (scenario.expect.verdict.as_str(), scenario.expect.code.as_deref()), "{context}");
    if let Some(at) = scenario.expect.at {
        assert_eq!(report.reason.as_ref().map(|rejection| rejection.at), Some(at), "{context}");
    }
    if let Some(policies) = scenario.expect.policies {
        let told: Vec<_> = report.policies.iter().map(ToString::to_string).collect();
        assert_eq!(told, policies, "{context}");
    }
    if let Some(length) = scenario.expect.path {
        assert_eq!(report.path.len(), length, "{context}");
    }
}

#[test]
fn every_scenario() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).expect("scenarios").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    assert!(files.len() >= 30, "{} scenarios", files.len());
    let mut tally = alike::Tally::default();
    let mut is_good = |file: &Path| {
        let run = std::panic::AssertUnwindSafe(|| run(file, &mut tally));
        std::panic::catch_unwind(run).is_ok()
    };
    let failed: Vec<_> = files.iter().filter(|file| !is_good(file)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    println!("{} scenarios, {tally:?}", files.len());
    assert!(tally.admitted >= 10, "{tally:?}");
}
