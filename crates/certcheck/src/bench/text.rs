//! The figures as tables.

use std::io::{self, Write};

use super::Figures;
use super::source::{PARTS, Parts, SourceFigures};
use super::stats::{Summary, bars, shown};
use crate::text::{BAD, GOOD, QUIET, UNSURE, shown as shown_url};
use crate::visible::Visible;

pub(super) fn print(figures: &Figures) -> io::Result<()> {
    let mut out = crate::output::text();
    let Figures { input, rounds, concurrency, .. } = figures;
    let input = Visible(input);
    writeln!(out, "{input}  {QUIET}{rounds} rounds, {concurrency} at once{QUIET:#}")?;
    for source in &figures.sources {
        print_source(&mut out, source)?;
    }
    heading(&mut out, "decision")?;
    for decision in &figures.decisions {
        row(&mut out, decision.from, decision.elapsed)?;
        let style = if decision.code == "accept" { GOOD } else { BAD };
        bar(&mut out, &decision.histogram, decision.elapsed)?;
        let count = decision.elapsed.map_or(0, |took| took.count);
        writeln!(out, "    {style}{}{style:#} x {count}  {QUIET}{}{QUIET:#}", decision.code, decision.about)?;
    }
    if !figures.handshakes.is_empty() {
        heading(&mut out, "handshake")?;
    }
    for handshake in &figures.handshakes {
        row(&mut out, handshake.kind, handshake.elapsed)?;
        bar(&mut out, &handshake.histogram, handshake.elapsed)?;
        writeln!(out, "    {QUIET}{}{QUIET:#}", handshake.about)?;
    }
    Ok(())
}

fn print_source(out: &mut impl Write, source: &SourceFigures) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "{} {} {}", source.kind, source.method, shown_url(&source.url))?;
    writeln!(out, "  {QUIET}of {}{QUIET:#}", source.subject)?;
    if source.failures > 0 {
        let (cause, detail) =
            (source.cause.unwrap_or_default(), source.message.as_deref().unwrap_or_default());
        writeln!(out, "  {BAD}{} failed{BAD:#}: {cause}: {}", source.failures, Visible(detail))?;
    }
    let Some(bytes) = source.bytes else { return Ok(()) };
    if source.requests > 1 {
        writeln!(out, "  {QUIET}{} requests for one answer{QUIET:#}", source.requests)?;
    }
    if let Some(other) = source.other_method() {
        writeln!(out, "  {UNSURE}was sent with {other} instead{UNSURE:#}")?;
    }
    if source.reconnects > 0 {
        writeln!(
            out,
            "  {QUIET}{} warm rounds had to connect again, and are not counted{QUIET:#}",
            source.reconnects
        )?;
    }
    heading(out, &format!("{bytes} bytes"))?;
    for (temperature, parts) in [("cold", &source.cold), ("warm", &source.warm)] {
        print_parts(out, temperature, parts)?;
    }
    row(out, "index", source.parse)?;
    row(out, "verify", source.verify)
}

fn print_parts(out: &mut impl Write, temperature: &str, parts: &Parts) -> io::Result<()> {
    for (name, part) in PARTS.iter().zip(parts.all()) {
        // A part that never happens, such as connecting over an open connection, has no line.
        if part.is_some() {
            row(out, &format!("{temperature} {name}"), part)?;
        }
    }
    bar(out, &parts.histogram, parts.whole)
}

fn heading(out: &mut impl Write, what: &str) -> io::Result<()> {
    writeln!(out, "  {QUIET}{what:<18}{:>10}{:>10}{:>10}{:>10}{QUIET:#}", "p50", "p90", "p99", "max")
}

fn row(out: &mut impl Write, name: &str, summary: Option<Summary>) -> io::Result<()> {
    let Some(Summary { p50_us, p90_us, p99_us, max_us, .. }) = summary else { return Ok(()) };
    write!(out, "  {name:<18}")?;
    for figure in [Some(p50_us), p90_us, p99_us, Some(max_us)] {
        // Too few samples for this percentile.
        write!(out, "{:>10}", figure.map_or_else(|| "-".to_owned(), shown))?;
    }
    writeln!(out)
}

/// The histogram, between the least and the greatest.
fn bar(out: &mut impl Write, counts: &[usize], summary: Option<Summary>) -> io::Result<()> {
    let Some(Summary { min_us, max_us, count: 2.., .. }) = summary else { return Ok(()) };
    writeln!(out, "    {QUIET}{} {QUIET:#}{}{QUIET} {}{QUIET:#}", shown(min_us), bars(counts), shown(max_us))
}
