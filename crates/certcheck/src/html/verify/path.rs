//! The path as a drawing: the checked certificate at the top, the anchor at the bottom, and a mark where it fails.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::svg::{Icon, icon};
use super::super::words::{self, Sentence, Shown, from_now, instant, short_name, subject};
use crate::json::{CertificateObject, Line, Member};

/// Letters of a short name; the whole name is below it.
const NAME: usize = 250;

pub(super) fn path(line: &Line, now: Time) -> Markup {
    let blamed = line.reason.as_ref().map(|reason| (reason.certificate_index, Sentence(&reason.message)));
    html! {
        ol.path {
            @for (member, at) in line.path.iter().zip(0..) {
                @let blame = blamed.as_ref().filter(|(place, _)| *place == at);
                @let (class, sign) = look(member, blame.is_some(), line.verdict);
                li class=(class) {
                    (icon(sign))
                    p.role { (at) " · " (member.role) }
                    p.name { (short_name(&member.certificate.subject, NAME)) }
                    p.quiet.small { (Shown(subject(&member.certificate.subject))) }
                    @if let Some((_, message)) = blame {
                        p.blame { "The check fails here: " (message) }
                    }
                    // What fails says already that it is revoked or that its status is unknown.
                    @let is_said = blame.is_some() && matches!(member.revocation.status, "revoked" | "unknown");
                    p.small { @if !is_said { (status(member)) ". " } (evidence(member)) }
                    (details(&member.certificate, now))
                }
            }
            @if line.path.last().is_some_and(|last| last.role != "anchor") {
                li class="bad" {
                    (icon(Icon::Question))
                    p.role { "no anchor" }
                    p.small { "No certificate of the ring was reached from here." }
                }
            }
        }
    }
}

/// A class and a shape.
fn look(member: &Member, is_blamed: bool, verdict: &str) -> (&'static str, Icon) {
    let status = member.revocation.status;
    match (is_blamed, member.role, status) {
        (true, ..) if verdict == "undetermined" => ("unsure", Icon::Question),
        (true, ..) | (_, _, "revoked") => ("bad", Icon::Cross),
        (_, "anchor", _) => ("plain", Icon::Anchor),
        (_, _, "unknown") => ("unsure", Icon::Question),
        (_, _, "not-checked") => ("", Icon::Dot),
        _ => ("good", Icon::Tick),
    }
}

/// Its revocation status, and the source that says so.
fn status(member: &Member) -> Markup {
    let known = &member.revocation;
    let says = html! {
        @if let Some(source) = &known.source {
            ", says " @match known.basis { Some("ocsp") => "the OCSP response", Some("crl") => "the CRL", _ => "" }
            " " code { (Shown(source)) }
        }
    };
    html! {
        @match known.status {
            "good" => { "Not revoked" (says) }
            "revoked" => {
                "Revoked" @if let Some(at) = &known.revoked_at { " at " (instant(at)) }
                @if let Some(reason) = &known.revocation_reason { ", " (words::in_words(&kebab(reason)).to_lowercase()) " " code.code { (reason) } }
                @if let Some(since) = &known.invalid_since { ", not to be trusted since " (instant(since)) }
                (says)
            }
            "unknown" => { "Its revocation status is unknown" @if let Some(cause) = known.cause { ": " (words::code_within(cause)) } }
            _ if known.basis == Some("no-rev-avail") => "Its issuer publishes no revocations for it (noRevAvail)",
            _ if member.role == "anchor" => "The trust anchor, from the ring",
            _ => "Revocation was not checked",
        }
    }
}

/// A reason such as `keyCompromise` with hyphens between its words.
fn kebab(reason: &str) -> String {
    let mut words = String::new();
    for letter in reason.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The age of its evidence, and where it came from.
fn evidence(member: &Member) -> Markup {
    let known = &member.revocation;
    html! {
        @if let Some(of) = &known.this_update {
            @match known.basis { Some("ocsp") => "The OCSP response", Some("crl") => "The CRL", _ => "The evidence" }
            " is of " (instant(of))
            @if let Some(next) = &known.next_update { ", the next is due by " (instant(next)) }
            @match known.from {
                Some(from) => { "; it came " (words::origin(from)) "." }
                None => ".",
            }
        }
    }
}

/// Serial, validity and fingerprint.
pub(in crate::html) fn details(certificate: &CertificateObject, now: Time) -> Markup {
    let relative = |time: &str| Time::from_rfc3339(time).map(|time| from_now(time, now)).unwrap_or_default();
    html! {
        details.more {
            summary { "Issuer, serial, validity, fingerprint" }
            dl.facts {
                dt { "Issuer" } dd { (Shown(subject(&certificate.issuer))) }
                dt { "Serial" } dd { code { (Shown(&certificate.serial)) } }
                dt { "Not before" } dd { (instant(&certificate.not_before)) span.quiet { ", " (relative(&certificate.not_before)) } }
                dt { "Not after" } dd { (instant(&certificate.not_after)) span.quiet { ", " (relative(&certificate.not_after)) } }
                dt { "SHA-256" } dd { code { (certificate.sha256) } }
            }
        }
    }
}
