//! `certcheck watch`: each way in which a source can be of no use, and those that will be soon.

use std::fs;
use std::process::Command;

use certcheck_testkit::crl::{Crl, Entry};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Fault, OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, pem};
use serde_json::Value;

const ROOT: &str = "O=Watch,CN=Root";
const AT: &str = "2027-01-02T00:00:00Z";

/// A ring whose one CA names a CRL and a responder, and who serves both.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    root: Key,
    responder: OcspResponder,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let server = Server::start();
        let (root, key) = (Key::p256("watch root"), Key::p256("watch ca"));
        let mut ca = Cert::ca("O=Watch,CN=\"CA\"", &key, ROOT, &root).with([
            ext::cdp(&[Point::urls(&[server.url("/root.crl")])]),
            ext::aia(&[server.url("/ocsp")], &[]),
        ]);
        ca.serial = vec![0x55];
        let der = ca.issue(&root);
        let ring = pem("CERTIFICATE", &Cert::root(ROOT, &root).issue(&root)) + &pem("CERTIFICATE", &der);
        fs::write(folder.path().join("ring.pem"), ring).expect("written");
        let responder = OcspResponder::new(ROOT, root.clone());
        responder.good(&[0x55]);
        server.serve_with("/ocsp", responder.handler());
        let site = Self { folder, server, root, responder };
        site.publish(Crl::new(ROOT));
        site
    }

    fn publish(&self, crl: Crl) {
        self.server.serve("/root.crl", Page::new(crl.issue(&self.root)));
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn watch(&self, more: &[&str]) -> (i32, String, String) {
        self.watch_at(AT, more)
    }

    fn watch_at(&self, at: &str, more: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_certcheck"))
            .args(["watch", "--ring", &self.path("ring.pem"), "--at", at, "--allow-net", "127.0.0.0/8"])
            .args(["--timeout", "2"])
            .args(more)
            .env_remove("CLICOLOR_FORCE")
            .output()
            .expect("runs");
        let text = |octets| String::from_utf8(octets).expect("UTF-8");
        (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
    }

    /// The exit code, and what the CRL and the responder came to.
    fn codes(&self, more: &[&str]) -> String {
        self.codes_at(AT, more)
    }

    fn codes_at(&self, at: &str, more: &[&str]) -> String {
        let (exit, out, err) = self.watch_at(at, &[&["--json"], more].concat());
        let found: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        let sources = found["sources"].as_array().expect("sources");
        let of = |kind: &str| {
            let one = sources.iter().find(|source| source["kind"] == kind);
            one.and_then(|source| source["code"].as_str()).unwrap_or("none").to_owned()
        };
        format!("{exit} crl {} ocsp {}", of("crl"), of("ocsp"))
    }
}

#[test]
fn what_is_well_and_what_ends_soon() {
    let site = Site::start();
    assert_eq!(site.codes(&[]), "0 crl good ocsp good");
    // Until the eighth of January the answer has six days.
    assert_eq!(site.codes(&["--soon", "145"]), "3 crl good ocsp expires-soon");
    assert_eq!(site.codes_at("2027-01-07T12:00:00Z", &[]), "3 crl good ocsp expires-soon");
    let (exit, out, _) = site.watch(&["--expires-within", "40000"]);
    assert_eq!(exit, 3);
    assert!(out.contains("expires-soon  anchor CN=Root,O=Watch"), "{out}");
    let (_, out, _) = site.watch(&[]);
    assert!(out.starts_with("2 sources: 2 good, 0 end soon, 0 bad"), "{out}");
    assert!(out.contains(&site.server.url("/root.crl")), "{out}");
}

#[test]
fn each_way_of_being_of_no_use() {
    let site = Site::start();
    site.publish(Crl::new(ROOT).valid("2026-12-01T00:00:00Z", Some("2027-01-01T00:00:00Z")));
    assert_eq!(site.codes(&[]), "1 crl stale ocsp good");
    site.server.serve("/root.crl", Page::new(Crl::new(ROOT).issue(&Key::p256("somebody else"))));
    assert_eq!(site.codes(&[]), "1 crl bad-signature ocsp good");
    site.server.serve("/root.crl", Page::new(b"<html>captive</html>"));
    assert_eq!(site.codes(&[]), "1 crl malformed ocsp good");
    site.server.break_with("/root.crl", Fault::Refuse);
    site.responder.set_error(Some(3));
    assert_eq!(site.codes(&[]), "1 crl unreachable ocsp responder-error");
    site.server.mend("/root.crl");
    site.responder.set_error(None);
    site.responder.forget(&[0x55]);
    site.publish(Crl::new(ROOT).revoking([Entry::new(&[0x55])]));
    assert_eq!(site.codes(&[]), "1 crl revoked ocsp responder-unknown");
    let (exit, out, _) = site.watch(&[]);
    assert_eq!(exit, 1);
    assert!(out.lines().nth(1).is_some_and(|line| line.starts_with("re")), "what is bad stands first: {out}");
}

#[test]
fn clients_name_sources_that_the_ring_does_not() {
    let site = Site::start();
    let key = Key::p256("watch ca");
    let client = Cert::leaf("O=Watch,CN=client", &Key::p256("watch client"), "O=Watch,CN=\"CA\"", &key)
        .with([ext::cdp(&[Point::urls(&[site.server.url("/ca.crl")])])])
        .issue(&key);
    fs::write(site.path("client.pem"), pem("CERTIFICATE", &client)).expect("written");
    let (exit, out, _) = site.watch(&[&site.path("client.pem")]);
    assert_eq!(exit, 1, "nothing is there: {out}");
    assert!(out.contains(&site.server.url("/ca.crl")), "{out}");
    site.server.serve("/ca.crl", Page::new(Crl::new("O=Watch,CN=\"CA\"").issue(&key)));
    let (exit, out, _) = site.watch(&[&site.path("client.pem")]);
    assert_eq!(exit, 0, "{out}");
    // What the CA names is asked once, though the ring and the client's path both lead to it.
    assert!(out.starts_with("3 sources"), "{out}");
    fs::write(site.path("other.pem"), pem("CERTIFICATE", &Cert::root("CN=x", &key).issue(&key)))
        .expect("written");
    let (exit, _, err) = site.watch(&[&site.path("other.pem")]);
    assert_eq!(exit, 2);
    assert!(err.contains("other.pem: "), "{err}");
}

#[test]
fn a_textfile_for_prometheus_is_replaced_whole() {
    let site = Site::start();
    let file = site.path("certcheck.prom");
    fs::write(&file, "old").expect("written");
    site.responder.set_error(Some(6));
    assert_eq!(site.watch(&["--prometheus", &file]).0, 1);
    let text = fs::read_to_string(&file).expect("there");
    let crl = site.server.url("/root.crl");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        assert!(name.starts_with("certcheck_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(text.contains(&format!("certcheck_source_good{{kind=\"crl\",url=\"{crl}\"")), "{text}");
    assert!(text.contains("code=\"responder-error\"} 1"), "{text}");
    assert!(text.contains("certcheck_watch_run_seconds 1798848000"), "{text}");
    let (exit, _, err) = site.watch(&["--prometheus", &site.path("no/such/folder.prom")]);
    assert_eq!(exit, 2);
    assert!(err.contains("folder.prom: "), "{err}");
}
