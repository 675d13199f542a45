//! Small inputs with the right value: a folder each under `cases/`, run by the program as its `case.toml` says.

use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    arguments: Vec<String>,
    exit: i32,
    /// How standard output begins.
    verdict: Option<String>,
    /// Codes of which one is told with the verdict.
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    stdout: Vec<String>,
    #[serde(default)]
    stderr: Vec<String>,
    /// What neither output says.
    #[serde(default)]
    absent: Vec<String>,
}

/// What is wrong with a case. Empty if nothing is.
fn faults(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("case.toml")).expect("a case.toml");
    let case: Case = toml::from_str(&text).expect("a case");
    let output = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(folder)
        .args(&case.arguments)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut faults = Vec::new();
    if output.status.code() != Some(case.exit) {
        faults.push(format!("exit {:?} instead of {}", output.status.code(), case.exit));
    }
    if let Some(verdict) = case.verdict.filter(|verdict| !out.starts_with(verdict.as_str())) {
        faults.push(format!("not {verdict}"));
    }
    let first = out.lines().next().unwrap_or_default();
    if !case.reasons.is_empty() && !case.reasons.iter().any(|code| first.ends_with(&format!(": {code}"))) {
        faults.push(format!("none of {:?}", case.reasons));
    }
    let missing = |text: &str, said: &[String]| -> Vec<String> {
        said.iter().filter(|said| !text.contains(said.as_str())).cloned().collect()
    };
    faults.extend(missing(&out, &case.stdout).into_iter().map(|said| format!("stdout is missing {said:?}")));
    faults.extend(missing(&err, &case.stderr).into_iter().map(|said| format!("stderr is missing {said:?}")));
    let is_there = |said: &&String| out.contains(said.as_str()) || err.contains(said.as_str());
    faults.extend(case.absent.iter().filter(is_there).map(|said| format!("says {said:?}")));
    if !faults.is_empty() {
        faults.push(format!("{out}{err}"));
    }
    faults
}

#[test]
fn each_case_has_the_right_value() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).expect("cases").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "{folders:?}");
    let bad: Vec<String> = folders
        .iter()
        .flat_map(|folder| {
            let faults = faults(folder);
            (!faults.is_empty()).then(|| format!("{}: {}", folder.display(), faults.join("; ")))
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
