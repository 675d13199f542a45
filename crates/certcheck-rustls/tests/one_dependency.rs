//! A new project with one dependency, this crate, whose program is the quick start of the crate's documentation, pasted.

mod started;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use started::{Pki, Started};

/// The first program in the documentation of the crate, as it is shown.
fn quick_start() -> String {
    let source = include_str!("../src/lib.rs");
    let documentation: String = source
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    let (_, after) = documentation.split_once("```no_run\n").expect("a program");
    let (program, _) = after.split_once("```\n").expect("its end");
    assert!(!program.lines().any(|line| line.starts_with("# ")), "lines that are not shown");
    program.to_owned()
}

/// Builds the project. It keeps what it has built for the next time.
fn build(main: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-dependency");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"my-server\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         certcheck-rustls = {{ path = {:?} }}\n\n[workspace]\n\n[profile.dev]\ndebug = false\nincremental = false\n",
        package.display()
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    fs::copy(package.join("../../Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
    fs::write(folder.join("src/main.rs"), main).expect("written");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--target-dir"])
        .arg(folder.join("target"))
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("target/debug/my-server")
}

#[test]
fn the_quick_start_refuses_a_revoked_client() {
    let server = build(&quick_start());
    let pki = Pki::at("evidence.example");
    let server = Started::in_folder(&server, &pki);
    assert_eq!(server.ask(&pki.good), Ok("hello, CN=good,O=Fetch\n".to_owned()));
    assert_eq!(server.ask(&pki.revoked), Err("certificate_revoked (44)".to_owned()));
    server.says("certificate-revoked: certificate 0: ");
}

/// The README shows the same program.
#[test]
fn the_readme_has_the_same_quick_start() {
    let readme = include_str!("../README.md");
    let (_, after) = readme.split_once("```rust,no_run\n").expect("a program");
    assert_eq!(after.split_once("```\n").expect("its end").0, quick_start());
}
