//! What one input came to, at length.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::page::{Tone, section};
use super::super::words::{Shown, instant, span, subject};
use super::{facts, path, sources, times};
use crate::json::{Line, Member};

/// A page of its own.
pub(super) fn alone(line: &Line, now: Time) -> Markup {
    let tone = Tone::of(line.verdict);
    html! {
        section class={ "card verdict " (tone.class()) } {
            h1.outcome { (tone.icon()) span { (tone.title()) } }
            p.input { code { (Shown(&line.input)) } }
            (reasons(line, now))
        }
        (rest(line, "r", 2, now))
    }
}

/// Within the index: folded, so that many can be looked over.
pub(super) fn folded(line: &Line, id: &str, now: Time) -> Markup {
    let tone = Tone::of(line.verdict);
    let code = line.reason.as_ref().map(|reason| reason.code).or(line.tolerated).unwrap_or_default();
    html! {
        details class={ "report " (tone.class()) } id=(id) data-verdict=(tone.class()) data-reason=(code) {
            summary {
                (tone.icon())
                h2 { (Shown(&line.input)) }
                p.quiet.small {
                    span.tone { (tone.word()) @if !code.is_empty() { ": " (code) } }
                    @if let Some(leaf) = line.path.first() { " · " (Shown(subject(&leaf.certificate.subject))) }
                }
            }
            div.inner {
                section class={ "card verdict " (tone.class()) } { (reasons(line, now)) }
                (rest(line, id, 3, now))
            }
        }
    }
}

/// What, why, where, by which clause, and what would mend it.
fn reasons(line: &Line, now: Time) -> Markup {
    let leaf = line.path.first().map(|leaf| subject(&leaf.certificate.subject));
    let until = line.valid_until.as_deref();
    let left = until.and_then(Time::from_rfc3339).map(|until| span(until.unix().saturating_sub(now.unix())));
    html! {
        p.lead {
            @match line.verdict {
                "accept" => @match line.tolerated {
                    None => "The certificate is good for what was asked.",
                    Some(cause) => {
                        "The path is good. Whether all of it still holds is not known; policy lets that pass. "
                        span.chip.warn { (cause) }
                    }
                },
                "reject" => @match line.path.is_empty() {
                    true => "There is no certificate here that could be judged.",
                    false => "The certificate must not be trusted.",
                },
                _ => "The path is good, but whether all of it still holds could not be established: not knowing is not good.",
            }
        }
        dl.facts {
            @if let Some(leaf) = leaf { dt { "Certificate" } dd { (Shown(leaf)) } }
            @if let Some(reason) = &line.reason {
                dt { "Why" }
                dd { strong { (Shown(&reason.message)) } " " span.chip.tone { (reason.code) } }
                @if let Some(member) = line.path.get(reason.certificate_index) {
                    dt { "Where" }
                    dd { (place(reason.certificate_index, member)) }
                }
                dt { "Clause" } dd { (reason.rfc) }
                dt { "What would help" } dd { (reason.hint) }
            }
            @if let (Some(until), Some(left)) = (until, left) {
                dt { "Good until" }
                dd { (instant(until)) span.quiet { ", " (left) " left" } }
            }
        }
    }
}

/// What was asked: of a page that lies about for long nobody remembers.
pub(super) fn asked(asked: &[(&'static str, String)]) -> Markup {
    let list = html! {
        dl.facts { @for (what, answer) in asked { dt { (what) } dd { (Shown(answer)) } } }
    };
    section(2, "What was asked", &list)
}

/// Which certificate of the path.
fn place(at: usize, member: &Member) -> Markup {
    html! { "certificate " (at) ", the " (member.role) ": " (Shown(subject(&member.certificate.subject))) }
}

/// All that the verdict rests on.
fn rest(line: &Line, id: &str, level: u8, now: Time) -> Markup {
    html! {
        @if !line.warnings.is_empty() {
            (section(level, "Warnings", &html! {
                ul.notes { @for warning in &line.warnings { li { (Tone::Unsure.icon()) " " (Shown(&warning.message)) } } }
            }))
        }
        @if !line.path.is_empty() {
            (section(level, "The path", &path::path(line, now)))
            (times::times(line, id, level, now))
        }
        @if !line.path.is_empty() { (section(level, "Who was asked", &sources::sources(line))) }
        @if !line.considered.is_empty() {
            (section(level, "Evidence that did not count", &html! {
                ul.notes { @for piece in &line.considered {
                    li {
                        (Shown(&piece.source)) @if !piece.about.is_empty() { ", by " (Shown(&piece.about)) }
                        ": " (Shown(&piece.message))
                    }
                } }
            }))
        }
        @if !line.attempts.is_empty() { (section(level, "Paths that were tried and failed", &facts::attempts(line))) }
        (section(level, "Policies, and what it took", &facts::facts(line)))
    }
}
