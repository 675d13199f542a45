//! Workflows, pages and tasks name scripts and words that exist.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::files;
use crate::WORDS;
use crate::pages::WRITERS;
use crate::workspace::Workspace;

/// What follows a prefix in a text, up to what cannot be in a name.
fn named<'t>(text: &'t str, prefix: &str) -> BTreeSet<&'t str> {
    let ends = |character: char| !(character.is_ascii_lowercase() || character == '-');
    let after = text.split(prefix).skip(1);
    after.map(|rest| rest.split(ends).next().unwrap_or_default()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn scripts_and_words_that_are_named_exist() {
    let workspace = Workspace::load().unwrap();
    let mut pages = files(&workspace, ".github/workflows");
    pages.extend(files(&workspace, ".ci"));
    pages.extend(["CONTRIBUTING.md", "README.md", "docs/install.md"].map(str::to_owned));
    pages.push(".github/PULL_REQUEST_TEMPLATE.md".to_owned());
    let mut scripts = 0;
    for page in pages {
        let text = workspace.read(&page).unwrap();
        for script in named(&text, ".ci/") {
            let path = workspace.root().join(".ci").join(script);
            let metadata = path.metadata().unwrap_or_else(|_| panic!("{page} names .ci/{script}"));
            assert_eq!(metadata.permissions().mode() & 0o111, 0o111, "{script} cannot be run");
            scripts += 1;
        }
        for word in named(&text, "cargo xtask ") {
            assert!(WORDS.iter().any(|known| known.name == word), "{page} names `cargo xtask {word}`");
        }
    }
    assert!(scripts > 10, "{scripts} scripts were named");
}

#[test]
fn workflows_may_read_and_name_versions_of_their_actions() {
    let workspace = Workspace::load().unwrap();
    let workflows = files(&workspace, ".github/workflows");
    let all: Vec<_> = workflows.iter().map(|path| workspace.read(path).unwrap()).collect();
    for (path, text) in workflows.iter().zip(&all) {
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{path}: permissions");
        let jobs = text.matches("    runs-on: ").count();
        assert_eq!(text.matches("    timeout-minutes: ").count(), jobs, "{path}: a job without a limit");
        for action in
            text.lines().filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("uses: "))
        {
            let (name, version) = action.split_once("@v").unwrap_or_else(|| panic!("{path}: {action}"));
            assert!(name.starts_with("actions/"), "{path}: {action} is of others");
            assert!(version.parse::<u32>().is_ok(), "{path}: {action}");
        }
    }
    let writes: Vec<_> =
        all.iter().flat_map(|text| text.lines()).filter(|line| line.contains(": write")).collect();
    assert_eq!(writes, ["      contents: write"], "only the draft of a release is written");
}

#[test]
fn every_page_that_a_test_writes_is_written_by_docs() {
    let workspace = Workspace::load().unwrap();
    let mut writers = BTreeSet::new();
    for folder in workspace.folders().iter().filter(|folder| folder.join("tests").is_dir()) {
        let package = folder.file_name().and_then(|name| name.to_str()).unwrap();
        for entry in std::fs::read_dir(folder.join("tests")).unwrap() {
            let path = entry.unwrap().path();
            if writes_pages(&path) {
                let test = path.file_stem().and_then(|name| name.to_str()).unwrap();
                writers.insert((package.to_owned(), test.to_owned()));
            }
        }
    }
    let after = |words: &[&str], flag| {
        let at = words.iter().position(|word| *word == flag).unwrap();
        words[at + 1].to_owned()
    };
    let listed = WRITERS.iter().map(|words| (after(words, "-p"), after(words, "--test")));
    assert_eq!(listed.collect::<BTreeSet<_>>(), writers, "WRITERS in xtask/src/pages.rs");
}

/// Whether a test, a file or a folder of files, has the variable that lets it write.
fn writes_pages(path: &Path) -> bool {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().any(|entry| writes_pages(&entry.unwrap().path()));
    }
    path.extension().is_some_and(|end| end == "rs")
        && std::fs::read_to_string(path).unwrap().contains("\"UPDATE_DOCS\"")
}
