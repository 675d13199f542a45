//! The answers to requests.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Answer, EvidenceRequest};

/// A source of answers.
pub(crate) trait AnswerSource {
    /// The answer to this request, if there is one.
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer>;

    /// The seed for nonces, from the caller.
    fn seed(&self) -> Option<[u8; 32]>;
}

/// The answers so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) given: HashMap<EvidenceRequest, Answer>,
    pub(crate) seed: Option<[u8; 32]>,
}

impl AnswerSource for Answers {
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer> {
        self.given.get(ask)
    }

    fn seed(&self) -> Option<[u8; 32]> {
        self.seed
    }
}

/// Answers that are looked up on demand, each only once.
pub(crate) struct LazyAnswers<'f> {
    source: &'f dyn Fn(&EvidenceRequest) -> Option<Answer>,
    seed: Option<[u8; 32]>,
    first: OnceCell<Box<Entry>>,
}

/// An entry. There are as many as one certificate has locations, few enough to search one by one.
struct Entry {
    ask: EvidenceRequest,
    answer: Answer,
    next: OnceCell<Box<Self>>,
}

impl<'f> LazyAnswers<'f> {
    pub(crate) const fn new(
        source: &'f dyn Fn(&EvidenceRequest) -> Option<Answer>,
        seed: Option<[u8; 32]>,
    ) -> Self {
        Self { source, seed, first: OnceCell::new() }
    }
}

impl AnswerSource for LazyAnswers<'_> {
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer> {
        let mut place = &self.first;
        while let Some(entry) = place.get() {
            if entry.ask == *ask {
                return Some(&entry.answer);
            }
            place = &entry.next;
        }
        let answer = (self.source)(ask)?;
        let entry = Entry { ask: ask.clone(), answer, next: OnceCell::new() };
        Some(&place.get_or_init(|| Box::new(entry)).answer)
    }

    fn seed(&self) -> Option<[u8; 32]> {
        self.seed
    }
}
