//! The folders of `examples`: each has what its compose file names, and what a user makes is said in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use certcheck_serve::config;

/// What a user makes.
const MADE: [&str; 6] = ["secret", "ring", "server.pem", "server.key", "server.all.pem", "ca.pem"];

fn folders() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/proxies");
    let entries = fs::read_dir(examples).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_dir()).collect()
}

/// The volumes in a compose file: what is mounted, and where.
fn volumes(compose: &str) -> Vec<(&str, &str)> {
    let lines = compose.lines().filter_map(|line| line.trim().strip_prefix("- ")?.strip_suffix(":ro"));
    lines.map(|line| line.split_once(':').expect("a place")).collect()
}

#[test]
fn compose_files_mount_what_is_there_or_is_made() {
    let folders = folders();
    assert_eq!(folders.len(), 9);
    for folder in folders {
        let compose = fs::read_to_string(folder.join("compose.yaml")).expect("a compose file");
        let volumes = volumes(&compose);
        for (from, _) in &volumes {
            let name = from.trim_start_matches("./");
            let is_made =
                MADE.contains(&name) && compose.lines().next().is_some_and(|line| line.contains(name));
            assert!(is_made || folder.join(from).is_file(), "{}: {from}", folder.display());
        }
        // Each file of the folder is mounted, and used by a command or another file.
        for entry in fs::read_dir(&folder).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let place = format!("/proxy/{name}");
            let is_mounted = volumes.iter().any(|(_, to)| *to == place);
            assert!(is_mounted || name == "compose.yaml", "{}: {name}", folder.display());
        }
        let services = compose.lines().filter(|line| line.starts_with("    image: ")).count();
        assert_eq!(compose.matches("    network_mode: host\n").count(), services, "{}", folder.display());
        assert!(compose.contains("../serve.toml:/etc/certcheck/serve.toml:ro"), "{}", folder.display());
    }
}

/// What a proxy is configured to read is mounted too.
#[test]
fn compose_files_mount_what_configurations_name() {
    for folder in folders() {
        let compose = fs::read_to_string(folder.join("compose.yaml")).expect("a compose file");
        let mounted: Vec<&str> =
            volumes(&compose).into_iter().filter_map(|(_, to)| to.strip_prefix("/proxy/")).collect();
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.ends_with("compose.yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            let code = text.lines().filter(|line| !line.trim_start().starts_with(['#', '-']));
            let code: String = code.collect::<Vec<_>>().join("\n");
            for name in MADE.iter().filter(|name| **name != "ring" && **name != "secret") {
                let is_word = code
                    .split(|sign: char| !(sign.is_alphanumeric() || ".-_".contains(sign)))
                    .any(|word| word == *name);
                assert!(!is_word || mounted.contains(name), "{}: {name}", path.display());
            }
            let reads_secret = code.contains("io.open(\"secret\")");
            assert!(!reads_secret || mounted.contains(&"secret"), "{}", path.display());
        }
    }
}

fn fleet() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/fleet")
}

/// The text of a file, and of each file of a folder.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).expect("a text"))).collect()
}

/// What the compose file of the fleet mounts is there, or its first lines say how it is made.
#[test]
fn the_fleet_mounts_what_is_there_or_is_made() {
    let compose = fs::read_to_string(fleet().join("compose.yaml")).expect("a compose file");
    let comment: String = compose.lines().take_while(|line| line.starts_with('#')).collect();
    let volumes = compose.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split_once(':'));
    let mut mounted: Vec<&str> = Vec::new();
    for (from, to) in volumes {
        assert_eq!(to.trim_end_matches(":ro"), format!("/fleet/{from}"));
        assert!(fleet().join(from).is_file() || comment.contains(from), "{from}");
        mounted.push(from);
    }
    for (name, text) in texts(&fleet()) {
        assert!(name == "compose.yaml" || mounted.contains(&name.as_str()), "{name}");
        assert!(name == "compose.yaml" || compose.contains(&format!("--config, /fleet/{name}")), "{name}");
        if name.ends_with(".toml") {
            let paths =
                text.split('"').filter(|word| word.ends_with(".pem") || word.starts_with("certcheck-lab"));
            for path in paths {
                assert!(mounted.contains(&path.split('/').next().expect("a part")), "{name}: {path}");
            }
        }
    }
    assert!(is_indented(&compose), "compose.yaml");
}

#[test]
fn configurations_of_the_fleet_can_be_read() {
    let mut read = 0;
    for (name, text) in texts(&fleet()).into_iter().filter(|(name, _)| name.ends_with(".toml")) {
        config::read_text(&fleet().join(&name), &text).unwrap_or_else(|faults| panic!("{name}: {faults}"));
        read += 1;
    }
    for (name, text) in texts(&fleet().join("kubernetes")) {
        let block = text.split_once("  serve.toml: |\n").expect("a configuration").1;
        let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        let toml: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
        let loaded = config::read_text(Path::new("serve.toml"), &toml);
        loaded.unwrap_or_else(|faults| panic!("{name}: {faults}"));
        read += 1;
    }
    assert_eq!(read, 7);
}

/// Each document of a manifest says what it is, and each container is bound as the image is.
#[test]
fn manifests_of_the_fleet_are_whole() {
    for (name, text) in texts(&fleet().join("kubernetes")) {
        assert!(is_indented(&text), "{name}");
        for document in text.split("\n---\n") {
            for key in ["apiVersion: ", "kind: ", "metadata:", "  name: "] {
                assert_eq!(document.lines().filter(|line| line.starts_with(key)).count(), 1, "{name}: {key}");
            }
        }
        let count = |line: &str| text.lines().filter(|other| other.trim() == line).count();
        let containers = text.matches("          image: ").count();
        assert!(containers > 0 && count("readOnlyRootFilesystem: true") == containers, "{name}");
        assert_eq!(count("allowPrivilegeEscalation: false"), containers, "{name}");
        assert_eq!((count("runAsNonRoot: true"), count("runAsUser: 65532")), (1, 1), "{name}");
        assert_eq!((count("livenessProbe:"), count("readinessProbe:")), (1, 1), "{name}");
        // What is mounted is a volume, and each volume is mounted.
        let names = |from: &str| -> BTreeSet<String> {
            let lines = text.lines().filter_map(|line| line.trim().strip_prefix(from));
            lines.map(|rest| rest.split(',').next().unwrap_or(rest).to_owned()).collect()
        };
        let mounted = text.lines().filter(|line| line.contains("mountPath: "));
        let mounted: BTreeSet<&str> =
            mounted.filter_map(|line| line.trim().strip_prefix("- { name: ")?.split(',').next()).collect();
        let volumes = text.split_once("\n      volumes:\n").expect("volumes").1;
        let volumes: BTreeSet<&str> = volumes
            .lines()
            .map_while(|line| (line != "---").then_some(line))
            .filter_map(|line| line.trim().strip_prefix("- name: "))
            .collect();
        assert_eq!(mounted, volumes, "{name}");
        // Paths of the configuration are below what is mounted.
        let places = names("ring = \"").into_iter().chain(names("cache_dir = \""));
        for place in places {
            let place = place.trim_end_matches('"');
            assert!(
                text.lines().any(|line| {
                    let mount = line.split_once("mountPath: ").map(|(_, rest)| rest.trim_end_matches(" }"));
                    mount.is_some_and(|mount| place.starts_with(mount.split(',').next().unwrap_or(mount)))
                }),
                "{name}: {place}"
            );
        }
    }
}

/// Whether all lines are indented by pairs of spaces.
fn is_indented(yaml: &str) -> bool {
    yaml.lines().all(|line| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        spaces % 2 == 0 && !line.contains('\t') && line.trim_end() == line
    })
}
