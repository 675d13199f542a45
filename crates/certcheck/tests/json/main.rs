//! The JSON output as it is promised: every kind of line is as the schema has it, and all of the schema is seen.

mod coverage;
mod page;
#[path = "../schema/mod.rs"]
mod schema;
mod site;

use std::collections::BTreeSet;

use certcheck_testkit::ocsp::{self, AnswerBuilder, Response, cert_id};
use certcheck_testkit::{Cert, Key, crl, ext, name};
use coverage::Coverage;
use serde_json::{Value, json};
use site::{AT, CA, Site};

/// Values of the schema that this test does not bring about, and why.
const NOT_SEEN: &[(&str, &str)] = &[
    ("revocation.from=shared", "this build has no store that hosts share"),
    ("source.from=shared", "this build has no store that hosts share"),
    ("source.from=memory", "a check would have to ask for what another one fetches at the same moment"),
    ("version.provider=aws-lc-rs", "a build has one of them"),
    ("version.provider=ring", "a build has one of them"),
    ("parts.resolve", "the test's server has an address and no name"),
    ("setting.from=environment", "the program is run without variables of its own"),
    ("source_figures.kind=delta", "tests/bench.rs measures deltas"),
    ("watch", "tests/watch.rs holds each line to the schema"),
    ("sample", "tests/watch.rs holds each line to the schema"),
    ("lab", "tests/lab.rs runs a lab, and holds each line to the schema"),
];

#[test]
fn every_kind_of_line_is_as_the_schema_has_it() {
    let site = Site::start();
    let mut seen = Coverage::new(schema::schema());
    verifications(&site, &mut seen);
    plans_summaries_and_errors(&site, &mut seen);
    rings(&site, &mut seen);
    crls(&site, &mut seen);
    responses(&site, &mut seen);
    fetches_and_the_cache(&site, &mut seen);
    measurements(&site, &mut seen);
    settings(&site, &mut seen);
    policies(&site, &mut seen);
    let missing: Vec<String> = seen
        .missing()
        .into_iter()
        .filter(|part| !NOT_SEEN.iter().any(|(known, _)| is_part(part, known)))
        .collect();
    assert!(missing.is_empty(), "never seen: {missing:#?}");
}

/// Whether a part of the schema is the known one, or of a definition whose name begins so.
fn is_part(part: &str, known: &str) -> bool {
    part == known || (!known.contains('.') && part.starts_with(known))
}

fn verifications(site: &Site, seen: &mut Coverage) {
    let mut verify = |exit: i32, arguments: &[&str]| -> Vec<Value> {
        let lines = site.lines(exit, &[&["verify"], arguments, &site::VERIFY].concat());
        lines.iter().for_each(|line| seen.add(line));
        assert!(lines.iter().all(|line| line["type"] == "verification"), "{lines:#?}");
        lines
    };
    let cache = ["--cache-dir", "cache"];
    let from = |line: &Value| line["path"][0]["revocation"]["from"].clone();
    let lines =
        verify(0, &[&["good.pem", "twin.pem", "good.pem", "twin.pem", "--jobs", "1"], &cache[..]].concat());
    assert_eq!((from(&lines[0]), from(&lines[3])), (json!("network"), json!("memory")));
    assert_eq!(from(&verify(0, &[&["good.pem"], &cache[..]].concat())[0]), json!("disk"));
    assert_eq!(
        from(&verify(0, &["good.pem", "--offline", "--crl", "ca.crl", "--crl", "root.crl"])[0]),
        json!("file")
    );
    let mirror = site.mirror();
    let mirrored = verify(0, &["good.pem", "--no-cache", "--mirror", &mirror]);
    assert_eq!(from(&mirrored[0]), json!("mirror"));
    verify(0, &["ocsp.pem", "norev.pem", "--no-cache"]);
    for (file, exit, code) in [
        ("revoked.pem", 1, "certificate-revoked"),
        ("expired.pem", 1, "expired"),
        ("future.pem", 1, "not-yet-valid"),
        ("stranger.pem", 1, "unknown-issuer"),
        ("forged.pem", 1, "bad-signature"),
        ("server.pem", 1, "extended-key-usage"),
        ("encipher.pem", 1, "key-usage"),
        ("critical.pem", 1, "unhandled-critical-extension"),
        ("distrusted.pem", 1, "distrusted"),
        ("dead.pem", 3, "revocation-unknown"),
        ("bare.pem", 3, "revocation-unknown"),
        ("broken.der", 2, "malformed"),
        ("client.key", 2, "no-certificate"),
        ("none.pem", 2, "no-certificate"),
    ] {
        let lines = verify(exit, &[file, "--no-cache"]);
        assert_eq!(lines[0]["reason"]["code"], code, "{file}: {}", lines[0]);
        assert_eq!(lines[0]["unreadable"], exit == 2, "{file}");
    }
    // The evidence of another CA, and what is none.
    let lines = verify(
        3,
        &[
            "bare.pem",
            "--offline",
            "--explain",
            "--crl",
            "stale.crl",
            "--crl",
            "other.crl",
            "--ocsp",
            "error.ocsp",
        ],
    );
    assert!(lines[0]["considered"].as_array().is_some_and(|all| all.len() >= 2), "{}", lines[0]);
    let lines = verify(0, &["bare.pem", "--no-cache", "--revocation", "soft-fail", "--explain"]);
    assert_eq!(lines[0]["tolerated"], "no-source");
    assert_eq!(lines[0]["warnings"][0]["code"], "revocation-tolerated");
}

fn plans_summaries_and_errors(site: &Site, seen: &mut Coverage) {
    for (exit, kind, arguments) in [
        (0, "plan", &["verify", "ocsp.pem", "--dry-run"][..]),
        (0, "plan", &["verify", "good.pem", "--dry-run"]),
        (1, "plan", &["verify", "expired.pem", "--dry-run"]),
        (1, "plan", &["verify", "lost.pem", "--dry-run", "--aia", "on"]),
        (0, "plan", &["verify", "good.pem", "--dry-run", "--revocation", "off"]),
        (2, "summary", &["verify", "good.pem", "bare.pem", "expired.pem", "none.pem", "--summary"]),
        (0, "summary", &["verify", "good.pem", "bare.pem", "--summary", "--revocation", "soft-fail"]),
    ] {
        let lines = site.lines(exit, &[arguments, &["--no-cache"], &site::VERIFY].concat());
        assert_eq!((lines.len(), &lines[0]["type"]), (1, &kind.into()), "{arguments:?}: {lines:#?}");
        seen.add(&lines[0]);
    }
    let lines = site.lines(2, &["verify", "good.pem", "--ring", "no-such-ring", "--json"]);
    assert!(lines.is_empty(), "a line for each input and no other: {lines:#?}");
    let lines = site.lines(2, &["ring", "no-such-ring", "--json"]);
    assert_eq!((lines.len(), &lines[0]["type"]), (1, &"error".into()));
    seen.add(&lines[0]);
}

fn rings(site: &Site, seen: &mut Coverage) {
    let lines = site.lines(0, &["ring", "ring", "--at", AT, "--expires-within", "40000", "--json"]);
    seen.add(&lines[0]);
    let roles: BTreeSet<_> = lines[0]["certificates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["role"].to_string())
        .collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    let lines = site.lines(0, &["ring", "rotten", "--ring-skip-unreadable", "--at", AT, "--json"]);
    assert_eq!(lines[0]["skipped"].as_array().map(Vec::len), Some(1));
    seen.add(&lines[0]);
}

fn crls(site: &Site, seen: &mut Coverage) {
    let ring = ["--ring", "ring", "--at", AT, "--json"];
    for (exit, arguments) in [
        (0, &["crl", "ca.crl", "--find", "5501"][..]),
        (0, &["crl", "ca.crl", "--find", "7777", "--diff", "old.crl"]),
        (0, &["crl", "old.crl", "--diff", "ca.crl"]),
        (0, &["crl", "indirect.crl", "--find", "5501"]),
        (0, &["crl", "delta.crl"]),
        (0, &["crl", "user.crl"]),
        (0, &["crl", "authorities.crl"]),
        (0, &["crl", "attributes.crl"]),
        (0, &["crl", "stale.crl"]),
        (0, &["crl", "first.crl"]),
        (1, &["crl", "other.crl"]),
    ] {
        let lines = site.lines(exit, &[arguments, &ring].concat());
        assert_eq!((lines.len(), &lines[0]["type"]), (1, &"crl".into()), "{arguments:?}");
        seen.add(&lines[0]);
    }
    // One cannot be parsed: it has a line all the same.
    let lines = site.lines(2, &["crl", "mixed.pem", "--json"]);
    let kinds: Vec<_> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(kinds, ["crl", "error"], "{lines:#?}");
    lines.iter().for_each(|line| seen.add(line));
}

fn responses(site: &Site, seen: &mut Coverage) {
    let of_ca = |serial: &[u8]| cert_id("sha256", &name::name(CA), &site.ca, serial);
    let root_key = &site.root;
    let delegate = Key::p256("json responder");
    let certificate = Cert::leaf("O=Json,CN=responder", &delegate, CA, &site.ca)
        .with([ext::eku(&["ocsp"]), ext::ocsp_nocheck()])
        .issue(&site.ca);
    let mut revoked =
        AnswerBuilder::revoked(of_ca(&[0x55, 0x01]), "2026-03-01T00:00:00Z", Some("keyCompromise"));
    revoked.extensions = vec![
        ext::Ext::new("1.3.6.1.5.5.7.48.1.6", false, ocsp::time("2020-01-01T00:00:00Z")),
        crl::invalidity_date("2026-02-01T00:00:00Z"),
    ];
    let mut old = AnswerBuilder::good(of_ca(&[0x55, 0x02]));
    old.next_update = Some(ocsp::time("2027-01-01T12:00:00Z"));
    old.this_update = ocsp::time("2026-12-01T00:00:00Z");
    let answers =
        [revoked, AnswerBuilder::unknown(of_ca(&[0x77])), old, AnswerBuilder::good(of_ca(&[0x55, 0x03]))];
    let mut by_delegate = Response::new(ocsp::by_name(&name::name("O=Json,CN=responder")), answers)
        .with_certificates([certificate, vec![0x30, 0x03, 0x02, 0x01, 0x00]]);
    by_delegate.extensions = vec![ocsp::nonce(&[7; 16])];
    site.put("answers.ocsp", &by_delegate.issue(&delegate));
    let by_issuer = Response::new(ocsp::by_key(&site.ca), [AnswerBuilder::good(of_ca(&[0x55, 0x03]))]);
    site.put("issuer.ocsp", &by_issuer.issue(&site.ca));
    site.put("forged.ocsp", &by_issuer.issue(root_key));
    let ring = ["--ring", "ring", "--at", AT, "--json"];
    for (exit, arguments) in [
        (0, &["ocsp", "answers.ocsp"][..]),
        (0, &["ocsp", "issuer.ocsp"]),
        (1, &["ocsp", "forged.ocsp"]),
        (1, &["ocsp", "answers.ocsp", "--cert", "revoked.pem"]),
        (0, &["ocsp", "issuer.ocsp", "--cert", "bare.pem"]),
        (3, &["ocsp", "issuer.ocsp", "--cert", "good.pem"]),
        (2, &["ocsp", "issuer.ocsp", "--cert", "broken.der"]),
    ] {
        let lines = site.lines(exit, &[arguments, &ring].concat());
        assert_eq!((lines.len(), &lines[0]["type"]), (1, &"ocsp".into()), "{arguments:?}");
        seen.add(&lines[0]);
    }
    for status in [1, 2, 3, 5, 6] {
        site.put("error.ocsp", &Response::error(status));
        seen.add(&site.lines(0, &["ocsp", "error.ocsp", "--json"])[0]);
    }
}

fn fetches_and_the_cache(site: &Site, seen: &mut Coverage) {
    let net = ["--allow-net", "127.0.0.0/8", "--timeout", "10", "--json"];
    let mut all = |exit: i32, arguments: &[&str], kinds: &[&str]| {
        let lines = site.lines(exit, arguments);
        let found: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect();
        assert_eq!(found, kinds, "{arguments:?}: {lines:#?}");
        lines.iter().for_each(|line| seen.add(line));
    };
    let (crl, issuers, dead) =
        (site.server.url("/ca.crl"), site.server.url("/mixed.p7c"), site.server.url("/dead.crl"));
    let fetch = |what: &'static [&'static str]| [what, &["--no-cache"], &net].concat();
    all(0, &[&["fetch", &crl, "--out", "out"], &fetch(&[])[..]].concat(), &["fetch", "crl"]);
    all(3, &[&["fetch", &dead], &fetch(&[])[..]].concat(), &["fetch"]);
    all(0, &[&["fetch", &issuers, "--kind", "issuers"], &fetch(&[])[..]].concat(), &["fetch"]);
    let about = ["--ring", "ring", "--at", AT];
    all(0, &[&["fetch", "ocsp.pem"], &about[..], &fetch(&[])].concat(), &["fetch", "ocsp", "fetch", "crl"]);
    let kept = ["--cache-dir", "kept"];
    let verify = [&["verify", "ocsp.pem", "good.pem"], &site::VERIFY[..], &kept].concat();
    all(0, &verify, &["verification"; 2]);
    all(0, &[&["cache", "list", "--json"], &kept[..]].concat(), &["cache-entry"; 3]);
    all(0, &[&["cache", "show", &crl, "--json"], &kept[..]].concat(), &["cache-entry", "crl"]);
    all(0, &[&["cache", "clear", "--json"], &kept[..]].concat(), &["cache-entry"; 3]);
    all(2, &[&["cache", "show", &crl, "--json"], &kept[..]].concat(), &["error"]);
    let prefetch = |inputs: &'static [&'static str]| {
        [&["cache", "prefetch"], inputs, &about[..], &["--cache-dir", "fetched"], &net].concat()
    };
    // The CA of the ring is first.
    all(0, &prefetch(&["good.pem", "revoked.pem", "broken.der"]), &["prefetch"; 4]);
    all(3, &prefetch(&["dead.pem"]), &["prefetch"; 2]);
    let again = site.lines(0, &prefetch(&["good.pem"]));
    assert_eq!((&again[0]["input"], &again[1]["input"]), (&Value::Null, &"good.pem".into()));
    let sources = again[1]["sources"].as_array().expect("sources");
    assert!(sources.iter().any(|source| source["from"] == "disk"), "{sources:#?}");
    // The certificates of issuers are kept too.
    let mut aia = vec!["verify", "lost.pem", "--aia", "on", "--revocation", "off"];
    aia.extend(site::VERIFY.iter().chain(&kept));
    all(0, &aia, &["verification"]);
    all(0, &[&["cache", "list", "--json"], &kept[..]].concat(), &["cache-entry"]);
}

fn measurements(site: &Site, seen: &mut Coverage) {
    let flags = ["--ring", "ring", "--allow-net", "127.0.0.0/8", "--timeout", "10", "--pause", "0", "--json"];
    for (exit, arguments) in [
        (0, &["bench", "both.pem", "--rounds", "3", "--handshake", "--key", "client.key"][..]),
        (3, &["bench", "dead.pem", "--rounds", "1"]),
    ] {
        let lines = site.lines(exit, &[arguments, &flags].concat());
        assert_eq!((lines.len(), &lines[0]["type"]), (1, &"bench".into()), "{arguments:?}");
        seen.add(&lines[0]);
    }
}

fn settings(site: &Site, seen: &mut Coverage) {
    site.put("certcheck.toml", b"timeout = \"3s\"\n[command.verify]\nrevocation = \"soft-fail\"\n");
    seen.add(&site.lines(0, &["config", "--all", "--config", "certcheck.toml", "--json"])[0]);
    seen.add(&site.lines(0, &["version", "--json"])[0]);
}

fn policies(site: &Site, seen: &mut Coverage) {
    let fragment = include_bytes!("../../../certcheck-serve/tests/data/printed_fragment.txt");
    site.put("policy.txt", fragment);
    for command in ["check", "explain"] {
        let line = site.lines(0, &["policy", command, "policy.txt", "--fragment", "--json"]).remove(0);
        assert_eq!((&line["usable"], &line["listeners"][0]["ports"]), (&json!(true), &json!(["6777-6777"])));
        seen.add(&line);
    }
    let line = site.lines(2, &["policy", "check", "policy.txt", "--json"]).remove(0);
    assert_eq!((&line["errors"], &line["listeners"]), (&json!(7), &json!([])));
    seen.add(&line);
    let line =
        &site.lines(2, &["policy", "check", "policy.txt", "--fragment", "--json", "--keyring-dir", "."])[0];
    assert_eq!(
        line["diagnostics"].as_array().and_then(|all| all.last()).map(|last| &last["code"]),
        Some(&json!("key-ring"))
    );
    seen.add(line);
}

#[test]
fn what_the_schema_does_not_have_is_refused() {
    let site = Site::start();
    let line = site.lines(0, &["version", "--json"]).remove(0);
    let validator = schema::Validator::new(schema::schema());
    assert_eq!(validator.fault(&line), None);
    for (key, value) in
        [("more", json!(1)), ("schema", json!(2)), ("type", json!("other")), ("version", Value::Null)]
    {
        let mut other = line.clone();
        other[key] = value;
        assert!(validator.fault(&other).is_some(), "{key}");
    }
}

#[test]
fn the_program_prints_its_schema() {
    let site = Site::start();
    let output = site.run(&["schema"]);
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), schema::SCHEMA);
    let all = schema::schema();
    let mut types = BTreeSet::new();
    for command in [
        "verify", "ring", "crl", "ocsp", "fetch", "cache", "watch", "bench", "lab", "policy", "config",
        "version",
    ] {
        let output = site.run(&["schema", command]);
        let part: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        schema::Validator::new(part.clone());
        for root in part["oneOf"].as_array().expect("a list") {
            types.insert(root.to_string());
        }
        for (name, definition) in part["$defs"].as_object().expect("definitions") {
            assert_eq!(definition, &all["$defs"][name], "{command}: {name}");
        }
    }
    let roots: BTreeSet<String> =
        all["oneOf"].as_array().expect("a list").iter().map(ToString::to_string).collect();
    assert_eq!(types, roots);
    let ring: Value = serde_json::from_slice(&site.run(&["schema", "ring"]).stdout).expect("JSON");
    assert!(ring["$defs"].get("spent").is_none(), "what a ring has not is left out");
    assert!(schema::Validator::new(ring).fault(&site.lines(0, &["ring", "ring", "--json"])[0]).is_none());
}
