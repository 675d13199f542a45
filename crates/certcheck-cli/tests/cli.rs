//! The program as its users see it: verdicts, exit codes, JSON, bad input.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certcheck"));
    command.current_dir(root()).args(arguments).env_remove("CLICOLOR_FORCE");
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(command(arguments).output().expect("runs"))
}

fn told(output: Output) -> (i32, String, String) {
    let text = |octets| String::from_utf8(octets).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

const AT: [&str; 4] = ["--at", "2027-01-01T00:00:00Z", "--ring", "testdata/demo/ring"];

fn verify(more: &[&str]) -> (i32, String, String) {
    run(&[&["verify"], more, &AT].concat())
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

#[test]
fn exit_codes_of_the_demonstration() {
    let off = ["--revocation", "off"];
    for (file, code, word) in [
        ("good", 0, "accepted"),
        ("expired", 1, "rejected: testdata/demo/expired.pem: expired"),
        ("wrong-ca", 1, "rejected: testdata/demo/wrong-ca.pem: unknown-issuer"),
    ] {
        let path = format!("testdata/demo/{file}.pem");
        let (exit, out, _) = verify(&[&[path.as_str()], &off[..]].concat());
        assert_eq!(exit, code, "{file}");
        assert!(out.starts_with(word), "{out}");
        assert!(!out.contains('\u{1b}'), "colours without a terminal");
    }
    let (exit, out, _) = verify(&["testdata/demo/good.pem"]);
    assert_eq!(exit, 3);
    assert!(out.starts_with("undetermined"), "{out}");
}

#[test]
fn the_worst_of_several_inputs_counts_and_none_is_lost() {
    let files =
        ["testdata/demo/good.pem", "README.md", "no-such-file", "testdata/demo/expired.pem", "Cargo.toml"];
    let (exit, out, err) = verify(&[&files[..], &["--revocation", "off", "--json"]].concat());
    assert_eq!(exit, 2);
    let lines: Vec<Value> = out.lines().map(json).collect();
    assert_eq!(lines.len(), files.len());
    for (line, file) in lines.iter().zip(files) {
        assert_eq!(line["input"], file);
        assert_eq!(line["schema"], 1);
    }
    assert_eq!(lines[0]["verdict"], "accept");
    assert_eq!(lines[2]["reason"]["code"], "no-certificate");
    assert_eq!(lines[3]["reason"]["code"], "expired");
    assert!(err.contains("no-such-file: "), "{err}");
    assert_eq!(verify(&["testdata/demo/good.pem", "testdata/demo/expired.pem", "--revocation", "off"]).0, 1);
    assert_eq!(verify(&["testdata/demo/good.pem", "testdata/demo/good.pem", "--revocation", "off"]).0, 0);
}

#[test]
fn json_has_the_keys_that_scripts_rely_on() {
    let (_, out, _) = verify(&["testdata/demo/expired.pem", "--revocation", "off", "--json"]);
    let line = json(out.trim());
    let keys = [
        "schema",
        "input",
        "verdict",
        "reason",
        "valid_until",
        "policies",
        "path",
        "attempts",
        "spent",
        "elapsed_us",
    ];
    for key in keys {
        assert!(line.get(key).is_some(), "{key}");
    }
    for key in ["code", "at", "rfc", "message", "hint"] {
        assert!(line["reason"].get(key).is_some(), "{key}");
    }
    let leaf = &line["path"][0];
    for key in ["role", "subject", "issuer", "serial", "sha256", "not_before", "not_after", "revocation"] {
        assert!(leaf.get(key).is_some(), "{key}");
    }
    assert_eq!(leaf["role"], "leaf");
    assert_eq!(leaf["subject"], "CN=device-4,O=Acme Corp,C=US");
    assert_eq!(leaf["not_after"], "2026-01-01T00:00:00Z");
    assert_eq!(line["attempts"][0]["code"], "expired");
}

#[test]
fn standard_input_untrusted_and_bundles() {
    let pem = std::fs::read(root().join("testdata/demo/good.pem")).expect("demo");
    let ca = std::fs::read(root().join("testdata/demo/ring/device-ca.pem")).expect("demo");
    let ring =
        ["--ring", "testdata/demo/ring/root.pem", "--revocation", "off", "--at", "2027-01-01T00:00:00Z"];
    let piped = |input: &[u8], more: &[&str]| {
        let mut child = command(&[&["verify", "-"], &ring[..], more].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("piped").write_all(input).expect("written");
        told(child.wait_with_output().expect("ends")).0
    };
    assert_eq!(piped(&pem, &[]), 1);
    assert_eq!(piped(&[pem.clone(), ca].concat(), &[]), 0);
    assert_eq!(piped(&pem, &["--untrusted", "testdata/demo/ring/device-ca.pem"]), 0);
    assert_eq!(piped(b"", &[]), 2);
}

#[test]
fn unreadable_input_names_file_offset_and_rule() {
    let folder = std::env::temp_dir().join(format!("certcheck-cli-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("ring")).expect("folder");
    let broken = folder.join("broken.der");
    std::fs::write(&broken, [0x30, 0x03, 0x30, 0x80, 0x00]).expect("written");
    let (exit, _, err) = verify(&[broken.to_str().expect("UTF-8"), "--revocation", "off"]);
    assert_eq!(exit, 2);
    assert!(err.contains("broken.der: tbsCertificate at octet 2: indefinite length"), "{err}");

    std::fs::write(
        folder.join("ring/rotten.pem"),
        "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
    )
    .expect("written");
    let ring = folder.join("ring");
    let (exit, out, err) =
        run(&["verify", "testdata/demo/good.pem", "--ring", ring.to_str().expect("UTF-8")]);
    assert_eq!((exit, out.as_str()), (2, ""));
    assert!(err.contains("rotten.pem: "), "{err}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn usage_is_told_and_is_2() {
    for arguments in
        [&["verify"][..], &["verify", "x"], &["verify", "x", "--ring", "y", "--at", "today"], &["frobnicate"]]
    {
        let (exit, out, err) = run(arguments);
        assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}");
        assert!(!err.is_empty());
    }
    let (exit, out, _) = run(&["verify", "--help"]);
    assert_eq!(exit, 0);
    assert!(out.contains("Exit codes:"), "{out}");
}

#[test]
fn explain_tells_of_every_path() {
    let (_, out, _) = verify(&["testdata/demo/expired.pem", "--revocation", "off", "--explain"]);
    assert!(out.contains("tried: CN=device-4") && out.contains("spent: 2 signatures"), "{out}");
}

#[test]
fn ring_as_text_and_json() {
    let (exit, out, _) = run(&["ring", "testdata/demo/ring", "--at", "2124-12-15T00:00:00Z"]);
    assert_eq!(exit, 0);
    assert!(out.starts_with("1 anchors, 1 intermediates, 0 distrusted"), "{out}");
    assert!(out.contains("chains to CN=Acme Root"), "{out}");
    assert!(out.contains("expires-soon"), "{out}");
    let (_, out, _) = run(&["ring", "testdata/demo/ring", "--json", "--at", "2027-01-01T00:00:00Z"]);
    let survey = json(&out);
    assert_eq!(survey["schema"], 1);
    assert_eq!(survey["certificates"].as_array().map(Vec::len), Some(2));
}

/// Every console session of the README, as it stands there: `$ command`, `? code` where it is not 0, then the output.
#[test]
fn the_examples_of_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README");
    let session =
        readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a session");
    let mut ran = 0;
    for example in session.split("$ certcheck ").skip(1) {
        let (line, mut output) = example.split_once('\n').expect("a command and its output");
        let mut code = 0;
        if let Some(rest) = output.strip_prefix("? ") {
            let (number, after) = rest.split_once('\n').expect("a code");
            (code, output) = (number.parse().expect("a number"), after);
        }
        let (exit, out, _) = run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((exit, out.as_str()), (code, output), "{line}");
        ran += 1;
    }
    assert_eq!(ran, 2);
}
