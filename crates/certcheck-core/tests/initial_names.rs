//! Subtrees of the policy itself (RFC 5280 6.1.1 (h), (i)), where neither ring nor CA has any.

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::NameSubtrees;
use certcheck_core::{Check, Policy, Revocation, Time};
use certcheck_testkit::{bulk, ext};

#[test]
fn initial_subtrees_bind_without_any_in_the_ring() {
    let good = bulk::pair([], [ext::san(&["dns:a.example.com"])]);
    let mut builder = RingBuilder::new();
    builder.add("anchor", &good.anchor, Placement::Anchor).expect("reads");
    let ring = builder.build().expect("builds");
    let chain: Vec<_> =
        [&good.leaf].into_iter().chain(&good.presented).map(|der| der.as_slice().into()).collect();
    let found = |permitted: &[&str], excluded: &[&str]| {
        let mut policy = Policy::client(Revocation::Off);
        policy.initial_names = NameSubtrees::from_texts(permitted, excluded).expect("read");
        let report = Check::new(&chain, &ring, &policy, Time::from_unix(1_800_000_000)).run();
        report.reason.map_or("accepted", |rejection| rejection.reason.code())
    };
    assert_eq!(found(&[], &[]), "accepted");
    assert_eq!(found(&["dns:example.com"], &[]), "accepted");
    assert_eq!(found(&["dns:example.org"], &[]), "name-constraint");
    assert_eq!(found(&[], &["dns:a.example.com"]), "name-constraint");
    assert_eq!(found(&[], &["dns:b.example.com"]), "accepted");
}
