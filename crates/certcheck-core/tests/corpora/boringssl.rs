//! BoringSSL's vectors for the units of the core: names, policies, signed data, parsing.

use std::path::Path;

use certcheck_core::der::{Reader, bit_string_bytes, tag};
use certcheck_core::policy::Algorithms;
use certcheck_core::x509::{Certificate, Name, SubjectPublicKeyInfo};
use certcheck_core::{Policy, Revocation, verify_signed_data};
use certcheck_testkit::ext::Ext;
use certcheck_testkit::{Cert, Key, der};
use serde_json::Value;

use super::{Scoreboard, corpus, json, text};

fn file(base: &Path, case: &Value, key: &str) -> Vec<u8> {
    std::fs::read(base.join(text(case, key))).expect("vector is there")
}

fn say(holds: bool) -> &'static str {
    if holds { "accept" } else { "no" }
}

fn expected(value: &Value) -> &'static str {
    if value == true { "accept" } else { "refuse" }
}

#[test]
fn name_match() {
    let Some(base) = corpus("boringssl/verify_name_match_unittest") else { return };
    let mut scoreboard = Scoreboard::new("boringssl-name-match");
    for case in json(&base.join("manifest.json"))["cases"].as_array().expect("cases") {
        let (a, b) = (file(&base, case, "a"), file(&base, case, "b"));
        let parse = |bytes| {
            let mut reader = Reader::new(bytes);
            Name::parse(&mut reader, "Name").ok().filter(|_| reader.is_empty())
        };
        let holds = match (parse(&a), parse(&b)) {
            (Some(a), Some(b)) if text(case, "kind") == "subtree" => a.is_within(b),
            (Some(a), Some(b)) => a.matches(b),
            _ => false,
        };
        scoreboard.case(text(case, "id"), expected(&case["expected"]), say(holds));
    }
    scoreboard.close(300);
}

/// Puts an extension into an otherwise good certificate and reads that.
fn read_with_extension(extension: Ext) -> &'static str {
    let key = Key::p256("vector");
    say(Certificate::parse(&Cert::root("CN=Vector", &key).with([extension]).issue(&key)).is_ok())
}

#[test]
fn certificate_policies() {
    let Some(base) = corpus("boringssl/certificate_policies_unittest") else { return };
    let mut scoreboard = Scoreboard::new("boringssl-policies");
    for case in json(&base.join("manifest.json"))["cases"].as_array().expect("cases") {
        let value = file(&base, case, "value");
        scoreboard.case(
            text(case, "id"),
            expected(&case["parse_ok"]),
            read_with_extension(Ext::new("2.5.29.32", false, value)),
        );
    }
    scoreboard.close(13);
}

#[test]
fn signed_data() {
    let Some(base) = corpus("boringssl/verify_signed_data_unittest") else { return };
    let mut scoreboard = Scoreboard::new("boringssl-signed-data");
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.algorithms = Algorithms::ring();
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;
    for case in json(&base.join("manifest.json"))["cases"].as_array().expect("cases") {
        let (key, algorithm) = (file(&base, case, "public_key"), file(&base, case, "algorithm"));
        let (data, signature) = (file(&base, case, "data"), file(&base, case, "signature"));
        let mut reader = Reader::new(&key);
        let outcome = SubjectPublicKeyInfo::parse(&mut reader, "key")
            .and_then(|key| reader.finish("key").map(|()| key))
            .map_err(certcheck_core::reason::Reason::from)
            .and_then(|key| verify_signed_data(&data, &algorithm, &signature, key, &policy.signatures));
        let found = outcome.map_or_else(|reason| reason.code(), |()| "accept");
        scoreboard.case(text(case, "id"), expected(&case["expected"]), found);
    }
    scoreboard.close(25);
}

/// What ring does not have, aws-lc-rs verifies.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn signed_data_over_aws_lc_rs() {
    let Some(base) = corpus("boringssl/verify_signed_data_unittest") else { return };
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.algorithms = Algorithms::aws_lc_rs();
    let manifest = json(&base.join("manifest.json"));
    for id in ["ecdsa-prime256v1-sha512", "mldsa-44", "mldsa-65", "mldsa-87"] {
        let case = manifest["cases"]
            .as_array()
            .expect("cases")
            .iter()
            .find(|case| text(case, "id") == id)
            .expect("case");
        let (key, algorithm) = (file(&base, case, "public_key"), file(&base, case, "algorithm"));
        let key = SubjectPublicKeyInfo::parse(&mut Reader::new(&key), "key").expect("key reads");
        let (data, signature) = (file(&base, case, "data"), file(&base, case, "signature"));
        assert_eq!(
            verify_signed_data(&data, &algorithm, &signature, key, &policy.signatures),
            Ok(()),
            "{id}"
        );
    }
}

#[test]
fn parse_certificate() {
    let Some(base) = corpus("boringssl/parse_certificate_unittest") else { return };
    let mut scoreboard = Scoreboard::new("boringssl-parse");
    let mut left = 0;
    for case in json(&base.join("manifest.json"))["cases"].as_array().expect("cases") {
        if case["expected_parse_ok"].is_null() {
            left += 1;
            continue;
        }
        let id = text(case, "id");
        let blocks = case["blocks"].as_object().expect("blocks");
        let block = |name: &str| {
            blocks
                .get(name)
                .map(|path| std::fs::read(base.join(path.as_str().expect("path"))).expect("block"))
        };
        let found = match (block("certificate"), block("extension"), block("tbs_certificate")) {
            // Of these only the outer structure counts, and their inside is none.
            (Some(certificate), ..) if id.starts_with("cert_") => say(outer_reads(&certificate)),
            (Some(certificate), ..) => say(Certificate::parse(&certificate).is_ok()),
            (None, Some(extension), _) => say(Certificate::parse(&around_extension(&extension)).is_ok()),
            // Of the good ones the fields are placeholders: neither names nor keys, so that no certificate has them.
            (None, None, Some(_)) if case["expected_parse_ok"] == true => {
                left += 1;
                continue;
            }
            (None, None, Some(tbs)) => say(Certificate::parse(&around_tbs(&tbs)).is_ok()),
            _ => {
                left += 1;
                continue;
            }
        };
        scoreboard.case(id, expected(&case["expected_parse_ok"]), found);
    }
    println!(
        "boringssl-parse: {left} without an expected outcome, a block of their own, or fields that are real"
    );
    scoreboard.close(24);
}

/// `Certificate ::= SEQUENCE { SEQUENCE, SEQUENCE, BIT STRING }`, each field whatever it holds.
fn outer_reads(bytes: &[u8]) -> bool {
    let mut document = Reader::new(bytes);
    let mut read = || {
        let mut fields = document.sequence("Certificate")?;
        document.finish("Certificate")?;
        fields.sequence("tbsCertificate")?;
        fields.sequence("signatureAlgorithm")?;
        let signature = fields.expect(tag::BIT_STRING, "signatureValue")?;
        bit_string_bytes(signature, "signatureValue")?;
        fields.finish("Certificate")
    };
    read().is_ok()
}

fn around_extension(extension: &[u8]) -> Vec<u8> {
    let key = Key::p256("vector");
    let mut cert = Cert::root("CN=Vector", &key);
    cert.raw_extensions = Some(der::ctx_c(3, &der::seq(&[extension])));
    cert.issue(&key)
}

/// The algorithm outside is the one inside.
fn around_tbs(tbs: &[u8]) -> Vec<u8> {
    let algorithm = || {
        let mut fields = Reader::new(tbs).sequence("tbs").ok()?;
        fields.optional(tag::context_constructed(0), "version").ok()?;
        fields.any("serial").ok()?;
        fields.any("signature").ok().map(|tlv| tlv.raw.to_vec())
    };
    der::seq(&[tbs.to_vec(), algorithm().unwrap_or_else(|| der::seq(&[der::oid("1.2.3")])), der::bits(&[0])])
}
