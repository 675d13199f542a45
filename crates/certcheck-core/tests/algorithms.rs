//! Signature algorithms that are rare: verified where that can be done, and else told by their names.

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Revocation, Time};
use certcheck_testkit::{Cert, Key, SigAlg, der, keys};
use pki_types::CertificateDer;

/// What is said of a leaf of a root with this key, signed so, and how many signatures were verified for it.
fn outcome(
    root_key: &Key,
    alg: SigAlg,
    change: impl Fn(&mut Vec<u8>),
    policy: &Policy,
) -> (String, String, u32) {
    let root = Cert::root("CN=Root", root_key).issue(root_key);
    let mut builder = RingBuilder::new();
    builder.add("root", &root, Placement::Anchor).expect("root reads");
    let ring = builder.build().expect("ring builds");
    let leaf = Cert::leaf("CN=leaf", &Key::p256("leaf"), "CN=Root", root_key);
    let mut leaf = leaf.issue(&alg.signer(root_key));
    change(&mut leaf);
    let chain = [CertificateDer::from(leaf)];
    let report = Check::new(&chain, &ring, policy, Time::from_unix(1_800_000_000)).run();
    let spent = report.spent.signatures;
    report.reason.map_or_else(
        || ("accepted".to_owned(), String::new(), spent),
        |found| (found.reason.code().to_owned(), found.reason.to_string(), spent),
    )
}

fn policy() -> Policy {
    Policy::client(Revocation::Off)
}

fn old_policy() -> Policy {
    let mut policy = policy();
    policy.signatures.min_rsa_bits = 1024;
    policy.signatures.allow_sha1 = true;
    policy
}

/// RFC 4055 3.1: the salt may have any length. 32 is the provider's own; OpenSSL's default is the longest, 222 here.
#[test]
fn salts_of_any_length() {
    for key in [keys::rsa2048("pss"), keys::rsa4096("pss")] {
        for salt in [0, 1, 20, 31, 32, 33, 64, 222] {
            let (code, message, spent) = outcome(&key, SigAlg::RsaPss(salt), |_| (), &policy());
            assert_eq!((code.as_str(), spent), ("accepted", 1), "{salt}: {message}");
            // Each bit counts, of what is signed and of the signature.
            for from_the_end in [1, 100, 300] {
                let change = |leaf: &mut Vec<u8>| {
                    let at = leaf.len() - from_the_end;
                    leaf[at] ^= 1;
                };
                let (code, message, _) = outcome(&key, SigAlg::RsaPss(salt), change, &policy());
                let is_inside = from_the_end == 300;
                assert!(
                    code == "bad-signature" || is_inside && code != "accepted",
                    "{salt}: {code} {message}"
                );
            }
        }
    }
}

#[test]
fn a_salt_of_another_length_than_the_parameters_say() {
    let key = keys::rsa2048("pss");
    for salt in [0, 19, 20, 31, 32, 64, 221] {
        let (code, message, _) = outcome(&key, SigAlg::RsaPssWrongSalt(salt), |_| (), &policy());
        assert_eq!(code, "bad-signature", "{salt}: {message}");
    }
}

/// RFC 8017 9.1.1: hash, salt and two bytes fit the key, or nothing is verified.
#[test]
fn a_salt_that_does_not_fit_the_key() {
    let (key, old) = (keys::rsa1024("pss"), old_policy());
    for (named, expected) in [(64, "accepted"), (94, "bad-signature"), (95, "unsupported-algorithm")] {
        let rename = |leaf: &mut Vec<u8>| {
            let fields: Vec<usize> =
                (0..leaf.len() - 3).filter(|at| leaf[*at..].starts_with(&[0xa2, 3, 2, 1, 64])).collect();
            assert_eq!(fields.len(), 2);
            fields.into_iter().for_each(|at| leaf[at + 4] = named);
        };
        let (code, message, _) = outcome(&key, SigAlg::RsaPss(64), rename, &old);
        assert_eq!(code, expected, "{named}: {message}");
        let words = "RSASSA-PSS over SHA-256 with a salt of 95 bytes is not supported, at most 94 bytes are";
        assert!(expected != "unsupported-algorithm" || message == words, "{message}");
    }
}

/// RFC 4055 3.3: of a key's own parameters the length of the salt is the least, and the others are the same.
#[test]
fn parameters_of_a_key() {
    let key = keys::rsa2048("pss");
    let with = |salt: u8| {
        let spki = der::seq(&[SigAlg::RsaPss(salt).signer(&key).algorithm(), der::bits(&key.public_key())]);
        key.clone().with_spki(spki)
    };
    for (least, salt, expected) in [
        (32, 32, "accepted"),
        (20, 32, "accepted"),
        (32, 100, "accepted"),
        (33, 32, "bad-signature"),
        (32, 20, "bad-signature"),
    ] {
        let (code, message, _) = outcome(&with(least), SigAlg::RsaPss(salt), |_| (), &policy());
        assert_eq!(code, expected, "{least}, {salt}: {message}");
    }
    assert_eq!(outcome(&with(32), SigAlg::Default, |_| (), &policy()).0, "bad-signature");
}

/// The work for a salt that providers do not take is bounded by the length of the key.
#[test]
fn a_key_that_is_long_under_a_salt_of_another_length() {
    let modulus = [&[0][..], &[0xa5; 1000]].concat();
    let public = der::seq(&[der::int_bytes(&modulus), der::int(65_537)]);
    let algorithm = der::seq(&[der::oid("1.2.840.113549.1.1.1"), der::null()]);
    let key = keys::rsa2048("pss").with_spki(der::seq(&[algorithm, der::bits(&public)]));
    let (code, message, spent) = outcome(&key, SigAlg::RsaPss(20), |_| (), &policy());
    assert_eq!((code.as_str(), spent), ("unsupported-algorithm", 0), "{message}");
    assert!(message.contains("8000 bits, at most 4096"), "{message}");
    assert_eq!(outcome(&key, SigAlg::RsaPss(32), |_| (), &policy()).0, "bad-signature");
}

/// Providers begin at 2048 bits. What an old ring has below is verified where that can be done.
#[test]
fn short_keys_of_old_rings() {
    let (key, old) = (keys::rsa1024("old"), old_policy());
    for alg in [SigAlg::Default, SigAlg::RsaSha512, SigAlg::RsaSha1, SigAlg::RsaSha1Oiw, SigAlg::RsaPss(32)] {
        let (code, message, _) = outcome(&key, alg, |_| (), &old);
        assert_eq!(code, "accepted", "{alg:?}: {message}");
        assert_eq!(outcome(&key, alg, |_| (), &policy()).0, "weak-key");
    }
    let (code, message, _) = outcome(&key, SigAlg::RsaSha384, |_| (), &old);
    assert_eq!(code, "unsupported-algorithm");
    assert!(message.contains("1024 bits, at least 2048"), "{message}");
}

/// A hash and a curve that a provider does not have together are told as that.
#[test]
fn hashes_and_curves_that_do_not_go_together() {
    for (key, curve) in [(Key::p256("odd hash"), "P-256"), (Key::p384("odd hash"), "P-384")] {
        let (code, message, spent) = outcome(&key, SigAlg::EcdsaSha512, |_| (), &policy());
        assert_eq!((code.as_str(), spent), ("unsupported-algorithm", 0));
        assert_eq!(message, format!("ECDSA on {curve} with SHA-512 is not supported"));
    }
    let (code, message, _) = outcome(&keys::rsa2048("odd hash"), SigAlg::EcdsaSha512, |_| (), &policy());
    assert_eq!(code, "unsupported-algorithm");
    assert_eq!(message, "signature algorithm ecdsa-with-SHA512 is not supported");
    let (code, message, _) = outcome(&keys::rsa2048("dsa"), SigAlg::DsaSha1, |_| (), &policy());
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("unsupported-algorithm", "signature algorithm dsa-with-sha1 is not supported")
    );
}

/// OIW's identifier of RSA over SHA-1 is the same algorithm, where SHA-1 is taken.
#[test]
fn the_old_identifier_of_sha1_with_rsa() {
    let key = keys::rsa2048("old");
    let mut old = policy();
    for alg in [SigAlg::RsaSha1, SigAlg::RsaSha1Oiw] {
        old.signatures.allow_sha1 = false;
        assert_eq!(outcome(&key, alg, |_| (), &old).0, "weak-signature");
        old.signatures.allow_sha1 = true;
        assert_eq!(outcome(&key, alg, |_| (), &old).0, "accepted");
        let change = |leaf: &mut Vec<u8>| *leaf.last_mut().expect("bytes") ^= 1;
        assert_eq!(outcome(&key, alg, change, &old).0, "bad-signature");
        assert_eq!(outcome(&Key::p256("old"), alg, |_| (), &old).0, "bad-signature");
    }
}
