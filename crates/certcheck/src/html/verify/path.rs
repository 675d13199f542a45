//! The path as a drawing: the certificate that was asked about above, the anchor below, and who is to blame marked.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::svg::{Icon, icon};
use super::super::words::{Shown, from_now, instant, short_name, subject};
use crate::json::{CertificateObject, Line, Member};

/// Names are cut to so many letters where the whole name stands below.
const NAME: usize = 60;

pub(super) fn path(line: &Line, now: Time) -> Markup {
    let blamed = line.reason.as_ref().map(|reason| (reason.certificate_index, Shown(&reason.message)));
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
                        p.blame { "Here it fails: " (message) }
                    }
                    // That it is revoked, or not known not to be, is said with what fails.
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

/// What is known of its revocation, and who says so.
fn status(member: &Member) -> Markup {
    let known = &member.revocation;
    let says = html! {
        @if let Some(source) = &known.source {
            ", says " @match known.basis { Some("ocsp") => "the OCSP answer", Some("crl") => "the CRL", _ => "" }
            " " code { (Shown(source)) }
        }
    };
    html! {
        @match known.status {
            "good" => { "Not revoked" (says) }
            "revoked" => {
                "Revoked" @if let Some(at) = &known.revoked_at { " at " (instant(at)) }
                @if let Some(reason) = &known.revocation_reason { ", " (reason) }
                @if let Some(since) = &known.invalid_since { ", to be distrusted since " (instant(since)) }
                (says)
            }
            "unknown" => { "Whether it is revoked is not known: " (known.cause.unwrap_or("no cause named")) }
            _ if known.basis == Some("no-rev-avail") => "Its issuer revokes none of these (noRevAvail)",
            _ if member.role == "anchor" => "Where trust begins: of the ring",
            _ => "Revocation was not looked at",
        }
    }
}

/// How old its evidence is, and from where it came.
fn evidence(member: &Member) -> Markup {
    let known = &member.revocation;
    html! {
        @if let Some(of) = &known.this_update {
            @match known.basis { Some("ocsp") => "The OCSP answer", Some("crl") => "The CRL", _ => "The evidence" }
            " is of " (instant(of))
            @if let Some(next) = &known.next_update { ", the next is due by " (instant(next)) }
            @match known.from {
                Some("file") => "; it was given in a file.",
                Some("network") => "; it came over the network.",
                Some(from) => { "; it was at hand: " (from) "." }
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
