//! The result of one input: what JSON prints and what a page shows, built once.

use std::time::Duration;

use certcheck_rustls::certcheck_core::reason::Reason;
use certcheck_rustls::certcheck_core::report::Report;
use certcheck_rustls::certcheck_core::{Time, Verdict};
use certcheck_rustls::certcheck_fetch::SourceTried;
use serde::Serialize;

use crate::cut::cut;

use super::{CertificateObject, ConsideredObject, Hints, Member, ReasonObject, SourceObject, WarningObject};

/// The result of one input.
#[derive(Serialize)]
#[non_exhaustive]
pub struct Line {
    /// The name of the input.
    pub input: String,
    /// The time that the check was made for.
    pub at: String,
    /// `accept`, `reject` or `undetermined`.
    pub verdict: &'static str,
    /// Whether the certificate itself cannot be read.
    pub unreadable: bool,
    /// Why it is not accepted.
    pub reason: Option<ReasonObject>,
    /// The cause of an unknown status that the policy tolerates.
    pub tolerated: Option<&'static str>,
    /// The last second for which the verdict holds with this evidence.
    pub valid_until: Option<String>,
    /// The certificate policies that hold for the whole path.
    pub policies: Vec<String>,
    /// The path, the certificate that was checked first.
    pub path: Vec<Member>,
    /// Paths that were tried and failed.
    pub attempts: Vec<AttemptObject>,
    /// Sources that were asked.
    pub sources: Vec<SourceObject>,
    /// Evidence that did not count.
    pub considered: Vec<ConsideredObject>,
    /// What changes no verdict.
    pub warnings: Vec<WarningObject>,
    /// What the check spent.
    pub spent: SpentObject,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
}

/// A path that was tried and failed.
#[derive(Serialize)]
#[non_exhaustive]
pub struct AttemptObject {
    /// The subjects of its certificates.
    pub path: Vec<String>,
    /// Why it failed.
    pub reason: ReasonObject,
}

/// What a check spent.
#[derive(Default, Serialize)]
#[non_exhaustive]
pub struct SpentObject {
    /// Signatures that were verified.
    pub signatures: u32,
    /// Steps of path building.
    pub steps: u32,
    /// Paths that were tried.
    pub paths: u32,
    /// Names that were compared.
    pub name_comparisons: u32,
    /// Bytes of names that were compared.
    pub name_bytes: u32,
    /// Nodes of the policy graph.
    pub policy_nodes: u32,
}

impl Line {
    /// Of a report about the input with this name.
    #[must_use]
    pub fn new(
        input: &str,
        now: Time,
        report: &Report<'_>,
        sources: &[SourceTried],
        elapsed: Duration,
        hints: Hints,
    ) -> Self {
        let attempts = report.attempts.iter().map(|attempt| AttemptObject {
            path: attempt.path.iter().map(|certificate| certificate.subject().to_string()).collect(),
            reason: ReasonObject::of_rejection(&attempt.rejection, hints),
        });
        let spent = report.spent;
        let path: Vec<_> = report.path.iter().map(|member| Member::new(member, sources)).collect();
        let is_accepted = report.verdict == Verdict::Accept;
        Self {
            input: input.to_owned(),
            at: now.to_string(),
            verdict: report.verdict.code(),
            unreadable: is_unreadable(report),
            reason: ReasonObject::of(report, sources, hints),
            tolerated: path.iter().find_map(|member| member.revocation.cause).filter(|_| is_accepted),
            valid_until: report.valid_until.map(|time| time.to_string()),
            policies: report.policies.iter().map(ToString::to_string).collect(),
            path,
            attempts: attempts.collect(),
            sources: sources.iter().map(SourceObject::from).collect(),
            considered: report.considered.iter().map(ConsideredObject::from).collect(),
            warnings: report.warnings.iter().map(WarningObject::from).collect(),
            spent: SpentObject {
                signatures: spent.signatures,
                steps: spent.steps,
                paths: spent.paths,
                name_comparisons: spent.name_comparisons,
                name_bytes: spent.name_bytes,
                policy_nodes: spent.policy_nodes,
            },
            elapsed_us: super::microseconds(elapsed),
        }
    }

    /// Of an input that could not be read: it has a line too, so that none is missing.
    #[must_use]
    pub fn unreadable(input: &str, now: Time, message: &str) -> Self {
        let reason = Reason::NoCertificate;
        Self {
            input: input.to_owned(),
            at: now.to_string(),
            verdict: Verdict::Reject.code(),
            unreadable: true,
            reason: Some(ReasonObject {
                code: reason.code(),
                certificate_index: 0,
                rfc: reason.rfc(),
                message: message.to_owned(),
                hint: "give a file with a certificate in PEM, DER or PKCS #7".to_owned(),
            }),
            tolerated: None,
            valid_until: None,
            policies: Vec::new(),
            path: Vec::new(),
            attempts: Vec::new(),
            sources: Vec::new(),
            considered: Vec::new(),
            warnings: Vec::new(),
            spent: SpentObject::default(),
            elapsed_us: 0,
        }
    }

    /// Cuts every text to so many bytes: what is kept of many inputs must not be as large as hostile input.
    pub fn cut(&mut self, max: usize) {
        let Self { input, reason, policies, path, attempts, sources, considered, warnings, .. } = self;
        let of_reason = reason.iter_mut().flat_map(|reason| [&mut reason.message, &mut reason.hint]);
        let of_considered =
            considered.iter_mut().flat_map(|piece| [&mut piece.source, &mut piece.about, &mut piece.message]);
        let of_path = path.iter_mut().flat_map(|Member { certificate, revocation, .. }| {
            let CertificateObject { subject, issuer, serial, .. } = certificate;
            [Some(subject), Some(issuer), Some(serial), revocation.source.as_mut()].into_iter().flatten()
        });
        let of_attempts = attempts
            .iter_mut()
            .flat_map(|attempt| attempt.path.iter_mut().chain([&mut attempt.reason.message]));
        let of_sources = sources
            .iter_mut()
            .flat_map(|source| [&mut source.url].into_iter().chain(source.message.as_mut()));
        let lists = policies.iter_mut().chain(warnings.iter_mut().map(|warning| &mut warning.message));
        let texts = of_reason
            .chain(of_path)
            .chain(of_attempts)
            .chain(of_sources)
            .chain(of_considered)
            .chain(lists)
            .chain([input]);
        for text in texts {
            if text.len() > max {
                text.truncate(cut(text, max).len());
                text.shrink_to_fit();
            }
        }
    }
}

/// Whether the target itself cannot be parsed: that says something about the input, not about trust.
#[must_use]
pub fn is_unreadable(report: &Report<'_>) -> bool {
    let reason = report.reason.as_ref().map(|rejection| &rejection.reason);
    report.path.is_empty() && matches!(reason, Some(Reason::Malformed(_)))
}
