//! The page of `certcheck ring`: which certificate issued which, when each expires, and what is weak.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use certcheck_core::Time;
use maud::{Markup, html};

use super::page::{self, Script, Tone, section};
use super::svg::{Icon, icon};
use super::timeline::{self, LABEL, Lane};
use super::verify::details;
use super::words::{self, Sentence, Shown, counted, instant, short_name, subject};
use crate::file::Draft;
use crate::ring_command::{Entry, Survey};
use crate::sentence::capitalized;

/// The certificates that are listed: those with notes first, then those that expire soonest. All are counted.
const MAX_TOLD: usize = 300;
/// The certificates with a lane on the calendar.
const MAX_LANES: usize = 60;
/// Levels of issuers that are drawn: more than a path may have.
const MAX_DEPTH: usize = 16;

/// Begins a page of a ring, so that a path that cannot be written is reported before the ring is read.
pub(crate) fn create(
    path: &Path,
) -> anyhow::Result<impl FnOnce(&Survey, Time) -> anyhow::Result<()> + use<>> {
    let draft = Draft::create(path)?;
    Ok(move |survey: &Survey, now: Time| {
        let title = format!("Key ring of {}", counted(survey.certificates.len(), "certificate"));
        draft.finish(page::page(&title, now, Script::None, &body(survey, now)).into_string().as_bytes())
    })
}

fn body(survey: &Survey, now: Time) -> Markup {
    let mut reported: Vec<&Entry> = survey.certificates.iter().collect();
    reported.sort_by_key(|entry| (entry.notes.is_empty(), until(entry)));
    reported.truncate(MAX_TOLD);
    let left_out = survey.certificates.len() - reported.len();
    // Within the page it is the date that orders.
    reported.sort_by_key(|entry| until(entry));
    let tree = Tree::new(&reported);
    html! {
        section.card {
            h1 { "Key ring" }
            dl.counts {
                div { dt { (icon(Icon::Anchor)) (plural(survey.anchors, "anchor")) } dd { (survey.anchors) } }
                div { dt { (icon(Icon::Dot)) (plural(survey.intermediates, "intermediate")) } dd { (survey.intermediates) } }
                div { dt { (icon(Icon::Barred)) "distrusted" } dd { (survey.distrusted) } }
            }
            (noted(survey))
        }
        @if left_out > 0 {
            section.card.warn {
                p {
                    strong { (counted(left_out, "certificate")) " left out" } " to keep the page short. All are counted above, and "
                    code { "--json" } " lists each. Below are those with notes, then those that expire soonest."
                }
            }
        }
        @if !reported.is_empty() { (section(2, "Expiry", &calendar(&reported, now))) }
        (section(2, "Issuers", &html! {
            @if tree.roots.is_empty() { p.quiet { "No anchors." } } @else {
                ul.tree { @for root in &tree.roots { (tree.node(*root, 0, now)) } }
            }
        }))
        @let elsewhere = tree.of_role("intermediate", true);
        @if !elsewhere.is_empty() {
            (section(2, "Issued by certificates that are left out here", &html! {
                ul.tree {
                    @for entry in elsewhere {
                        li {
                            (node(entry, now))
                            p.quiet.small {
                                "Chains to " (Shown(&entry.chains_to.as_deref().unwrap_or_default().join(" ← ")))
                            }
                        }
                    }
                }
            }))
        }
        @let astray = tree.of_role("intermediate", false);
        @if !astray.is_empty() {
            (section(2, "Leads to no anchor", &html! {
                p.quiet.small { "No path can use these as they are." }
                ul.tree { @for entry in astray { li { (node(entry, now)) } } }
            }))
        }
        @let distrusted = tree.of_role("distrusted", false);
        @if !distrusted.is_empty() {
            (section(2, "Distrusted", &html! {
                p.quiet.small { "No path may contain one of these." }
                ul.tree { @for entry in distrusted { li { (node(entry, now)) } } }
            }))
        }
    }
}

fn until(entry: &Entry) -> Option<Time> {
    Time::from_rfc3339(&entry.certificate.not_after)
}

/// A word for so many.
fn plural(count: usize, word: &str) -> String {
    format!("{word}{}", if count == 1 { "" } else { "s" })
}

/// The number of certificates by note.
fn noted(survey: &Survey) -> Markup {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for note in survey.certificates.iter().flat_map(|entry| &entry.notes) {
        *codes.entry(note.code).or_default() += 1;
    }
    html! {
        @if codes.is_empty() {
            p.good { span.tone { (Tone::Good.icon()) } " Nothing is weak, and nothing expires soon." }
        } @else {
            ul.notes { @for (code, count) in codes { li { (icon(Icon::Warning)) (counted(count, "certificate")) ": " (words::code_within(code)) } } }
        }
    }
}

fn calendar(reported: &[&Entry], now: Time) -> Markup {
    let lanes = reported.iter().take(MAX_LANES).filter_map(|entry| {
        let from = Time::from_rfc3339(&entry.certificate.not_before)?;
        let label = short_name(&entry.certificate.subject, LABEL);
        let mut lane = Lane::validity(label, from, until(entry)?, now);
        if lane.class == "ok" && !entry.notes.is_empty() {
            lane.class = "unsure";
        }
        if entry.notes.iter().any(|note| note.code == "expired") || entry.role == "distrusted" {
            lane.class = "bad";
        }
        Some(lane)
    });
    let lanes: Vec<Lane> = lanes.collect();
    html! {
        p.quiet.small {
            "Those that expire first are at the top."
            @if reported.len() > MAX_LANES { " Here are the first " (MAX_LANES) " of " (reported.len()) "." }
        }
        (timeline::calendar("Validity of the certificates of the ring, those that expire first at the top", now, &lanes))
    }
}

/// The issuers and what they issued, by places among the listed certificates.
struct Tree<'e> {
    entries: &'e [&'e Entry],
    roots: Vec<usize>,
    below: BTreeMap<usize, Vec<usize>>,
    reached: BTreeSet<usize>,
}

impl<'e> Tree<'e> {
    fn new(entries: &'e [&'e Entry]) -> Self {
        let places: BTreeMap<&str, usize> =
            entries.iter().zip(0..).map(|(entry, at)| (entry.certificate.sha256.as_str(), at)).collect();
        let roots =
            entries.iter().zip(0..).filter(|(entry, _)| entry.role == "anchor").map(|(_, at)| at).collect();
        let mut below: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (entry, at) in entries.iter().zip(0..).filter(|(entry, _)| entry.role == "intermediate") {
            let issuer = entry.issuer_sha256.as_deref().and_then(|issuer| places.get(issuer));
            if let Some(issuer) = issuer {
                below.entry(*issuer).or_default().push(at);
            }
        }
        let mut tree = Self { entries, roots, below, reached: BTreeSet::new() };
        // Each is below at most one issuer, so it is reached once at most.
        let mut level = tree.roots.clone();
        for _ in 0..=MAX_DEPTH {
            tree.reached.extend(&level);
            level = level.iter().flat_map(|at| tree.below.get(at).into_iter().flatten().copied()).collect();
        }
        tree
    }

    /// Those of a role that are not drawn below an anchor, by whether they chain to one that is not listed.
    fn of_role(&self, role: &str, chains: bool) -> Vec<&'e Entry> {
        let unreached = self.entries.iter().zip(0..).filter(|(_, at)| !self.reached.contains(at));
        let of_role =
            unreached.filter(|(entry, _)| entry.role == role && entry.chains_to.is_some() == chains);
        of_role.map(|(entry, _)| *entry).collect()
    }

    fn node(&self, at: usize, depth: usize, now: Time) -> Markup {
        let below = self.below.get(&at).filter(|_| depth < MAX_DEPTH);
        html! {
            @if let Some(entry) = self.entries.get(at) {
                li {
                    (node(entry, now))
                    @if let Some(below) = below {
                        ul { @for child in below { (self.node(*child, depth + 1, now)) } }
                    }
                }
            }
        }
    }
}

fn node(entry: &Entry, now: Time) -> Markup {
    let (class, sign) = match entry.role {
        "anchor" => ("plain", Icon::Anchor),
        "distrusted" => ("bad", Icon::Barred),
        _ if entry.chains_to.is_none() => ("bad", Icon::Cross),
        _ if !entry.notes.is_empty() => ("unsure", Icon::Warning),
        _ => ("good", Icon::Tick),
    };
    html! {
        div class={ "node " (class) } {
            (icon(sign))
            div {
                p.name { (short_name(&entry.certificate.subject, LABEL)) " " span.chip { (entry.role) } }
                p.quiet.small { (Shown(subject(&entry.certificate.subject))) }
                p.small { "Until " (instant(&entry.certificate.not_after)) ", from " code { (Shown(&entry.source)) } }
                @if !entry.notes.is_empty() {
                    ul.notes.small {
                        @for note in &entry.notes {
                            li { (icon(Icon::Warning)) (Sentence(&capitalized(&note.message))) " " code.code { (note.code) } }
                        }
                    }
                }
                (details(&entry.certificate, now))
            }
        }
    }
}
