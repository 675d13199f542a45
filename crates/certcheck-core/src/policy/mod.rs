//! Policies: the inputs of RFC 5280 6.1.1, and what the RFC leaves to the application.

mod algorithms;
mod limits;
mod name_subtrees;

use pki_types::{CertificateDer, ServerName};

pub use algorithms::{Algorithms, SignaturePolicy};
pub use limits::{Limit, LimitHit, Limits};
pub use name_subtrees::{NameSubtrees, SubtreeFault};

use crate::oid::{self, Oid, OidBuf};
use crate::status::Cause;
use crate::time::Time;
use crate::x509::KeyUsage;

/// The purpose of the certificate (RFC 5280 4.2.1.12).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// TLS client authentication.
    #[default]
    Client,
    /// TLS server authentication.
    Server,
    /// Any purpose.
    Any,
    /// Another key purpose, by its identifier.
    Other(OidBuf),
}

impl Purpose {
    /// The key purpose that extended key usage must include, if one is required.
    #[must_use]
    pub const fn key_purpose(&self) -> Option<Oid<'_>> {
        match self {
            Self::Client => Some(oid::KP_CLIENT_AUTH),
            Self::Server => Some(oid::KP_SERVER_AUTH),
            Self::Any => None,
            Self::Other(purpose) => Some(purpose.as_oid()),
        }
    }

    /// Whether the subject's common name may be used as a host name. Not for clients.
    ///
    /// RFC 5280 4.2.1.10.
    #[doc(alias = "RFC 5280 section 4.2.1.10")]
    #[must_use]
    pub const fn may_name_hosts(&self) -> bool {
        !matches!(self, Self::Client)
    }

    /// The key usages of which the target must have at least one, if it has keyUsage.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        match self {
            // The usage for a CertificateVerify message (RFC 9846 4.5.2).
            Self::Client => Some(KeyUsage::DIGITAL_SIGNATURE),
            Self::Server => {
                Some(KeyUsage::DIGITAL_SIGNATURE.or(KeyUsage::KEY_ENCIPHERMENT).or(KeyUsage::KEY_AGREEMENT))
            }
            Self::Any | Self::Other(_) => None,
        }
    }
}

/// How revocation is handled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Revocation {
    /// Every certificate below the anchor must be known not to be revoked.
    #[default]
    HardFail,
    /// A certificate that names no source of evidence is accepted. One that names a source must be known not to be
    /// revoked.
    IfOffered,
    /// A revoked certificate is rejected. An unknown status is tolerated, and the report says so. Broken evidence is
    /// not treated as missing evidence, and is not tolerated.
    SoftFail,
    /// A tolerance of your own.
    Custom(Tolerance),
    /// Revocation is not checked.
    Off,
}

/// The causes of an unknown status that are tolerated. None by default. The report says when one was tolerated.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tolerance {
    /// The certificate names no source, and no evidence was given.
    pub no_source: bool,
    /// There are sources, but none was asked, or no available evidence covers the certificate.
    pub not_tried: bool,
    /// A source could not be reached, or did not answer the question.
    pub unreachable: bool,
    /// A responder does not know the certificate.
    pub unknown_to_responder: bool,
    /// Evidence is too old, or its thisUpdate is in the future.
    pub stale: bool,
    /// Evidence is broken: it cannot be parsed, its signature does not verify, or its signer is not allowed to sign it.
    pub unusable: bool,
}

impl Tolerance {
    /// No tolerance: `hard-fail`.
    pub const NONE: Self = Self {
        no_source: false,
        not_tried: false,
        unreachable: false,
        unknown_to_responder: false,
        stale: false,
        unusable: false,
    };

    /// The cause that counts out of two: one that is not tolerated before one that is, otherwise the later one in the
    /// enum. Sending stale evidence in addition to broken evidence must not help an attacker.
    pub(crate) fn worse(&self, a: Cause, b: Cause) -> Cause {
        core::cmp::max_by_key(a, b, |cause| (!self.tolerates(*cause), *cause))
    }

    /// Whether this cause is tolerated.
    #[must_use]
    pub const fn tolerates(&self, cause: Cause) -> bool {
        match cause {
            Cause::NoSource => self.no_source,
            Cause::NotTried | Cause::OutOfScope => self.not_tried,
            Cause::Unreachable | Cause::RefusedAddress | Cause::BreakerOpen | Cause::ResponderError => {
                self.unreachable
            }
            Cause::ResponderUnknown => self.unknown_to_responder,
            Cause::Stale | Cause::NotYetValid | Cause::Rollback => self.stale,
            Cause::Malformed
            | Cause::BadSignature
            | Cause::WrongSigner
            | Cause::Unsupported
            | Cause::NonceMismatch
            | Cause::Conflict
            | Cause::TooLarge => self.unusable,
        }
    }
}

impl Revocation {
    /// The tolerance of this preset.
    #[must_use]
    pub const fn tolerance(self) -> Tolerance {
        match self {
            Self::HardFail => Tolerance::NONE,
            // A named source that does not answer is not the same as no named source: an attacker who can only drop
            // packets must not win.
            Self::IfOffered => Tolerance { no_source: true, ..Tolerance::NONE },
            Self::SoftFail => Tolerance {
                no_source: true,
                not_tried: true,
                unreachable: true,
                unknown_to_responder: true,
                stale: true,
                unusable: false,
            },
            Self::Custom(tolerance) => tolerance,
            // Nothing is checked.
            Self::Off => Tolerance::NONE,
        }
    }
}

/// Which kind of evidence is used first. AT-TLS calls it AIACDPPriority.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum EvidenceOrder {
    /// OCSP, then CRLs if the status is still unknown.
    #[default]
    OcspFirst,
    /// CRLs, then OCSP if the status is still unknown.
    CrlFirst,
}

/// The certificates of a path whose status is checked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationScope {
    /// Every certificate below the anchor.
    #[default]
    Chain,
    /// Only the target.
    Leaf,
}

/// The requirements on keyUsage in the certificate of a CRL signer (RFC 5280 6.3.3 (f)).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CrlSignerUsage {
    /// RFC 10007: below the anchor, keyUsage must be present and have cRLSign. For the key of the anchor it may be
    /// absent, since an anchor is a name and a key.
    #[default]
    Rfc10007,
    /// It must be present and have cRLSign, in anchors too.
    Required,
    /// RFC 5280: it must have cRLSign if it is present.
    IfPresent,
}

/// How the nonce of OCSP is used (RFC 9654).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Nonce {
    /// No nonce is sent. Responders that sign in advance could not return it.
    #[default]
    Off,
    /// A nonce is sent. A response without one is accepted, a response with another one is not.
    Ask,
    /// A nonce is sent. A response without it is not accepted.
    Demand,
}

/// How old evidence may be. All values are in seconds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Freshness {
    /// The tolerated difference between clocks.
    pub skew: i64,
    /// How long evidence without nextUpdate can be used after its thisUpdate.
    pub max_age: i64,
    /// How long any evidence can be used after its thisUpdate, whatever its nextUpdate is. No bound by default.
    pub oldest: Option<i64>,
    /// How long evidence can be used after its nextUpdate, for issuers that publish late. 0 by default.
    pub max_stale: i64,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { skew: 300, max_age: 86_400, oldest: None, max_stale: 0 }
    }
}

/// How an anchor outside its validity is handled. RFC 5280 6.1 does not check it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnchorValidity {
    /// The report has a warning.
    #[default]
    Warn,
    /// The path is rejected.
    Enforce,
}

/// All inputs of a check except the chain, the ring and the time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// The purpose of the certificate. TLS client authentication by default.
    pub purpose: Purpose,
    /// The name that a server's certificate must have (RFC 9525). None by default: programs read a client's name from
    /// the report.
    pub server_name: Option<ServerName<'static>>,
    /// The user-initial-policy-set (RFC 5280 6.1.1 (c)). Empty means any-policy.
    pub initial_policies: Vec<OidBuf>,
    /// The initial-explicit-policy (RFC 5280 6.1.1 (f)).
    pub require_explicit_policy: bool,
    /// The initial-policy-mapping-inhibit (RFC 5280 6.1.1 (e)).
    pub inhibit_policy_mapping: bool,
    /// The initial-any-policy-inhibit (RFC 5280 6.1.1 (g)).
    pub inhibit_any_policy: bool,
    /// The initial-permitted-subtrees and initial-excluded-subtrees (RFC 5280 6.1.1 (h), (i)).
    pub initial_names: Option<NameSubtrees>,
    /// How many intermediates that are not self-issued a path may have.
    pub max_depth: u32,
    /// The accepted signatures and keys.
    pub signatures: SignaturePolicy,
    /// Whether a certificate that is not self-signed may be an anchor.
    pub partial_chain: bool,
    /// How anchors outside their validity are handled.
    pub anchor_validity: AnchorValidity,
    /// Whether the rules of RFC 5280 section 4 for issuers that section 6 does not check are required too.
    pub pedantic: bool,
    /// How revocation is handled.
    pub revocation: Revocation,
    /// The certificates whose status is checked.
    pub revocation_scope: RevocationScope,
    /// Which kind of evidence is used first.
    pub evidence_order: EvidenceOrder,
    /// How old evidence may be.
    pub freshness: Freshness,
    /// The latest time at which an OCSP response may have been produced. Set it to check a past time with responses
    /// that were produced later. By default it is the time of the check.
    pub produced_until: Option<Time>,
    /// Whether delta CRLs are used (RFC 5280 6.3.1 (b)).
    pub use_deltas: bool,
    /// The requirements on the certificates of CRL signers.
    pub crl_signer_usage: CrlSignerUsage,
    /// How the nonce of OCSP is used.
    pub nonce: Nonce,
    /// Responders that are trusted for any CA (RFC 6960 4.2.2.2, 1).
    pub trusted_responders: Vec<CertificateDer<'static>>,
    /// URLs of responders that are asked about every certificate below the anchor, in addition to those that the
    /// certificate names (AT-TLS: OcspUrl). Their responses are signed as any other: by the CA, by a delegate, or by
    /// one of [`trusted_responders`](Self::trusted_responders).
    pub responders: Vec<String>,
    /// Whether these responders are asked before those that the certificate names (AT-TLS: OcspUrlPriority).
    pub responders_first: bool,
    /// Whether missing issuers are requested from the URLs in caIssuers (RFC 5280 4.2.2.1).
    pub aia: bool,
    /// The limits of a check.
    pub limits: Limits,
    /// Whether reports list unused evidence even if every status is known. Off by default, because all evidence is
    /// evaluated a second time.
    pub explain: bool,
}

impl Policy {
    /// A policy for TLS client certificates. There is no default for revocation.
    #[must_use]
    pub fn client(revocation: Revocation) -> Self {
        Self {
            purpose: Purpose::Client,
            server_name: None,
            initial_policies: Vec::new(),
            require_explicit_policy: false,
            inhibit_policy_mapping: false,
            inhibit_any_policy: false,
            initial_names: None,
            max_depth: 10,
            signatures: SignaturePolicy::default(),
            partial_chain: true,
            anchor_validity: AnchorValidity::Warn,
            pedantic: false,
            revocation,
            revocation_scope: RevocationScope::Chain,
            evidence_order: EvidenceOrder::OcspFirst,
            freshness: Freshness::default(),
            produced_until: None,
            use_deltas: true,
            crl_signer_usage: CrlSignerUsage::Rfc10007,
            nonce: Nonce::Off,
            trusted_responders: Vec::new(),
            responders: Vec::new(),
            responders_first: true,
            aia: false,
            limits: Limits::default(),
            explain: false,
        }
    }

    /// The policy for paths of CRL issuers: the same strength, no purpose, no policies.
    pub(crate) fn for_crl_issuers(&self) -> Self {
        Self {
            purpose: Purpose::Any,
            server_name: None,
            initial_policies: Vec::new(),
            require_explicit_policy: false,
            pedantic: false,
            ..self.clone()
        }
    }

    /// The same policy for another purpose.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}
