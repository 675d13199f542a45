//! The number by which the US Department of Defense identifies a person.

use core::fmt;

use super::names::clean;
use super::{Identity, IdentityError};

const COMMON_NAME: &str = "common name of the subject";
const DIGITS: usize = 10;

/// An Electronic Data Interchange Personal Identifier, also DoD ID number: ten digits. Displays as such.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Edipi([u8; DIGITS]);

impl Edipi {
    /// Parses exactly ten ASCII digits.
    #[must_use]
    pub fn from_digits(text: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits are ASCII.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// From `1234567890@mil`, where further digits may follow the ten.
    fn of_upn(upn: &str) -> Option<Self> {
        let (local, domain) = upn.rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case("mil") || !local.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::from_digits(local.get(..DIGITS)?)
    }

    /// From `LAST.FIRST.M.1234567890`: what follows the last dot.
    fn of_common_name(name: &str) -> Option<Self> {
        let (_, digits) = name.rsplit_once('.')?;
        Self::from_digits(digits)
    }
}

impl fmt::Display for Edipi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Edipi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edipi({self})")
    }
}

impl Identity {
    /// The EDIPI: from a UPN `1234567890...@mil`, else from a common name `LAST.FIRST.M.1234567890`. `None` if neither
    /// is of that form.
    ///
    /// A common name counts because CAs of the DoD put the number there. From any other CA it is a text that looks
    /// like one. Use this only for identities whose [`anchor`](Self::anchor) or [`policies`](Self::policies) are the
    /// DoD's.
    ///
    /// # Errors
    /// If the UPN and the common names differ, if a common name with an EDIPI has control characters, or if
    /// [`upn`](Self::upn) fails.
    pub fn edipi(&self) -> Result<Option<Edipi>, IdentityError> {
        let mut known = self.upn()?.and_then(Edipi::of_upn);
        for name in self.common_names().flatten() {
            let Some(edipi) = Edipi::of_common_name(&name) else { continue };
            clean(COMMON_NAME, &name)?;
            let first = *known.get_or_insert(edipi);
            if first != edipi {
                return Err(IdentityError::EdipiMismatch { first, second: edipi });
            }
        }
        Ok(known)
    }
}
