//! The record of the evidence that was looked at, where a report wants one.

use super::Dismissal;
use super::evidence::Piece;

/// What became of the evidence that was looked at.
#[derive(Debug, Default)]
pub(super) struct Record<'e> {
    /// The certificate whose status is being found.
    pub(super) at: usize,
    /// What counted, and for which certificate.
    pub(super) counted: Vec<(Piece<'e>, usize)>,
    pub(super) dismissed: Vec<(Piece<'e>, usize, Dismissal)>,
}

impl<'e> Record<'e> {
    /// Notes that a piece of evidence counted.
    pub(super) fn count(&mut self, piece: Piece<'e>) {
        self.counted.push((piece, self.at));
    }

    /// Notes why a piece of evidence did not count.
    pub(super) fn dismiss(&mut self, piece: Piece<'e>, why: &Dismissal) {
        let is_noted = self
            .dismissed
            .iter()
            .any(|(known, at, reason)| known.is(piece) && *at == self.at && reason == why);
        if !is_noted {
            self.dismissed.push((piece, self.at, why.clone()));
        }
    }
}
