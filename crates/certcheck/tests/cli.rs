//! The program as its users see it: verdicts, exit codes, JSON, bad input.

mod openssl_pki;
mod schema;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use certcheck_testkit::program;
use openssl_pki::Pki;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
    command.current_dir(root()).args(arguments);
    // Whoever runs the tests has a cache of their own.
    command.env("XDG_CACHE_HOME", std::env::temp_dir().join("certcheck-tests-cache"));
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    program::run(&mut command(arguments))
}

/// Nothing is asked of anyone: what is fetched is a test of its own.
const AT: [&str; 5] = ["--at", "2027-01-01T00:00:00Z", "--ring", "testdata/demo/ring", "--offline"];

fn verify(more: &[&str]) -> (i32, String, String) {
    run(&[&["verify"], more, &AT].concat())
}

fn json(line: &str) -> Value {
    let line = serde_json::from_str(line).expect("a line of JSON");
    schema::check(&line);
    line
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
    for key in ["code", "certificate_index", "rfc", "message", "hint"] {
        assert!(line["reason"].get(key).is_some(), "{key}");
    }
    let leaf = &line["path"][0];
    for key in ["subject", "issuer", "serial", "sha256", "not_before", "not_after"] {
        assert!(leaf["certificate"].get(key).is_some(), "{key}");
    }
    assert_eq!(leaf["role"], "leaf");
    assert_eq!(leaf["certificate"]["subject"], "CN=device-4,O=Acme Corp,C=US");
    assert_eq!(leaf["certificate"]["not_after"], "2026-01-01T00:00:00Z");
    assert_eq!(line["attempts"][0]["reason"]["code"], "expired");
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
        program::ended(child.wait_with_output().expect("ends")).0
    };
    assert_eq!(piped(&pem, &[]), 1);
    assert_eq!(piped(&[pem.clone(), ca].concat(), &[]), 0);
    assert_eq!(piped(&pem, &["--untrusted", "testdata/demo/ring/device-ca.pem"]), 0);
    assert_eq!(piped(b"", &[]), 2);
}

#[test]
fn unreadable_input_names_file_offset_and_rule() {
    let folder = std::env::temp_dir().join(format!("certcheck-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("ring")).expect("folder");
    let broken = folder.join("broken.der");
    std::fs::write(&broken, [0x30, 0x03, 0x30, 0x80, 0x00]).expect("written");
    let (exit, _, err) = verify(&[broken.to_str().expect("UTF-8"), "--revocation", "off"]);
    assert_eq!(exit, 2);
    assert!(err.contains("broken.der: tbsCertificate at byte 2: indefinite length"), "{err}");

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
fn wrong_usage_is_reported_with_exit_code_2() {
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
fn explain_reports_every_path() {
    let (_, out, _) = verify(&["testdata/demo/expired.pem", "--revocation", "off", "--explain"]);
    assert!(out.contains("tried path: CN=device-4") && out.contains("work: signatures 2,"), "{out}");
}

#[test]
fn ring_as_text_and_json() {
    let (exit, out, _) = run(&["ring", "testdata/demo/ring", "--at", "2124-12-15T00:00:00Z"]);
    assert_eq!(exit, 0);
    assert!(out.starts_with("1 anchor, 1 intermediate, 0 distrusted"), "{out}");
    assert!(out.contains("chains to CN=Acme Root"), "{out}");
    assert!(out.contains("expires-soon"), "{out}");
    let (_, out, _) = run(&["ring", "testdata/demo/ring", "--json", "--at", "2027-01-01T00:00:00Z"]);
    let survey = json(&out);
    assert_eq!(survey["schema"], 1);
    assert_eq!(survey["certificates"].as_array().map(Vec::len), Some(2));
}

#[test]
fn evidence_out_of_files() {
    let crls = ["--crl", "testdata/demo/crl", "--json"];
    let (exit, out, err) =
        verify(&[&["testdata/demo/good.pem", "testdata/demo/revoked.pem"], &crls[..]].concat());
    assert_eq!((exit, err.as_str()), (1, ""));
    let lines: Vec<Value> = out.lines().map(json).collect();
    assert_eq!((&lines[0]["verdict"], &lines[1]["verdict"]), (&"accept".into(), &"reject".into()));
    let good = &lines[0]["path"][0]["revocation"];
    assert_eq!(good["status"], "good");
    assert_eq!((&good["basis"], &good["from"]), (&"crl".into(), &"file".into()));
    assert_eq!(good["source"], "testdata/demo/crl/device-ca.pem");
    assert_eq!(
        (&good["this_update"], &good["next_update"]),
        (&"2026-03-01T00:00:00Z".into(), &"2125-01-01T00:00:00Z".into())
    );
    assert_eq!(lines[0]["path"][2]["revocation"]["status"], "not-checked");
    assert_eq!(
        (&lines[1]["reason"]["code"], &lines[1]["reason"]["certificate_index"]),
        (&"certificate-revoked".into(), &0.into())
    );
    let revoked = &lines[1]["path"][0]["revocation"];
    assert_eq!(
        (&revoked["status"], &revoked["revocation_reason"]),
        (&"revoked".into(), &"keyCompromise".into())
    );
    assert_eq!(revoked["revoked_at"], "2026-03-01T00:00:00Z");
    // The leaf's alone, where the leaf alone is asked about.
    let of_ca = ["--crl", "testdata/demo/crl/device-ca.pem", "--scope", "leaf"];
    assert_eq!(verify(&[&["testdata/demo/good.pem"], &of_ca[..]].concat()).0, 0);
    assert_eq!(verify(&[&["testdata/demo/good.pem"], &of_ca[..2]].concat()).0, 3);
}

#[test]
fn evidence_that_does_not_read() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken evidence");
    std::fs::create_dir_all(&directory).expect("a directory");
    let broken = directory.join("broken.crl");
    std::fs::write(&broken, [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x01]).expect("a file");
    let broken = broken.to_str().expect("UTF-8");
    for flag in ["--crl", "--ocsp"] {
        let (exit, out, err) = verify(&["testdata/demo/good.pem", flag, broken, "--json"]);
        assert_eq!(exit, 3, "{err}");
        assert_eq!(json(out.trim())["path"][0]["revocation"]["cause"], "malformed");
        assert!(err.contains("broken.crl"), "{err}");
        // What is no evidence at all is a mistake of who asks.
        for file in ["README.md", "no-such-file"] {
            let (exit, _, err) = verify(&["testdata/demo/good.pem", flag, file]);
            assert_eq!(exit, 2, "{err}");
            assert!(err.contains(file), "{err}");
        }
    }
}

/// The lines of `certcheck COMMAND ... --json` and the exit code.
fn reported_json(arguments: &[&str]) -> (i32, Vec<Value>) {
    let (exit, out, err) = run(&[arguments, &["--json"]].concat());
    assert!(exit != 2, "{err}");
    (exit, out.lines().map(json).collect())
}

#[test]
fn crl_reports_the_content_of_a_crl() {
    let Some(pki) = Pki::make("crl") else { return };
    let (exit, lines) = reported_json(&["crl", &pki.path("new.crl")]);
    let crl = &lines[0];
    assert_eq!((exit, lines.len()), (0, 1));
    assert_eq!((&crl["schema"], &crl["version"], &crl["entry_count"]), (&1.into(), &2.into(), &1.into()));
    assert_eq!(crl["issuer"], "CN=Issuer,O=Acme");
    assert_eq!((&crl["number"], &crl["base_number"]), (&"08".into(), &Value::Null));
    assert_eq!(crl["kinds"], serde_json::json!(["complete"]));
    assert_eq!(crl["signature_algorithm"]["name"], "ecdsa-with-SHA256");
    assert_eq!((&crl["current"], &crl["cause"]), (&true.into(), &Value::Null));
    assert_eq!((&crl["reasons"]["keyCompromise"], &crl["reasons"]["superseded"]), (&1.into(), &0.into()));
    for key in ["signature", "find", "diff", "distribution_point"] {
        assert_eq!(crl.get(key), Some(&Value::Null), "{key}");
    }
    let (_, lines) = reported_json(&["crl", &pki.path("new.crl"), "--at", "2124-01-01T00:00:00Z"]);
    assert_eq!((&lines[0]["current"], &lines[0]["cause"]), (&false.into(), &"stale".into()));

    let (_, lines) = reported_json(&["crl", &pki.path("part.crl")]);
    assert_eq!(lines[0]["kinds"], serde_json::json!(["partitioned"]));
    let point = &lines[0]["distribution_point"];
    assert_eq!(point["names"], serde_json::json!(["uri:http://crl.example/user.crl"]));
    assert_eq!((&point["only"], &point["indirect"]), (&"user".into(), &false.into()));
    assert_eq!(lines[0]["freshest_crl"], serde_json::json!(["uri:http://crl.example/delta.crl"]));

    let (exit, out, _) = run(&["crl", &pki.path("new.crl")]);
    assert_eq!(exit, 0);
    assert!(out.starts_with("CN=Issuer,O=Acme: complete CRL 08\n"), "{out}");
    assert!(out.contains("  1 entry: 1 keyCompromise\n") && !out.contains('\u{1b}'), "{out}");
}

#[test]
fn crls_come_in_every_container() {
    let Some(pki) = Pki::make("containers") else { return };
    pki.openssl("crl -in new.crl -outform DER -out new.der");
    pki.openssl("crl2pkcs7 -in new.crl -outform DER -out new.p7");
    let both = pki.write("both.pem", &[pki.read("old.crl"), pki.read("new.crl")].concat());
    for (file, entries) in [(pki.path("new.der"), &[1][..]), (pki.path("new.p7"), &[1]), (both, &[0, 1])] {
        let (exit, lines) = reported_json(&["crl", &file]);
        assert_eq!(exit, 0, "{file}");
        assert_eq!(lines.iter().map(|line| line["entry_count"].as_u64()).collect::<Vec<_>>(), {
            entries.iter().map(|count| Some(*count)).collect::<Vec<_>>()
        });
        assert!(lines.iter().zip(0..).all(|(line, index)| line["index"] == index), "{file}");
    }
    let mut child = command(&["crl", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("piped").write_all(&pki.read("new.der")).expect("written");
    let (exit, out, err) = program::ended(child.wait_with_output().expect("ends"));
    assert_eq!((exit, err.as_str()), (0, ""), "no progress bar without a terminal");
    assert_eq!(json(&out)["input"], "-");

    let mut cut = pki.read("new.der");
    cut.truncate(cut.len() - 9);
    let cut = pki.write("cut.der", &cut);
    for file in [cut, pki.path("ca.pem"), pki.path("none"), pki.write("empty", b"")] {
        let (exit, out, err) = run(&["crl", &file]);
        assert_eq!((exit, out.as_str()), (2, ""), "{file}");
        assert!(err.contains(&file), "{err}");
    }
}

#[test]
fn crl_finds_serials_however_they_are_written() {
    let Some(pki) = Pki::make("find") else { return };
    let list = pki.path("new.crl");
    for serial in ["1001", "0x1001", "10:01", "001001", "00:10:01"] {
        let (exit, lines) = reported_json(&["crl", &list, "--find", serial]);
        let find = &lines[0]["find"];
        assert_eq!((exit, &find["listed"], &find["serial"]), (0, &true.into(), &"1001".into()), "{serial}");
        let entry = &find["entries"][0];
        assert_eq!(
            (&entry["serial"], &entry["revocation_reason"]),
            (&"1001".into(), &"keyCompromise".into())
        );
        assert_eq!((&entry["certificate_issuer"], &entry["invalid_since"]), (&Value::Null, &Value::Null));
    }
    let (_, lines) = reported_json(&["crl", &list, "--find", "1000"]);
    assert_eq!(
        (&lines[0]["find"]["listed"], &lines[0]["find"]["entries"]),
        (&false.into(), &Value::Array(vec![]))
    );
    assert!(run(&["crl", &list, "--find", "1000"]).1.contains("not listed: 1000"));
    assert_eq!(run(&["crl", &list, "--find", "xyz"]).0, 2);
}

#[test]
fn crl_reports_the_signer() {
    let Some(pki) = Pki::make("signer") else { return };
    pki.root("twin");
    let list = pki.path("new.crl");
    let (exit, lines) = reported_json(&["crl", &list, "--ring", &pki.path("ca.pem")]);
    let signature = &lines[0]["signature"];
    assert_eq!((exit, &signature["verified"]), (0, &true.into()));
    assert_eq!(
        (&signature["signer"]["role"], &signature["signer"]["certificate"]["subject"]),
        (&"anchor".into(), &"CN=Issuer,O=Acme".into())
    );
    let both = ["crl", &list, "--ring", &pki.path("twin.pem"), "--ring", &pki.path("ca.pem")];
    assert_eq!(reported_json(&both).0, 0);
    for (ring, code) in
        [(pki.path("twin.pem"), "bad-signature"), ("testdata/demo/ring".to_owned(), "no-certificate")]
    {
        let (exit, lines) = reported_json(&["crl", &list, "--ring", &ring]);
        let signature = &lines[0]["signature"];
        assert_eq!((exit, &signature["verified"]), (1, &false.into()));
        assert_eq!(signature["cause"], code);
    }
}

#[test]
fn crl_reports_what_changed() {
    let Some(pki) = Pki::make("diff") else { return };
    let (old, new) = (pki.path("old.crl"), pki.path("new.crl"));
    let (exit, lines) = reported_json(&["crl", &new, "--diff", &old]);
    let diff = &lines[0]["diff"];
    assert_eq!((exit, &diff["added_count"], &diff["removed_count"]), (0, &1.into(), &0.into()));
    assert_eq!(diff["added"][0]["serial"], "1001");
    assert_eq!((&diff["old_source"], &diff["old_number"]), (&old.as_str().into(), &"07".into()));
    let (_, lines) = reported_json(&["crl", &old, "--diff", &new]);
    let diff = &lines[0]["diff"];
    assert_eq!((&diff["added_count"], &diff["removed_count"]), (&0.into(), &1.into()));
    assert_eq!(diff["removed"][0]["serial"], "1001");
    let (_, lines) = reported_json(&["crl", &new, "--diff", &new]);
    assert_eq!(
        (&lines[0]["diff"]["added_count"], &lines[0]["diff"]["removed_count"]),
        (&0.into(), &0.into())
    );

    let (_, out, _) = run(&["crl", &new, "--diff", &old]);
    assert!(out.contains("1 added, 0 removed\n    + 1001 revoked "), "{out}");
    let (_, out, _) = run(&["crl", &new, "--diff", &old, "--limit", "0"]);
    assert!(out.contains("    + 1 more\n") && !out.contains("+ 1001"), "{out}");
    let (exit, out, err) = run(&["crl", &new, "--diff", &pki.path("part.crl")]);
    assert_eq!((exit, out.as_str()), (2, ""));
    assert!(err.contains("part.crl: holds no CRL of CN=Issuer,O=Acme"), "{err}");
}

#[test]
fn ocsp_reports_the_content_of_a_response() {
    let Some(pki) = Pki::make("ocsp") else { return };
    let (exit, lines) = reported_json(&["ocsp", &pki.answer("bad", "responder")]);
    let output = &lines[0];
    assert_eq!((exit, &output["schema"], &output["response_status"]), (0, &1.into(), &"successful".into()));
    assert_eq!(output["responder"]["name"], "CN=responder,O=Acme");
    assert_eq!(output["signature_algorithm"]["name"], "ecdsa-with-SHA256");
    assert!(output["nonce"].as_str().is_some_and(|nonce| nonce.len() == 32), "{output}");
    let answer = &output["answers"][0];
    assert_eq!((&answer["serial"], &answer["status"]), (&"1001".into(), &"revoked".into()));
    assert_eq!((&answer["hash_algorithm"], &answer["current"]), (&"sha256".into(), &true.into()));
    assert_eq!(answer["revocation_reason"], "keyCompromise");
    let sent = &output["certificates"][0];
    assert_eq!(
        (&sent["certificate"]["subject"], &sent["ocsp_signing"]),
        (&"CN=responder,O=Acme".into(), &true.into())
    );
    assert_eq!((&sent["nocheck"], &sent["message"]), (&true.into(), &Value::Null));
    assert_eq!((&output["signature"], &output["check"]), (&Value::Null, &Value::Null));

    let (exit, out, _) = run(&["ocsp", &pki.answer("good", "responder")]);
    assert_eq!(exit, 0);
    assert!(out.starts_with("successful: ") && out.contains("  1000 good\n"), "{out}");
    assert!(out.contains(", OCSPSigning, ocsp-nocheck\n"), "{out}");

    let later = pki.write("later.ocsp", &[0x30, 3, 0x0a, 1, 3]);
    let (exit, lines) = reported_json(&["ocsp", &later]);
    assert_eq!(
        (exit, &lines[0]["response_status"], &lines[0]["answers"]),
        (0, &"tryLater".into(), &Value::Array(vec![]))
    );
    assert_eq!(run(&["ocsp", &later, "--ring", &pki.path("ca.pem")]).0, 3);
    assert_eq!(run(&["ocsp", &later, "--cert", &pki.path("good.pem")]).0, 2, "a certificate without a ring");
    assert_eq!(run(&["ocsp", &pki.path("ca.pem")]).0, 2);
}

#[test]
fn ocsp_reports_the_signer_and_the_status() {
    let Some(pki) = Pki::make("responder") else { return };
    pki.root("twin");
    let (good, bad) = (pki.answer("good", "responder"), pki.answer("bad", "responder"));
    let ring = pki.path("ca.pem");
    for (file, signs_as) in [(&good, "delegate"), (&pki.answer("good", "ca"), "issuer")] {
        let (exit, lines) = reported_json(&["ocsp", file, "--ring", &ring]);
        let signature = &lines[0]["signature"];
        assert_eq!((exit, &signature["verified"]), (0, &true.into()), "{signature}");
        assert_eq!(signature["signer"]["signs_as"], signs_as);
    }
    let by_leaf = pki.answer("good", "bad");
    let by_twin = pki.answer("good", "twin");
    // Without its certificate, it looks like one of the CA.
    pki.openssl(
        "ocsp -index index.txt -CA ca.pem -rsigner twin.pem -rkey twin.key -reqin good.ocsq -respout bare.ocsp \
         -resp_no_certs",
    );
    for (file, ring, code) in [
        (&by_leaf, &ring, "wrong-signer"),
        (&good, &pki.path("twin.pem"), "wrong-signer"),
        (&by_twin, &ring, "wrong-signer"),
        (&pki.path("bare.ocsp"), &ring, "bad-signature"),
    ] {
        let (exit, lines) = reported_json(&["ocsp", file, "--ring", ring]);
        assert_eq!((exit, &lines[0]["signature"]["cause"]), (1, &code.into()), "{file}");
    }
    let soon = "2124-01-01T00:00:00Z";
    for (file, certificate, more, code, verdict, status) in [
        (&good, "good", &[][..], 0, "accept", "good"),
        (&bad, "bad", &[], 1, "reject", "revoked"),
        (&bad, "good", &[], 3, "undetermined", "unknown"),
        (&by_leaf, "good", &[], 3, "undetermined", "unknown"),
        (&good, "good", &["--at", soon], 1, "reject", "not-checked"),
    ] {
        let certificate = pki.path(&format!("{certificate}.pem"));
        let flags = ["ocsp", file, "--ring", &ring, "--cert", &certificate];
        let (exit, lines) = reported_json(&[&flags[..], more].concat());
        let output = &lines[0]["check"];
        assert_eq!((exit, &output["verdict"]), (code, &verdict.into()), "{output}");
        assert_eq!(output["revocation"]["status"], status, "{output}");
    }
    let (_, out, _) = run(&["ocsp", &bad, "--ring", &ring, "--cert", &pki.path("bad.pem")]);
    assert!(out.contains("  rejected: ") && out.contains("revoked"), "{out}");
}

#[test]
fn a_self_signed_certificate_is_named_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = certcheck_testkit::Key::p256("self-signed");
    let der = certcheck_testkit::Cert::leaf("CN=Self", &key, "CN=Self", &key).issue(&key);
    let path = folder.path().join("self.pem");
    std::fs::write(&path, certcheck_testkit::pem("CERTIFICATE", &der)).expect("written");
    let path = path.to_str().expect("UTF-8");
    let (exit, out, _) = verify(&[path, "--revocation", "off"]);
    assert_eq!(exit, 1, "{out}");
    assert!(out.starts_with(&format!("rejected: {path}: unknown-issuer\n")), "{out}");
    assert!(out.contains("the certificate is self-signed, and it is not an anchor in the ring"), "{out}");
    assert!(out.contains("fix: use a certificate that a CA of the ring issued, or add this one"), "{out}");
    // What the hint says is enough.
    let (exit, out, _) = run(&["verify", path, "--ring", path, "--at", "2027-01-01", "--revocation", "off"]);
    assert_eq!(exit, 0, "{out}");
}
