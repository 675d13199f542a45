//! What whoever asks demands: the inputs of RFC 5280 6.1.1 and what it leaves to the application.

use crate::budget::Limits;
use crate::oid::{self, Oid, OidBuf};
use crate::signature::Algorithms;
use crate::view::KeyUsage;

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
    /// Revoked is refused; not knowing is let through, and the verdict says so.
    SoftFail,
    /// Not looked at.
    Off,
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
    /// user-initial-policy-set (RFC 5280 6.1.1 (c)); empty is any-policy.
    pub initial_policies: Vec<OidBuf>,
    /// initial-explicit-policy (RFC 5280 6.1.1 (f)).
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit (RFC 5280 6.1.1 (e)).
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit (RFC 5280 6.1.1 (g)).
    pub inhibit_any_policy: bool,
    /// initial-permitted-subtrees and initial-excluded-subtrees (RFC 5280 6.1.1 (h), (i)).
    pub initial_names: Option<crate::ring::NameSubtrees>,
    /// How many intermediates that are not self-issued a path may have.
    pub max_depth: u32,
    /// The shortest RSA modulus taken, in bits. Not below 1024.
    pub min_rsa_bits: u32,
    /// Whether signatures over SHA-1 are taken.
    pub allow_sha1: bool,
    /// Whether an anchor may be a certificate that is not self-signed.
    pub partial_chain: bool,
    /// What is done about anchors outside their validity.
    pub anchor_validity: AnchorValidity,
    /// Whether duties that RFC 5280 section 4 lays on issuers, and section 6 does not check, are demanded too.
    pub pedantic: bool,
    /// What is done about revocation.
    pub revocation: Revocation,
    /// The signature algorithms that are taken.
    pub algorithms: Algorithms,
    /// What a check may spend.
    pub limits: Limits,
}

impl Policy {
    /// A policy for TLS client certificates. What is done about revocation has no silent default.
    #[must_use]
    pub fn client(revocation: Revocation) -> Self {
        Self {
            purpose: Purpose::Client,
            initial_policies: Vec::new(),
            require_explicit_policy: false,
            inhibit_policy_mapping: false,
            inhibit_any_policy: false,
            initial_names: None,
            max_depth: 10,
            min_rsa_bits: 2048,
            allow_sha1: false,
            partial_chain: true,
            anchor_validity: AnchorValidity::Warn,
            pedantic: false,
            revocation,
            algorithms: Algorithms::default(),
            limits: Limits::default(),
        }
    }

    /// The same for another purpose.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}
