//! Where each value of a configuration comes from.

use core::fmt;
use std::collections::BTreeMap;

use super::fault::Place;

/// A part of a configuration that has keys of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Section {
    /// The keys outside all tables, and those of `[admin]` and `[log]`.
    Top,
    /// The mirror.
    Mirror,
    /// A listener, by its number from 0.
    Listener(usize),
    /// A validation listener, by its number from 0, with its first policy.
    Validation(usize),
    /// Another policy of a validation listener, by both numbers.
    Policy(usize, usize),
}

impl Section {
    /// The section of a policy of a validation listener. The first policy is in the table of the listener.
    pub(crate) const fn of_policy(validation: usize, policy: usize) -> Self {
        match policy {
            0 => Self::Validation(validation),
            _ => Self::Policy(validation, policy),
        }
    }
}

/// A listener by its number, or the configuration as a whole.
impl From<Option<usize>> for Section {
    fn from(listener: Option<usize>) -> Self {
        listener.map_or(Self::Top, Self::Listener)
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValueOrigin {
    /// It is the default.
    #[default]
    Default,
    /// A place in a file.
    File(Place),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{place}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// The origins of the values that are not defaults.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origins(BTreeMap<(Section, String), ValueOrigin>);

impl Origins {
    /// Notes where the value of a key comes from.
    pub fn note(&mut self, section: impl Into<Section>, key: impl Into<String>, origin: ValueOrigin) {
        self.0.insert((section.into(), key.into()), origin);
    }

    /// Notes what is known of one listener for another one too.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        let of_from = |((section, key), origin): (&(Section, String), &ValueOrigin)| {
            (*section == Section::Listener(from))
                .then(|| ((Section::Listener(to), key.clone()), origin.clone()))
        };
        let copied: Vec<_> = self.0.iter().filter_map(of_from).collect();
        self.0.extend(copied);
    }

    /// Notes the origins of other listeners, which follow those before this number.
    pub(super) fn append(&mut self, others: &Self, before: usize) {
        let moved = others.0.iter().filter_map(|((section, key), origin)| {
            let Section::Listener(number) = *section else { return None };
            Some(((Section::Listener(number + before), key.clone()), origin.clone()))
        });
        self.0.extend(moved);
    }

    /// Where the value of a key comes from.
    #[must_use]
    pub fn of(&self, section: impl Into<Section>, key: &str) -> ValueOrigin {
        self.0.get(&(section.into(), key.to_owned())).cloned().unwrap_or_default()
    }

    /// The place of a key's value in a file, if it is in one.
    #[must_use]
    pub fn place(&self, section: impl Into<Section>, key: &str) -> Option<Place> {
        match self.of(section, key) {
            ValueOrigin::File(place) => Some(place),
            ValueOrigin::Default | ValueOrigin::Flag(_) => None,
        }
    }
}
