//! Why a certificate is rejected: a stable code, the clause, a sentence, and a remedy.

mod alert_class;
mod key_fault;
mod profile_violation;

use core::fmt;

pub use alert_class::AlertClass;
pub use key_fault::{KeyFault, Unsupported};
pub use profile_violation::ProfileViolation;

use crate::der::ViewFault;
use crate::oid::OidBuf;
use crate::policy::{Limit, LimitHit};
use crate::remedy::Remedy;
use crate::status::{Cause, RevocationReason, Revoked};
use crate::time::Time;

/// A reason, and the certificate that it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rejection {
    /// The position of the certificate in the path: 0 is the target, the last is the anchor.
    pub at: usize,
    /// The reason.
    pub reason: Reason,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {}: {}", self.at, self.reason)
    }
}

impl core::error::Error for Rejection {}

/// Why a certificate is not a CA certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotACa {
    /// It has version 1 or 2, and is not an anchor.
    Version,
    /// It has no basicConstraints.
    NoBasicConstraints,
    /// Its basicConstraints do not set cA.
    NotAsserted,
}

/// How a name violates a constraint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NameConstraintViolation {
    /// It is in none of the permitted subtrees of its form.
    NotPermitted,
    /// It is in an excluded subtree, or may be in one.
    Excluded,
    /// Its form is constrained, and names of this form cannot be compared.
    NotComparable,
}

/// Why a path is rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// A certificate that cannot be parsed: it violates DER or the profile.
    Malformed(ViewFault),
    /// A certificate with neither a subject nor a subjectAltName.
    NoSubjectName,
    /// A violated rule of the profile that RFC 5280 section 6 does not check, under a pedantic policy.
    Profile(ProfileViolation),
    /// An algorithm or kind of key that is not supported, or not in the set of the policy.
    UnsupportedAlgorithm(Unsupported),
    /// A public key that is too weak, or malformed.
    Key(KeyFault),
    /// An elliptic curve given by its parameters instead of its name.
    ExplicitCurve,
    /// A signature algorithm that does not fit the issuer's key.
    AlgorithmMismatch {
        /// The algorithm of the signature.
        signature: OidBuf,
        /// The algorithm of the key.
        key: OidBuf,
    },
    /// An RSA modulus below the minimum length.
    WeakKey {
        /// Its length in bits.
        bits: u32,
        /// The shortest accepted length.
        min_bits: u32,
    },
    /// A signature over a broken hash.
    WeakSignature {
        /// The hash.
        hash: &'static str,
    },
    /// A signature that does not verify.
    BadSignature,
    /// No path from the certificate's issuer to an anchor.
    UnknownIssuer,
    /// A time of the check before notBefore.
    NotYetValid {
        /// The first second of validity.
        not_before: Time,
        /// The time of the check.
        now: Time,
    },
    /// A time of the check after notAfter.
    Expired {
        /// The last second of validity.
        not_after: Time,
        /// The time of the check.
        now: Time,
    },
    /// A certificate that the ring distrusts.
    Distrusted,
    /// An issuer that is not a CA.
    NotACa(NotACa),
    /// More intermediates than the pathLenConstraint of a CA allows.
    PathLength,
    /// A missing key usage.
    KeyUsage {
        /// The usage, as named in the RFC.
        wanted: &'static str,
    },
    /// A missing purpose in extKeyUsage.
    ExtendedKeyUsage {
        /// The purpose.
        wanted: OidBuf,
    },
    /// A server name that is not in subjectAltName.
    NameMismatch {
        /// The name.
        wanted: String,
    },
    /// A name that violates a name constraint.
    NameConstraint {
        /// The name, as text.
        name: String,
        /// The kind of violation.
        violation: NameConstraintViolation,
    },
    /// No required policy is valid for the whole path.
    Policy,
    /// A critical extension that is not supported.
    UnhandledCriticalExtension {
        /// The extension.
        oid: OidBuf,
    },
    /// A revoked certificate.
    CertificateRevoked(Box<Revoked>),
    /// An unknown revocation status.
    RevocationUnknown(Cause),
    /// A limit that was reached before a valid path was found.
    LimitExceeded(LimitHit),
    /// More intermediates than the policy allows.
    Depth {
        /// The allowed number.
        allowed: u32,
    },
    /// No certificate was presented.
    NoCertificate,
}

impl From<ViewFault> for Reason {
    fn from(fault: ViewFault) -> Self {
        Self::Malformed(fault)
    }
}

impl From<KeyFault> for Reason {
    fn from(fault: KeyFault) -> Self {
        Self::Key(fault)
    }
}

impl From<LimitHit> for Reason {
    fn from(hit: LimitHit) -> Self {
        Self::LimitExceeded(hit)
    }
}

impl Reason {
    /// The stable code, the same in text, JSON, logs, metrics and TLS errors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::NoSubjectName | Self::Profile(_) => "malformed",
            Self::UnsupportedAlgorithm(_) | Self::ExplicitCurve => "unsupported-algorithm",
            Self::Key(fault) => fault.code(),
            Self::WeakKey { .. } => "weak-key",
            Self::WeakSignature { .. } => "weak-signature",
            Self::BadSignature | Self::AlgorithmMismatch { .. } => "bad-signature",
            Self::UnknownIssuer => "unknown-issuer",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::Distrusted => "distrusted",
            Self::NotACa(_) => "not-a-ca",
            Self::PathLength => "path-length",
            Self::KeyUsage { .. } => "key-usage",
            Self::ExtendedKeyUsage { .. } => "extended-key-usage",
            Self::NameMismatch { .. } => "name-mismatch",
            Self::NameConstraint { .. } => "name-constraint",
            Self::Policy => "policy",
            Self::UnhandledCriticalExtension { .. } => "unhandled-critical-extension",
            Self::CertificateRevoked(_) => "certificate-revoked",
            Self::RevocationUnknown(_) => "revocation-unknown",
            Self::LimitExceeded(_) | Self::Depth { .. } => "limit-exceeded",
            Self::NoCertificate => "no-certificate",
        }
    }

    /// The violated clause.
    #[must_use]
    pub fn rfc(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "RFC 5280 4.1",
            Self::NoSubjectName => "RFC 5280 4.1.2.6",
            Self::Profile(violation) => violation.rfc(),
            Self::Key(fault) => fault.rfc(),
            Self::UnsupportedAlgorithm(_)
            | Self::AlgorithmMismatch { .. }
            | Self::WeakKey { .. }
            | Self::WeakSignature { .. }
            | Self::BadSignature => "RFC 5280 6.1.3 (a)(1)",
            Self::ExplicitCurve => "RFC 5480 2.1.1",
            Self::UnknownIssuer => "RFC 5280 6.1.3 (a)(4)",
            Self::NotYetValid { .. } | Self::Expired { .. } => "RFC 5280 6.1.3 (a)(2)",
            Self::Distrusted | Self::NoCertificate => "RFC 5280 6.1.1",
            Self::NotACa(_) => "RFC 5280 6.1.4 (k)",
            Self::PathLength => "RFC 5280 6.1.4 (l)",
            Self::KeyUsage { .. } => "RFC 5280 4.2.1.3",
            Self::ExtendedKeyUsage { .. } => "RFC 5280 4.2.1.12",
            Self::NameMismatch { .. } => "RFC 9525 6",
            Self::NameConstraint { violation: NameConstraintViolation::NotPermitted, .. } => {
                "RFC 5280 6.1.3 (b)"
            }
            Self::NameConstraint { .. } => "RFC 5280 6.1.3 (c)",
            Self::Policy => "RFC 5280 6.1.5 (g)",
            Self::UnhandledCriticalExtension { .. } => "RFC 5280 6.1.4 (o)",
            Self::CertificateRevoked(revoked) => revoked.proof.by.clause(),
            Self::RevocationUnknown(_) => "RFC 5280 6.1.3 (a)(3)",
            Self::LimitExceeded(_) | Self::Depth { .. } => "RFC 5280 8",
        }
    }

    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Malformed(fault) if fault.may_be_another_file() => Remedy::CheckFile,
            Self::Malformed(_) => Remedy::ReissueCertificate,
            Self::NoSubjectName => Remedy::NameSubject,
            Self::Profile(_) => Remedy::MeetProfile,
            Self::Key(fault) => fault.remedy(),
            Self::UnsupportedAlgorithm(unsupported) => unsupported.remedy(),
            Self::ExplicitCurve => Remedy::UseNamedCurve,
            Self::AlgorithmMismatch { .. } => Remedy::FindOtherIssuer,
            Self::WeakKey { .. } => Remedy::StrengthenKey,
            Self::WeakSignature { .. } => Remedy::StrengthenHash,
            Self::BadSignature => Remedy::CompareWithOriginal,
            Self::UnknownIssuer => Remedy::AddIssuer,
            Self::NotYetValid { .. } => Remedy::WaitUntilValid,
            Self::Expired { .. } => Remedy::RenewCertificate,
            Self::Distrusted => Remedy::Undistrust,
            Self::NotACa(_) => Remedy::UseCa,
            Self::PathLength => Remedy::UseHigherCa,
            Self::KeyUsage { .. } => Remedy::AddKeyUsage,
            Self::ExtendedKeyUsage { .. } => Remedy::AddPurpose,
            Self::NameMismatch { .. } => Remedy::AskForItsName,
            Self::NameConstraint { .. } => Remedy::UsePermittedName,
            Self::Policy => Remedy::UsePolicy,
            Self::UnhandledCriticalExtension { .. } => Remedy::DropExtension,
            Self::CertificateRevoked(revoked) => match revoked.reason {
                RevocationReason::CertificateHold => Remedy::LiftHold,
                _ => Remedy::ReplaceCertificate,
            },
            Self::RevocationUnknown(cause) => cause.remedy(),
            Self::LimitExceeded(_) => Remedy::SendLess,
            Self::Depth { .. } => Remedy::AllowDepth,
            Self::NoCertificate => Remedy::SendCertificate,
        }
    }

    /// How useful the reason is compared with others that got as far. A signature by a CA that only shares the name is
    /// the least useful.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::UnknownIssuer => 0,
            Self::AlgorithmMismatch { .. } | Self::BadSignature => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(fault) => write!(f, "{fault}"),
            Self::NoSubjectName => f.write_str("the subject is empty and there is no subjectAltName"),
            Self::Profile(violation) => f.write_str(violation.sentence()),
            Self::UnsupportedAlgorithm(unsupported) => write!(f, "{unsupported}"),
            Self::Key(fault) => write!(f, "{fault}"),
            Self::ExplicitCurve => f.write_str("the key's elliptic curve is not given by name"),
            Self::AlgorithmMismatch { signature, key } => {
                let name = |oid: &OidBuf| {
                    oid.as_oid().algorithm_name().map_or_else(|| oid.to_string(), str::to_owned)
                };
                let (signature, key) = (name(signature), name(key));
                write!(f, "signature algorithm {signature} does not fit the issuer's key ({key})")
            }
            Self::WeakKey { bits, min_bits } => {
                write!(f, "the RSA key has {bits} bits, at least {min_bits} are required")
            }
            Self::WeakSignature { hash } => write!(f, "the signature uses {hash}, which is too weak"),
            Self::BadSignature => f.write_str("the signature does not verify with the issuer's key"),
            Self::UnknownIssuer => f.write_str("no path leads from its issuer to an anchor in the ring"),
            Self::NotYetValid { not_before, now } => {
                write!(
                    f,
                    "not valid before {not_before}, which is {} after {now}",
                    Span(not_before.unix().saturating_sub(now.unix()))
                )
            }
            Self::Expired { not_after, now } => {
                write!(
                    f,
                    "expired at {not_after}, {} before {now}",
                    Span(now.unix().saturating_sub(not_after.unix()))
                )
            }
            Self::Distrusted => f.write_str("distrusted by the ring"),
            Self::NotACa(NotACa::Version) => {
                f.write_str("not a CA certificate: version 1 and 2 have no basicConstraints")
            }
            Self::NotACa(NotACa::NoBasicConstraints) => {
                f.write_str("not a CA certificate: it has no basicConstraints")
            }
            Self::NotACa(NotACa::NotAsserted) => {
                f.write_str("not a CA certificate: its basicConstraints do not set cA")
            }
            Self::PathLength => {
                f.write_str("more intermediates follow than the pathLenConstraint of a CA above allows")
            }
            Self::KeyUsage { wanted } => write!(f, "keyUsage does not include {wanted}"),
            Self::ExtendedKeyUsage { wanted } => match purpose_name(wanted) {
                Some(name) => write!(f, "extKeyUsage does not include {name}"),
                None => write!(f, "extKeyUsage does not include {wanted}"),
            },
            Self::NameMismatch { wanted } => write!(f, "the certificate is not for the name {wanted}"),
            Self::NameConstraint { name, violation: NameConstraintViolation::NotPermitted } => {
                write!(f, "name {name} is outside the permitted subtrees of a CA above")
            }
            Self::NameConstraint { name, violation: NameConstraintViolation::Excluded } => {
                write!(f, "name {name} is in an excluded subtree of a CA above")
            }
            Self::NameConstraint { name, violation: NameConstraintViolation::NotComparable } => {
                write!(f, "name {name} has a form that a CA above constrains and that cannot be compared")
            }
            Self::Policy => f.write_str("no required certificate policy is valid for the whole path"),
            Self::UnhandledCriticalExtension { oid } => {
                write!(f, "critical extension {oid} is not supported")
            }
            Self::CertificateRevoked(revoked) => {
                write!(
                    f,
                    "revoked at {} ({}), according to {}",
                    revoked.at, revoked.reason, revoked.proof.source
                )
            }
            Self::RevocationUnknown(cause) => f.write_str(cause.sentence()),
            Self::LimitExceeded(hit) => write!(f, "limit reached: {} {}", hit.allowed, hit.limit),
            Self::Depth { allowed } => write!(f, "the path has more than {allowed} intermediates"),
            Self::NoCertificate => f.write_str("no certificate was presented"),
        }
    }
}

fn purpose_name(oid: &OidBuf) -> Option<&'static str> {
    match oid.as_oid() {
        crate::oid::KP_CLIENT_AUTH => Some("clientAuth"),
        crate::oid::KP_SERVER_AUTH => Some("serverAuth"),
        crate::oid::KP_OCSP_SIGNING => Some("OCSPSigning"),
        _ => None,
    }
}

/// Seconds, shown in a suitable unit.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s @ ..120 => write!(f, "{s} s"),
            s @ ..7_200 => write!(f, "{} min", s / 60),
            s @ ..172_800 => write!(f, "{} h", s / 3_600),
            s => write!(f, "{} days", s / 86_400),
        }
    }
}

/// Whether the reason ends the whole search, as limits do, or only one path.
pub(crate) const fn is_fatal(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::LimitExceeded(LimitHit {
            limit: Limit::Signatures
                | Limit::SignatureCost
                | Limit::Steps
                | Limit::Paths
                | Limit::NameComparisons
                | Limit::NameBytes
                | Limit::PolicyNodes,
            ..
        })
    )
}
