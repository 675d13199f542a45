//! Why nothing is known of a certificate's revocation.

/// Why nothing is known of a certificate's revocation. Later ones tell more: of several causes the last is told, but one that
/// policy does not let pass before any that it does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Cause {
    /// The certificate names no source of evidence, and none was given.
    NoSource,
    /// No evidence about it was at hand, and none was fetched.
    NotTried,
    /// Its source failed so often that it is left alone for a while.
    BreakerOpen,
    /// Its source could not be reached.
    Unreachable,
    /// The network guard refuses the address of its source.
    RefusedAddress,
    /// Evidence, or what it takes to judge it, is more than the bounds allow.
    TooLarge,
    /// Evidence of its issuer does not cover it: another partition, other reasons, other kinds of certificates.
    OutOfScope,
    /// A responder answered with an error.
    ResponderError,
    /// A responder does not know the certificate.
    ResponderUnknown,
    /// Evidence is from the future.
    NotYetValid,
    /// Evidence is signed by who may not.
    WrongSigner,
    /// Evidence is signed with what policy does not admit.
    Unsupported,
    /// A signature does not verify.
    BadSignature,
    /// A response answers another question.
    NonceMismatch,
    /// Evidence does not read, or has a critical extension that is not known.
    Malformed,
    /// Evidence is too old.
    Stale,
    /// Evidence is older than what has been seen before.
    Rollback,
    /// Two CRLs of one number differ.
    Conflict,
}

impl Cause {
    /// The stable word.
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

    /// What it means, for who reads a report.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoSource => "the certificate names no source of revocation evidence, and none was given",
            Self::NotTried => "no revocation evidence about the certificate is at hand",
            Self::BreakerOpen => {
                "the source of revocation evidence failed too often and is left alone for now"
            }
            Self::Unreachable => "the source of revocation evidence could not be reached",
            Self::RefusedAddress => "the source of revocation evidence has an address that is not allowed",
            Self::TooLarge => "the revocation evidence, or its judgement, goes beyond the bounds",
            Self::OutOfScope => "the revocation evidence at hand does not cover the certificate",
            Self::ResponderError => "the OCSP responder answered with an error",
            Self::ResponderUnknown => "the OCSP responder does not know the certificate",
            Self::NotYetValid => "the revocation evidence is from the future",
            Self::WrongSigner => "the revocation evidence is signed by who may not sign it",
            Self::Unsupported => {
                "the revocation evidence is signed with an algorithm or key that is not admitted"
            }
            Self::BadSignature => "the signature on the revocation evidence does not verify",
            Self::NonceMismatch => "the OCSP response answers another request",
            Self::Malformed => "the revocation evidence does not read",
            Self::Stale => "the revocation evidence is too old",
            Self::Rollback => "the revocation evidence is older than what has been seen before",
            Self::Conflict => "two CRLs of the same number and time differ",
        }
    }

    /// What would mend it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoSource => {
                "give evidence with --crl or --ocsp, have the CA name a source, or let such certificates pass with \
                 --revocation if-offered"
            }
            Self::NotTried => "let it be fetched, or give evidence with --crl or --ocsp",
            Self::BreakerOpen | Self::Unreachable => {
                "look whether the source answers from here, or give evidence with --crl or --ocsp"
            }
            Self::RefusedAddress => {
                "allow the address with --allow-net if it is right, or give evidence with --crl or --ocsp"
            }
            Self::TooLarge => "give evidence with --crl or --ocsp, or raise the limit if this PKI needs it",
            Self::OutOfScope => "give the CRLs of all distribution points that the certificate names",
            Self::ResponderError | Self::ResponderUnknown => {
                "ask the responder's operator why it does not answer for this CA, or give a CRL"
            }
            Self::NotYetValid => "check the clock",
            Self::WrongSigner => {
                "the signer is not in the ring, may not sign CRLs or OCSP responses, or is of another CA"
            }
            Self::Unsupported => {
                "have the evidence signed with SHA-256 or better and a key of sufficient length"
            }
            Self::BadSignature => {
                "get the evidence anew: it was altered, or another key of the same name signed it"
            }
            Self::NonceMismatch => "the response may be a replay; ask again, or do without a nonce",
            Self::Malformed => {
                "get the evidence anew; certcheck crl or certcheck ocsp tells what is wrong with it"
            }
            Self::Stale => "get newer evidence, and check the clock",
            Self::Rollback => "use the newer evidence alone",
            Self::Conflict => "ask the CA which of the two CRLs it stands by",
        }
    }
}
