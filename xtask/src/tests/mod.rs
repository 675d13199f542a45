//! What must hold of manifests, packages, workflows and packaging files. Nothing is built here.

mod container;
mod packages;
mod workflows;

use crate::workspace::Workspace;

/// Returns the names of the files in a folder of the workspace.
fn files(workspace: &Workspace, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(workspace.root().join(folder)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    names.sort();
    names
}
