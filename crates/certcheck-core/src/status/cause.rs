//! Causes of an unknown revocation status.

use crate::remedy::Remedy;

/// Why a revocation status is unknown.
///
/// Later causes are more specific: of several, the last one is reported. But one that the policy does not tolerate is
/// reported before any that it tolerates.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Cause {
    /// The certificate names no source of evidence, and none was given.
    NoSource,
    /// No evidence for it was available, and none was fetched.
    NotTried,
    /// Its source failed so often that it is not asked for a while.
    BreakerOpen,
    /// Its source could not be reached.
    Unreachable,
    /// The network guard does not allow the address of its source.
    RefusedAddress,
    /// Evidence, or the work to validate it, exceeds the limits.
    TooLarge,
    /// Evidence from its issuer does not cover it: another partition, other reasons, other kinds of certificates.
    OutOfScope,
    /// A responder answered with an error.
    ResponderError,
    /// A responder does not know the certificate.
    ResponderUnknown,
    /// The thisUpdate of the evidence is in the future.
    NotYetValid,
    /// The signer of the evidence is not allowed to sign it.
    WrongSigner,
    /// Evidence is signed with an algorithm or key that the policy does not accept.
    Unsupported,
    /// The signature on the evidence does not verify.
    BadSignature,
    /// The OCSP response answers another request.
    NonceMismatch,
    /// Evidence cannot be parsed, or has an unknown critical extension.
    Malformed,
    /// Evidence is too old.
    Stale,
    /// Evidence is older than evidence seen before.
    Rollback,
    /// Two CRLs with the same number differ.
    Conflict,
}

impl Cause {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSource => "no-source",
            Self::NotTried => "not-tried",
            Self::BreakerOpen => "breaker-open",
            Self::Unreachable => "unreachable",
            Self::RefusedAddress => "refused-address",
            Self::TooLarge => "too-large",
            Self::OutOfScope => "out-of-scope",
            Self::ResponderError => "responder-error",
            Self::ResponderUnknown => "responder-unknown",
            Self::NotYetValid => "not-yet-valid",
            Self::WrongSigner => "wrong-signer",
            Self::Unsupported => "unsupported",
            Self::BadSignature => "bad-signature",
            Self::NonceMismatch => "nonce-mismatch",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::Rollback => "rollback",
            Self::Conflict => "conflict",
        }
    }

    /// The cause in a sentence, for reports.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoSource => {
                "the certificate names no source of revocation evidence, and no usable evidence was given"
            }
            Self::NotTried => "no revocation evidence for the certificate was given or fetched",
            Self::BreakerOpen => {
                "the source of revocation evidence failed too often and is not asked again yet"
            }
            Self::Unreachable => "the source of revocation evidence could not be reached",
            Self::RefusedAddress => "the address of the source of revocation evidence is not allowed",
            Self::TooLarge => "the revocation evidence, or the work to check it, exceeds a limit",
            Self::OutOfScope => "the revocation evidence does not cover the certificate",
            Self::ResponderError => "the OCSP responder answered with an error",
            Self::ResponderUnknown => "the OCSP responder does not know the certificate",
            Self::NotYetValid => "the revocation evidence is from the future",
            Self::WrongSigner => "the signer of the revocation evidence is not allowed to sign it",
            Self::Unsupported => {
                "the revocation evidence is signed with an algorithm or key that is not accepted"
            }
            Self::BadSignature => "the signature on the revocation evidence does not verify",
            Self::NonceMismatch => "the OCSP response answers another request",
            Self::Malformed => "the revocation evidence cannot be parsed",
            Self::Stale => "the revocation evidence is too old",
            Self::Rollback => "the revocation evidence is older than evidence seen before",
            Self::Conflict => "two CRLs with the same number and time differ",
        }
    }

    /// The remedy, as far as it follows from the cause alone.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::NoSource => Remedy::NameSource,
            Self::NotTried => Remedy::AllowFetching,
            Self::BreakerOpen | Self::Unreachable => Remedy::CheckSource,
            Self::RefusedAddress => Remedy::AllowAddress,
            Self::TooLarge => Remedy::RaiseLimit,
            Self::OutOfScope => Remedy::GiveAllCrls,
            Self::ResponderError | Self::ResponderUnknown => Remedy::AskResponder,
            Self::NotYetValid => Remedy::CheckClock,
            Self::WrongSigner => Remedy::AddSigner,
            Self::Unsupported => Remedy::StrengthenEvidence,
            Self::BadSignature => Remedy::FetchEvidenceAgain,
            Self::NonceMismatch => Remedy::AskAgain,
            Self::Malformed => Remedy::InspectEvidence,
            Self::Stale => Remedy::RenewEvidence,
            Self::Rollback => Remedy::UseNewerEvidence,
            Self::Conflict => Remedy::AskCa,
        }
    }
}
