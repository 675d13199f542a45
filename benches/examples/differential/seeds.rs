//! What is changed: certificates, CRLs and OCSP responses of many shapes, with the keys to sign them again.

use certcheck_testkit::cert::sign;
use certcheck_testkit::crl::{self, Crl, Entry, Idp};
use certcheck_testkit::ext::{self, Ext, Point};
use certcheck_testkit::ocsp::{self, Answer, Response};
use certcheck_testkit::{Cert, Key, SigAlg, der, name};

use crate::mutate;

pub(crate) const ROOT: &str = "O=Differential,CN=Root";
const CA: &str = "O=Differential,CN=CA";
const URL: &str = "http://crl.example/ca.crl";
const SERIAL: [u8; 4] = [0x41, 0x42, 0x43, 0x44];

/// The keys, and what does not change.
pub(crate) struct Seeds {
    root_key: Key,
    ca_key: Key,
    pub(crate) root: Vec<u8>,
    pub(crate) ca: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
}

/// Leaf and CA, one of them changed.
pub(crate) struct Chain {
    pub(crate) leaf: Vec<u8>,
    pub(crate) ca: Vec<u8>,
}

impl Seeds {
    pub(crate) fn new() -> Self {
        let (root_key, ca_key) = (Key::p256("differential root"), Key::p256("differential ca"));
        let mut seeds = Self {
            root: Cert::root(ROOT, &root_key).issue(&root_key),
            ca: Vec::new(),
            leaf: Vec::new(),
            root_key,
            ca_key,
        };
        seeds.ca = seeds.ca_cert().issue(&seeds.root_key);
        seeds.leaf = seeds.leaf_cert().with([ext::cdp(&[Point::urls(&[URL])])]).issue(&seeds.ca_key);
        seeds
    }

    fn ca_cert(&self) -> Cert {
        Cert::ca(CA, &self.ca_key, ROOT, &self.root_key)
    }

    fn leaf_cert(&self) -> Cert {
        let key = Key::p256("differential client");
        let mut cert = Cert::leaf("O=Differential,CN=client", &key, CA, &self.ca_key);
        cert.serial = SERIAL.to_vec();
        cert
    }

    fn some(random: &mut fastrand::Rng, choices: Vec<Ext>) -> Vec<Ext> {
        choices.into_iter().filter(|_| random.bool()).collect()
    }

    /// A chain that is good, with one certificate changed and signed again, or an octet changed that no signature covers.
    pub(crate) fn chain(&self, random: &mut fastrand::Rng) -> Chain {
        let constraints = [
            ext::name_constraints(&["dns:example.com", "email:example.com"], &["dns:bad.example.com"]),
            ext::name_constraints(&[] as &[&str], &["dns:bad.example.com", "ip:10.0.0.0/8"]),
        ];
        let constraint = constraints[random.usize(0..2)].clone();
        let ca_extensions = Self::some(
            random,
            vec![
                constraint,
                ext::policies(&["1.2.3.4", "1.2.3.5"]),
                ext::eku(&["client"]),
                ext::cdp(&[Point::urls(&[URL])]),
            ],
        );
        let leaf_extensions = Self::some(
            random,
            vec![
                ext::san(&["dns:a.example.com", "email:a@example.com", "uri:spiffe://example.com/a"]),
                ext::policies(&["1.2.3.4"]),
                ext::cdp(&[Point::urls(&[URL])]),
                ext::aia(&["http://ocsp.example/"], &["http://ca.example/ca.cer"]),
                ext::unknown(false),
            ],
        );
        let (ca, leaf) = (self.ca_cert().with(ca_extensions), self.leaf_cert().with(leaf_extensions));
        let mut chain = Chain { leaf: leaf.issue(&self.ca_key), ca: ca.issue(&self.root_key) };
        match random.u8(0..10) {
            0 => mutate::raw(&mut chain.leaf, random),
            1..7 => chain.leaf = again(&leaf.tbs(&self.ca_key), &self.ca_key, random),
            _ => chain.ca = again(&ca.tbs(&self.root_key), &self.root_key, random),
        }
        chain
    }

    /// A CRL of the CA that lists the leaf, or not.
    pub(crate) fn crl(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut entries = vec![Entry::new(&[0x11]), Entry::new(&[0x22]).with([crl::reason("superseded")])];
        if random.bool() {
            let reason = ["keyCompromise", "certificateHold", "cessationOfOperation"][random.usize(0..3)];
            let at = random.usize(0..3);
            entries.insert(at, Entry::new(&SERIAL).with([crl::reason(reason)]));
        }
        let idp = Idp { point: Point::urls(&[URL]), user: random.bool(), ..Idp::default() };
        let extensions = Self::some(random, vec![idp.ext(), ext::unknown(false)]);
        let list = Crl::new(CA).revoking(entries).with(extensions);
        let mut der = again(&list.tbs(&self.ca_key), &self.ca_key, random);
        if random.u8(0..10) == 0 {
            der = list.issue(&self.ca_key);
            mutate::raw(&mut der, random);
        }
        der
    }

    /// A response about the leaf, and perhaps another.
    pub(crate) fn response(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let id = |serial: &[u8]| {
            ocsp::cert_id(["sha1", "sha256"][random_index(serial)], &name::name(CA), &self.ca_key, serial)
        };
        let mut answers = vec![match random.u8(0..3) {
            0 => Answer::good(id(&SERIAL)),
            1 => Answer::revoked(id(&SERIAL), "2026-03-01T00:00:00Z", Some("keyCompromise")),
            _ => Answer::unknown(id(&SERIAL)),
        }];
        if random.bool() {
            answers.insert(random.usize(0..2), Answer::good(id(&[0x11])));
        }
        for answer in &mut answers {
            answer.this_update = ocsp::time("2026-01-01T00:00:00Z");
            answer.next_update = Some(ocsp::time("2125-01-01T00:00:00Z"));
        }
        let (mut signer, mut sent) = (self.ca_key.clone(), Vec::new());
        let delegate = Key::p256("differential responder");
        if random.bool() {
            let cert = Cert::leaf("O=Differential,CN=responder", &delegate, CA, &self.ca_key)
                .without("2.5.29.37")
                .with([ext::eku(&["ocsp"]), ext::ocsp_nocheck()]);
            sent.push(cert.issue(&self.ca_key));
            signer = delegate;
        }
        let mut response = Response::new(ocsp::by_key(&signer), answers).with_certificates(sent.clone());
        response.produced_at = ocsp::time("2026-01-01T00:00:00Z");
        let mut der = response.issue(&signer);
        if random.u8(0..10) == 0 {
            mutate::raw(&mut der, random);
            return der;
        }
        let tbs = mutate::signed(&response.tbs(), random);
        let signed =
            [tbs.clone(), signer.algorithm(SigAlg::Default), der::bits(&signer.sign(SigAlg::Default, &tbs))];
        let certificates = if sent.is_empty() { Vec::new() } else { der::ctx_c(0, &der::seq(&sent)) };
        let basic = der::seq(&[der::concat(&signed), certificates]);
        let bytes = der::seq(&[der::oid(&response.kind), der::octets(&basic)]);
        der::seq(&[der::tlv(0x0a, &[0]), der::ctx_c(0, &bytes)])
    }
}

/// Both hashes are asked with.
fn random_index(serial: &[u8]) -> usize {
    usize::from(serial.len() == 1)
}

fn again(tbs: &[u8], key: &Key, random: &mut fastrand::Rng) -> Vec<u8> {
    sign(&mutate::signed(tbs, random), SigAlg::Default, key)
}
