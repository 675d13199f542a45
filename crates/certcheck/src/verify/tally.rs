//! How many inputs had which result.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use certcheck_core::Verdict;
use certcheck_core::status::Cause;
use serde::Serialize;

use crate::exit::Exit;
use crate::json;
use crate::text::{BAD, GOOD, QUIET, UNSURE};

/// Verdicts by reason.
#[derive(Debug, Default)]
pub(super) struct Tally {
    inputs: u64,
    unreadable: u64,
    accepted: u64,
    tolerated: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<&'static str, u64>,
    undetermined: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct TallyObject<'t> {
    inputs: u64,
    accepted: u64,
    /// How many of the accepted have an unknown revocation status, by cause.
    tolerated: &'t BTreeMap<&'static str, u64>,
    rejected: &'t BTreeMap<&'static str, u64>,
    undetermined: &'t BTreeMap<&'static str, u64>,
    unreadable: u64,
    elapsed_us: u64,
}

impl json::Document for TallyObject<'_> {
    const TYPE: &'static str = "summary";
}

impl Tally {
    /// Counts one input.
    pub(super) fn add(&mut self, exit: Exit, verdict: Verdict, code: &'static str, tolerated: Option<Cause>) {
        self.inputs += 1;
        if let Some(cause) = tolerated {
            *self.tolerated.entry(cause.code()).or_default() += 1;
        }
        match (exit, verdict) {
            (Exit::Unusable, _) => self.unreadable += 1,
            (_, Verdict::Accept) => self.accepted += 1,
            (_, Verdict::Undetermined) => *self.undetermined.entry(code).or_default() += 1,
            _ => *self.rejected.entry(code).or_default() += 1,
        }
    }

    /// How many inputs there were.
    pub(super) const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// For people.
    pub(super) fn print(&self, out: &mut impl Write, elapsed: Duration) -> io::Result<()> {
        let (seconds, inputs) = (elapsed.as_secs_f64(), self.inputs);
        let rate = inputs as f64 / seconds.max(1e-6);
        writeln!(out, "{inputs} inputs  {QUIET}in {seconds:.2} s, {rate:.0} a second{QUIET:#}")?;
        if self.accepted > 0 {
            writeln!(out, "{:>9} {GOOD}accepted{GOOD:#}", self.accepted)?;
        }
        for (code, count) in &self.tolerated {
            writeln!(
                out,
                "{count:>9} {UNSURE}of these with unknown status{UNSURE:#}, tolerated by policy: {code}"
            )?;
        }
        for (code, count) in &self.rejected {
            writeln!(out, "{count:>9} {BAD}rejected{BAD:#}: {code}")?;
        }
        for (code, count) in &self.undetermined {
            writeln!(out, "{count:>9} {UNSURE}undetermined{UNSURE:#}: {code}")?;
        }
        if self.unreadable > 0 {
            writeln!(out, "{:>9} {BAD}unreadable{BAD:#}", self.unreadable)?;
        }
        Ok(())
    }

    /// For programs, as one line.
    pub(super) fn write_json(&self, out: &mut impl Write, elapsed: Duration) -> io::Result<()> {
        json::write(
            out,
            &TallyObject {
                inputs: self.inputs,
                accepted: self.accepted,
                tolerated: &self.tolerated,
                rejected: &self.rejected,
                undetermined: &self.undetermined,
                unreadable: self.unreadable,
                elapsed_us: json::microseconds(elapsed),
            },
        )
    }
}
