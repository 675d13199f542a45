//! JSON for programs: one object a line, `"schema": 1`. Keys are stable; new ones may come.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use certcheck_core::digest::sha256;
use certcheck_core::reason::Rejection;
use certcheck_core::report::{PathCertificate, Report};
use certcheck_core::revocation::{Considered, EvidenceRequest, Need};
use certcheck_core::status::{Means, Status};
use certcheck_core::x509::Certificate;
use certcheck_core::{Time, Verdict};
use certcheck_fetch::{Origin, SourceTried};
use serde::Serialize;

use crate::exit::Exit;
use crate::hex;
use crate::hint;

/// What an input came to: what JSON prints and what a page tells, built once.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) schema: u32,
    pub(crate) input: String,
    pub(crate) verdict: &'static str,
    pub(crate) reason: Option<ReasonObject>,
    pub(crate) valid_until: Option<String>,
    pub(crate) policies: Vec<String>,
    pub(crate) path: Vec<Member>,
    pub(crate) attempts: Vec<AttemptObject>,
    pub(crate) sources: Vec<SourceObject>,
    pub(crate) considered: Vec<ConsideredObject>,
    pub(crate) warnings: Vec<String>,
    pub(crate) spent: SpentObject,
    pub(crate) elapsed_us: u64,
}

/// Why a certificate is refused.
#[derive(Serialize)]
pub(crate) struct ReasonObject {
    pub(crate) code: &'static str,
    pub(crate) at: usize,
    pub(crate) rfc: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// A piece of evidence that was given or fetched and did not count.
#[derive(Serialize)]
pub(crate) struct ConsideredObject {
    pub(crate) at: Option<usize>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) source: String,
    pub(crate) about: String,
    pub(crate) cause: &'static str,
    pub(crate) message: String,
}

impl From<&Considered> for ConsideredObject {
    fn from(piece: &Considered) -> Self {
        Self {
            at: piece.at,
            kind: piece.kind.map(Means::code),
            source: piece.source.to_string(),
            about: piece.about.clone(),
            cause: piece.why.cause().code(),
            message: piece.why.to_string(),
        }
    }
}

/// A certificate of the path.
#[derive(Serialize)]
pub(crate) struct Member {
    pub(crate) role: &'static str,
    #[serde(flatten)]
    pub(crate) facts: Facts,
    pub(crate) revocation: RevocationObject,
}

/// What a certificate says of itself.
#[derive(Serialize)]
pub(crate) struct Facts {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) serial: String,
    pub(crate) sha256: String,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
}

/// The status of a certificate, and what it rests on.
#[derive(Serialize)]
pub(crate) struct RevocationObject {
    pub(crate) status: &'static str,
    pub(crate) by: Option<&'static str>,
    pub(crate) source: Option<String>,
    pub(crate) from: Option<&'static str>,
    pub(crate) this_update: Option<String>,
    pub(crate) next_update: Option<String>,
    pub(crate) revoked_at: Option<String>,
    pub(crate) revocation_reason: Option<String>,
    pub(crate) invalid_since: Option<String>,
    pub(crate) cause: Option<&'static str>,
}

/// A source that was tried.
#[derive(Serialize)]
pub(crate) struct SourceObject {
    pub(crate) at: usize,
    pub(crate) kind: &'static str,
    pub(crate) url: String,
    pub(crate) from: Option<&'static str>,
    pub(crate) elapsed_us: u64,
    pub(crate) bytes: usize,
    pub(crate) cause: Option<&'static str>,
    pub(crate) detail: Option<String>,
}

impl From<&SourceTried> for SourceObject {
    fn from(tried: &SourceTried) -> Self {
        Self {
            at: tried.at,
            kind: tried.kind.code(),
            url: tried.url.to_string(),
            from: tried.from.map(Origin::code),
            elapsed_us: u64::try_from(tried.elapsed.as_micros()).unwrap_or(u64::MAX),
            bytes: tried.bytes,
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
            revocation_reason: revoked.map(|revoked| revoked.reason.to_string()),
            invalid_since: revoked.and_then(|revoked| revoked.invalid_since).map(time),
            cause: match status {
                Status::Unknown(cause) => Some(cause.code()),
                _ => None,
            },
        }
    }
}

/// A path that was tried and failed.
#[derive(Serialize)]
pub(crate) struct AttemptObject {
    pub(crate) path: Vec<String>,
    pub(crate) code: &'static str,
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// What a check spent.
#[derive(Default, Serialize)]
pub(crate) struct SpentObject {
    pub(crate) signatures: u32,
    pub(crate) steps: u32,
    pub(crate) paths: u32,
    pub(crate) name_comparisons: u32,
    pub(crate) name_bytes: u32,
    pub(crate) policy_nodes: u32,
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

/// SHA-256 of the certificate, in lower-case hexadecimal.
pub(crate) fn fingerprint(certificate: &Certificate<'_>) -> String {
    hex::bytes(&sha256(certificate.der()))
}

impl From<&Rejection> for ReasonObject {
    fn from(rejection: &Rejection) -> Self {
        let reason = &rejection.reason;
        Self {
            code: reason.code(),
            at: rejection.at,
            rfc: reason.rfc(),
            message: reason.to_string(),
            hint: hint::of(reason.remedy()).to_owned(),
        }
    }
}

impl ReasonObject {
    /// Why a report refuses, with what explains it and would help in this case.
    pub(crate) fn of(report: &Report<'_>, sources: &[SourceTried]) -> Option<Self> {
        let general = Self::from(report.reason.as_ref()?);
        Some(Self {
            message: report.message().unwrap_or_default(),
            hint: hint::for_report(report, sources),
            ..general
        })
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

impl Line {
    /// Accepted though something of its revocation is not known: why it is not.
    pub(crate) fn tolerated(&self) -> Option<&'static str> {
        let is_accepted = self.verdict == Verdict::Accept.code();
        self.path.iter().find_map(|member| member.revocation.cause).filter(|_| is_accepted)
    }

    /// Cuts every text to so many bytes: what is kept of many inputs must not be as large as hostile input.
    pub(crate) fn cut(&mut self, max: usize) {
        let Self { input, reason, policies, path, attempts, sources, considered, warnings, .. } = self;
        let of_reason = reason.iter_mut().flat_map(|reason| [&mut reason.message, &mut reason.hint]);
        let of_considered =
            considered.iter_mut().flat_map(|piece| [&mut piece.source, &mut piece.about, &mut piece.message]);
        let of_path = path.iter_mut().flat_map(|Member { facts, revocation, .. }| {
            let Facts { subject, issuer, serial, .. } = facts;
            [Some(subject), Some(issuer), Some(serial), revocation.source.as_mut()].into_iter().flatten()
        });
        let of_attempts =
            attempts.iter_mut().flat_map(|attempt| attempt.path.iter_mut().chain([&mut attempt.message]));
        let of_sources =
            sources.iter_mut().flat_map(|source| [&mut source.url].into_iter().chain(source.detail.as_mut()));
        let lists = policies.iter_mut().chain(warnings);
        let texts = of_reason
            .chain(of_path)
            .chain(of_attempts)
            .chain(of_sources)
            .chain(of_considered)
            .chain(lists)
            .chain([input]);
        for text in texts {
            if text.len() > max {
                let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
                text.truncate(end);
                text.shrink_to_fit();
            }
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
    request_bytes: Option<usize>,
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
        kind: kind_of(&need.request),
        url: need.request.url().to_string(),
        request_bytes: match &need.request {
            EvidenceRequest::Ocsp { request, .. } => Some(request.len()),
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

pub(crate) fn kind_of(ask: &EvidenceRequest) -> &'static str {
    match ask {
        EvidenceRequest::Crl { .. } => "crl",
        EvidenceRequest::Ocsp { .. } => "ocsp",
        _ => "issuers",
    }
}

/// What a report of an input says.
pub(crate) fn line(input: &Path, report: &Report<'_>, sources: &[SourceTried], elapsed: Duration) -> Line {
    let attempts = report.attempts.iter().map(|attempt| AttemptObject {
        path: attempt.path.iter().map(|certificate| certificate.subject().to_string()).collect(),
        code: attempt.rejection.reason.code(),
        at: attempt.rejection.at,
        message: attempt.rejection.reason.to_string(),
    });
    let spent = report.spent;
    Line {
        schema: 1,
        input: input.display().to_string(),
        verdict: report.verdict.code(),
        reason: ReasonObject::of(report, sources),
        valid_until: report.valid_until.map(|time| time.to_string()),
        policies: report.policies.iter().map(ToString::to_string).collect(),
        path: report.path.iter().map(|member| Member::new(member, sources)).collect(),
        attempts: attempts.collect(),
        sources: sources.iter().map(SourceObject::from).collect(),
        considered: report.considered.iter().map(ConsideredObject::from).collect(),
        warnings: report.warnings.iter().map(ToString::to_string).collect(),
        spent: SpentObject {
            signatures: spent.signatures,
            steps: spent.steps,
            paths: spent.paths,
            name_comparisons: spent.name_comparisons,
            name_bytes: spent.name_bytes,
            policy_nodes: spent.policy_nodes,
        },
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
    }
}

/// An input that could not be read has a line too, so that none is missing.
pub(crate) fn unreadable(input: &Path, message: &str) -> Line {
    Line {
        schema: 1,
        input: input.display().to_string(),
        verdict: "reject",
        reason: Some(ReasonObject {
            code: "no-certificate",
            at: 0,
            rfc: "RFC 5280 6.1.1",
            message: message.to_owned(),
            hint: "give a file with a certificate in PEM, DER or PKCS #7".to_owned(),
        }),
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
