//! Cases: a PKI of many shapes, changed in one to three ways and signed again, or with bytes flipped after that.

use certcheck_testkit::cert::sign;
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::name::name;
use certcheck_testkit::ocsp::{self, Response};
use certcheck_testkit::{Cert, CrlFlaw, Key, OcspFlaw, crl_flaw, der, flaw, ocsp_flaw};
use fastrand::Rng;

use crate::case::{Case, Kind};
use crate::corpus::Corpus;
use crate::mutate::{mutate, some_extension, some_idp};
use crate::tree::Node;

const ROOT: &str = "O=Acme,CN=Root";
const CA: &str = "O=Acme,CN=CA";

/// Keys, and what is signed once.
pub(crate) struct Forge {
    seed: u64,
    root: Key,
    ca: Key,
    leaf: Key,
    responder: Key,
    root_der: Vec<u8>,
    cas: Vec<(Cert, Vec<u8>)>,
    leaves: Vec<(Cert, Vec<u8>)>,
    delegates: Vec<(Cert, Vec<u8>)>,
    corpus: Corpus,
}

impl Forge {
    pub(crate) fn new(seed: u64, corpus: Corpus) -> Self {
        let [root, ca, leaf, responder] = ["root", "ca", "leaf", "responder"].map(Key::p256);
        let issued = |cert: Cert, key: &Key| (cert.clone(), cert.issue(key));
        let plain = || Cert::ca(CA, &ca, ROOT, &root);
        let dns = ["dns:example", "dns:example.org"];
        let cas = [
            plain(),
            plain().with([ext::basic_constraints(true, Some(0))]),
            plain().with([ext::name_constraints(&dns, &["email:bad.example"])]),
            plain().with([ext::name_constraints(&["dir:O=Acme", "ip:10.0.0.0/8"], &["uri:.bad.example"])]),
            plain().with([ext::policies(&["1.2.3"]), ext::policy_constraints(Some(0), None)]),
            plain().with([
                ext::policies(&["1.2.3", "1.2.5"]),
                ext::policy_mappings(&[("1.2.3", "1.2.4")]),
                ext::inhibit_any_policy(0),
            ]),
            plain().with([ext::eku(&["client"]), ext::cdp(&[Point::urls(&["http://crl.test/r.crl"])])]),
            plain().with([
                ext::aia(&["http://ocsp.test"], &["http://ca.test"]),
                ext::policies(&["2.5.29.32.0"]),
            ]),
            plain().without("2.5.29.15"),
        ];
        let client = || Cert::leaf("O=Acme,CN=leaf", &leaf, CA, &ca);
        let points = [Point::urls(&["http://crl.test/0.crl"]), Point::urls(&["http://crl.test/1.crl"])];
        let leaves = [client(), client().with([ext::cdp(&points[..1])]), client().with([ext::cdp(&points)])];
        let delegate = || {
            let cert = Cert::leaf("O=Acme,CN=responder", &responder, CA, &ca);
            cert.with([ext::eku(&["ocsp"]), ext::ocsp_nocheck()])
        };
        let delegates = [
            delegate(),
            delegate().without("1.3.6.1.5.5.7.48.1.5"),
            delegate().with([ext::eku(&["client"])]),
        ];
        Self {
            root_der: Cert::root(ROOT, &root).issue(&root),
            cas: cas.map(|cert| issued(cert, &root)).to_vec(),
            leaves: leaves.map(|cert| issued(cert, &ca)).to_vec(),
            delegates: delegates.map(|cert| issued(cert, &ca)).to_vec(),
            seed,
            root,
            ca,
            leaf,
            responder,
            corpus,
        }
    }

    /// The case of this number: the same each time.
    pub(crate) fn case(&self, kind: Kind, number: u64) -> Case {
        let salt = [0x11, 0x22, 0x33][Kind::ALL.iter().position(|known| *known == kind).unwrap_or(0)];
        let mut rng = Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number << 8 ^ salt);
        let rng = &mut rng;
        match kind {
            Kind::Certificate => self.certificate(rng),
            Kind::Crl => self.crl(rng),
            Kind::Response => self.response(rng),
        }
    }

    fn certificate(&self, rng: &mut Rng) -> Case {
        let (ca, ca_der) = &self.cas[rng.usize(..self.cas.len())];
        let mut case = Case {
            kind: Kind::Certificate,
            changes: String::new(),
            leaf: Vec::new(),
            ca: ca_der.clone(),
            root: self.root_der.clone(),
            evidence: Vec::new(),
        };
        let leaf = self.some_leaf(rng);
        match rng.u8(..20) {
            0 => {
                let flaw = flaw::ALL[rng.usize(..flaw::ALL.len())];
                case.changes = format!("flaw {}", flaw.name);
                match rng.bool() && leaf.extensions.iter().any(|extension| extension.oid == "2.5.29.14") {
                    true => case.leaf = flaw.issue(leaf, &self.ca),
                    false => {
                        case.leaf = leaf.issue(&self.ca);
                        case.ca = flaw.issue(ca.clone(), &self.root);
                    }
                }
            }
            1..=5 => {
                case.leaf = leaf.issue(&self.ca);
                (case.ca, case.changes) = changed(&ca.tbs(&self.root), &self.root, rng);
                case.changes.insert_str(0, "CA: ");
            }
            6..=8 if !self.corpus.certificates.is_empty() => {
                let found = &self.corpus.certificates[rng.usize(..self.corpus.certificates.len())];
                let tbs = Corpus::graft_certificate(found, &leaf.tbs(&self.ca), rng);
                (case.leaf, case.changes) = changed(&tbs, &self.ca, rng);
                case.changes.insert_str(0, "found: ");
            }
            _ => (case.leaf, case.changes) = changed(&leaf.tbs(&self.ca), &self.ca, rng),
        }
        case
    }

    fn some_leaf(&self, rng: &mut Rng) -> Cert {
        const SUBJECTS: [&str; 8] = [
            "O=Acme,CN=leaf",
            "O=Acme,CN=leaf",
            "C=DE,O=Acme,OU=a+OU=b,CN=leaf",
            "O=bmp:Acme,CN=printable:leaf",
            "",
            "DC=example,UID=leaf",
            "CN=host.example",
            "O=Other,emailAddress=a@bad.example",
        ];
        let subject = SUBJECTS[rng.usize(..SUBJECTS.len())];
        let mut cert = Cert::leaf(subject, &self.leaf, CA, &self.ca);
        let names = ext::san(
            [
                &["dns:a.example"][..],
                &["email:a@example", "uri:https://a.example/x"],
                &["ip:10.1.2.3", "dns:b.example"],
            ][rng.usize(..3)],
        );
        if subject.is_empty() || rng.bool() {
            cert = cert.with([names]);
        }
        if rng.bool() {
            cert = cert.with([ext::policies(&[["1.2.3", "1.2.4", "2.5.29.32.0"][rng.usize(..3)]])]);
        }
        for _ in 0..rng.u8(..3) {
            let extension = some_extension(rng);
            // Most leaves are good before they are changed.
            if !extension.critical
                && !["2.5.29.37", "2.5.29.17", "2.5.29.35"].contains(&extension.oid.as_str())
            {
                cert = cert.with([extension]);
            }
        }
        match rng.u8(..20) {
            0 => cert.serial = vec![0],
            1 => cert.serial = vec![0x85, 1],
            2 => cert.not_after = der::tlv(0x18, b"20270601000000Z"),
            _ => {}
        }
        cert
    }

    fn crl(&self, rng: &mut Rng) -> Case {
        let (leaf, leaf_der) = &self.leaves[rng.usize(..self.leaves.len())];
        let crl = self.some_crl(leaf, rng);
        let (evidence, changes) = match rng.u8(..20) {
            0 => {
                let flaw: CrlFlaw = crl_flaw::ALL[rng.usize(..crl_flaw::ALL.len())];
                (flaw.issue(crl, &self.ca), format!("flaw {}", flaw.name))
            }
            1..=3 if !self.corpus.crls.is_empty() => {
                let found = &self.corpus.crls[rng.usize(..self.corpus.crls.len())];
                let tbs = Corpus::graft_crl(found, &crl.tbs(&self.ca), &leaf.serial, rng);
                let (evidence, changes) = changed(&tbs, &self.ca, rng);
                (evidence, format!("found: {changes}"))
            }
            _ => changed(&crl.tbs(&self.ca), &self.ca, rng),
        };
        Case {
            kind: Kind::Crl,
            changes,
            leaf: leaf_der.clone(),
            ca: self.cas[0].1.clone(),
            root: self.root_der.clone(),
            evidence,
        }
    }

    fn some_crl(&self, leaf: &Cert, rng: &mut Rng) -> CrlBuilder {
        let mut crl = CrlBuilder::new(CA);
        if rng.u8(..10) == 0 {
            crl.version = 1;
            crl.extensions.clear();
        } else {
            crl = crl.with(rng.bool().then(|| ext::aki(&self.ca)));
            crl = crl.with((rng.u8(..4) == 0).then(|| some_idp(rng).ext()));
            crl = crl.with((rng.u8(..12) == 0).then(|| crl::delta(1)));
            crl = crl.with((rng.u8(..12) == 0).then(|| some_extension(rng)));
        }
        match rng.u8(..12) {
            0 => crl.next_update = None,
            1 => crl = crl.valid("2026-11-01T00:00:00Z", Some("2026-12-01T00:00:00Z")),
            2 => crl = crl.valid("2027-01-03T00:00:00Z", Some("2027-02-01T00:00:00Z")),
            _ => {}
        }
        let others = rng.u8(..5);
        let mut entries: Vec<RevokedCertificate> =
            (0..others).map(|n| RevokedCertificate::new(&[0x40 + n, rng.u8(..), n])).collect();
        if rng.u8(..5) < 2 {
            entries.insert(rng.usize(..=entries.len()), RevokedCertificate::new(&leaf.serial));
        }
        if crl.version == 2 {
            for entry in &mut entries {
                match rng.u8(..6) {
                    0 => entry.extensions.push(crl::reason(["keyCompromise", "superseded"][rng.usize(..2)])),
                    1 => entry.extensions.push(crl::invalidity_date("2026-02-01T00:00:00Z")),
                    2 if rng.bool() => entry.extensions.push(some_extension(rng)),
                    _ => {}
                }
            }
        }
        crl.revoking(entries)
    }

    fn response(&self, rng: &mut Rng) -> Case {
        let (leaf, leaf_der) = &self.leaves[0];
        let mut answers: Vec<ocsp::AnswerBuilder> = Vec::new();
        for _ in 0..[1, 1, 1, 2, 3][rng.usize(..5)] {
            let hash = ["sha1", "sha1", "sha256", "sha384"][rng.usize(..4)];
            let serial = if rng.u8(..4) == 0 { vec![1, 2, 3] } else { leaf.serial.clone() };
            let id = ocsp::cert_id(hash, &name(CA), &self.ca, &serial);
            let mut answer = match rng.u8(..10) {
                0..=5 => ocsp::AnswerBuilder::good(id),
                6..=7 => {
                    let reason = [None, Some("keyCompromise"), Some("certificateHold")][rng.usize(..3)];
                    ocsp::AnswerBuilder::revoked(id, "2026-06-01T00:00:00Z", reason)
                }
                8 => ocsp::AnswerBuilder::revoked(id, "2027-06-01T00:00:00Z", None),
                _ => ocsp::AnswerBuilder::unknown(id),
            };
            match rng.u8(..12) {
                0 => answer.next_update = None,
                1 => answer.extensions.push(some_extension(rng)),
                _ => {}
            }
            answers.push(answer);
        }
        let mut changes = String::new();
        let (responder, signer, certificate) = match rng.u8(..8) {
            0..=1 => (ocsp::by_key(&self.ca), &self.ca, None),
            2..=3 => (ocsp::by_name(&name(CA)), &self.ca, None),
            at => {
                let (cert, der) = &self.delegates[[0, 0, 0, 1, 2][rng.usize(..5)]];
                let der = if rng.u8(..4) == 0 {
                    let (der, made) = changed(&cert.tbs(&self.ca), &self.ca, rng);
                    changes = format!("delegate: {made}; ");
                    der
                } else {
                    der.clone()
                };
                let id = if at < 6 { ocsp::by_key(&self.responder) } else { ocsp::by_name(&cert.subject) };
                (id, &self.responder, Some(der))
            }
        };
        let mut response = Response::new(responder, answers).with_certificates(certificate);
        response.extensions.extend((rng.u8(..6) == 0).then(|| ocsp::nonce(b"12345678")));
        response.extensions.extend((rng.u8(..12) == 0).then(|| some_extension(rng)));
        let evidence = match rng.u8(..20) {
            0 => {
                let flaw: OcspFlaw = ocsp_flaw::ALL[rng.usize(..ocsp_flaw::ALL.len())];
                changes.push_str(&format!("flaw {}", flaw.name));
                flaw.issue(response, signer)
            }
            1 => {
                let mut der = response.issue(signer);
                changes.push_str(&flip_bytes(&mut der, rng));
                der
            }
            2..=4 if !changes.is_empty() => response.issue(signer),
            _ => {
                let mut tree = response_tree(&response, signer);
                // Mostly what is signed; sometimes the wrapping.
                let (tbs, made) = if rng.u8(..10) > 0 {
                    tbs_changed(&response.tbs(), &self.corpus, rng)
                } else {
                    let made = mutate(&mut tree, rng);
                    changes.push_str(&made);
                    return self.of_response(leaf_der, changes, tree.der());
                };
                changes.push_str(&made);
                wrap(&response, &tbs, signer)
            }
        };
        self.of_response(leaf_der, changes, evidence)
    }

    fn of_response(&self, leaf: &[u8], changes: String, evidence: Vec<u8>) -> Case {
        Case {
            kind: Kind::Response,
            changes,
            leaf: leaf.to_vec(),
            ca: self.cas[0].1.clone(),
            root: self.root_der.clone(),
            evidence,
        }
    }
}

fn response_tree(response: &Response, signer: &Key) -> Node {
    Node::parse(&response.issue(signer)).unwrap_or_else(|| Node::leaf(5, Vec::new()))
}

fn tbs_changed(tbs: &[u8], corpus: &Corpus, rng: &mut Rng) -> (Vec<u8>, String) {
    let mut tree = Node::parse(tbs).unwrap_or_else(|| Node::leaf(5, Vec::new()));
    let is_found = rng.u8(..8) == 0 && corpus.graft_answers(&mut tree, rng);
    let made = mutate(&mut tree, rng);
    (tree.der(), if is_found { format!("found: {made}") } else { made })
}

/// A response around what was changed, signed again.
fn wrap(response: &Response, tbs: &[u8], signer: &Key) -> Vec<u8> {
    let certificates = match response.certificates.as_slice() {
        [] => Vec::new(),
        list => der::ctx_c(0, &der::seq(list)),
    };
    let signature = der::bits(&signer.sign(tbs));
    let algorithm = signer.algorithm();
    let basic = der::seq(&[tbs, &algorithm, &signature, &certificates]);
    let bytes = der::seq(&[der::oid("1.3.6.1.5.5.7.48.1.1"), der::bytes(&basic)]);
    der::seq(&[der::tlv(10, &[0]), der::ctx_c(0, &bytes)])
}

/// Changes what is signed and signs it; a tenth has bytes flipped afterwards instead.
fn changed(tbs: &[u8], key: &Key, rng: &mut Rng) -> (Vec<u8>, String) {
    if rng.u8(..10) == 0 {
        let mut der = sign(tbs, key);
        let made = flip_bytes(&mut der, rng);
        return (der, made);
    }
    let Some(mut tree) = Node::parse(tbs) else { return (sign(tbs, key), String::new()) };
    let made = mutate(&mut tree, rng);
    (sign(&tree.der(), key), made)
}

fn flip_bytes(der: &mut Vec<u8>, rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => der.truncate(rng.usize(..der.len())),
        1 => der.push(rng.u8(..)),
        _ => {
            for _ in 0..=rng.u8(..2) {
                let at = rng.usize(..der.len());
                der[at] ^= 1 << rng.u8(..8);
            }
        }
    }
    "bytes after signing".to_owned()
}
