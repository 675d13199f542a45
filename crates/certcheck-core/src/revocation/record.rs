//! A record of the evaluated evidence, if a report needs one.

use super::Dismissal;
use super::evidence::Piece;

/// The results for the evaluated evidence.
#[derive(Debug, Default)]
pub(super) struct Record<'e> {
    /// The position of the certificate whose status is being determined.
    pub(super) at: usize,
    /// The pieces that were used, and for which certificate.
    pub(super) counted: Vec<(Piece<'e>, usize)>,
    pub(super) dismissed: Vec<(Piece<'e>, usize, Dismissal)>,
}

impl<'e> Record<'e> {
    /// Records that a piece of evidence was used.
    pub(super) fn count(&mut self, piece: Piece<'e>) {
        self.counted.push((piece, self.at));
    }

    /// Records why a piece of evidence was not used.
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
