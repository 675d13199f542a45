//! Reasons that the revocation status has: revoked, or not known from what was given.

use certcheck_testkit::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use certcheck_testkit::ocsp::{AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key, SigAlg, ext, keys};

use crate::asked::{Asked, CA, ROOT, Row, SERIAL};

const DEAD: &str = "http://127.0.0.1:1/ca.crl";

pub(crate) const STATUS: &[Row] = &[
    (
        "certificate-revoked",
        "another certificate",
        Asked::status,
        |asked| asked.crl(revoking("keyCompromise")),
        |asked| asked.leaf.serial = vec![0x43],
    ),
    (
        "certificate-revoked",
        "lift the hold",
        Asked::status,
        |asked| asked.crl(revoking("certificateHold")),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:no-source",
        "--revocation if-offered",
        Asked::status,
        |_| {},
        |asked| asked.flag(&["--revocation", "if-offered"]),
    ),
    (
        "revocation-unknown:not-tried",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl("http://crl.example/ca.crl");
            asked.flag(&["--offline"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:unreachable",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl(DEAD);
            asked.flag(&["--allow-net", "127.0.0.0/8", "--allow-port", "1"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:breaker-open",
        "give evidence with --crl",
        Asked::status,
        |asked| {
            asked.names_crl(DEAD);
            asked.before = 12;
            asked.flag(&["--allow-net", "127.0.0.0/8", "--allow-port", "1"]);
        },
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:out-of-scope",
        "of all distribution points",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).with([Idp { ca: true, ..Idp::default() }.ext()])),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:responder-error",
        "or give a CRL",
        Asked::status,
        |asked| asked.responses.push(Response::error(3)),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:responder-unknown",
        "or give a CRL",
        Asked::status,
        |asked| asked.respond(AnswerBuilder::unknown),
        |asked| asked.crl(CrlBuilder::new(CA)),
    ),
    (
        "revocation-unknown:not-yet-valid",
        "check the clock",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).valid("2028-01-01T00:00:00Z", Some("2029-01-01T00:00:00Z"))),
        |asked| asked.at = "2028-06-01T00:00:00Z",
    ),
    (
        "revocation-unknown:wrong-signer",
        "valid and issued for this use",
        Asked::status,
        |asked| {
            asked.ca = asked.ca.clone().without("2.5.29.15").with([ext::key_usage(&["keyCertSign"])]);
            asked.crl(CrlBuilder::new(CA));
        },
        |asked| asked.ca = Asked::path().ca,
    ),
    (
        "revocation-unknown:unsupported",
        "SHA-256 or better",
        Asked::status,
        |asked| {
            asked.ca_key = keys::rsa2048("reasons old ca");
            asked.ca = Cert::ca(CA, &asked.ca_key, ROOT, &asked.root_key);
            asked.leaf = asked.leaf.clone().without("2.5.29.35");
            asked.crls.push(CrlBuilder::new(CA).issue(&SigAlg::RsaSha1.signer(&asked.ca_key)));
        },
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:bad-signature",
        "get the evidence again",
        Asked::status,
        |asked| asked.crls.push(CrlBuilder::new(CA).issue(&Key::p256("reasons somebody else"))),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:malformed",
        "get the evidence again",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).with([ext::unknown(true)])),
        |asked| {
            asked.crls.clear();
            asked.crl(CrlBuilder::new(CA));
        },
    ),
    (
        "revocation-unknown:stale",
        "newer evidence",
        Asked::status,
        |asked| asked.crl(CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"))),
        |asked| asked.crl(CrlBuilder::new(CA).valid("2027-01-01T00:00:00Z", Some("2027-02-01T00:00:00Z"))),
    ),
    (
        "revocation-unknown:rollback",
        "only the newer evidence",
        Asked::status,
        |asked| {
            let newer = CrlBuilder::new(CA).valid("2026-12-02T00:00:00Z", Some("2027-01-01T00:00:00Z"));
            asked.crl(numbered(newer, 9));
            let older = CrlBuilder::new(CA).valid("2026-12-01T00:00:00Z", Some("2028-01-01T00:00:00Z"));
            asked.crl(numbered(older, 8));
        },
        // It has ended by then: so it did in its time.
        |asked| {
            asked.crls.truncate(1);
            asked.at = "2026-12-31T00:00:00Z";
        },
    ),
    (
        "revocation-unknown:conflict",
        "which of the two CRLs",
        Asked::status,
        |asked| {
            let one = CrlBuilder::new(CA).valid("2026-12-01T00:00:00Z", Some("2028-01-01T00:00:00Z"));
            asked.crl(numbered(one.clone(), 8));
            asked.crl(numbered(one.revoking([RevokedCertificate::new(&[0x77])]), 8));
        },
        |asked| asked.crls.truncate(1),
    ),
];

fn revoking(reason: &str) -> CrlBuilder {
    CrlBuilder::new(CA).revoking([RevokedCertificate::new(&SERIAL).with([crl::reason(reason)])])
}

fn numbered(crl: CrlBuilder, number: i64) -> CrlBuilder {
    let others = crl.extensions.iter().filter(|known| known.oid != "2.5.29.20").cloned();
    let extensions = others.chain([crl::number(number)]).collect();
    CrlBuilder { extensions, ..crl }
}
