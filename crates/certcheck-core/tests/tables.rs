//! The tables of clauses, attacks and lenient readings name functions and tests: each is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TABLES: [&str; 3] = ["docs/rfc.md", "docs/attacks.md", "docs/conformance.md"];

/// Rows that say that there is no test yet. Whoever writes one lowers this; nobody raises it unseen.
const WITHOUT_TEST: usize = 0;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

/// What stands in a row as `` `path` `name` ``.
fn references(row: &str) -> impl Iterator<Item = (&str, &str)> {
    // Between backticks every second piece is quoted; those that are apart by one space belong together.
    let pieces: Vec<&str> = row.split('`').collect();
    let starts = (1..pieces.len().saturating_sub(2)).step_by(2);
    let found: Vec<_> = starts
        .filter(|at| pieces[at + 1] == " " && is_path(pieces[*at]))
        .map(|at| (pieces[at], pieces[at + 2]))
        .collect();
    found.into_iter()
}

fn is_path(text: &str) -> bool {
    ["crates/", "fuzz/"].iter().any(|folder| text.starts_with(folder)) && text.contains('.')
}

/// Whether the file has a function, a case or a flaw of this name.
fn has(text: &str, path: &str, name: &str) -> bool {
    if path.ends_with(".toml") {
        return text.contains(&format!("about = \"{name}\""));
    }
    let is_identifier = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
    let is_function = |after: &str| text.contains(&format!("fn {name}{after}"));
    (is_identifier && (is_function("(") || is_function("<") || text.contains(&format!("{name}!("))))
        || text.contains(&format!("name: \"{name}\""))
}

#[test]
fn what_the_tables_name_is_there() {
    let mut files: BTreeMap<String, Result<String, String>> = BTreeMap::new();
    let (mut faults, mut named, mut without) = (Vec::new(), 0, 0);
    for table in TABLES {
        let text = read(table).expect("the table");
        for (at, row) in text.lines().enumerate().filter(|(_, row)| row.starts_with('|')) {
            without += row.matches("no test yet").count();
            for (path, name) in references(row) {
                named += 1;
                let file = files.entry(path.to_owned()).or_insert_with(|| read(path));
                match file {
                    Ok(file) if has(file, path, name) => {}
                    Ok(_) => faults.push(format!("{table}:{}: {path} has no {name}", at + 1)),
                    Err(error) => faults.push(format!("{table}:{}: {error}", at + 1)),
                }
            }
        }
        assert!(!text.contains("**missing**"), "{table}: say in words why there is no test yet");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(named > 400, "{named} are named");
    assert_eq!(without, WITHOUT_TEST, "rows without a test");
}
