//! What every page has: head, style, and a law against loading anything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certcheck_core::Time;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::svg::{Icon, icon};
use super::words::instant;

const STYLE: &str = include_str!("style.css");
const FILTER: &str = include_str!("filter.js");

/// Whether a page has something to filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Script {
    /// Nothing runs.
    None,
    /// What has `data-verdict` and `data-reason` can be filtered by them and by text.
    Filter,
}

/// What a verdict looks like: a colour, and beside it always a shape and a word.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Tone {
    Bad,
    Unsure,
    Good,
}

impl Tone {
    /// All, the worst first.
    pub(super) const ALL: [Self; 3] = [Self::Bad, Self::Unsure, Self::Good];

    /// Of the stable word of a verdict.
    pub(super) fn of(verdict: &str) -> Self {
        match verdict {
            "accept" => Self::Good,
            "reject" => Self::Bad,
            _ => Self::Unsure,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "accepted",
            Self::Bad => "rejected",
            Self::Unsure => "undetermined",
        }
    }

    /// The word where it stands alone.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Good => "Accepted",
            Self::Bad => "Rejected",
            Self::Unsure => "Undetermined",
        }
    }

    /// The shape.
    pub(super) fn icon(self) -> Markup {
        icon(match self {
            Self::Good => Icon::Tick,
            Self::Bad => Icon::Cross,
            Self::Unsure => Icon::Question,
        })
    }
}

/// A whole page: `body` is what stands in `main`, with its `h1`.
pub(super) fn page(title: &str, about: Time, script: Script, body: &Markup) -> Markup {
    let script = (script == Script::Filter).then_some(FILTER);
    // Style and script are known by their hashes: nothing that slips in could run.
    let law = format!(
        "default-src 'none'; style-src '{}'; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        script.map_or_else(|| "'none'".to_owned(), |script| format!("'{}'", hash(script)))
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(law);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "certcheck " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                footer {
                    p {
                        "Told by certcheck " (env!("CARGO_PKG_VERSION")) ", asked about "
                        (instant(&about.to_string())) ". This page loads nothing and tells no one that it is read."
                    }
                }
                @if let Some(script) = script {
                    script { (PreEscaped(script)) }
                }
            }
        }
    }
}

/// The hash of inline text as a Content-Security-Policy names it.
fn hash(text: &str) -> String {
    let digest = certcheck_core::digest::sha256(text.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest))
}

/// A part of a page, with a heading. `level` is 2, or 3 within what has one of level 2 already.
pub(super) fn section(level: u8, title: &str, body: &Markup) -> Markup {
    html! {
        section.card {
            @if level <= 2 { h2 { (title) } } @else { h3 { (title) } }
            (body)
        }
    }
}
