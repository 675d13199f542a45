//! `certcheck verify`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use certcheck_core::reason::Reason;
use certcheck_core::{Check, KeyRing, Policy, Time, VerifiedIssuers};
use pki_types::CertificateDer;

use crate::exit::Exit;
use crate::flags::VerifyArguments;
use crate::{input, json, setup, text};

pub(crate) fn run(arguments: &VerifyArguments) -> Result<Exit, Box<dyn Error>> {
    let ring = KeyRing::from_paths(&arguments.ring)?;
    let policy = setup::policy(arguments);
    let now = setup::time(arguments.at);
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        let mut found = input::certificates(path).map_err(|error| format!("{}: {error}", path.display()))?;
        untrusted.append(&mut found);
    }
    let issuers = VerifiedIssuers::new();
    let mut worst = Exit::Accepted;
    for path in &arguments.inputs {
        let exit = match input::certificates(path) {
            Ok(mut chain) => {
                chain.extend(untrusted.iter().map(CertificateDer::clone));
                verify_one(arguments, path, &chain, &ring, &policy, now, &issuers)?
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

fn verify_one(
    arguments: &VerifyArguments,
    path: &Path,
    chain: &[CertificateDer<'_>],
    ring: &KeyRing,
    policy: &Policy,
    now: Time,
    issuers: &VerifiedIssuers,
) -> Result<Exit, Box<dyn Error>> {
    let begun = Instant::now();
    let report = Check::new(chain, ring, policy, now).with_verified_issuers(issuers).run();
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
