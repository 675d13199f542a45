use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::process::Folder;
use super::{Nginx, OpensslResponder, Slapd};
use crate::program::PATIENCE;

/// Status line, fields and body.
fn get(url: &str, field: &str) -> (String, Vec<u8>) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{field}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end..].to_vec())
}

#[test]
fn nginx_serves_files() {
    let files = Folder::new("files");
    files.write("a.crl", &"not a CRL ".repeat(100));
    let Some(nginx) = Nginx::start(files.path(), "location /late { return 503; }") else { return };
    let (head, body) = get(&nginx.url("/a.crl"), "");
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("Content-Type: application/pkix-crl\r\n"),
        "{head}"
    );
    assert!(!head.contains("Content-Encoding"), "{head}");
    assert_eq!(body.len(), 1_000);
    let tag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("an ETag");
    let (head, _) = get(&nginx.url("/a.crl"), &format!("If-None-Match: {tag}\r\n"));
    assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
    let (head, body) = get(&nginx.url("/a.crl"), "Accept-Encoding: gzip\r\n");
    assert!(head.contains("Content-Encoding: gzip\r\n") && body.len() < 1_000, "{head}");
    let (head, _) = get(&nginx.url("/moved/a.crl"), "");
    assert!(head.starts_with("HTTP/1.1 302 "), "{head}");
    assert!(head.contains(&format!("Location: {}\r\n", nginx.url("/a.crl"))), "{head}");
    get(&nginx.url("/late"), "");
    let expected =
        ["GET /a.crl 200", "GET /a.crl 304", "GET /a.crl 200", "GET /moved/a.crl 302", "GET /late 503"];
    assert_eq!(nginx.access_log(), expected);
}

fn openssl(folder: &Path, line: &str) -> String {
    let output = Command::new("openssl").args(line.split_whitespace()).current_dir(folder).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {line}: {message}");
    format!("{}{message}", String::from_utf8_lossy(&output.stdout))
}

/// A CA in `ca.pem` and `ca.key`.
fn ca(folder: &Folder) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key";
    let name = "-subj /O=Acme/CN=Issuer -addext subjectAltName=IP:127.0.0.1";
    openssl(folder.path(), &format!("req -x509 {key} {name} -out ca.pem -days 30"));
}

#[test]
fn openssl_answers() {
    let files = Folder::new("files");
    if super::process::find("openssl").is_none() {
        return;
    }
    ca(&files);
    files.write("index.txt", "R\t400101000000Z\t200101000000Z,keyCompromise\t1001\tunknown\t/CN=bad\n");
    let Some(responder) =
        OpensslResponder::start(files.path(), "index.txt", "ca.pem", "ca.pem", "ca.key", &[])
    else {
        return;
    };
    for (serial, status) in [("0x1001", "revoked"), ("0x1002", "unknown")] {
        let ask = format!("ocsp -issuer ca.pem -CAfile ca.pem -serial {serial} -url {}", responder.url());
        let answer = openssl(files.path(), &ask);
        assert!(answer.contains("verify OK") && answer.contains(&format!("{serial}: {status}")), "{answer}");
    }
}

/// Whether slapd answers a search for `cn=Crl,o=Acme` with these bytes.
fn finds(port: u16, expected: &[u8]) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The entry itself, if it has an objectClass, and all its attributes.
    stream.write_all(b"\x30\x35\x02\x01\x01\x63\x30\x04\x0dcn=Crl,o=Acme\x0a\x01\x00\x0a\x01\x00").unwrap();
    stream.write_all(b"\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x0bobjectClass\x30\x03\x04\x01*").unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    loop {
        match stream.read(&mut part) {
            Ok(length @ 1..) => answer.extend_from_slice(&part[..length]),
            _ => return false,
        }
        if answer.windows(expected.len()).any(|part| part == expected) {
            return true;
        }
    }
}

#[test]
fn slapd_holds_crls() {
    let files = Folder::new("files");
    if super::process::find("openssl").is_none() {
        return;
    }
    ca(&files);
    let config =
        "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ncrlnumber=n\ndefault_md=sha256\ndefault_crl_days=1\n";
    files.write("cnf", config);
    files.write("index.txt", "");
    files.write("n", "01\n");
    openssl(files.path(), "ca -config cnf -cert ca.pem -keyfile ca.key -gencrl -out crl.pem");
    openssl(files.path(), "crl -in crl.pem -outform DER -out crl.der");
    let crl = std::fs::read(files.path().join("crl.der")).unwrap();
    let ldif = Slapd::crl_entry("Crl", "certificateRevocationList", &crl);
    let Some(slapd) = Slapd::start(&ldif) else { return };
    assert!(finds(slapd.port(), &crl));
    let url = format!("ldap://127.0.0.1:{}/cn=A%20B,o=Acme?cACertificate", slapd.port());
    assert_eq!(slapd.url("cn=A B,o=Acme", "cACertificate"), url);
    let at = files.path();
    let Some(tls) = Slapd::start_tls(&ldif, &at.join("ca.pem"), &at.join("ca.pem"), &at.join("ca.key"))
    else {
        return;
    };
    let ask = format!("s_client -connect 127.0.0.1:{} -CAfile ca.pem -verify_return_error", tls.port());
    assert!(openssl(at, &ask).contains("Verify return code: 0"));
}
