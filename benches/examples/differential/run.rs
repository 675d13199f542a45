//! Cases in, agreement and differences out.

use std::collections::BTreeMap;

use crate::case::{Answer, Case, Direction, Kind, Oracle, Word};
use crate::explain::{Difference, explain};
use crate::forge::Forge;
use crate::ours::Ours;
use crate::webpki::WebPki;

/// Those who are asked.
pub(crate) struct Judges {
    ours: Ours,
    webpki: WebPki,
    #[cfg(feature = "openssl")]
    openssl: crate::openssl::OpenSsl,
}

impl Judges {
    pub(crate) fn new(root: &[u8]) -> Self {
        Self {
            ours: Ours::new(root),
            webpki: WebPki::new(root),
            #[cfg(feature = "openssl")]
            openssl: crate::openssl::OpenSsl::new(root),
        }
    }

    pub(crate) fn ours(&self, case: &Case) -> Answer {
        self.ours.ask(case)
    }

    pub(crate) fn others(&self, case: &Case) -> Vec<(Oracle, Answer)> {
        let mut said = Vec::new();
        said.extend(self.webpki.ask(case).map(|answer| (Oracle::Webpki, answer)));
        #[cfg(feature = "openssl")]
        said.push((Oracle::OpenSsl, self.openssl.ask(case)));
        said
    }
}

/// How often two judges agree, by word, and how often not.
#[derive(Clone, Copy, Default)]
pub(crate) struct Agreement {
    pub(crate) good: u64,
    pub(crate) revoked: u64,
    pub(crate) refused: u64,
    pub(crate) differ: Directions,
}

/// By direction, in the order of [`Direction::ALL`].
pub(crate) type Directions = [u64; Direction::ALL.len()];

/// A difference without an explanation: what both say, and an example.
pub(crate) struct Unexplained {
    pub(crate) count: u64,
    pub(crate) number: u64,
    pub(crate) case: Case,
}

/// By judge, kind and direction, and what both said.
pub(crate) type Puzzle = (Oracle, Kind, Direction, String, String);

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) agreement: BTreeMap<(Kind, Oracle), Agreement>,
    /// By explanation (its place in the table), judge and direction.
    pub(crate) explained: BTreeMap<(usize, Oracle, Direction), u64>,
    pub(crate) unexplained: BTreeMap<Puzzle, Unexplained>,
    pub(crate) asked: BTreeMap<Kind, u64>,
}

impl Tally {
    /// Asks about so many cases of a kind, from a number on.
    pub(crate) fn run(&mut self, forge: &Forge, judges: &Judges, kind: Kind, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let case = forge.case(kind, number);
            *self.asked.entry(kind).or_default() += 1;
            let ours = judges.ours(&case);
            for (oracle, theirs) in judges.others(&case) {
                self.compare(number, &case, &ours, oracle, &theirs);
            }
        }
    }

    fn compare(&mut self, number: u64, case: &Case, ours: &Answer, oracle: Oracle, theirs: &Answer) {
        let agreement = self.agreement.entry((case.kind, oracle)).or_default();
        let Some(direction) = Direction::of(ours.word, theirs.word) else {
            match ours.word {
                Word::Good => agreement.good += 1,
                Word::Revoked => agreement.revoked += 1,
                Word::Refused => agreement.refused += 1,
            }
            return;
        };
        let place = Direction::ALL.iter().position(|known| *known == direction).unwrap_or(0);
        agreement.differ[place] += 1;
        let difference = Difference { case, oracle, direction, ours: &ours.why, theirs: &theirs.why };
        if let Some(at) = explain(&difference) {
            *self.explained.entry((at, oracle, direction)).or_default() += 1;
            return;
        }
        let puzzle = (oracle, case.kind, direction, ours.why.clone(), theirs.why.clone());
        let fresh = || Unexplained { count: 0, number, case: case.clone() };
        self.unexplained.entry(puzzle).or_insert_with(fresh).count += 1;
    }

    /// What is not explained, one line for each way of it.
    pub(crate) fn puzzles(&self) -> String {
        let line = |((oracle, kind, direction, ours, theirs), unexplained): (&Puzzle, &Unexplained)| {
            let Unexplained { count, number, case } = unexplained;
            let (oracle, kind, direction) = (oracle.name(), kind.name(), direction.name());
            format!(
                "{count:6} {kind} {oracle} {direction} | we: {ours} | they: {theirs} | number {number}: {}\n",
                case.changes
            )
        };
        self.unexplained.iter().map(line).collect()
    }
}
