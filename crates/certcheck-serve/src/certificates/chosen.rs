//! Which certificates come into question for a name.

use std::collections::HashMap;

use super::pair::Pair;
use crate::config::UnknownSni;

/// Certificates by the names that they have.
pub(super) struct Chosen {
    pairs: Vec<Pair>,
    /// The numbers of the certificates with a name, which may begin with `*.`.
    by_name: HashMap<String, Vec<usize>>,
    unknown: UnknownSni,
    all: Vec<usize>,
}

impl Chosen {
    pub(super) fn new(pairs: Vec<Pair>, unknown: UnknownSni) -> Self {
        let mut by_name = HashMap::<String, Vec<usize>>::new();
        for (number, pair) in pairs.iter().enumerate() {
            for name in &pair.names {
                let numbers = by_name.entry(name.clone()).or_default();
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
        }
        let all = (0..pairs.len()).collect();
        Self { pairs, by_name, unknown, all }
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The certificates for a name, in the order of the configuration: those that have it, or else those with a
    /// wildcard for it (RFC 6125 6.4.3).
    pub(super) fn candidates(&self, name: Option<&str>) -> impl Iterator<Item = &Pair> {
        let numbers = match name.map(|name| name.trim_end_matches('.').to_ascii_lowercase()) {
            None => Some(&self.all),
            Some(name) => {
                let parent = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
                let known = self.by_name.get(&name).or_else(|| self.by_name.get(&parent()?));
                known.or_else(|| (self.unknown == UnknownSni::Default).then_some(&self.all))
            }
        };
        numbers.into_iter().flatten().filter_map(|number| self.pairs.get(*number))
    }
}
