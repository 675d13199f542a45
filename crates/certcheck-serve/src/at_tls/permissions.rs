//! What an administrator allows.

use std::collections::BTreeSet;

use super::vocabulary::Permission;

/// The permissions that were given. None by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// Whether a permission was given.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}
