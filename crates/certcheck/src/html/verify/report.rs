//! The result for one input, in full.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::page::{Tone, section};
use super::super::words::{self, Sentence, Shown, instant, subject};
use super::{facts, path, sources, times};
use crate::json::{Line, Member};
use crate::numbers::span;
use crate::sentence::capitalized;

/// A page of its own.
pub(super) fn alone(line: &Line, now: Time) -> Markup {
    let tone = Tone::of(line.verdict);
    html! {
        section class={ "card verdict " (tone.class()) } {
            h1.outcome { (tone.icon()) span { (tone.title()) } }
            p.input { code { (Shown(&line.input)) } }
            (reasons(line, now))
        }
        (rest(line, 2, now))
    }
}

/// Within the index: folded.
pub(super) fn folded(line: &Line, id: &str, now: Time) -> Markup {
    let tone = Tone::of(line.verdict);
    let code = line.reason.as_ref().map(|reason| reason.code).or(line.tolerated).unwrap_or_default();
    html! {
        details class={ "report " (tone.class()) } id=(id) data-verdict=(tone.class()) data-reason=(code) {
            summary {
                (tone.icon())
                h2 { (Shown(&line.input)) }
                p.quiet.small {
                    span.tone { (tone.title()) @if !code.is_empty() { ": " (words::code_within(code)) } }
                    @if let Some(leaf) = line.path.first() { " · " (Shown(subject(&leaf.certificate.subject))) }
                }
            }
            div.inner {
                section class={ "card verdict " (tone.class()) } { (reasons(line, now)) }
                (rest(line, 3, now))
            }
        }
    }
}

/// The verdict, why, where, by which clause, and what would help.
fn reasons(line: &Line, now: Time) -> Markup {
    let leaf = line.path.first().map(|leaf| subject(&leaf.certificate.subject));
    let until = line.valid_until.as_deref();
    let left = until.and_then(Time::from_rfc3339).map(|until| span(until.unix().saturating_sub(now.unix())));
    html! {
        p.lead {
            @match line.verdict {
                "accept" => @match line.tolerated {
                    None => "The certificate is good.",
                    Some(cause) => {
                        "The path is good. A revocation status is unknown, and the policy tolerates that: "
                        (words::code_within(cause))
                    }
                },
                "reject" => @match line.path.is_empty() {
                    true => "There is no certificate here that can be checked.",
                    false => "The certificate must not be trusted.",
                },
                _ => "The path is good, but a revocation status could not be established. Treat the certificate as not good.",
            }
        }
        dl.facts {
            @if let Some(leaf) = leaf { dt { "Certificate" } dd { (Shown(leaf)) } }
            @if let Some(reason) = &line.reason {
                dt { "Why" }
                dd { strong { (Sentence(&capitalized(&reason.message))) } " " code.code { (reason.code) } }
                @if let Some(member) = line.path.get(reason.certificate_index) {
                    dt { "Where" }
                    dd { (place(reason.certificate_index, member)) }
                }
                dt { "Clause" } dd { (reason.rfc) }
                dt { "What would help" } dd { (Sentence(&capitalized(&reason.hint))) }
            }
            @if let (Some(until), Some(left)) = (until, left) {
                dt { "Good until" }
                dd { (instant(until)) span.quiet { ", " (left) " left" } }
            }
        }
    }
}

/// The settings of the check, so that the page can be understood later.
pub(super) fn asked(asked: &[(&'static str, String)]) -> Markup {
    let list = html! {
        dl.facts { @for (what, answer) in asked { dt { (what) } dd { (Shown(answer)) } } }
    };
    section(2, "Settings of the check", &list)
}

/// A certificate of the path.
fn place(at: usize, member: &Member) -> Markup {
    html! { "Certificate " (at) ", the " (member.role) ": " (Shown(subject(&member.certificate.subject))) }
}

/// Everything the verdict is based on.
fn rest(line: &Line, level: u8, now: Time) -> Markup {
    html! {
        @if !line.warnings.is_empty() {
            (section(level, "Warnings", &html! {
                ul.notes { @for warning in &line.warnings { li { (Tone::Unsure.icon()) " " (Sentence(&warning.message)) } } }
            }))
        }
        @if !line.path.is_empty() {
            (section(level, "Path", &path::path(line, now)))
            (times::times(line, level, now))
        }
        @if !line.path.is_empty() { (section(level, "Sources", &sources::sources(line))) }
        @if !line.considered.is_empty() {
            (section(level, "Evidence that was not used", &html! {
                ul.notes { @for piece in &line.considered {
                    li {
                        (Shown(&piece.source)) @if !piece.about.is_empty() { ", by " (Shown(&piece.about)) }
                        ": " (Sentence(&piece.message))
                    }
                } }
            }))
        }
        @if !line.attempts.is_empty() { (section(level, "Other paths that failed", &facts::attempts(line))) }
        (section(level, "Policies and cost", &facts::facts(line)))
    }
}
