//! `certcheck verify`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use certcheck_core::reason::Reason;
use certcheck_core::{Check, Evidence, KeyRing, Policy, Time, VerifiedIssuers};
use pki_types::CertificateDer;

use crate::exit::Exit;
use crate::flags::VerifyArguments;
use crate::{evidence, input, json, setup, text};

pub(crate) fn run(arguments: &VerifyArguments) -> Result<Exit, Box<dyn Error>> {
    let ring = KeyRing::from_paths(&arguments.ring)?;
    let policy = setup::policy(arguments);
    let now = setup::time(arguments.at);
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        let mut found = input::certificates(path).map_err(|error| format!("{}: {error}", path.display()))?;
        untrusted.append(&mut found);
    }
    let evidence = evidence::load(&arguments.crl, &arguments.ocsp)?;
    for fault in evidence.faults() {
        writeln!(std::io::stderr(), "certcheck: warning: left out: {fault}")?;
    }
    let issuers = VerifiedIssuers::new();
    let question =
        Question { arguments, ring: &ring, policy: &policy, now, issuers: &issuers, evidence: &evidence };
    let mut worst = Exit::Accepted;
    for path in &arguments.inputs {
        let exit = match input::certificates(path) {
            Ok(mut chain) => {
                chain.extend(untrusted.iter().map(CertificateDer::clone));
                question.ask(path, &chain)?
            }
            Err(error) => {
                writeln!(std::io::stderr(), "certcheck: {}: {error}", path.display())?;
                if arguments.json {
                    json::print_unreadable(path, &error.to_string())?;
                }
                Exit::Unusable
            }
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}

/// What every input is asked with.
struct Question<'q> {
    arguments: &'q VerifyArguments,
    ring: &'q KeyRing,
    policy: &'q Policy,
    now: Time,
    issuers: &'q VerifiedIssuers,
    evidence: &'q Evidence,
}

impl Question<'_> {
    fn ask(&self, path: &Path, chain: &[CertificateDer<'_>]) -> Result<Exit, Box<dyn Error>> {
        let Self { arguments, ring, policy, now, issuers, evidence } = *self;
        let begun = Instant::now();
        let report =
            Check::new(chain, ring, policy, now).with_verified_issuers(issuers).with_evidence(evidence).run();
        let elapsed = begun.elapsed();
        if arguments.json {
            json::print_report(path, &report, elapsed)?;
        } else {
            text::print_report(path, &report, elapsed, arguments.explain)?;
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
