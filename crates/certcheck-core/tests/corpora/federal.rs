//! The mock Federal PKI: bridges and meshes. Its certificates are the ring's intermediates.

use std::time::Duration;

use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Purpose, Revocation};

use super::{Judge, answer, corpus, json, read, text, time};

#[test]
fn every_end_entity_that_is_expected_good_has_a_path() {
    let Some(base) = corpus("fpki/mock-federal-pki") else { return };
    let manifest = json(&base.join("manifest.json"));
    let mut builder = RingBuilder::new();
    let add = |builder: &mut RingBuilder, path: &std::path::Path, placement| {
        let file = std::fs::read(path).expect("file is there");
        builder.add(&path.display().to_string(), &file, placement).map(drop).expect("certificate reads");
    };
    add(&mut builder, &base.join(text(&manifest, "trust_anchor")), Placement::Anchor);
    let mut authorities: Vec<_> =
        std::fs::read_dir(base.join("ca")).expect("ca/").map(|entry| entry.expect("entry").path()).collect();
    authorities.sort();
    authorities.iter().for_each(|path| add(&mut builder, path, Placement::Intermediate));
    let ring = builder.build().expect("ring builds");
    let mut policy = Policy::client(Revocation::Off).with_purpose(Purpose::Any);
    policy.allow_sha1 = true;
    policy.min_rsa_bits = 1024;

    let now = text(&manifest, "validation_time");
    let mut judge = Judge::new("federal");
    let mut slowest = Duration::ZERO;
    let mut others = std::collections::BTreeMap::<String, usize>::new();
    for case in manifest["ee"].as_array().expect("ee") {
        let file = text(case, "file");
        let chain = read(&base.join(file));
        let begun = std::time::Instant::now();
        let told = answer(&Check::new(&chain, &ring, &policy, time(now)).run());
        slowest = slowest.max(begun.elapsed());
        let (from, until) =
            (case["not_before"].as_str().unwrap_or("9"), case["not_after"].as_str().unwrap_or("0"));
        if case["in_EE_good"] == true && (from..=until).contains(&now) {
            judge.case(file, "accept", &told);
        } else {
            *others.entry(told).or_default() += 1;
        }
    }
    println!("federal: slowest {slowest:?}; of those nothing is claimed: {others:?}");
    judge.close(490);
}
