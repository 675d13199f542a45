//! Reasons of revocations.

use core::fmt;

use crate::der::{Tlv, ViewFault, unsigned};

/// The reasonCode of a revocation (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// Code 0. Also if no reason is given.
    Unspecified,
    /// Code 1.
    KeyCompromise,
    /// Code 2.
    CaCompromise,
    /// Code 3.
    AffiliationChanged,
    /// Code 4.
    Superseded,
    /// Code 5.
    CessationOfOperation,
    /// Code 6. A hold may be lifted.
    CertificateHold,
    /// Code 8. Only in delta CRLs.
    RemoveFromCrl,
    /// Code 9.
    PrivilegeWithdrawn,
    /// Code 10.
    AaCompromise,
    /// Code 11, in X.509 since 2019.
    WeakAlgorithmOrKey,
    /// Another code. Deviation: RFC 5280 5.3.1 has ten codes, and a certificate that is revoked with another one is
    /// revoked all the same.
    Other(u32),
}

impl RevocationReason {
    /// The reason with this code, if it has a name. 7 is unused.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            11 => Self::WeakAlgorithmOrKey,
            _ => return None,
        })
    }

    /// Parses the reason in an ENUMERATED.
    pub(crate) fn parse(tlv: Tlv<'_>, field: &'static str) -> Result<Self, ViewFault> {
        let code = unsigned(tlv, field)?;
        let known = u8::try_from(code).ok().and_then(Self::from_code);
        Ok(known.unwrap_or(Self::Other(code)))
    }

    /// The name in the ASN.1 module, or `unknown` if it has none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
            Self::WeakAlgorithmOrKey => "weakAlgorithmOrKey",
            Self::Other(_) => "unknown",
        }
    }
}

/// Writes the name, or `unknown-` and the code.
impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "unknown-{code}"),
            known => f.write_str(known.name()),
        }
    }
}
