//! `certcheck watch`: each way in which a source can be unusable, and those that will be soon.

#[path = "schema/mod.rs"]
mod schema;

use std::collections::BTreeSet;
use std::fs;

use certcheck_testkit::crl::{CrlBuilder, Idp, RevokedCertificate, delta, number, reason};
use certcheck_testkit::ext::{self, Ext, Point};
use certcheck_testkit::server::{Fault, OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, pem, program};
use serde_json::Value;

const ROOT: &str = "O=Watch,CN=Root";
const AT: &str = "2027-01-02T00:00:00Z";

/// A ring whose one CA names a CRL and a responder, and a server for both.
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
        site.publish(CrlBuilder::new(ROOT));
        site
    }

    fn publish(&self, crl: CrlBuilder) {
        self.server.serve("/root.crl", Page::new(crl.issue(&self.root)));
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn watch(&self, more: &[&str]) -> (i32, String, String) {
        self.watch_at(AT, more)
    }

    fn watch_at(&self, at: &str, more: &[&str]) -> (i32, String, String) {
        watch(&self.path("ring.pem"), at, more)
    }

    fn write(&self, name: &str, certificates: &[Vec<u8>]) -> String {
        let text: String = certificates.iter().map(|der| pem("CERTIFICATE", der)).collect();
        fs::write(self.path(name), text).expect("written");
        self.path(name)
    }

    /// The exit code, and the codes of the CRL and the responder.
    fn codes(&self, more: &[&str]) -> String {
        self.codes_at(AT, more)
    }

    fn codes_at(&self, at: &str, more: &[&str]) -> String {
        let (exit, found) = found(&self.path("ring.pem"), at, more);
        let of = |kind: &str| output(&found, kind, "code").unwrap_or("none").to_owned();
        format!("{exit} crl {} ocsp {}", of("crl"), of("ocsp"))
    }
}

fn watch(ring: &str, at: &str, more: &[&str]) -> (i32, String, String) {
    program::run(
        program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .args(["watch", "--ring", ring, "--at", at, "--allow-net", "127.0.0.0/8", "--timeout", "10"])
            .args(more),
    )
}

/// The exit code, and what was found as JSON.
fn found(ring: &str, at: &str, more: &[&str]) -> (i32, Value) {
    let (exit, out, err) = watch(ring, at, &[&["--json"], more].concat());
    let found = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    schema::check(&found);
    (exit, found)
}

/// A text of the first source of a kind.
fn output<'f>(found: &'f Value, kind: &str, what: &str) -> Option<&'f str> {
    let mut sources = found["sources"].as_array().expect("sources").iter();
    sources.find(|source| source["kind"] == kind).and_then(|source| source[what].as_str())
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
fn each_way_of_being_unusable() {
    let site = Site::start();
    site.publish(CrlBuilder::new(ROOT).valid("2026-12-01T00:00:00Z", Some("2027-01-01T00:00:00Z")));
    assert_eq!(site.codes(&[]), "1 crl stale ocsp good");
    site.server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).issue(&Key::p256("somebody else"))));
    assert_eq!(site.codes(&[]), "1 crl bad-signature ocsp good");
    site.server.serve("/root.crl", Page::new(b"<html>captive</html>"));
    assert_eq!(site.codes(&[]), "1 crl malformed ocsp good");
    site.server.break_with("/root.crl", Fault::Refuse);
    site.responder.set_error(Some(3));
    assert_eq!(site.codes(&[]), "1 crl unreachable ocsp responder-error");
    site.server.repair("/root.crl");
    site.responder.set_error(None);
    site.responder.forget(&[0x55]);
    site.publish(CrlBuilder::new(ROOT).revoking([RevokedCertificate::new(&[0x55])]));
    assert_eq!(site.codes(&[]), "1 crl good ocsp responder-unknown");
    let (exit, out, _) = site.watch(&[]);
    assert_eq!(exit, 1);
    assert!(
        out.lines().nth(1).is_some_and(|line| line.starts_with("responder-unknown")),
        "the worst first: {out}"
    );
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
    site.server.serve("/ca.crl", Page::new(CrlBuilder::new("O=Watch,CN=\"CA\"").issue(&key)));
    let (exit, out, _) = site.watch(&[&site.path("client.pem")]);
    assert_eq!(exit, 0, "{out}");
    // What the CA names is asked once, though the ring and the client's path both lead to it.
    assert!(out.starts_with("3 sources"), "{out}");
}

/// A certificate of the root's, by its serial number, that names this CRL.
fn ca(name: &str, serial: u8, root: &Key, extensions: Vec<Ext>) -> Vec<u8> {
    let mut ca = Cert::ca(&format!("O=Watch,CN={name}"), &Key::p256(name), ROOT, root).with(extensions);
    ca.serial = vec![serial];
    ca.issue(root)
}

#[test]
fn a_shared_source_is_classified_for_all_that_name_it() {
    let site = Site::start();
    let named = || vec![ext::cdp(&[Point::urls(&[site.server.url("/root.crl")])])];
    let cas = [1, 2, 3].map(|serial| ca(&format!("ca {serial}"), serial, &site.root, named()));
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    let ring = site.write("shared.pem", &[&[root], &cas[..]].concat());
    for (listed, reported_about) in
        [(None, None), (Some(1), Some("ca 1")), (Some(2), Some("ca 2")), (Some(3), Some("ca 3"))]
    {
        site.publish(CrlBuilder::new(ROOT).revoking(listed.map(|serial| RevokedCertificate::new(&[serial]))));
        site.server.forget();
        let (exit, found) = found(&ring, AT, &[]);
        assert_eq!(exit, i32::from(listed.is_some()), "{found}");
        // The source does its work, and the CA is the one that is bad.
        assert_eq!(output(&found, "crl", "code"), Some("good"), "{found}");
        assert_eq!(found["sources"][0]["certificate"]["subject"], "CN=ca 1,O=Watch");
        let bad = found["certificates"].as_array().expect("all").iter().find(|one| one["state"] == "bad");
        let expected = reported_about.map(|name| format!("certificate-revoked CN={name},O=Watch"));
        let bad = bad.map(|one| {
            format!("{} {}", one["code"].as_str().unwrap(), one["certificate"]["subject"].as_str().unwrap())
        });
        assert_eq!(bad, expected, "{found}");
        assert_eq!(found["sources"][0]["named_by"], 3);
        assert_eq!((site.server.count("/root.crl"), found["sources"].as_array().map(Vec::len)), (1, Some(1)));
    }
}

/// What a sample is itself says nothing about its sources, and does not count for the exit code.
#[test]
fn a_revoked_sample_leaves_its_sources_good() {
    let site = Site::start();
    let key = Key::p256("watch ca");
    let client = Cert::leaf("O=Watch,CN=client", &Key::p256("watch client"), "O=Watch,CN=\"CA\"", &key)
        .with([ext::cdp(&[Point::urls(&[site.server.url("/ca.crl")])])]);
    let serial = client.serial.clone();
    let client = site.write("client.pem", &[client.issue(&key)]);
    let revoked = RevokedCertificate::new(&serial).with([reason("keyCompromise")]);
    let crl = CrlBuilder::new("O=Watch,CN=\"CA\"").revoking([revoked]);
    site.server.serve("/ca.crl", Page::new(crl.issue(&key)));
    let file = site.path("sample.prom");
    let (exit, found) = found(&site.path("ring.pem"), AT, &[&client, "--prometheus", &file]);
    assert_eq!((exit, &found["state"]), (0, &"good".into()), "{found}");
    assert!(found["sources"].as_array().expect("all").iter().all(|one| one["code"] == "good"), "{found}");
    let sample = &found["samples"][0];
    assert_eq!((&sample["code"], &sample["watched"]), (&"certificate-revoked".into(), &true.into()));
    assert!(sample["message"].as_str().is_some_and(|text| text.contains("keyCompromise")), "{sample}");
    let text = fs::read_to_string(&file).expect("written");
    for line in [
        format!("certcheck_sample_good{{input=\"{client}\"}} 0"),
        format!("certcheck_sample_watched{{input=\"{client}\"}} 1"),
        format!("certcheck_sample_state{{input=\"{client}\",code=\"certificate-revoked\"}} 1"),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    assert!(!text.lines().any(|line| line.starts_with("certcheck_source_good{") && line.ends_with(" 0")));
    let (_, out, _) = site.watch(&[&client]);
    assert!(out.contains("\n1 sample: sources of 1 watched\ncertificate-revoked  "), "{out}");
    // A CA above the sample, too.
    site.publish(CrlBuilder::new(ROOT).revoking([RevokedCertificate::new(&[0x55])]));
    let (exit, out, _) = site.watch(&[]);
    assert_eq!(exit, 1);
    assert!(
        out.starts_with("2 sources: 2 good") && out.contains("certificate-revoked  intermediate"),
        "{out}"
    );
}

#[test]
fn a_certificate_without_a_good_path_is_bad() {
    let site = Site::start();
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    let named = || vec![ext::cdp(&[Point::urls(&[site.server.url("/root.crl")])])];
    let stray = Cert::ca("CN=stray", &Key::p256("stray"), "CN=nobody", &Key::p256("nobody")).with(named());
    let critical = ca("critical", 7, &site.root, [named(), vec![ext::unknown(true)]].concat());
    for (name, der, code) in [
        ("stray", stray.issue(&Key::p256("nobody")), "unknown-issuer"),
        ("critical", critical, "unhandled-critical-extension"),
    ] {
        let ring = site.path(&format!("ring of {name}"));
        for (role, der) in [("anchors", &root), ("intermediates", &der)] {
            fs::create_dir_all(format!("{ring}/{role}")).expect("a folder");
            site.write(&format!("ring of {name}/{role}/one.pem"), std::slice::from_ref(der));
        }
        let (exit, found) = found(&ring, AT, &[]);
        let certificates = found["certificates"].as_array().expect("certificates");
        let codes: Vec<_> = certificates.iter().map(|one| one["code"].as_str().expect("a code")).collect();
        assert_eq!((exit, codes), (1, vec!["good", code]), "{name}: {found}");
        assert_eq!(found["state"], "bad");
        let (_, out, err) = watch(&ring, AT, &[]);
        assert!(out.contains(code) && err.contains("nothing to watch"), "{out}{err}");
        // Given as a sample it is reported too, and the ring is watched all the same.
        let given = site.write("given.pem", &[der]);
        let (exit, out, _) = site.watch(&[&given]);
        assert_eq!(exit, 3, "{out}");
        assert!(out.starts_with("2 sources: 2 good") && out.contains(&format!("{code}  {given}")), "{out}");
    }
}

#[test]
fn nothing_to_watch_is_reported() {
    let site = Site::start();
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    for (name, ring) in [
        ("anchors alone", vec![root.clone()]),
        ("no sources", vec![root, ca("ca", 1, &site.root, Vec::new())]),
    ] {
        let ring = site.write("bare.pem", &ring);
        let (exit, _, err) = watch(&ring, AT, &[]);
        assert_eq!(exit, 3, "{name}");
        assert!(err.contains("nothing to watch"), "{name}: {err}");
        assert_eq!(found(&ring, AT, &[]).1["state"], "nothing", "{name}");
    }
}

/// Its clients would be refused because there is no evidence, however healthy the sources of others are.
#[test]
fn certificates_without_a_source_are_reported_along_with_others() {
    let site = Site::start();
    let bare = site.write("bare.pem", &[ca("bare", 9, &site.root, Vec::new())]);
    let both = fs::read_to_string(site.path("ring.pem")).expect("there")
        + &fs::read_to_string(&bare).expect("there");
    fs::write(site.path("both.pem"), both).expect("written");
    let (exit, of_ring) = found(&site.path("both.pem"), AT, &[]);
    let codes: Vec<_> = of_ring["certificates"]
        .as_array()
        .expect("all")
        .iter()
        .map(|one| one["code"].as_str().unwrap_or_default())
        .collect();
    assert_eq!((exit, codes), (3, vec!["good", "good", "no-source"]), "{of_ring}");
    let (exit, given) = found(&site.path("ring.pem"), AT, &[&bare]);
    assert_eq!((exit, &given["samples"][0]["code"]), (3, &"no-source".into()), "{given}");
    assert_eq!(output(&given, "crl", "code"), Some("good"), "{given}");
}

#[test]
fn unusable_inputs_are_reported_and_the_rest_is_watched() {
    let site = Site::start();
    let file = site.path("inputs.prom");
    let key = Key::p256("watch ca");
    let old = Cert::leaf("O=Watch,CN=old", &key, "O=Watch,CN=\"CA\"", &key)
        .valid("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
    let old = site.write("old.pem", &[old.issue(&key)]);
    fs::write(site.path("text.pem"), "no certificate").expect("written");
    let (text, none) = (site.path("text.pem"), site.path("none.pem"));
    for (given, exit, code) in
        [(&old, 3, "expired"), (&text, 2, "no-certificate"), (&none, 2, "no-certificate")]
    {
        let _none = fs::remove_file(&file);
        let (got, found) = found(&site.path("ring.pem"), AT, &[given, "--prometheus", &file]);
        assert_eq!(got, exit, "{given}: {found}");
        assert_eq!(output(&found, "crl", "code"), Some("good"), "{given}");
        let sample = &found["samples"][0];
        assert_eq!((&sample["code"], &sample["watched"]), (&code.into(), &false.into()), "{found}");
        assert_eq!(found["state"], "nothing", "{found}");
        let text = fs::read_to_string(&file).expect("written all the same");
        assert!(text.contains(&format!("certcheck_sample_good{{input=\"{given}\"}} 0")), "{text}");
    }
}

/// The exit code, and the codes of a CRL and its delta.
fn found_codes(ring: &str) -> String {
    let (exit, found) = found(ring, AT, &[]);
    let [crl, delta] = ["crl", "delta"].map(|kind| output(&found, kind, "code").unwrap_or("none"));
    format!("{exit} {crl} {delta}")
}

#[test]
fn deltas_are_watched_with_their_bases() {
    let site = Site::start();
    let url = site.server.url("/delta.crl");
    let points = [Point::urls(&[&url])];
    let ahead = CrlBuilder::new(ROOT).with([number(3), delta(2)]);
    let delta = |serials: &[u8]| {
        let listed = serials.iter().map(|serial| RevokedCertificate::new(&[*serial]));
        CrlBuilder::new(ROOT).with([number(2), delta(1)]).revoking(listed)
    };
    let late = |crl: CrlBuilder| crl.valid("2026-12-01T00:00:00Z", Some("2026-12-30T00:00:00Z"));
    let other = Key::p256("somebody else");
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    let by_crl = site.path("ring.pem");
    let cdp = ext::cdp(&[Point::urls(&[site.server.url("/root.crl")])]);
    let ca = ca("CA", 0x55, &site.root, vec![cdp, ext::freshest_crl(&points)]);
    let by_certificate = site.write("freshest.pem", &[root, ca]);
    let serve = |body: Option<Vec<u8>>| match body {
        Some(body) => site.server.serve("/delta.crl", Page::new(body)),
        None => site.server.serve("/delta.crl", Page::not_found()),
    };
    for (ring, base) in [
        (&by_crl, CrlBuilder::new(ROOT).with([ext::freshest_crl(&points)])),
        (&by_certificate, CrlBuilder::new(ROOT)),
    ] {
        for (body, codes) in [
            (Some(delta(&[]).issue(&site.root)), "0 good good"),
            (Some(delta(&[0x55]).issue(&site.root)), "1 good good"),
            (Some(late(delta(&[])).issue(&site.root)), "1 good stale"),
            (Some(delta(&[]).issue(&other)), "1 good bad-signature"),
            (Some(ahead.issue(&site.root)), "1 good out-of-scope"),
            (None, "1 good unreachable"),
        ] {
            site.publish(base.clone());
            serve(body);
            assert_eq!(found_codes(ring), codes);
        }
    }
    // A delta is nothing without its base, and it can release a certificate that was on hold.
    serve(Some(delta(&[]).issue(&site.root)));
    site.server.serve("/root.crl", Page::not_found());
    assert_eq!(found_codes(&by_certificate), "1 unreachable out-of-scope");
    let entry = |why| RevokedCertificate::new(&[0x55]).with([reason(why)]);
    site.publish(CrlBuilder::new(ROOT).revoking([entry("certificateHold")]));
    assert_eq!(found_codes(&by_certificate), "1 good good");
    let lifts = CrlBuilder::new(ROOT).with([number(2), self::delta(1)]).revoking([entry("removeFromCRL")]);
    serve(Some(lifts.issue(&site.root)));
    assert_eq!(found_codes(&by_certificate), "0 good good");
}

#[test]
fn what_covers_some_reasons_is_no_fault_where_the_rest_is_covered() {
    let site = Site::start();
    let urls = ["/key.crl", "/rest.crl", "/other.crl"].map(|path| site.server.url(path));
    let points = [0, 1].map(|at: usize| Point::urls(&[&urls[at]]));
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    let ring = site.write("parts.pem", &[root, ca("CA", 0x55, &site.root, vec![ext::cdp(&points)])]);
    // By bits of ReasonFlags: keyCompromise, and all others.
    let (key, rest) = ([1], [2, 3, 4, 5, 6, 7, 8]);
    let of = |point: usize, reasons: &[u8]| {
        let point = Point::urls(&[&urls[point]]);
        let idp = Idp { point, reasons: reasons.to_vec(), ..Idp::default() };
        Some(CrlBuilder::new(ROOT).with([idp.ext()]).issue(&site.root))
    };
    for (first, second, codes) in [
        (of(0, &key), of(1, &rest), "0 good good"),
        // Only the source that fails is reported.
        (of(0, &key), None, "1 good unreachable"),
        (of(0, &key), of(1, &[4]), "1 out-of-scope out-of-scope"),
        // Another partition covers nothing at all.
        (of(2, &key), of(1, &rest), "1 out-of-scope good"),
    ] {
        for (path, body) in [("/key.crl", first), ("/rest.crl", second)] {
            site.server.serve(path, body.map_or_else(Page::not_found, Page::new));
        }
        let (exit, found) = found(&ring, AT, &[]);
        let codes_of = |at: usize| found["sources"][at]["code"].as_str().unwrap_or("none").to_owned();
        assert_eq!(format!("{exit} {} {}", codes_of(0), codes_of(1)), codes, "{found}");
    }
}

#[test]
fn the_end_is_what_policy_makes_of_it() {
    let site = Site::start();
    // Past nextUpdate, and within what clocks may differ: checks accept it, and the CA is late.
    site.publish(CrlBuilder::new(ROOT).valid("2026-12-01T00:00:00Z", Some("2027-01-01T23:58:00Z")));
    let (exit, out, _) = site.watch(&[]);
    assert_eq!(exit, 1, "{out}");
    assert!(out.contains("stale ") && out.contains("nextUpdate was 2 minutes ago"), "{out}");
    // Without nextUpdate a day is the end by default.
    for (this, codes, message) in [
        ("2027-01-01T22:00:00Z", "0 crl good ocsp good", "for 22 hours, by policy"),
        ("2027-01-01T01:00:00Z", "3 crl expires-soon ocsp good", "its end by policy is in 1 hour"),
        ("2026-12-31T23:58:00Z", "1 crl stale ocsp good", "its end by policy was 2 minutes ago"),
    ] {
        site.publish(CrlBuilder::new(ROOT).valid(this, None));
        assert_eq!(site.codes(&[]), codes);
        let file = site.path("end.prom");
        let (_, found) = found(&site.path("ring.pem"), AT, &["--prometheus", &file]);
        assert_eq!(output(&found, "crl", "message"), Some(message), "{found}");
        assert_eq!(output(&found, "crl", "evidence_end").map(|end| &end[10..]), Some(&this[10..]));
        let text = fs::read_to_string(&file).expect("written");
        assert!(text.contains("certcheck_source_evidence_end_timestamp_seconds{kind=\"crl\""), "{text}");
    }
}

#[test]
fn no_sample_is_there_twice() {
    let site = Site::start();
    let (old, new) = (Key::p256("watch ca"), Key::p256("re-keyed"));
    let url = || vec![ext::cdp(&[Point::urls(&[site.server.url("/root.crl")])])];
    let rekeyed = Cert::ca("O=Watch,CN=\"CA\"", &new, ROOT, &site.root).with(url()).issue(&site.root);
    let root = Cert::root(ROOT, &site.root).issue(&site.root);
    let clients = [(&old, "old"), (&new, "new")].map(|(key, name)| {
        let points = [Point::urls(&[site.server.url("/ca.crl")])];
        let leaf = Cert::leaf("O=Watch,CN=client", &Key::p256(name), "O=Watch,CN=\"CA\"", key);
        site.write(&format!("{name}.pem"), &[leaf.with([ext::cdp(&points)]).issue(key)])
    });
    site.server.serve("/ca.crl", Page::new(CrlBuilder::new("O=Watch,CN=\"CA\"").issue(&old)));
    let (again, file) = (site.write("again.pem", &[root, rekeyed]), site.path("once.prom"));
    let [old, new] = clients.each_ref().map(String::as_str);
    let more = [old, new, old, "--ring", &again, "--prometheus", &file];
    let (exit, found) = found(&site.path("ring.pem"), AT, &more);
    // The re-keyed CA's CRL is signed with the old key: useless for the new one's client.
    assert_eq!(exit, 1, "{found}");
    let worst = found["sources"].as_array().expect("sources").iter().find(|one| one["code"] != "good");
    assert_eq!(worst.map(|one| &one["code"]), Some(&"wrong-signer".into()), "{found}");
    let text = fs::read_to_string(&file).expect("written");
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a sample");
        assert!(seen.insert(series), "twice: {series}");
    }
}

#[test]
fn what_is_kept_has_no_flags_where_nothing_is_kept() {
    let site = Site::start();
    for flag in [&["--offline"][..], &["--no-cache"], &["--trust-cache"], &["--cache-dir", "/nowhere"]] {
        let (exit, _, err) = site.watch(flag);
        assert!(exit == 2 && err.contains(flag[0]), "{flag:?}: {err}");
    }
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
    assert!(text.contains("certcheck_watch_last_round_timestamp_seconds 1798848000"), "{text}");
    let (exit, _, err) = site.watch(&["--prometheus", &site.path("no/such/folder.prom")]);
    assert_eq!(exit, 2);
    assert!(err.contains("folder.prom: "), "{err}");
}
