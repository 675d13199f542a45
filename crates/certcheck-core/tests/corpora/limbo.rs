//! x509-limbo: what RFC 5280 decides, and under a pedantic policy the rules for issuers.

use std::path::Path;
use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::AnchorValidity;
use certcheck_core::revocation::EvidenceFault;
use certcheck_core::{Check, Evidence, Policy, Purpose, Revocation, Time, certificates_of, crls_of};
use pki_types::ServerName;
use serde_json::Value;

use super::{Scoreboard, answer, corpus, json, text, texts, time};

fn classes(base: &Path) -> std::collections::HashMap<String, String> {
    let list = json(&base.join("classes.json"));
    let pair = |case: &Value| (text(case, "id").to_owned(), text(case, "class").to_owned());
    list["cases"].as_array().expect("cases").iter().map(pair).collect()
}

/// Runs the cases of some classes that have no CRLs.
fn run(scoreboard: &mut Scoreboard, wanted: &[&str], policy: &Policy, expected: Option<&str>) {
    let Some(base) = corpus("limbo") else { return };
    let classes = classes(&base);
    let manifest = json(&base.join("limbo-no-bettertls.json"));
    for case in manifest["testcases"].as_array().expect("cases") {
        let id = text(case, "id");
        let class = classes.get(id).map_or("", String::as_str);
        if !wanted.contains(&class) || !texts(case, "crls").is_empty() {
            continue;
        }
        let outcome = if text(case, "expected_result") == "SUCCESS" { "accept" } else { "refuse" };
        scoreboard.case(id, expected.unwrap_or(outcome), &one(case, policy));
    }
}

fn one(case: &Value, policy: &Policy) -> String {
    with_evidence(case, policy, &Evidence::new())
}

fn with_evidence(case: &Value, policy: &Policy, evidence: &Evidence) -> String {
    let mut policy = policy.clone();
    if let Some(depth) = case["max_chain_depth"].as_u64() {
        policy.max_depth = u32::try_from(depth).expect("small");
    }
    if policy.purpose == Purpose::Server {
        let name = text(&case["expected_peer_name"], "value").to_owned();
        policy.server_name = Some(ServerName::try_from(name).expect("a name"));
    }
    let mut builder = RingBuilder::new();
    for anchor in texts(case, "trusted_certs") {
        if builder.add("anchor", anchor.as_bytes(), Placement::Flat).is_err() {
            return "the ring cannot be read".to_owned();
        }
    }
    let Ok(ring) = builder.build() else { return "the ring has no anchor".to_owned() };
    let mut chain = certificates_of(text(case, "peer_certificate").as_bytes()).expect("target is PEM");
    for presented in texts(case, "untrusted_intermediates") {
        chain.extend(certificates_of(presented.as_bytes()).expect("intermediate is PEM"));
    }
    let now = case["validation_time"].as_str().map_or_else(now, time);
    answer(&Check::new(&chain, &ring, &policy, now).with_evidence(evidence).run())
}

/// Cases without a time are valid for a very long one.
fn now() -> Time {
    Time::from_unix(1_795_000_000)
}

fn policy() -> Policy {
    Policy::client(Revocation::Off).with_purpose(Purpose::Any)
}

#[test]
fn rfc5280_and_client() {
    let mut scoreboard = Scoreboard::new("limbo");
    if corpus("limbo").is_none() {
        return;
    }
    run(&mut scoreboard, &["rfc5280", "client"], &policy(), None);
    scoreboard.close(114);
}

#[test]
fn names_of_servers() {
    let mut scoreboard = Scoreboard::new("limbo-names");
    if corpus("limbo").is_none() {
        return;
    }
    run(
        &mut scoreboard,
        &["name-matching", "real-server-chain"],
        &policy().with_purpose(Purpose::Server),
        None,
    );
    scoreboard.close(31);
}

#[test]
fn rules_for_issuers_under_a_pedantic_policy() {
    let mut scoreboard = Scoreboard::new("limbo-pedantic");
    if corpus("limbo").is_none() {
        return;
    }
    let mut policy = policy();
    policy.pedantic = true;
    run(&mut scoreboard, &["issuer-rule"], &policy, None);
    scoreboard.close(20);
}

#[test]
fn an_expired_anchor_is_refused_where_policy_asks() {
    let Some(base) = corpus("limbo") else { return };
    let mut policy = policy();
    policy.anchor_validity = AnchorValidity::Enforce;
    let manifest = json(&base.join("limbo-no-bettertls.json"));
    let cases = manifest["testcases"].as_array().expect("cases");
    let case = cases.iter().find(|case| text(case, "id") == "rfc5280::validity::expired-root").expect("case");
    assert_eq!(one(case, &policy), "expired");
}

/// Under soft-fail too: broken evidence is not the same as none.
#[test]
fn crls() {
    let Some(base) = corpus("limbo") else { return };
    let classes = classes(&base);
    let manifest = json(&base.join("limbo-no-bettertls.json"));
    let cases = manifest["testcases"].as_array().expect("cases");
    for revocation in [Revocation::HardFail, Revocation::SoftFail] {
        let is_hard = revocation == Revocation::HardFail;
        let mut scoreboard = Scoreboard::new(if is_hard { "limbo-crls" } else { "limbo-crls-soft" });
        for case in cases.iter().filter(|case| !texts(case, "crls").is_empty()) {
            let mut evidence = Evidence::new();
            for der in texts(case, "crls")
                .iter()
                .flat_map(|pem| crls_of(&pem.as_bytes().to_vec().into()).expect("PEM"))
            {
                match Crl::parse(der, "limbo") {
                    Ok(crl) => evidence.add_crl(Arc::new(crl)),
                    Err(fault) => evidence.add_fault(EvidenceFault::new("limbo", fault)),
                }
            }
            let mut policy = policy();
            policy.revocation = revocation;
            // A CRL number is a rule for issuers: demanded where such are.
            policy.pedantic = classes.get(text(case, "id")).is_some_and(|class| class == "issuer-rule");
            let expected = if text(case, "expected_result") == "SUCCESS" { "accept" } else { "refuse" };
            scoreboard.case(text(case, "id"), expected, &with_evidence(case, &policy, &evidence));
        }
        scoreboard.close(7);
    }
}
