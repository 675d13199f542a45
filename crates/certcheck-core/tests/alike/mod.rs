//! A check of a leaf under another's issuer path, next to a check that searches.
#![allow(dead_code, reason = "each test takes what it needs")]

use certcheck_core::revocation::Answer;
use certcheck_core::status::Cause;
use certcheck_core::{
    BegunCheck, Check, CheckSession, Evidence, IssuerPath, IssuerStatuses, KeyRing, ParsedCheck, Report,
};

use certcheck_testkit::scenarios::Question;

/// How often leaves were compared, and how many of them have the path of the other leaf.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) compared: usize,
    pub(crate) admitted: usize,
    /// How many were accepted without a session.
    pub(crate) at_once: usize,
}

/// Ends a session with nothing but what is given.
fn ended<'a>(mut session: CheckSession<Check<'a>>) -> CheckSession<Check<'a>> {
    while let Some(need) = session.needs().first().cloned() {
        session.answer(&need.request, Answer::Failed(Cause::NotTried));
    }
    session
}

/// What is kept of a check.
fn issuer_path(check: Check<'_>) -> Option<(IssuerPath, Option<IssuerStatuses>)> {
    let session = ended(check.begin());
    let issuer_path = session.issuer_path()?;
    assert!(session.finish().is_accepted());
    let statuses = session.issuer_statuses(&issuer_path);
    Some((issuer_path, statuses))
}

/// Compares the report of a check under an issuer path with that of a check that searches.
fn compare(
    (issuer_path, statuses): &(IssuerPath, Option<IssuerStatuses>),
    check: Check<'_>,
    ring: &KeyRing,
    tally: &mut Tally,
) -> Result<(), String> {
    tally.compared += 1;
    let searched = ended(check.begin());
    assert_eq!(summary(&searched.finish()), summary(&searched.finish_from_nothing()));
    let parsed = ParsedCheck::new(check);
    let under = match parsed.begin_under(issuer_path, statuses.as_ref(), &|_| None) {
        BegunCheck::Accepted(report) => {
            tally.admitted += 1;
            tally.at_once += 1;
            report
        }
        BegunCheck::Open(session) => {
            let under = ended(session);
            tally.admitted += usize::from(under.is_on_known_path());
            assert_eq!(summary(&under.finish()), summary(&under.finish_from_nothing()));
            under.into_report()
        }
    };
    let (under, searched) = (summary(&under.view(ring)), summary(&searched.into_report().view(ring)));
    if under == searched {
        return Ok(());
    }
    Err(format!("under the issuer path\n{under}\nsearched\n{searched}"))
}

/// Compares the checks of all others in the place of a target that is good.
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

/// All of a report except signatures: a session that remembers some verifies fewer.
pub(crate) fn summary(report: &Report<'_>) -> String {
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
