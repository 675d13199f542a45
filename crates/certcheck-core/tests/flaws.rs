//! Every named flaw of the forge, in the target and in an intermediate: refused, with the reason that is true.

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Check, KeyRing, Policy, Revocation, Time};
use certcheck_testkit::flaw::{self, Flaw};
use certcheck_testkit::{Cert, Key, der, ext, keys};
use data_encoding::HEXLOWER;
use pki_types::CertificateDer;

/// What a flaw is told as, where not as `malformed`.
fn expected(flaw: Flaw) -> &'static str {
    match flaw.name {
        "bad-signature" | "zero-signature" | "empty-signature" | "oversized-signature" => "bad-signature",
        "smuggled-parameters" => "unsupported-algorithm",
        _ => "malformed",
    }
}

fn ring(root: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("root", root, Placement::Anchor).expect("root reads");
    builder.build().expect("ring builds")
}

/// Code of the reason, the reason in words, and the signatures that were verified.
fn outcome(chain: &[&[u8]], ring: &KeyRing) -> (String, String, u32) {
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    let policy = Policy::client(Revocation::Off);
    let report = Check::new(&chain, ring, &policy, Time::from_unix(1_800_000_000)).run();
    assert_eq!(report.is_accepted(), report.reason.is_none());
    let spent = report.spent.signatures;
    report.reason.map_or_else(
        || ("accepted".to_owned(), String::new(), spent),
        |rejection| (rejection.reason.code().to_owned(), rejection.reason.to_string(), spent),
    )
}

fn code(chain: &[&[u8]], ring: &KeyRing) -> String {
    outcome(chain, ring).0
}

#[test]
fn in_the_target_and_in_an_intermediate() {
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let root = Cert::root("CN=Root", &root_key).issue(&root_key);
    let (ca, leaf) =
        (Cert::ca("CN=CA", &ca_key, "CN=Root", &root_key), Cert::leaf("CN=leaf", &key, "CN=CA", &ca_key));
    let (good_ca, good_leaf) = (ca.issue(&root_key), leaf.issue(&ca_key));
    let ring = ring(&root);
    assert_eq!(code(&[&good_leaf, &good_ca], &ring), "accepted");
    for flaw in flaw::ALL {
        let broken = flaw.issue(leaf.clone(), &ca_key);
        assert_ne!(broken, good_leaf, "{}", flaw.name);
        assert_eq!(code(&[&broken, &good_ca], &ring), expected(*flaw), "{}", flaw.name);
        // An intermediate that cannot be parsed is left out; one that can and does not verify is reported.
        let broken = flaw.issue(ca.clone(), &root_key);
        let wanted = if expected(*flaw) == "malformed" { "unknown-issuer" } else { expected(*flaw) };
        assert_eq!(code(&[&good_leaf, &broken], &ring), wanted, "{} in the intermediate", flaw.name);
    }
}

/// What is read although it is not quite DER: in the target, and where a CA can have it in a CA. The signature is over the
/// bytes as they came: whatever bit is changed, nothing is encoded again for it to verify.
#[test]
fn encodings_that_no_reader_takes_two_ways() {
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let root = Cert::root("CN=Root", &root_key).issue(&root_key);
    let (ca, leaf) =
        (Cert::ca("CN=CA", &ca_key, "CN=Root", &root_key), Cert::leaf("CN=leaf", &key, "CN=CA", &ca_key));
    let (good_ca, good_leaf) = (ca.issue(&root_key), leaf.issue(&ca_key));
    let ring = ring(&root);
    for flaw in flaw::LENIENT {
        let odd = flaw.issue(leaf.clone(), &ca_key);
        assert_ne!(odd, good_leaf, "{}", flaw.name);
        // A cA of TRUE is read as TRUE.
        assert_eq!(code(&[&odd, &good_ca], &ring), "accepted", "{}", flaw.name);
        let mut signatures = 0;
        for bit in 0..odd.len() * 8 {
            let mut changed = odd.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let found = code(&[&changed, &good_ca], &ring);
            assert_ne!(found, "accepted", "{}, bit {bit}", flaw.name);
            signatures += usize::from(found == "bad-signature");
        }
        assert!(signatures > 500, "{}: {signatures}", flaw.name);
        let odd = flaw.issue(ca.clone(), &root_key);
        let expected = if flaw.name == "empty-extensions" { "not-a-ca" } else { "accepted" };
        assert_eq!(code(&[&good_leaf, &odd], &ring), expected, "{} in the intermediate", flaw.name);
    }
}

/// 4.1.2.6: an empty subject and an empty list of names name nobody.
#[test]
fn an_empty_list_of_names_names_nobody() {
    let root_key = Key::p256("root");
    let ring = ring(&Cert::root("CN=Root", &root_key).issue(&root_key));
    let leaf = Cert::leaf("", &Key::p256("leaf"), "CN=Root", &root_key);
    let named = leaf.clone().with([ext::san(&["dns:a.example"])]).issue(&root_key);
    assert_eq!(code(&[&named], &ring), "accepted");
    let mut empty = ext::san::<&str>(&[]);
    for critical in [false, true] {
        empty.critical = critical;
        let nobody = leaf.clone().with([empty.clone()]).issue(&root_key);
        let (code, words, _) = outcome(&[&nobody], &ring);
        assert_eq!(code, "malformed");
        assert!(words.contains("subject is empty"), "{words}");
    }
}

#[test]
fn a_ring_with_an_unreadable_file_is_an_error_that_names_it() {
    let key = Key::p256("root");
    for flaw in
        flaw::ALL.iter().filter(|flaw| expected(**flaw) == "malformed" && flaw.name != "trailing-data")
    {
        let broken = flaw.issue(Cert::root("CN=Root", &key), &key);
        let error = RingBuilder::new()
            .add("some/file.der", &broken, Placement::Anchor)
            .map(drop)
            .expect_err(flaw.name);
        assert!(error.to_string().starts_with("some/file.der: "), "{error}");
    }
}

/// An elliptic-curve key whose curve is spelled out (RFC 3279 2.3.5): P-256 in all but the generator, if one is given.
fn spelled_out(key: &Key, generator: Option<Vec<u8>>) -> Key {
    let number = |hex: &str| HEXLOWER.decode(hex.as_bytes()).expect("hex");
    let prime = number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    let a = number("ffffffff00000001000000000000000000000000fffffffffffffffffffffffc");
    let b = number("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
    let own = number(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    );
    let order = number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let unsigned = |bytes: &[u8]| der::int_bytes(&[&[0], bytes].concat());
    let parameters = der::seq(&[
        der::int(1),
        der::seq(&[der::oid("1.2.840.10045.1.1"), unsigned(&prime)]),
        der::seq(&[der::bytes(&a), der::bytes(&b)]),
        der::bytes(&generator.unwrap_or(own)),
        unsigned(&order),
        der::int(1),
    ]);
    let algorithm = der::seq(&[der::oid("1.2.840.10045.2.1"), parameters]);
    key.clone().with_spki(der::seq(&[algorithm, der::bits(&key.public_key())]))
}

/// CVE-2020-0601: whoever chooses the generator chooses the private key. CVE-2022-0778: whoever chooses the prime chooses how
/// long a square root takes. RFC 5480 2.1.1 has curves named.
#[test]
fn curves_that_are_spelled_out() {
    let (root_key, ca_key, key) = (Key::p256("root"), Key::p256("ca"), Key::p256("leaf"));
    let ring = ring(&Cert::root("CN=Root", &root_key).issue(&root_key));
    for generator in [None, Some(ca_key.public_key())] {
        let odd_ca = spelled_out(&ca_key, generator.clone());
        let ca = Cert::ca("CN=CA", &odd_ca, "CN=Root", &root_key).issue(&root_key);
        let leaf = Cert::leaf("CN=leaf", &key, "CN=CA", &odd_ca).issue(&odd_ca);
        let (code_of_ca, _, spent) = outcome(&[&leaf, &ca], &ring);
        assert_eq!(code_of_ca, "unsupported-algorithm");
        assert!(spent <= 1, "{spent} signatures, of which the root's is one");
        let ca = Cert::ca("CN=CA", &ca_key, "CN=Root", &root_key).issue(&root_key);
        let leaf = Cert::leaf("CN=leaf", &spelled_out(&key, generator), "CN=CA", &ca_key).issue(&ca_key);
        assert_eq!(code(&[&leaf, &ca], &ring), "unsupported-algorithm");
    }
}

/// A certificate of a CA with this key, that names this algorithm.
fn below(ca_key: &Key, spki: Vec<u8>, algorithm: &[u8]) -> (String, String, u32) {
    let root_key = Key::p256("root");
    let ring = ring(&Cert::root("CN=Root", &root_key).issue(&root_key));
    let odd_key = ca_key.clone().with_spki(spki);
    let ca = Cert::ca("CN=CA", &odd_key, "CN=Root", &root_key).issue(&root_key);
    let leaf = Cert::leaf("CN=leaf", &Key::p256("leaf"), "CN=CA", &odd_key);
    let tbs = Cert { inner_algorithm: Some(algorithm.to_vec()), ..leaf }.tbs(ca_key);
    let signature = der::bits(&ca_key.sign(&tbs));
    let leaf = der::seq(&[&tbs[..], algorithm, &signature]);
    outcome(&[&leaf, &ca], &ring)
}

/// RFC 4055 3.3, RFC 8410 3: a key is for what its identifier says.
#[test]
fn keys_under_signatures_that_are_not_theirs() {
    let pss = |hash: u8| {
        let hash = der::seq(&[der::oid(&format!("2.16.840.1.101.3.4.2.{hash}")), der::null()]);
        let mask = der::seq(&[der::oid("1.2.840.113549.1.1.8"), hash.clone()]);
        let salt = der::int(32);
        let parts = [der::ctx_c(0, &hash), der::ctx_c(1, &mask), der::ctx_c(2, &salt)];
        der::seq(&[der::oid("1.2.840.113549.1.1.10"), der::seq(&parts)])
    };
    let pkcs1 = der::seq(&[der::oid("1.2.840.113549.1.1.11"), der::null()]);
    let ed25519 = der::seq(&[der::oid("1.3.101.112")]);
    let rsa = keys::rsa2048("ca");
    let spki = |algorithm: &[u8], key: &Key| der::seq(&[algorithm, &der::bits(&key.public_key())]);
    assert_eq!(below(&rsa, rsa.spki().to_vec(), &pkcs1).0, "accepted");
    let bare_pss = der::seq(&[der::oid("1.2.840.113549.1.1.10")]);
    let edwards = keys::ed25519("ca");
    let cases = [
        ("a PSS key under PKCS #1", below(&rsa, spki(&bare_pss, &rsa), &pkcs1)),
        ("a PSS key for SHA-512 under SHA-256", below(&rsa, spki(&pss(3), &rsa), &pss(1))),
        (
            "an X25519 key under Ed25519",
            below(&edwards, spki(&der::seq(&[der::oid("1.3.101.110")]), &edwards), &ed25519),
        ),
    ];
    for (name, (code, words, spent)) in cases {
        assert_eq!(code, "bad-signature", "{name}");
        assert!(words.contains("does not fit"), "{name}: {words}");
        assert!(spent <= 1, "{name}: {spent} signatures, of which the root's is one");
    }
}

/// X.690 11.5 leaves DEFAULT values out; seen in life, and in RFC 8410's own example (deviation).
#[test]
fn an_extension_that_says_that_it_is_not_critical() {
    let root_key = Key::p256("root");
    let ring = ring(&Cert::root("CN=Root", &root_key).issue(&root_key));
    let leaf = Cert::leaf("CN=leaf", &Key::p256("leaf"), "CN=Root", &root_key);
    let purpose = ext::eku(&["client"]);
    let spelled = der::seq(&[der::oid(&purpose.oid), der::boolean(false), der::bytes(&purpose.value)]);
    let list = der::ctx_c(3, &der::seq(&[spelled]));
    let leaf = Cert { raw_extensions: Some(list), ..leaf }.issue(&root_key);
    assert_eq!(code(&[&leaf], &ring), "accepted");
}
