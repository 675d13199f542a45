//! Imports between the files of this crate go one way.

use std::path::Path;

use certcheck_testkit::imports::{cycles, graph};

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let graph = graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let cycles = cycles(&graph);
    let line = |file: &String| {
        let imports = graph.get(file).into_iter().flatten();
        let inside = imports.filter(|import| cycles.iter().any(|cycle| cycle.contains(import)));
        format!("{file} -> {}", inside.cloned().collect::<Vec<_>>().join(", "))
    };
    let lines: Vec<String> = cycles.iter().flatten().map(line).collect();
    assert!(cycles.is_empty(), "files that import each other:\n{}", lines.join("\n"));
}
