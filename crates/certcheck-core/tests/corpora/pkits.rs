//! NIST PKITS, the paths: sections 4.1 to 4.3, 4.5 to 4.13, 4.16, without revocation.

use certcheck_core::oid::OidBuf;
use certcheck_core::{Check, Policy, Purpose, Revocation};
use serde_json::Value;

use super::{Judge, answer, corpus, flat_ring, json, read, text, texts, time};

/// DSA, which is not supported: refused by name.
const DSA: [&str; 3] = ["4.1.4", "4.1.5", "4.1.6"];
/// What these sections test is CRLs.
const CRL_SECTIONS: [&str; 3] = ["4.4.", "4.14.", "4.15."];

fn policy(initial: &Value) -> Policy {
    let mut policy = Policy::client(Revocation::Off).with_purpose(Purpose::Any);
    let wanted = texts(initial, "user_initial_policy_set");
    policy.initial_policies =
        wanted.into_iter().map(|oid| OidBuf::from_dotted(oid).expect("an identifier")).collect();
    policy.require_explicit_policy = initial["initial_explicit_policy"] == true;
    policy.inhibit_policy_mapping = initial["initial_policy_mapping_inhibit"] == true;
    policy.inhibit_any_policy = initial["initial_any_policy_inhibit"] == true;
    policy
}

#[test]
fn paths() {
    let Some(base) = corpus("pkits") else { return };
    let manifest = json(&base.join("pkits.json"));
    let now = time(text(&manifest, "validation_time"));
    let mut judge = Judge::new("pkits");
    for case in manifest["cases"].as_array().expect("cases") {
        let id = text(case, "id");
        if CRL_SECTIONS.iter().any(|section| id.starts_with(section)) {
            continue;
        }
        let ring = flat_ring(&[base.join(text(case, "trust_anchor"))]).expect("anchor reads");
        let chain: Vec<_> =
            texts(case, "path").iter().rev().flat_map(|file| read(&base.join(file))).collect();
        let policy = policy(&case["initial"]);
        let report = Check::new(&chain, &ring, &policy, now).run();
        let rests_on_revocation = case["depends_on_revocation"] == true;
        let expected = match case["should_validate"] == true {
            _ if DSA.contains(&id) => "unsupported-algorithm",
            good if good || rests_on_revocation => "accept",
            _ => "refuse",
        };
        judge.case(id, expected, &answer(&report));
        let section: usize =
            id.split('.').nth(1).and_then(|section| section.parse().ok()).expect("a section");
        if (8..=12).contains(&section)
            && case["should_validate"] == true
            && !case["user_constrained_policy_set"].is_null()
        {
            let mut wanted = texts(case, "user_constrained_policy_set");
            let mut told: Vec<_> = report.policies.iter().map(ToString::to_string).collect();
            wanted.sort_unstable();
            told.sort_unstable();
            judge.case(&format!("{id} policies"), &wanted.join(" "), &told.join(" "));
        }
    }
    judge.close(200);
}
