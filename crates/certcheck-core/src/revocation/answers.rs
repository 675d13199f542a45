//! The answers to requests.

use std::cell::OnceCell;

use super::{Answer, EvidenceRequest};

/// A source of answers.
pub(crate) trait AnswerSource {
    /// The answer to this request, if there is one.
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer>;

    /// The seed for nonces, from the caller.
    fn seed(&self) -> Option<[u8; 32]>;

    /// Whether no request can have an answer.
    fn is_empty(&self) -> bool;
}

/// The answers so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// As many as certificates have locations, within limits: few enough to search one by one.
    given: Vec<(EvidenceRequest, Answer)>,
    seed: Option<[u8; 32]>,
}

impl Answers {
    /// No answers. `seed` is for nonces.
    pub(crate) const fn new(seed: Option<[u8; 32]>) -> Self {
        Self { given: Vec::new(), seed }
    }

    /// Adds an answer. A later one replaces an earlier one.
    pub(crate) fn add(&mut self, ask: EvidenceRequest, answer: Answer) {
        match self.given.iter_mut().find(|(known, _)| *known == ask) {
            Some((_, known)) => *known = answer,
            None => self.given.push((ask, answer)),
        }
    }
}

impl AnswerSource for Answers {
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer> {
        self.given.iter().find(|(known, _)| known == ask).map(|(_, answer)| answer)
    }

    fn seed(&self) -> Option<[u8; 32]> {
        self.seed
    }

    fn is_empty(&self) -> bool {
        self.given.is_empty()
    }
}

/// The function that looks up answers: from a cache, for example.
pub type AnswerFn<'f> = &'f dyn Fn(&EvidenceRequest) -> Option<Answer>;

/// The answers so far, and others that are looked up on demand, each only once.
pub(crate) struct AnswersWith<'f> {
    given: &'f Answers,
    source: AnswerFn<'f>,
    first: OnceCell<Box<Entry>>,
}

/// An entry. There are as many as certificates have locations, few enough to search one by one.
struct Entry {
    ask: EvidenceRequest,
    answer: Answer,
    next: OnceCell<Box<Self>>,
}

impl<'f> AnswersWith<'f> {
    pub(crate) const fn new(given: &'f Answers, source: AnswerFn<'f>) -> Self {
        Self { given, source, first: OnceCell::new() }
    }

    /// The answers that were looked up.
    pub(crate) fn into_found(self) -> Vec<(EvidenceRequest, Answer)> {
        let mut found = Vec::new();
        let mut place = self.first;
        while let Some(entry) = place.into_inner() {
            let Entry { ask, answer, next } = *entry;
            found.push((ask, answer));
            place = next;
        }
        found
    }
}

impl AnswerSource for AnswersWith<'_> {
    fn get(&self, ask: &EvidenceRequest) -> Option<&Answer> {
        if let Some(known) = self.given.get(ask) {
            return Some(known);
        }
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
        self.given.seed()
    }

    fn is_empty(&self) -> bool {
        false
    }
}
