//! The other paths and where they failed; policies; the cost.

use maud::{Markup, html};

use super::super::svg::{Icon, icon};
use super::super::words::{Sentence, Shown, counted, subject, took_whole};
use crate::json::{AttemptObject, Line};
use crate::sentence::capitalized;

pub(super) fn attempts(line: &Line) -> Markup {
    html! {
        ol.rows {
            @for attempt in &line.attempts {
                li.bad {
                    p { strong { (Sentence(&capitalized(&attempt.reason.message))) } " " code.code { (attempt.reason.code) } }
                    (tried(attempt))
                }
            }
        }
    }
}

fn tried(attempt: &AttemptObject) -> Markup {
    html! {
        ol.tried.small {
            @for (name, at) in attempt.path.iter().zip(0..) {
                @let is_broken = at == attempt.reason.certificate_index;
                li class=(if is_broken { "broken" } else { "quiet" }) {
                    (icon(if is_broken { Icon::Cross } else { Icon::Dot }))
                    span { (Shown(subject(name))) @if is_broken { " (failed here)" } }
                }
            }
        }
    }
}

pub(super) fn facts(line: &Line) -> Markup {
    let spent = &line.spent;
    html! {
        dl.facts {
            dt { "Policies" }
            dd {
                @match line.policies.as_slice() {
                    [] => span.quiet { "none" },
                    policies => @for policy in policies {
                        @if policy == "2.5.29.32.0" { "any " code { (policy) } } @else { code { (Shown(policy)) } } " "
                    },
                }
            }
            dt { "Time" } dd { (took_whole(line.elapsed_us)) }
            dt { "Work" }
            dd {
                (counted(spent.signatures, "signature")) ", " (counted(spent.steps, "step")) ", "
                (counted(spent.paths, "path")) ", " (counted(spent.name_comparisons, "name comparison")) ", "
                (counted(spent.policy_nodes, "policy node"))
            }
        }
    }
}
