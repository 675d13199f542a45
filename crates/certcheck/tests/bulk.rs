//! Thousands of inputs: every way to name them, each told in order, the same verdicts as one by one, and a summary.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::{Cert, Key, pem, program};
use serde_json::Value;

const CLIENTS: usize = 3_000;
/// Every so manyth client is revoked, and another one has expired.
const REVOKED: usize = 100;
const EXPIRED: usize = 250;

/// Folder with `ring.pem`, `ca.crl`, `clients.pem` and, of the first hundred, `clients/N.pem`.
struct Issued {
    folder: tempfile::TempDir,
}

fn name_of(number: usize) -> String {
    format!("O=Bulk,CN=client {number}")
}

fn what_of(number: usize) -> &'static str {
    match number {
        n if n % EXPIRED == 1 => "expired",
        n if n % REVOKED == 0 => "certificate-revoked",
        _ => "accept",
    }
}

impl Issued {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let root = Key::p256("bulk root");
        let client = Key::p256("bulk client");
        let put = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).expect("written");
        put("ring.pem", pem("CERTIFICATE", &Cert::root("O=Bulk", &root).issue(&root)).as_bytes());
        fs::create_dir_all(folder.path().join("clients/deeper")).expect("folder");
        let (mut bundle, mut ders, mut entries) = (String::new(), Vec::new(), Vec::new());
        for number in 0..CLIENTS {
            let mut leaf = Cert::leaf(&name_of(number), &client, "O=Bulk", &root);
            leaf.serial = u32::try_from(0x0100_0000 + number).expect("small").to_be_bytes().to_vec();
            match what_of(number) {
                "expired" => leaf = leaf.valid("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
                "certificate-revoked" => entries.push(RevokedCertificate::new(&leaf.serial)),
                _ => {}
            }
            let der = leaf.issue(&root);
            bundle += &pem("CERTIFICATE", &der);
            if number < 100 {
                let deeper = if number % 2 == 0 { "" } else { "deeper/" };
                put(&format!("clients/{deeper}{number:03}.pem"), pem("CERTIFICATE", &der).as_bytes());
            }
            ders.extend(der);
        }
        put("clients.pem", bundle.as_bytes());
        put("clients.der", &ders);
        put("clients/000.key", b"not a certificate");
        put("ca.crl", &CrlBuilder { entries, ..CrlBuilder::new("O=Bulk") }.issue(&root));
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn verify(&self, arguments: &[&str], input: Option<&[u8]>) -> (i32, String, String) {
        let mut child = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .current_dir(self.folder.path())
            .arg("verify")
            .args(arguments)
            .args(["--ring", "ring.pem", "--crl", "ca.crl", "--at", "2027-01-02T00:00:00Z"])
            .args(["--offline", "--no-cache"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.unwrap_or_default().to_vec();
        let writing = std::thread::spawn(move || {
            let _gone = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("ends");
        writing.join().expect("written");
        program::ended(output)
    }
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// What an input came to, and of whom.
fn output(line: &Value) -> (String, String) {
    let code = line["reason"]["code"].as_str().or_else(|| line["verdict"].as_str());
    let subject = line["path"][0]["certificate"]["subject"].as_str();
    (subject.unwrap_or_default().to_owned(), code.unwrap_or_default().to_owned())
}

#[test]
fn every_certificate_of_a_bundle_in_order_by_however_many_threads() {
    let issued = Issued::make();
    let pem = fs::read(issued.path("clients.pem")).expect("there");
    for (file, jobs, input) in
        [("clients.pem", "1", None), ("clients.der", "7", None), ("-", "64", Some(&pem[..]))]
    {
        let (exit, out, err) = issued.verify(&[file, "--each", "--json", "--jobs", jobs], input);
        assert_eq!(exit, 1, "{err}");
        let lines = lines(&out);
        assert_eq!(lines.len(), CLIENTS);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line["input"], format!("{file}#{number}"));
            let (subject, code) = output(line);
            assert!(subject.contains(&format!("client {number}")), "{subject}");
            assert_eq!(code, what_of(number), "{number}");
        }
        assert!(err.contains("3000 inputs") && err.contains("rejected: certificate-revoked"), "{err}");
    }
}

#[test]
fn a_summary_counts_what_each_came_to() {
    let issued = Issued::make();
    let count = |what| (0..CLIENTS).filter(|number| what_of(*number) == what).count();
    let (exit, out, _) = issued.verify(&["clients.pem", "--each", "--summary", "--json"], None);
    assert_eq!(exit, 1);
    let summary = &lines(&out)[0];
    assert_eq!(summary["inputs"], CLIENTS);
    assert_eq!(summary["accepted"], count("accept"));
    assert_eq!(summary["rejected"]["expired"], count("expired"));
    assert_eq!(summary["rejected"]["certificate-revoked"], count("certificate-revoked"));
    assert_eq!(summary["unreadable"], 0);
    let (_, out, _) = issued.verify(&["clients.pem", "--each", "--summary"], None);
    assert!(out.contains(&format!("{} accepted", count("accept"))), "{out}");
    assert_eq!(out.lines().count(), 4, "{out}");
}

#[test]
fn directories_and_lists_of_files() {
    let issued = Issued::make();
    let (exit, out, _) = issued.verify(&["clients", "--json"], None);
    assert_eq!(exit, 1);
    let output: Vec<_> = lines(&out).iter().map(|line| line["input"].as_str().unwrap().to_owned()).collect();
    // All of the folder's certificates, in order of name, and not the key.
    assert_eq!(output.len(), 100);
    assert_eq!(output[0], Path::new("clients/000.pem").display().to_string());
    assert_eq!(output[50], Path::new("clients/deeper/001.pem").display().to_string());
    let list = b"clients/002.pem\0clients/deeper/003.pem\0missing.pem\0clients/004.pem";
    let (exit, out, err) = issued.verify(&["--files0-from", "-", "--json"], Some(list));
    assert_eq!(exit, 2, "one of them is not there");
    let inputs: Vec<_> = lines(&out).iter().map(|line| line["input"].as_str().unwrap().to_owned()).collect();
    assert_eq!(inputs, ["clients/002.pem", "clients/deeper/003.pem", "missing.pem", "clients/004.pem"]);
    assert!(err.contains("missing.pem: "), "{err}");
}

#[test]
fn input_that_is_no_input_is_reported_and_ends() {
    let issued = Issued::make();
    fs::create_dir(issued.path("empty")).expect("folder");
    let (exit, _, err) = issued.verify(&["empty"], None);
    assert_eq!(exit, 2);
    assert!(err.contains("empty: no file in it has the extension of a certificate"), "{err}");
    let (exit, _, err) = issued.verify(&["--files0-from", "-"], Some(b""));
    assert_eq!(exit, 2);
    assert!(err.contains("no input: the list of files is empty"), "{err}");
    let (exit, _, err) = issued.verify(&["--files0-from", "-"], Some(&vec![b'a'; 200_000]));
    assert_eq!(exit, 2);
    assert!(err.contains("longer than 64 KiB"), "{err}");
    let (exit, _, err) = issued.verify(&["--files0-from", "-"], Some(b"clients/002.pem\nclients/004.pem\n"));
    assert_eq!(exit, 2);
    assert!(err.contains("end each path with NUL"), "{err}");
    let (exit, out, err) = issued.verify(&["ca.crl", "clients.pem", "--each", "--summary"], None);
    assert_eq!(exit, 2, "a CRL is no certificate: {out}{err}");
    let (exit, _, err) = issued.verify(&["--each"], None);
    assert_eq!(exit, 2);
    assert!(err.contains("<CERT>"), "{err}");
}

/// Of what is in a folder and not looked into nobody can say that it is good: each is told, and the exit code says so.
#[cfg(unix)]
#[test]
fn nothing_in_a_folder_is_passed_over_unseen() {
    use std::os::unix::fs::symlink;
    let issued = Issued::make();
    let revoked = fs::read(issued.path("clients/000.pem")).expect("there");
    let good = fs::read(issued.path("clients/002.pem")).expect("there");
    let put = |name: &str, content: &[u8]| {
        let path = issued.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, content).expect("written");
    };
    put(&format!("deep/{}revoked.pem", "d/".repeat(34)), &revoked);
    put("deep/good.pem", &good);
    put("other/revoked.pem", &revoked);
    put("linked/good.pem", &good);
    symlink("../other", issued.path("linked/sub")).expect("a link");
    symlink("../other/revoked.pem", issued.path("linked/x.pem")).expect("a link");
    put("piped/good.pem", &good);
    assert!(Command::new("mkfifo").arg(issued.path("piped/a.pem")).status().expect("runs").success());
    symlink("/dev/zero", issued.path("piped/z.pem")).expect("a link");
    let cases: [(&[&str], &[&str], &str); 4] = [
        (&["deep"], &[": skipped: more than 32 directories deep"], "1 accepted"),
        (&["linked"], &["linked/sub: skipped: a link to a directory"], "1 rejected: certificate-revoked"),
        (
            &["piped"],
            &["piped/a.pem: skipped: not a regular file", "piped/z.pem: skipped: not a regular file"],
            "1 accepted",
        ),
        (
            &["piped", "--each"],
            &["piped/a.pem: skipped: not a regular file", "piped/z.pem: skipped: not a regular file"],
            "1 accepted",
        ),
    ];
    for (inputs, remarks, counted) in cases {
        let (exit, out, err) = issued.verify(&[inputs, &["--summary"]].concat(), None);
        assert_eq!(exit, 2, "{inputs:?}: {out}{err}");
        assert!(remarks.iter().all(|remark| err.contains(remark)), "{inputs:?}: {err}");
        assert!(out.contains(counted) && out.contains(&format!("{} unreadable", remarks.len())), "{out}");
    }
    // What is named may be what a folder may not hold.
    let (exit, out, _) = issued.verify(&["/dev/stdin", "--summary"], Some(&good));
    assert_eq!((exit, out.contains("1 accepted")), (0, true), "{out}");
}

/// That policy let something pass is told wherever it is counted.
#[test]
fn a_summary_says_what_was_tolerated() {
    let issued = Issued::make();
    let run = |arguments: &[&str]| {
        let output = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .current_dir(issued.folder.path())
            .args(["verify", "clients/002.pem", "clients/004.pem", "clients/002.pem"])
            .args(["--ring", "ring.pem", "--offline", "--no-cache", "--at", "2027-01-02T00:00:00Z"])
            .args(arguments)
            .output()
            .expect("runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for word in ["soft-fail", "if-offered"] {
        let (exit, out, _) = run(&["--revocation", word, "--summary", "--report", "page.html"]);
        assert_eq!(exit, Some(0), "{out}");
        assert!(out.contains("3 of these with unknown status, tolerated by policy: no-source"), "{out}");
        let page = fs::read_to_string(issued.path("page.html")).expect("a page");
        assert_eq!(page.matches("and the policy tolerates that").count(), 3);
        let (_, out, _) = run(&["--revocation", word, "--summary", "--json"]);
        assert_eq!(lines(&out)[0]["tolerated"]["no-source"], 3, "{out}");
        let (_, _, err) = run(&["--revocation", word]);
        assert_eq!(err.matches("warning: ").count(), 3, "{err}");
    }
    let (_, out, _) = run(&["--revocation", "off", "--summary"]);
    assert!(!out.contains("tolerated"), "{out}");
}

/// Names of files move no cursor and end no line.
#[cfg(unix)]
#[test]
fn names_of_files_are_shown_as_they_are() {
    let issued = Issued::make();
    let good = fs::read(issued.path("clients/002.pem")).expect("there");
    let name = "x\naccepted: \u{1b}[2Jevil.pem";
    fs::write(issued.path(name), good).expect("written");
    fs::write(issued.path("y\u{7}.pem"), "no certificate").expect("written");
    let (_, out, err) = issued.verify(&[name, "y\u{7}.pem", "z\u{7}.pem"], None);
    assert!(out.starts_with("accepted: x\\u{a}accepted: \\u{1b}[2Jevil.pem\n"), "{out}");
    assert!(err.contains("y\\u{7}.pem: ") && err.contains("z\\u{7}.pem: "), "{err}");
    assert!(!err.contains('\u{7}'), "{err}");
}

#[test]
fn who_stops_reading_stops_the_work() {
    let issued = Issued::make();
    let mut child = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(issued.folder.path())
        .args([
            "verify",
            "clients.pem",
            "--each",
            "--json",
            "--ring",
            "ring.pem",
            "--crl",
            "ca.crl",
            "--offline",
        ])
        .args(["--no-cache", "--at", "2027-01-02T00:00:00Z"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
