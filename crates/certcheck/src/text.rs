//! Text for people. Colours only on a terminal.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use certcheck_core::Verdict;
use certcheck_core::reason::Reason;
use certcheck_core::report::{Attempt, PathCertificate, Report};
use certcheck_core::revocation::{Considered, Need};
use certcheck_core::status::{Cause, Status};
use certcheck_fetch::SourceTried;

use crate::exit::Exit;
use crate::hint;
use crate::json;
use crate::visible::{self, Visible};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// The verdict, the path, and with `explain` how it was reached.
pub(crate) fn print_report(
    out: &mut impl Write,
    input: &Path,
    report: &Report<'_>,
    sources: &[SourceTried],
    elapsed: Duration,
    explain: bool,
) -> io::Result<()> {
    let (style, word) = match report.verdict {
        Verdict::Accept => (GOOD, "accepted"),
        Verdict::Reject => (BAD, "rejected"),
        Verdict::Undetermined => (UNSURE, "undetermined"),
    };
    let input = visible::path(input);
    match &report.reason {
        None => writeln!(out, "{style}{word}{style:#}: {input}")?,
        Some(rejection) => writeln!(out, "{style}{word}{style:#}: {input}: {}", rejection.reason.code())?,
    }
    let sentence = report.sentence().unwrap_or_default();
    let blamed = report.reason.as_ref().map(|rejection| (rejection.at, &rejection.reason));
    for (at, member) in report.path.iter().enumerate() {
        let reason = blamed.filter(|(place, _)| *place == at).map(|(_, reason)| reason);
        print_member(out, at, member, reason.map(|reason| (reason, &*sentence)))?;
    }
    if let Some((at, reason)) = blamed {
        if report.path.get(at).is_none() {
            writeln!(out, "  {BAD}{}{BAD:#}", Visible(&sentence))?;
        }
        let hint = hint::for_report(report, sources);
        writeln!(out, "  {QUIET}fix: {hint} ({}){QUIET:#}", reason.rfc())?;
    }
    if let Some(until) = report.valid_until {
        writeln!(out, "  {QUIET}good until {until}{QUIET:#}")?;
    }
    // If evidence is missing, the reader needs to know what was tried.
    let is_status_missing =
        matches!(report.reason.as_ref().map(|r| &r.reason), Some(Reason::RevocationUnknown(_)));
    let is_issuer_missing = matches!(report.reason.as_ref().map(|r| &r.reason), Some(Reason::UnknownIssuer));
    if explain || is_status_missing || is_issuer_missing {
        let is_shown = |tried: &&SourceTried| match &tried.failure {
            // The path says already that nothing was tried.
            Some((cause, _)) => explain || *cause != Cause::NotTried,
            None => explain,
        };
        for tried in sources.iter().filter(is_shown) {
            print_source(out, tried)?;
        }
        if explain || is_status_missing {
            print_considered(out, report, sources, explain)?;
        }
    }
    if explain {
        print_explanation(out, report, elapsed)?;
    }
    Ok(())
}

fn print_member(
    out: &mut impl Write,
    at: usize,
    member: &PathCertificate<'_>,
    reason: Option<(&Reason, &str)>,
) -> io::Result<()> {
    let certificate = &member.certificate;
    let subject = certificate.subject();
    let subject = if subject.is_empty() { format!("#{}", certificate.serial()) } else { subject.to_string() };
    write!(out, "  {at} {:<12} {subject}", member.role.code())?;
    match (reason, member.in_ring, &member.revocation) {
        (Some((Reason::UnknownIssuer, sentence)), _, _) => {
            write!(out, "  {BAD}{}: {}{BAD:#}", Visible(sentence), certificate.issuer())?;
        }
        (Some((_, sentence)), _, _) => write!(out, "  {BAD}{}{BAD:#}", Visible(sentence))?,
        (None, _, Status::Unknown(Cause::NotTried)) => {
            write!(out, "  {QUIET}revocation status not checked{QUIET:#}")?;
        }
        (None, _, Status::Unknown(cause)) => {
            write!(out, "  {QUIET}{}{QUIET:#}", cause.sentence())?;
        }
        (None, _, Status::Good(proof)) => {
            write!(
                out,
                "  {QUIET}not revoked, according to {} of {}{QUIET:#}",
                shown(&proof.source),
                proof.this_update
            )?;
        }
        (None, _, Status::NoRevAvail) => {
            write!(out, "  {QUIET}no revocation information exists for it (noRevAvail){QUIET:#}")?;
        }
        (None, Some(entry), _) => write!(out, "  {QUIET}{}{QUIET:#}", Visible(entry.source()))?,
        (None, None, _) => {}
    }
    writeln!(out)
}

/// A URL of a certificate, with everything escaped that could control a terminal.
pub(crate) fn shown(url: &str) -> String {
    let escape = |sign: char| {
        if sign.is_ascii_graphic() { sign.to_string() } else { sign.escape_default().to_string() }
    };
    url.chars().map(escape).collect()
}

fn print_source(out: &mut impl Write, tried: &SourceTried) -> io::Result<()> {
    let SourceTried { at, kind, url, bytes, elapsed, .. } = tried;
    let took = format!("{:.1} ms", elapsed.as_secs_f64() * 1e3);
    write!(out, "  {QUIET}tried for {at}: {} {}: ", kind.code(), shown(url))?;
    match (&tried.failure, tried.from) {
        (Some((cause, detail)), _) => write!(out, "{}: {}, after {took}", cause.code(), Visible(detail))?,
        (None, Some(from)) => write!(out, "{bytes} bytes from {} in {took}", from.code())?,
        (None, None) => write!(out, "{bytes} bytes in {took}")?,
    }
    writeln!(out, "{QUIET:#}")
}

/// The evidence that was not used, one line each: the first few, or all. Evidence from a failed source is shown with the
/// source.
fn print_considered(
    out: &mut impl Write,
    report: &Report<'_>,
    sources: &[SourceTried],
    explain: bool,
) -> io::Result<()> {
    const FEW: usize = 4;
    let is_shown = |piece: &&Considered| {
        sources.iter().any(|tried| *tried.url == *piece.source && tried.failure.is_some())
    };
    let mut pieces = report.considered.iter().filter(|piece| !is_shown(piece)).peekable();
    let max = if explain { usize::MAX } else { FEW };
    for piece in pieces.by_ref().take(max) {
        writeln!(out, "  {QUIET}not used: {}{QUIET:#}", Visible(&piece.to_string()))?;
    }
    if pieces.peek().is_some() {
        writeln!(out, "  {QUIET}and {} more; --explain lists them{QUIET:#}", pieces.count())?;
    }
    Ok(())
}

/// What would be fetched, and from where.
pub(crate) fn print_plan(
    out: &mut impl Write,
    input: &Path,
    report: &Report<'_>,
    plan: &[Need],
) -> io::Result<()> {
    let exit = json::plan_exit(report);
    match &report.reason {
        Some(rejection) if exit != Exit::Accepted => {
            writeln!(out, "{BAD}rejected{BAD:#}: {}: {}", visible::path(input), rejection.reason.code())?;
        }
        _ => writeln!(out, "{UNSURE}would fetch{UNSURE:#}: {}", visible::path(input))?,
    }
    for need in plan {
        let subject = report.path.get(need.at).map(|member| member.certificate.subject().to_string());
        let kind = json::kind_of(&need.request);
        writeln!(
            out,
            "  {} {kind:<7} {}  {QUIET}{}{QUIET:#}",
            need.at,
            shown(need.request.url()),
            subject.unwrap_or_default()
        )?;
    }
    Ok(())
}

fn print_explanation(out: &mut impl Write, report: &Report<'_>, elapsed: Duration) -> io::Result<()> {
    if !report.policies.is_empty() {
        let policies: Vec<_> = report.policies.iter().map(ToString::to_string).collect();
        writeln!(out, "  policies: {}", policies.join(" "))?;
    }
    for (member, at) in report.path.iter().zip(0..) {
        let certificate = &member.certificate;
        let (from, until) = (certificate.not_before(), certificate.not_after());
        writeln!(out, "  {at}: serial {}, valid {from} to {until}", certificate.serial())?;
        writeln!(out, "     sha256 {}", json::fingerprint(certificate))?;
    }
    for Attempt { path, rejection, .. } in &report.attempts {
        let names: Vec<_> = path.iter().map(|certificate| certificate.subject().to_string()).collect();
        let reason = &rejection.reason;
        writeln!(out, "  tried path: {}", names.join(" <- "))?;
        writeln!(out, "     {} at {}: {reason} ({})", reason.code(), rejection.at, reason.rfc())?;
    }
    let spent = report.spent;
    writeln!(
        out,
        "  work: signatures {}, steps {}, paths {}, name comparisons {}, policy nodes {}, {} us",
        spent.signatures,
        spent.steps,
        spent.paths,
        spent.name_comparisons,
        spent.policy_nodes,
        elapsed.as_micros()
    )
}
