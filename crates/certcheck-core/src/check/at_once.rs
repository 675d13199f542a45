//! A leaf that is accepted at once: the path above it is known, with the statuses of its CAs, and the evidence about the
//! leaf is given or in memory.
//!
//! The leaf is validated, planned for and reported by the functions that an evaluation uses. What is left out is what a
//! session keeps in order to go on. What is not accepted here is left to a session, which explains it.

use std::cell::OnceCell;
use std::sync::Arc;

use super::Check;
use super::chain::ParsedChain;
use super::findings::{Findings, valid_until, warnings_of_anchor};
use super::issuer_path::IssuerPath;
use crate::budget::Spent;
use crate::path::candidate::CertificateRef;
use crate::path::context::{Context, Edge};
use crate::path::pool::Pool;
use crate::path::verify::Valid;
use crate::policy::Revocation;
use crate::report::{OwnedReport, Verdict};
use crate::revocation::plan::{OpenRequests, Planned, plan};
use crate::revocation::{
    AnswerFn, Answers, AnswersWith, AssessContext, CheckedCertificate, may_concern_others,
};
use crate::status::Status;
use crate::x509::Certificate;

/// Whether a leaf is accepted at once.
pub(super) enum AtOnce {
    Accepted(OwnedReport),
    Open(Attempt),
}

/// What is known of a leaf that needs a session: its signatures need not be verified again, and count.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) edges: Vec<Edge<'static>>,
    /// What was spent on signatures.
    pub(super) spent: Spent,
    /// The known path is not valid for the leaf.
    pub(super) is_refuted: bool,
}

/// Tries to accept the target of a chain under its issuer path. `above` are the plans for the CAs of the path.
pub(super) fn accept(
    check: &Check<'_>,
    chain: &ParsedChain,
    issuer_path: &IssuerPath,
    above: &[Arc<Planned>],
    source: AnswerFn<'_>,
) -> AtOnce {
    let Check { ring, policy, now, issuers, .. } = *check;
    let pool = chain.pool(check, &[]);
    let mut context = Context::new(ring, policy, now, issuers);
    let valid = issuer_path.first_path().validate(&mut context, &pool);
    let is_refuted = valid.is_none();
    let mut spent = context.budget.spent;
    match valid.and_then(|valid| report(check, &pool, valid, &mut spent, issuer_path, above, source)) {
        Some(report) => AtOnce::Accepted(report),
        None => {
            if is_refuted {
                // A search reports what failed.
                context.begin_search();
            }
            let edges = context.into_edges().into_iter().map(Edge::into_owned).collect();
            AtOnce::Open(Attempt { edges, spent: spent.of_signatures(), is_refuted })
        }
    }
}

/// The report on a validated path, if it accepts. Adds to `spent`.
fn report(
    check: &Check<'_>,
    pool: &Pool<'_>,
    valid: Valid,
    spent: &mut Spent,
    issuer_path: &IssuerPath,
    above: &[Arc<Planned>],
    source: AnswerFn<'_>,
) -> Option<OwnedReport> {
    let first_path = issuer_path.first_path();
    let CertificateRef::Ring(anchor) = *first_path.path.last()? else { return None };
    let anchor = check.ring.get(anchor)?;
    let mut statuses = Vec::new();
    if check.policy.revocation != Revocation::Off {
        let mut path: Vec<Certificate<'_>> = Vec::with_capacity(first_path.path.len());
        path.extend(first_path.path.iter().filter_map(|at| pool.certificate(*at)));
        let signer_policy = OnceCell::new();
        let hashed_issuer = issuer_path.hashed_issuer();
        let context = AssessContext {
            hashed_issuer: Some(&hashed_issuer),
            ..check.assess_context(pool, *path.last()?, &signer_policy)
        };
        let checked: Vec<_> = CheckedCertificate::of_path(&path, check.policy).collect();
        let none = Answers::new(check.seed);
        let answers = AnswersWith::new(&none, source);
        let leaf = *checked.first()?;
        let planned = plan(context, check.evidence, &answers, leaf, OpenRequests::Named, spent);
        let is_useful = planned.next.is_none() && planned.asked.iter().all(|asked| asked.fault.is_none());
        let plans = || core::iter::once(&planned).chain(above.iter().map(|planned| &**planned));
        let is_good = |planned: &Planned| matches!(planned.status, Status::Good(_) | Status::NoRevAvail);
        if !is_useful
            || plans().count() != checked.len()
            || !plans().all(is_good)
            || may_concern_others(plans(), &checked, &pool.issuers_of(&first_path.path))
        {
            return None;
        }
        *spent = above.iter().fold(*spent, |spent, planned| spent.and(planned.spent));
        statuses.reserve_exact(checked.len());
        statuses.extend(plans().map(|planned| planned.status.clone()));
    }
    let findings = Findings {
        verdict: Verdict::Accept,
        reason: None,
        path: first_path.path.clone(),
        statuses,
        valid_until: valid_until(check, pool, &first_path.path, Some(anchor)),
        warnings: warnings_of_anchor(&valid, anchor),
        policies: valid.policies,
        attempts: Vec::new(),
        considered: Vec::new(),
        spent: *spent,
    };
    Some(findings.into_owned_report(pool))
}
