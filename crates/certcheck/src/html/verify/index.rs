//! Several inputs: the results in numbers, a filter, and each in full, the worst first.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::page::Tone;
use super::super::svg::{float, meter, stack};
use super::super::words::{self, counted, grouped, took_whole};
use super::{Tally, report};
use crate::json::Line;

pub(super) fn index(tally: &Tally, lines: &[Line], now: Time) -> Markup {
    let count = |tone: Tone| whole(tally.verdicts.get(&tone).copied().unwrap_or(0));
    let left_out = tally.inputs.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
    let reported = Tone::ALL.map(|tone| format!("{} {}", grouped(count(tone)), tone.word())).join(", ");
    html! {
        section.card {
            h1 { (counted(tally.inputs, "certificate")) " checked" }
            dl.counts {
                @for tone in Tone::ALL {
                    div class=(tone.class()) {
                        dt { (tone.icon()) (tone.word()) }
                        dd { (grouped(count(tone))) }
                    }
                }
            }
            (stack(&reported, &Tone::ALL.map(|tone| (count(tone), tone.class()))))
            p.quiet.small { "All checks together took " (took_whole(tally.elapsed_us)) "." }
        }
        @if !tally.reasons.is_empty() { (reasons(tally)) }
        @if left_out > 0 {
            section.card.warn {
                p {
                    "The " (grouped(whole(tally.inputs - left_out))) " worst are below. "
                    strong { (counted(left_out, "input")) " left out" }
                    " to keep the page short. All are counted above, and " code { "--json" } " lists each."
                }
            }
        }
        @if lines.len() > 1 { (filter(tally)) }
        @for (line, number) in lines.iter().zip(1..) {
            (report::folded(line, &format!("r{number}"), now))
        }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The reasons, the most frequent first.
fn reasons(tally: &Tally) -> Markup {
    let mut reasons: Vec<_> = tally.reasons.iter().collect();
    reasons.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
    let max = reasons.first().map_or(1, |(_, (_, count))| *count);
    html! {
        section.card {
            h2 { "Reasons" }
            ul.rows {
                @for (code, (tone, count)) in reasons {
                    li class=(tone.class()) {
                        div.head { span { span.tone { (tone.icon()) } " " (words::code(code)) } strong { (grouped(whole(*count))) } }
                        (meter(float(whole(*count)) / float(whole(max)), tone.class()))
                    }
                }
            }
        }
    }
}

/// The filter. The script shows it, so that nothing is without effect where scripts do not run.
fn filter(tally: &Tally) -> Markup {
    html! {
        form.card.filter id="filter" hidden {
            label.wide { "Text" input type="search" name="text" placeholder="name, file, URL, fingerprint" autocomplete="off"; }
            label {
                "Verdict"
                select name="verdict" {
                    option value="" { "any" }
                    @for tone in Tone::ALL { option value=(tone.class()) { (tone.title()) } }
                }
            }
            label {
                "Reason"
                select name="reason" {
                    option value="" { "any" }
                    @for code in tally.reasons.keys() { option value=(code) { (words::in_words(code)) } }
                }
            }
            div.buttons {
                button type="button" id="open" { "Open all" }
                button type="button" id="close" { "Close all" }
                button type="reset" { "Reset" }
            }
            output.wide.quiet.small id="told" aria-live="polite" {}
        }
    }
}
