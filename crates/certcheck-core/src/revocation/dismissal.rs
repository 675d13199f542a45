//! Why a piece of evidence is not used for a certificate.

use core::fmt;

use crate::der::ViewFault;
use crate::ocsp::ResponseStatus;
use crate::policy::LimitHit;
use crate::reason::Reason;
use crate::remedy::Remedy;
use crate::signature::SignatureFault;
use crate::status::Cause;
use crate::time::Time;

/// Why a piece of evidence is not used for a certificate, in detail. [`Dismissal::cause`] is its stable code.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Dismissal {
    /// The evidence was not evaluated: the status was certain without it.
    NotLookedAt,
    /// A CRL from an issuer that no certificate of the path names.
    OtherIssuer,
    /// An OCSP response for other certificates.
    OtherCertificates,
    /// A successful OCSP response without answers.
    NoAnswers,
    /// A responder answered with an error.
    ResponderError(ResponseStatus),
    /// A responder does not know the certificate.
    ResponderUnknown,
    /// A CRL that does not cover the certificate (RFC 5280 6.3.3 (b), (d)).
    Scope(ScopeGap),
    /// Its signature cannot be used.
    Signature(Box<Reason>),
    /// The signer is not allowed to sign it.
    Signer(SignerFault),
    /// A thisUpdate in the future.
    NotYetValid {
        /// The thisUpdate, or the producedAt of an OCSP response if that is in the future.
        this_update: Time,
    },
    /// Evidence that is too old.
    Stale {
        /// The last second for which it could be used, by nextUpdate or by policy.
        ended: Time,
    },
    /// Newer evidence of the same kind and scope replaces it (RFC 5280 6.3.3 (a)).
    Superseded,
    /// Another CRL with the same number and time has different content.
    Conflict,
    /// A delta CRL without a complete CRL that it combines with (RFC 5280 5.2.4).
    DeltaAlone,
    /// A delta CRL that adds nothing: no usable complete CRL combines with it, a newer delta does, or the policy does
    /// not use deltas.
    DeltaUnused,
    /// A CRL without a number, under a pedantic policy (RFC 5280 5.2.3).
    NoNumber,
    /// An answer to another request: the nonce differs or is missing (RFC 9654).
    NonceMismatch,
    /// Evidence that cannot be parsed.
    Malformed(ViewFault),
    /// Evidence of another kind than requested, or that can only be parsed in part.
    Unreadable,
    /// A limit was reached before it was validated.
    Limit(LimitHit),
    /// More work than a limit of the policy allows.
    TooMany,
    /// Nothing was received from its source, for this cause.
    NotFetched(Cause),
}

/// Why a CRL does not cover a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ScopeGap {
    /// It is for a distribution point that the certificate does not name, although it names others.
    OtherPoint,
    /// It is for a distribution point, and the certificate names none.
    NoPoint,
    /// Its issuer is not the certificate's issuer, and the CRL is not marked as indirect.
    NotIndirect,
    /// It covers only user certificates, and this is a CA certificate.
    OnlyUsers,
    /// It covers only CA certificates, and this is not a CA certificate.
    OnlyCas,
    /// It covers only attribute certificates.
    OnlyAttributes,
    /// It covers only some revocation reasons, and no other evidence covers the rest.
    SomeReasons,
}

/// Why the signer of a piece of evidence is not allowed to sign it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignerFault {
    /// No certificate with the signer's name is available, or none whose key made the signature.
    Unknown,
    /// The signer has the CA's name, or is named by the certificate, but its key is not tied to the certificate's path.
    NotTied,
    /// An OCSP response that is signed neither by the certificate's issuer nor by a delegate whose certificate is
    /// included.
    NotResponder,
    /// Its keyUsage does not allow signing CRLs.
    NoCrlSign,
    /// It has no keyUsage, which a CRL signer below the anchor must have (RFC 10007).
    NoKeyUsage,
    /// Its certificate has no valid path, for this reason.
    NoPath(Box<Reason>),
    /// Its path leads to another anchor than the certificate's path.
    OtherAnchor,
    /// Its own certificate is revoked.
    Revoked,
    /// The status of its own certificate is unknown, for this cause.
    StatusUnknown(Cause),
    /// Signers depend on each other more deeply than is supported.
    TooDeep,
    /// The ring distrusts it.
    Distrusted,
    /// A delegate that the certificate's issuer has not certified itself (RFC 6960 4.2.2.2).
    NotByIssuer,
    /// A delegate without id-kp-OCSPSigning.
    NoOcspSigning,
    /// A delegate whose keyUsage does not allow signatures.
    NoSignatureUsage,
    /// A delegate that is a CA.
    IsCa,
    /// A delegate with a critical extension that is not supported, or that must not be critical.
    CriticalExtension,
    /// A delegate whose certificate is not valid yet.
    NotYetValid {
        /// The first second of its validity.
        not_before: Time,
    },
    /// A delegate whose certificate has expired.
    Expired {
        /// The last second of its validity.
        not_after: Time,
    },
}

impl Dismissal {
    /// The stable code.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::NotLookedAt => Cause::NotTried,
            Self::OtherIssuer | Self::OtherCertificates | Self::NoAnswers | Self::Scope(_) => {
                Cause::OutOfScope
            }
            Self::DeltaAlone | Self::DeltaUnused => Cause::OutOfScope,
            Self::ResponderError(_) => Cause::ResponderError,
            Self::ResponderUnknown => Cause::ResponderUnknown,
            Self::Signature(reason) => match **reason {
                Reason::BadSignature | Reason::AlgorithmMismatch { .. } => Cause::BadSignature,
                Reason::Malformed(_) => Cause::Malformed,
                _ => Cause::Unsupported,
            },
            Self::Signer(SignerFault::TooDeep) | Self::Limit(_) | Self::TooMany => Cause::TooLarge,
            Self::Signer(_) => Cause::WrongSigner,
            Self::NotYetValid { .. } => Cause::NotYetValid,
            Self::Stale { .. } => Cause::Stale,
            Self::Superseded => Cause::Rollback,
            Self::Conflict => Cause::Conflict,
            Self::NonceMismatch => Cause::NonceMismatch,
            Self::Malformed(_) | Self::Unreadable | Self::NoNumber => Cause::Malformed,
            Self::NotFetched(cause) => *cause,
        }
    }

    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::OtherIssuer | Self::OtherCertificates | Self::NoAnswers | Self::DeltaAlone => {
                Remedy::GiveEvidenceOfIssuer
            }
            Self::Scope(ScopeGap::NoPoint) => Remedy::NameDistributionPoint,
            Self::Scope(_) => Remedy::GiveAllCrls,
            Self::Signature(reason) if self.cause() == Cause::Unsupported => reason.remedy(),
            Self::Signer(fault) => fault.remedy(),
            _ => self.cause().remedy(),
        }
    }
}

/// The more specific of two dismissals: the later cause, and the first one for the same cause.
pub(super) fn stronger(known: Option<Dismissal>, other: Dismissal) -> Dismissal {
    match known {
        Some(known) if known.cause() >= other.cause() => known,
        _ => other,
    }
}

impl SignerFault {
    const fn remedy(&self) -> Remedy {
        match self {
            Self::Unknown | Self::NotTied | Self::OtherAnchor => Remedy::AddSigner,
            Self::NotResponder => Remedy::IdentifyResponder,
            Self::NoCrlSign
            | Self::NoKeyUsage
            | Self::NoPath(_)
            | Self::NotByIssuer
            | Self::NoOcspSigning
            | Self::NoSignatureUsage
            | Self::IsCa
            | Self::CriticalExtension
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::Revoked => Remedy::ReplaceSigner,
            Self::StatusUnknown(_) => Remedy::GiveEvidenceOfSigner,
            Self::TooDeep => Remedy::RaiseLimit,
            Self::Distrusted => Remedy::Undistrust,
        }
    }
}

impl From<SignerFault> for Dismissal {
    fn from(fault: SignerFault) -> Self {
        Self::Signer(fault)
    }
}

impl From<ScopeGap> for Dismissal {
    fn from(gap: ScopeGap) -> Self {
        Self::Scope(gap)
    }
}

impl From<LimitHit> for Dismissal {
    fn from(hit: LimitHit) -> Self {
        Self::Limit(hit)
    }
}

impl From<SignatureFault> for Dismissal {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Reason(Reason::Malformed(fault)) => Self::Malformed(fault),
            SignatureFault::Reason(reason) => Self::Signature(Box::new(reason)),
            SignatureFault::Limit(hit) => Self::Limit(hit),
        }
    }
}

impl fmt::Display for Dismissal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLookedAt => f.write_str("it was not needed"),
            Self::OtherIssuer => {
                f.write_str("its issuer issued no certificate of the path, and no certificate names it as CRL issuer")
            }
            Self::OtherCertificates => f.write_str("it is about other certificates"),
            Self::NoAnswers => f.write_str("the response contains no answer"),
            Self::ResponderError(status) => write!(f, "the responder answered {}", status.name()),
            Self::ResponderUnknown => f.write_str("the responder does not know the certificate"),
            Self::Scope(gap) => write!(f, "{gap}"),
            Self::Signature(reason) => match **reason {
                Reason::BadSignature | Reason::AlgorithmMismatch { .. } => {
                    f.write_str("its signature does not verify with the key of any possible signer")
                }
                ref reason => write!(f, "its signature is not accepted: {reason}"),
            },
            Self::Signer(fault) => write!(f, "{fault}"),
            Self::NotYetValid { this_update } => write!(f, "its thisUpdate is in the future: {this_update}"),
            Self::Stale { ended } => write!(f, "it is too old: it could be used until {ended}"),
            Self::Superseded => f.write_str("newer evidence replaces it"),
            Self::Conflict => f.write_str("another CRL with the same number and time has different content"),
            Self::DeltaAlone => {
                f.write_str("it is a delta CRL, and no complete CRL that it belongs to can be used")
            }
            Self::DeltaUnused => f.write_str(
                "it is a delta CRL that adds nothing: no complete CRL that it belongs to counts, a newer delta does, or \
                 deltas are not used",
            ),
            Self::NoNumber => f.write_str("it has no CRL number, which the pedantic policy requires"),
            Self::NonceMismatch => f.write_str("its nonce is not the nonce of the request"),
            Self::Malformed(fault) => write!(f, "it cannot be parsed: {fault}"),
            Self::Unreadable => f.write_str("it is not the requested kind of evidence, or part of it cannot be parsed"),
            Self::Limit(hit) => write!(f, "limit reached: {} {}", hit.allowed, hit.limit),
            Self::TooMany => f.write_str("checking it would exceed the limits of the policy"),
            Self::NotFetched(cause) => f.write_str(cause.sentence()),
        }
    }
}

impl fmt::Display for ScopeGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherPoint => "it is for a distribution point that the certificate does not name",
            Self::NoPoint => "it is for a distribution point, and the certificate names none",
            Self::NotIndirect => "it is from another issuer and is not marked as an indirect CRL",
            Self::OnlyUsers => "it covers only user certificates, and this is a CA certificate",
            Self::OnlyCas => "it covers only CA certificates, and this is not a CA certificate",
            Self::OnlyAttributes => "it covers only attribute certificates",
            Self::SomeReasons => {
                "it covers only some revocation reasons, and no other evidence covers the rest"
            }
        })
    }
}

impl fmt::Display for SignerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no certificate with the signer's name is available"),
            Self::NotTied => f.write_str(
                "its signer has the right name, but its key is not the issuer's, was not certified by a key of the \
                 certificate's own path, and is not in the ring",
            ),
            Self::NotResponder => f.write_str(
                "it is signed neither by the certificate's issuer nor by a delegate whose certificate is included",
            ),
            Self::NoKeyUsage => f.write_str("its signer's certificate has no keyUsage (RFC 10007 asks for cRLSign)"),
            Self::NoCrlSign => f.write_str("its signer's keyUsage does not allow signing CRLs"),
            Self::NoPath(reason) => write!(f, "its signer's certificate has no valid path: {reason}"),
            Self::OtherAnchor => f.write_str("its signer's path leads to another anchor"),
            Self::Revoked => f.write_str("its signer's own certificate is revoked"),
            Self::StatusUnknown(cause) => {
                write!(f, "the status of its signer's own certificate is unknown ({})", cause.code())
            }
            Self::TooDeep => f.write_str("its signer depends on too many other signers"),
            Self::Distrusted => f.write_str("the ring distrusts its signer"),
            Self::NotByIssuer => {
                f.write_str("the responder's certificate was not issued by the key of the certificate's issuer")
            }
            Self::NoOcspSigning => f.write_str("the responder's certificate is not issued for OCSPSigning"),
            Self::NoSignatureUsage => {
                f.write_str("the responder's certificate has a keyUsage that does not allow signatures")
            }
            Self::IsCa => f.write_str("the responder's certificate is a CA certificate, and not the issuer's"),
            Self::CriticalExtension => f.write_str(
                "the responder's certificate has a critical extension that is not supported or must not be critical",
            ),
            Self::NotYetValid { not_before } => {
                write!(f, "the responder's certificate is not valid before {not_before}")
            }
            Self::Expired { not_after } => write!(f, "the responder's certificate expired on {not_after}"),
        }
    }
}
