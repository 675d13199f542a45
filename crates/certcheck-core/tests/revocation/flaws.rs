//! Evidence broken in each named way: nothing is believed of it, whatever stands in it.

use std::sync::Arc;

use certcheck_core::crl::{Crl, CrlReader};
use certcheck_core::revocation::{Cause, Evidence, EvidenceFault, OcspEvidence, Status};
use certcheck_core::ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Purpose, Revocation, Time, Verdict};
use certcheck_testkit::crl::{self, Entry};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, Answer, Response};
use certcheck_testkit::{Cert, Key};

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
        let entry = Entry::new(&leaf(&root).serial);
        let crl = crl::Crl::new(ROOT).revoking(is_listed.then_some(entry));
        let mut evidence = Evidence::new();
        evidence.add_crl(Arc::new(Crl::parse(crl.issue(&root).into(), "whole").expect("reads")));
        let status = status_with(&evidence);
        assert_eq!(status.code(), if is_listed { "revoked" } else { "good" });
        for flaw in crl::FLAWS {
            let der = flaw.issue(crl.clone(), &root);
            let mut evidence = Evidence::new();
            let read = Crl::parse(der.clone().into(), flaw.name);
            // Octets that arrive one by one are judged as those that are there.
            let mut reader = CrlReader::new();
            let arrived = der.iter().try_for_each(|octet| reader.push(&[*octet]));
            let arrived = arrived.and_then(|()| reader.finish(flaw.name));
            assert_eq!(read.is_ok(), arrived.is_ok(), "{}", flaw.name);
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
    for answer in [Answer::good(id()), Answer::revoked(id(), "2026-03-01T00:00:00Z", None)] {
        let response = Response::new(ocsp::by_key(&root), [answer]);
        let mut evidence = Evidence::new();
        let whole = OcspEvidence::parse(response.issue(&root).into(), "whole").expect("reads");
        evidence.add_ocsp(&Arc::new(whole));
        assert_ne!(status_with(&evidence).code(), "unknown");
        for flaw in ocsp::FLAWS {
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
