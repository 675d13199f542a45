//! A question to the program: all that a certificate, its issuers, the ring, the evidence and the flags may be.

use std::fs;
use std::path::{Path, PathBuf};

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key, SigAlg, name, pem};
use serde_json::Value;

use crate::schema;

pub(crate) const ROOT: &str = "O=Reasons,CN=Root";
pub(crate) const CA: &str = "O=Reasons,CN=CA";
pub(crate) const SERIAL: [u8; 2] = [0x41, 0x42];
pub(crate) const NOW: &str = "2027-01-02T00:00:00Z";

/// What is asked: all that a certificate, its issuers, the ring, the evidence and the flags may be.
pub(crate) struct Asked {
    pub(crate) root_key: Key,
    pub(crate) ca_key: Key,
    pub(crate) root: Cert,
    pub(crate) ca: Cert,
    pub(crate) leaf: Cert,
    pub(crate) leaf_alg: SigAlg,
    /// Applied to the leaf's bytes.
    pub(crate) alters: bool,
    pub(crate) distrusts: bool,
    pub(crate) ring_has_ca: bool,
    pub(crate) sends_ca: bool,
    pub(crate) sent_along: Option<Vec<u8>>,
    pub(crate) has_input: bool,
    /// Inputs before it, of the same kind with other URLs.
    pub(crate) before: usize,
    pub(crate) at: &'static str,
    pub(crate) flags: Vec<String>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) responses: Vec<Vec<u8>>,
}

impl Asked {
    /// About the path alone: it is good.
    pub(crate) fn path() -> Self {
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
    pub(crate) fn status() -> Self {
        let flags = ["--scope", "leaf", "--timeout", "10"].map(str::to_owned).to_vec();
        Self { flags, ..Self::path() }
    }

    pub(crate) fn flag(&mut self, words: &[&str]) {
        self.flags.extend(words.iter().map(|word| (*word).to_owned()));
    }

    pub(crate) fn names_crl(&mut self, url: &str) {
        self.leaf = self.leaf.clone().with([ext::cdp(&[Point::urls(&[url])])]);
    }

    pub(crate) fn names_responder(&mut self, url: &str) {
        self.leaf = self.leaf.clone().with([ext::aia(&[url], &[])]);
    }

    pub(crate) fn crl(&mut self, crl: CrlBuilder) {
        self.crls.push(crl.issue(&self.ca_key));
    }

    pub(crate) fn respond(&mut self, answer: fn(Vec<u8>) -> AnswerBuilder) {
        let id = ocsp::cert_id("sha1", &name::name(CA), &self.ca_key, &SERIAL);
        let response = Response::new(ocsp::by_key(&self.ca_key), [answer(id)]);
        self.responses.push(response.issue(&self.ca_key));
    }

    /// Asks the program: the reason's code, behind a colon the cause where it is not known, and the hint.
    pub(crate) fn ask(&self, folder: &Path) -> (String, String) {
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
pub(crate) type Row = (&'static str, &'static str, fn() -> Asked, fn(&mut Asked), fn(&mut Asked));
