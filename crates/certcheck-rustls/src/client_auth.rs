//! What is asked of clients.

/// Whether a client is asked for a certificate, and whether it is checked (AT-TLS: ClientAuthType).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Asked for, and accepted without a check. All that is known is that the client has its key. For applications
    /// that decide themselves.
    PassThru,
    /// Asked for. A certificate that is sent is checked, and a client without one is accepted without an identity
    /// (AT-TLS: Full).
    IfSent,
    /// Asked for and required (AT-TLS: Required).
    #[default]
    Required,
}

impl ClientAuth {
    /// Whether a certificate that is sent is checked.
    pub(crate) const fn is_checked(self) -> bool {
        !matches!(self, Self::PassThru)
    }
}
