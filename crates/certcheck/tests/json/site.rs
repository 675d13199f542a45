//! A PKI with a client for each result, and a server with its evidence.

use std::fs;
use std::process::Output;

use certcheck_testkit::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Fault, OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, der, pem, program};
use serde_json::Value;

pub(crate) const ROOT: &str = "O=Json,CN=Root";
pub(crate) const CA: &str = "O=Json,CN=CA";
pub(crate) const AT: &str = "2027-01-02T00:00:00Z";
/// What every call of `verify` has.
pub(crate) const VERIFY: [&str; 9] =
    ["--ring", "ring", "--at", AT, "--allow-net", "127.0.0.0/8", "--timeout", "10", "--json"];

pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) server: Server,
    pub(crate) root: Key,
    pub(crate) ca: Key,
}

impl Site {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let site =
            Self { folder, server: Server::start(), root: Key::p256("json root"), ca: Key::p256("json ca") };
        site.make_ring();
        site.make_clients();
        site.make_crls();
        site
    }

    /// Exit code and lines of a call that prints JSON.
    pub(crate) fn lines(&self, exit: i32, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {out}{err}");
        out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.current_dir(self.folder.path()).args(arguments).output().expect("runs")
    }

    /// The URL of a mirror.
    pub(crate) fn mirror(&self) -> String {
        self.server.url("/mirror")
    }

    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, content).expect("written");
    }

    fn put_certificate(&self, name: &str, der: &[u8]) {
        self.put(name, pem("CERTIFICATE", der).as_bytes());
    }

    fn root_certificate(&self) -> Vec<u8> {
        Cert::root(ROOT, &self.root).with([ext::policies(&["2.5.29.32.0"])]).issue(&self.root)
    }

    fn ca_certificate(&self) -> Vec<u8> {
        let mut ca = Cert::ca(CA, &self.ca, ROOT, &self.root)
            .with([self.cdp("/root.crl"), ext::policies(&["1.2.3.4"])]);
        ca.serial = vec![0x11];
        ca.issue(&self.root)
    }

    fn cdp(&self, path: &str) -> ext::Ext {
        ext::cdp(&[Point::urls(&[self.server.url(path)])])
    }

    fn make_ring(&self) {
        self.put_certificate("ring/anchors/root.pem", &self.root_certificate());
        self.put_certificate("ring/intermediates/ca.pem", &self.ca_certificate());
        self.put_certificate("ring/distrusted/client.pem", &self.distrusted());
        self.put_certificate("rotten/root.pem", &self.root_certificate());
        self.put("rotten/rotten.pem", b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n");
    }

    fn leaf(&self, name: &str, serial: u8) -> Cert {
        let key = Key::p256("json client");
        let mut leaf =
            Cert::leaf(&format!("O=Json,CN={name}"), &key, CA, &self.ca).with([ext::policies(&["1.2.3.4"])]);
        leaf.serial = vec![0x55, serial];
        leaf
    }

    fn distrusted(&self) -> Vec<u8> {
        self.leaf("distrusted", 0x20).issue(&self.ca)
    }

    fn make_clients(&self) {
        let put =
            |name: &str, cert: Cert| self.put_certificate(&format!("{name}.pem"), &cert.issue(&self.ca));
        let leaf = |name: &str, serial: u8| self.leaf(name, serial);
        put("good", leaf("good", 0).with([self.cdp("/ca.crl")]));
        put("twin", leaf("twin", 4).with([self.cdp("/ca.crl")]));
        put("revoked", leaf("revoked", 1).with([self.cdp("/ca.crl")]));
        let aia = || ext::aia(&[self.server.url("/ocsp")], &[]);
        put("ocsp", leaf("ocsp", 5).with([aia()]));
        put("both", leaf("both", 5).with([aia(), self.cdp("/ca.crl")]));
        put("norev", leaf("norev", 6).with([ext::no_rev_avail()]));
        put("expired", leaf("expired", 7).valid("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"));
        put("future", leaf("future", 8).valid("2027-06-01T00:00:00Z", "2028-06-01T00:00:00Z"));
        put("server", leaf("server", 9).with([ext::eku(&["server"])]));
        put("encipher", leaf("encipher", 10).with([ext::key_usage(&["keyCertSign"])]));
        put("critical", leaf("critical", 11).with([ext::unknown(true)]));
        put("dead", leaf("dead", 12).with([self.cdp("/dead.crl")]));
        put("bare", leaf("bare", 3));
        self.put_certificate("distrusted.pem", &self.distrusted());
        self.put_certificate("forged.pem", &leaf("forged", 13).issue(&self.root));
        let other = Key::p256("json other");
        self.put_certificate(
            "stranger.pem",
            &Cert::leaf("O=Json,CN=stranger", &other, "O=Json,CN=Other", &other).issue(&other),
        );
        let lost =
            Cert::leaf("O=Json,CN=lost client", &other, "O=Json,CN=Lost", &other)
                .with([ext::aia::<String>(&[], &[self.server.url("/issuers.p7c")])]);
        self.put_certificate("lost.pem", &lost.issue(&other));
        let issuer = Cert::ca("O=Json,CN=Lost", &other, ROOT, &self.root).issue(&self.root);
        self.server.serve("/issuers.p7c", Page::new(bag(std::slice::from_ref(&issuer))));
        self.server.serve("/mixed.p7c", Page::new(bag(&[issuer, vec![0x30, 0x03, 0x02, 0x01, 0x00]])));
        self.put("broken.der", &[0x30, 0x03, 0x30, 0x80, 0x00]);
        self.put("client.key", pem("PRIVATE KEY", &Key::p256("json client").pkcs8()).as_bytes());
        let responder = OcspResponder::new(CA, self.ca.clone());
        responder.good(&[0x55, 5]);
        responder.set_this_update("2026-01-01T00:00:00Z");
        responder.set_produced_at("2026-01-01T00:00:00Z");
        responder.set_next_update(Some("2125-01-01T00:00:00Z"));
        self.server.serve_with("/ocsp", responder.handler());
        self.server.break_with("/dead.crl", Fault::Refuse);
    }

    fn make_crls(&self) {
        let of_ca = || CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2125-01-01T00:00:00Z"));
        let entry = || {
            let extensions = [crl::reason("keyCompromise"), crl::invalidity_date("2026-02-01T00:00:00Z")];
            RevokedCertificate::new(&[0x55, 0x01]).with(extensions)
        };
        let list = of_ca().with([crl::number(8), ext::aki(&self.ca)]).revoking([entry()]).issue(&self.ca);
        let root = CrlBuilder::new(ROOT)
            .valid("2026-01-01T00:00:00Z", Some("2125-01-01T00:00:00Z"))
            .issue(&self.root);
        let point = |idp: Idp| of_ca().with([idp.ext()]).issue(&self.ca);
        let named = Point::urls(&["http://crl.example/part.crl"]);
        let delta = of_ca().with([crl::number(9), crl::delta(8)]);
        let freshest = ext::freshest_crl(&[Point::urls(&["http://crl.example/delta.crl"])]);
        let of_other = entry().with([crl::certificate_issuer(&["dir:O=Json,CN=Other"])]);
        let mut first = CrlBuilder::new(CA).valid("2028-01-01T00:00:00Z", None);
        (first.version, first.extensions) = (1, Vec::new());
        for (name, der) in [
            ("ca.crl", list.clone()),
            ("root.crl", root.clone()),
            ("old.crl", of_ca().with([crl::number(7), freshest]).issue(&self.ca)),
            (
                "indirect.crl",
                of_ca()
                    .with([Idp { indirect: true, ..Idp::default() }.ext()])
                    .revoking([of_other])
                    .issue(&self.ca),
            ),
            ("delta.crl", delta.issue(&self.ca)),
            ("user.crl", point(Idp { point: named, user: true, reasons: vec![1, 4], ..Idp::default() })),
            ("authorities.crl", point(Idp { ca: true, ..Idp::default() })),
            ("attributes.crl", point(Idp { attribute: true, ..Idp::default() })),
            (
                "stale.crl",
                CrlBuilder::new(CA)
                    .valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"))
                    .issue(&self.ca),
            ),
            ("first.crl", first.issue(&self.ca)),
            ("other.crl", of_ca().issue(&Key::p256("json other"))),
        ] {
            self.put(name, &der);
        }
        let mixed = pem("X509 CRL", &list) + &pem("X509 CRL", &[0x30, 0x03, 0x02, 0x01, 0x00]);
        self.put("mixed.pem", mixed.as_bytes());
        // A mirror has the same at another path.
        let mirrored = format!("/mirror/http/{}/ca.crl", self.server.address());
        self.server.serve(&mirrored, Page::new(&list));
        self.server.serve("/ca.crl", Page::new(list));
        self.server.serve("/root.crl", Page::new(root));
        self.put("error.ocsp", &certcheck_testkit::ocsp::Response::error(3));
    }
}

/// Certificates in PKCS #7, as a server of issuers gives them.
fn bag(certificates: &[Vec<u8>]) -> Vec<u8> {
    let data = der::seq(&[der::oid("1.2.840.113549.1.7.1")]);
    let signed = der::seq(&[
        der::int(1),
        der::set::<Vec<u8>>(&[]),
        data,
        der::ctx_c(0, &certificates.concat()),
        der::set::<Vec<u8>>(&[]),
    ]);
    der::seq(&[der::oid("1.2.840.113549.1.7.2"), der::ctx_c(0, &signed)])
}
