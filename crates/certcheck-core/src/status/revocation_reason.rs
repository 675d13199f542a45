//! Why a certificate was revoked.

use core::fmt;

use crate::der::{Tlv, ViewFault, unsigned};

/// reasonCode (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// 0, also where no reason is given.
    Unspecified,
    /// 1
    KeyCompromise,
    /// 2
    CaCompromise,
    /// 3
    AffiliationChanged,
    /// 4
    Superseded,
    /// 5
    CessationOfOperation,
    /// 6: may be lifted again.
    CertificateHold,
    /// 8: only in delta CRLs.
    RemoveFromCrl,
    /// 9
    PrivilegeWithdrawn,
    /// 10
    AaCompromise,
    /// 11, of X.509 since 2019.
    WeakAlgorithmOrKey,
    /// Another, by its number. What is revoked for a reason that is not known is revoked (deviation: RFC 5280 5.3.1 has
    /// ten).
    Other(u32),
}

impl RevocationReason {
    /// From the number, if it has a name; 7 is unused.
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

    /// The reason in an ENUMERATED.
    pub(crate) fn parse(tlv: Tlv<'_>, field: &'static str) -> Result<Self, ViewFault> {
        let code = unsigned(tlv, field)?;
        let known = u8::try_from(code).ok().and_then(Self::from_code);
        Ok(known.unwrap_or(Self::Other(code)))
    }

    /// The name in the ASN.1 module; `unknown` for what is not in it.
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

/// The name, or `unknown-` and the number.
impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "unknown-{code}"),
            known => f.write_str(known.name()),
        }
    }
}
