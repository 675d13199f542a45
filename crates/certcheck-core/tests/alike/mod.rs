//! A leaf accepted by another's issuer path, beside the whole check of it.
#![allow(dead_code, reason = "each test takes what it needs")]

use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::Answer;
use certcheck_core::status::Cause;
use certcheck_core::{Check, Evidence, IssuerPath, KeyRing, Report, Verdict};

use certcheck_testkit::scenarios::Question;

/// How often leaves were compared, and how many of them were admitted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) compared: usize,
    pub(crate) admitted: usize,
}

/// The whole check, with nothing but what is given.
fn whole(check: Check<'_>) -> (OwnedReport, Option<IssuerPath>) {
    let mut session = check.begin();
    let mut has_asked = false;
    while let Some(need) = session.needs().first().cloned() {
        has_asked = true;
        session.answer(&need.request, Answer::Failed(Cause::NotTried));
    }
    let issuer_path = session.issuer_path();
    assert!(issuer_path.is_none() || session.finish().is_accepted() || has_asked);
    (session.into_report(), issuer_path)
}

/// What is kept of a check.
fn issuer_path(check: Check<'_>) -> Option<IssuerPath> {
    whole(check).1
}

/// Holds what an issuer path makes of a leaf against what a check does. What it accepts is accepted, for the same reasons.
fn compare(
    issuer_path: &IssuerPath,
    check: Check<'_>,
    ring: &KeyRing,
    tally: &mut Tally,
) -> Result<(), String> {
    let (slow, _) = whole(check);
    tally.compared += 1;
    let fast = check.leaf_candidate().and_then(|leaf_candidate| {
        let above = issuer_path.issuer_statuses(&leaf_candidate, &|_| None)?;
        issuer_path.accept_fast(&leaf_candidate, &above, &|_| None)
    });
    let Some(fast) = fast else { return Ok(()) };
    tally.admitted += 1;
    let (fast, slow) = (summary(&fast.report.view(ring)), summary(&slow.view(ring)));
    if fast == slow && fast.starts_with(&format!("{:?}", Verdict::Accept)) {
        return Ok(());
    }
    Err(format!("admitted as\n{fast}\nchecked as\n{slow}"))
}

/// Any other in the place of a target that is good: what the issuer path makes of it, and what a check does.
pub(crate) fn compare_all(question: &Question, evidence: &Evidence, tally: &mut Tally) -> Result<(), String> {
    let (chain, ring) = (question.presented(), question.key_ring());
    let check = Check::new(&chain, &ring, &question.policy, question.now()).with_evidence(evidence);
    let Some(issuer_path) = issuer_path(check) else { return Ok(()) };
    for (name, der) in &question.others {
        let mut other = chain.clone();
        other[0] = der.as_slice().into();
        let check = Check::new(&other, &ring, &question.policy, question.now()).with_evidence(evidence);
        compare(&issuer_path, check, &ring, tally)
            .map_err(|fault| format!("{}: {name}: {fault}", question.about))?;
    }
    Ok(())
}

/// All of a report but signatures: who remembers some verifies fewer.
fn summary(report: &Report<'_>) -> String {
    let path: Vec<_> = report
        .path
        .iter()
        .map(|member| {
            let source = member.in_ring.map(certcheck_core::key_ring::RingCertificate::source);
            (member.role, member.certificate.der().to_vec(), source, &member.revocation)
        })
        .collect();
    let spent = &report.spent;
    format!(
        "{:?} {:?} until {:?}, policies {:?}, warnings {:?}, attempts {}, steps {}, paths {}, names {} of {} bytes, nodes {}\n{path:?}",
        report.verdict,
        report.reason,
        report.valid_until,
        report.policies,
        report.warnings,
        report.attempts.len(),
        spent.steps,
        spent.paths,
        spent.name_comparisons,
        spent.name_bytes,
        spent.policy_nodes,
    )
}
