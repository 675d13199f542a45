//! Wrong files, flags and rings: each message says what was found and what to do, and none blames a CA for it.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::{Cert, Key, pem, program};
use tempfile::TempDir;

/// What was asked, and what the answer must say: what was found, then what to do.
const CASES: &[(&str, &str, &str)] = &[
    // Files that are no certificates.
    ("verify key.pem", "key.pem: this is a private key", "name the file with the certificate for this key"),
    ("verify public.pem", "public.pem: this is a public key", "name the file with the certificate"),
    ("verify request.pem", "request.pem: this is a certificate request (CSR)", "send it to the CA"),
    ("verify list.pem", "list.pem: this is a CRL, not a certificate", "use --crl"),
    ("verify list.der", "list.der: this is a CRL, not a certificate", "use --crl"),
    ("verify page.html", "page.html: this is an HTML page", "download it again"),
    ("verify empty.pem", "empty.pem: this is an empty file", "get the file again"),
    ("verify packed.gz", "packed.gz: this is a gzip file", "unpack it"),
    ("verify archive.zip", "archive.zip: this is a ZIP archive", "unpack it"),
    ("verify wide.pem", "wide.pem: this is UTF-16 text", "convert it"),
    ("verify ssh.pub", "ssh.pub: this is an SSH key", "only X.509 certificates are checked"),
    ("verify cut.der", "cut.der: the file is cut off", "get the file again"),
    ("verify cut.pem", "cut.pem: ", "END"),
    ("verify tail.der", "tail.der: 5 bytes follow the DER value", "remove them"),
    ("verify words.txt", "words.txt: ", "PEM"),
    ("verify noise.bin", "noise.bin: ", "PEM"),
    ("verify torn.pem", "torn.pem: ", "PEM"),
    ("verify nothing.pem", "nothing.pem: ", "No such file"),
    ("verify folder", "folder: no file in it has ", "pem"),
    // Evidence of another kind.
    ("verify good.pem --crl good.pem", "good.pem: this is a certificate, not a CRL", "--untrusted"),
    ("verify good.pem --crl key.pem", "key.pem: this is a private key, not a CRL", "name a file with a CRL"),
    ("verify good.pem --crl page.html", "page.html: this is an HTML page, not a CRL", "download it again"),
    ("verify good.pem --crl cut-list.der", "cut-list.der: the file is cut off", "get the file again"),
    ("verify good.pem --ocsp list.der", "list.der: this is a CRL, not an OCSP response", "use --crl"),
    ("verify good.pem --ocsp good.pem", "good.pem: this is a certificate, not an OCSP", "--untrusted"),
    ("verify good.pem --untrusted key.pem", "key.pem: this is a private key", "certificate for this key"),
    ("crl good.pem", "good.pem: this is a certificate, not a CRL", "certcheck verify FILE"),
    ("ocsp page.html", "page.html: this is an HTML page", "download it again"),
    // Rings.
    (
        "verify good.pem --ring key.pem",
        "key.pem: this is a private key",
        "a key ring holds certificates of CAs",
    ),
    ("verify good.pem --ring list.pem", "list.pem: this is a CRL", "use --crl"),
    ("verify good.pem --ring page.html", "page.html: this is an HTML page", "download it again"),
    ("verify good.pem --ring nowhere", "nowhere: ", "No such file"),
    ("verify good.pem --ring folder", "the key ring has no anchor", "folder"),
    ("ring folder", "the key ring has no anchor", "folder"),
    ("watch --ring folder", "the key ring has no anchor", "folder"),
    // Flags.
    ("verify good.pem --at tomorrow", "'tomorrow' for '--at", "now+1d"),
    ("verify good.pem --timeout 0", "'0' for '--timeout", "500ms"),
    ("verify good.pem --hostname a_/b", "'a_/b' for '--hostname", "such as example.com"),
    ("verify good.pem --policy x.y", "'x.y' for '--policy", "such as 2.16."),
    ("verify good.pem --allow-net lo", "'lo' for '--allow-net", "such as 127.0.0.0/8"),
    ("verify good.pem --proxy squid", "'squid' for '--proxy", "such as http://proxy.example:3128"),
    ("verify good.pem --ldap-server a/b", "'a/b' for '--ldap-server", "such as ldap.example"),
    (
        "verify good.pem --report nowhere/page.html",
        "nowhere/page.html: not written",
        "there is no folder nowhere",
    ),
    ("verify good.pem --revocation hard", "'hard' for '--revocation", "hard-fail"),
    ("vrify good.pem", "unrecognized subcommand 'vrify'", "'verify'"),
    // URLs, keys, the cache.
    ("fetch crl.example/ca.crl", "crl.example/ca.crl: no such file", "write http://crl.example/ca.crl"),
    ("fetch nothing.pem", "nothing.pem: no such file", ""),
    ("fetch good.pem", "good.pem: to fetch the evidence about a certificate", "--ring"),
    ("bench good.pem --handshake --key key.pem", "key.pem: is not the private key", "in good.pem"),
    ("bench good.pem --handshake --key good.pem", "good.pem: holds no private key", "PKCS #8"),
    ("cache show 0123456 --cache-dir cache", "0123456: not in the cache", "certcheck cache list"),
];

fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    };
    let (ca, client, other) = (Key::p256("wrong ca"), Key::p256("wrong client"), Key::p256("wrong other"));
    let root = Cert::root("CN=Root", &ca).issue(&ca);
    let good = Cert::leaf("CN=Client", &client, "CN=Root", &ca).issue(&ca);
    let list = CrlBuilder::new("CN=Root").issue(&ca);
    put("ring/root.pem", pem("CERTIFICATE", &root).as_bytes());
    put("good.pem", pem("CERTIFICATE", &good).as_bytes());
    put("key.pem", pem("PRIVATE KEY", &other.pkcs8()).as_bytes());
    put("public.pem", pem("PUBLIC KEY", &good).as_bytes());
    put("request.pem", pem("CERTIFICATE REQUEST", &good).as_bytes());
    put("list.pem", pem("X509 CRL", &list).as_bytes());
    put("list.der", &list);
    put("cut-list.der", &list[..list.len() - 20]);
    put("page.html", b"<!DOCTYPE html><html><body>404</body></html>");
    put("empty.pem", b"\n");
    put("packed.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
    put("archive.zip", b"PK\x03\x04\x14\x00\x00\x00");
    let wide: Vec<u8> = pem("CERTIFICATE", &good).encode_utf16().flat_map(u16::to_le_bytes).collect();
    put("wide.pem", &[&[0xff, 0xfe], &wide[..]].concat());
    put("ssh.pub", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@here");
    put("cut.der", &good[..200]);
    let text = pem("CERTIFICATE", &good);
    put("cut.pem", &text.as_bytes()[..300]);
    put("tail.der", &[&good[..], b"tail\n"].concat());
    put("words.txt", b"hello\n");
    put("noise.bin", &[0x8f, 0x11, 0xe0, 0x55].repeat(300));
    let torn = BASE64_STANDARD.encode(&good).replacen('M', "!", 1);
    put("torn.pem", format!("-----BEGIN CERTIFICATE-----\n{torn}\n-----END CERTIFICATE-----\n").as_bytes());
    std::fs::create_dir(folder.path().join("folder")).expect("made");
    folder
}

#[test]
fn each_wrong_input_is_named_with_what_to_do() {
    let files = files();
    assert!(CASES.len() >= 30);
    let mut bad = Vec::new();
    for (arguments, found, fix) in CASES {
        let (exit, out, err) = run(files.path(), arguments);
        let says = |text: &str| err.contains(text);
        let is_lines = err.lines().count() == 1 || err.starts_with("error: ");
        // No CA can do anything about a wrong file.
        let blames =
            ["issued again", "RFC ", "fix:"].iter().any(|word| err.contains(word) || out.contains(word));
        if exit != 2 || !says(found) || !says(fix) || !is_lines || blames || !out.is_empty() {
            bad.push(format!("{arguments}: exit {exit}, wanted {found:?} and {fix:?}\n  {out}{err}"));
        }
    }
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), CASES.len(), bad.join("\n"));
}

/// Runs it, with the ring that every case has which names no other.
fn run(folder: &Path, arguments: &str) -> (i32, String, String) {
    let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
    command.current_dir(folder).args(arguments.split_whitespace());
    let takes_ring = ["verify ", "bench "].iter().any(|name| arguments.starts_with(name));
    if takes_ring && !arguments.contains("--ring") {
        command.args(["--ring", "ring"]);
    }
    if arguments.starts_with("verify ") {
        command.args(["--offline", "--no-cache"]);
    }
    program::run(&mut command)
}

#[test]
fn a_missing_ring_is_named_with_every_way_to_give_one() {
    let files = files();
    let output = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(files.path())
        .args(["verify", "good.pem"])
        .output()
        .expect("runs");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("--ring <PATH>") && err.contains("CERTCHECK_RING"), "{err}");
}

/// There may be no CRL yet: that is a warning, and the verdict says that the status is unknown.
#[test]
fn an_empty_folder_of_evidence_is_a_warning() {
    let files = files();
    for flag in ["--crl", "--ocsp"] {
        let (exit, out, err) = run(files.path(), &format!("verify good.pem {flag} folder"));
        assert_eq!(exit, 3, "{out}{err}");
        assert!(err.contains("warning: folder: the directory has no file in it"), "{err}");
    }
}
