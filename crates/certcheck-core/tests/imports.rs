//! Imports go one way: between the modules of this crate as its documentation says, and between files without a circle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use certcheck_testkit::imports::{cycles, graph};

fn crate_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The modules in the order of the flow line of the crate's documentation.
fn flow(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! ").trim());
    let mut lines = lines.skip_while(|line| !line.starts_with("der, "));
    let flow: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
    let modules = flow.join(" ").replace("->", ",");
    modules.split(',').map(|module| module.trim().to_owned()).filter(|module| !module.is_empty()).collect()
}

/// The module below the root that a file belongs to.
fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or(file)
}

#[test]
fn modules_import_only_from_those_before_them() {
    let lib = std::fs::read_to_string(crate_dir().join("src/lib.rs")).expect("lib.rs");
    let flow = flow(&lib);
    let place = |module: &str| flow.iter().position(|known| known == module);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, imports) in graph(&crate_dir().join("src")) {
        let module = module_of(&file);
        if module == "lib" {
            continue;
        }
        seen.insert(module.to_owned());
        let own = place(module).unwrap_or_else(|| panic!("{module} is not in the flow line of lib.rs"));
        let above = imports.iter().filter(|import| place(module_of(import)).is_none_or(|at| at > own));
        wrong.extend(above.map(|import| format!("{file} imports from {import}")));
    }
    assert!(wrong.is_empty(), "against the flow line of lib.rs:\n{}", wrong.join("\n"));
    assert_eq!(seen, flow.iter().cloned().collect(), "modules, and those of the flow line");
}

#[test]
fn contributing_has_the_same_flow_line() {
    let lib = std::fs::read_to_string(crate_dir().join("src/lib.rs")).expect("lib.rs");
    let pages = std::fs::read_to_string(crate_dir().join("../../CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    assert_eq!(flow(&lib), flow(&pages));
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let graph = graph(&crate_dir().join("src"));
    let cycles = cycles(&graph);
    let line = |file: &String| {
        let imports = graph.get(file).into_iter().flatten();
        let inside = imports.filter(|import| cycles.iter().any(|cycle| cycle.contains(import)));
        format!("{file} -> {}", inside.cloned().collect::<Vec<_>>().join(", "))
    };
    let lines: Vec<String> = cycles.iter().flatten().map(line).collect();
    assert!(cycles.is_empty(), "files that import each other:\n{}", lines.join("\n"));
}
