//! Revocation as data: each file beside this one is a small PKI with its evidence, and many questions.

#![expect(clippy::disallowed_methods, reason = "scenarios are files")]

#[path = "../alike/mod.rs"]
mod alike;
mod case;
mod flaws;

use std::path::Path;

use case::Suite;

#[test]
fn every_case() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("scenarios")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let (mut cases, mut wrong, mut tally) = (0, Vec::new(), alike::Tally::default());
    for file in &files {
        let text = std::fs::read_to_string(file).expect("suite reads");
        let suite: Suite =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cases += suite.case.len();
        wrong.extend(suite.run(&mut tally).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cases} cases, {tally:?}");
    assert!(tally.admitted >= 100, "{tally:?}");
    assert!(cases >= 230, "{cases} cases");
}
