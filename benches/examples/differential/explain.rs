//! Why judges differ: a table. What stands in none of its lines is a failure of the run.

use crate::case::{Case, Direction, Kind, Oracle};
use crate::table;

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
    /// The field that does not read to us, where that is the reason. Empty: whichever.
    pub(crate) fields: &'static [&'static str],
    /// How the reason of the stricter begins, behind the field. Empty: whichever of these fields.
    pub(crate) reasons: &'static [&'static str],
    /// What else has to be so.
    pub(crate) when: fn(&Difference<'_>) -> bool,
    pub(crate) text: &'static str,
    pub(crate) clause: &'static str,
}

impl Explanation {
    /// Of those who refuse and not only something: a line that says neither where nor why would explain all.
    pub(crate) const fn is_specific(&self) -> bool {
        !self.fields.is_empty() || !self.reasons.is_empty() || matches!(self.stricter, Stricter::Neither)
    }

    fn is_of(&self, difference: &Difference<'_>) -> bool {
        let (stricter, reason) = match difference.direction {
            Direction::OnlyWeAccept | Direction::OnlyWeRead => (Stricter::They, difference.theirs),
            Direction::OnlyWeRefuse | Direction::OnlyTheyRead => (Stricter::We, difference.ours),
            Direction::Opposed => (Stricter::Neither, ""),
        };
        let malformed = reason.strip_prefix("malformed: ").and_then(|rest| rest.split_once(": "));
        let (field, rule) = malformed.unwrap_or(("", reason));
        self.stricter == stricter
            && self.oracles.contains(&difference.oracle)
            && self.kinds.contains(&difference.case.kind)
            && (self.fields.is_empty() || self.fields.contains(&field))
            && (self.reasons.is_empty() || self.reasons.iter().any(|known| rule.starts_with(known)))
            && (self.when)(difference)
    }
}

/// The place in the table of the first line that explains the difference.
pub(crate) fn explain(difference: &Difference<'_>) -> Option<usize> {
    lines().position(|line| line.is_specific() && line.is_of(difference))
}

/// The table.
pub(crate) fn lines() -> impl Iterator<Item = &'static Explanation> {
    table::TABLES.into_iter().flatten()
}
