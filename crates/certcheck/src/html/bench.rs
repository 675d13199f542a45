//! The page of `certcheck bench`: the time that each source takes, part by part, and the time of a decision.

use certcheck_core::Time;
use maud::{Markup, html};

use super::page::{self, Script, section};
use super::svg::{Icon, columns, icon, meter};
use super::words::{self, Shown, counted, instant, took};
use crate::bench::{DecisionFigures, Figures, HandshakeFigures, PARTS, Parts, SourceFigures, Summary};

/// The whole page.
pub(crate) fn page(figures: &Figures, now: Time) -> Markup {
    let title = format!("Time that revocation takes: {}", words::plain(&figures.input, 80));
    let decisions: Vec<_> = figures.decisions.iter().map(Row::from).collect();
    let handshakes: Vec<_> = figures.handshakes.iter().map(Row::from).collect();
    page::page(
        &title,
        now,
        Script::None,
        &html! {
            section class="card verdict plain" {
                h1.outcome { "Time that revocation takes" }
                p.input { code { (Shown(&figures.input)) } }
                p.lead { (lead(&figures.decisions)) }
                dl.facts {
                    dt { "Measured" }
                    dd {
                        (instant(&figures.at)) ", " (counted(figures.rounds, "round")) ", "
                        (figures.concurrency) " at a time"
                    }
                }
            }
            (section(2, "Decisions, by where the evidence comes from", &table(&decisions)))
            @if !handshakes.is_empty() {
                (section(2, "Handshakes over loopback, with the work of the client", &table(&handshakes)))
            }
            h2.group { "Sources" }
            @for source in &figures.sources { (self::source(source)) }
        },
    )
}

/// The two figures that matter most.
fn lead(decisions: &[DecisionFigures]) -> Markup {
    let median = |from: &str| {
        let found = decisions.iter().find(|decision| decision.from == from)?;
        Some(took(found.elapsed?.p50_us))
    };
    html! {
        @if let (Some(network), Some(known)) = (median("network"), median("known")) {
            "A decision takes " strong { (network) } " if all evidence has to be fetched, and " strong { (known) }
            " for a known client (medians)."
        } @else {
            "No decision was measured."
        }
    }
}

/// A kind of decision or handshake.
struct Row<'f> {
    name: &'f str,
    about: &'f str,
    /// The result, if it is a refusal.
    code: Option<&'f str>,
    elapsed: Option<Summary>,
    histogram: &'f [usize],
}

impl<'f> From<&'f DecisionFigures> for Row<'f> {
    fn from(figures: &'f DecisionFigures) -> Self {
        let DecisionFigures { from, about, code, elapsed, histogram, .. } = figures;
        let code = (*code != "accept").then_some(*code);
        Self { name: from, about, code, elapsed: *elapsed, histogram }
    }
}

impl<'f> From<&'f HandshakeFigures> for Row<'f> {
    fn from(figures: &'f HandshakeFigures) -> Self {
        let HandshakeFigures { kind, about, elapsed, histogram } = figures;
        Self { name: kind, about, code: None, elapsed: *elapsed, histogram }
    }
}

fn table(rows: &[Row<'_>]) -> Markup {
    html! {
        ol.rows {
            @for Row { name, about, code, elapsed, histogram } in rows {
                li.bad[code.is_some()] {
                    div.head {
                        strong { (title_of(name)) }
                        @if let Some(code) = code { span.tone { (words::code(code)) } }
                        @if let Some(summary) = elapsed { strong { (took(summary.p50_us)) } }
                    }
                    p.quiet.small { (about) }
                    @if let Some(summary) = elapsed { (distribution(*summary, histogram)) }
                }
            }
        }
    }
}

/// Percentiles in words, and the histogram above them.
fn distribution(summary: Summary, histogram: &[usize]) -> Markup {
    let title = format!(
        "{} times from {} to {}; half are at most {}",
        summary.count,
        took(summary.min_us),
        took(summary.max_us),
        took(summary.p50_us)
    );
    html! {
        @if summary.count > 1 {
            (columns(&title, histogram))
            div.ends { span { (took(summary.min_us)) } span { (took(summary.max_us)) } }
        }
        p.quiet.small {
            "p50 " (took(summary.p50_us))
            @if let Some(p90) = summary.p90_us { " · p90 " (took(p90)) }
            @if let Some(p99) = summary.p99_us { " · p99 " (took(p99)) }
            " · longest " (took(summary.max_us)) " · " (counted(summary.count, "time"))
        }
    }
}

fn source(source: &SourceFigures) -> Markup {
    let title = html! {
        div.head { span.chip { (kind(source.kind)) } span.chip { (source.method) } }
        p { code { (Shown(&source.url)) } }
        p.quiet.small { "named by " (Shown(&source.subject)) }
    };
    html! {
        section.card {
            (title)
            @if source.failures > 0 {
                p.bad { span.tone {
                    (icon(Icon::Cross)) " " (source.failures) " failed: " @if let Some(cause) = source.cause { (words::code(cause)) }
                    @if let Some(message) = &source.message { ": " (Shown(message)) }
                } }
            }
            @if let Some(bytes) = source.bytes {
                p.quiet.small {
                    (counted(i64::try_from(bytes).unwrap_or(i64::MAX), "byte"))
                    @if source.requests > 1 { ", " (source.requests) " requests for one answer" }
                    @if let Some(other) = source.other_method() { ", answered to " (other) }
                    @if source.reconnects > 0 { "; " (source.reconnects) " requests over a kept connection had to connect again, and are left out" }
                }
                (parts("Over a new connection", &source.cold))
                (parts("Over a kept connection", &source.warm))
                (parts_of("Work on the answer", &[("parsing", source.parse), ("verification", source.verify)], None))
            }
        }
    }
}

/// The title of a kind of decision or handshake.
fn title_of(name: &str) -> String {
    match name {
        "network" => "From the network".to_owned(),
        "disk" => "From the disk cache".to_owned(),
        "memory" => "From memory".to_owned(),
        "known" => "Known client".to_owned(),
        "none" => "No client certificate".to_owned(),
        other => words::in_words(other),
    }
}

/// A kind of evidence, in words.
fn kind(kind: &'static str) -> &'static str {
    match kind {
        "crl" => "CRL",
        "delta" => "delta CRL",
        "ocsp" => "OCSP",
        other => other,
    }
}

fn parts(title: &str, parts: &Parts) -> Markup {
    let all: Vec<_> = PARTS.into_iter().zip(parts.all()).collect();
    let whole = parts.whole.map(|whole| (whole, &parts.histogram[..]));
    parts_of(title, &all, whole)
}

/// The medians of the parts as bars, in proportion to the longest.
fn parts_of(title: &str, parts: &[(&str, Option<Summary>)], whole: Option<(Summary, &[usize])>) -> Markup {
    let medians = parts.iter().filter_map(|(_, summary)| Some(summary.as_ref()?.p50_us));
    let longest = medians.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    html! {
        h3.part { (title) }
        ul.parts {
            @for (name, summary) in parts.iter().filter_map(|(name, summary)| Some((name, summary.as_ref()?))) {
                li {
                    div.head { span { (words::in_words(name)) } span.mono { (took(summary.p50_us)) } }
                    (meter(summary.p50_us / longest, ""))
                }
            }
        }
        @if let Some((whole, histogram)) = whole { (distribution(whole, histogram)) }
    }
}
