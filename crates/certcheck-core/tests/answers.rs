//! What answers are held to: that they answer this question (RFC 9654), and that what a key signed is verified once.

use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::Nonce;
use certcheck_core::revocation::{Answer, EvidenceRequest, OcspEvidence};
use certcheck_core::status::{Cause, Status};
use certcheck_core::{Check, Evidence, KeyRing, Policy, Purpose, Revocation, Time};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key, SigAlg, keys};
use pki_types::CertificateDer;

const ROOT: &str = "O=Answers,CN=Root";

fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time")
}

fn policy(revocation: Revocation) -> Policy {
    Policy::client(revocation).with_purpose(Purpose::Any)
}

fn ring(root: &Key) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, root).issue(root), Placement::Anchor).expect("reads");
    builder.build().expect("builds")
}

fn leaf(root: &Key) -> Cert {
    Cert::leaf("O=Answers,CN=client", &Key::p256("answers client"), ROOT, root).with([
        ext::aia(&["http://ocsp.example/"], &[]),
        ext::cdp(&[Point::urls(&["http://crl.example/root.crl"])]),
    ])
}

/// Of our nonce, what stands in the response and what beside the answer in it.
type Make = fn(&[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>);

/// The status by a responder that puts these nonces into its answer and beside it.
fn status_with(nonce: Nonce, make: Make) -> Status {
    let root = Key::p256("answers root");
    let (ring, leaf) = (ring(&root), leaf(&root));
    let mut policy = policy(Revocation::HardFail);
    policy.nonce = nonce;
    let chain = [CertificateDer::from(leaf.issue(&root))];
    let mut session = Check::new(&chain, &ring, &policy, now()).with_nonce_seed([7; 32]).begin();
    while let Some(need) = session.needs().first() {
        let ask = need.request.clone();
        let answer = match &ask {
            EvidenceRequest::Ocsp { nonce: Some(ours), .. } => {
                let (of_response, of_answer) = make(ours);
                let mut single =
                    AnswerBuilder::good(ocsp::cert_id("sha1", &leaf.issuer, &root, &leaf.serial));
                single.extensions.extend(of_answer.as_deref().map(ocsp::nonce));
                let mut response = Response::new(ocsp::by_key(&root), [single]);
                response.extensions.extend(of_response.as_deref().map(ocsp::nonce));
                let read = OcspEvidence::parse(response.issue(&root).into(), "test");
                read.map_or(Answer::Failed(Cause::Malformed), |read| Answer::Ocsp(Arc::new(read)))
            }
            _ => Answer::Failed(Cause::Unreachable),
        };
        session.answer(&ask, answer);
    }
    session.finish().path[0].revocation.clone()
}

#[test]
fn a_nonce_that_is_not_ours_is_another_s_answer() {
    let others: [(&str, Make); 4] = [
        ("32 other bytes", |_| (Some(vec![0x5a; 32]), None)),
        ("the first 31 of ours", |ours| (Some(ours[..31].to_vec()), None)),
        ("an empty one", |_| (Some(Vec::new()), None)),
        ("129 bytes that begin with ours", |ours| (Some([ours, &[0; 97]].concat()), None)),
    ];
    for nonce in [Nonce::Ask, Nonce::Demand] {
        assert_eq!(status_with(nonce, |ours| (Some(ours.to_vec()), None)).code(), "good");
        for (name, make) in others {
            let status = status_with(nonce, make);
            assert_eq!(status, Status::Unknown(Cause::NonceMismatch), "{name}, {nonce:?}");
        }
    }
    // Among singleExtensions it is none: RFC 9654 has it among the response's.
    let beside: Make = |ours| (None, Some(ours.to_vec()));
    assert_eq!(status_with(Nonce::Demand, beside), Status::Unknown(Cause::NonceMismatch));
    assert_eq!(status_with(Nonce::Ask, beside).code(), "good");
}

#[test]
fn a_second_check_spends_no_signature_on_the_same_evidence() {
    let root = Key::p256("answers root");
    let (ring, leaf) = (ring(&root), leaf(&root));
    let chain = [CertificateDer::from(leaf.issue(&root))];
    let mut evidence = Evidence::new();
    evidence.add_crl(Arc::new(Crl::parse(CrlBuilder::new(ROOT).issue(&root).into(), "crl").expect("reads")));
    let good = AnswerBuilder::good(ocsp::cert_id("sha1", &leaf.issuer, &root, &leaf.serial));
    let response = Response::new(ocsp::by_key(&root), [good]).issue(&root);
    evidence.add_ocsp(&Arc::new(OcspEvidence::parse(response.into(), "response").expect("reads")));
    let spent = |policy: &Policy| {
        let report = Check::new(&chain, &ring, policy, now()).with_evidence(&evidence).run();
        assert!(report.is_accepted(), "{:?}", report.reason);
        report.spent.signatures
    };
    let path_alone = spent(&policy(Revocation::Off));
    assert_eq!(spent(&policy(Revocation::HardFail)), path_alone + 2);
    for _ in 0..3 {
        assert_eq!(spent(&policy(Revocation::HardFail)), path_alone);
    }
}

/// What a key signed is a fact; whether that is enough is the policy's to say, each time.
#[test]
fn what_was_verified_is_not_admitted_by_a_stricter_policy() {
    let root = keys::rsa2048("answers root");
    let (ring, leaf) = (ring(&root), leaf(&root));
    let chain = [CertificateDer::from(leaf.issue(&root))];
    let crl = CrlBuilder::new(ROOT).issue(&SigAlg::RsaSha1.signer(&root));
    let mut evidence = Evidence::new();
    evidence.add_crl(Arc::new(Crl::parse(crl.into(), "crl").expect("reads")));
    for allow_sha1 in [true, false, true, false] {
        let mut policy = policy(Revocation::HardFail);
        policy.signatures.allow_sha1 = allow_sha1;
        let report = Check::new(&chain, &ring, &policy, now()).with_evidence(&evidence).run();
        let status = report.path[0].revocation.clone();
        if allow_sha1 {
            assert_eq!(status.code(), "good");
        } else {
            assert_eq!(status, Status::Unknown(Cause::Unsupported));
        }
    }
}
