//! NIST PKITS: the paths alone, then the whole with its CRLs, then the whole in the edition that is fetched.

use certcheck_core::oid::OidBuf;
use certcheck_core::{Check, Policy, Purpose, Report, Revocation};
use serde_json::Value;

use super::{Scoreboard, answer, corpus, evidence, flat_ring, json, read, text, texts, time};

/// DSA, which is not supported: refused by name.
const DSA: [&str; 3] = ["4.1.4", "4.1.5", "4.1.6"];
/// What these sections test is CRLs.
const CRL_SECTIONS: [&str; 3] = ["4.4.", "4.14.", "4.15."];

fn policy(initial: &Value, revocation: Revocation) -> Policy {
    let mut policy = Policy::client(revocation).with_purpose(Purpose::Any);
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
    let mut scoreboard = Scoreboard::new("pkits");
    for case in manifest["cases"].as_array().expect("cases") {
        let id = text(case, "id");
        if CRL_SECTIONS.iter().any(|section| id.starts_with(section)) {
            continue;
        }
        let ring = flat_ring(&[base.join(text(case, "trust_anchor"))]).expect("anchor reads");
        let chain: Vec<_> =
            texts(case, "path").iter().rev().flat_map(|file| read(&base.join(file))).collect();
        let policy = policy(&case["initial"], Revocation::Off);
        let report = Check::new(&chain, &ring, &policy, now).run();
        let rests_on_revocation = case["depends_on_revocation"] == true;
        let expected = match case["should_validate"] == true {
            _ if DSA.contains(&id) => "unsupported-algorithm",
            good if good || rests_on_revocation => "accept",
            _ => "refuse",
        };
        scoreboard.case(id, expected, &answer(&report));
        compare_policies(&mut scoreboard, case, &report);
    }
    scoreboard.close(200);
}

/// The policy set, where the section is about policies.
fn compare_policies(scoreboard: &mut Scoreboard, case: &Value, report: &Report<'_>) {
    let id = text(case, "id");
    let section: usize = id.split('.').nth(1).and_then(|section| section.parse().ok()).expect("a section");
    // The edition that is fetched has other policies, and claims nothing of them.
    let is_told = case["should_validate"] == true
        && !case["user_constrained_policy_set"].is_null()
        && !case["section"].is_null();
    if (8..=12).contains(&section) && is_told {
        let mut wanted = texts(case, "user_constrained_policy_set");
        let mut found: Vec<_> = report.policies.iter().map(ToString::to_string).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        scoreboard.case(&format!("{id} policies"), &wanted.join(" "), &found.join(" "));
    }
}

/// Every case with its CRLs, and nothing let pass.
fn whole(base: &std::path::Path, manifest: &str, mut scoreboard: Scoreboard) -> Scoreboard {
    let manifest = json(&base.join(manifest));
    let now = time(text(&manifest, "validation_time"));
    let files = |case: &Value, key: &str| -> Vec<_> {
        texts(case, key).into_iter().map(|file| base.join(file)).collect()
    };
    for case in manifest["cases"].as_array().expect("cases") {
        let id = text(case, "id");
        let ring = flat_ring(&[base.join(text(case, "trust_anchor"))]).expect("anchor reads");
        let path = files(case, "path").into_iter().rev().chain(files(case, "other_certs"));
        let chain: Vec<_> = path.flat_map(|file| read(&file)).collect();
        let evidence = evidence(&files(case, "crls"), &[]);
        let policy = policy(&case["initial"], Revocation::HardFail);
        let report = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run();
        let expected = match case["should_validate"] == true {
            _ if DSA.contains(&id) => "unsupported-algorithm",
            true => "accept",
            false => "refuse",
        };
        scoreboard.case(id, expected, &answer(&report));
        compare_policies(&mut scoreboard, case, &report);
    }
    scoreboard
}

#[test]
fn with_crls() {
    let Some(base) = corpus("pkits") else { return };
    whole(&base, "pkits.json", Scoreboard::new("pkits-crls")).close(290);
}

#[test]
fn with_crls_of_the_edition_that_is_fetched() {
    let Some(base) = corpus("fpki/pkits-online") else { return };
    whole(&base, "manifest.json", Scoreboard::new("pkits-online")).close(240);
}
