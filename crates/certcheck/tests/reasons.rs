//! Every reason that a verdict can have is provoked through the program, and what its hint says mends it.

mod schema;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use certcheck_testkit::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, SigAlg, keys, name, odd_key, pem};
use serde_json::Value;

const ROOT: &str = "O=Reasons,CN=Root";
const CA: &str = "O=Reasons,CN=CA";
const SERIAL: [u8; 2] = [0x41, 0x42];
const NOW: &str = "2027-01-02T00:00:00Z";
const DEAD: &str = "http://127.0.0.1:1/ca.crl";

/// What is asked: all that a certificate, its issuers, the ring, the evidence and the flags may be.
struct Asked {
    root_key: Key,
    ca_key: Key,
    root: Cert,
    ca: Cert,
    leaf: Cert,
    leaf_alg: SigAlg,
    /// Applied to the leaf's bytes.
    alters: bool,
    distrusts: bool,
    ring_has_ca: bool,
    sends_ca: bool,
    sent_along: Option<Vec<u8>>,
    has_input: bool,
    /// Inputs before it, of the same kind with other URLs.
    before: usize,
    at: &'static str,
    flags: Vec<String>,
    crls: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
}

impl Asked {
    /// About the path alone: it is good.
    fn path() -> Self {
        let (root_key, ca_key) = (Key::p256("reasons root"), Key::p256("reasons ca"));
        let mut leaf = Cert::leaf("O=Reasons,CN=client", &Key::p256("reasons client"), CA, &ca_key);
        leaf.serial = SERIAL.to_vec();
        Self {
            root: Cert::root(ROOT, &root_key),
            ca: Cert::ca(CA, &ca_key, ROOT, &root_key),
            leaf,
            leaf_alg: SigAlg::Default,
            root_key,
            ca_key,
            alters: false,
            distrusts: false,
            ring_has_ca: true,
            sends_ca: false,
            sent_along: None,
            has_input: true,
            before: 0,
            at: NOW,
            flags: ["--revocation", "off", "--offline"].map(str::to_owned).to_vec(),
            crls: Vec::new(),
            responses: Vec::new(),
        }
    }

    /// About the leaf's revocation, of which nothing is known.
    fn status() -> Self {
        let flags = ["--scope", "leaf", "--timeout", "2"].map(str::to_owned).to_vec();
        Self { flags, ..Self::path() }
    }

    fn flag(&mut self, words: &[&str]) {
        self.flags.extend(words.iter().map(|word| (*word).to_owned()));
    }

    fn names_crl(&mut self, url: &str) {
        self.leaf = self.leaf.clone().with([ext::cdp(&[Point::urls(&[url])])]);
    }

    fn names_responder(&mut self, url: &str) {
        self.leaf = self.leaf.clone().with([ext::aia(&[url], &[])]);
    }

    fn crl(&mut self, crl: CrlBuilder) {
        self.crls.push(crl.issue(&self.ca_key));
    }

    fn respond(&mut self, answer: fn(Vec<u8>) -> AnswerBuilder) {
        let id = ocsp::cert_id("sha1", &name::name(CA), &self.ca_key, &SERIAL);
        let response = Response::new(ocsp::by_key(&self.ca_key), [answer(id)]);
        self.responses.push(response.issue(&self.ca_key));
    }

    /// Asks the program: the reason's code, behind a colon the cause where it is not known, and the hint.
    fn ask(&self, folder: &Path) -> (String, String) {
        let _old = fs::remove_dir_all(folder);
        let path = |name: &str| -> PathBuf { folder.join(name) };
        for part in ["ring/anchors", "ring/intermediates", "ring/distrusted", "crl", "ocsp"] {
            fs::create_dir_all(path(part)).expect("folder");
        }
        let put = |name: &str, der: &[u8]| fs::write(path(name), pem("CERTIFICATE", der)).expect("written");
        let (root, ca) = (self.root.issue(&self.root_key), self.ca.issue(&self.root_key));
        let mut leaf = self.leaf.issue(&self.leaf_alg.signer(&self.ca_key));
        if self.alters {
            *leaf.last_mut().expect("bytes") ^= 1;
        }
        put("ring/anchors/root.pem", &root);
        if self.ring_has_ca {
            put("ring/intermediates/ca.pem", &ca);
        }
        if self.distrusts {
            put("ring/distrusted/leaf.pem", &leaf);
        }
        let mut input = if self.has_input { pem("CERTIFICATE", &leaf) } else { String::new() };
        if self.sends_ca {
            input += &pem("CERTIFICATE", &ca);
        }
        input += &self.sent_along.as_deref().map(|der| pem("CERTIFICATE", der)).unwrap_or_default();
        fs::write(path("client.pem"), input).expect("written");
        let mut inputs = Vec::new();
        for number in 0..self.before {
            let mut other = self.leaf.clone().without("2.5.29.31");
            other = other.with([ext::cdp(&[Point::urls(&[format!("http://127.0.0.1:1/{number}.crl")])])]);
            other.serial = vec![0x50, u8::try_from(number).expect("few")];
            inputs.push(path(&format!("{number}.pem")));
            put(&format!("{number}.pem"), &other.issue(&self.ca_key));
        }
        inputs.push(path("client.pem"));
        for (at, der) in self.crls.iter().enumerate() {
            fs::write(path(&format!("crl/{at}.crl")), der).expect("written");
        }
        for (at, der) in self.responses.iter().enumerate() {
            fs::write(path(&format!("ocsp/{at}.ocsp")), der).expect("written");
        }
        let output = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .arg("verify")
            .args(inputs)
            .args(["--json", "--no-cache", "--jobs", "1", "--at", self.at, "--ring"])
            .arg(path("ring"))
            .arg("--crl")
            .arg(path("crl"))
            .arg("--ocsp")
            .arg(path("ocsp"))
            .args(&self.flags)
            .output()
            .expect("runs");
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        let last =
            out.lines().last().unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(&output.stderr)));
        let line: Value = serde_json::from_str(last).expect("a line of JSON");
        schema::check(&line);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let reason = &line["reason"];
        if reason.is_null() {
            assert_eq!(output.status.code(), Some(0), "{out}");
            return (word(&line["verdict"]), String::new());
        }
        let mut code = word(&reason["code"]);
        if code == "revocation-unknown" {
            code = format!("{code}:{}", word(&line["path"][0]["revocation"]["cause"]));
        }
        (code, word(&reason["hint"]))
    }
}

/// A code, a word that its hint has, what provokes it, and what the hint says one could do.
type Row = (&'static str, &'static str, fn() -> Asked, fn(&mut Asked), fn(&mut Asked));

fn revoking(reason: &str) -> CrlBuilder {
    CrlBuilder::new(CA).revoking([RevokedCertificate::new(&SERIAL).with([crl::reason(reason)])])
}

fn renew(asked: &mut Asked) {
    let fresh = Asked::path();
    asked.leaf = fresh.leaf;
    asked.leaf_alg = fresh.leaf_alg;
}

const PATH: &[Row] = &[
    (
        "malformed",
        "issued again",
        Asked::path,
        |asked| {
            let again = asked.leaf.extensions[0].clone();
            asked.leaf.extensions.push(again);
        },
        renew,
    ),
    ("unsupported-algorithm", "P-256", Asked::path, |asked| asked.leaf_alg = SigAlg::Unknown, renew),
    (
        "weak-key",
        "--min-rsa-bits",
        Asked::path,
        |asked| asked.leaf.spki = keys::rsa1024("reasons weak").spki().to_vec(),
        |asked| asked.flag(&["--min-rsa-bits", "1024"]),
    ),
    (
        "weak-key",
        "--min-ec-bits",
        Asked::path,
        |asked| asked.leaf.spki = odd_key::named("secp224r1").expect("a key").spki,
        |asked| asked.flag(&["--min-ec-bits", "224"]),
    ),
    (
        "weak-key",
        "new key pair",
        Asked::path,
        |asked| asked.leaf.spki = odd_key::named("rsa-exponent-1").expect("a key").spki,
        renew,
    ),
    (
        "weak-signature",
        "--allow-sha1",
        Asked::path,
        |asked| {
            asked.ca_key = keys::rsa2048("reasons old ca");
            asked.ca = Cert::ca(CA, &asked.ca_key, ROOT, &asked.root_key);
            asked.leaf = asked.leaf.clone().without("2.5.29.35");
            asked.leaf_alg = SigAlg::RsaSha1;
        },
        |asked| asked.flag(&["--allow-sha1"]),
    ),
    ("bad-signature", "original", Asked::path, |asked| asked.alters = true, |asked| asked.alters = false),
    (
        "unknown-issuer",
        "have the client send it",
        Asked::path,
        |asked| asked.ring_has_ca = false,
        |asked| asked.sends_ca = true,
    ),
    (
        "not-yet-valid",
        "wait until",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().valid("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"),
        |asked| asked.at = "2031-01-01T00:00:00Z",
    ),
    (
        "expired",
        "renew",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        renew,
    ),
    (
        "distrusted",
        "the distrusted part of the ring",
        Asked::path,
        |asked| asked.distrusts = true,
        |asked| asked.distrusts = false,
    ),
    (
        "not-a-ca",
        "cA set to TRUE",
        Asked::path,
        |asked| asked.ca = asked.ca.clone().without("2.5.29.19").with([ext::basic_constraints(false, None)]),
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "path-length",
        "allows intermediates",
        Asked::path,
        |asked| {
            // What an anchor says of itself binds nobody: a CA between does.
            let middle = Key::p256("reasons middle");
            let between = "O=Reasons,CN=Middle";
            let top = Cert::ca(between, &middle, ROOT, &asked.root_key)
                .without("2.5.29.19")
                .with([ext::basic_constraints(true, Some(0))]);
            asked.sent_along = Some(top.issue(&asked.root_key));
            asked.ca = Cert::ca(CA, &asked.ca_key, between, &middle);
            asked.root_key = middle;
        },
        |asked| *asked = Asked::path(),
    ),
    (
        "key-usage",
        "with this key usage",
        Asked::path,
        |asked| asked.ca = asked.ca.clone().without("2.5.29.15").with([ext::key_usage(&["cRLSign"])]),
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "extended-key-usage",
        "--purpose",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().without("2.5.29.37").with([ext::eku(&["server"])]),
        |asked| asked.flag(&["--purpose", "server"]),
    ),
    (
        "name-mismatch",
        "in its subjectAltName",
        Asked::path,
        |asked| {
            asked.leaf = asked
                .leaf
                .clone()
                .without("2.5.29.37")
                .with([ext::eku(&["server"]), ext::san(&["dns:a.good.example"])]);
            asked.flag(&["--purpose", "server", "--hostname", "b.good.example"]);
        },
        |asked| {
            asked.leaf = asked.leaf.clone().without("2.5.29.17").with([ext::san(&["dns:b.good.example"])]);
        },
    ),
    (
        "name-constraint",
        "are allowed to certify",
        Asked::path,
        |asked| {
            asked.ca = asked.ca.clone().with([ext::name_constraints(&["dns:good.example"], &[])]);
            asked.leaf = asked.leaf.clone().with([ext::san(&["dns:bad.example"])]);
        },
        |asked| {
            asked.leaf = asked.leaf.clone().without("2.5.29.17").with([ext::san(&["dns:a.good.example"])]);
        },
    ),
    (
        "policy",
        "under a required policy",
        Asked::path,
        |asked| asked.flag(&["--policy", "1.2.3.4", "--require-explicit-policy"]),
        |asked| {
            asked.ca = asked.ca.clone().with([ext::policies(&["1.2.3.4"])]);
            asked.leaf = asked.leaf.clone().with([ext::policies(&["1.2.3.4"])]);
        },
    ),
    (
        "unhandled-critical-extension",
        "not critical",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().with([ext::unknown(true)]),
        |asked| {
            renew(asked);
            asked.leaf = asked.leaf.clone().with([ext::unknown(false)]);
        },
    ),
    (
        "limit-exceeded",
        "--max-depth",
        Asked::path,
        |asked| asked.flag(&["--max-depth", "0"]),
        |asked| *asked.flags.last_mut().expect("a number") = "1".to_owned(),
    ),
    (
        "no-certificate",
        "certificate",
        Asked::path,
        |asked| asked.has_input = false,
        |asked| asked.has_input = true,
    ),
];

const STATUS: &[Row] = &[
    (
        "certificate-revoked",
        "another certificate",
        Asked::status,
        |asked| asked.crl(revoking("keyCompromise")),
        |asked| asked.leaf.serial = vec![0x43],
    ),
    (
        "certificate-revoked",
        "lift the hold",
        Asked::status,
        |asked| asked.crl(revoking("certificateHold")),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:no-source",
        "--revocation if-offered",
        Asked::status,
        |_| {},
        |asked| asked.flag(&["--revocation", "if-offered"]),
    ),
    (
        "revocation-unknown:not-tried",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl("http://crl.example/ca.crl");
            asked.flag(&["--offline"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:unreachable",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl(DEAD);
            asked.flag(&["--allow-net", "127.0.0.0/8", "--allow-port", "1"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:breaker-open",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl(DEAD);
            asked.before = 12;
            asked.flag(&["--allow-net", "127.0.0.0/8", "--allow-port", "1"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:out-of-scope",
        "of all distribution points",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).with([Idp { ca: true, ..Idp::default() }.ext()])),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:responder-error",
        "or give a CRL",
        Asked::status,
        |asked| asked.responses.push(Response::error(3)),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:responder-unknown",
        "or give a CRL",
        Asked::status,
        |asked| asked.respond(AnswerBuilder::unknown),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:not-yet-valid",
        "check the clock",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).valid("2028-01-01T00:00:00Z", Some("2029-01-01T00:00:00Z"))),
        |asked| asked.at = "2028-06-01T00:00:00Z",
    ),
    (
        "revocation-unknown:wrong-signer",
        "valid and issued for this use",
        Asked::status,
        |asked| {
            asked.ca = asked.ca.clone().without("2.5.29.15").with([ext::key_usage(&["keyCertSign"])]);
            asked.crl(CrlBuilder::new(CA));
        },
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "revocation-unknown:unsupported",
        "SHA-256 or better",
        Asked::status,
        |asked| {
            asked.ca_key = keys::rsa2048("reasons old ca");
            asked.ca = Cert::ca(CA, &asked.ca_key, ROOT, &asked.root_key);
            asked.leaf = asked.leaf.clone().without("2.5.29.35");
            asked.crls.push(CrlBuilder::new(CA).issue(&SigAlg::RsaSha1.signer(&asked.ca_key)));
        },
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:bad-signature",
        "get the evidence again",
        Asked::status,
        |asked| asked.crls.push(CrlBuilder::new(CA).issue(&Key::p256("reasons somebody else"))),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:malformed",
        "get the evidence again",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).with([ext::unknown(true)])),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:stale",
        "newer evidence",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"))),
        |asked| asked.crl(CrlBuilder::new(CA).valid("2027-01-01T00:00:00Z", Some("2027-02-01T00:00:00Z"))),
    ),
    (
        "revocation-unknown:rollback",
        "only the newer evidence",
        Asked::status,
        |asked| {
            let newer = CrlBuilder::new(CA).valid("2026-12-02T00:00:00Z", Some("2027-01-01T00:00:00Z"));
            asked.crl(numbered(newer, 9));
            let older = CrlBuilder::new(CA).valid("2026-12-01T00:00:00Z", Some("2028-01-01T00:00:00Z"));
            asked.crl(numbered(older, 8));
        },
        // It has ended by then: so it did in its time.
        |asked| {
            asked.crls.truncate(1);
            asked.at = "2026-12-31T00:00:00Z";
        },
    ),
    (
        "revocation-unknown:conflict",
        "which of the two CRLs",
        Asked::status,
        |asked| {
            let one = CrlBuilder::new(CA).valid("2026-12-01T00:00:00Z", Some("2028-01-01T00:00:00Z"));
            asked.crl(numbered(one.clone(), 8));
            asked.crl(numbered(one.revoking([RevokedCertificate::new(&[0x77])]), 8));
        },
        |asked| asked.crls.truncate(1),
    ),
];

fn numbered(crl: CrlBuilder, number: i64) -> CrlBuilder {
    let others = crl.extensions.iter().filter(|known| known.oid != "2.5.29.20").cloned();
    let extensions = others.chain([crl::number(number)]).collect();
    CrlBuilder { extensions, ..crl }
}

fn folder(name: &str) -> tempfile::TempDir {
    tempfile::Builder::new().prefix(&format!("certcheck-{name}-")).tempdir().expect("folder")
}

/// Provokes it, then does what the hint says.
fn try_row((code, word, start, provoke, mend): &Row, folder: &Path) {
    let mut asked = start();
    provoke(&mut asked);
    let (output, hint) = asked.ask(folder);
    assert_eq!(output, *code);
    assert!(hint.contains(word), "{code}: the hint is {hint:?}");
    mend(&mut asked);
    assert_eq!(asked.ask(folder).0, "accept", "{code}: the hint is not true: {hint}");
}

#[test]
fn each_reason_of_a_path_and_its_hint() {
    let folder = folder("reasons-path");
    PATH.iter().for_each(|row| try_row(row, folder.path()));
}

#[test]
fn each_cause_of_not_knowing_and_its_hint() {
    let folder = folder("reasons-status");
    STATUS.iter().for_each(|row| try_row(row, folder.path()));
}

/// Those for which somebody must answer.
#[test]
fn each_cause_that_takes_a_server_and_its_hint() {
    let folder = folder("reasons-online");
    let server = Server::start();
    let try_online = |code: &str, word: &str, mut asked: Asked, mend: &dyn Fn(&mut Asked)| {
        let (output, hint) = asked.ask(folder.path());
        assert_eq!(output, format!("revocation-unknown:{code}"));
        assert!(hint.contains(word), "{code}: the hint is {hint:?}");
        mend(&mut asked);
        assert_eq!(asked.ask(folder.path()).0, "accept", "{code}: the hint is not true: {hint}");
    };
    let mut asked = Asked::status();
    server.serve("/ca.crl", Page::new(CrlBuilder::new(CA).issue(&asked.ca_key)));
    asked.names_crl(&server.url("/ca.crl"));
    let allow = |asked: &mut Asked| asked.flag(&["--allow-net", "127.0.0.0/8"]);
    try_online("refused-address", "--allow-net", asked, &allow);

    let mut asked = Asked::status();
    server.serve("/large", Page::new([0x30; 100_000]));
    asked.names_responder(&server.url("/large"));
    allow(&mut asked);
    try_online("too-large", "--ocsp", asked, &|asked| asked.respond(AnswerBuilder::good));

    let mut asked = Asked::status();
    let responder = OcspResponder::new(CA, asked.ca_key.clone());
    responder.good(&SERIAL);
    responder.set_echo_nonce(false);
    server.serve_with("/ocsp", responder.handler());
    asked.names_responder(&server.url("/ocsp"));
    allow(&mut asked);
    asked.flag(&["--nonce", "demand"]);
    let without = |asked: &mut Asked| *asked.flags.last_mut().expect("a word") = "off".to_owned();
    try_online("nonce-mismatch", "turn off the nonce", asked, &without);
}

/// What this file provokes is all that there is: the codes stand in the source of the core.
#[test]
fn no_code_is_left_out() {
    let codes = |source: &str| -> BTreeSet<String> {
        let body = source.split("fn code(").nth(1).expect("a function").split("\n    }\n").next();
        let quoted = body.expect("its body").split('"').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    };
    let mut all = codes(include_str!("../../certcheck-core/src/reason/mod.rs"));
    assert!(all.remove("revocation-unknown"), "{all:?}");
    let causes = codes(include_str!("../../certcheck-core/src/status/cause.rs"));
    all.extend(causes.iter().map(|cause| format!("revocation-unknown:{cause}")));
    let online = ["refused-address", "too-large", "nonce-mismatch"];
    let mut provoked: BTreeSet<String> =
        PATH.iter().chain(STATUS).map(|(code, ..)| (*code).to_owned()).collect();
    provoked.extend(online.map(|cause| format!("revocation-unknown:{cause}")));
    assert_eq!(provoked, all);
}
