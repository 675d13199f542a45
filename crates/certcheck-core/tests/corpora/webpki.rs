//! rustls-webpki's client authentication, with and without CRLs, and its CRLs alone.

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::policy::{CrlSignerUsage, Freshness, RevocationScope};
use certcheck_core::{Check, Policy, Revocation};
use serde_json::Value;

use super::{Scoreboard, answer, ask, corpus, evidence, flat_ring, json, read, text, texts, time};

#[test]
fn client_auth() {
    let Some(base) = corpus("webpki") else { return };
    let manifest = json(&base.join("manifest.json"));
    let now = time(text(&manifest, "time"));
    let mut scoreboard = Scoreboard::new("webpki-client");
    for case in manifest["client_auth"].as_array().expect("cases") {
        let ring = flat_ring(&[base.join(text(case, "anchor"))]);
        let chain = read(&base.join(text(case, "target")));
        let expected = if case["expected_ok"] == true { "accept" } else { "refuse" };
        scoreboard.case(
            text(case, "id"),
            expected,
            &ask(&chain, ring.as_ref(), &Policy::client(Revocation::Off), now),
        );
    }
    scoreboard.close(4);
}

/// What webpki calls depth, unknown and expiry.
fn policy(options: &Value) -> Policy {
    let mut policy = Policy::client(match options["unknown"].as_str() {
        None => Revocation::Off,
        Some("allow") => Revocation::SoftFail,
        Some(_) => Revocation::HardFail,
    });
    // Its CAs have no keyUsage, which RFC 5280 takes and RFC 10007 does not.
    policy.crl_signer_usage = CrlSignerUsage::IfPresent;
    if options["depth"] == "end-entity" {
        policy.revocation_scope = RevocationScope::Leaf;
    }
    if options["crl_expiry"] == "enforce" {
        // To the second, and unlike soft-fail a CRL that has expired does not pass.
        let mut tolerance = policy.revocation.tolerance();
        tolerance.stale = false;
        policy.revocation = Revocation::Custom(tolerance);
        policy.freshness.skew = 0;
    } else {
        let mut lenient = Freshness::default();
        lenient.max_stale = i64::MAX / 4;
        lenient.max_age = i64::MAX / 4;
        policy.freshness = lenient;
    }
    policy
}

#[test]
fn client_auth_with_crls() {
    let Some(base) = corpus("webpki") else { return };
    let manifest = json(&base.join("manifest.json"));
    let now = time(text(&manifest, "time"));
    let mut scoreboard = Scoreboard::new("webpki-revocation");
    for case in manifest["client_auth_revocation"].as_array().expect("cases") {
        let files =
            |key: &str| -> Vec<_> { texts(case, key).into_iter().map(|file| base.join(file)).collect() };
        let ring = flat_ring(&[base.join(text(case, "anchor"))]);
        let mut chain = read(&base.join(text(case, "target")));
        chain.extend(files("intermediates").iter().flat_map(|file| read(file)));
        let (policy, evidence) = (policy(&case["revocation"]), evidence(&files("crls"), &[]));
        let found = ring.map_or_else(
            || "ring does not read".to_owned(),
            |ring| answer(&Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run()),
        );
        let expected = if case["expected_ok"] == true { "accept" } else { "refuse" };
        scoreboard.case(text(case, "id"), expected, &found);
    }
    scoreboard.close(25);
}

#[test]
fn crls() {
    let Some(base) = corpus("webpki") else { return };
    let manifest = json(&base.join("manifest.json"));
    let mut scoreboard = Scoreboard::new("webpki-crls");
    for case in manifest["crl_parse"].as_array().expect("cases") {
        let der = std::fs::read(base.join(text(case, "file"))).expect("file is there");
        let found = match Crl::parse(Bytes::from(der), "crl") {
            Ok(_) => "read".to_owned(),
            Err(fault) => format!("refused: {fault}"),
        };
        // Deltas and indirect CRLs are more than webpki takes: here they are read.
        let expected = if case["expected_parse_ok"] == false { "no parse" } else { "parse" };
        scoreboard.case(text(case, "id"), expected, &found);
    }
    scoreboard.close(20);
}
