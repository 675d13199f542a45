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
    let is_identifier = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
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

/// The clauses of a row: each a whole citation, such as `RFC 5280 6.1.3 (a)(1)`.
fn clauses(row: &str) -> Vec<&str> {
    let first = row.trim_start_matches("| ").split(" | ").next().unwrap_or_default();
    first.split(", ").filter(|clause| clause.starts_with("RFC ")).collect()
}

/// Whether the documentation of some function of this name cites the clause.
fn cites(text: &str, name: &str, clause: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_function =
        |line: &str| line.contains(&format!("fn {name}(")) || line.contains(&format!("fn {name}<"));
    let is_head = |line: &&str| !line.is_empty() && !line.ends_with(['{', '}', ';']);
    lines.iter().enumerate().filter(|(_, line)| is_function(line)).any(|(at, _)| {
        let head = lines[..at].iter().rev().copied().take_while(is_head);
        let documentation: Vec<&str> = head.filter_map(|line| line.strip_prefix("///")).collect();
        let ends = |after: &str| !after.starts_with(|next: char| next.is_ascii_digit() || next == '(');
        documentation
            .iter()
            .any(|line| line.match_indices(clause).any(|(at, _)| ends(&line[at + clause.len()..])))
    })
}

#[test]
fn functions_cite_the_clauses_that_they_decide() {
    let table = read("docs/rfc.md").expect("the table");
    let (mut faults, mut cited) = (Vec::new(), 0);
    for row in table.lines().filter(|row| row.starts_with("| RFC ")) {
        for (path, name) in
            references(row).filter(|(path, _)| path.contains("/src/") && !path.contains("testkit"))
        {
            let text = read(path).expect("a source");
            // Tests beside the code are named in the same way, and decide nothing.
            if text.contains(&format!("#[test]\n    fn {name}(")) {
                continue;
            }
            for clause in clauses(row) {
                cited += 1;
                if !cites(&text, name, clause) {
                    faults.push(format!("{path}: {name} does not cite {clause}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cited > 200, "{cited} are cited");
}
