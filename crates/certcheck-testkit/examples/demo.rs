//! Writes the demonstration PKI: `cargo run -p certcheck-testkit --example demo -- testdata/demo`.
#![allow(clippy::unwrap_used, reason = "a tool for people who work on the project")]

use std::path::Path;

use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::{Cert, Key, pem};

fn main() {
    let directory = std::env::args().nth(1).unwrap();
    let write_as = |label: &str, file: &str, der: &[u8]| {
        let path = Path::new(&directory).join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, pem(label, der).replace("\r\n", "\n")).unwrap();
    };
    let write = |file: &str, der: &[u8]| write_as("CERTIFICATE", file, der);
    let key = |name: &str| Key::p256(&format!("demo {name}"));
    let (root, ca, other) = (key("root"), key("issuing ca"), key("other root"));
    let (root_name, ca_name) = ("C=US,O=Acme Corp,CN=Acme Root", "C=US,O=Acme Corp,CN=Acme Device CA");
    write("ring/root.pem", &Cert::root(root_name, &root).issue(&root));
    let issuing = Cert::ca(ca_name, &ca, root_name, &root).with([
        ext::basic_constraints(true, Some(0)),
        ext::cdp(&[Point::urls(&["http://crl.acme.example/root.crl"])]),
    ]);
    write("ring/device-ca.pem", &issuing.issue(&root));

    let client = |name: &str, issuer_name: &str, issuer: &Key| {
        Cert::leaf(&format!("C=US,O=Acme Corp,CN={name}"), &key(name), issuer_name, issuer).with([
            ext::san(&[format!("dns:{name}.devices.acme.example")]),
            ext::cdp(&[Point::urls(&["http://crl.acme.example/device-ca.crl"])]),
        ])
    };
    write("good.pem", &client("device-17", ca_name, &ca).issue(&ca));
    let expired = client("device-4", ca_name, &ca).valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    write("expired.pem", &expired.issue(&ca));
    let revoked = client("device-9", ca_name, &ca);
    write("revoked.pem", &revoked.issue(&ca));
    write("wrong-ca.pem", &client("device-17", "C=US,O=Acme Corp,CN=Another CA", &other).issue(&other));

    // Long-lived, so that the demonstration does not go stale.
    let until = Some("2125-01-01T00:00:00Z");
    let of_root = CrlBuilder::new(root_name).valid("2026-01-01T00:00:00Z", until).with([ext::aki(&root)]);
    write_as("X509 CRL", "crl/root.pem", &of_root.issue(&root));
    let entry = RevokedCertificate::new(&revoked.serial).with([crl::reason("keyCompromise")]);
    let of_ca =
        CrlBuilder::new(ca_name).valid("2026-03-01T00:00:00Z", until).with([ext::aki(&ca)]).revoking([entry]);
    write_as("X509 CRL", "crl/device-ca.pem", &of_ca.issue(&ca));
}
