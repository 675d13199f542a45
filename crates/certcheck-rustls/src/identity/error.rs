//! Why a certificate does not say who its subject is.

use core::fmt;

use certcheck_core::Verdict;
use certcheck_core::der::ViewFault;

use data_encoding::HEXLOWER;

use super::edipi::Edipi;

/// Characters of an offending name that are told.
const MAX_SHOWN: usize = 128;

/// Why an identity, or one name of it, cannot be had. A name is refused whole: none is cut, repaired or passed over in
/// favour of another.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The report is not one of acceptance.
    NotAccepted {
        /// What the report came to.
        verdict: Verdict,
    },
    /// What holds the name does not read.
    Malformed(ViewFault),
    /// A name that nobody may be known by.
    Refused {
        /// Which name, and where it stands.
        what: &'static str,
        /// The name, escaped and at most 128 characters of it; bytes as hexadecimal.
        name: String,
        /// What is wrong with it.
        flaw: &'static str,
    },
    /// Several names where only one identifies.
    Ambiguous {
        /// Which name, and where they stand.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Two places say different EDIPIs.
    EdipiMismatch {
        /// The one found first.
        first: Edipi,
        /// The other.
        second: Edipi,
    },
}

impl IdentityError {
    /// The stable word, the same for all.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "no-identity"
    }

    /// What would mend it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotAccepted { .. } => "look in the report for the reason",
            Self::Malformed(_) => "have the certificate issued again by software that follows its profile",
            Self::Refused { .. } => "have the certificate issued again with a name that its profile allows",
            Self::Ambiguous { .. } => "have the certificate issued again with one of them",
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
        // The last byte that is shown and one more, so that a cut is told.
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
                    "a certificate that is not accepted identifies nobody; its verdict is {}",
                    verdict.code()
                )?;
            }
            Self::Malformed(fault) => write!(f, "{fault}")?,
            Self::Refused { what, name, flaw } => write!(f, "{what} \"{name}\" {flaw}")?,
            Self::Ambiguous { what, count } => {
                write!(f, "{what} stands there {count} times, which names nobody")?
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
