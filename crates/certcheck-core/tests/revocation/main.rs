//! Revocation as data: each file beside this one is a small PKI with its evidence, and many questions.

#![expect(clippy::disallowed_methods, reason = "scenarios are files")]

mod case;
mod flaws;
#[path = "../question/mod.rs"]
mod question;

use std::path::Path;

use case::Suite;

#[test]
fn every_case() {
    let files = question::files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation"));
    let (mut cases, mut wrong) = (0, Vec::new());
    for (name, text) in &files {
        let suite = Suite::parse(text);
        cases += suite.case.len();
        wrong.extend(suite.run().into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 230, "{cases} cases");
}
