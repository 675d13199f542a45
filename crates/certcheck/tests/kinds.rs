//! Files that are not what they are given for: each is named, once, with exit code 2.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::der;
use certcheck_testkit::{Cert, Key, ocsp, pem, program};
use tempfile::TempDir;

/// Files of every kind in a folder of their own.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("folder")).expect("made");
        Self(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).expect("written");
    }

    fn run(&self, arguments: &str) -> (i32, String, String) {
        program::run(
            program::isolated(env!("CARGO_BIN_EXE_certcheck"))
                .current_dir(self.0.path())
                .args(arguments.split_whitespace()),
        )
    }
}

/// A root, a client of it, and one file of each kind.
fn files() -> Files {
    let files = Files::new();
    let (ca, key) = (Key::p256("kinds ca"), Key::p256("kinds client"));
    let (root, client) =
        (Cert::root("CN=Root", &ca).issue(&ca), Cert::leaf("CN=Client", &key, "CN=Root", &ca));
    let client = client.issue(&ca);
    let crl = CrlBuilder::new("CN=Root").issue(&ca);
    files.write("root.pem", pem("CERTIFICATE", &root));
    files.write("good.pem", pem("CERTIFICATE", &client));
    files.write("cert.der", &client);
    files.write("crl.der", &crl);
    files.write("crl.pem", pem("X509 CRL", &crl));
    let answer = ocsp::AnswerBuilder::good(ocsp::cert_id(
        "sha1",
        &certcheck_testkit::name::name("CN=Root"),
        &ca,
        &[1],
    ));
    let answer = ocsp::Response::new(ocsp::by_key(&ca), [answer]).issue(&ca);
    files.write("ocsp.der", &answer);
    files.write("base64.txt", BASE64_STANDARD.encode(&client));
    files.write(
        "base64-crl.txt",
        pem("X", &crl).lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\r\n"),
    );
    files.write("base64-ocsp.txt", BASE64_STANDARD.encode(&answer));
    files.write("key.pem", pem("PRIVATE KEY", &key.pkcs8()));
    files.write("key.der", key.pkcs8());
    files.write("public.der", key.spki());
    let request = der::seq(&[
        der::int(0),
        certcheck_testkit::name::name("CN=x"),
        key.spki().to_vec(),
        der::ctx_c(0, &[]),
    ]);
    let algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")]);
    let request = der::seq(&[request, algorithm, der::bits(&[0; 8])]);
    files.write("csr.der", &request);
    files.write("csr.pem", pem("CERTIFICATE REQUEST", &request));
    let safe = der::seq(&[der::oid("1.2.840.113549.1.7.1"), der::ctx_c(0, &der::bytes(&[0; 200]))]);
    files.write("client.p12", der::seq(&[der::int(3), safe]));
    files.write("store.jks", [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0]);
    let utf16 = |bytes: &str| {
        [0xff, 0xfe].into_iter().chain(bytes.bytes().flat_map(|byte| [byte, 0])).collect::<Vec<_>>()
    };
    files.write("utf16.pem", utf16(&pem("CERTIFICATE", &client)));
    files.write("page.html", "<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n");
    files.write("empty.pem", "");
    files.write(
        "pgp.asc",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n-----END PGP PUBLIC KEY BLOCK-----\n",
    );
    files.write("ssh.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here\n");
    files
}

const ASKED: &str = "--ring root.pem --offline --no-cache --at 2027-01-01";

#[test]
fn each_kind_is_named_wherever_it_is_given() {
    let files = files();
    let cert = [
        ("key.pem", "a private key"),
        ("key.der", "a private key"),
        ("public.der", "a public key"),
        ("csr.der", "a certificate request"),
        ("csr.pem", "a certificate request"),
        ("client.p12", "a PKCS #12 file"),
        ("store.jks", "a Java key store"),
        ("utf16.pem", "UTF-16 text"),
        ("page.html", "an HTML page"),
        ("empty.pem", "an empty file"),
        ("pgp.asc", "a PGP file"),
        ("ssh.pub", "an SSH key"),
        ("crl.der", "a CRL"),
        ("crl.pem", "a CRL"),
        ("ocsp.der", "an OCSP response"),
    ];
    let mut rows: Vec<(String, String)> = Vec::new();
    for (file, what) in cert {
        for place in [
            format!("verify {file} {ASKED}"),
            format!("verify good.pem --untrusted {file} {ASKED}"),
            format!("ring {file}"),
            format!("verify good.pem --ring {file} --offline --no-cache"),
        ] {
            rows.push((place, format!("certcheck: {file}: this is {what}")));
        }
    }
    for (file, what) in [
        ("cert.der", "a certificate"),
        ("good.pem", "a certificate"),
        ("ocsp.der", "an OCSP response"),
        ("client.p12", "a PKCS #12 file"),
        ("page.html", "an HTML page"),
        ("empty.pem", "an empty file"),
    ] {
        for place in [format!("crl {file}"), format!("verify good.pem --crl {file} {ASKED}")] {
            rows.push((place, format!("certcheck: {file}: this is {what}")));
        }
    }
    for (file, what) in [
        ("crl.der", "a CRL"),
        ("crl.pem", "a CRL"),
        ("cert.der", "a certificate"),
        ("page.html", "an HTML page"),
    ] {
        for place in [format!("ocsp {file}"), format!("verify good.pem --ocsp {file} {ASKED}")] {
            rows.push((place, format!("certcheck: {file}: this is {what}")));
        }
    }
    for place in [
        "fetch key.pem --ring root.pem",
        "bench key.pem --ring root.pem",
        "ocsp ocsp.der --ring root.pem --cert key.pem",
    ] {
        rows.push((place.to_owned(), "certcheck: key.pem: this is a private key".to_owned()));
    }
    for place in ["crl folder", "ocsp folder", "verify good.pem --ring root.pem --untrusted folder"] {
        rows.push((place.to_owned(), "certcheck: folder: is a directory".to_owned()));
    }
    for (file, name, what) in [
        ("client.p12", "client.p12", "a PKCS #12 file"),
        ("crl.der", "crl.der", "a CRL"),
        ("key.pem", "key.pem#0", "a private key"),
        ("empty.pem", "empty.pem#0", "an empty file"),
    ] {
        let said = format!("certcheck: {name}: this is {what}, not a certificate");
        rows.push((format!("verify {file} --each {ASKED}"), said));
    }
    let mut bad = Vec::new();
    for (arguments, said) in rows {
        let (exit, out, err) = files.run(&arguments);
        if exit != 2 || !err.contains(&said) || err.lines().count() != 1 || !out.is_empty() {
            bad.push(format!("{arguments}: {exit}\n{out}{err}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Each write to a datagram socket is a message of its own.
#[test]
fn each_line_on_standard_error_is_one_write() {
    let files = files();
    let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().expect("a pair");
    ours.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("set");
    let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
    command.current_dir(files.0.path()).args(["verify", "--jobs", "8"]);
    command.args(["key.pem"; 40]).args(ASKED.split_whitespace());
    let mut child = command.stderr(std::os::fd::OwnedFd::from(theirs)).spawn().expect("runs");
    drop(command);
    for _ in 0..40 {
        let mut line = [0; 4096];
        let length = ours.recv(&mut line).expect("a line");
        let line = String::from_utf8_lossy(&line[..length]).into_owned();
        assert!(line.starts_with("certcheck: key.pem: this is") && line.ends_with('\n'), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let mut text = [0; 4096];
    let length = ours.recv(&mut text).expect("the summary");
    let text = String::from_utf8_lossy(&text[..length]).into_owned();
    assert!(text.starts_with("40 inputs") && text.ends_with("unreadable\n"), "{text}");
    assert_eq!(child.wait().expect("ends").code(), Some(2));
}

#[test]
fn bare_base64_is_read_as_der() {
    let files = files();
    let (exit, out, err) = files.run(&format!("verify base64.txt --revocation off {ASKED}"));
    assert_eq!(exit, 0, "{out}{err}");
    let (exit, out, err) = files.run(&format!("verify good.pem --crl base64-crl.txt {ASKED}"));
    assert_eq!(exit, 0, "{out}{err}");
    for place in ["crl base64-crl.txt", "ocsp base64-ocsp.txt", "ring base64.txt"] {
        let (exit, out, err) = files.run(place);
        assert_eq!(exit, 0, "{place}: {out}{err}");
    }
}
