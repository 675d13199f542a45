//! Evidence broken in each named way: nothing is believed of it, whatever stands in it.

use std::sync::Arc;

use certcheck_core::crl::{Crl, CrlReader};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::{Evidence, EvidenceFault, OcspEvidence};
use certcheck_core::status::{Cause, Status};
use certcheck_core::{Check, Policy, Purpose, Revocation, Time, Verdict};
use certcheck_testkit::crl::{self, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key, crl_flaw, der, ocsp_flaw};

const ROOT: &str = "O=Flaws,CN=Root";

fn status_with(evidence: &Evidence) -> Status {
    let root = Key::p256("flaws root");
    let (anchor, leaf) = (Cert::root(ROOT, &root).issue(&root), leaf(&root).issue(&root));
    let mut builder = RingBuilder::new();
    builder.add("root", &anchor, Placement::Anchor).expect("root reads");
    let ring = builder.build().expect("ring builds");
    let policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time");
    let chain = [leaf.into()];
    let report = Check::new(&chain, &ring, &policy, now).with_evidence(evidence).run();
    assert_eq!(report.verdict == Verdict::Accept, matches!(report.path[0].revocation, Status::Good(_)));
    report.path[0].revocation.clone()
}

fn leaf(root: &Key) -> Cert {
    let points = ext::cdp(&[Point::urls(&["http://flaws.example/root.crl"])]);
    Cert::leaf("O=Flaws,CN=client", &Key::p256("flaws client"), ROOT, root).with([points])
}

#[test]
fn of_crls() {
    let root = Key::p256("flaws root");
    for is_listed in [false, true] {
        let entry = RevokedCertificate::new(&leaf(&root).serial);
        let crl = crl::CrlBuilder::new(ROOT).revoking(is_listed.then_some(entry));
        let mut evidence = Evidence::new();
        evidence.add_crl(Arc::new(Crl::parse(crl.issue(&root).into(), "whole").expect("reads")));
        let status = status_with(&evidence);
        assert_eq!(status.code(), if is_listed { "revoked" } else { "good" });
        for flaw in crl_flaw::ALL {
            let der = flaw.issue(crl.clone(), &root);
            let mut evidence = Evidence::new();
            let read = Crl::parse(der.clone().into(), flaw.name);
            // Bytes that arrive one by one are read like those that are there.
            let mut reader = CrlReader::new();
            let streamed = der.iter().try_for_each(|byte| reader.push(&[*byte]));
            let streamed = streamed.and_then(|()| reader.finish(flaw.name));
            assert_eq!(read.is_ok(), streamed.is_ok(), "{}", flaw.name);
            match read {
                Ok(crl) => evidence.add_crl(Arc::new(crl)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(flaw.name, fault)),
            }
            let status = status_with(&evidence);
            let expected = if flaw.name == "bad-signature" { Cause::BadSignature } else { Cause::Malformed };
            assert_eq!(status, Status::Unknown(expected), "{}", flaw.name);
        }
    }
}

#[test]
fn of_responses() {
    let root = Key::p256("flaws root");
    let cert = leaf(&root);
    let id = || ocsp::cert_id("sha1", &cert.issuer, &root, &cert.serial);
    for answer in [AnswerBuilder::good(id()), AnswerBuilder::revoked(id(), "2026-03-01T00:00:00Z", None)] {
        let response = Response::new(ocsp::by_key(&root), [answer]);
        let mut evidence = Evidence::new();
        let whole = OcspEvidence::parse(response.issue(&root).into(), "whole").expect("reads");
        evidence.add_ocsp(&Arc::new(whole));
        assert_ne!(status_with(&evidence).code(), "unknown");
        for flaw in ocsp_flaw::ALL {
            let mut evidence = Evidence::new();
            match OcspEvidence::parse(flaw.issue(response.clone(), &root).into(), flaw.name) {
                Ok(response) => evidence.add_ocsp(&Arc::new(response)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(flaw.name, fault)),
            }
            let status = status_with(&evidence);
            let expected = if flaw.name == "bad-signature" { Cause::BadSignature } else { Cause::Malformed };
            assert_eq!(status, Status::Unknown(expected), "{}", flaw.name);
        }
    }
}

/// What is read although it is not quite DER: it says what it would say in DER, and the signature is over the bytes as
/// they came.
#[test]
fn encodings_of_crls_that_no_reader_takes_two_ways() {
    let root = Key::p256("flaws root");
    for is_listed in [false, true] {
        let entry = RevokedCertificate::new(&leaf(&root).serial);
        let crl = crl::CrlBuilder::new(ROOT).revoking(is_listed.then_some(entry));
        for flaw in crl_flaw::LENIENT {
            let der = flaw.issue(crl.clone(), &root);
            let whole = Crl::parse(der.clone().into(), flaw.name).expect(flaw.name);
            let mut reader = CrlReader::new();
            der.iter().try_for_each(|byte| reader.push(&[*byte])).expect(flaw.name);
            let streamed = reader.finish(flaw.name).expect(flaw.name);
            assert_eq!(whole.der(), streamed.der(), "{}", flaw.name);
            for crl in [whole, streamed] {
                let mut evidence = Evidence::new();
                evidence.add_crl(Arc::new(crl));
                let expected = if is_listed { "revoked" } else { "good" };
                assert_eq!(status_with(&evidence).code(), expected, "{}", flaw.name);
            }
            changed_bits(&der, flaw.name, |der, evidence| {
                let read = Crl::parse(der.into(), flaw.name);
                read.is_ok_and(|crl| {
                    evidence.add_crl(Arc::new(crl));
                    true
                })
            });
        }
    }
}

#[test]
fn encodings_of_responses_that_no_reader_takes_two_ways() {
    let root = Key::p256("flaws root");
    let cert = leaf(&root);
    let id = || ocsp::cert_id("sha1", &cert.issuer, &root, &cert.serial);
    for answer in [AnswerBuilder::good(id()), AnswerBuilder::revoked(id(), "2026-03-01T00:00:00Z", None)] {
        let response = Response::new(ocsp::by_key(&root), [answer]);
        for flaw in ocsp_flaw::LENIENT {
            let der = flaw.issue(response.clone(), &root);
            let mut evidence = Evidence::new();
            evidence
                .add_ocsp(&Arc::new(OcspEvidence::parse(der.clone().into(), flaw.name).expect(flaw.name)));
            let expected = if response.answers[0].status[0] == 0x80 { "good" } else { "revoked" };
            assert_eq!(status_with(&evidence).code(), expected, "{}", flaw.name);
            changed_bits(&der, flaw.name, |der, evidence| {
                let read = OcspEvidence::parse(der.into(), flaw.name);
                read.is_ok_and(|response| {
                    evidence.add_ocsp(&Arc::new(response));
                    true
                })
            });
        }
    }
}

/// Changes a bit of each byte: nothing is believed of what still reads.
fn changed_bits(der: &[u8], name: &str, read: impl Fn(Vec<u8>, &mut Evidence) -> bool) {
    let mut reads = 0;
    for at in 0..der.len() {
        let mut changed = der.to_vec();
        changed[at] ^= 1 << (at % 8);
        let mut evidence = Evidence::new();
        if read(changed, &mut evidence) {
            reads += 1;
            assert_eq!(status_with(&evidence).code(), "unknown", "{name}, byte {at}");
        }
    }
    assert!(reads > 50, "{name}: {reads}");
}

/// A reason that is not known revokes for good, in CRLs and answers, and is told by its number.
#[test]
fn reasons_that_are_not_known() {
    let root = Key::p256("flaws root");
    let cert = leaf(&root);
    for (content, found) in [
        (&[7][..], "unknown-7"),
        (&[11], "weakAlgorithmOrKey"),
        (&[12], "unknown-12"),
        (&[1, 0], "unknown-256"),
        (&[0x7f, 0xff, 0xff, 0xff, 0xff], "unknown-4294967295"),
    ] {
        let entry = RevokedCertificate::new(&cert.serial).with([crl::reason_number(content)]);
        let crl = crl::CrlBuilder::new(ROOT).revoking([entry]).issue(&root);
        let mut by_crl = Evidence::new();
        by_crl.add_crl(Arc::new(Crl::parse(crl.into(), "crl").expect("reads")));
        let id = ocsp::cert_id("sha1", &cert.issuer, &root, &cert.serial);
        let mut answer = AnswerBuilder::revoked(id, "2026-03-01T00:00:00Z", Some("superseded"));
        let code = der::ctx_c(0, &der::tlv(0x0a, content));
        answer.status = der::ctx_c(1, &der::concat(&[ocsp::time("2026-03-01T00:00:00Z"), code]));
        let response = Response::new(ocsp::by_key(&root), [answer]).issue(&root);
        let mut by_ocsp = Evidence::new();
        by_ocsp.add_ocsp(&Arc::new(OcspEvidence::parse(response.into(), "ocsp").expect("reads")));
        for evidence in [by_crl, by_ocsp] {
            let Status::Revoked(revoked) = status_with(&evidence) else { panic!("{found} is not revoked") };
            assert_eq!(revoked.reason.to_string(), found);
        }
    }
    for content in [&[][..], &[0xff], &[0, 1]] {
        let entry = RevokedCertificate::new(&cert.serial).with([crl::reason_number(content)]);
        let crl = crl::CrlBuilder::new(ROOT).revoking([entry]).issue(&root);
        assert!(Crl::parse(crl.into(), "crl").is_err(), "{content:?}");
    }
}

/// What is wrong with a CRL is told of a CRL.
#[test]
fn a_crl_is_not_called_a_certificate() {
    let root = Key::p256("flaws root");
    for flaw in crl_flaw::ALL {
        let read = Crl::parse(flaw.issue(crl::CrlBuilder::new(ROOT), &root).into(), flaw.name);
        let found = read.err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(found.split_whitespace().all(|word| word != "certificate"), "{}: {found}", flaw.name);
    }
}
