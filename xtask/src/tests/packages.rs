//! Every published crate says what a registry shows, and the files that repeat it agree.

use std::path::Path;

use toml::{Table, Value};

use crate::stamps::STAMPS;
use crate::workspace::{Workspace, table};

struct Published {
    name: String,
    folder: std::path::PathBuf,
    package: Table,
}

fn published(workspace: &Workspace) -> Vec<Published> {
    let crates = workspace.folders().iter().filter_map(|folder| {
        let manifest = table(&folder.join("Cargo.toml")).unwrap();
        let package = manifest["package"].as_table().unwrap().clone();
        let is_private = package.get("publish").and_then(Value::as_bool) == Some(false);
        let name = package["name"].as_str().unwrap().to_owned();
        (!is_private).then(|| Published { name, folder: folder.clone(), package })
    });
    crates.collect()
}

#[test]
fn published_crates_are_those_of_the_publish_check_in_order() {
    let workspace = Workspace::load().unwrap();
    let script = workspace.read(".ci/publish-check").unwrap();
    let list = script.split_once("\npublished=(").unwrap().1.split_once(')').unwrap().0;
    let mut checked: Vec<_> = list.split(' ').collect();
    for (at, name) in checked.iter().enumerate() {
        let folder = workspace.root().join("crates").join(name);
        let manifest = table(&folder.join("Cargo.toml")).unwrap();
        for dependency in manifest["dependencies"].as_table().unwrap().keys() {
            let later = checked.iter().position(|other| other == dependency).is_some_and(|other| other > at);
            assert!(!later, "{name} is published before {dependency}, which it needs");
        }
    }
    checked.sort_unstable();
    let mut names: Vec<_> = published(&workspace).into_iter().map(|published| published.name).collect();
    names.sort();
    assert_eq!(checked, names);
}

#[test]
fn published_crates_say_what_a_registry_shows() {
    let workspace = Workspace::load().unwrap();
    for Published { name, folder, package } in published(&workspace) {
        for field in ["version", "license", "repository", "homepage", "rust-version", "authors"] {
            let inherits =
                package.get(field).and_then(|field| field.get("workspace")).and_then(Value::as_bool);
            assert_eq!(inherits, Some(true), "{name}: `{field}.workspace = true`");
        }
        let description = package["description"].as_str().unwrap();
        assert!(description.len() <= 100, "{name}: the description has {} bytes", description.len());
        assert!(!description.ends_with('.'), "{name}: {description}");
        for field in ["keywords", "categories"] {
            let words = package[field].as_array().unwrap();
            assert!((1..=5).contains(&words.len()), "{name}: {} {field}", words.len());
            assert!(
                words
                    .iter()
                    .all(|word| word.as_str().is_some_and(|word| word.len() <= 20 || field == "categories"))
            );
        }
        assert_eq!(package["readme"].as_str(), Some("README.md"), "{name}");
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}: README.md has another title");
        let manifest = table(&folder.join("Cargo.toml")).unwrap();
        check_docs_features(&name, &manifest, &package);
    }
}

/// What docs.rs builds with are features of the crate; a library names all of its own.
fn check_docs_features(name: &str, manifest: &Table, package: &Table) {
    let metadata = package.get("metadata").and_then(|metadata| metadata.get("docs"));
    let Some(documented) = metadata.and_then(|docs| docs.get("rs")).and_then(|docs| docs.get("features"))
    else {
        assert!(manifest.contains_key("bin"), "{name}: no [package.metadata.docs.rs]");
        return;
    };
    let documented: Vec<_> =
        documented.as_array().unwrap().iter().map(|feature| feature.as_str().unwrap()).collect();
    for feature in manifest["features"].as_table().unwrap().keys().filter(|feature| *feature != "default") {
        assert!(documented.contains(&feature.as_str()), "{name}: docs.rs leaves out `{feature}`");
    }
    for feature in documented {
        assert!(manifest["features"].get(feature).is_some(), "{name}: `{feature}` is not a feature");
    }
}

#[test]
fn packages_have_their_licences_and_nothing_of_the_workspace() {
    let workspace = Workspace::load().unwrap();
    for Published { name, folder, .. } in published(&workspace) {
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let own = std::fs::read(folder.join(licence)).unwrap();
            assert_eq!(own, std::fs::read(workspace.root().join(licence)).unwrap(), "{name}: {licence}");
        }
        let mut cargo = workspace.cargo();
        cargo.args(["package", "--list", "--quiet", "--allow-dirty", "--offline", "-p", &name]);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}: cargo warns");
        let list = String::from_utf8(output.stdout).unwrap();
        let packed: Vec<_> = list.lines().collect();
        for file in ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
            assert!(packed.contains(&file), "{name}: the package has no {file}");
        }
        assert!(packed.iter().all(|file| !Path::new(file).starts_with("target")), "{name}: {packed:?}");
    }
}

#[test]
fn versions_and_addresses_agree_with_the_workspace() {
    let workspace = Workspace::load().unwrap();
    for stamp in STAMPS {
        let text = workspace.read(stamp.file).unwrap();
        let expected = stamp.apply(&workspace, &text).unwrap();
        let differs = text.lines().zip(expected.lines()).find(|(is, should)| is != should);
        assert_eq!(differs, None, "{} is not as Cargo.toml says; to fix: cargo xtask docs", stamp.file);
    }
    let manifest = table(&workspace.root().join("Cargo.toml")).unwrap();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    for Published { name, .. } in
        published(&workspace).into_iter().filter(|published| published.name != "certcheck")
    {
        assert_eq!(
            dependencies[&name]["version"].as_str(),
            workspace.version().ok(),
            "{name} as a dependency"
        );
    }
}

#[test]
fn the_packages_of_distributions_hold_the_same_files() {
    let workspace = Workspace::load().unwrap();
    let manifest = table(&workspace.root().join("crates/certcheck/Cargo.toml")).unwrap();
    let metadata = &manifest["package"]["metadata"];
    let deb = metadata["deb"]["assets"].as_array().unwrap().iter();
    let deb: Vec<_> = deb.map(|asset| asset[0].as_str().unwrap()).collect();
    let rpm = metadata["generate-rpm"]["assets"].as_array().unwrap().iter();
    let rpm: Vec<_> = rpm.map(|asset| asset["source"].as_str().unwrap()).collect();
    assert_eq!(deb, rpm);
    assert!(deb.iter().all(|source| source.starts_with("../../target/stage/")), "{deb:?}");
}
