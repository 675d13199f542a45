//! Every named flaw of the forge, in the target and in an intermediate: refused, with the reason that is true.

use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, KeyRing, Policy, Revocation, Time};
use certcheck_testkit::flaw::{self, Flaw};
use certcheck_testkit::{Cert, Key};
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

fn code(chain: &[&[u8]], ring: &KeyRing) -> String {
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    let policy = Policy::client(Revocation::Off);
    let report = Check::new(&chain, ring, &policy, Time::from_unix(1_800_000_000)).run();
    assert_eq!(report.is_accepted(), report.reason.is_none());
    report.reason.map_or_else(|| "accepted".to_owned(), |rejection| rejection.reason.code().to_owned())
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
        // An intermediate that does not read is left out; one that reads and does not verify is told of.
        let broken = flaw.issue(ca.clone(), &root_key);
        let wanted = if expected(*flaw) == "malformed" { "unknown-issuer" } else { expected(*flaw) };
        assert_eq!(code(&[&good_leaf, &broken], &ring), wanted, "{} in the intermediate", flaw.name);
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
