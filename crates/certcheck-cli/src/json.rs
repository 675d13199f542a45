//! JSON for programs: one object a line, `"schema": 1`. Keys are stable; new ones may come.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use certcheck_core::reason::Rejection;
use certcheck_core::report::{PathCertificate, Report};
use certcheck_core::revocation::{Ask, Need, Status};
use certcheck_core::view::Certificate;
use certcheck_core::{Time, Verdict};
use certcheck_fetch::{Origin, SourceTried};
use serde::Serialize;

use crate::exit::Exit;
use crate::hex;

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    input: String,
    verdict: &'a str,
    reason: Option<ReasonObject>,
    valid_until: Option<String>,
    policies: Vec<String>,
    path: Vec<Member>,
    attempts: Vec<AttemptObject>,
    sources: Vec<SourceObject>,
    warnings: Vec<String>,
    spent: SpentObject,
    elapsed_us: u64,
}

/// Why a certificate is refused.
#[derive(Serialize)]
pub(crate) struct ReasonObject {
    code: &'static str,
    at: usize,
    rfc: &'static str,
    message: String,
    hint: &'static str,
}

#[derive(Serialize)]
struct Member {
    role: &'static str,
    #[serde(flatten)]
    facts: Facts,
    revocation: RevocationObject,
}

/// What a certificate says of itself.
#[derive(Serialize)]
pub(crate) struct Facts {
    subject: String,
    issuer: String,
    serial: String,
    sha256: String,
    not_before: String,
    not_after: String,
}

/// The status of a certificate, and what it rests on.
#[derive(Serialize)]
pub(crate) struct RevocationObject {
    status: &'static str,
    by: Option<&'static str>,
    source: Option<String>,
    from: Option<&'static str>,
    this_update: Option<String>,
    next_update: Option<String>,
    revoked_at: Option<String>,
    revocation_reason: Option<&'static str>,
    invalid_since: Option<String>,
    cause: Option<&'static str>,
}

/// A source that was tried.
#[derive(Serialize)]
struct SourceObject {
    at: usize,
    kind: &'static str,
    url: String,
    from: Option<&'static str>,
    elapsed_us: u64,
    octets: usize,
    cause: Option<&'static str>,
    detail: Option<String>,
}

impl From<&SourceTried> for SourceObject {
    fn from(tried: &SourceTried) -> Self {
        Self {
            at: tried.at,
            kind: tried.kind.code(),
            url: tried.url.to_string(),
            from: tried.from.map(Origin::code),
            elapsed_us: u64::try_from(tried.elapsed.as_micros()).unwrap_or(u64::MAX),
            octets: tried.octets,
            cause: tried.failure.as_ref().map(|(cause, _)| cause.code()),
            detail: tried.failure.as_ref().map(|(_, detail)| detail.clone()),
        }
    }
}

/// From where the evidence came that is named so: by its URL, or by the file it was given in.
fn from_where(source: &str, sources: &[SourceTried]) -> &'static str {
    let tried = sources.iter().filter(|tried| *tried.url == *source).find_map(|tried| tried.from);
    match tried {
        Some(from) => from.code(),
        // A client that is known is answered by what this process has.
        None if source.contains("://") => Origin::Memory.code(),
        None => "file",
    }
}

impl RevocationObject {
    /// With the sources that were tried, where some were.
    pub(crate) fn new(status: &Status, sources: &[SourceTried]) -> Self {
        let proof = status.proof();
        let time = |time: Time| time.to_string();
        let revoked = match status {
            Status::Revoked(revoked) => Some(revoked),
            _ => None,
        };
        Self {
            status: status.code(),
            by: match status {
                Status::NoRevAvail => Some("no-rev-avail"),
                _ => proof.map(|proof| proof.by.code()),
            },
            source: proof.map(|proof| proof.source.to_string()),
            from: proof.map(|proof| from_where(&proof.source, sources)),
            this_update: proof.map(|proof| time(proof.this_update)),
            next_update: proof.and_then(|proof| proof.next_update).map(time),
            revoked_at: revoked.map(|revoked| time(revoked.at)),
            revocation_reason: revoked.map(|revoked| revoked.reason.name()),
            invalid_since: revoked.and_then(|revoked| revoked.invalid_since).map(time),
            cause: match status {
                Status::Unknown(cause) => Some(cause.code()),
                _ => None,
            },
        }
    }
}

#[derive(Serialize)]
struct AttemptObject {
    path: Vec<String>,
    code: &'static str,
    at: usize,
    message: String,
}

#[derive(Default, Serialize)]
struct SpentObject {
    signatures: u32,
    steps: u32,
    paths: u32,
    name_comparisons: u32,
    policy_nodes: u32,
}

impl Facts {
    pub(crate) fn of(certificate: &Certificate<'_>) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial().to_string(),
            sha256: fingerprint(certificate),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
        }
    }
}

impl Facts {
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn not_before(&self) -> &str {
        &self.not_before
    }

    pub(crate) fn not_after(&self) -> &str {
        &self.not_after
    }
}

/// SHA-256 of the certificate, in lower-case hexadecimal.
pub(crate) fn fingerprint(certificate: &Certificate<'_>) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate.der());
    hex::octets(digest.as_ref())
}

impl ReasonObject {
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<&Rejection> for ReasonObject {
    fn from(rejection: &Rejection) -> Self {
        let reason = &rejection.reason;
        Self {
            code: reason.code(),
            at: rejection.at,
            rfc: reason.rfc(),
            message: reason.to_string(),
            hint: reason.hint(),
        }
    }
}

impl Member {
    fn new(member: &PathCertificate<'_>, sources: &[SourceTried]) -> Self {
        Self {
            role: member.role.code(),
            facts: Facts::of(&member.certificate),
            revocation: RevocationObject::new(&member.revocation, sources),
        }
    }
}

#[derive(Serialize)]
struct PlanLine<'a> {
    schema: u32,
    input: String,
    dry_run: bool,
    verdict: &'a str,
    reason: Option<ReasonObject>,
    asks: Vec<AskObject>,
}

#[derive(Serialize)]
struct AskObject {
    at: usize,
    subject: Option<String>,
    kind: &'static str,
    url: String,
    request_octets: Option<usize>,
}

/// What would be asked. What is not known for that alone is no refusal.
pub(crate) fn write_plan(
    out: &mut impl Write,
    input: &Path,
    report: &Report<'_>,
    plan: &[Need],
) -> io::Result<()> {
    let asks = plan.iter().map(|need| AskObject {
        at: need.at,
        subject: report.path.get(need.at).map(|member| member.certificate.subject().to_string()),
        kind: kind_of(&need.ask),
        url: need.ask.url().to_string(),
        request_octets: match &need.ask {
            Ask::Ocsp { request, .. } => Some(request.len()),
            _ => None,
        },
    });
    write(
        out,
        &PlanLine {
            schema: 1,
            input: input.display().to_string(),
            dry_run: true,
            verdict: report.verdict.code(),
            reason: report.reason.as_ref().map(ReasonObject::from),
            asks: asks.collect(),
        },
    )
}

/// A path that is good will be asked about: that is what was wanted.
pub(crate) fn plan_exit(report: &Report<'_>) -> Exit {
    match report.verdict {
        Verdict::Undetermined => Exit::Accepted,
        verdict => verdict.into(),
    }
}

pub(crate) fn kind_of(ask: &Ask) -> &'static str {
    match ask {
        Ask::Crl { .. } => "crl",
        Ask::Ocsp { .. } => "ocsp",
        _ => "issuers",
    }
}

pub(crate) fn write_report(
    out: &mut impl Write,
    input: &Path,
    report: &Report<'_>,
    sources: &[SourceTried],
    elapsed: Duration,
) -> io::Result<()> {
    let attempts = report.attempts.iter().map(|attempt| AttemptObject {
        path: attempt.path.iter().map(|certificate| certificate.subject().to_string()).collect(),
        code: attempt.rejection.reason.code(),
        at: attempt.rejection.at,
        message: attempt.rejection.reason.to_string(),
    });
    let spent = report.spent;
    write(
        out,
        &Line {
            schema: 1,
            input: input.display().to_string(),
            verdict: report.verdict.code(),
            reason: report.reason.as_ref().map(ReasonObject::from),
            valid_until: report.valid_until.map(|time| time.to_string()),
            policies: report.policies.iter().map(ToString::to_string).collect(),
            path: report.path.iter().map(|member| Member::new(member, sources)).collect(),
            attempts: attempts.collect(),
            sources: sources.iter().map(SourceObject::from).collect(),
            warnings: report.warnings.iter().map(ToString::to_string).collect(),
            spent: SpentObject {
                signatures: spent.signatures,
                steps: spent.steps,
                paths: spent.paths,
                name_comparisons: spent.name_comparisons,
                policy_nodes: spent.policy_nodes,
            },
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        },
    )
}

/// An input that could not be read has a line too, so that none is missing.
pub(crate) fn write_unreadable(out: &mut impl Write, input: &Path, message: &str) -> io::Result<()> {
    write(
        out,
        &Line {
            schema: 1,
            input: input.display().to_string(),
            verdict: "reject",
            reason: Some(ReasonObject {
                code: "no-certificate",
                at: 0,
                rfc: "RFC 5280 6.1.1",
                message: message.to_owned(),
                hint: "give a file with a certificate in PEM, DER or PKCS #7",
            }),
            valid_until: None,
            policies: Vec::new(),
            path: Vec::new(),
            attempts: Vec::new(),
            sources: Vec::new(),
            warnings: Vec::new(),
            spent: SpentObject::default(),
            elapsed_us: 0,
        },
    )
}

/// One line to standard output.
pub(crate) fn print<T: Serialize>(value: &T) -> io::Result<()> {
    // A line may be long: of a CRL all that is new.
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out, value)?;
    out.flush()
}

/// One line.
pub(crate) fn write<T: Serialize>(out: &mut impl Write, value: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
