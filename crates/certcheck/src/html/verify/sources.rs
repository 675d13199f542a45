//! The sources that the check asked: where the answers came from, their size, and the time they took.

use maud::{Markup, html};

use super::super::svg::{Icon, float, icon, meter};
use super::super::words::{self, Sentence, Shown, counted, short_name, took_whole};
use crate::json::{Line, SourceObject};

pub(super) fn sources(line: &Line) -> Markup {
    let longest = line.sources.iter().map(|source| source.elapsed_us).max().unwrap_or(0);
    html! {
        @if line.sources.is_empty() {
            p { "None: the available evidence was enough, or the network may not be used." }
        } @else {
            ol.rows { @for source in &line.sources { (one(line, source, longest)) } }
        }
    }
}

fn one(line: &Line, source: &SourceObject, longest: u64) -> Markup {
    let whole = |number: u64| i64::try_from(number).map_or(f64::MAX, float);
    let share = whole(source.elapsed_us) / whole(longest.max(1));
    let failed = source.cause.is_some();
    let (class, sign) = if failed { ("bad", Icon::Cross) } else { ("good", Icon::Tick) };
    let about =
        line.path.get(source.certificate_index).map(|member| short_name(&member.certificate.subject, 250));
    html! {
        li class=(class) {
            div.head {
                span.tone { (icon(sign)) " " @match source.cause { Some(cause) => (words::code(cause)), None => "Answered" } }
                span.chip { @match source.kind { "crl" => "CRL", "ocsp" => "OCSP", kind => (kind) } }
                span.quiet.small {
                    @match source.from { Some(from) => (words::origin(from)), None => "no answer" }
                    @if source.bytes > 0 { ", " (counted(source.bytes, "byte")) }
                }
                strong { (took_whole(source.elapsed_us)) }
            }
            p { code { (Shown(&source.url)) } }
            p.quiet.small {
                "for certificate " (source.certificate_index) @if let Some(about) = about { ", " (about) }
                @if let Some(message) = &source.message { ": " (Sentence(message)) }
            }
            (meter(share, if failed { "bad" } else { "" }))
        }
    }
}
