//! Attributes of the subject (RFC 5280 4.1.2.6).

use std::borrow::Cow;

use certcheck_core::oid::Oid;

use super::names::clean;
use super::{Identity, IdentityError, text_of};

const WHAT: &str = "attribute of the subject";

impl Identity {
    /// Each value of an attribute of the subject, such as a common name, the one nearest to the root first. **Not an
    /// identity by itself**: CAs put any text there, and name constraints of other kinds of names do not bind it.
    ///
    /// # Errors
    /// If one of them is empty, has a control character, or is not text.
    pub fn subject_values(&self, attribute: Oid<'_>) -> Result<Vec<Cow<'_, str>>, IdentityError> {
        let certificate = self.view();
        let of_kind = certificate.subject().attributes().filter(|one| one.oid == attribute);
        of_kind
            .map(|one| {
                let text = text_of(one)
                    .ok_or_else(|| IdentityError::refused_bytes(WHAT, one.value, "is not text"))?;
                clean(WHAT, &text)?;
                Ok(text)
            })
            .collect()
    }
}
