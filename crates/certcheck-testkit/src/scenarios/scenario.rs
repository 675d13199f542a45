//! Files of `scenarios/`: a small PKI, a check of a path in it, and the expected result.

use std::collections::BTreeMap;

use crate::recipe::{CertRecipe, Recipe};
use certcheck_core::key_ring::Placement;
use certcheck_core::oid::OidBuf;
use certcheck_core::policy::AnchorValidity;
use certcheck_core::{Policy, Purpose, Revocation};
use serde::Deserialize;

use super::question::Question;

/// A file of `scenarios/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, for readers.
    about: String,
    #[serde(default = "default_time")]
    at: String,
    /// The chain, target first.
    chain: Vec<String>,
    ring: Ring,
    #[serde(default)]
    policy: PolicyRecipe,
    /// The expected result.
    pub expect: Expect,
    cert: BTreeMap<String, CertRecipe>,
}

#[derive(Debug, Deserialize)]
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

#[derive(Debug, Default, Deserialize)]
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

/// The expected result of a scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `accept`, `reject` or `undetermined`.
    pub verdict: String,
    /// The code of the reason, if there is one.
    pub code: Option<String>,
    /// The position of the certificate in the path that the reason is for.
    pub at: Option<usize>,
    /// The policies that are valid for the path.
    pub policies: Option<Vec<String>>,
    /// The number of certificates in the path.
    pub path: Option<usize>,
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
        policy.signatures.allow_sha1 = self.allow_sha1;
        policy.signatures.min_rsa_bits = self.min_rsa_bits.unwrap_or(policy.signatures.min_rsa_bits);
        policy.max_depth = self.max_depth.unwrap_or(policy.max_depth);
        policy.partial_chain = self.partial_chain.unwrap_or(policy.partial_chain);
        policy.pedantic = self.pedantic;
        if self.enforce_anchor_validity {
            policy.anchor_validity = AnchorValidity::Enforce;
        }
        policy
    }
}

impl Scenario {
    /// Parses a scenario.
    ///
    /// # Panics
    /// If it cannot be parsed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The check of the scenario.
    ///
    /// # Panics
    /// If it names something that it does not have.
    #[must_use]
    pub fn question(&self) -> Question {
        let recipe = Recipe { cert: self.cert.clone(), ..Recipe::default() };
        let certs = recipe.forge();
        let ring = [
            (&self.ring.anchors, Placement::Anchor),
            (&self.ring.intermediates, Placement::Intermediate),
            (&self.ring.distrusted, Placement::Distrusted),
            (&self.ring.flat, Placement::Flat),
        ];
        let placed = ring.into_iter().flat_map(|(names, placement)| {
            names.iter().map(move |name| (placement, name)).collect::<Vec<_>>()
        });
        Question {
            about: self.about.clone(),
            at: self.at.clone(),
            chain: self.chain.iter().map(|name| certs[name].clone()).collect(),
            key: recipe.key_of(&self.chain[0]),
            ring: placed.map(|(placement, name)| (placement, name.clone(), certs[name].clone())).collect(),
            settings: self.ring.settings.clone(),
            policy: self.policy.policy(),
            crls: Vec::new(),
            responses: Vec::new(),
            others: certs.clone().into_iter().collect(),
        }
    }
}
