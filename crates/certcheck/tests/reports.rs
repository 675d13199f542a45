//! Pages for people: their content, that nothing hostile gets into them, and that they fit a telephone.

mod browser;
mod markup;

use std::fs;
use std::path::{Path, PathBuf};

use browser::{page, see, sound};
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Fault, OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, keys, pem, program};
use markup::check;

const NOW: &str = "2027-01-01T06:00:00Z";
const DEMO: [&str; 6] =
    ["--ring", "testdata/demo/ring", "--at", "2027-01-01T00:00:00Z", "--crl", "testdata/demo/crl"];

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    program::run(
        program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .args(arguments)
            .env("XDG_CACHE_HOME", std::env::temp_dir().join("certcheck-tests-cache")),
    )
}

/// Runs, and reads the page that was to be written, which is sound as text.
fn reported(arguments: &[&str], to: &Path) -> (i32, String) {
    let _none = fs::remove_file(to);
    let (exit, _, err) = run(&[arguments, &["--report", to.to_str().expect("UTF-8")]].concat());
    let text = fs::read_to_string(to).unwrap_or_else(|error| panic!("{error}: {err}"));
    check(&text);
    (exit, text)
}

/// Files that a test makes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("certcheck-reports-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn certificate(&self, name: &str, der: &[u8]) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(&path, pem("CERTIFICATE", der)).expect("written");
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn one_input_is_reported_at_length() {
    let pages = ["good", "revoked", "expired", "wrong-ca"].map(|name| (name, page(name)));
    let texts = pages.each_ref().map(|(name, to)| {
        let (exit, text) =
            reported(&[&["verify", &format!("testdata/demo/{name}.pem")], &DEMO[..]].concat(), to);
        assert_eq!(exit, i32::from(*name != "good"), "{name}");
        text
    });
    for (text, output) in texts.iter().zip([
        &["Accepted", "Good until", "98 years left", "fresh for 98 years", "The trust anchor"][..],
        &[
            "Rejected",
            "The check fails here: revoked at 2026-03-01 00:00:00 UTC (keyCompromise)",
            "RFC 5280 6.3.3",
        ],
        &["Rejected", "Renew the certificate, and check the clock", "ended 365 days ago", "(failed here)"],
        &["Rejected", "unknown-issuer", "No certificate of the ring was reached from here."],
    ]) {
        for part in output {
            assert!(text.contains(part), "{part}");
        }
        // All that JSON has of a certificate: its fingerprint too.
        assert!(text.contains("SHA-256") && text.contains("script-src 'none'"));
    }
    let undetermined = page("undetermined");
    let (exit, text) = reported(
        &["verify", "testdata/demo/good.pem", "--offline", DEMO[0], DEMO[1], DEMO[2], DEMO[3]],
        &undetermined,
    );
    assert_eq!(exit, 3);
    assert!(text.contains("Undetermined") && text.contains(">not-tried<"));
    // Under which policy: a page that lies about for long says so itself.
    for part in ["Settings of the check", "testdata/demo/ring", "hard-fail", "ocsp-first", "<dd>none</dd>"] {
        assert!(text.contains(part), "{part}");
    }
    let all: Vec<&Path> = pages.iter().map(|(_, to)| to.as_path()).chain([undetermined.as_path()]).collect();
    for (seen, page) in see(&all).into_iter().flatten().zip(&all) {
        sound(&seen, page);
        assert_eq!((&seen["filter"], &seen["scripts"]), (&serde_json::Value::Null, &0.into()));
        assert!(seen["drawings"].as_u64().is_some_and(|count| count >= 1), "{seen}");
    }
}

#[test]
fn several_inputs_have_an_index_that_filters() {
    let to = page("several");
    let files = ["good", "revoked", "expired", "wrong-ca"].map(|name| format!("testdata/demo/{name}.pem"));
    let mut arguments = vec!["verify", "no-such-file"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(DEMO);
    let (exit, text) = reported(&arguments, &to);
    assert_eq!(exit, 2);
    assert!(text.contains("5 certificates checked") && text.contains("no-such-file"));
    // The worst first, in the order of the inputs.
    let order: Vec<_> =
        text.split("<summary>").filter_map(|part| part.split("<h2>").nth(1)?.split('<').next()).collect();
    let names = ["no-such-file", &files[1], &files[2], &files[3], &files[0]];
    assert_eq!(
        order.iter().filter(|name| names.contains(name)).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );
    for seen in see(&[&to]).into_iter().flatten() {
        sound(&seen, &to);
        assert_eq!((&seen["filter"], &seen["output"]), (&true.into(), &"All 5 shown".into()));
        assert_eq!(seen["found"], serde_json::json!({ "device-9": 1, "no such text": 0, "": 5, "good": 1 }));
    }
}

#[test]
fn very_many_inputs_are_counted_and_the_worst_are_reported() {
    let to = page("many");
    let (good, expired) = ("testdata/demo/good.pem", "testdata/demo/expired.pem");
    let mut arguments = vec!["verify"];
    arguments.extend([good; 600]);
    arguments.extend([expired; 7]);
    arguments.extend(DEMO);
    let (exit, text) = reported(&arguments, &to);
    assert_eq!(exit, 1);
    assert_eq!(text.matches("<details class=\"report bad\"").count(), 7);
    assert_eq!(text.matches("<details class=\"report good\"").count(), 193);
    assert!(text.contains("607 certificates checked") && text.contains("407 inputs left out"));
    assert!(text.len() < 4 << 20, "{}", text.len());
}

/// What nobody should write into a certificate, and somebody will.
const HOSTILE: &str = "O=\"><img src=x onerror=document.title='pwned'>,OU=\u{202e}exe.fdp\u{200b}\u{7},\
                       CN=</title></style></script><script>document.title='pwned'</script>";

#[test]
fn nothing_hostile_gets_into_a_page() {
    let folder = Folder::new("hostile");
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let long = format!("CN={},O={}", "w".repeat(900), "x".repeat(400));
    let root = folder.certificate("ring/anchors/root.pem", &Cert::root(&long, &root_key).issue(&root_key));
    assert!(Path::new(&root).exists());
    let ca = Cert::ca(HOSTILE, &ca_key, &long, &root_key).issue(&root_key);
    folder.certificate("ring/intermediates/<b onclick=alert(1)>\u{202e}.pem", &ca);
    folder.certificate("ring/distrusted/other.pem", &Cert::root(HOSTILE, &root_key).issue(&root_key));
    let point = Point::urls(&["http://127.0.0.1:1/'\"><script>alert(1)</script>"]);
    let leaf = Cert::leaf(HOSTILE, &key, HOSTILE, &ca_key).with([ext::cdp(&[point])]).issue(&ca_key);
    let leaf = folder.certificate("<img src=x onerror=alert(1)>\"'.pem", &leaf);
    let ring = folder.path("ring");
    let (alone, both, drawn) = (page("hostile"), page("hostile-index"), page("hostile-ring"));
    let flags =
        ["--ring", &ring, "--at", NOW, "--no-cache", "--allow-net", "127.0.0.0/8", "--allow-port", "1"];
    let (exit, text) = reported(&[&["verify", &leaf], &flags[..]].concat(), &alone);
    assert_eq!(exit, 3);
    assert!(
        text.contains("\\e2\\80\\aeexe.fdp\\e2\\80\\8b\\07") && text.contains("&lt;script&gt;"),
        "told as it is"
    );
    reported(&[&["verify", &leaf, "README.md"], &flags[..]].concat(), &both);
    reported(&["ring", &ring, "--at", NOW], &drawn);
    let pages = [alone.as_path(), &both, &drawn];
    for (seen, page) in see(&pages).into_iter().flatten().zip(pages) {
        sound(&seen, page);
        let shown = seen["text"].as_str().expect("text");
        assert!(
            shown.contains("<script>alert(1)</script>") || shown.contains("</title></style></script>"),
            "{shown}"
        );
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{7}']));
        assert!(seen["title"] != "pwned");
    }
}

#[test]
fn sources_are_reported_with_the_time_they_took() {
    let folder = Folder::new("asked");
    let server = Server::start();
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let (root, ca) = (
        "CN=Example Root CA G2,O=Example Trust Services,C=CH",
        "CN=Clients CA 4,O=Example Trust Services,C=CH",
    );
    let anchor = Cert::root(root, &root_key).valid("2015-01-01T00:00:00Z", "2045-01-01T00:00:00Z");
    folder.certificate("ring/root.pem", &anchor.issue(&root_key));
    let point = |path: &str| Point::urls(&[server.url(path)]);
    let issuer = Cert::ca(ca, &ca_key, root, &root_key).valid("2022-06-01T00:00:00Z", "2032-06-01T00:00:00Z");
    folder.certificate("ring/ca.pem", &issuer.with([ext::cdp(&[point("/root.crl")])]).issue(&root_key));
    let leaf = Cert::leaf("CN=anna.muster,OU=Treasury,O=Example AG,C=CH", &key, ca, &ca_key)
        .valid("2026-09-01T00:00:00Z", "2027-09-01T00:00:00Z")
        .with([ext::cdp(&[point("/clients.crl")]), ext::aia(&[server.url("/ocsp")], &[])]);
    let serial = leaf.serial.clone();
    let leaf = folder.certificate("anna.pem", &leaf.issue(&ca_key));
    let responder = OcspResponder::new(ca, ca_key.clone());
    responder.revoke(&serial, "2026-12-31T22:10:00Z", Some("keyCompromise"));
    responder.set_this_update("2027-01-01T05:00:00Z");
    responder.set_next_update(Some("2027-01-01T09:00:00Z"));
    server.serve_with("/ocsp", responder.handler());
    let list = |issuer: &str, from, until| CrlBuilder::new(issuer).valid(from, Some(until));
    let of_root =
        list(root, "2026-11-01T00:00:00Z", "2027-05-01T00:00:00Z").revoking([RevokedCertificate::new(&[9])]);
    server.serve("/root.crl", Page::new(of_root.issue(&root_key)));
    server.serve(
        "/clients.crl",
        Page::new(list(ca, "2026-12-31T12:00:00Z", "2027-01-02T12:00:00Z").issue(&ca_key)),
    );
    let (to, again) = (page("asked"), page("asked-unreachable"));
    let port = server.address().port().to_string();
    let ring = folder.path("ring");
    let flags =
        ["--ring", &ring, "--at", NOW, "--no-cache", "--allow-net", "127.0.0.0/8", "--allow-port", &port];
    let (exit, text) = reported(&[&["verify", &leaf], &flags[..]].concat(), &to);
    assert_eq!(exit, 1);
    for part in
        ["fresh for 3 hours", "it came from the network", "from the network", " bytes", "revoked 7 hours ago"]
    {
        assert!(text.contains(part), "{part}");
    }
    for path in ["/ocsp", "/clients.crl", "/root.crl"] {
        server.break_with(path, Fault::Unavailable(1));
    }
    let (exit, text) = reported(&[&["verify", &leaf], &flags[..]].concat(), &again);
    assert_eq!(exit, 3);
    assert!(text.contains("unreachable") && text.contains("503"));
    for (seen, page) in see(&[&to, &again]).into_iter().flatten().zip([&to, &again]) {
        sound(&seen, page);
    }
}

#[test]
fn a_ring_is_drawn() {
    let folder = Folder::new("ring");
    let keys = ["root", "policy", "clients", "devices", "old", "lost"].map(Key::p256);
    let [root, policy, clients, devices, old, lost] = &keys;
    let weak = keys::rsa1024("weak");
    let (top, middle) = ("CN=Example Root CA,O=Example,C=CH", "CN=Policy CA,O=Example,C=CH");
    let put = |name: &str, cert: Cert, issuer: &Key| {
        folder.certificate(&format!("ring/{name}.pem"), &cert.issue(issuer))
    };
    put("anchors/root", Cert::root(top, root).valid("2015-01-01T00:00:00Z", "2045-01-01T00:00:00Z"), root);
    put(
        "anchors/weak",
        Cert::root("CN=Ancient Root,O=Example,C=CH", &weak)
            .valid("1999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        &weak,
    );
    let below =
        |subject: &str, key: &Key, from, until| Cert::ca(subject, key, middle, policy).valid(from, until);
    put(
        "intermediates/policy",
        Cert::ca(middle, policy, top, root).valid("2020-01-01T00:00:00Z", "2035-01-01T00:00:00Z"),
        root,
    );
    put(
        "intermediates/clients",
        below("CN=Clients CA,O=Example,C=CH", clients, "2022-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        policy,
    );
    put(
        "intermediates/devices",
        below("CN=Devices CA,O=Example,C=CH", devices, "2022-01-01T00:00:00Z", "2031-02-01T00:00:00Z"),
        policy,
    );
    put(
        "intermediates/old",
        below("CN=Old CA,O=Example,C=CH", old, "2016-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        policy,
    );
    put("intermediates/lost", Cert::ca("CN=Lost CA,O=Nobody", lost, "CN=Gone,O=Nobody", old), old);
    put("distrusted/bad", Cert::root("CN=Breached CA,O=Elsewhere,C=NL", old), old);
    let ring = folder.path("ring");
    let to = page("ring");
    let (exit, text) = reported(&["ring", &ring, "--at", NOW], &to);
    assert_eq!(exit, 0);
    for part in [
        "expires soon <code class=\"code\">expires-soon</code>",
        "expired",
        "weak-key",
        "Leads to no anchor",
        "Distrusted",
        "never expires",
        "30 days left",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // The tree: below the root the policy CA, below it the others.
    let tree = text.split(">Issuers<").nth(1).expect("a tree");
    let depth = |name: &str| {
        let before = tree.split(&format!(">{name} <")).next().expect("a part");
        before.matches("<ul").count() - before.matches("</ul>").count() - 1
    };
    assert_eq!((depth("Example Root CA"), depth("Policy CA"), depth("Devices CA")), (0, 1, 2));
    for seen in see(&[&to]).into_iter().flatten() {
        sound(&seen, &to);
        assert_eq!(seen["drawings"], 1);
    }
}

/// Names of 200 letters, of other scripts, and of those that are written from right to left.
#[test]
fn long_names_are_shown_whole() {
    let folder = Folder::new("long");
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let long = "Federal Office for the Supervision of Electronic Identification Services ".repeat(3);
    let root = format!("C=CH,O=Example,CN={}", &long[..199]);
    let ca = "O=株式会社例,CN=認証局 第一 Zertifizierungsstelle für Geräte";
    let leaf = "O=الشركة,CN=הנהלת חשבונות מרכזית 42";
    let years = ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    let anchor = Cert::root(&root, &root_key).valid(years.0, years.1).issue(&root_key);
    folder.certificate("ring/anchors/root.pem", &anchor);
    let issuer = Cert::ca(ca, &ca_key, &root, &root_key).valid(years.0, years.1).issue(&root_key);
    folder.certificate("ring/intermediates/ca.pem", &issuer);
    let own = Cert::leaf(leaf, &key, ca, &ca_key).valid("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    let own = folder.certificate("client.pem", &own.issue(&ca_key));
    let ring = folder.path("ring");
    let to = page("long");
    let (exit, text) =
        reported(&["verify", &own, "--ring", &ring, "--at", NOW, "--revocation", "off", "--no-cache"], &to);
    assert_eq!(exit, 0, "{text}");
    for seen in see(&[&to]).into_iter().flatten() {
        sound(&seen, &to);
        let shown = seen["text"].as_str().expect("text");
        for part in [&long[..199], "認証局 第一 Zertifizierungsstelle für Geräte", "הנהלת חשבונות מרכזית 42"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}

#[test]
fn a_ring_of_forty_is_drawn() {
    let folder = Folder::new("forty");
    let root_key = Key::p256("root");
    let root = "CN=Example Root CA,O=Example,C=CH";
    let life = ("2015-01-01T00:00:00Z", "2045-01-01T00:00:00Z");
    folder.certificate("ring/root.pem", &Cert::root(root, &root_key).valid(life.0, life.1).issue(&root_key));
    for number in 1..40_u8 {
        let key = Key::p256(&format!("ca {number}"));
        let subject =
            format!("CN=Issuing CA {number} for Clients and Devices of Region {},O=Example,C=CH", number % 7);
        let until = format!("20{}-03-01T00:00:00Z", 27 + number % 9);
        let ca = Cert::ca(&subject, &key, root, &root_key).valid("2022-01-01T00:00:00Z", &until);
        folder.certificate(&format!("ring/ca-{number}.pem"), &ca.issue(&root_key));
    }
    let to = page("forty");
    let (exit, text) = reported(&["ring", &folder.path("ring"), "--at", NOW], &to);
    assert_eq!(exit, 0);
    // Whole names, also on the calendar.
    let label = "class=\"label\">Issuing CA 7 for Clients and Devices of Region 0<";
    assert!(text.contains(label), "{text}");
    for seen in see(&[&to]).into_iter().flatten() {
        sound(&seen, &to);
    }
}

#[test]
fn a_page_that_cannot_be_written_is_reported_before_the_work() {
    for command in [
        &["verify", "testdata/demo/good.pem", "--ring", "testdata/demo/ring"][..],
        &["ring", "testdata/demo/ring"],
    ] {
        for path in ["no-such-folder/page.html", "testdata"] {
            let (exit, out, err) = run(&[command, &["--report", path]].concat());
            assert_eq!((exit, out.as_str()), (2, ""));
            assert!(err.starts_with(&format!("certcheck: {path}: not written: ")), "{err}");
        }
    }
    assert_eq!(run(&[&["verify", "x", "--dry-run", "--report", "x.html"], &DEMO[..]].concat()).0, 2);
}
