//! What `--dry-run` prints: the requests that a check would make.

use std::io::{self, Write};
use std::path::Path;

use certcheck_core::Verdict;
use certcheck_core::report::Report;
use certcheck_core::revocation::{EvidenceRequest, Need};
use serde::Serialize;

use super::{Document, ReasonObject, kind_of, write};
use crate::exit::Exit;
use crate::hint;

#[derive(Serialize)]
struct Plan<'a> {
    input: String,
    verdict: &'a str,
    reason: Option<ReasonObject>,
    requests: Vec<RequestObject>,
}

impl Document for Plan<'_> {
    const TYPE: &'static str = "plan";
}

#[derive(Serialize)]
struct RequestObject {
    certificate_index: usize,
    subject: Option<String>,
    kind: &'static str,
    url: String,
    request_bytes: Option<usize>,
}

/// The requests, in order. That a status is unknown for that reason alone is no refusal.
pub(crate) fn write_plan(
    out: &mut impl Write,
    input: &Path,
    report: &Report<'_>,
    plan: &[Need],
) -> io::Result<()> {
    let requests = plan.iter().map(|need| RequestObject {
        certificate_index: need.at,
        subject: report.path.get(need.at).map(|member| member.certificate.subject().to_string()),
        kind: kind_of(&need.request),
        url: need.request.url().to_string(),
        request_bytes: match &need.request {
            EvidenceRequest::Ocsp { request, .. } => Some(request.len()),
            _ => None,
        },
    });
    write(
        out,
        &Plan {
            input: input.display().to_string(),
            verdict: report.verdict.code(),
            reason: report
                .reason
                .as_ref()
                .map(|rejection| ReasonObject::of_rejection(rejection, hint::HINTS)),
            requests: requests.collect(),
        },
    )
}

/// A good path will be asked about, which is what a plan is for.
pub(crate) fn plan_exit(report: &Report<'_>) -> Exit {
    match report.verdict {
        Verdict::Undetermined => Exit::Accepted,
        verdict => verdict.into(),
    }
}
