//! `--format`: SARIF and JUnit XML as their readers have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Fault, Page, Server};
use certcheck_testkit::{Cert, Key, pem, program};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

const ROOT: &str = "O=Formats";
/// What each input of a run is, and its code.
const INPUTS: [(&str, &str); 5] = [
    ("good.pem", "accept"),
    ("expired.pem", "expired"),
    ("a b#c&<d>'\".pem", "unknown-issuer"),
    ("bare.pem", "revocation-unknown"),
    ("none.pem", "no-certificate"),
];

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn make() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("folder") };
        let (root, client, other) =
            (Key::p256("formats root"), Key::p256("formats client"), Key::p256("formats other"));
        let leaf = |name: &str| Cert::leaf(&format!("O=Formats,CN={name}"), &client, ROOT, &root);
        let certificate = |name: &str, der: &[u8]| site.put(name, pem("CERTIFICATE", der).as_bytes());
        certificate("ring.pem", &Cert::root(ROOT, &root).issue(&root));
        let good = leaf("good").with([ext::no_rev_avail()]).issue(&root);
        certificate("good.pem", &good);
        let expired = leaf("expired").valid("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z").issue(&root);
        certificate("expired.pem", &expired);
        certificate("bare.pem", &leaf("bare").issue(&root));
        certificate(INPUTS[2].0, &Cert::leaf("O=Other,CN=client", &client, "O=Other", &other).issue(&other));
        site.put("bundle.pem", [pem("CERTIFICATE", &good), pem("CERTIFICATE", &expired)].concat().as_bytes());
        site
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path().join(name), content).expect("written");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Exit code, standard output, standard error.
    fn verify(&self, arguments: &[&str]) -> (i32, String, String) {
        program::run(
            program::isolated(env!("CARGO_BIN_EXE_certcheck"))
                .current_dir(self.path())
                .args([
                    "verify",
                    "--ring",
                    "ring.pem",
                    "--offline",
                    "--no-cache",
                    "--at",
                    "2027-01-02T00:00:00Z",
                ])
                .args(arguments),
        )
    }

    fn all(&self, format: &str) -> String {
        let inputs = INPUTS.map(|(name, _)| name);
        let (exit, out, err) = self.verify(&[&inputs[..], &["--format", format]].concat());
        assert_eq!(exit, 2, "{err}");
        out
    }
}

#[test]
fn sarif_has_a_result_for_each_input_that_is_not_accepted() {
    let site = Site::make();
    let document: Value = serde_json::from_str(&site.all("sarif")).expect("JSON");
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(1));
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&false.into(), &2.into()));
    let driver = &run["tool"]["driver"];
    assert_eq!(
        (&driver["name"], &driver["semanticVersion"]),
        (&"certcheck".into(), &env!("CARGO_PKG_VERSION").into())
    );
    let mut rules = BTreeSet::new();
    for rule in driver["rules"].as_array().expect("rules") {
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string(), "{rule}");
        assert!(
            rule["helpUri"].as_str().is_some_and(|uri| uri.ends_with("/docs/operating.md#runbook")),
            "{rule}"
        );
        rules.insert(rule["id"].as_str().expect("an id"));
    }
    let results = run["results"].as_array().expect("results");
    let got: Vec<_> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            [place, &result["ruleId"], &result["level"]].map(|value| value.as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        got,
        [
            ["expired.pem", "expired", "error"],
            ["a%20b%23c%26%3Cd%3E%27%22.pem", "unknown-issuer", "error"],
            ["bare.pem", "revocation-unknown", "warning"],
            ["none.pem", "no-certificate", "error"],
        ]
    );
    assert_eq!(rules, results.iter().filter_map(|result| result["ruleId"].as_str()).collect());
    let expired = &results[0];
    assert_eq!(
        (&expired["properties"]["certificate_index"], &expired["properties"]["subject"]),
        (&0.into(), &"CN=expired,O=Formats".into())
    );
    let text = expired["message"]["text"].as_str().expect("a text");
    assert!(text.contains("expired at 2026-06-01T00:00:00Z") && text.contains("; renew"), "{text}");
    assert_eq!(results[2]["properties"]["cause"], "no-source");
    assert_eq!(expired["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    let prints: BTreeSet<_> =
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    assert_eq!(prints.len(), results.len());
}

#[test]
fn certificates_of_a_bundle_have_places_in_it() {
    let site = Site::make();
    let (exit, out, _) = site.verify(&["bundle.pem", "--each", "--format", "sarif"]);
    let document: Value = serde_json::from_str(&out).expect("JSON");
    let result = &document["runs"][0]["results"][0];
    let location = &result["locations"][0];
    assert_eq!(exit, 1);
    assert_eq!(document["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "bundle.pem");
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "bundle.pem#1");
    let (_, out, _) = site.verify(&["good.pem", "--format", "sarif"]);
    let document: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["runs"][0]["results"], Value::Array(Vec::new()));
}

/// Attributes by name.
type Attributes = BTreeMap<String, String>;

/// Each start of an element in a document, with its text.
fn elements(document: &str) -> Vec<(String, Attributes, String)> {
    let attributes = |element: &BytesStart<'_>| -> Attributes {
        let attributes = element.attributes().map(|attribute| attribute.expect("an attribute"));
        let pair = attributes.map(|attribute| {
            let value =
                attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).expect("a value").into_owned();
            (String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value)
        });
        pair.collect()
    };
    let mut reader = Reader::from_str(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Eof => return found,
            Event::Start(element) | Event::Empty(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                found.push((name, attributes(&element), String::new()));
            }
            Event::Text(text) => {
                if let Some((.., all)) = found.last_mut() {
                    all.push_str(&text.decode().expect("UTF-8"));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn junit_has_a_test_case_for_each_input() {
    let site = Site::make();
    let elements = elements(&site.all("junit"));
    let of = |name: &str| elements.iter().filter(|(known, ..)| known == name).collect::<Vec<_>>();
    for (name, title) in [("testsuites", "certcheck"), ("testsuite", "certcheck verify")] {
        let (_, counts, _) = of(name)[0];
        assert_eq!(
            (&*counts["name"], &*counts["tests"], &*counts["failures"], &*counts["errors"]),
            (title, "5", "3", "1")
        );
    }
    let names: Vec<_> = of("testcase").iter().map(|(_, case, _)| case["name"].clone()).collect();
    assert_eq!(names, INPUTS.map(|(name, _)| name));
    let failures: Vec<_> = of("failure").iter().map(|(_, failure, _)| failure["type"].clone()).collect();
    assert_eq!(failures, ["expired", "unknown-issuer", "revocation-unknown"]);
    let (_, failure, text) = of("failure")[0];
    assert!(failure["message"].contains("2026-06-01T00:00:00Z"), "{failure:?}");
    assert!(text.contains("renew") && text.contains("\nsubject: CN=expired,O=Formats\n"), "{text}");
    assert_eq!(of("error")[0].1["type"], "no-certificate");
}

/// XML 1.0 has no way to write most controls, escaped or not.
#[cfg(unix)]
#[test]
fn names_that_xml_cannot_have_are_spelled_out() {
    let site = Site::make();
    let name = "bell\u{7}\u{1b}[2J\u{fffe}\nline.pem";
    site.put(name, &fs::read(site.path().join("expired.pem")).expect("there"));
    let (exit, out, _) = site.verify(&[name, "--format", "junit"]);
    assert_eq!(exit, 1);
    assert!(!out.contains(['\u{7}', '\u{1b}', '\u{fffe}']), "{out:?}");
    let elements = elements(&out);
    let case = elements.iter().find(|(name, ..)| name == "testcase").expect("a case");
    assert_eq!(case.1["name"], "bell\\u{7}\\u{1b}[2J\\u{fffe}\\u{a}line.pem");
    let (_, out, _) = site.verify(&[name, "--format", "sarif"]);
    let document: Value = serde_json::from_str(&out).expect("JSON");
    let uri =
        &document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "bell%07%1B%5B2J%EF%BF%BE%0Aline.pem");
}

#[test]
fn json_has_two_names_and_some_flags_have_no_results() {
    let site = Site::make();
    let without_time = |out: &str| {
        let mut line: Value = serde_json::from_str(out).expect("JSON");
        line["elapsed_us"] = Value::Null;
        line
    };
    let [short, long] = [&["good.pem", "--json"][..], &["good.pem", "--format", "json"]]
        .map(|arguments| site.verify(arguments).1);
    assert_eq!(without_time(&short), without_time(&long));
    let (_, text, _) = site.verify(&["good.pem", "--format", "text"]);
    assert!(text.starts_with("accepted: good.pem"), "{text}");
    for arguments in [
        &["good.pem", "--json", "--format", "sarif"][..],
        &["good.pem", "--summary", "--format", "sarif"],
        &["good.pem", "--dry-run", "--format", "junit"],
    ] {
        let (exit, out, err) = site.verify(arguments);
        assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains("--format") || err.contains("--json"), "{err}");
    }
}

#[test]
fn watch_has_a_result_for_each_source_certificate_and_sample() {
    let (site, server) = (Site::make(), Server::start());
    let (root, key) = (Key::p256("formats root"), Key::p256("formats ca"));
    let (good, dead) = (server.url("/good.crl"), server.url("/dead.crl"));
    let cdp = ext::cdp(&[Point::urls(&[&good]), Point::urls(&[&dead])]);
    let ca = Cert::ca("O=Formats,CN=CA", &key, ROOT, &root).with([cdp]).issue(&root);
    let ring = pem("CERTIFICATE", &Cert::root(ROOT, &root).issue(&root)) + &pem("CERTIFICATE", &ca);
    site.put("watched.pem", ring.as_bytes());
    server.serve("/good.crl", Page::new(CrlBuilder::new(ROOT).issue(&root)));
    server.break_with("/dead.crl", Fault::Refuse);
    let watch = |arguments: &[&str]| {
        let output = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .current_dir(site.path())
            .args(["watch", "--allow-net", "127.0.0.0/8", "--timeout", "10"])
            .args(arguments)
            .output()
            .expect("runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let at = ["--ring", "watched.pem", "--at", "2027-01-02T00:00:00Z", "--format"];
    let (exit, out) = watch(&[&["expired.pem", "none.pem"], &at[..], &["junit"]].concat());
    assert_eq!(exit, Some(2));
    let found = elements(&out);
    let of = |name: &'static str| {
        found.iter().filter(move |(known, ..)| known == name).map(|(_, attributes, _)| attributes)
    };
    let cases: BTreeSet<String> =
        of("testcase").map(|case| format!("{} {}", case["classname"], case["name"])).collect();
    assert_eq!(cases.len(), 6, "{cases:#?}");
    for case in [
        format!("certcheck.watch.source {good} crl"),
        format!("certcheck.watch.source {dead} crl"),
        "certcheck.watch.sample expired.pem".to_owned(),
        "certcheck.watch.sample none.pem".to_owned(),
    ] {
        assert!(cases.contains(&case), "{case}: {cases:#?}");
    }
    assert_eq!(
        of("failure").map(|failure| &*failure["type"]).collect::<Vec<_>>(),
        ["unreachable", "expired"]
    );
    assert_eq!(of("error").map(|error| &*error["type"]).collect::<Vec<_>>(), ["no-certificate"]);
    let (exit, out) = watch(&[&at[..], &["sarif"]].concat());
    let document: Value = serde_json::from_str(&out).expect("JSON");
    let results = document["runs"][0]["results"].as_array().expect("results");
    assert_eq!((exit, results.len()), (Some(1), 1), "{out}");
    assert_eq!((&results[0]["ruleId"], &results[0]["level"]), (&"unreachable".into(), &"error".into()));
    let location = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!((&location["artifactLocation"]["uri"], &location["region"]), (&dead.into(), &Value::Null));
    // Nothing to watch is a result too.
    let (exit, out) = watch(&["--ring", "ring.pem", "--format", "junit"]);
    assert_eq!(
        (exit, elements(&out).iter().filter(|(name, ..)| name == "failure").count()),
        (Some(3), 1),
        "{out}"
    );
    assert_eq!(watch(&["--ring", "ring.pem", "--interval", "1h", "--format", "sarif"]).0, Some(2));
}
