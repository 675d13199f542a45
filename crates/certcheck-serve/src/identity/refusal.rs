//! Why a client whose certificate is good is refused.

use core::fmt;

use certcheck_rustls::IdentityError;

/// How much of a user name is shown.
const SHOWN: usize = 80;

/// Why a client whose certificate is good is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AccessRefusal {
    /// No allow rule matches.
    NotAllowed,
    /// A user is required, and the client has no certificate.
    NoCertificate,
    /// A user is required, and no rule finds one.
    NoUser,
    /// A name of the certificate must not be relied on.
    Name(IdentityError),
    /// The certificate has several names, and a rule needs one.
    Several {
        /// Which name.
        name: &'static str,
        /// How many.
        count: usize,
    },
    /// A value has the text that separates it from the next one in the template.
    Ambiguous {
        /// The value.
        value: String,
        /// The text between the two.
        separator: String,
    },
    /// A name has a sign that ends it where it is written.
    Unwritable {
        /// The name.
        name: String,
    },
    /// The user name that a rule makes must not be used.
    BadUser {
        /// The user name.
        user: String,
        /// What is wrong with it.
        flaw: &'static str,
    },
}

impl AccessRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            _ => "no-identity",
        }
    }

    /// What would help.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotAllowed => "add an allow rule that the certificate matches",
            Self::NoCertificate => "have the client send a certificate",
            Self::NoUser => "add a rule under `identity.rule` that the certificate matches",
            Self::Name(error) => error.hint(),
            Self::Several { .. } => {
                "have the certificate issued again with only one of them, or use another name"
            }
            Self::Unwritable { .. } => {
                "have the certificate issued again with a name that its profile allows"
            }
            Self::Ambiguous { .. } => "use another text between the two, or a rule for this client",
            Self::BadUser { .. } => "add a rule for this client that makes another user name",
        }
    }
}

impl From<IdentityError> for AccessRefusal {
    fn from(error: IdentityError) -> Self {
        Self::Name(error)
    }
}

impl fmt::Display for AccessRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => write!(f, "the certificate is good, but no allow rule matches it"),
            Self::NoCertificate => write!(f, "a client without a certificate has no user"),
            Self::NoUser => write!(f, "the certificate is good, but no rule finds a user for it"),
            // It has its hint already.
            Self::Name(error) => return error.fmt(f),
            Self::Several { name, count } => {
                write!(f, "{name} occurs {count} times, so it identifies nobody")
            }
            Self::Ambiguous { value, separator } => {
                write!(
                    f,
                    "the value {:?} has {separator:?} in it, which ends it in the template",
                    short(value)
                )
            }
            Self::Unwritable { name } => {
                write!(f, "the name {:?} has a sign that no such name has", short(name))
            }
            Self::BadUser { user, flaw } => write!(f, "the user name {:?} {flaw}", short(user)),
        }?;
        write!(f, "; {}", self.hint())
    }
}

fn short(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

impl core::error::Error for AccessRefusal {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Name(error) => Some(error),
            _ => None,
        }
    }
}
