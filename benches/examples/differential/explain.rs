//! Why they disagree.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Disagreement, Said};

/// What was asked about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    Path,
    Crl,
    Ocsp,
}

/// Who was asked beside certcheck.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Peer {
    Webpki,
    OpenSsl,
}

/// An explanation, and when it is one: of what, with whom, what was said, and words of the reasons.
struct Explanation {
    kind: Kind,
    peer: Option<Peer>,
    ours: &'static str,
    theirs: &'static str,
    /// One of these begins, or stands in, our reason; any if there is none.
    our_words: &'static [&'static str],
    their_words: &'static [&'static str],
    text: &'static str,
}

const ALL: &[Explanation] = &[];

impl Explanation {
    fn explains(&self, (kind, peer, ours, theirs): &Disagreement) -> bool {
        let has = |words: &[&str], said: &Said| {
            words.is_empty() || words.iter().any(|word| said.why().contains(word))
        };
        self.kind == *kind
            && self.peer.is_none_or(|known| known == *peer)
            && self.ours == ours.word()
            && self.theirs == theirs.word()
            && has(self.our_words, ours)
            && has(self.their_words, theirs)
    }
}

/// The table, and what it has no row for.
pub struct Page<'f> {
    pub text: String,
    pub unexplained: Vec<(&'f Disagreement, &'f (u64, Vec<u8>))>,
    pub has_unexplained: bool,
}

pub fn page<'f>(
    asked: &BTreeMap<(Kind, Peer), [u64; 2]>,
    found: &'f BTreeMap<Disagreement, (u64, Vec<u8>)>,
    count: u64,
    seed: u64,
) -> Page<'f> {
    let mut text = format!("{count} cases, seed {seed}\n\n");
    for ((kind, peer), [all, agreed]) in asked {
        let _ = writeln!(text, "{kind:?} {peer:?}: {all} asked, {agreed} agreed, {} not", all - agreed);
    }
    let unexplained: Vec<_> =
        found.iter().filter(|(key, _)| !ALL.iter().any(|known| known.explains(key))).collect();
    let has_unexplained = !unexplained.is_empty();
    Page { text, unexplained, has_unexplained }
}
