//! OpenSSL's own tests of verification (those of class `rfc5280`), OCSP and CRLs, each with its options.

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::oid::OidBuf;
use certcheck_core::policy::{AnchorValidity, Freshness, RevocationScope};
use certcheck_core::{Check, Policy, Purpose, Revocation, Time};
use serde_json::Value;

use super::{Scoreboard, answer, ask, corpus, evidence, flat_ring, json, read, status_of, text, texts, time};

fn policy(case: &Value) -> (Policy, Time) {
    let purpose = match case["purpose"].as_str() {
        Some("sslserver") => Purpose::Server,
        Some("sslclient") => Purpose::Client,
        _ => Purpose::Any,
    };
    let mut policy = Policy::client(Revocation::Off).with_purpose(purpose);
    policy.signatures.min_rsa_bits = 1024;
    policy.signatures.allow_sha1 = true;
    let mut now = Time::from_unix(1_795_000_000);
    let options = texts(case, "options");
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let mut argument = || *rest.next().expect("an argument");
        match *option {
            "-attime" => now = Time::from_unix(argument().parse().expect("seconds")),
            "-verify_depth" => policy.max_depth = argument().parse().expect("a number"),
            "-policy" => policy.initial_policies.extend(OidBuf::from_dotted(argument())),
            "-explicit_policy" => policy.require_explicit_policy = true,
            "-policy_check" | "-check_ss_sig" => {}
            other => panic!("option {other}"),
        }
    }
    (policy, now)
}

fn run(case: &Value, base: &std::path::Path, change: impl Fn(&mut Policy)) -> String {
    let (mut policy, now) = policy(case);
    change(&mut policy);
    let trusted: Vec<_> = texts(case, "trusted").iter().map(|file| base.join(file)).collect();
    let mut chain = read(&base.join(text(case, "cert")));
    chain.extend(texts(case, "untrusted").iter().flat_map(|file| read(&base.join(file))));
    ask(&chain, flat_ring(&trusted).as_ref(), &policy, now)
}

#[test]
fn verify() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("verify.json"));
    let mut scoreboard = Scoreboard::new("openssl-verify");
    for case in manifest["cases"].as_array().expect("cases") {
        if !texts(case, "class").contains(&"rfc5280") || case["openssl_trust_format"] == true {
            continue;
        }
        let expected = if case["expected_ok"] == true { "accept" } else { "refuse" };
        scoreboard.case(text(case, "id"), expected, &run(case, &base, |_| {}));
    }
    scoreboard.close(57);
}

#[test]
fn an_expired_anchor_is_refused_where_policy_asks() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("verify.json"));
    let mut cases = manifest["cases"].as_array().expect("cases").iter();
    let case = cases.find(|case| text(case, "id") == "046-reject-expired-trusted-root").expect("case");
    assert_eq!(run(case, &base, |policy| policy.anchor_validity = AnchorValidity::Enforce), "expired");
}

/// Old certificates: SHA-1, 1024 bits.
fn lenient() -> Policy {
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;
    policy
}

/// Whether a response verifies and its responder may answer; how old it is does not count there.
#[test]
fn ocsp_signatures() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("ocsp.json"));
    let now = time(text(&manifest, "verify_time"));
    let mut policy = lenient();
    policy.revocation_scope = RevocationScope::Leaf;
    let mut timeless = Freshness::default();
    timeless.skew = i64::MAX / 8;
    policy.freshness = timeless;
    let mut scoreboard = Scoreboard::new("openssl-ocsp-signatures");
    for case in manifest["cases"].as_array().expect("cases") {
        let mut builder = RingBuilder::new();
        let trusted = text(case, "trusted");
        let content = std::fs::read(base.join(trusted)).expect("file is there");
        builder.add(trusted, &content, Placement::Anchor).expect("anchor reads");
        let ring = builder.build().expect("ring builds");
        let mut chain = read(&base.join(text(case, "cert")));
        chain.extend(texts(case, "other_certs").iter().flat_map(|file| read(&base.join(file))));
        let evidence = evidence(&[], &[base.join(text(case, "response"))]);
        let report = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run();
        let status = status_of(&report);
        let is_verified = matches!(status.as_str(), "good" | "revoked");
        let found = if is_verified { "accept".to_owned() } else { format!("{}: {status}", answer(&report)) };
        let expected = if case["expected_verify_ok"] == true { "accept" } else { "refuse" };
        scoreboard.case(text(case, "id"), expected, &found);
    }
    scoreboard.close(40);
}

#[test]
fn ocsp_paths() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("ocsp.json"));
    let mut scoreboard = Scoreboard::new("openssl-ocsp");
    for case in manifest["path_cases"].as_array().expect("cases") {
        let ring = flat_ring(&[base.join(text(case, "root"))]).expect("anchor reads");
        let mut chain = read(&base.join(text(case, "cert")));
        chain.extend(texts(case, "other_certs").iter().flat_map(|file| read(&base.join(file))));
        let responses: Vec<_> = texts(case, "responses").into_iter().map(|file| base.join(file)).collect();
        let evidence = evidence(&[], &responses);
        let policy = lenient();
        let report =
            Check::new(&chain, &ring, &policy, time(text(case, "time"))).with_evidence(&evidence).run();
        let expected = if case["expected_path_ok"] == true { "accept" } else { "refuse" };
        scoreboard.case(text(case, "id"), expected, &answer(&report));
    }
    scoreboard.close(27);
}

#[test]
fn crls() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("crltest.json"));
    let mut policy = lenient();
    policy.revocation_scope = RevocationScope::Leaf;
    let mut scoreboard = Scoreboard::new("openssl-crl");
    for case in manifest["cases"].as_array().expect("cases") {
        let ring = flat_ring(&[base.join(text(case, "anchor"))]).expect("anchor reads");
        let chain = read(&base.join(text(case, "cert")));
        let crls: Vec<_> = texts(case, "crls").into_iter().map(|file| base.join(file)).collect();
        let evidence = evidence(&crls, &[]);
        let report =
            Check::new(&chain, &ring, &policy, time(text(case, "time"))).with_evidence(&evidence).run();
        let status = status_of(&report);
        let found = if matches!(status.as_str(), "good" | "revoked") { status.as_str() } else { "unknown" };
        scoreboard.case(text(case, "id"), text(case, "expected"), found);
    }
    scoreboard.close(8);
}
