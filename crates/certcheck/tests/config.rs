//! Settings: command line over environment over settings file over defaults, and faults with their place.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// A home of one's own, with a settings file or without.
struct Home(TempDir);

struct Ran {
    exit: i32,
    out: String,
    err: String,
}

impl Home {
    fn new(settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join(".config/certcheck");
        std::fs::create_dir_all(&folder).expect("made");
        if !settings.is_empty() {
            std::fs::write(folder.join("certcheck.toml"), settings).expect("written");
        }
        Self(home)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".config/certcheck/certcheck.toml")
    }

    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(arguments);
        command.env_remove("XDG_CONFIG_HOME").env_remove("CERTCHECK_CONFIG").env("HOME", self.0.path());
        let output = command.envs(variables.iter().copied()).output().expect("runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            exit: output.status.code().expect("no signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The value of a setting and where it comes from, as `certcheck config` has them.
    fn setting(&self, variables: &[(&str, &str)], name: &str) -> (String, String) {
        let ran = self.run(variables, &["config", "--all", "--json"]);
        assert_eq!(ran.exit, 0, "{}", ran.err);
        let all: Value = serde_json::from_str(&ran.out).expect("JSON");
        let rows = all["settings"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["name"] == name).expect("the setting");
        let values: Vec<_> =
            row["values"].as_array().expect("values").iter().filter_map(Value::as_str).collect();
        (values.join(" "), row["from"].as_str().expect("a source").to_owned())
    }
}

const GOOD: [&str; 4] = ["verify", "testdata/demo/good.pem", "--at", "2027-01-01"];

fn demo(path: &str) -> String {
    format!("{}/../../testdata/demo/{path}", env!("CARGO_MANIFEST_DIR"))
}

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
        // What helps to mend it must run.
        for arguments in [&["--help"][..], &["version"], &["help", "verify"]] {
            assert_eq!(home.run(&[], arguments).exit, 0, "{settings}: {arguments:?}");
        }
    }
    let ran = Home::new("").run(&[("CERTCHECK_TIMEOUT", "x")], &GOOD);
    assert!(ran.err.starts_with("certcheck: CERTCHECK_TIMEOUT: 'x': not a duration"), "{}", ran.err);
    assert_eq!(ran.exit, 2);
}

/// A settings file decides whom to trust.
#[test]
fn a_file_that_everyone_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new("timeout = \"1s\"\n");
    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o666)).expect("set");
    let ran = home.run(&[], &["config"]);
    assert_eq!((ran.exit, ran.err.contains("everyone can write")), (2, true), "{}", ran.err);
    assert_eq!(home.run(&[], &["config", "--no-config"]).exit, 0);
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
