//! The whole machine: a path, and arbitrary answers to whatever it asks, in two orders. It ends, and both end alike.
#![no_main]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::{EvidenceOrder, Nonce};
use certcheck_core::revocation::{Answer, EvidenceRequest, OcspEvidence};
use certcheck_core::status::Cause;
use certcheck_core::{Check, CheckSession, Policy, Purpose, Revocation, Time};
use libfuzzer_sys::fuzz_target;
use pki_types::CertificateDer;

/// More answers than a check of these bounds can ask for.
const MAX_ROUNDS: usize = 512;

/// What a part of the input is as an answer.
fn answer(part: &[u8]) -> Answer {
    if let Ok(crl) = Crl::parse(Bytes::copy_from_slice(part), "fuzz") {
        Answer::Crl(Arc::new(crl))
    } else if let Ok(response) = OcspEvidence::parse(Bytes::copy_from_slice(part), "fuzz") {
        Answer::Ocsp(Arc::new(response))
    } else if part.first() == Some(&0x30) {
        Answer::Issuers(vec![part.to_vec().into()])
    } else {
        Answer::Failed(Cause::Unreachable)
    }
}

/// The same question gets the same answer.
fn pick<'p>(ask: &EvidenceRequest, answers: &'p [Answer]) -> Option<&'p Answer> {
    let mut hasher = DefaultHasher::new();
    ask.hash(&mut hasher);
    answers.get(usize::try_from(hasher.finish() % 1_000_003).unwrap_or(0) % answers.len().max(1))
}

fn drive(progress: &mut CheckSession<Check<'_>>, answers: &[Answer], is_last_first: bool) {
    for _ in 0..MAX_ROUNDS {
        let needs = progress.needs();
        let Some(need) = (if is_last_first { needs.last() } else { needs.first() }) else { return };
        let ask = need.request.clone();
        let answer = pick(&ask, answers).cloned().unwrap_or(Answer::Failed(Cause::Unreachable));
        progress.answer(&ask, answer);
    }
    panic!("asks without end");
}

fuzz_target!(|data: &[u8]| {
    let Some(([flags, in_chain], rest)) = data.split_first_chunk::<2>() else { return };
    let (parts, _) = certcheck_fuzz::framed(rest);
    let Some((anchor, parts)) = parts.split_first() else { return };
    let (chain, answers) = parts.split_at(parts.len().min(usize::from(*in_chain % 8)));
    let mut builder = RingBuilder::new();
    if builder.add("anchor", anchor, Placement::Anchor).is_err() {
        return;
    }
    let ring = builder.build().expect("a ring without settings builds");
    let mut policy = Policy::client(match flags & 3 {
        0 => Revocation::IfOffered,
        1 => Revocation::SoftFail,
        _ => Revocation::HardFail,
    });
    policy.purpose = Purpose::Any;
    policy.signatures.algorithms = certcheck_fuzz::always();
    policy.limits.steps = 2_000;
    policy.limits.paths = 50;
    policy.limits.name_comparisons = 5_000;
    policy.limits.policy_nodes = 1_000;
    policy.aia = flags & 4 != 0;
    if flags & 8 != 0 {
        policy.evidence_order = EvidenceOrder::CrlFirst;
    }
    if flags & 16 != 0 {
        policy.nonce = Nonce::Ask;
    }
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    let answers: Vec<Answer> = answers.iter().map(|part| answer(part)).collect();
    let check =
        Check::new(&chain, &ring, &policy, Time::from_unix(1_798_848_000)).with_nonce_seed([*flags; 32]);
    let outcome = |is_last_first| {
        let mut progress = check.begin();
        drive(&mut progress, &answers, is_last_first);
        let (report, again) = (progress.finish(), progress.finish_from_nothing());
        // Where limits are hit, the reasons may differ: a session verifies no signature twice.
        assert_eq!(report.verdict, again.verdict);
        (report.verdict, report.reason.map(|rejection| rejection.reason.code()))
    };
    assert_eq!(outcome(false), outcome(true));
});
