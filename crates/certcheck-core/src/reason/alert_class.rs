//! What a reason is to TLS.

use super::Reason;

/// What a reason is among the alerts that TLS has for certificates (RFC 8446 6.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a TLS stack must decide about every class")]
pub enum AlertClass {
    /// The certificate cannot be parsed, or breaks its profile: bad_certificate.
    Malformed,
    /// A signature does not verify: bad_certificate.
    BadSignature,
    /// A critical extension is not processed: unsupported_certificate.
    UnhandledCriticalExtension,
    /// The certificate may not be used for this: unsupported_certificate.
    InvalidPurpose,
    /// It is revoked: certificate_revoked.
    Revoked,
    /// It is not valid any more: certificate_expired.
    Expired,
    /// It is not valid yet: certificate_expired.
    NotYetValid,
    /// No path leads to an anchor: unknown_ca.
    UnknownCa,
    /// Anything else: certificate_unknown.
    Other,
}

impl Reason {
    /// What it is to TLS. Revocation that is not known is neither an unknown CA nor the fault of the client: like all that
    /// TLS has no alert for, it is [`AlertClass::Other`].
    #[must_use]
    pub fn alert_class(&self) -> AlertClass {
        match self {
            Self::Malformed(_) | Self::NoSubjectName | Self::Profile(_) => AlertClass::Malformed,
            // A key whose form is wrong, and not one that is weak.
            Self::Key(_) if self.code() == "malformed" => AlertClass::Malformed,
            Self::BadSignature | Self::AlgorithmMismatch { .. } => AlertClass::BadSignature,
            Self::UnhandledCriticalExtension { .. } => AlertClass::UnhandledCriticalExtension,
            Self::KeyUsage { .. } | Self::ExtendedKeyUsage { .. } => AlertClass::InvalidPurpose,
            Self::CertificateRevoked(_) => AlertClass::Revoked,
            Self::Expired { .. } => AlertClass::Expired,
            Self::NotYetValid { .. } => AlertClass::NotYetValid,
            Self::UnknownIssuer => AlertClass::UnknownCa,
            Self::UnsupportedAlgorithm(_)
            | Self::Key(_)
            | Self::ExplicitCurve
            | Self::WeakKey { .. }
            | Self::WeakSignature { .. }
            | Self::Distrusted
            | Self::NotACa(_)
            | Self::PathLength
            | Self::NameMismatch { .. }
            | Self::NameConstraint { .. }
            | Self::Policy
            | Self::RevocationUnknown(_)
            | Self::LimitExceeded(_)
            | Self::Depth { .. }
            | Self::NoCertificate => AlertClass::Other,
        }
    }
}
