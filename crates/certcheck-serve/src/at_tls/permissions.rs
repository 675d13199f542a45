//! What an administrator allows.

use std::collections::BTreeSet;

use super::vocabulary::Permission;

/// The permissions that were given. None by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Permissions {
    given: BTreeSet<Permission>,
    has_user_rules: bool,
}

impl Permissions {
    /// Whether a permission was given.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        self.given.contains(&permission)
    }

    /// The same where the configuration has rules that find users, as `SAFCheck` needs them.
    #[must_use]
    pub fn with_user_rules(self) -> Self {
        Self { has_user_rules: true, ..self }
    }

    /// Whether the configuration has rules that find users.
    #[must_use]
    pub const fn has_user_rules(&self) -> bool {
        self.has_user_rules
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self { given: permissions.into_iter().collect(), has_user_rules: false }
    }
}
