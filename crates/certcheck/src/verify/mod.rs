//! `certcheck verify`: one input or a hundred thousand.

mod bundle;
mod inputs;
mod tally;

use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{anyhow, bail};
use certcheck_core::reason::Reason;
use certcheck_core::status::Cause;
use certcheck_core::{Time, Verdict};
use certcheck_fetch::{Engine, measure};
use pki_types::CertificateDer;

use crate::exit::Exit;
use crate::findings::{Finding, Findings};
use crate::flags::{FormatFlag, VerifyArguments};
use crate::html::verify::Page;
use crate::json::Line;
use crate::progress::Progress;
use crate::{evidence, hint, input, json, network, output, pool, ring_files, setup, text, visible};
use inputs::{Input, Inputs};
use tally::Tally;

/// More inputs than people count: from here on a summary is printed.
const A_SCREEN: u64 = 20;

/// The result of one input.
struct Reported {
    /// For standard output.
    out: Vec<u8>,
    /// For the page, and for a document of results.
    line: Option<Box<Line>>,
    /// For standard error.
    warnings: Vec<String>,
    /// For standard error, even where it is to be quiet.
    errors: Vec<String>,
    exit: Exit,
    verdict: Verdict,
    code: &'static str,
    /// Accepted, and why nothing is known of its revocation, or of a CA's.
    tolerated: Option<Cause>,
}

pub(crate) fn run(arguments: VerifyArguments) -> anyhow::Result<Exit> {
    let ring = ring_files::load(&arguments.ring, arguments.ring_skip_unreadable)?;
    ring_files::warn_of_skipped(&ring)?;
    let policy = setup::policy(&arguments);
    let now = setup::time(arguments.at);
    let format = arguments.output;
    if format.is_document() && (arguments.summary || arguments.dry_run) {
        bail!("--summary and --dry-run have no results for --format sarif or junit: use text or json");
    }
    let mut page = arguments
        .report
        .as_deref()
        .map(|path| Page::create(path, now, setup::asked(&arguments)))
        .transpose()?;
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        let mut found = input::certificates(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        untrusted.append(&mut found);
    }
    let evidence = evidence::load(&arguments.crl, &arguments.ocsp)?;
    for fault in evidence.faults() {
        visible::warn(format_args!("left out: {fault}"))?;
    }
    let inputs = Inputs::new(arguments.inputs.clone(), arguments.files0_from.as_deref(), arguments.each)?;
    let engine = network::engine(&arguments.network, true, ring, policy, evidence)?;
    let arguments = Arc::new(arguments);
    let question = Arc::new(Question { arguments: Arc::clone(&arguments), engine, untrusted, now });
    let begun = Instant::now();
    let mut progress = Progress::none();
    let mut tally = Tally::default();
    let mut worst = Exit::Accepted;
    let mut out =
        io::BufWriter::new(if format.format() == FormatFlag::Text { output::text() } else { output::data() });
    let mut findings = Findings::begin(format.format(), "verify", &mut out)?;
    let is_of_bundle = arguments.each;
    let take = |reported: Reported, has_next: bool| {
        worst = worst.max(reported.exit);
        tally.add(reported.exit, reported.verdict, reported.code, reported.tolerated);
        // There is another: it is not one input alone.
        if has_next && tally.inputs() == 1 {
            progress = Progress::new(None, "{spinner} {human_pos} checked, {rate}, {elapsed}");
        }
        progress.step();
        if let (Some(findings), Some(line)) = (&mut findings, &reported.line) {
            findings.add(&mut out, &Finding::of_line(line, is_of_bundle))?;
        }
        if let (Some(page), Some(line)) = (&mut page, reported.line) {
            page.add(*line);
        }
        visible::between_bars(|| {
            out.write_all(&reported.out)?;
            // This one is seen while the next is waited for, and remarks come in the order in which they were made.
            let has_remarks = !reported.warnings.is_empty() || !reported.errors.is_empty();
            if has_next && !has_remarks { Ok(()) } else { out.flush() }
        })?;
        reported.warnings.iter().try_for_each(visible::warn)?;
        reported.errors.iter().try_for_each(visible::remark)?;
        Ok(())
    };
    let ask = {
        let question = Arc::clone(&question);
        move |input| question.ask(input)
    };
    pool::in_order(inputs, threads(&arguments), ask, take)?;
    progress.clear();
    let elapsed = begun.elapsed();
    if let Some(findings) = findings {
        findings.finish(&mut out, worst, elapsed)?;
    }
    match (arguments.summary, format.is_json()) {
        (true, true) => tally.write_json(&mut out, elapsed)?,
        (true, false) => tally.print(&mut out, elapsed)?,
        // Where nothing was asked there is nothing to count.
        (false, _) if tally.inputs() > A_SCREEN && !arguments.dry_run => {
            out.flush()?;
            let mut text = Vec::new();
            tally.print(&mut text, elapsed)?;
            visible::write_text(&text)?;
        }
        (false, _) => {}
    }
    out.flush()?;
    if let Some(page) = page {
        page.finish()?;
    }
    if tally.inputs() == 0 {
        bail!("no input: the list of files is empty");
    }
    question.engine.flush_blocking();
    Ok(worst)
}

/// How many inputs are asked about at once. A check that waits for the network leaves its core to others.
fn threads(arguments: &VerifyArguments) -> usize {
    const A_CORE: usize = 2;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    arguments.jobs.map_or(cores * A_CORE, usize::from)
}

/// What every input is asked with.
struct Question {
    arguments: Arc<VerifyArguments>,
    engine: Engine,
    untrusted: Vec<CertificateDer<'static>>,
    now: Time,
}

impl Question {
    /// Whether the line is needed after it is written: for a page, or for a document of results.
    fn keeps_line(&self) -> bool {
        self.arguments.report.is_some() || self.arguments.output.is_document()
    }

    fn ask(&self, input: Input) -> Reported {
        let (name, chain) = input.chain();
        match chain {
            Ok(mut chain) => {
                chain.extend(self.untrusted.iter().map(CertificateDer::clone));
                self.check(&name, &chain)
            }
            Err(message) => {
                let line = Line::unreadable(&name.display().to_string(), self.now, &message);
                let mut reported = Reported {
                    out: Vec::new(),
                    line: None,
                    warnings: Vec::new(),
                    errors: vec![format!("{}: {message}", name.display())],
                    exit: Exit::Unusable,
                    verdict: Verdict::Reject,
                    code: Reason::NoCertificate.code(),
                    tolerated: None,
                };
                if self.arguments.output.is_json() && !self.arguments.summary {
                    written(json::write(&mut reported.out, &line));
                }
                reported.line = self.keeps_line().then(|| Box::new(line));
                reported
            }
        }
    }

    fn check(&self, name: &Path, chain: &[CertificateDer<'_>]) -> Reported {
        let Self { arguments, engine, now, .. } = self;
        let now = *now;
        let begun = Instant::now();
        let (checked, plan) = if arguments.dry_run {
            let (checked, plan) = measure::plan(engine, chain, now);
            (checked, Some(plan))
        } else {
            let within = arguments.network.timeout;
            (engine.check_blocking(chain, now, within), None)
        };
        let elapsed = begun.elapsed();
        let mut reported = Reported {
            out: Vec::new(),
            line: None,
            warnings: Vec::new(),
            errors: Vec::new(),
            exit: checked.verdict().into(),
            verdict: checked.verdict(),
            code: checked.code(),
            tolerated: checked.tolerated(),
        };
        let (is_json, keeps_line) = (arguments.output.is_json(), self.keeps_line());
        if arguments.summary && checked.is_accepted() && plan.is_none() && !keeps_line {
            return reported;
        }
        let details = checked.details();
        let report = details.view();
        let out = &mut reported.out;
        if let Some(plan) = plan {
            reported.exit = json::plan_exit(&report);
            written(if is_json {
                json::write_plan(out, name, &report, &plan)
            } else {
                text::print_plan(out, name, &report, &plan)
            });
            return reported;
        }
        let sources = checked.sources();
        let is_shown = !arguments.summary;
        let line = ((is_shown && is_json) || keeps_line)
            .then(|| Line::new(&name.display().to_string(), now, &report, sources, elapsed, hint::HINTS));
        if is_shown {
            written(match &line {
                Some(line) if is_json => json::write(out, line),
                _ if arguments.output.is_document() => Ok(()),
                _ => text::print_report(out, name, &report, sources, elapsed, arguments.explain),
            });
            let remark = |warning| format!("{}: {warning}", name.display());
            reported.warnings.extend(report.warnings.iter().map(remark));
        }
        reported.line = line.filter(|_| keeps_line).map(Box::new);
        if let Some(rejection) = report.reason.as_ref().filter(|_| json::is_unreadable(&report)) {
            reported.errors.push(format!("{}: {}", name.display(), rejection.reason));
            reported.exit = Exit::Unusable;
        }
        reported
    }
}

/// Nothing can fail that is written to memory.
fn written(outcome: io::Result<()>) {
    debug_assert!(outcome.is_ok(), "{outcome:?}");
}
