//! The fast path: an accepted path above a leaf is reused for other leaves with the same profile, at the cost of one
//! signature and the checks on the leaf.
//!
//! Leaves with one profile (`leaf_profile`) have everything in common that RFC 5280 6.1 uses of a target, except serial
//! number, names, validity and key. So the search finds the same path for each of them, and validating the rest of it,
//! including policies, gives the same result, as long as no certificate that the search considers becomes valid or
//! expires. The rest is checked for each leaf, and so is all evidence.
//!
//! The fast path accepts or decides nothing. A leaf that it does not accept goes through a full check, which explains
//! rejections.

mod issuer_path;
mod leaf_candidate;
mod leaf_profile;

pub use issuer_path::{FastAccept, IssuerPath, IssuerStatuses};
pub use leaf_candidate::LeafCandidate;
