//! Why a certificate does not identify its subject.

use core::fmt;

use certcheck_core::Verdict;
use certcheck_core::der::ViewFault;

use data_encoding::HEXLOWER;

use super::edipi::Edipi;

/// Characters of a bad name that are shown.
const MAX_SHOWN: usize = 128;

/// Why an identity, or one of its names, cannot be returned. A name is refused whole: it is never cut, repaired or
/// skipped in favour of another.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The report does not accept the certificate.
    NotAccepted {
        /// The verdict of the report.
        verdict: Verdict,
    },
    /// The field that holds the name cannot be parsed.
    Malformed(ViewFault),
    /// A name that must not identify anyone.
    Refused {
        /// Which name, and in which field.
        what: &'static str,
        /// The name, escaped and cut to 128 characters. Bytes are in hexadecimal.
        name: String,
        /// What is wrong with it.
        flaw: &'static str,
    },
    /// Several names where only one identifies.
    Ambiguous {
        /// Which name, and in which field.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Two fields have different EDIPIs.
    EdipiMismatch {
        /// The one found first.
        first: Edipi,
        /// The other.
        second: Edipi,
    },
}

impl IdentityError {
    /// The stable code, the same for all.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "no-identity"
    }

    /// What would help.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotAccepted { .. } => "look in the report for the reason",
            Self::Malformed(_) => "have the certificate issued again by software that follows its profile",
            Self::Refused { .. } => "have the certificate issued again with a name that its profile allows",
            Self::Ambiguous { .. } => "have the certificate issued again with only one of them",
            Self::EdipiMismatch { .. } => "have the certificate issued again for one person",
        }
    }

    pub(super) fn refused(what: &'static str, name: &str, flaw: &'static str) -> Self {
        let mut shown: String = name.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
        if name.chars().nth(MAX_SHOWN).is_some() {
            shown.push_str("...");
        }
        Self::Refused { what, name: shown, flaw }
    }

    pub(super) fn refused_bytes(what: &'static str, bytes: &[u8], flaw: &'static str) -> Self {
        // One byte more than is shown, so that a cut is visible.
        let name = HEXLOWER.encode(bytes.get(..MAX_SHOWN / 2 + 1).unwrap_or(bytes));
        Self::refused(what, &name, flaw)
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAccepted { verdict } => {
                write!(
                    f,
                    "the certificate was not accepted, so it identifies nobody: the verdict is {}",
                    verdict.code()
                )?;
            }
            Self::Malformed(fault) => write!(f, "{fault}")?,
            Self::Refused { what, name, flaw } => write!(f, "{what} \"{name}\" {flaw}")?,
            Self::Ambiguous { what, count } => {
                write!(f, "{what} occurs {count} times, so it identifies nobody")?
            }
            Self::EdipiMismatch { first, second } => {
                write!(f, "two EDIPIs, {first} and {second}, in one certificate")?
            }
        }
        write!(f, "; {}", self.hint())
    }
}

impl core::error::Error for IdentityError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(fault) => Some(fault),
            _ => None,
        }
    }
}
