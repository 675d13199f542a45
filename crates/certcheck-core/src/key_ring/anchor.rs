//! Constraints on trust in an anchor (RFC 5937), in addition to those in its certificate.

use crate::oid::OidBuf;
use crate::policy::NameSubtrees;
use crate::time::Time;

/// Constraints on an anchor from the settings of a ring. They add to those in its certificate and remove none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnchorConstraints {
    /// Names that are permitted and excluded below the anchor (RFC 5937 3.2, nameConstr).
    pub names: Option<NameSubtrees>,
    /// How many intermediates that are not self-issued may follow.
    pub path_len: Option<u32>,
    /// The policies, in the anchor's domain, for which it is trusted. `None` is all.
    pub policies: Option<Vec<OidBuf>>,
    /// Whether a policy must hold for the whole path.
    pub require_explicit_policy: bool,
    /// The purposes for which it is trusted. `None` is all.
    pub purposes: Option<Vec<OidBuf>>,
    /// The last second of trust. Always enforced, because it was set on purpose.
    pub not_after: Option<Time>,
}
