//! The program against servers that others wrote: nginx, slapd and the responder of `openssl`, over loopback.

mod openssl_pki;
mod schema;

use certcheck_testkit::program;
use std::path::{Path, PathBuf};
use std::process::Command;

use certcheck_testkit::peers::{Nginx, OpensslResponder, Slapd};
use openssl_pki::Pki;
use serde_json::Value;

/// What may be asked: loopback, and there port 1, where nobody listens.
const ALLOWED: [&str; 4] = ["--allow-net", "127.0.0.0/8", "--allow-port", "1"];
const DEAD: &str = "http://127.0.0.1:1/dead.crl";
/// Serials: of these the index of the PKI says good and revoked, of the last it says nothing.
const GOOD: &str = "0x1000";
const BAD: &str = "0x1001";
const STRANGER: &str = "0x7777";

/// Exit code, standard output, standard error. The cache of whoever runs the test is out of reach.
fn run(pki: &Pki, arguments: &[&str]) -> (i32, String, String) {
    program::run(
        program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .args(arguments)
            .env("HOME", pki.path("home"))
            .env_remove("XDG_CACHE_HOME"),
    )
}

fn lines(out: &str) -> Vec<Value> {
    let lines: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    lines.iter().for_each(schema::check);
    lines
}

/// `verify --json`: the exit code and the line.
fn verify(pki: &Pki, arguments: &[&str]) -> (i32, Value) {
    let (exit, out, err) = run(pki, &[&["verify", "--json"], arguments].concat());
    assert_eq!(out.lines().count(), 1, "{arguments:?}: {out}{err}");
    (exit, lines(&out).remove(0))
}

/// What matters of a verdict in one line, `-` for what is not there: exit code, verdict, reason, then of the leaf its
/// status, by what, from where, and the cause.
fn summary((exit, line): &(i32, Value)) -> String {
    let status = &line["path"][0]["revocation"];
    let parts = [
        &line["verdict"],
        &line["reason"]["code"],
        &status["status"],
        &status["basis"],
        &status["from"],
        &status["cause"],
    ];
    parts.iter().fold(exit.to_string(), |all, part| format!("{all} {}", part.as_str().unwrap_or("-")))
}

/// Where a certificate says its evidence is.
#[derive(Clone, Copy, Default)]
struct Sources<'s> {
    /// The URLs of one distribution point.
    cdp: &'s [&'s str],
    ocsp: &'s [&'s str],
    issuers: &'s [&'s str],
}

impl Sources<'_> {
    /// Lines of a configuration.
    fn extensions(self, basic: &str) -> String {
        let mut text = format!("{basic}\n");
        let mut sections = String::new();
        let list = |kind: &str, urls: &[&str]| -> String {
            urls.iter().zip(0..).map(|(url, n)| format!("{kind}URI.{n} = {url}\n")).collect()
        };
        if !self.cdp.is_empty() {
            text += "crlDistributionPoints = point\n";
            sections += &format!("[point]\nfullname = @names\n[names]\n{}", list("", self.cdp));
        }
        if !self.ocsp.is_empty() || !self.issuers.is_empty() {
            text += "authorityInfoAccess = @access\n";
            sections +=
                &format!("[access]\n{}{}", list("OCSP;", self.ocsp), list("caIssuers;", self.issuers));
        }
        text + &sections
    }
}

/// A serial, OCSP URLs, CRL URLs, flags, and the summary that comes of them.
type Case<'c> = (&'c str, &'c [&'c str], &'c [&'c str], &'c [&'c str], &'c str);

/// The PKI, and nginx with CRLs of it in every form.
struct Site {
    pki: Pki,
    nginx: Nginx,
    ring: String,
}

impl Site {
    fn start(name: &str) -> Option<Self> {
        let pki = Pki::make(name)?;
        let files = PathBuf::from(pki.path("files"));
        std::fs::create_dir_all(files.join("zip")).expect("folder");
        pki.openssl("crl -in new.crl -outform DER -out files/new.crl");
        pki.write("files/pem.crl", &pki.read("new.crl"));
        // There only as gzip: whoever asks for /zip/new.crl gets it so, or nothing.
        gzip(&files.join("new.crl"), &files.join("zip/new.crl.gz"));
        let zip = "location /zip/ { gzip_static always; gunzip off; }";
        let nginx = Nginx::start(&files, zip)?;
        let ring = pki.path("ca.pem");
        Some(Self { pki, nginx, ring })
    }

    /// A leaf of the root.
    fn leaf(&self, name: &str, serial: &str, sources: Sources<'_>) -> String {
        self.leaf_of("ca", name, serial, sources)
    }

    fn leaf_of(&self, issuer: &str, name: &str, serial: &str, sources: Sources<'_>) -> String {
        let basic = "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature";
        self.pki.issue(name, issuer, serial, &sources.extensions(basic))
    }

    /// An intermediate CA `sub` whose CRL of nothing is there.
    fn sub(&self) -> String {
        let basic = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash";
        let url = self.nginx.url("/new.crl");
        let sub = self.pki.issue(
            "sub",
            "ca",
            GOOD,
            &Sources { cdp: &[&url], ..Sources::default() }.extensions(basic),
        );
        self.pki.write("none.txt", b"");
        self.pki.openssl("ca -name below -gencrl -out sub.crl");
        self.pki.openssl("crl -in sub.crl -outform DER -out files/sub.crl");
        self.pki.openssl("x509 -in sub.pem -outform DER -out files/sub.cer");
        self.pki.openssl("crl2pkcs7 -nocrl -certfile sub.pem -outform DER -out files/sub.p7c");
        sub
    }

    fn verify(&self, leaf: &str, more: &[&str]) -> (i32, Value) {
        verify(&self.pki, &[&[leaf, "--ring", &self.ring], more, &ALLOWED].concat())
    }

    /// How many requests nginx has answered.
    fn requests(&self) -> usize {
        self.nginx.access_log().len()
    }
}

fn gzip(from: &Path, to: &Path) {
    let output = Command::new("gzip").arg("-c").arg(from).output().expect("gzip");
    assert!(output.status.success());
    std::fs::write(to, output.stdout).expect("written");
}

#[test]
fn verdicts() {
    let Some(site) = Site::start("verdicts") else { return };
    let pki = &site.pki;
    let folder = PathBuf::from(pki.path(""));
    let responder = |signer: &str, key: &str| {
        OpensslResponder::start(
            &folder,
            "index.txt",
            "ca.pem",
            &format!("{signer}.pem"),
            &format!("{key}.key"),
            &[],
        )
    };
    let crl = pki.read("files/new.crl");
    let entries = Slapd::crl_entry("Crl", "certificateRevocationList", &crl);
    let (Some(by_ca), Some(by_delegate), Some(by_leaf), Some(by_forger), Some(slapd)) = (
        responder("ca", "ca"),
        responder("responder", "responder"),
        responder("good", "good"),
        {
            pki.root("twin");
            responder("twin", "twin")
        },
        Slapd::start(&entries),
    ) else {
        return;
    };
    let (ca, delegate, leaf, forger) = (by_ca.url(), by_delegate.url(), by_leaf.url(), by_forger.url());
    let http = |path: &str| site.nginx.url(path);
    let (der, pem, zip, moved, missing) =
        (http("/new.crl"), http("/pem.crl"), http("/zip/new.crl"), http("/moved/new.crl"), http("/none.crl"));
    let https = der.replace("http:", "https:");
    let attribute = "certificateRevocationList;binary";
    let (dir, wrong_dn) = (slapd.url("cn=Crl,o=Acme", attribute), slapd.url("cn=Other,o=Acme", attribute));
    let wrong_attribute = slapd.url("cn=Crl,o=Acme", "authorityRevocationList;binary");

    let none: &[&str] = &[];
    let by_ocsp = "0 accept - good ocsp network -";
    let by_crl = "0 accept - good crl network -";
    let ocsp_says = "1 reject certificate-revoked revoked ocsp network -";
    let crl_says = "1 reject certificate-revoked revoked crl network -";
    let undetermined = |cause: &str| format!("3 undetermined revocation-unknown unknown - - {cause}");
    let cases: &[Case<'_>] = &[
        (GOOD, &[&ca], none, none, by_ocsp),
        (BAD, &[&ca], none, none, ocsp_says),
        (STRANGER, &[&ca], none, none, &undetermined("responder-unknown")),
        (GOOD, &[&ca], none, &["--nonce", "demand"], by_ocsp),
        (BAD, &[&ca], none, &["--nonce", "ask"], ocsp_says),
        (GOOD, &[&delegate], none, none, by_ocsp),
        (BAD, &[&delegate], none, none, ocsp_says),
        (GOOD, &[&leaf], none, none, &undetermined("wrong-signer")),
        (BAD, &[&leaf], none, none, &undetermined("wrong-signer")),
        // In the name of the CA, with another key.
        (GOOD, &[&forger], none, none, &undetermined("bad-signature")),
        // What the responder does not know or may not say, the CRL does.
        (STRANGER, &[&ca], &[&der], none, by_crl),
        (BAD, &[&leaf], &[&der], none, crl_says),
        (BAD, &[&ca], &[&der], &["--order", "crl-first"], crl_says),
        (GOOD, &[&leaf, &delegate], none, none, by_ocsp),
        (GOOD, none, &[&der], none, by_crl),
        (BAD, none, &[&der], none, crl_says),
        (GOOD, none, &[&pem], none, by_crl),
        (BAD, none, &[&pem], none, crl_says),
        (GOOD, none, &[&zip], none, by_crl),
        (BAD, none, &[&zip], none, crl_says),
        (GOOD, none, &[&moved], none, by_crl),
        (BAD, none, &[&moved], none, crl_says),
        (GOOD, none, &[DEAD, &der], none, by_crl),
        (BAD, none, &[DEAD, &der], none, crl_says),
        (BAD, none, &[&missing, &dir], none, crl_says),
        (GOOD, none, &[&missing], none, &undetermined("unreachable")),
        (GOOD, none, &[DEAD], none, &undetermined("unreachable")),
        (GOOD, none, &[DEAD], &["--revocation", "soft-fail"], "0 accept - unknown - - unreachable"),
        (GOOD, none, &[&https], none, &undetermined("refused-address")),
        (GOOD, none, &[&dir], none, by_crl),
        (BAD, none, &[&dir], none, crl_says),
        (GOOD, none, &[&wrong_dn], none, &undetermined("unreachable")),
        (GOOD, none, &[&wrong_attribute], none, &undetermined("unreachable")),
        (GOOD, none, none, none, &undetermined("no-source")),
    ];
    for (number, (serial, ocsp, cdp, flags, expected)) in cases.iter().enumerate() {
        let sources = Sources { ocsp, cdp, ..Sources::default() };
        let leaf = site.leaf(&format!("case{number}"), serial, sources);
        let got = site.verify(&leaf, &[&["--no-cache"], *flags].concat());
        assert_eq!(summary(&got), *expected, "case {number}, {serial} {ocsp:?} {cdp:?}: {}", got.1);
    }

    // Loopback is refused unless it is allowed, and then nobody is asked.
    let before = site.requests();
    for (name, sources) in [
        ("by-crl", Sources { cdp: &[&der], ..Sources::default() }),
        ("by-ocsp", Sources { ocsp: &[&ca], ..Sources::default() }),
        ("by-ldap", Sources { cdp: &[&dir], ..Sources::default() }),
    ] {
        let leaf = site.leaf(name, GOOD, sources);
        let got = verify(pki, &[&leaf, "--ring", &site.ring, "--no-cache"]);
        assert_eq!(summary(&got), undetermined("refused-address"), "{name}: {}", got.1);
    }
    assert_eq!(site.requests(), before);
    let log = site.nginx.access_log();
    for line in ["GET /zip/new.crl 200", "GET /moved/new.crl 302", "GET /none.crl 404"] {
        assert!(log.iter().any(|known| known == line), "{line}: {log:?}");
    }
    assert!(!Path::new(&pki.path("home/.cache")).exists(), "--no-cache keeps nothing");
}

#[test]
fn issuers_are_fetched() {
    let Some(site) = Site::start("issuers") else { return };
    site.sub();
    let crl = site.nginx.url("/sub.crl");
    let Some(slapd) = Slapd::start(&Slapd::ca_entry("Sub", &site.pki.read("files/sub.cer"))) else { return };
    let (cer, bag) = (site.nginx.url("/sub.cer"), site.nginx.url("/sub.p7c"));
    let (dir, wrong_dn) = (
        slapd.url("cn=Sub,o=Acme", "cACertificate;binary"),
        slapd.url("cn=Other,o=Acme", "cACertificate;binary"),
    );
    let unknown = "1 reject unknown-issuer not-checked - - -";
    let good = "0 accept - good crl network -";
    let cases: &[(&[&str], bool, &str)] = &[
        (&[&cer], true, good),
        (&[&bag], true, good),
        (&[&dir], true, good),
        (&[DEAD, &cer], true, good),
        (&[&wrong_dn, &bag], true, good),
        (&[&wrong_dn], true, unknown),
        (&[DEAD], true, unknown),
        (&[&cer], false, unknown),
    ];
    for (number, (issuers, aia, expected)) in cases.iter().enumerate() {
        let sources = Sources { issuers, cdp: &[&crl], ocsp: &[] };
        let leaf = site.leaf_of("sub", &format!("case{number}"), "0x2000", sources);
        let before = site.requests();
        let got = site.verify(&leaf, &["--no-cache", "--aia", if *aia { "on" } else { "off" }]);
        assert_eq!(summary(&got), *expected, "case {number}, {issuers:?}: {}", got.1);
        if !aia {
            assert_eq!(site.requests(), before, "without --aia nobody is asked");
        }
    }
}

#[test]
fn what_is_kept_is_not_asked_for_again() {
    let Some(site) = Site::start("kept") else { return };
    let Some(responder) = OpensslResponder::start(
        Path::new(&site.pki.path("")),
        "index.txt",
        "ca.pem",
        "responder.pem",
        "responder.key",
        &[],
    ) else {
        return;
    };
    let (crl, ocsp) = (site.nginx.url("/new.crl"), responder.url());
    let of_crl = Sources { cdp: &[&crl], ..Sources::default() };
    let of_ocsp = Sources { ocsp: &[&ocsp], ..Sources::default() };
    let leaves = [
        (site.leaf("good-crl", GOOD, of_crl), "0 accept - good crl"),
        (site.leaf("bad-crl", BAD, of_crl), "1 reject certificate-revoked revoked crl"),
        (site.leaf("good-ocsp", GOOD, of_ocsp), "0 accept - good ocsp"),
        (site.leaf("bad-ocsp", BAD, of_ocsp), "1 reject certificate-revoked revoked ocsp"),
    ];
    for (at, more) in [&[][..], &["--trust-cache"]].into_iter().enumerate() {
        let cache = site.pki.path(&format!("cache{at}"));
        let flags = [&["--cache-dir", cache.as_str()], more].concat();
        for (leaf, expected) in &leaves {
            let got = summary(&site.verify(leaf, &flags));
            // One CRL for all of its issuer.
            let from = if leaf.ends_with("bad-crl.pem") { "disk" } else { "network" };
            assert_eq!(got, format!("{expected} {from} -"), "{leaf}");
        }
        assert_eq!(site.requests(), at + 1);
    }
    drop(responder);
    let cache = site.pki.path("cache0");
    for more in [&[][..], &["--offline"], &["--trust-cache"], &["--offline", "--trust-cache"]] {
        for (leaf, expected) in &leaves {
            let got = summary(&site.verify(leaf, &[&["--cache-dir", cache.as_str()], more].concat()));
            assert_eq!(got, format!("{expected} disk -"), "{leaf} {more:?}");
        }
    }
    assert_eq!(site.requests(), 2, "{:?}", site.nginx.access_log());
}

#[test]
fn prefetch_then_offline() {
    let Some(site) = Site::start("prefetch") else { return };
    let sub = site.sub();
    let (of_root, of_sub) = (site.nginx.url("/new.crl"), site.nginx.url("/sub.crl"));
    let leaf = site.leaf_of("sub", "leaf", "0x2000", Sources { cdp: &[&of_sub], ..Sources::default() });
    let cache = site.pki.path("cache");
    let kept = ["--cache-dir", cache.as_str()];
    let both = ["--ring", &sub];
    let offline = [&both[..], &kept, &["--offline"]].concat();

    let nothing = site.verify(&leaf, &offline);
    assert_eq!(summary(&nothing), "3 undetermined revocation-unknown unknown - - not-tried");
    let ring = ["cache", "prefetch", "--ring", &site.ring, "--ring", &sub];
    for (inputs, urls) in [(&[][..], &[&of_root][..]), (&[leaf.as_str()], &[&of_root, &of_sub])] {
        let (exit, out, err) = run(&site.pki, &[&ring, inputs, &kept[..], &ALLOWED].concat());
        assert_eq!((exit, urls.iter().all(|url| out.contains(*url))), (0, true), "{out}{err}");
        // Each certificate is named, with what is known about it.
        let ready = out.lines().filter(|line| line.starts_with("ready") && line.contains("CN=")).count();
        assert_eq!(ready, urls.len(), "{out}");
    }
    assert_eq!(site.nginx.access_log(), ["GET /new.crl 200", "GET /sub.crl 200"]);
    let got = site.verify(&leaf, &offline);
    assert_eq!(summary(&got), "0 accept - good crl disk -", "{}", got.1);
    assert_eq!(got.1["path"][1]["revocation"]["from"], "disk");
    assert_eq!(site.requests(), 2);
}

#[test]
fn a_dry_run_asks_nobody() {
    let Some(site) = Site::start("dry") else { return };
    let sub = site.sub();
    let url = |path: &str| site.nginx.url(path);
    let (first, second, ocsp, of_root) = (url("/a.crl"), url("/b.crl"), url("/ocsp"), url("/new.crl"));
    let sources = Sources { cdp: &[&first, &second], ocsp: &[&ocsp], ..Sources::default() };
    let leaf = site.leaf_of("sub", "leaf", "0x2000", sources);
    let ocsp_first = [(0, "ocsp", &ocsp), (0, "crl", &first), (0, "crl", &second), (1, "crl", &of_root)];
    let crl_first = [(0, "crl", &first), (0, "crl", &second), (0, "ocsp", &ocsp), (1, "crl", &of_root)];
    for (flags, expected) in [
        (&[][..], &ocsp_first[..]),
        (&["--order", "crl-first"], &crl_first),
        (&["--scope", "leaf"], &ocsp_first[..3]),
        (&["--revocation", "off"], &[]),
    ] {
        let cache = site.pki.path("cache");
        let more = [&["--ring", &sub, "--dry-run", "--cache-dir", cache.as_str()], flags].concat();
        let (exit, line) = site.verify(&leaf, &more);
        let asks: Vec<_> = line["requests"].as_array().expect("a list").iter().collect();
        let got: Vec<_> = asks
            .iter()
            .map(|ask| (ask["certificate_index"].as_i64(), ask["kind"].as_str(), ask["url"].as_str()))
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(at, kind, url)| (Some(*at), Some(*kind), Some(url.as_str()))).collect();
        assert_eq!((exit, &line["type"], got), (0, &"plan".into(), expected), "{flags:?}: {line}");
    }
    let issuers = url("/sub.cer");
    let lost = site.leaf_of("sub", "lost", "0x2001", Sources { issuers: &[&issuers], ..Sources::default() });
    let (_, line) = site.verify(&lost, &["--dry-run", "--no-cache", "--aia", "on"]);
    assert_eq!(
        (&line["requests"][0]["kind"], &line["requests"][0]["url"]),
        (&"issuers".into(), &issuers.into())
    );
    assert_eq!(site.nginx.access_log(), [""; 0]);
}

#[test]
fn fetch_shows_what_comes() {
    let Some(site) = Site::start("fetch") else { return };
    site.sub();
    site.pki.root("twin");
    let twin = site.pki.path("twin.pem");
    let (crl, missing, bag) =
        (site.nginx.url("/new.crl"), site.nginx.url("/none"), site.nginx.url("/sub.p7c"));
    let leaf = site.leaf("leaf", GOOD, Sources { cdp: &[DEAD, &crl], ..Sources::default() });
    let out = site.pki.path("out");
    // Exit code, then of each line `bytes` whether there are any, or what went wrong.
    for (what, more, exit, expected) in [
        (&crl, &["--ring", site.ring.as_str()][..], 0, &["bytes"][..]),
        (&crl, &[], 0, &["bytes"]),
        (&crl, &["--ring", &twin], 1, &["bytes"]),
        (&missing, &[], 3, &["unreachable"]),
        (&DEAD.to_owned(), &[], 3, &["unreachable"]),
        (&bag, &["--kind", "issuers"], 0, &["bytes"]),
        (&bag, &[], 3, &["malformed"]),
        (&leaf, &["--ring", &site.ring, "--out", &out], 3, &["unreachable", "bytes"]),
    ] {
        let flags = [&["fetch", what, "--json", "--no-cache"], more, &ALLOWED].concat();
        let (got, text, err) = run(&site.pki, &flags);
        assert_eq!(got, exit, "{what}: {text}{err}");
        let lines = lines(&text);
        let of_sources = lines.iter().filter(|line| line.get("elapsed_us").is_some());
        let output: Vec<_> = of_sources
            .map(|line| {
                line["cause"].as_str().unwrap_or_else(|| if line["bytes"].is_u64() { "bytes" } else { "-" })
            })
            .collect();
        assert_eq!(output, expected, "{what}: {text}");
    }
    let files: Vec<_> = std::fs::read_dir(&out).expect("there").flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(std::fs::read(&files[0]).expect("readable"), site.pki.read("files/new.crl"));
    let without_ring = run(&site.pki, &[&["fetch", &leaf, "--no-cache"], &ALLOWED[..]].concat());
    assert_eq!(without_ring.0, 2, "{}", without_ring.2);
    let (exit, text, _) = run(&site.pki, &["fetch", &crl, "--no-cache"]);
    assert_eq!(exit, 3);
    assert!(text.starts_with("failed: crl http://127.0.0.1:") && text.contains("loopback"), "{text}");
}

#[test]
fn the_cache_is_listed_shown_and_cleared() {
    let Some(site) = Site::start("cache") else { return };
    let (crl, other) = (site.nginx.url("/new.crl"), site.nginx.url("/pem.crl"));
    let cache = site.pki.path("cache");
    let kept = ["--cache-dir", cache.as_str()];
    for (name, url) in [("one", &crl), ("two", &other)] {
        let leaf = site.leaf(name, GOOD, Sources { cdp: &[url], ..Sources::default() });
        assert_eq!(site.verify(&leaf, &kept).0, 0);
    }
    let ask = |arguments: &[&str]| run(&site.pki, &[&["cache"], arguments, &kept].concat());
    let listed = || lines(&ask(&["list", "--json"]).1);
    let entries = listed();
    let urls: Vec<_> = entries.iter().map(|entry| entry["url"].as_str().unwrap_or_default()).collect();
    assert_eq!(urls, [&crl, &other]);
    for entry in &entries {
        assert_eq!(
            (&entry["schema"], &entry["kind"], &entry["current"]),
            (&1.into(), &"crl".into(), &true.into())
        );
        for key in ["bytes", "fetched_at", "this_update", "next_update"] {
            assert!(!entry[key].is_null(), "{key}: {entry}");
        }
    }
    let (exit, text, err) = ask(&["list"]);
    assert_eq!((exit, text.lines().count()), (0, 2), "{text}");
    assert!(err.contains("2 entries, "), "{err}");

    let key = entries[0]["key"].as_str().expect("a key").to_owned();
    for what in [&crl, &key, &key[..12]] {
        let (exit, text, err) = ask(&["show", what, "--json"]);
        let output = lines(&text);
        assert_eq!((exit, &output[0]["key"]), (0, &key.as_str().into()), "{what}: {err}");
        assert_eq!(output[1]["issuer"], "CN=Issuer,O=Acme", "{what}: {text}");
        let (exit, text, _) = ask(&["show", what]);
        assert!(exit == 0 && text.contains("CN=Issuer,O=Acme: complete CRL"), "{what}: {text}");
    }
    for (what, exit, left) in
        [(Some("no such"), 0, 2), (Some(crl.as_str()), 0, 1), (None, 0, 0), (None, 0, 0)]
    {
        let (got, _, err) = ask(&[&["clear"], what.as_slice()].concat());
        assert_eq!((got, listed().len()), (exit, left), "{what:?}: {err}");
    }
    assert_eq!(ask(&["show", &crl]).0, 2);
    let count = |folder: &str| std::fs::read_dir(Path::new(&cache).join(folder)).expect("there").count();
    assert_eq!((count("records"), count("blobs")), (0, 0));
}

#[test]
fn verbose_writes_to_standard_error() {
    let Some(site) = Site::start("verbose") else { return };
    let url = site.nginx.url("/moved/new.crl");
    let leaf = site.leaf("leaf", GOOD, Sources { cdp: &[DEAD, &url], ..Sources::default() });
    for flag in ["-v", "-vv"] {
        let flags = ["verify", &leaf, "--ring", &site.ring, "--no-cache", "--json", flag];
        let (exit, out, err) = run(&site.pki, &[&flags[..], &ALLOWED].concat());
        assert_eq!((exit, out.lines().count()), (0, 1), "{out}");
        assert_eq!(lines(&out)[0]["verdict"], "accept");
        assert!(err.contains("dead.crl") && !err.contains('\u{1b}'), "{err}");
    }
    let quiet = ["verify", &leaf, "--ring", &site.ring, "--no-cache"];
    assert_eq!(run(&site.pki, &[&quiet[..], &ALLOWED].concat()).2, "");
}
