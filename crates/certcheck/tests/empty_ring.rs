//! A key ring without an anchor is an error for each command that takes `--ring`: exit code 2, and a message with the ring,
//! what was in it and what to do.

use std::path::Path;
use std::process::Command;

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::{Cert, Key, der, pem};

const COMMANDS: &[&str] = &[
    "verify client.pem --offline --no-cache --ring",
    "verify client.pem --offline --no-cache --ring-skip-unreadable --ring",
    "verify client.pem --offline --no-cache --json --ring",
    "ring",
    "ring --json",
    "watch --ring",
    "watch client.pem --ring",
    "fetch client.pem --ring",
    "fetch http://127.0.0.1:1/ca.crl --ring",
    "bench client.pem --rounds 1 --ring",
    "bench client.pem --handshake --key client.key --rounds 1 --ring",
    "cache prefetch client.pem --cache-dir cache --ring",
    "crl ca.crl --ring",
    "ocsp answer.der --ring",
];

/// Rings without an anchor, and what is said of each.
const RINGS: &[(&str, &[&str])] = &[
    ("empty", &["no file was found"]),
    ("notes", &["no file was found"]),
    ("parts", &["2 files were read", "1 intermediate and 1 distrusted certificates"]),
    (
        "odd.pem",
        &[
            "1 file was read",
            "the self-issued certificate in odd.pem has a signature that cannot be verified",
        ],
    ),
];

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, content).expect("written");
}

fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path();
    let (root, ca, client) = (Key::p256("root"), Key::p256("ca"), Key::p256("client"));
    let ca_cert = pem("CERTIFICATE", &Cert::ca("CN=CA", &ca, "CN=Root", &root).issue(&root));
    let leaf = Cert::leaf("CN=Client", &client, "CN=CA", &ca);
    let leaf = leaf.with([ext::cdp(&[Point::urls(&["http://127.0.0.1:1/ca.crl"])])]).issue(&ca);
    write(to, "client.pem", pem("CERTIFICATE", &leaf));
    write(to, "client.key", pem("PRIVATE KEY", &client.pkcs8()));
    write(to, "ca.crl", CrlBuilder::new("CN=CA").issue(&ca));
    write(to, "answer.der", der::seq(&[der::tlv(0x0a, &[6])]));
    std::fs::create_dir(to.join("empty")).expect("made");
    write(to, "notes/README.md", "The certificates will follow.\n");
    write(to, "parts/intermediates/ca.pem", &ca_cert);
    write(to, "parts/distrusted/ca.pem", &ca_cert);
    // It names itself as its issuer, and another key has signed it.
    let odd = Cert::root("CN=Odd", &root).issue(&ca);
    write(to, "odd.pem", pem("CERTIFICATE", &odd));
    folder
}

#[test]
fn each_command_with_a_ring_says_that_there_is_no_anchor() {
    let folder = files();
    let mut faults = Vec::new();
    for command in COMMANDS {
        for (ring, said) in RINGS {
            let output = Command::new(env!("CARGO_BIN_EXE_certcheck"))
                .current_dir(folder.path())
                .args(command.split(' ').chain([*ring]))
                .output()
                .expect("runs");
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            let begins = format!("certcheck: {ring}: the key ring has no anchor");
            let is_right = output.status.code() == Some(2)
                && (output.stdout.is_empty() || command.contains("--json"))
                && error.lines().count() == 1
                && error.starts_with(&begins)
                && said.iter().all(|part| error.contains(part))
                && error.contains("add a root certificate");
            if !is_right {
                faults.push(format!("{command} {ring}: {:?}\n{error}", output.status.code()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Several paths make one ring: a folder that only distrusts is fine along with one that has an anchor.
#[test]
fn one_anchor_in_any_of_the_paths_is_enough() {
    let folder = files();
    let root = Key::p256("root");
    write(folder.path(), "root.pem", pem("CERTIFICATE", &Cert::root("CN=Root", &root).issue(&root)));
    let output = Command::new(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(folder.path())
        .args(["ring", "parts", "root.pem", "empty"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("1 anchor, 1 intermediate, 1 distrusted"));
}
