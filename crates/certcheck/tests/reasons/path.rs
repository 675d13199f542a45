//! Reasons that the path has.

use certcheck_testkit::{Cert, Key, SigAlg, ext, keys, odd_key};

use crate::asked::{Asked, CA, ROOT, Row};

pub(crate) const PATH: &[Row] = &[
    (
        "malformed",
        "issued again",
        Asked::path,
        |asked| {
            let again = asked.leaf.extensions[0].clone();
            asked.leaf.extensions.push(again);
        },
        renew,
    ),
    ("unsupported-algorithm", "P-256", Asked::path, |asked| asked.leaf_alg = SigAlg::Unknown, renew),
    (
        "weak-key",
        "--min-rsa-bits",
        Asked::path,
        |asked| asked.leaf.spki = keys::rsa1024("reasons weak").spki().to_vec(),
        |asked| asked.flag(&["--min-rsa-bits", "1024"]),
    ),
    (
        "weak-key",
        "--min-ec-bits",
        Asked::path,
        |asked| asked.leaf.spki = odd_key::named("secp224r1").expect("a key").spki,
        |asked| asked.flag(&["--min-ec-bits", "224"]),
    ),
    (
        "weak-key",
        "new key pair",
        Asked::path,
        |asked| asked.leaf.spki = odd_key::named("rsa-exponent-1").expect("a key").spki,
        renew,
    ),
    (
        "weak-signature",
        "--allow-sha1",
        Asked::path,
        |asked| {
            asked.ca_key = keys::rsa2048("reasons old ca");
            asked.ca = Cert::ca(CA, &asked.ca_key, ROOT, &asked.root_key);
            asked.leaf = asked.leaf.clone().without("2.5.29.35");
            asked.leaf_alg = SigAlg::RsaSha1;
        },
        |asked| asked.flag(&["--allow-sha1"]),
    ),
    ("bad-signature", "original", Asked::path, |asked| asked.alters = true, |asked| asked.alters = false),
    (
        "unknown-issuer",
        "have the client send it",
        Asked::path,
        |asked| asked.ring_has_ca = false,
        |asked| asked.sends_ca = true,
    ),
    (
        "not-yet-valid",
        "wait until",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().valid("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"),
        |asked| asked.at = "2031-01-01T00:00:00Z",
    ),
    (
        "expired",
        "renew",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        renew,
    ),
    (
        "distrusted",
        "the distrusted part of the ring",
        Asked::path,
        |asked| asked.distrusts = true,
        |asked| asked.distrusts = false,
    ),
    (
        "not-a-ca",
        "cA set to TRUE",
        Asked::path,
        |asked| asked.ca = asked.ca.clone().without("2.5.29.19").with([ext::basic_constraints(false, None)]),
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "path-length",
        "allows intermediates",
        Asked::path,
        |asked| {
            // What an anchor says of itself binds nobody: a CA between does.
            let middle = Key::p256("reasons middle");
            let between = "O=Reasons,CN=Middle";
            let top = Cert::ca(between, &middle, ROOT, &asked.root_key)
                .without("2.5.29.19")
                .with([ext::basic_constraints(true, Some(0))]);
            asked.sent_along = Some(top.issue(&asked.root_key));
            asked.ca = Cert::ca(CA, &asked.ca_key, between, &middle);
            asked.root_key = middle;
        },
        |asked| *asked = Asked::path(),
    ),
    (
        "key-usage",
        "with this key usage",
        Asked::path,
        |asked| asked.ca = asked.ca.clone().without("2.5.29.15").with([ext::key_usage(&["cRLSign"])]),
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "extended-key-usage",
        "--purpose",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().without("2.5.29.37").with([ext::eku(&["server"])]),
        |asked| asked.flag(&["--purpose", "server"]),
    ),
    (
        "name-mismatch",
        "in its subjectAltName",
        Asked::path,
        |asked| {
            asked.leaf = asked
                .leaf
                .clone()
                .without("2.5.29.37")
                .with([ext::eku(&["server"]), ext::san(&["dns:a.good.example"])]);
            asked.flag(&["--purpose", "server", "--hostname", "b.good.example"]);
        },
        |asked| {
            asked.leaf = asked.leaf.clone().without("2.5.29.17").with([ext::san(&["dns:b.good.example"])]);
        },
    ),
    (
        "name-constraint",
        "are allowed to certify",
        Asked::path,
        |asked| {
            asked.ca = asked.ca.clone().with([ext::name_constraints(&["dns:good.example"], &[])]);
            asked.leaf = asked.leaf.clone().with([ext::san(&["dns:bad.example"])]);
        },
        |asked| {
            asked.leaf = asked.leaf.clone().without("2.5.29.17").with([ext::san(&["dns:a.good.example"])]);
        },
    ),
    (
        "policy",
        "under a required policy",
        Asked::path,
        |asked| asked.flag(&["--policy", "1.2.3.4", "--require-explicit-policy"]),
        |asked| {
            asked.ca = asked.ca.clone().with([ext::policies(&["1.2.3.4"])]);
            asked.leaf = asked.leaf.clone().with([ext::policies(&["1.2.3.4"])]);
        },
    ),
    (
        "unhandled-critical-extension",
        "not critical",
        Asked::path,
        |asked| asked.leaf = asked.leaf.clone().with([ext::unknown(true)]),
        |asked| {
            renew(asked);
            asked.leaf = asked.leaf.clone().with([ext::unknown(false)]);
        },
    ),
    (
        "limit-exceeded",
        "--max-depth",
        Asked::path,
        |asked| asked.flag(&["--max-depth", "0"]),
        |asked| *asked.flags.last_mut().expect("a number") = "1".to_owned(),
    ),
    (
        "no-certificate",
        "certificate",
        Asked::path,
        |asked| asked.has_input = false,
        |asked| asked.has_input = true,
    ),
];

fn renew(asked: &mut Asked) {
    let fresh = Asked::path();
    asked.leaf = fresh.leaf;
    asked.leaf_alg = fresh.leaf_alg;
}
