//! The TLS alerts for reasons.

use super::Reason;

/// The class of a reason among the TLS alerts for certificates (RFC 8446 6.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a TLS stack must decide about every class")]
pub enum AlertClass {
    /// The certificate cannot be parsed, or violates its profile: bad_certificate.
    Malformed,
    /// A signature does not verify: bad_certificate.
    BadSignature,
    /// A critical extension is not supported: unsupported_certificate.
    UnhandledCriticalExtension,
    /// The certificate must not be used for this purpose: unsupported_certificate.
    InvalidPurpose,
    /// The certificate is revoked: certificate_revoked.
    Revoked,
    /// The certificate has expired: certificate_expired.
    Expired,
    /// The certificate is not valid yet: certificate_expired.
    NotYetValid,
    /// No path leads to an anchor: unknown_ca.
    UnknownCa,
    /// Anything else: certificate_unknown.
    Other,
}

impl Reason {
    /// The class of TLS alert. An unknown revocation status is neither an unknown CA nor a fault of the client. Like
    /// everything for which TLS has no alert, it is [`AlertClass::Other`].
    #[must_use]
    pub fn alert_class(&self) -> AlertClass {
        match self {
            Self::Malformed(_) | Self::NoSubjectName | Self::Profile(_) => AlertClass::Malformed,
            // A malformed key, not a weak one.
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
