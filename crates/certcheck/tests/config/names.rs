//! Names and values of settings: faults have their place, and the example has all names.

use crate::home::{GOOD, Home};

#[test]
fn faults_are_named_with_their_place() {
    for (settings, fault) in [
        ("rng = \"x\"", "1:1: no setting `rng`; did you mean `ring`?"),
        ("\n  timeout = \"abc\"", "2:13: timeout: 'abc': not a duration"),
        ("ring = ", "1:8: "),
        ("revocation = \"hard\"", "1:14: revocation: 'hard': [possible values: hard-fail, "),
        ("[command.verfy]", "1:10: no table for a command `verfy`; did you mean `verify`?"),
        ("[command.verify]\nrounds = 3", "2:1: no setting `rounds` of `certcheck verify`"),
        ("at = \"now\"", "1:1: `at` says what one run does: give it on the command line"),
        ("offline = \"perhaps\"", "1:11: offline: neither true nor false"),
        ("max-depth = 1000", "1:13: max-depth: '1000': 1000 is not in 0..=90"),
        ("timeout = 5.5", "1:11: timeout: a number with a fraction"),
        ("timeout = [\"1s\", \"2s\"]", "1:11: timeout: 2 values for what has one"),
        ("ring = [[\"a\"]]", "1:8: ring: a list in a list"),
        ("[nonsense]", "1:2: no setting `nonsense`"),
        ("[verify]", "1:2: no setting `verify`; the table for this command is [command.verify]"),
        ("ring = \"~/ring\"", "1:8: ring: `~` has no meaning here: write the whole path"),
        ("ring = 1\nring = 2", "2:1: "),
    ] {
        let home = Home::new(settings);
        let expected = format!("certcheck: {}:{fault}", home.file().display());
        for arguments in [&["config"][..], &GOOD] {
            let ran = home.run(&[], arguments);
            assert_eq!(ran.exit, 2, "{settings}");
            assert!(ran.err.starts_with(&expected), "{settings}: {}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{settings}: {}", ran.err);
        }
        // Commands that help to correct it must run.
        for arguments in [&["--help"][..], &["version"], &["help", "verify"]] {
            assert_eq!(home.run(&[], arguments).exit, 0, "{settings}: {arguments:?}");
        }
    }
    let ran = Home::new("").run(&[("CERTCHECK_TIMEOUT", "x")], &GOOD);
    assert!(ran.err.starts_with("certcheck: CERTCHECK_TIMEOUT: 'x': not a duration"), "{}", ran.err);
    assert_eq!(ran.exit, 2);
}

#[test]
fn a_misspelled_variable_is_warned_of() {
    let home = Home::new("");
    let ran = home.run(&[("CERTCHECK_REVOKATION", "off")], &["config"]);
    assert_eq!(ran.exit, 0);
    assert!(
        ran.err.contains("CERTCHECK_REVOKATION is no setting; did you mean CERTCHECK_REVOCATION?"),
        "{}",
        ran.err
    );
    // Variables of other programs with our beginning are their affair.
    let ran = home.run(&[("CERTCHECK_CORPORA", "/x"), ("CERTCHECK_REQUIRE_PEERS", "1")], &["config"]);
    assert_eq!(ran.err, "");
}

#[test]
fn the_example_is_a_settings_file() {
    let home = Home::new("");
    let ran = home.run(&[], &["config", "--example"]);
    assert_eq!(ran.exit, 0);
    // Every line with a value is commented out; without the sign it is TOML.
    let settings: Vec<&str> = ran.out.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let settings: Vec<&str> = settings.into_iter().filter(|line| !line.starts_with(' ')).collect();
    assert!(settings.len() > 40, "{}", ran.out);
    let parsed: toml::Table = settings.join("\n").parse().expect("TOML");
    assert!(parsed.contains_key("ring") && parsed.contains_key("cache-dir"), "{parsed:?}");
    std::fs::write(home.file(), &ran.out).expect("written");
    assert_eq!(home.run(&[], &["config"]).exit, 0);
}
