//! What was found, for people: a section each for sources, certificates of the ring, and samples, the worst first.

use std::cmp::Reverse;
use std::io::{self, Write};

use anstyle::Style;

use super::{Found, Health};
use crate::numbers::counted;
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
    sources(&mut out, found)?;
    certificates(&mut out, found)?;
    samples(&mut out, found)?;
    out.flush()
}

fn sources(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let count = |state| found.sources.iter().filter(|source| source.state == state).count();
    writeln!(
        out,
        "{}: {} good, {} end soon, {} bad, at {}",
        counted(found.sources.len(), "source"),
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
        let others = match source.named_by.saturating_sub(1) {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        writeln!(out, "  {QUIET}for {}{others}{QUIET:#}", source.certificate.subject)?;
    }
    Ok(())
}

/// All are counted; the good ones are not listed.
fn certificates(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let good = found.certificates.iter().filter(|one| one.state == Health::Good).count();
    writeln!(out, "\n{} in the ring: {good} good", counted(found.certificates.len(), "certificate"))?;
    for one in found.certificates.iter().filter(|one| one.state != Health::Good) {
        let style = style(one.state);
        let message = Visible(&one.message);
        writeln!(
            out,
            "{style}{:<12}{style:#}  {} {}  {message}",
            one.code, one.role, one.certificate.subject
        )?;
        writeln!(out, "  {QUIET}{}, until {}{QUIET:#}", Visible(&one.source), one.certificate.not_after)?;
    }
    Ok(())
}

fn samples(out: &mut impl Write, found: &Found) -> io::Result<()> {
    if found.samples.is_empty() {
        return Ok(());
    }
    let watched = found.samples.iter().filter(|one| one.is_watched).count();
    writeln!(out, "\n{}: sources of {watched} watched", counted(found.samples.len(), "sample"))?;
    for one in &found.samples {
        let style = style(one.state);
        let (input, message) = (Visible(&one.input), Visible(&one.message));
        writeln!(out, "{style}{:<12}{style:#}  {input}  {message}", one.code)?;
        if let Some(certificate) = &one.certificate {
            writeln!(out, "  {QUIET}{}{QUIET:#}", certificate.subject)?;
        }
    }
    Ok(())
}
