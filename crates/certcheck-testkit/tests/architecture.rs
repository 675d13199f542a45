//! `docs/architecture.md` draws the modules of each library as their sources import from each other. `UPDATE_DOCS=1`
//! writes the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use certcheck_testkit::imports::graph;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Libraries, in the order in which they build on each other.
const LIBRARIES: [&str; 3] = ["certcheck-core", "certcheck-fetch", "certcheck-rustls"];

const INTRODUCTION: &str = "\
# Architecture

A check is a state machine without I/O and without a clock (`certcheck-core`). An engine drives it: it answers the requests
for evidence from memory, from a store, or from the network (`certcheck-fetch`). Servers use the engine by way of a rustls
verifier or a tokio acceptor (`certcheck-rustls`), people by way of the program (`certcheck`).

The drawings are made from the sources by `UPDATE_DOCS=1 cargo test -p certcheck-testkit --features imports --test
architecture`, and a test fails when they say something else. An arrow leads from a module to one that it imports from; where
a way over other modules leads there too, it is left out.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The module below the root of a crate that a file belongs to. The root itself is none.
fn module_of(file: &str) -> Option<&str> {
    file.split(['/', '.']).next().filter(|module| *module != "lib")
}

/// Which module imports from which, by what their files import.
fn modules(files: &Graph) -> Graph {
    let mut modules = Graph::new();
    for (file, imports) in files {
        let Some(module) = module_of(file) else { continue };
        let of_module = modules.entry(module.to_owned()).or_default();
        let others = imports.iter().filter_map(|import| module_of(import)).filter(|other| *other != module);
        of_module.extend(others.map(str::to_owned));
    }
    modules
}

/// Which library depends on which, by their manifests.
fn libraries() -> Graph {
    let depends = |library: &str| -> BTreeSet<String> {
        let manifest = root().join("crates").join(library).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        dependencies
            .into_iter()
            .flat_map(toml::Table::keys)
            .filter(|name| name.starts_with("certcheck-"))
            .cloned()
            .collect()
    };
    let all = LIBRARIES.iter().chain(&["certcheck-forge", "certcheck"]);
    all.filter(|library| root().join("crates").join(library).exists())
        .map(|library| ((*library).to_owned(), depends(library)))
        .collect()
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    false
}

/// Leaves out each arrow that a way over other nodes makes superfluous.
fn reduced(graph: &Graph) -> Graph {
    let is_needed = |from: &str, to: &str, all: &BTreeSet<String>| {
        !all.iter().any(|other| other != to && reaches(graph, other, to) && !reaches(graph, other, from))
    };
    let keep = |(from, all): (&String, &BTreeSet<String>)| {
        (from.clone(), all.iter().filter(|to| is_needed(from, to, all)).cloned().collect())
    };
    graph.iter().map(keep).collect()
}

fn draw(page: &mut String, title: &str, graph: &Graph) {
    let _ = write!(page, "\n## {title}\n\n```mermaid\nflowchart LR\n");
    for (node, targets) in reduced(graph) {
        if targets.is_empty() {
            let _ = writeln!(page, "    {node}");
        }
        for target in targets {
            let _ = writeln!(page, "    {node} --> {target}");
        }
    }
    page.push_str("```\n");
}

#[test]
fn the_page_draws_what_the_sources_import() {
    let mut page = INTRODUCTION.to_owned();
    draw(&mut page, "The crates", &libraries());
    for library in LIBRARIES {
        let files = graph(&root().join("crates").join(library).join("src"));
        draw(&mut page, &format!("Modules of {library}"), &modules(&files));
    }
    let file = root().join("docs/architecture.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).expect("the page is written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/architecture.md is stale: run again with UPDATE_DOCS=1");
}
