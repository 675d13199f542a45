//! What the mirror has: a page for people, and the same as JSON.

use certcheck_rustls::Time;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::source::Source;
use crate::style::STYLE;

/// The most sources that the page lists. `/v1/sources` has all.
const SHOWN: usize = 200;

/// A source of a mirror.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SourceState {
    /// `crl` or `ocsp`.
    pub(super) kind: &'static str,
    /// Its URL.
    pub(super) url: String,
    /// Whether the configuration or the ring names it.
    pub(super) listed: bool,
    /// SHA-256 of what is served, in hexadecimal.
    pub(super) sha256: Option<String>,
    /// Its size.
    pub(super) bytes: Option<usize>,
    pub(super) this_update: Option<String>,
    pub(super) next_update: Option<String>,
    /// When the source was seen to have it.
    pub(super) fetched_at: Option<String>,
    /// When the source is looked at again.
    pub(super) next_look: String,
    /// Why the last look brought nothing that is served.
    pub(super) failure: Option<FailureState>,
}

/// Why a look brought nothing.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FailureState {
    pub(super) at: String,
    pub(super) code: &'static str,
    pub(super) detail: String,
    /// Such looks in a row.
    pub(super) count: u32,
}

impl SourceState {
    pub(super) fn of(source: &Source) -> Self {
        let held = source.held();
        let times = held.as_ref().map(|held| held.cached.times());
        let text = |time: Option<Time>| time.map(|time| time.to_string());
        let state = source.state();
        let failure = state.failure.as_ref().map(|(at, refusal)| FailureState {
            at: at.to_string(),
            code: refusal.code(),
            detail: certcheck_rustls::certcheck_fetch::printable(refusal.to_string()).to_string(),
            count: state.failures,
        });
        Self {
            kind: source.kind().code(),
            url: certcheck_rustls::certcheck_fetch::printable(source.request.url()).to_string(),
            listed: state.is_listed,
            sha256: held.as_ref().map(|held| held.digest.clone()),
            bytes: held.as_ref().map(|held| held.cached.bytes()),
            this_update: times.and_then(|(this, _)| text(this)),
            next_update: times.and_then(|(_, next)| text(next)),
            fetched_at: text(held.as_ref().map(|held| held.cached.fetched_at())),
            next_look: state.next.to_string(),
            failure,
        }
    }
}

/// The page.
pub(super) fn page(sources: &[SourceState], now: Time) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "certcheck mirror" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    section.card {
                        h1.outcome { "Mirror of CRLs and OCSP responses" }
                        p.lead {
                            "The CRL of " code { "http://crl.example/ca.crl" } " is at "
                            code { "/http/crl.example/ca.crl" } "."
                        }
                        p.quiet.small { "Proxies ask with the source's own URL. The same as JSON: /v1/sources" }
                    }
                    section.card {
                        h2 { "Sources (" (sources.len()) ")" }
                        ul.rows { @for one in sources.iter().take(SHOWN) { li { (row(one)) } } }
                        @if sources.len() > SHOWN { p.quiet.small { "The first " (SHOWN) " are shown." } }
                    }
                }
                footer { p { "certcheck " (env!("CARGO_PKG_VERSION")) ", " (now) } }
            }
        }
    }
}

fn row(one: &SourceState) -> Markup {
    let (class, word) = match (&one.sha256, &one.failure) {
        (Some(_), None) => ("good", "served"),
        (Some(_), Some(_)) => ("unsure", "served, source fails"),
        (None, Some(_)) => ("bad", "fails"),
        (None, None) => ("unsure", "not asked yet"),
    };
    html! {
        div.head {
            span.name { (one.kind) " " code { (one.url) } }
            span class={ "chip tone " (class) } { (word) }
        }
        @if let Some(failure) = &one.failure {
            p.small { code.code { (failure.code) } " " (failure.detail) }
        }
        p.quiet.small {
            @if let Some(this) = &one.this_update { "issued " (this) ", " }
            @if let Some(next) = &one.next_update { "next update " (next) ", " }
            @if let Some(bytes) = one.bytes { (bytes) " bytes, " }
            "looked at again " (one.next_look)
        }
    }
}
