//! The page of `certcheck bench`: what each source takes, part by part, and what a decision takes.

use certcheck_core::Time;
use maud::{Markup, html};

use super::page::{self, Script, section};
use super::svg::{Icon, columns, icon, meter};
use super::words::{Shown, counted, instant};
use crate::bench::{DecisionFigures, Figures, HandshakeFigures, PARTS, Parts, SourceFigures, Summary, shown};

/// The whole page.
pub(crate) fn page(figures: &Figures, now: Time) -> Markup {
    let title = format!("What revocation takes: {}", super::words::plain(&figures.input, 80));
    let decisions: Vec<_> = figures.decisions.iter().map(Row::from).collect();
    let handshakes: Vec<_> = figures.handshakes.iter().map(Row::from).collect();
    page::page(
        &title,
        now,
        Script::None,
        &html! {
            section class="card verdict plain" {
                h1.outcome { "What revocation takes" }
                p.input { code { (Shown(&figures.input)) } }
                p.lead { (lead(&figures.decisions)) }
                dl.facts {
                    dt { "measured" }
                    dd {
                        (instant(&figures.at)) ", " (counted(figures.rounds, "round")) ", "
                        (figures.concurrency) " at once"
                    }
                }
            }
            (section(2, "The decision, by where its evidence comes from", &table(&decisions)))
            @if !handshakes.is_empty() {
                (section(2, "Handshakes over loopback, the client's own work included", &table(&handshakes)))
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
        Some(shown(found.elapsed?.p50_us))
    };
    html! {
        @if let (Some(network), Some(known)) = (median("network"), median("known")) {
            "With nothing at hand the decision takes " strong { (network) } ", for a client that is known "
            strong { (known) } " (medians)."
        } @else {
            "No decision was measured."
        }
    }
}

/// A kind of decision or handshake.
struct Row<'f> {
    name: &'f str,
    about: &'f str,
    /// What it came to, where it was not what one wants.
    code: Option<&'f str>,
    took: Option<Summary>,
    histogram: &'f [usize],
}

impl<'f> From<&'f DecisionFigures> for Row<'f> {
    fn from(figures: &'f DecisionFigures) -> Self {
        let DecisionFigures { from, about, code, elapsed: took, histogram, .. } = figures;
        let code = (*code != "accept").then_some(*code);
        Self { name: from, about, code, took: *took, histogram }
    }
}

impl<'f> From<&'f HandshakeFigures> for Row<'f> {
    fn from(figures: &'f HandshakeFigures) -> Self {
        let HandshakeFigures { kind, about, elapsed: took, histogram } = figures;
        Self { name: kind, about, code: None, took: *took, histogram }
    }
}

fn table(rows: &[Row<'_>]) -> Markup {
    html! {
        ol.rows {
            @for Row { name, about, code, took, histogram } in rows {
                li.bad[code.is_some()] {
                    div.head {
                        strong { (name) }
                        @if let Some(code) = code { span.chip.tone { (code) } }
                        @if let Some(took) = took { strong { (shown(took.p50_us)) } }
                    }
                    p.quiet.small { (about) }
                    @if let Some(took) = took { (distribution(*took, histogram)) }
                }
            }
        }
    }
}

/// Percentiles in words, and the histogram above them.
fn distribution(took: Summary, histogram: &[usize]) -> Markup {
    let title = format!(
        "{} times from {} to {}; half are at most {}",
        took.count,
        shown(took.min_us),
        shown(took.max_us),
        shown(took.p50_us)
    );
    html! {
        @if took.count > 1 {
            (columns(&title, histogram))
            div.ends { span { (shown(took.min_us)) } span { (shown(took.max_us)) } }
        }
        p.quiet.small {
            "p50 " (shown(took.p50_us))
            @if let Some(p90) = took.p90_us { " · p90 " (shown(p90)) }
            @if let Some(p99) = took.p99_us { " · p99 " (shown(p99)) }
            " · max " (shown(took.max_us)) " · of " (took.count)
        }
    }
}

fn source(source: &SourceFigures) -> Markup {
    let title = html! {
        div.head { span.chip { (source.kind) } span.chip { (source.method) } }
        p { code { (Shown(&source.url)) } }
        p.quiet.small { "of " (Shown(&source.subject)) }
    };
    html! {
        section.card {
            (title)
            @if source.failures > 0 {
                p.bad { span.tone {
                    (icon(Icon::Cross)) " " (source.failures) " failed: " (source.cause.unwrap_or_default())
                    @if let Some(message) = &source.message { ": " (Shown(message)) }
                } }
            }
            @if let Some(bytes) = source.bytes {
                p.quiet.small {
                    (counted(i64::try_from(bytes).unwrap_or(i64::MAX), "byte"))
                    @if source.requests > 1 { ", " (source.requests) " requests for one answer" }
                    @if let Some(other) = source.other_method() { ", answered to " (other) }
                    @if source.reconnects > 0 { ", " (source.reconnects) " of those over one that stands had to connect, and are left out" }
                }
                (parts("Over a new connection", &source.cold))
                (parts("Over one that stands", &source.warm))
                (parts_of("Of the answer", &[("index", source.parse), ("verify", source.verify)], None))
            }
        }
    }
}

fn parts(title: &str, parts: &Parts) -> Markup {
    let all: Vec<_> = PARTS.into_iter().zip(parts.all()).collect();
    let whole = parts.whole.map(|whole| (whole, &parts.histogram[..]));
    parts_of(title, &all, whole)
}

/// The parts' medians as bars, each as long as it took beside the longest.
fn parts_of(title: &str, parts: &[(&str, Option<Summary>)], whole: Option<(Summary, &[usize])>) -> Markup {
    let medians = parts.iter().filter_map(|(_, summary)| Some(summary.as_ref()?.p50_us));
    let longest = medians.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    html! {
        h3.part { (title) }
        ul.parts {
            @for (name, summary) in parts.iter().filter_map(|(name, summary)| Some((name, summary.as_ref()?))) {
                li {
                    div.head { span { (name) } span.mono { (shown(summary.p50_us)) } }
                    (meter(summary.p50_us / longest, ""))
                }
            }
        }
        @if let Some((whole, histogram)) = whole { (distribution(whole, histogram)) }
    }
}
