//! The frame of every page: head, style, and a Content-Security-Policy against loading anything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certcheck_core::Time;
use certcheck_serve::style::STYLE;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::svg::{Icon, icon};
use super::words::instant;

const FILTER: &str = include_str!("filter.js");

/// Whether a page has something to filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Script {
    /// Nothing runs.
    None,
    /// Elements with `data-verdict` and `data-reason` can be filtered by them and by text.
    Filter,
}

/// The look of a verdict: a colour, and always a shape and a word with it.
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

    /// The word as a title.
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

/// A whole page: `body` is the content of `main`, with its `h1`.
pub(super) fn page(title: &str, about: Time, script: Script, body: &Markup) -> Markup {
    let script = (script == Script::Filter).then_some(FILTER);
    // Style and script are allowed by their hashes: no other could run.
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        script.map_or_else(|| "'none'".to_owned(), |script| format!("'{}'", hash(script)))
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
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
                        "Made by certcheck " (env!("CARGO_PKG_VERSION")) " for the time "
                        (instant(&about.to_string())) ". This page loads nothing from anywhere."
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

/// A part of a page, with a heading of level 2, or of level 3 within another part.
pub(super) fn section(level: u8, title: &str, body: &Markup) -> Markup {
    html! {
        section.card {
            @if level <= 2 { h2 { (title) } } @else { h3 { (title) } }
            (body)
        }
    }
}
