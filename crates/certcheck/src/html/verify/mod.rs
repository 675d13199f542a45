//! The page of `certcheck verify`: one input in full; several with an index before.

mod facts;
mod index;
mod path;
mod report;
mod sources;
mod times;

use std::collections::BTreeMap;
use std::path::Path;

use certcheck_core::Time;
use maud::html;

use super::page::{self, Script, Tone};
use super::words;
use crate::file::Draft;
use crate::json::Line;

pub(super) use path::details;

/// The inputs that are shown in full, the worst first; all are counted.
const MAX_TOLD: usize = 200;
/// The bytes that are kept of one text of an input.
const MAX_TEXT: usize = 2000;

/// A page that grows with each input, and stays bounded however many there are.
pub(crate) struct Page {
    draft: Draft,
    now: Time,
    /// The settings of the check, in words.
    asked: Vec<(&'static str, String)>,
    tally: Tally,
    /// The worst first, then in the order of the inputs.
    reported: BTreeMap<(Tone, u64), Line>,
}

/// The results of all inputs, in numbers.
#[derive(Default)]
struct Tally {
    inputs: u64,
    verdicts: BTreeMap<Tone, u64>,
    reasons: BTreeMap<&'static str, (Tone, u64)>,
    elapsed_us: u64,
}

impl Page {
    /// Begins a page. Nothing is written before [`Self::finish`], but a path that cannot be written is an error now.
    pub(crate) fn create(path: &Path, now: Time, asked: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        Ok(Self {
            draft: Draft::create(path)?,
            now,
            asked,
            tally: Tally::default(),
            reported: BTreeMap::new(),
        })
    }

    /// Adds the result for an input.
    pub(crate) fn add(&mut self, mut line: Line) {
        let tone = Tone::of(line.verdict);
        let number = self.tally.count(&line, tone);
        // A line that would be dropped at once is not shortened first.
        let is_last = self.reported.last_key_value().is_none_or(|(last, _)| *last < (tone, number));
        if self.reported.len() >= MAX_TOLD && is_last {
            return;
        }
        line.cut(MAX_TEXT);
        self.reported.insert((tone, number), line);
        if self.reported.len() > MAX_TOLD {
            self.reported.pop_last();
        }
    }

    /// Writes the page.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let Self { draft, now, asked, tally, reported } = self;
        let mut reported = reported.into_values();
        let (title, script, body) = match (tally.inputs, reported.next()) {
            (1, Some(line)) => {
                let title = format!("{}: {}", Tone::of(line.verdict).word(), words::plain(&line.input, 100));
                (title, Script::None, report::alone(&line, now))
            }
            (_, first) => {
                let lines: Vec<Line> = first.into_iter().chain(reported).collect();
                let title = format!("{} checked", words::counted(tally.inputs, "certificate"));
                (title, Script::Filter, index::index(&tally, &lines, now))
            }
        };
        let body = html! { (body) (report::asked(&asked)) };
        let page = page::page(&title, now, script, &body);
        draft.finish(page.into_string().as_bytes())
    }
}

impl Tally {
    /// The number of the input.
    fn count(&mut self, line: &Line, tone: Tone) -> u64 {
        *self.verdicts.entry(tone).or_default() += 1;
        let refused = line.reason.as_ref().map(|reason| (reason.code, tone));
        if let Some((code, tone)) = refused.or_else(|| line.tolerated.map(|cause| (cause, Tone::Unsure))) {
            self.reasons.entry(code).or_insert((tone, 0)).1 += 1;
        }
        self.elapsed_us = self.elapsed_us.saturating_add(line.elapsed_us);
        self.inputs += 1;
        self.inputs
    }
}
