//! Where each value of a configuration comes from.

use core::fmt;
use std::collections::BTreeMap;

use super::fault::Place;

/// The most validation listeners, and the most policies and routes of one.
pub(super) const MAX_VALIDATIONS: usize = 64;
/// The number from which on validation listeners and their policies are counted. No listener has it.
const VALIDATIONS: usize = usize::MAX / 4;

/// The number of a validation listener, which is that of its first policy too.
pub(crate) const fn validation_number(validation: usize) -> usize {
    validation_policy_number(validation, 0)
}

/// The number of a policy of a validation listener.
pub(crate) const fn validation_policy_number(validation: usize, policy: usize) -> usize {
    VALIDATIONS + validation * (MAX_VALIDATIONS + 1) + policy
}

/// Whether a number is that of a validation listener.
pub(super) const fn is_validation(number: usize) -> bool {
    VALIDATIONS <= number && number < validation_policy_number(MAX_VALIDATIONS, MAX_VALIDATIONS)
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
pub struct Origins(BTreeMap<(Option<usize>, String), ValueOrigin>);

impl Origins {
    /// Notes where the value of a key comes from: of a listener by its number from 0, or of the configuration as a
    /// whole.
    pub fn note(&mut self, listener: Option<usize>, key: impl Into<String>, origin: ValueOrigin) {
        self.0.insert((listener, key.into()), origin);
    }

    /// Notes what is known of one listener for another one too.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        let of_from = |((listener, key), origin): (&(Option<usize>, String), &ValueOrigin)| {
            (*listener == Some(from)).then(|| ((Some(to), key.clone()), origin.clone()))
        };
        let copied: Vec<_> = self.0.iter().filter_map(of_from).collect();
        self.0.extend(copied);
    }

    /// Notes the origins of other listeners, which follow those before this number.
    pub(super) fn append(&mut self, others: &Self, before: usize) {
        let moved = others.0.iter().filter_map(|((listener, key), origin)| {
            Some(((Some((*listener)? + before), key.clone()), origin.clone()))
        });
        self.0.extend(moved);
    }

    /// Where the value of a key comes from.
    #[must_use]
    pub fn of(&self, listener: Option<usize>, key: &str) -> ValueOrigin {
        self.0.get(&(listener, key.to_owned())).cloned().unwrap_or_default()
    }

    /// The place of a key's value in a file, if it is in one.
    #[must_use]
    pub fn place(&self, listener: Option<usize>, key: &str) -> Option<Place> {
        match self.of(listener, key) {
            ValueOrigin::File(place) => Some(place),
            ValueOrigin::Default | ValueOrigin::Flag(_) => None,
        }
    }
}
