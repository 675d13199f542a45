//! Keys, certificates and CRLs in a folder, and a server that the CRLs are fetched from.

use std::fs;
use std::path::{Path, PathBuf};

use certcheck_benches::{CA, ca_key, crl_from};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::{Cert, Key, pem};

const ROOT: &str = "O=Bench,CN=Root";
const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2125-01-01T00:00:00Z";
/// Entries of the large CRL, and of the usual one.
const MILLION: usize = 1_000_000;
const FEW: usize = 1_000;

/// The folder, with `root.pem`, `ring/`, `server.pem`, `server.key`, `client.pem` and `client.key`, `few` and `million`
/// for clients of which the CRL is that large, and `crls.pem`, of the root and with a million entries.
pub(crate) struct Scene {
    folder: PathBuf,
    /// It serves until it is dropped.
    _server: Server,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("certcheck-front-{}", std::process::id()));
        fs::create_dir_all(folder.join("ring")).unwrap();
        let server = Server::start();
        let (root, ca) = (Key::p256("bench root"), ca_key());
        let at = |path: &str| ext::cdp(&[Point::urls(&[server.url(path)])]);
        let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
        let root_der = Cert::root(ROOT, &root).issue(&root);
        let ca_der = Cert::ca(CA, &ca, ROOT, &root).with([at("/root.crl")]).issue(&root);
        write("root.pem", pem("CERTIFICATE", &root_der));
        write("ring/root.pem", pem("CERTIFICATE", &root_der));
        write("ring/ca.pem", pem("CERTIFICATE", &ca_der));
        let key = Key::p256("bench server");
        let cert = Cert::leaf("O=Bench,CN=localhost", &key, ROOT, &root)
            .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
        let (chain, secret) = (pem("CERTIFICATE", &cert.issue(&root)), pem("PRIVATE KEY", &key.pkcs8()));
        // HAProxy wants both in one file.
        write("both.pem", format!("{chain}{secret}"));
        write("server.pem", chain);
        write("server.key", secret);
        let key = Key::p256("bench client");
        for name in ["few", "million"] {
            let cert =
                Cert::leaf(&format!("O=Bench,CN={name}"), &key, CA, &ca).with([at(&format!("/{name}.crl"))]);
            write(
                &format!("{name}.pem"),
                pem("CERTIFICATE", &cert.issue(&ca)) + &pem("CERTIFICATE", &ca_der),
            );
        }
        write("client.key", pem("PRIVATE KEY", &key.pkcs8()));
        let root_crl = CrlBuilder::new(ROOT).valid(FROM, Some(UNTIL)).issue(&root);
        let crl = |entries| crl_from(CrlBuilder::new(CA).valid(FROM, Some(UNTIL)), entries).0;
        let million = crl(MILLION);
        write("crls.pem", pem("X509 CRL", &root_crl) + &pem("X509 CRL", &million));
        server.serve("/root.crl", Page::new(root_crl));
        server.serve("/few.crl", Page::new(crl(FEW)));
        server.serve("/million.crl", Page::new(million));
        Self { folder, _server: server }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}
