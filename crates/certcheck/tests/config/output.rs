//! How the program writes: quiet, verbose, and with colours.

use serde_json::Value;

use crate::home::{GOOD, Home, demo};

#[test]
fn quiet_prints_errors_only() {
    let home = Home::new("");
    let ring = demo("ring");
    let run = |more: &[&str]| {
        home.run(&[], &[&GOOD[..], &["--ring", &ring, "--no-cache", "--offline"], more].concat())
    };
    for (more, exit) in [(&["--revocation", "soft-fail"][..], 0), (&[], 3)] {
        let loud = run(more);
        assert_eq!((loud.exit, loud.out.is_empty()), (exit, false));
        let quiet = run(&[more, &["-q"]].concat());
        assert_eq!((quiet.exit, quiet.out.as_str(), quiet.err.as_str()), (exit, "", ""));
    }
    let json = run(&["-q", "--json"]);
    assert!(json.out.starts_with('{') && json.err.is_empty(), "{}{}", json.out, json.err);
    let wrong = home.run(&[], &["verify", "nothing.pem", "-q", "--ring", &ring]);
    assert_eq!((wrong.exit, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("nothing.pem"), "{}", wrong.err);
    assert_eq!(run(&["-q", "-v"]).exit, 2);
}

#[test]
fn colors_are_as_asked_for() {
    let home = Home::new("");
    let ring = demo("ring");
    let colored = |more: &[&str], variables: &[(&str, &str)]| {
        let ran =
            home.run(variables, &[&GOOD[..], &["--ring", &ring, "--offline", "--no-cache"], more].concat());
        ran.out.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]));
    assert!(!colored(&["--color", "auto"], &[]));
    assert!(colored(&["--color", "always"], &[]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(colored(&[], &[("CERTCHECK_COLOR", "always")]));
    assert!(!colored(&["--json", "--color", "always"], &[]));
}

/// One `-v` shows what this program does, two what libraries do in it.
#[test]
fn verbose_shows_our_own_events_first() {
    let home = Home::new("");
    let ring = demo("ring");
    let run = |more: &[&str]| {
        let base = ["--ring", &ring, "--no-cache", "--timeout", "10s", "--allow-net", "127.0.0.0/8"];
        home.run(&[], &[&GOOD[..], &base, more].concat()).err
    };
    assert_eq!(run(&[]), "");
    let own = run(&["-v"]);
    assert!(own.contains("DEBUG"), "{own}");
    assert!(!own.contains("hyper"), "{own}");
    let all = run(&["-vv"]);
    assert!(all.contains("certcheck::fetch"), "{all}");
}

#[test]
fn the_version_says_what_the_build_can_do() {
    let home = Home::new("");
    let ran = home.run(&[], &["version"]);
    assert!(ran.out.starts_with(&format!("certcheck {}\n", env!("CARGO_PKG_VERSION"))), "{}", ran.out);
    let json: Value = serde_json::from_str(&home.run(&[], &["version", "--json"]).out).expect("JSON");
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert!(["ring", "aws-lc-rs"].contains(&json["provider"].as_str().expect("a name")));
}

/// What is neither an answer nor an error is left out.
#[test]
fn quiet_leaves_out_notes_and_summaries() {
    let home = Home::new("");
    let (ring, crl) = (demo("ring"), demo("crl"));
    let cache = home.0.path().join("cache").display().to_string();
    let without_source = demo("ring/root.pem");
    let many = [GOOD[1]; 21];
    let verify =
        [&["verify"], &many[..], &["--ring", &ring, "--crl", &crl, "--offline", "--no-cache"], &GOOD[2..]];
    let verify = verify.concat();
    for (arguments, exit, note) in [
        (&verify[..], 0, "21 inputs"),
        (&["cache", "list", "--cache-dir", &cache], 0, "0 entries, 0 bytes"),
        (&["cache", "clear", "--cache-dir", &cache], 0, "0 entries removed"),
        (&["watch", "--ring", &without_source], 3, "nothing to watch"),
    ] {
        let loud = home.run(&[], arguments);
        assert_eq!(loud.exit, exit, "{arguments:?}: {}", loud.err);
        assert!(loud.err.contains(note), "{arguments:?}: {}", loud.err);
        let quiet = home.run(&[], &[arguments, &["-q"]].concat());
        assert_eq!((quiet.exit, quiet.out.as_str(), quiet.err.as_str()), (exit, "", ""), "{arguments:?}");
    }
}
