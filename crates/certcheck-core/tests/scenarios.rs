//! Scenarios as data: each file of `scenarios/` is a small PKI, a question and the answer.

mod alike;

use std::path::Path;

use certcheck_core::{Check, Evidence};
use certcheck_testkit::scenarios::{Scenario, files_of};

fn run(name: &str, text: &str, tally: &mut alike::Tally) {
    let scenario = Scenario::parse(text);
    let question = scenario.question();
    let (chain, ring) = (question.presented(), question.key_ring());
    let report = Check::new(&chain, &ring, &question.policy, question.now()).run();
    // What takes the leaf's place in the chain is accepted by its issuer path only if the whole check accepts it.
    alike::compare_all(&question, &Evidence::new(), tally).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let found = (report.verdict.code(), report.reason.as_ref().map(|rejection| rejection.reason.code()));
    let context = format!("{name}: {}\n  {:?}", question.about, report.reason);
    let expect = scenario.expect;
    assert_eq!(found, (expect.verdict.as_str(), expect.code.as_deref()), "{context}");
    if let Some(at) = expect.at {
        assert_eq!(report.reason.as_ref().map(|rejection| rejection.at), Some(at), "{context}");
    }
    if let Some(policies) = expect.policies {
        let found: Vec<_> = report.policies.iter().map(ToString::to_string).collect();
        assert_eq!(found, policies, "{context}");
    }
    if let Some(length) = expect.path {
        assert_eq!(report.path.len(), length, "{context}");
    }
}

#[test]
fn every_scenario() {
    let files = files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios"));
    assert!(files.len() >= 30, "{} scenarios", files.len());
    let mut tally = alike::Tally::default();
    let mut is_good = |name: &str, text: &str| {
        let run = std::panic::AssertUnwindSafe(|| run(name, text, &mut tally));
        std::panic::catch_unwind(run).is_ok()
    };
    let failed: Vec<_> =
        files.iter().filter(|(name, text)| !is_good(name, text)).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
    println!("{} scenarios, {tally:?}", files.len());
    assert!(tally.admitted >= 10, "{tally:?}");
}
