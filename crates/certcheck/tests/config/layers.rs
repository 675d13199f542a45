//! Which of several values counts.

use crate::home::{GOOD, Home, demo};

#[test]
fn each_layer_is_above_the_next() {
    let (ring, crl) = (demo("ring"), demo("crl"));
    let home =
        Home::new(&format!("ring = {ring:?}\noffline = true\nno-cache = true\nrevocation = \"off\"\n"));
    let exit =
        |variables: &[(&str, &str)], more: &[&str]| home.run(variables, &[&GOOD[..], more].concat()).exit;
    // The file has the ring, and asks for no revocation.
    assert_eq!(exit(&[], &[]), 0);
    // The environment is above it, and the command line above both.
    assert_eq!(exit(&[("CERTCHECK_REVOCATION", "hard-fail")], &[]), 3);
    assert_eq!(exit(&[("CERTCHECK_REVOCATION", "hard-fail")], &["--revocation", "off"]), 0);
    assert_eq!(exit(&[("CERTCHECK_REVOCATION", "hard-fail"), ("CERTCHECK_CRL", &crl)], &[]), 0);
    // A list is replaced, not added to: the other ring knows nothing of this client.
    let other = tempfile::tempdir().expect("a folder");
    std::fs::copy(demo("wrong-ca.pem"), other.path().join("anchor.pem")).expect("copied");
    assert_eq!(exit(&[], &["--ring", other.path().to_str().expect("UTF-8")]), 1);
    // A variable that is empty sets nothing.
    assert_eq!(exit(&[("CERTCHECK_REVOCATION", "")], &[]), 0);
    // Without the file there is no ring.
    let ran = home.run(&[], &[&GOOD[..], &["--no-config"]].concat());
    assert_eq!((ran.exit, ran.err.contains("--ring")), (2, true), "{}", ran.err);
}

#[test]
fn a_switch_can_be_taken_back() {
    let home = Home::new(&format!("ring = {:?}\noffline = true\n", demo("ring")));
    let dry = |more: &[&str]| home.run(&[], &[&GOOD[..], &["--dry-run", "--no-cache"], more].concat());
    assert_eq!(home.setting(&[], "offline"), ("true".to_owned(), "file".to_owned()));
    assert_eq!(
        home.setting(&[("CERTCHECK_OFFLINE", "no")], "offline"),
        ("no".to_owned(), "environment".to_owned())
    );
    assert_eq!(dry(&["--offline=false"]).exit, 0);
    assert_eq!(dry(&["--offline=perhaps"]).exit, 2);
}

/// What is said by hand is meant, though the file has what it cannot be together with.
#[test]
fn what_cannot_be_together_is_decided_by_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let home = Home::new(&format!(
        "ring = {:?}\ncrl = {:?}\nno-cache = true\noffline = true\n",
        demo("ring"),
        demo("crl")
    ));
    let ran = home.run(&[], &[&GOOD[..], &["--cache-dir", cache.to_str().expect("UTF-8")]].concat());
    assert_eq!((ran.exit, cache.is_dir()), (0, true), "{}", ran.err);
    let home = Home::new(&format!("ring = {:?}\ncache-dir = {cache:?}\noffline = true\n", demo("ring")));
    let ran = home.run(&[], &[&GOOD[..], &["--no-cache"]].concat());
    assert_eq!(ran.exit, 3, "{}", ran.err);
}

/// `--json` and `--format` exclude each other: the one of the higher level counts, whichever it is.
#[test]
fn the_format_of_the_highest_level_counts() {
    const JSON: &str = "{\"schema\":1,\"type\":\"verification\"";
    const SARIF: &str = "{\"$schema\"";
    const JUNIT: &str = "<?xml";
    for (file, variables, arguments, beginning) in [
        ("", &[("CERTCHECK_FORMAT", "sarif")][..], &["--json"][..], JSON),
        ("", &[("CERTCHECK_JSON", "true")], &["--format", "junit"], JUNIT),
        ("format = \"sarif\"", &[], &["--json"], JSON),
        ("json = true", &[], &["--format", "sarif"], SARIF),
        ("format = \"sarif\"", &[("CERTCHECK_JSON", "true")], &[], JSON),
        ("json = true", &[("CERTCHECK_FORMAT", "junit")], &[], JUNIT),
        ("format = \"sarif\"\n[command.verify]\njson = true", &[], &[], JSON),
        // A switch that is off excludes nothing.
        ("format = \"sarif\"", &[("CERTCHECK_JSON", "false")], &[], SARIF),
        ("json = true", &[("CERTCHECK_FORMAT", "junit")], &["--json=false"], JUNIT),
    ] {
        let home =
            Home::new(&format!("ring = {:?}\noffline = true\nno-cache = true\n{file}\n", demo("ring")));
        let ran = home.run(variables, &[&GOOD[..], arguments].concat());
        assert!(ran.out.starts_with(beginning), "{file} {variables:?} {arguments:?}: {}{}", ran.out, ran.err);
    }
}

/// `-v` of the command line counts, though the environment asks to be quiet.
#[test]
fn verbose_and_quiet_exclude_each_other() {
    let home = Home::new(&format!("ring = {:?}\nno-cache = true\ntimeout = \"10s\"\n", demo("ring")));
    let run =
        |variable, flag| home.run(&[variable], &[&GOOD[..], &["--allow-net", "127.0.0.0/8", flag]].concat());
    let ran = run(("CERTCHECK_QUIET", "true"), "-v");
    assert!(ran.err.contains("DEBUG") && !ran.out.is_empty(), "{}{}", ran.out, ran.err);
    let ran = run(("CERTCHECK_VERBOSE", "1"), "-q");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
}

#[test]
fn the_table_of_a_command_is_above_the_rest_of_the_file() {
    let home = Home::new(&format!(
        "ring = {:?}\noffline = true\nno-cache = true\nrevocation = \"hard-fail\"\n[command.verify]\nrevocation = \"off\"\n",
        demo("ring")
    ));
    assert_eq!(home.run(&[], &GOOD).exit, 0);
    let ran = home.run(&[], &["config"]);
    assert!(ran.out.contains("verify: revocation  off"), "{}", ran.out);
}
