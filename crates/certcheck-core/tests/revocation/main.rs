//! Revocation as data: each file beside this one is a small PKI with its evidence, and many questions.

#![expect(clippy::disallowed_methods, reason = "scenarios are files")]

#[path = "../alike/mod.rs"]
mod alike;
mod case;
mod flaws;
#[path = "../question/mod.rs"]
mod question;

use std::path::Path;

use alike::Tally;
use case::{Case, Suite};
use certcheck_core::Check;
use question::Question;

/// Asks; the order of evidence says nothing.
fn ask(case: &Case, question: &Question, tally: &mut Tally) -> Result<(), String> {
    let (chain, ring) = (question.presented(), question.key_ring());
    for is_reversed in [false, true] {
        let evidence = question.evidence(is_reversed);
        let mut policy = question.policy.clone();
        policy.explain = true;
        let check = Check::new(&chain, &ring, &policy, question.now()).with_evidence(&evidence);
        case.judge(&check.run())?;
        alike::compare_all(question, &evidence, tally)?;
    }
    Ok(())
}

#[test]
fn every_case() {
    let files = question::files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation"));
    let (mut cases, mut wrong, mut tally) = (0, Vec::new(), Tally::default());
    for (name, text) in &files {
        let suite = Suite::parse(text);
        for (case, question) in suite.questions() {
            cases += 1;
            wrong.extend(ask(case, &question, &mut tally).err().map(|fault| format!("{name}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cases} cases, {tally:?}");
    assert!(tally.admitted >= 100, "{tally:?}");
    assert!(cases >= 230, "{cases} cases");
}
