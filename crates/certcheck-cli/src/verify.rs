//! `certcheck verify`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use certcheck_core::reason::Reason;
use certcheck_core::{KeyRing, Time};
use certcheck_fetch::Engine;
use pki_types::CertificateDer;

use crate::exit::Exit;
use crate::flags::VerifyArguments;
use crate::html::verify::Page;
use crate::{evidence, input, json, network, setup, text};

pub(crate) fn run(arguments: &VerifyArguments) -> Result<Exit, Box<dyn Error>> {
    let now = setup::time(arguments.at);
    let mut page = arguments.report.as_deref().map(|path| Page::create(path, now)).transpose()?;
    let ring = KeyRing::from_paths(&arguments.ring)?;
    let policy = setup::policy(arguments);
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        let mut found = input::certificates(path).map_err(|error| format!("{}: {error}", path.display()))?;
        untrusted.append(&mut found);
    }
    let evidence = evidence::load(&arguments.crl, &arguments.ocsp)?;
    for fault in evidence.faults() {
        writeln!(std::io::stderr(), "certcheck: warning: left out: {fault}")?;
    }
    let engine = network::engine(&arguments.network, true, ring, policy, evidence)?;
    let question = Question { arguments, engine: &engine, now };
    let mut worst = Exit::Accepted;
    for path in &arguments.inputs {
        let exit = match input::certificates(path) {
            Ok(mut chain) => {
                chain.extend(untrusted.iter().map(CertificateDer::clone));
                question.ask(path, &chain, page.as_mut())?
            }
            Err(error) => {
                writeln!(std::io::stderr(), "certcheck: {}: {error}", path.display())?;
                let line = json::unreadable(path, &error.to_string());
                if arguments.json {
                    json::print(&line)?;
                }
                if let Some(page) = &mut page {
                    page.add(line);
                }
                Exit::Unusable
            }
        };
        worst = worst.max(exit);
    }
    engine.flush_blocking();
    if let Some(page) = page {
        page.finish()?;
    }
    Ok(worst)
}

/// What every input is asked with.
struct Question<'q> {
    arguments: &'q VerifyArguments,
    engine: &'q Engine,
    now: Time,
}

impl Question<'_> {
    fn ask(
        &self,
        path: &Path,
        chain: &[CertificateDer<'_>],
        page: Option<&mut Page>,
    ) -> Result<Exit, Box<dyn Error>> {
        let Self { arguments, engine, now } = *self;
        let begun = Instant::now();
        let (told, plan) = if arguments.dry_run {
            let (told, plan) = engine.plan(chain, now);
            (told, Some(plan))
        } else {
            let within = Duration::from_secs(arguments.network.timeout);
            (engine.check_blocking(chain, now, within), None)
        };
        let elapsed = begun.elapsed();
        let details = told.details();
        let report = details.view();
        if let Some(plan) = plan {
            return if arguments.json {
                json::print_plan(path, &report, &plan)
            } else {
                text::print_plan(path, &report, &plan)
            };
        }
        let line =
            (arguments.json || page.is_some()).then(|| json::line(path, &report, told.sources(), elapsed));
        if let (true, Some(line)) = (arguments.json, &line) {
            json::print(line)?;
        } else {
            text::print_report(path, &report, told.sources(), elapsed, arguments.explain)?;
        }
        if let (Some(page), Some(line)) = (page, line) {
            page.add(line);
        }
        for warning in &report.warnings {
            writeln!(std::io::stderr(), "certcheck: {}: warning: {warning}", path.display())?;
        }
        // The target itself does not read: that is about the input, not about trust.
        if let (true, Some(Reason::Malformed(fault))) =
            (report.path.is_empty(), report.reason.as_ref().map(|r| &r.reason))
        {
            writeln!(std::io::stderr(), "certcheck: {}: {fault}", path.display())?;
            return Ok(Exit::Unusable);
        }
        Ok(report.verdict.into())
    }
}
