//! PKIs made to exhaust: each must end at once, with a true reason. Times are asserted nowhere; what was spent is.

#![expect(clippy::disallowed_methods, reason = "a test may look at the clock")]

use certcheck_core::budget::Limit;
use certcheck_core::reason::Reason;
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, KeyRing, Policy, Report, Revocation, Time};
use certcheck_testkit::bulk::{self, Mesh, Onslaught};
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;

fn ring_of(anchor: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("anchor", anchor, Placement::Anchor).expect("anchor reads");
    builder.build().expect("ring builds")
}

fn policy() -> Policy {
    Policy::client(Revocation::Off)
}

/// Runs a check and hands its report to `judge`; the time it took is printed for who watches.
fn run(name: &str, onslaught: &Onslaught, policy: &Policy, judge: impl FnOnce(Report<'_>)) {
    let ring = ring_of(&onslaught.anchor);
    let chain: Vec<CertificateDer<'_>> = core::iter::once(&onslaught.leaf)
        .chain(&onslaught.presented)
        .map(|der| der.as_slice().into())
        .collect();
    let begun = std::time::Instant::now();
    let report = Check::new(&chain, &ring, policy, Time::from_unix(1_800_000_000)).run();
    println!("{name}: {:?}, {:?}, {:?}", begun.elapsed(), report.reason, report.spent);
    judge(report);
}

fn code(report: &Report<'_>) -> &'static str {
    report.reason.as_ref().map_or("accepted", |rejection| rejection.reason.code())
}

#[test]
fn exponential_path_building_by_cross_certified_same_name_cas() {
    for shape in
        [Mesh::SameNameSameKey, Mesh::SameNameOtherKeys, Mesh::OtherNamesSameKey, Mesh::Layers { width: 5 }]
    {
        run(&format!("{shape:?}"), &bulk::mesh(shape, 200), &policy(), |report| {
            assert!(!report.is_accepted());
            assert!(report.spent.steps <= policy().limits.steps);
            assert!(report.spent.signatures <= policy().limits.signatures);
        });
    }
}

#[test]
fn a_mesh_that_exceeds_the_steps_says_so() {
    let mut policy = policy();
    policy.limits.steps = 500;
    run("few steps", &bulk::mesh(Mesh::SameNameOtherKeys, 200), &policy, |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::Steps), "{reason}");
    });
}

#[test]
fn junk_beside_a_good_chain_changes_nothing() {
    let good = bulk::pair([], []);
    let mut presented = bulk::mesh(Mesh::SameNameOtherKeys, 100).presented;
    let ca_key = Key::p256("bulk ca");
    // Namesakes of the real CA, issued in the anchor's name by somebody else.
    for n in 0..50 {
        let (own, forger) = (Key::p256(&format!("namesake {n}")), Key::p256("forger"));
        presented.push(Cert::ca("CN=Bulk CA", &own, "CN=Bulk Root", &forger).issue(&forger));
    }
    presented.push(b"no certificate".to_vec());
    presented.extend(good.presented);
    assert!(!ca_key.spki().is_empty());
    run("junk", &Onslaught { presented, ..good }, &policy(), |report| assert!(report.is_accepted()));
}

#[test]
fn names_times_constraints_are_bounded() {
    // With room for the certificates themselves, the comparisons are what ends it.
    let mut policy = policy();
    policy.limits.certificate_octets = 4 << 20;
    run("10,000 x 10,000", &bulk::names_and_constraints(10_000, 10_000), &policy, |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(
            matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::NameComparisons),
            "{reason}"
        );
    });
    run("400 x 400", &bulk::names_and_constraints(400, 400), &policy, |report| assert!(report.is_accepted()));
}

#[test]
fn exponential_policy_tree_is_a_graph() {
    run("20 policies, 8 deep", &bulk::policy_bomb(20, 8), &policy(), |report| {
        assert!(report.is_accepted(), "{:?}", report.reason);
        assert_eq!(report.policies.len(), 20);
    });
    run("120 policies, 8 deep", &bulk::policy_bomb(120, 8), &policy(), |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::PolicyNodes), "{reason}");
    });
}

#[test]
fn oversized_certificates_and_deep_nesting() {
    run("20 MB", &bulk::large(20_000_000), &policy(), |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(
            matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::CertificateOctets),
            "{reason}"
        );
    });
    run("10,000 extensions", &bulk::many_extensions(10_000), &policy(), |report| {
        assert_eq!(code(&report), "malformed")
    });
    let nested = Onslaught { leaf: bulk::nested(5_000), ..bulk::pair([], []) };
    run("nested", &nested, &policy(), |report| assert_eq!(code(&report), "malformed"));
}

#[test]
fn no_certificate_is_a_reason() {
    let ring = ring_of(&bulk::pair([], []).anchor);
    let policy = policy();
    let report = Check::new(&[], &ring, &policy, Time::from_unix(0)).run();
    assert_eq!(code(&report), "no-certificate");
}
