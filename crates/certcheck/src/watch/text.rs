//! What was found, for people: what is wrong first.

use std::cmp::Reverse;
use std::io::{self, Write as _};

use anstyle::Style;

use super::{Found, Health};
use crate::text::{BAD, GOOD, QUIET, UNSURE, shown};
use crate::visible::Visible;

const fn style(state: Health) -> Style {
    match state {
        Health::Good => GOOD,
        Health::Nothing | Health::Soon => UNSURE,
        Health::Bad => BAD,
    }
}

pub(super) fn print(found: &Found) -> io::Result<()> {
    let mut out = crate::output::text();
    let count = |state| found.sources.iter().filter(|source| source.state == state).count();
    writeln!(
        out,
        "{} sources: {} good, {} end soon, {} bad, at {}",
        found.sources.len(),
        count(Health::Good),
        count(Health::Soon),
        count(Health::Bad),
        found.at,
    )?;
    let mut sources: Vec<_> = found.sources.iter().collect();
    sources.sort_by_key(|source| Reverse(source.state));
    for source in sources {
        let style = style(source.state);
        let took = source.elapsed_us as f64 / 1e3;
        writeln!(
            out,
            "{style}{:<12}{style:#}  {:<5} {}  {}  {QUIET}{took:.1} ms{QUIET:#}",
            source.code,
            source.kind,
            shown(&source.url),
            Visible(&source.message),
        )?;
        let others = match source.subjects.saturating_sub(1) {
            0 => String::new(),
            others => format!(", and {others} more"),
        };
        writeln!(out, "  {QUIET}of {}{others}{QUIET:#}", source.subject)?;
    }
    for one in found.certificates.iter().filter(|one| one.state != Health::Good) {
        let style = style(one.state);
        writeln!(out, "{style}{:<12}{style:#}  {} {}  {}", one.code, one.role, one.subject, one.message)?;
        writeln!(out, "  {QUIET}{}, until {}{QUIET:#}", Visible(&one.source), one.not_after)?;
    }
    for one in found.inputs.iter().filter(|one| one.state != Health::Good) {
        let style = style(one.state);
        writeln!(
            out,
            "{style}{:<12}{style:#}  {}  {}",
            one.code,
            Visible(&one.input),
            Visible(&one.message)
        )?;
    }
    Ok(())
}
