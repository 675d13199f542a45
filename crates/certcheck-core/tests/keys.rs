//! Public keys that protect nothing or are not what they say, as a client's and as a CA's: refused, by the fast way too.

mod alike;

use std::collections::BTreeMap;

use certcheck_core::key_ring::Placement;
use certcheck_core::{Check, Evidence, KeyRing, Policy, Revocation};
use certcheck_testkit::odd_key::{self, OddKey};
use certcheck_testkit::scenarios::Question;
use certcheck_testkit::{Cert, Key, keys};
use pki_types::CertificateDer;

/// What is said of a certificate that is good but for its key, and what of one that such a key is said to have signed.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("rsa-exponent-1", "weak-key", "exponent is even or less than 3"),
    ("rsa-exponent-2", "weak-key", "exponent is even or less than 3"),
    ("rsa-exponent-65536", "weak-key", "exponent is even or less than 3"),
    ("rsa-exponent-zero", "weak-key", "exponent is even or less than 3"),
    ("rsa-exponent-negative", "malformed", "INTEGER is negative"),
    ("rsa-exponent-not-minimal", "malformed", "fewest bytes"),
    ("rsa-exponent-as-large-as-the-modulus", "malformed", "not less than its modulus"),
    ("rsa-exponent-3", "accepted", ""),
    ("rsa-exponent-of-40-bits", "accepted", ""),
    ("rsa-modulus-even", "weak-key", "modulus is even"),
    ("rsa-modulus-negative", "malformed", "INTEGER is negative"),
    ("rsa-modulus-not-minimal", "malformed", "fewest bytes"),
    ("rsa-modulus-zero", "weak-key", "0 bits"),
    ("rsa-1024", "weak-key", "1024 bits, at least 2048"),
    ("rsa-8256", "accepted", ""),
    ("rsa-trailing-data", "malformed", "unexpected bytes"),
    ("secp112r1", "weak-key", "key is on secp112r1, a curve of 112 bits, at least 256"),
    ("secp128r1", "weak-key", "128 bits"),
    ("secp160r1", "weak-key", "160 bits"),
    ("secp192r1", "weak-key", "P-192"),
    ("secp224r1", "weak-key", "P-224"),
    ("sect163k1", "weak-key", "163 bits"),
    ("sect233r1", "weak-key", "233 bits"),
    ("sect283k1", "accepted", ""),
    ("brainpoolP160r1", "weak-key", "160 bits"),
    ("brainpoolP256r1-off-the-curve", "malformed", "not a point on brainpoolP256r1"),
    ("curve-unknown", "unsupported-algorithm", "1.3.6.1.4.1.99999.3"),
    ("curve-inherited", "unsupported-algorithm", "not given by name"),
    ("curve-absent", "unsupported-algorithm", "not given by name"),
    ("p256-empty", "malformed", "empty point"),
    ("p256-infinity", "malformed", "point at infinity"),
    ("p256-short", "malformed", "P-256 key has 64 bytes, 65"),
    ("p256-long", "malformed", "P-256 key has 66 bytes, 65"),
    ("p256-hybrid", "malformed", "form 0x0"),
    ("p256-unknown-form", "malformed", "form 0x05"),
    ("p256-off-the-curve", "malformed", "not a point on P-256"),
    ("p256-coordinate-above-the-prime", "malformed", "not a point on P-256"),
    ("p256-zero", "malformed", "not a point on P-256"),
    ("p256-compressed", "unsupported-algorithm", "compressed point on P-256"),
    ("p384-off-the-curve", "malformed", "not a point on P-384"),
    ("p521-off-the-curve", "malformed", "not a point on P-521"),
    ("ed25519-short", "malformed", "31 bytes, 32"),
    ("ed25519-long", "malformed", "33 bytes, 32"),
    ("ed25519-order-1", "weak-key", "small order"),
    ("ed25519-order-2", "weak-key", "small order"),
    ("ed25519-order-4", "weak-key", "small order"),
    ("ed25519-order-4-of-other-sign", "weak-key", "small order"),
    ("ed25519-order-8", "weak-key", "small order"),
    ("ed25519-order-8-of-other-sign", "weak-key", "small order"),
    ("ed25519-order-1-not-reduced", "weak-key", "small order"),
    ("ed25519-not-reduced", "malformed", "not below the prime"),
    ("ed25519-parameters", "malformed", "Ed25519 key has parameters"),
    ("x25519", "accepted", ""),
    ("x25519-zero", "weak-key", "small order"),
    ("x25519-order-8", "weak-key", "small order"),
    ("x25519-short", "malformed", "31 bytes, 32"),
    ("ed448", "accepted", ""),
    ("ed448-short", "malformed", "56 bytes, 57"),
    ("x448", "accepted", ""),
    ("ml-dsa-44", "accepted", ""),
    ("ml-dsa-44-short", "malformed", "1311 bytes, 1312"),
    ("dsa", "unsupported-algorithm", "id-dsa"),
    ("gost-2012", "unsupported-algorithm", "id-tc26-gost3410-12-256"),
    ("unknown-algorithm", "unsupported-algorithm", "1.3.6.1.4.1.99999.4"),
];

struct Pki {
    root_key: Key,
    question: Question,
}

impl Pki {
    fn new() -> Self {
        let (root_key, key) = (Key::p256("root"), Key::p256("leaf"));
        let root = Cert::root("CN=Root", &root_key).issue(&root_key);
        let leaf = Cert::leaf("CN=leaf", &key, "CN=Root", &root_key).issue(&root_key);
        let question = Question {
            about: "keys".to_owned(),
            at: "2027-01-01T00:00:00Z".to_owned(),
            chain: vec![leaf],
            key,
            ring: vec![(Placement::Anchor, "root".to_owned(), root)],
            settings: String::new(),
            policy: Policy::client(Revocation::Off),
            crls: Vec::new(),
            responses: Vec::new(),
            others: Vec::new(),
        };
        Self { root_key, question }
    }

    fn leaf(&self, odd: &OddKey) -> Vec<u8> {
        let key = Key::p256("leaf").with_spki(odd.spki.clone());
        Cert::leaf("CN=leaf", &key, "CN=Root", &self.root_key).issue(&self.root_key)
    }

    /// A leaf below a CA of this key, which did not sign it, and the CA.
    fn below(&self, odd: &OddKey) -> [Vec<u8>; 2] {
        let key = Key::p256("CA").with_spki(odd.spki.clone());
        let ca = Cert::ca("CN=CA", &key, "CN=Root", &self.root_key).issue(&self.root_key);
        let leaf = Cert::leaf("CN=below", &Key::p256("below"), "CN=CA", &key);
        [leaf.issue(&Key::p256("CA")), ca]
    }

    fn ring(&self) -> KeyRing {
        self.question.key_ring()
    }

    fn found(&self, chain: &[Vec<u8>], ring: &KeyRing) -> (String, usize, String) {
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let report = Check::new(&chain, ring, &self.question.policy, self.question.now()).run();
        report.reason.map_or_else(
            || ("accepted".to_owned(), 0, String::new()),
            |found| (found.reason.code().to_owned(), found.at, found.reason.to_string()),
        )
    }
}

#[test]
fn of_a_client() {
    let pki = Pki::new();
    let ring = pki.ring();
    let expected: BTreeMap<_, _> =
        EXPECTED.iter().map(|(name, code, words)| (*name, (*code, *words))).collect();
    let keys = odd_key::all();
    assert_eq!(keys.len(), expected.len());
    for key in keys {
        let (code, words) = expected[key.name];
        let (found, _, message) = pki.found(&[pki.leaf(&key)], &ring);
        assert_eq!(found, code, "{}: {message}", key.name);
        assert!(message.contains(words), "{}: {message}", key.name);
    }
}

#[test]
fn of_a_ca() {
    let pki = Pki::new();
    let ring = pki.ring();
    for (name, code, words) in EXPECTED {
        let key = odd_key::named(name).expect("a key");
        let (found, at, message) = pki.found(&pki.below(&key), &ring);
        // The signature below does not verify, which is told where nothing is wrong with the key, or where only the
        // verification tells.
        if *code == "accepted"
            || name.ends_with("-the-curve")
            || matches!(*name, "p256-zero" | "p256-coordinate-above-the-prime")
        {
            assert_eq!(at, 0, "{name}: {message}");
            assert!(
                ["bad-signature", "unsupported-algorithm"].contains(&found.as_str()),
                "{name}: {message}"
            );
        } else {
            assert_eq!((found.as_str(), at), (*code, 1), "{name}: {message}");
            assert!(message.contains(words), "{name}: {message}");
        }
    }
}

/// Nobody looks at a certificate's key twice, so the one time must be thorough: for another leaf of the same kind too.
#[test]
fn of_a_client_of_a_known_kind() {
    let mut pki = Pki::new();
    let good = Key::p256("another");
    let good = Cert::leaf("CN=another", &good, "CN=Root", &pki.root_key).issue(&pki.root_key);
    pki.question.others = odd_key::all().iter().map(|key| (key.name.to_owned(), pki.leaf(key))).collect();
    pki.question.others.push(("good".to_owned(), good));
    let mut tally = alike::Tally::default();
    alike::compare_all(&pki.question, &Evidence::new(), &mut tally).expect("the same");
    let accepted = EXPECTED.iter().filter(|(_, code, _)| *code == "accepted").count();
    assert_eq!((tally.compared, tally.admitted), (EXPECTED.len() + 1, accepted + 1));
}

/// A lower minimum by policy, and none below what could be broken at home.
#[test]
fn smaller_curves_by_policy() {
    let mut pki = Pki::new();
    pki.question.policy.signatures.min_ec_bits = 1;
    let ring = pki.ring();
    for (name, code) in [
        ("secp112r1", "weak-key"),
        ("secp128r1", "weak-key"),
        ("secp160r1", "accepted"),
        ("secp192r1", "accepted"),
        ("secp224r1", "accepted"),
        ("p256-infinity", "malformed"),
    ] {
        let key = odd_key::named(name).expect("a key");
        assert_eq!(pki.found(&[pki.leaf(&key)], &ring).0, code, "{name}");
    }
    pki.question.policy.signatures.min_ec_bits = 384;
    let leaf = pki.question.chain.clone();
    assert_eq!(pki.found(&leaf, &ring).0, "weak-key");
}

/// A key that is longer than signatures are verified with is reported as that, no matter whose it is: an anchor in a flat ring too.
#[test]
fn issuers_of_sizes_that_are_not_supported() {
    let pki = Pki::new();
    for (name, words) in [
        ("rsa-8256", "the issuer's RSA key has 8256 bits, at most 8192"),
        ("rsa-exponent-of-40-bits", "the public exponent of the issuer's RSA key has 40 bits, at most 33"),
    ] {
        let odd = odd_key::named(name).expect("a key");
        let signer = keys::rsa2048("big").with_spki(odd.spki);
        let root = Cert::root("CN=Big", &signer).issue(&signer);
        let leaf = Cert::leaf("CN=leaf", &Key::p256("leaf"), "CN=Big", &signer).issue(&signer);
        for placement in [Placement::Anchor, Placement::Flat] {
            let ring =
                Question { ring: vec![(placement, "big".to_owned(), root.clone())], ..Pki::new().question };
            let (code, at, message) = pki.found(std::slice::from_ref(&leaf), &ring.key_ring());
            assert_eq!((code.as_str(), at), ("unsupported-algorithm", 0), "{name}: {message}");
            assert!(message.contains(words), "{name}: {message}");
        }
    }
}
