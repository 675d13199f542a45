//! Why judges differ: a table. What stands in none of its lines is a failure of the run.

use crate::case::{Case, Direction, Kind, Oracle};

/// A difference, to be explained.
pub(crate) struct Difference<'d> {
    pub(crate) case: &'d Case,
    pub(crate) oracle: Oracle,
    pub(crate) direction: Direction,
    /// Why we refuse; empty if we do not.
    pub(crate) ours: &'d str,
    /// Why they refuse; empty if they do not.
    pub(crate) theirs: &'d str,
}

/// Who is the stricter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stricter {
    We,
    They,
    /// Both read it and say the opposite.
    Neither,
}

/// One line of the table.
pub(crate) struct Explanation {
    pub(crate) stricter: Stricter,
    pub(crate) oracles: &'static [Oracle],
    pub(crate) kinds: &'static [Kind],
    /// The reason of the stricter begins with one of these. Empty where nobody refuses.
    pub(crate) reasons: &'static [&'static str],
    /// What else has to be so.
    pub(crate) when: fn(&Case) -> bool,
    pub(crate) text: &'static str,
    pub(crate) clause: &'static str,
}

/// The place in the table of the first line that explains the difference.
pub(crate) fn explain(difference: &Difference<'_>) -> Option<usize> {
    let (stricter, reason) = match difference.direction {
        Direction::OnlyWeAccept | Direction::OnlyWeRead => (Stricter::They, difference.theirs),
        Direction::OnlyWeRefuse | Direction::OnlyTheyRead => (Stricter::We, difference.ours),
        Direction::Opposed => (Stricter::Neither, ""),
    };
    crate::table::TABLE.iter().position(|line| {
        line.stricter == stricter
            && line.oracles.contains(&difference.oracle)
            && line.kinds.contains(&difference.case.kind)
            && (line.reasons.is_empty() || line.reasons.iter().any(|known| reason.starts_with(known)))
            && (line.when)(difference.case)
    })
}
