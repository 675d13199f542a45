//! The status page: a [`FrontStatus`] for people. It loads nothing, runs no script, and asks for itself again.

use certcheck_rustls::Time;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::status::{
    ConnectionStatus, EndingStatus, EvidenceStatus, FrontStatus, ListenerStatus, RefusalStatus, RingStatus,
    SourceStatus, ValidationStatus,
};
use crate::style::STYLE;

/// Seconds after which a browser asks for the page again.
const AGAIN: u32 = 10;
/// The most of each list that is shown. `/v1/status` has more.
const SHOWN: usize = 50;

/// The whole page.
pub(super) fn page(status: &FrontStatus) -> Markup {
    let now = Time::from_rfc3339(&status.now);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content=(AGAIN);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (if status.ready.ready { "Ready" } else { "Not ready" }) " - certcheck serve" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (verdict(status))
                    (section("Listeners", status.listeners.iter().map(|one| listener(one, now))))
                    @if !status.validations.is_empty() {
                        (section("Validation for other proxies", status.validations.iter().map(validation)))
                    }
                    (section("Last refusals", status.refusals.iter().map(|one| refusal(one, now))))
                    (section("Evidence", status.evidence.iter().map(|one| evidence(one, now))))
                    (section("Sources", status.sources.iter().map(|one| source(one, now))))
                    (section("Rings", status.rings.iter().map(ring)))
                    (section("Certificates that end within 30 days", status.ending.iter().map(ending)))
                    (section("Connections", status.connections.iter().map(|one| connection(one, now))))
                }
                footer {
                    p {
                        "certcheck " (status.version) ", " (time(&status.now)) ". Loaded again every "
                        (AGAIN) " seconds; it loads nothing from elsewhere. The same as JSON: /v1/status"
                    }
                }
            }
        }
    }
}

fn verdict(status: &FrontStatus) -> Markup {
    let (class, word) = if status.ready.ready { ("good", "Ready") } else { ("bad", "Not ready") };
    html! {
        section class={ "card verdict " (class) } {
            h1.outcome { (word) }
            @for missing in status.ready.missing.iter().take(SHOWN) {
                p.lead { (missing.detail) " " code.code { (missing.kind) } }
            }
            dl.facts {
                dt { "Started" } dd { (time(&status.started)) }
                dt { "Configuration" } dd { "number " (status.generation) }
                @if let Some(reload) = &status.reload {
                    dt { "Last reload" }
                    dd {
                        (time(&reload.at)) ": "
                        @if reload.faults.is_empty() { "in use" } @else { "could not be used, the one before it stays" }
                        @for fault in reload.faults.iter().take(SHOWN) { p.small { (fault) } }
                    }
                }
            }
        }
    }
}

/// A part of the page: a row for each, or a word where there is none.
fn section(title: &str, rows: impl ExactSizeIterator<Item = Markup>) -> Markup {
    let count = rows.len();
    html! {
        section.card {
            h2 { (title) @if count > 0 { " (" (count) ")" } }
            @if count == 0 { p.quiet { "None." } }
            @else { ul.rows { @for row in rows.take(SHOWN) { li { (row) } } } }
            @if count > SHOWN { p.quiet.small { "The first " (SHOWN) " are shown." } }
        }
    }
}

fn listener(one: &ListenerStatus, now: Option<Time>) -> Markup {
    html! {
        div.head {
            span.name { (one.name) }
            @if let Some(health) = &one.upstream_health { (answers(health.up)) }
        }
        p.quiet.small { (one.connections) " of " (one.max_connections) " connections" }
        p.small { (addresses(&one.addresses)) " to " code { (one.upstream) } }
        @if let Some(health) = &one.upstream_health {
            @if let Some(failure) = &health.failure {
                p.small {
                    "The service cannot be reached: " (failure) ". "
                    (health.failures) (if health.failures == 1 { " failure" } else { " failures in a row" })
                    ", the last " (since(&health.asked_at, now))
                }
            }
        }
        p.quiet.small {
            (one.protocol) ", client certificate " (one.client_auth)
            @if let Some(end) = &one.certificate_not_after { ", server certificate until " (time(end)) }
        }
    }
}

fn validation(one: &ValidationStatus) -> Markup {
    html! {
        div.head { span.name { (one.name) } span.chip { (one.protocol) } }
        p.quiet.small { (one.connections) " of " (one.max_connections) " connections" }
        p.small { (addresses(&one.addresses)) }
        p.quiet.small {
            (one.checks) " of " (one.max_checks) " checks wait, " (one.watches) " of " (one.max_watches) " watches, "
            (one.request_bytes) " of " (one.max_request_bytes) " bytes of requests"
        }
        p.quiet.small {
            "peers show a " (one.peers_show)
            @if let Some(end) = &one.certificate_not_after { ", server certificate until " (time(end)) }
        }
    }
}

fn addresses(all: &[String]) -> Markup {
    html! {
        @for (at, address) in all.iter().enumerate() {
            @if at > 0 { ", " }
            code { (address) }
        }
    }
}

fn refusal(one: &RefusalStatus, now: Option<Time>) -> Markup {
    html! {
        div.head {
            span.name { (subject(one.subject.as_deref())) }
            span.chip.tone.bad { (one.code) }
        }
        @if let Some(detail) = &one.detail { p.small { (detail) } }
        @if let Some(hint) = &one.hint { p.small { "What would help: " (hint) } }
        p.quiet.small {
            (since(&one.at, now)) " at " (one.listener)
            @if let Some(route) = &one.route { ", route " (route) }
            @if let Some(peer) = &one.peer { ", from " (peer) }
            @if let Some(client) = &one.client { ", client " (client) }
            @if let Some(source) = &one.source { ", by " code { (source) } }
        }
    }
}

fn evidence(one: &EvidenceStatus, now: Option<Time>) -> Markup {
    let (class, word) = match one.state {
        "current" => ("good", "current"),
        "ended" => ("bad", "ended"),
        _ => ("unsure", "without end"),
    };
    html! {
        div.head {
            span.name { (kind(one.kind)) @if let Some(issuer) = &one.issuer { " of " (issuer) } }
            span class={ "chip tone " (class) } { (word) }
        }
        p.small { code { (one.url) } }
        p.quiet.small {
            @if let Some(this) = &one.this_update { "issued " (since(this, now)) ", " }
            @if let Some(next) = &one.next_update { "next update " (since(next, now)) ", " }
            @if let Some(entries) = one.entries { (entries) (if entries == 1 { " entry, " } else { " entries, " }) }
            (one.bytes) " bytes, from the " (one.from) " " (since(&one.fetched_at, now))
        }
    }
}

fn source(one: &SourceStatus, now: Option<Time>) -> Markup {
    html! {
        div.head {
            span.name { (one.host) }
            (answers(one.up))
        }
        @if let Some(failure) = &one.failure { p.small { (failure) } }
        p.quiet.small {
            "asked " (since(&one.asked_at, now)) ", took " (format!("{:.1} ms", one.seconds * 1e3))
            @if one.failures > 0 { ", " (one.failures) " failures in a row" }
            @if let Some(pause) = one.pause_seconds { ", not asked for another " (pause) " s" }
        }
    }
}

/// Whether a source or a service answers.
fn answers(is_up: bool) -> Markup {
    let (class, word) = if is_up { ("good", "answers") } else { ("bad", "fails") };
    html! { span class={ "chip tone " (class) } { (word) } }
}

fn ring(one: &RingStatus) -> Markup {
    html! {
        div.head {
            span.name { "Ring of " (one.listeners.join(", ")) }
            span.quiet.small { (one.anchors) " anchors, " (one.intermediates) " intermediates" }
        }
        @for ca in one.cas.iter().take(SHOWN) {
            p.small {
                (subject(Some(&ca.subject))) " "
                span class={ "chip tone " (tone(ca.verdict)) } { (ca.code) }
                @if let Some(detail) = &ca.detail { " " (detail) }
            }
        }
    }
}

fn ending(one: &EndingStatus) -> Markup {
    let class = if one.days < 7 { "bad" } else { "unsure" };
    html! {
        div.head {
            span.name { @if one.kind == "server" { "Server certificate" } @else { (subject(one.subject.as_deref())) } }
            span class={ "chip tone " (class) } {
                @if one.days < 0 { "ended" } @else { "in " (one.days) " days" }
            }
        }
        p.quiet.small { (one.kind) " of " (one.listener) ", until " (time(&one.not_after)) }
    }
}

fn connection(one: &ConnectionStatus, now: Option<Time>) -> Markup {
    html! {
        div.head {
            span.name { @if one.subject.is_some() { (subject(one.subject.as_deref())) } @else { "no certificate" } }
            span.chip { (one.protocol) }
        }
        p.quiet.small {
            "since " (since(&one.since, now)) " at " (one.listener)
            @if let Some(peer) = &one.peer { ", from " (peer) }
            @if one.resumed { ", session resumed" }
        }
    }
}

fn kind(kind: &str) -> &str {
    match kind {
        "crl" => "CRL",
        "ocsp" => "OCSP response",
        _ => "Certificates of issuers",
    }
}

fn tone(verdict: &str) -> &'static str {
    match verdict {
        "accept" => "good",
        "reject" => "bad",
        _ => "unsure",
    }
}

fn subject(subject: Option<&str>) -> &str {
    match subject {
        None | Some("") => "(no subject)",
        Some(subject) => subject,
    }
}

/// A time for people and for machines.
fn time(time: &str) -> Markup {
    let readable = time.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(time) { (readable) } }
}

/// `3 min ago`, `in 2 h`.
fn since(time: &str, now: Option<Time>) -> Markup {
    let Some((then, now)) = Time::from_rfc3339(time).zip(now) else { return html! { (time) } };
    let seconds = now.unix().saturating_sub(then.unix());
    let span = match seconds.unsigned_abs() {
        span @ 0..=119 => format!("{span} s"),
        span @ 120..=7_199 => format!("{} min", span / 60),
        span @ 7_200..=172_799 => format!("{} h", span / 3_600),
        span => format!("{} days", span / 86_400),
    };
    let text = if seconds < 0 { format!("in {span}") } else { format!("{span} ago") };
    html! { time datetime=(time) { (text) } }
}
