//! Pages of `docs/` that tests hold against the code.

use std::path::Path;

/// The names of metrics that a crate's `metrics.rs` has, and those that its section of `docs/observability.md` has, sorted.
///
/// # Panics
/// If there is no such page or section.
#[must_use]
pub fn metrics(crate_name: &str, source: &str) -> [Vec<String>; 2] {
    let names = |text: &str, quote: char| -> Vec<String> {
        let pieces = text.split(quote).filter(|piece| piece.starts_with("certcheck_"));
        let mut names: Vec<String> = pieces.map(str::to_owned).collect();
        names.sort();
        names
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, after) = page.split_once(&format!("## Metrics of {crate_name}\n")).expect("a section");
    let table = after.split("\n## ").next().unwrap_or_default();
    [names(source, '"'), names(table, '`')]
}
