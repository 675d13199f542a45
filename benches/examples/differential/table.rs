//! The explanations.

use crate::explain::Explanation;

pub(crate) const TABLE: &[Explanation] = &[];
