//! What trust in an anchor is bound to (RFC 5937), beside what its own certificate says.

use crate::oid::OidBuf;
use crate::policy::NameSubtrees;
use crate::time::Time;

/// Constraints from a ring's settings. They add to those of the anchor's certificate; they lift none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnchorConstraints {
    /// Names that may and may not stand below (RFC 5937 3.2, nameConstr).
    pub names: Option<NameSubtrees>,
    /// How many intermediates that are not self-issued may follow.
    pub path_len: Option<u32>,
    /// The policies, in the anchor's domain, that it may vouch for. `None` is all.
    pub policies: Option<Vec<OidBuf>>,
    /// Whether a policy must hold for the whole path.
    pub require_explicit_policy: bool,
    /// The purposes for which it is trusted. `None` is all.
    pub purposes: Option<Vec<OidBuf>>,
    /// The last second of trust, always enforced: someone wrote it down.
    pub not_after: Option<Time>,
}
