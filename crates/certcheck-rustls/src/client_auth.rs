//! What is asked of clients.

/// Whether a certificate is asked for, and what becomes of it (AT-TLS: ClientAuthType).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Asked for, and taken as it is: that the client has its key is all that is known. For applications that decide
    /// themselves.
    PassThru,
    /// Asked for; whoever sends one has it checked, whoever sends none comes in without a name (AT-TLS: Full).
    IfSent,
    /// Asked for and demanded (AT-TLS: Required).
    #[default]
    Required,
}

impl ClientAuth {
    /// Whether a certificate that is sent is checked.
    pub(crate) const fn is_checked(self) -> bool {
        !matches!(self, Self::PassThru)
    }
}
