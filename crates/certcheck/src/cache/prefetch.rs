//! `certcheck cache prefetch`: evidence is fetched before it is needed.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{anyhow, bail};
use certcheck_core::{Evidence, Policy, Purpose, Revocation, Time, Verdict};
use certcheck_fetch::{CheckReport, Origin};
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::CachePrefetch;
use crate::json::{self, CertificateObject, Document, ReasonObject, SourceObject};
use crate::text::{BAD, GOOD, QUIET, UNSURE, shown};
use crate::visible::Visible;
use crate::{hint, input, network, output, ring_files, setup};

/// A certificate whose evidence was fetched.
#[derive(Serialize)]
struct PrefetchObject {
    input: Option<String>,
    at: String,
    verdict: &'static str,
    reason: Option<ReasonObject>,
    certificate: Option<CertificateObject>,
    sources: Vec<SourceObject>,
}

impl Document for PrefetchObject {
    const TYPE: &'static str = "prefetch";
}

pub(super) fn run(arguments: &CachePrefetch) -> anyhow::Result<Exit> {
    if arguments.network.no_cache {
        bail!("--no-cache leaves no cache to fill; use it without");
    }
    let ring = ring_files::load(&arguments.ring, false)?;
    let now = setup::time(arguments.at);
    let within = arguments.network.timeout;
    let policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    let engine = network::engine(&arguments.network, true, ring, policy, Evidence::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let of_ring = runtime.block_on(engine.prefetch_ring(now, within));
    let mut reports: Vec<_> = of_ring.into_iter().map(|report| (None, report)).collect();
    for path in &arguments.inputs {
        let chain = input::certificates(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        reports.push((Some(path.as_path()), engine.check_blocking(&chain, now, within)));
    }
    engine.flush_blocking();
    let mut out = output::text();
    let mut worst = Exit::Accepted;
    for (input, report) in &reports {
        if arguments.json {
            json::print(&object(*input, now, report))?;
        } else {
            print(&mut out, report)?;
        }
        // Whether it is revoked is not the question here; whether that is known is.
        if report.verdict() == Verdict::Undetermined {
            worst = Exit::Undetermined;
        }
    }
    Ok(worst)
}

fn object(input: Option<&Path>, now: Time, report: &CheckReport) -> PrefetchObject {
    let details = report.details();
    let view = details.view();
    let sources = report.sources();
    PrefetchObject {
        input: input.map(|path| path.display().to_string()),
        at: now.to_string(),
        verdict: view.verdict.code(),
        reason: ReasonObject::of(&view, sources, hint::HINTS),
        certificate: view.path.first().map(|member| CertificateObject::of(&member.certificate)),
        sources: sources.iter().map(SourceObject::from).collect(),
    }
}

/// A certificate, whether its status is known now, and the sources that were tried for it.
fn print(out: &mut impl Write, report: &CheckReport) -> io::Result<()> {
    let details = report.details();
    let view = details.view();
    let subject = view.path.first().map(|member| member.certificate.subject().to_string());
    let subject = subject.unwrap_or_else(|| "a certificate that cannot be parsed".to_owned());
    let subject = Visible(&subject);
    match (&view.reason, view.verdict) {
        (_, Verdict::Accept) => writeln!(out, "{GOOD}ready{GOOD:#}    {subject}")?,
        (Some(rejection), verdict) => {
            let (style, word) =
                if verdict == Verdict::Undetermined { (UNSURE, "missing") } else { (BAD, "rejected") };
            let sentence = view.sentence().unwrap_or_default();
            let code = rejection.reason.code();
            writeln!(out, "{style}{word:<8}{style:#} {subject}  {code}: {}", Visible(&sentence))?;
        }
        (None, _) => writeln!(out, "{UNSURE}missing{UNSURE:#}  {subject}")?,
    }
    for tried in report.sources() {
        let (kind, url) = (tried.kind.code(), shown(&tried.url));
        match (&tried.failure, tried.from) {
            (Some((cause, detail)), _) => {
                writeln!(out, "  {BAD}failed{BAD:#}  {kind} {url}  {}: {}", cause.code(), Visible(detail))?;
            }
            (None, from) => {
                let from = from.map_or("nowhere", Origin::code);
                writeln!(out, "  {kind} {url}  {QUIET}{} bytes from {from}{QUIET:#}", tried.bytes)?;
            }
        }
    }
    Ok(())
}
