//! The path above a leaf that was found good, ready for the next: another leaf with the same profile costs one signature
//! and its own rules.
//!
//! Leaves with one profile (`leaf_profile`) have everything in common that RFC 5280 6.1 reads of a target but its serial
//! number, names, validity and key. So the search finds the same path for each of them, and validation of what stands
//! above, the policies included, comes to the same, as long as no certificate that the search looks at begins or ends to
//! be valid. What is left is asked of each leaf again, and so is every piece of evidence.
//!
//! The fast path accepts or says nothing: a leaf that it does not accept is checked as if there were none, so that refusals
//! are explained by the whole engine.

mod issuer_path;
mod leaf_candidate;
mod leaf_profile;

pub use issuer_path::{FastAccept, IssuerPath, IssuerStatuses};
pub use leaf_candidate::LeafCandidate;
