//! Which settings file is read, and which is refused.

use std::path::Path;

use crate::home::{GOOD, Home, demo};

#[test]
fn where_a_settings_file_is_looked_for() {
    let home = Home::new("timeout = \"1s\"\n");
    let xdg = home.0.path().join("xdg/certcheck");
    std::fs::create_dir_all(&xdg).expect("made");
    std::fs::write(xdg.join("certcheck.toml"), "timeout = \"2s\"\n").expect("written");
    let named = home.0.path().join("named.toml");
    std::fs::write(&named, "timeout = \"3s\"\n").expect("written");
    let (xdg, named) = (home.0.path().join("xdg"), named.to_str().expect("UTF-8").to_owned());
    let xdg = xdg.to_str().expect("UTF-8");
    let timeout = |variables: &[(&str, &str)]| home.setting(variables, "timeout");
    let file = |value: &str| (value.to_owned(), "file".to_owned());
    assert_eq!(timeout(&[]), file("1s"));
    assert_eq!(timeout(&[("XDG_CONFIG_HOME", xdg)]), file("2s"));
    assert_eq!(timeout(&[("XDG_CONFIG_HOME", xdg), ("CERTCHECK_CONFIG", &named)]), file("3s"));
    assert_eq!(timeout(&[("CERTCHECK_CONFIG", "")]), ("15s".to_owned(), "default".to_owned()));
    // One that is named has to be there.
    let ran = home.run(&[("CERTCHECK_CONFIG", "/nowhere/certcheck.toml")], &["config"]);
    assert_eq!((ran.exit, ran.err.contains("/nowhere/certcheck.toml: ")), (2, true), "{}", ran.err);
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let home = Home::new("ring = [\"ring\"]\nrevocation = \"off\"\nno-cache = true\n");
    let ring = home.file().with_file_name("ring");
    std::fs::create_dir(&ring).expect("made");
    std::fs::copy(demo("ring/root.pem"), ring.join("root.pem")).expect("copied");
    std::fs::copy(demo("ring/device-ca.pem"), ring.join("device-ca.pem")).expect("copied");
    let ran = home.run(&[], &GOOD);
    assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);
}

/// A settings file decides which certificates are trusted.
#[test]
fn a_file_that_everyone_can_write_or_replace_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    for (file, folder, refused) in [
        (0o666, 0o755, Some("settings file")),
        (0o644, 0o777, Some("folder of the settings file")),
        // Others cannot replace it here.
        (0o644, 0o1777, None),
        (0o664, 0o775, None),
    ] {
        let home = Home::new("timeout = \"1s\"\n");
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
        };
        set(&home.file(), file);
        set(home.file().parent().expect("a folder"), folder);
        let named = home.file().display().to_string();
        for arguments in [&["config"][..], &["config", "--config", &named]] {
            let ran = home.run(&[], arguments);
            match refused {
                Some(what) => {
                    let expected = format!("everyone can write to this {what}; take that away");
                    assert_eq!((ran.exit, ran.err.contains(&expected)), (2, true), "{}", ran.err);
                }
                None => assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{file:o} {folder:o}"),
            }
        }
        assert_eq!(home.run(&[], &["config", "--no-config"]).exit, 0);
    }
}

/// Where a settings file is and cannot be used, the next one with perhaps another ring is not read in its place.
#[test]
fn a_file_that_cannot_be_used_is_reported() {
    use std::os::unix::fs::symlink;
    type Put = fn(&Path);
    let cases: [(&str, Put, &str); 5] = [
        ("a link to nothing", |file| symlink("nowhere", file).expect("made"), ": No such file"),
        ("a link to itself", |file| symlink(file, file).expect("made"), "symbolic link"),
        (
            "a folder that links to itself",
            |file| {
                let folder = file.parent().expect("a folder");
                std::fs::remove_dir(folder).expect("removed");
                symlink(folder, folder).expect("made");
            },
            "symbolic link",
        ),
        ("a folder", |file| std::fs::create_dir(file).expect("made"), ": is a directory"),
        (
            "a pipe",
            |file| {
                let made = std::process::Command::new("mkfifo").arg(file).status().expect("mkfifo runs");
                assert!(made.success());
            },
            ": is not a regular file; name it with --config",
        ),
    ];
    for (what, put, fault) in cases {
        let home = Home::new("");
        put(&home.file());
        let ran = home.run(&[], &["config"]);
        let beginning = format!("certcheck: {}: ", home.file().display());
        assert_eq!(ran.exit, 2, "{what}: {}", ran.out);
        assert!(ran.err.starts_with(&beginning) && ran.err.contains(fault), "{what}: {}", ran.err);
        assert_eq!(home.run(&[], &["config", "--no-config"]).exit, 0);
    }
}

/// There is certainly no settings file below a home that is no folder, and none of the current directory is read.
#[test]
fn a_home_without_files_has_no_settings_file() {
    let home = Home::new("ring = 1\n");
    for value in ["/dev/null", "/nonexistent", "", "."] {
        let mut command = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.current_dir(home.0.path()).arg("config");
        command.env_remove("XDG_CONFIG_HOME").env_remove("CERTCHECK_CONFIG").env("HOME", value);
        let output = command.output().expect("runs");
        assert_eq!(output.status.code(), Some(0), "{value}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
