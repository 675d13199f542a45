//! Which clients are accepted, and the user name of each: by rules over what their certificates say.
//!
//! ```text
//! Identity (of a client that was accepted) -> allow rules -> user rules, the first that matches -> user name
//! ```
//! Rules decide in addition to the check of the certificate, and never instead of it. They are functions of the
//! certificate alone: no clock, no network. What cannot be decided is refused:
//!
//! - A name with a control character, a NUL or a mark of direction ends the decision. No later rule is tried.
//! - Where a rule needs one name and the certificate has several, such as two common names, the decision ends too.
//! - A name that the certificate does not have makes a rule not match, and the next one is tried.

mod condition;
mod pattern;
mod refusal;
mod template;

use certcheck_rustls::Identity;

pub use condition::{Condition, Field};
pub use pattern::{Pattern, PatternFault};
pub use refusal::AccessRefusal;
pub use template::{Template, TemplateFault};

/// The longest user name, in bytes.
const MAX_USER: usize = 256;

/// Which clients are accepted, and how users are found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct AccessRules {
    /// A client must match one of them. Empty: every client whose certificate is good is accepted.
    pub allow: Vec<AllowRule>,
    /// How a user is found: the first rule that matches decides.
    pub users: Vec<UserRule>,
    /// Whether a client without a user is refused.
    pub is_user_required: bool,
    /// Whether user names may have characters beyond ASCII. They are compared by the service behind the front, and
    /// different ones can look the same.
    pub allow_non_ascii: bool,
}

/// A rule that accepts clients: all of its conditions hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by its users")]
pub struct AllowRule {
    /// The conditions, at least one.
    pub conditions: Vec<Condition>,
}

/// A rule that finds a user: all of its conditions hold, and the certificate has every name of the template.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by its users")]
pub struct UserRule {
    /// The user name, or how it is made of names in the certificate.
    pub user: Template,
    /// The conditions. Empty: they always hold.
    pub conditions: Vec<Condition>,
}

impl AccessRules {
    /// Whether there is nothing to decide.
    #[must_use]
    pub const fn are_empty(&self) -> bool {
        self.allow.is_empty() && self.users.is_empty() && !self.is_user_required
    }

    /// The user name of a client, if one is found. `identity` is `None` for a client without a certificate.
    ///
    /// # Errors
    /// Why the client is refused: with the code `not-allowed` if no allow rule matches, and `no-identity` if its
    /// user cannot be found or its names must not be relied on.
    pub fn user_of(&self, identity: Option<&Identity>) -> Result<Option<String>, AccessRefusal> {
        let Some(identity) = identity else {
            return match (self.allow.is_empty(), self.is_user_required) {
                (false, _) => Err(AccessRefusal::NotAllowed),
                (_, true) => Err(AccessRefusal::NoCertificate),
                _ => Ok(None),
            };
        };
        self.ensure_allowed(identity)?;
        for rule in &self.users {
            if !all_hold(&rule.conditions, identity)? {
                continue;
            }
            if let Some(user) = rule.user.fill(identity)? {
                return self.checked(user).map(Some);
            }
        }
        if self.is_user_required { Err(AccessRefusal::NoUser) } else { Ok(None) }
    }

    fn ensure_allowed(&self, identity: &Identity) -> Result<(), AccessRefusal> {
        let mut is_allowed = self.allow.is_empty();
        for rule in &self.allow {
            // A rule without conditions would accept everyone.
            is_allowed |= !rule.conditions.is_empty() && all_hold(&rule.conditions, identity)?;
        }
        if is_allowed { Ok(()) } else { Err(AccessRefusal::NotAllowed) }
    }

    /// The user name, unless a service could read it as another one.
    fn checked(&self, user: String) -> Result<String, AccessRefusal> {
        let flaw = if user.is_empty() {
            "is empty"
        } else if user.len() > MAX_USER {
            "is longer than 256 bytes"
        } else if user.trim() != user {
            "begins or ends with white space"
        } else if !user.is_ascii() && !self.allow_non_ascii {
            "has characters beyond ASCII, which `allow_non_ascii` would accept"
        } else {
            return Ok(user);
        };
        Err(AccessRefusal::BadUser { user, flaw })
    }
}

fn all_hold(conditions: &[Condition], identity: &Identity) -> Result<bool, AccessRefusal> {
    for condition in conditions {
        if !condition.holds(identity)? {
            return Ok(false);
        }
    }
    Ok(true)
}
