//! The folders of `examples/proxies`: each has what its compose file names, and what a user makes is said in it.

use std::fs;
use std::path::{Path, PathBuf};

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
