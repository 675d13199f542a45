//! The mock Federal PKI: bridges and meshes. Its certificates are the ring's intermediates. Then its CRLs.

use std::time::Duration;

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::x509::Certificate;
use certcheck_core::{Check, Policy, Purpose, Revocation};

use super::{Scoreboard, answer, corpus, json, read, text, time};

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
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;

    let now = text(&manifest, "validation_time");
    let mut scoreboard = Scoreboard::new("federal");
    let mut slowest = Duration::ZERO;
    let mut others = std::collections::BTreeMap::<String, usize>::new();
    for case in manifest["ee"].as_array().expect("ee") {
        let file = text(case, "file");
        let chain = read(&base.join(file));
        let begun = std::time::Instant::now();
        let found = answer(&Check::new(&chain, &ring, &policy, time(now)).run());
        slowest = slowest.max(begun.elapsed());
        let (from, until) =
            (case["not_before"].as_str().unwrap_or("9"), case["not_after"].as_str().unwrap_or("0"));
        if case["in_EE_good"] == true && (from..=until).contains(&now) {
            scoreboard.case(file, "accept", &found);
        } else {
            *others.entry(found).or_default() += 1;
        }
    }
    println!("federal: slowest {slowest:?}; of those nothing is claimed: {others:?}");
    scoreboard.close(490);
}

/// Its CRLs, of up to 169,078 entries: all read, all listed is found, and whose issuer is known verifies.
#[test]
fn crls() {
    let Some(base) = corpus("fpki/mock-federal-pki") else { return };
    let mut files = Vec::new();
    let mut folders = vec![base.join("http")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "crl") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut policy = Policy::client(Revocation::HardFail);
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;
    let authorities: Vec<_> = [base.join("ca"), base.join("anchors")]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flat_map(|entry| read(&entry.expect("entry").path()))
        .collect();
    let (mut verified, mut entries) = (0, 0);
    let mut scoreboard = Scoreboard::new("federal-crls");
    for file in &files {
        let name = file.strip_prefix(&base).expect("below").display().to_string();
        let content = Bytes::from(std::fs::read(file).expect("file is there"));
        let crl = match Crl::parse(content, &name) {
            Ok(crl) => crl,
            Err(fault) => {
                scoreboard.case(&name, "verified", &format!("refused: {fault}"));
                continue;
            }
        };
        let issuers = authorities.iter().filter_map(|der| Certificate::parse(der).ok());
        let mut issuers = issuers.filter(|issuer| issuer.subject().matches(crl.issuer())).peekable();
        let is_known = issuers.peek().is_some();
        let Some(crl) = issuers.find_map(|issuer| crl.verify(issuer.spki(), &policy).ok()) else {
            scoreboard.case(
                &name,
                "verified",
                if is_known { "signed by another key" } else { "issuer unknown" },
            );
            continue;
        };
        for entry in crl.crl().entries() {
            let entry = entry.expect("reads again");
            let found = crl.find(entry.serial, None).expect("what is listed is found").expect("reads");
            assert_eq!(found.serial, entry.serial);
            entries += 1;
        }
        verified += 1;
        scoreboard.case(&name, "verified", "verified");
    }
    println!("federal: {} CRLs, {verified} verified with {entries} entries", files.len());
    scoreboard.close(120);
}
