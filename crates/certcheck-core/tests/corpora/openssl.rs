//! OpenSSL's own verification tests, those of class `rfc5280`, each with its options.

use certcheck_core::oid::OidBuf;
use certcheck_core::policy::AnchorValidity;
use certcheck_core::{Policy, Purpose, Revocation, Time};
use serde_json::Value;

use super::{Judge, ask, corpus, flat_ring, json, read, text, texts};

fn policy(case: &Value) -> (Policy, Time) {
    let purpose = match case["purpose"].as_str() {
        Some("sslserver") => Purpose::Server,
        Some("sslclient") => Purpose::Client,
        _ => Purpose::Any,
    };
    let mut policy = Policy::client(Revocation::Off).with_purpose(purpose);
    policy.min_rsa_bits = 1024;
    policy.allow_sha1 = true;
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
    let mut judge = Judge::new("openssl-verify");
    for case in manifest["cases"].as_array().expect("cases") {
        if !texts(case, "class").contains(&"rfc5280") || case["openssl_trust_format"] == true {
            continue;
        }
        let expected = if case["expected_ok"] == true { "accept" } else { "refuse" };
        judge.case(text(case, "id"), expected, &run(case, &base, |_| {}));
    }
    judge.close(57);
}

#[test]
fn an_expired_anchor_is_refused_where_policy_asks() {
    let Some(base) = corpus("openssl") else { return };
    let manifest = json(&base.join("verify.json"));
    let mut cases = manifest["cases"].as_array().expect("cases").iter();
    let case = cases.find(|case| text(case, "id") == "046-reject-expired-trusted-root").expect("case");
    assert_eq!(run(case, &base, |policy| policy.anchor_validity = AnchorValidity::Enforce), "expired");
}
