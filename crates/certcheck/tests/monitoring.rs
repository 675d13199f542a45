//! What is shipped for monitoring: alert rules, a dashboard, a systemd unit, held against the program and the tools.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use certcheck_testkit::docs;
use certcheck_testkit::peers::tool;
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(packaging(name)).unwrap()
}

/// Runs a tool that must succeed, where it is there.
fn succeeds(program: &str, arguments: &[&str]) {
    if let Some(ran) = tool::run(program, arguments, PATIENCE) {
        assert!(ran.is_success, "{program} {arguments:?}: {}", ran.text);
    }
}

/// Every metric that the crates and the program have, as the tables list them.
fn known() -> BTreeSet<String> {
    let sections = ["certcheck-fetch", "certcheck-rustls", "certcheck watch"];
    let names = sections.into_iter().flat_map(|section| {
        let [_, table] = docs::metrics(section, "");
        table
    });
    names.collect()
}

/// The names of metrics in an expression.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'));
    words.filter(|word| word.starts_with("certcheck_"))
}

fn is_known(known: &BTreeSet<String>, name: &str) -> bool {
    let of_histogram = ["_bucket", "_count", "_sum"].into_iter().filter_map(|end| name.strip_suffix(end));
    std::iter::once(name).chain(of_histogram).any(|name| known.contains(name))
}

/// All texts with this key, wherever they are.
fn texts<'v>(value: &'v Value, key: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == key {
                    into.extend(value.as_str());
                }
                texts(value, key, into);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| texts(value, key, into)),
        _ => {}
    }
}

#[test]
fn alert_rules_do_what_their_tests_say() {
    let rules = packaging("monitoring/certcheck-alerts.yml").display().to_string();
    let tests = packaging("monitoring/certcheck-alerts.test.yml").display().to_string();
    succeeds("promtool", &["check", "rules", &rules]);
    succeeds("promtool", &["test", "rules", &tests]);
    // Each alert fires in a test.
    let (rules, tests) =
        (read("monitoring/certcheck-alerts.yml"), read("monitoring/certcheck-alerts.test.yml"));
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        let fires = tests.split("alertname: ").any(|part| {
            part.strip_prefix(alert).is_some_and(|rest| rest.trim_start().starts_with("exp_alerts:"))
        });
        assert!(fires, "no test in which {alert} fires");
    }
}

#[test]
fn rules_and_dashboard_name_metrics_that_exist() {
    let known = known();
    assert!(known.len() > 30, "{known:?}");
    for file in ["monitoring/certcheck-alerts.yml", "monitoring/certcheck-alerts.test.yml"] {
        let text = read(file);
        let unknown: BTreeSet<_> = names(&text).filter(|name| !is_known(&known, name)).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    let dashboard: Value = serde_json::from_str(&read("monitoring/certcheck-dashboard.json")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    assert!(queries.len() > 20, "{}", queries.len());
    texts(&dashboard, "query", &mut queries);
    for query in queries.iter().filter(|query| **query != "prometheus") {
        assert!(names(query).next().is_some(), "{query} names no metric");
        let unknown: Vec<_> = names(query).filter(|name| !is_known(&known, name)).collect();
        assert!(unknown.is_empty(), "{query}: {unknown:?}");
    }
}

/// Each query is made a recording rule, which promtool parses.
#[test]
fn queries_of_the_dashboard_can_be_parsed() {
    let dashboard: Value = serde_json::from_str(&read("monitoring/certcheck-dashboard.json")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    let rules: String = queries
        .iter()
        .enumerate()
        .map(|(at, query)| {
            let query = query.replace("$instance", ".*").replace("$__rate_interval", "5m");
            format!("      - record: query_{at}\n        expr: {}\n", Value::from(query))
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("queries.yml");
    fs::write(&file, format!("groups:\n  - name: queries\n    rules:\n{rules}")).unwrap();
    succeeds("promtool", &["check", "rules", &file.display().to_string()]);
}

/// The page of a real run, with a source that fails and a sample that cannot be read.
#[test]
fn promtool_finds_no_fault_with_the_metrics() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("certcheck.prom");
    let output = Command::new(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(packaging(".."))
        .args([
            "watch",
            "testdata/demo/good.pem",
            "README.md",
            "--ring",
            "testdata/demo/ring",
            "--timeout",
            "1",
        ])
        .args(["--deny-private", "--proxy", "http://127.0.0.1:1", "--prometheus"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read(&file).unwrap();
    let text = String::from_utf8(page.clone()).unwrap();
    assert!(text.contains("certcheck_sample_good{input=\"README.md\"} 0"), "{text}");
    if let Some(ran) = tool::run_on("promtool", &["check", "metrics"], &page, PATIENCE) {
        assert!(ran.is_success && ran.text.trim().is_empty(), "{}", ran.text);
    }
}

#[test]
fn the_unit_is_sound_and_hardened() {
    let unit = read("systemd/certcheck-watch.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/certcheck ")).unwrap();
    // Its flags are flags of the program: with a ring that is not there it gets as far as that.
    let output = Command::new(env!("CARGO_BIN_EXE_certcheck")).args(start.split(' ')).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && err.contains("/etc/certcheck/ring: "), "{err}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("certcheck-watch.service");
    fs::write(&file, unit.replace("/usr/bin/certcheck", env!("CARGO_BIN_EXE_certcheck"))).unwrap();
    let file = file.display().to_string();
    succeeds("systemd-analyze", &["verify", "--man=no", &file]);
    // Out of 100; what is not hardened at all has 96.
    succeeds("systemd-analyze", &["security", "--offline=yes", "--threshold=20", &file]);
}

/// The front's unit, its user and its folders fit together, and each file is one that systemd can read.
#[test]
fn the_front_has_a_unit_a_user_and_folders() {
    let unit = read("systemd/certcheck-serve.service");
    let value = |key: &str| {
        let value = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{key}=")).to_owned()
    };
    let start = value("ExecStart");
    let arguments = start.strip_prefix("/usr/bin/certcheck ").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_certcheck")).args(arguments.split(' ')).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && err.contains("/etc/certcheck/serve.toml: "), "{err}");

    let (users, folders) = ("systemd/certcheck.sysusers.conf", "systemd/certcheck.tmpfiles.conf");
    let lines = |name: &str| {
        let text = read(name);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect::<Vec<Vec<_>>>()
    };
    let user = value("User");
    assert_eq!(lines(users).iter().map(|line| line[1].clone()).collect::<Vec<_>>(), [user.as_str()]);
    let made: Vec<_> = lines(folders).iter().map(|line| line[1..5].join(" ")).collect();
    let cache =
        format!("/var/cache/{} {} {user} {user}", value("CacheDirectory"), value("CacheDirectoryMode"));
    assert!(made.contains(&cache), "{made:?}");
    // The kernel kills a process for a call that the unit does not allow.
    for call in ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"] {
        let is_allowed = |line: &str| {
            let calls = line.strip_prefix("SystemCallFilter=");
            calls.is_some_and(|calls| calls.split(' ').any(|one| one == call))
        };
        assert!(unit.lines().any(is_allowed), "{call}");
    }
    // Nobody but root and the front reads private keys.
    assert!(made.contains(&format!("/etc/certcheck/keys 0750 root {user}")), "{made:?}");

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("certcheck-serve.service");
    fs::write(&file, unit.replace("/usr/bin/certcheck", env!("CARGO_BIN_EXE_certcheck"))).unwrap();
    let file = file.display().to_string();
    succeeds("systemd-analyze", &["verify", "--man=no", &file]);
    succeeds("systemd-analyze", &["security", "--offline=yes", "--threshold=20", &file]);
    succeeds("systemd-sysusers", &["--dry-run", &packaging(users).display().to_string()]);
    let has_dry_run =
        |program| tool::run(program, &["--help"], PATIENCE).is_some_and(|ran| ran.text.contains("--dry-run"));
    if has_dry_run("systemd-tmpfiles") {
        let file = packaging(folders).display().to_string();
        succeeds("systemd-tmpfiles", &["--create", "--dry-run", &file]);
    }
    for script in ["postinst", "prerm", "postrm"] {
        succeeds("sh", &["-n", &packaging("debian").join(script).display().to_string()]);
    }
}
