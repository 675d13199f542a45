//! What whoever asks demands: the inputs of RFC 5280 6.1.1 and what it leaves to the application.

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

/// What the certificate is to be used for (RFC 5280 4.2.1.12).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// TLS client authentication.
    #[default]
    Client,
    /// TLS server authentication.
    Server,
    /// No purpose is demanded.
    Any,
    /// Another key purpose, by its identifier.
    Other(OidBuf),
}

impl Purpose {
    /// The key purpose that extended key usage must name, where one is demanded.
    #[must_use]
    pub const fn key_purpose(&self) -> Option<Oid<'_>> {
        match self {
            Self::Client => Some(oid::KP_CLIENT_AUTH),
            Self::Server => Some(oid::KP_SERVER_AUTH),
            Self::Any => None,
            Self::Other(purpose) => Some(purpose.as_oid()),
        }
    }

    /// Whether the subject's common name may be taken for a host name. Of a client it is not.
    ///
    /// RFC 5280 4.2.1.10.
    #[doc(alias = "RFC 5280 section 4.2.1.10")]
    #[must_use]
    pub const fn may_name_hosts(&self) -> bool {
        !matches!(self, Self::Client)
    }

    /// The key usages of which the target must have one, if it has keyUsage at all.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        match self {
            // What a CertificateVerify is made with (RFC 9846 4.5.2).
            Self::Client => Some(KeyUsage::DIGITAL_SIGNATURE),
            Self::Server => {
                Some(KeyUsage::DIGITAL_SIGNATURE.or(KeyUsage::KEY_ENCIPHERMENT).or(KeyUsage::KEY_AGREEMENT))
            }
            Self::Any | Self::Other(_) => None,
        }
    }
}

/// What is done about revocation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Revocation {
    /// Every certificate below the anchor must be shown not to be revoked.
    #[default]
    HardFail,
    /// A certificate that names no source of evidence passes; one that does must be shown good.
    IfOffered,
    /// Revoked is refused. Not knowing is let through, and the verdict says so; but evidence that was given and is
    /// broken is not the same as none, and refuses.
    SoftFail,
    /// Of one's own making.
    Custom(Tolerance),
    /// Not looked at.
    Off,
}

/// Which ways of not knowing a certificate's status are let through. None by default. The verdict says when one was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tolerance {
    /// The certificate names no source, and nothing was given.
    pub no_source: bool,
    /// There are sources, and none was asked; or nothing at hand covers the certificate.
    pub not_tried: bool,
    /// A source could not be reached, or did not answer the question.
    pub unreachable: bool,
    /// A responder says that it does not know the certificate.
    pub unknown_to_responder: bool,
    /// Evidence is too old, or of a time to come.
    pub stale: bool,
    /// Evidence is broken: it does not read, its signature does not verify, its signer may not sign it.
    pub unusable: bool,
}

impl Tolerance {
    /// Nothing is let through: `hard-fail`.
    pub const NONE: Self = Self {
        no_source: false,
        not_tried: false,
        unreachable: false,
        unknown_to_responder: false,
        stale: false,
        unusable: false,
    };

    /// Which of two causes counts: one that is not let through outweighs one that is, whatever they are; else the later.
    /// Who sends broken evidence must not get by for having sent stale evidence too.
    pub(crate) fn worse(&self, a: Cause, b: Cause) -> Cause {
        core::cmp::max_by_key(a, b, |cause| (!self.tolerates(*cause), *cause))
    }

    /// Whether this cause is let through.
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
    /// What this preset lets through.
    #[must_use]
    pub const fn tolerance(self) -> Tolerance {
        match self {
            Self::HardFail => Tolerance::NONE,
            // Named and silent is not the same as never named: who can only drop packets must not win.
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
            // Nothing is asked.
            Self::Off => Tolerance::NONE,
        }
    }
}

/// Which evidence is asked for first. AT-TLS calls it AIACDPPriority.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum EvidenceOrder {
    /// OCSP, then CRLs where OCSP leaves a certificate unknown.
    #[default]
    OcspFirst,
    /// CRLs, then OCSP.
    CrlFirst,
}

/// Of which certificates of a path the status is asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationScope {
    /// Of every certificate below the anchor.
    #[default]
    Chain,
    /// Of the target alone.
    Leaf,
}

/// What is asked of keyUsage in the certificate of who signs a CRL (RFC 5280 6.3.3 (f)).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CrlSignerUsage {
    /// RFC 10007: below the anchor it is present and has cRLSign; of the anchor's own key absence is taken, since an
    /// anchor is a name and a key.
    #[default]
    Rfc10007,
    /// It is present and has cRLSign, in anchors too.
    Required,
    /// RFC 5280: it has cRLSign if it is present.
    IfPresent,
}

/// What is done about the nonce of OCSP (RFC 9654).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Nonce {
    /// None is sent. Responders that sign ahead could not answer it.
    #[default]
    Off,
    /// One is sent; an answer without is taken, one with another is not.
    Ask,
    /// One is sent, and an answer without it is not taken.
    Demand,
}

/// How old evidence may be. All in seconds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Freshness {
    /// How far clocks may differ.
    pub skew: i64,
    /// How long evidence without nextUpdate is good for after its thisUpdate.
    pub max_age: i64,
    /// How long any evidence is good for after its thisUpdate, whatever its nextUpdate says. No bound by default.
    pub oldest: Option<i64>,
    /// How long evidence is taken after its nextUpdate: for issuers that publish late. 0 by default.
    pub max_stale: i64,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { skew: 300, max_age: 86_400, oldest: None, max_stale: 0 }
    }
}

/// What is done about an anchor outside its validity. RFC 5280 6.1 does not look at it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnchorValidity {
    /// The report warns.
    #[default]
    Warn,
    /// The path is refused.
    Enforce,
}

/// All that a check is asked with besides the chain, the ring and the time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// What the certificate is for. TLS client authentication by default.
    pub purpose: Purpose,
    /// The name that the target must have as a server (RFC 9525). None by default: clients are known by their reports.
    pub server_name: Option<ServerName<'static>>,
    /// user-initial-policy-set (RFC 5280 6.1.1 (c)); empty is any-policy.
    pub initial_policies: Vec<OidBuf>,
    /// initial-explicit-policy (RFC 5280 6.1.1 (f)).
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit (RFC 5280 6.1.1 (e)).
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit (RFC 5280 6.1.1 (g)).
    pub inhibit_any_policy: bool,
    /// initial-permitted-subtrees and initial-excluded-subtrees (RFC 5280 6.1.1 (h), (i)).
    pub initial_names: Option<NameSubtrees>,
    /// How many intermediates that are not self-issued a path may have.
    pub max_depth: u32,
    /// Which signatures and keys are taken.
    pub signatures: SignaturePolicy,
    /// Whether an anchor may be a certificate that is not self-signed.
    pub partial_chain: bool,
    /// What is done about anchors outside their validity.
    pub anchor_validity: AnchorValidity,
    /// Whether the rules of RFC 5280 section 4 for issuers that section 6 does not check are demanded too.
    pub pedantic: bool,
    /// What is done about revocation.
    pub revocation: Revocation,
    /// Of which certificates the status is asked.
    pub revocation_scope: RevocationScope,
    /// Which evidence is asked for first.
    pub evidence_order: EvidenceOrder,
    /// How old evidence may be.
    pub freshness: Freshness,
    /// The latest that an OCSP response may have been produced, where another moment than now is asked about: what has been
    /// said of it since counts. By default the time that is asked about.
    pub produced_until: Option<Time>,
    /// Whether delta CRLs are used (RFC 5280 6.3.1 (b)).
    pub use_deltas: bool,
    /// What is asked of who signs CRLs.
    pub crl_signer_usage: CrlSignerUsage,
    /// What is done about the nonce of OCSP.
    pub nonce: Nonce,
    /// Responders that are trusted whatever CA they answer for (RFC 6960 4.2.2.2, 1).
    pub trusted_responders: Vec<CertificateDer<'static>>,
    /// Whether certificates are asked for where caIssuers says they are (RFC 5280 4.2.2.1).
    pub aia: bool,
    /// What a check may spend.
    pub limits: Limits,
    /// Whether reports list evidence that did not count even where every status is known. Off by default: it costs a
    /// second look at all evidence.
    pub explain: bool,
}

impl Policy {
    /// A policy for TLS client certificates. What is done about revocation has no silent default.
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
            aia: false,
            limits: Limits::default(),
            explain: false,
        }
    }

    /// The policy under which paths of CRL issuers are validated: the same strength, no purpose, no policies.
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

    /// The same for another purpose.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}
