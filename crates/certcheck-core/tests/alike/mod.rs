//! A leaf admitted by another's template, beside the whole check of it.
#![allow(dead_code, reason = "each test takes what it needs")]

use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::Answer;
use certcheck_core::status::Cause;
use certcheck_core::{Check, Evidence, KeyRing, Report, Template, Verdict};

use crate::question::Question;

/// How often leaves were compared, and how many of them were admitted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) compared: usize,
    pub(crate) admitted: usize,
}

/// The whole check, with nothing but what is given.
fn whole(check: Check<'_>) -> (OwnedReport, Option<Template>) {
    let mut progress = check.begin();
    let mut has_asked = false;
    while let Some(need) = progress.needs().first().cloned() {
        has_asked = true;
        progress.answer(&need.ask, Answer::Failed(Cause::NotTried));
    }
    let template = progress.template();
    assert!(template.is_none() || progress.finish().is_accepted() || has_asked);
    (progress.into_report(), template)
}

/// What is kept of a check.
fn template(check: Check<'_>) -> Option<Template> {
    whole(check).1
}

/// Holds what a template makes of a leaf against what a check does. Whoever is admitted is accepted, for the same reasons.
fn compare(template: &Template, check: Check<'_>, ring: &KeyRing, tally: &mut Tally) -> Result<(), String> {
    let (slow, _) = whole(check);
    tally.compared += 1;
    let fast = check.leaf_candidate().and_then(|leaf_candidate| {
        let above = template.issuer_statuses(&leaf_candidate, &|_| None)?;
        template.admit(&leaf_candidate, &above, &|_| None)
    });
    let Some(fast) = fast else { return Ok(()) };
    tally.admitted += 1;
    let (fast, slow) = (told(&fast.report.view(ring)), told(&slow.view(ring)));
    if fast == slow && fast.starts_with(&format!("{:?}", Verdict::Accept)) {
        return Ok(());
    }
    Err(format!("admitted as\n{fast}\nchecked as\n{slow}"))
}

/// Any other in the place of a target that is good: what the template makes of it, and what a check does.
pub(crate) fn compare_all(question: &Question, evidence: &Evidence, tally: &mut Tally) -> Result<(), String> {
    let (chain, ring) = (question.presented(), question.key_ring());
    let check = Check::new(&chain, &ring, &question.policy, question.now()).with_evidence(evidence);
    let Some(template) = template(check) else { return Ok(()) };
    for (name, der) in &question.others {
        let mut other = chain.clone();
        other[0] = der.as_slice().into();
        let check = Check::new(&other, &ring, &question.policy, question.now()).with_evidence(evidence);
        compare(&template, check, &ring, tally)
            .map_err(|fault| format!("{}: {name}: {fault}", question.about))?;
    }
    Ok(())
}

/// All of a report but signatures: who remembers some verifies fewer.
fn told(report: &Report<'_>) -> String {
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
