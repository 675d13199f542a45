//! What client certificates are checked by: the words of the program's settings.

use std::path::{Path, PathBuf};

use certcheck_rustls::certcheck_core::oid::OidBuf;
use certcheck_rustls::certcheck_core::policy::{
    AnchorValidity, CrlSignerUsage, EvidenceOrder, Freshness, Nonce, RevocationScope,
};
use certcheck_rustls::{FetchLimits, Policy, Purpose, Revocation};
use ipnet::IpNet;
use url::Url;

/// What client certificates are checked by. Listeners with equal checks share memory, CRLs and OCSP responses.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct CheckConfig {
    /// The key ring: files, or folders with anchors, intermediates and distrusted certificates.
    pub ring: Vec<PathBuf>,
    /// Whether files of the ring that cannot be parsed are skipped with a warning.
    pub ring_skip_unreadable: bool,
    /// CRLs in files or folders.
    pub crl: Vec<PathBuf>,
    /// OCSP responses in files or folders.
    pub ocsp: Vec<PathBuf>,
    /// What happens when the revocation status is unknown.
    pub revocation: Revocation,
    /// Which certificates of the path must have a known status.
    pub scope: RevocationScope,
    /// Which evidence is fetched first.
    pub order: EvidenceOrder,
    /// Whether OCSP requests have a nonce.
    pub nonce: Nonce,
    /// OCSP responders that are asked about every certificate.
    pub ocsp_url: Vec<Url>,
    /// Whether they are asked before the responders that certificates name.
    pub ocsp_url_first: bool,
    /// Whether missing issuers are fetched.
    pub aia: bool,
    /// The purpose that certificates must be issued for.
    pub purpose: Purpose,
    /// Acceptable certificate policies. Empty: any.
    pub policy: Vec<OidBuf>,
    /// Whether an acceptable policy is required.
    pub require_explicit_policy: bool,
    /// Whether policy mappings are ignored.
    pub inhibit_policy_mapping: bool,
    /// Whether anyPolicy is not accepted in place of a named one.
    pub inhibit_any_policy: bool,
    /// The most intermediates of a path.
    pub max_depth: u32,
    /// The shortest RSA key, in bits.
    pub min_rsa_bits: u32,
    /// The smallest curve, in bits.
    pub min_ec_bits: u32,
    /// Whether signatures with SHA-1 are accepted.
    pub allow_sha1: bool,
    /// Whether a certificate that is not self-signed may be an anchor.
    pub partial_chain: bool,
    /// Whether anchors outside their validity period are refused.
    pub enforce_anchor_validity: bool,
    /// Whether rules of RFC 5280 for issuers are checked too.
    pub pedantic: bool,
    /// How old evidence may be.
    pub freshness: Freshness,
    /// Whether delta CRLs are used.
    pub use_deltas: bool,
    /// What keyUsage the signer of a CRL needs.
    pub crl_signer_usage: CrlSignerUsage,
    /// How many sources of evidence are asked for one certificate.
    pub max_locations: u32,
    /// How evidence is fetched and kept.
    pub network: NetworkConfig,
}

impl Default for CheckConfig {
    /// Those of [`Policy::client`] with [`Revocation::HardFail`].
    fn default() -> Self {
        let usual = Policy::client(Revocation::HardFail);
        Self {
            ring: Vec::new(),
            ring_skip_unreadable: false,
            crl: Vec::new(),
            ocsp: Vec::new(),
            revocation: usual.revocation,
            scope: usual.revocation_scope,
            order: usual.evidence_order,
            nonce: usual.nonce,
            ocsp_url: Vec::new(),
            ocsp_url_first: usual.responders_first,
            aia: usual.aia,
            purpose: usual.purpose,
            policy: usual.initial_policies,
            require_explicit_policy: usual.require_explicit_policy,
            inhibit_policy_mapping: usual.inhibit_policy_mapping,
            inhibit_any_policy: usual.inhibit_any_policy,
            max_depth: usual.max_depth,
            min_rsa_bits: usual.signatures.min_rsa_bits,
            min_ec_bits: usual.signatures.min_ec_bits,
            allow_sha1: usual.signatures.allow_sha1,
            partial_chain: usual.partial_chain,
            enforce_anchor_validity: usual.anchor_validity == AnchorValidity::Enforce,
            pedantic: usual.pedantic,
            freshness: usual.freshness,
            use_deltas: usual.use_deltas,
            crl_signer_usage: usual.crl_signer_usage,
            max_locations: usual.limits.locations,
            network: NetworkConfig::default(),
        }
    }
}

impl CheckConfig {
    /// How deep the folders of [`CheckConfig::paths`] go: a ring has folders for its parts.
    pub(crate) const DEPTH: usize = 3;

    /// The files and folders that are read: rings, evidence and a password.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let password = &self.network.shared_store_password_file;
        self.ring.iter().chain(&self.crl).chain(&self.ocsp).chain(password).map(PathBuf::as_path)
    }

    /// The policy of these settings.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut policy = Policy::client(self.revocation);
        policy.revocation_scope = self.scope;
        policy.evidence_order = self.order;
        policy.nonce = self.nonce;
        policy.responders = self.ocsp_url.iter().map(ToString::to_string).collect();
        policy.responders_first = self.ocsp_url_first;
        policy.aia = self.aia;
        policy.purpose = self.purpose.clone();
        policy.initial_policies.clone_from(&self.policy);
        policy.require_explicit_policy = self.require_explicit_policy;
        policy.inhibit_policy_mapping = self.inhibit_policy_mapping;
        policy.inhibit_any_policy = self.inhibit_any_policy;
        policy.max_depth = self.max_depth;
        // With the target and the anchor, and room for self-issued certificates, which are not counted.
        policy.limits.path_length = policy.limits.path_length.max(self.max_depth.saturating_add(4));
        policy.signatures.min_rsa_bits = self.min_rsa_bits;
        policy.signatures.min_ec_bits = self.min_ec_bits;
        policy.signatures.allow_sha1 = self.allow_sha1;
        policy.partial_chain = self.partial_chain;
        if self.enforce_anchor_validity {
            policy.anchor_validity = AnchorValidity::Enforce;
        }
        policy.pedantic = self.pedantic;
        policy.freshness = self.freshness.clone();
        policy.use_deltas = self.use_deltas;
        policy.crl_signer_usage = self.crl_signer_usage;
        policy.limits.locations = self.max_locations;
        policy
    }
}

/// How evidence is fetched and kept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct NetworkConfig {
    /// Whether no network is used.
    pub offline: bool,
    /// The folder in which evidence is kept over restarts. `None`: none is kept.
    pub cache_dir: Option<PathBuf>,
    /// Whether CRLs in that folder are trusted without verifying them again.
    pub trust_cache: bool,
    /// The address of a store that hosts share. `None`: evidence is not shared.
    pub shared_store: Option<String>,
    /// The file that has its password.
    pub shared_store_password_file: Option<PathBuf>,
    /// The HTTP proxy for everything that is fetched.
    pub proxy: ProxyFor,
    /// Networks that URLs may lead to although they are refused by default.
    pub allow_net: Vec<IpNet>,
    /// Ports below 1024 that URLs may lead to, in addition to 80, 389, 443 and 636.
    pub allow_port: Vec<u16>,
    /// Whether private addresses are refused.
    pub deny_private: bool,
    /// Whether `https` and `ldaps` URLs are followed.
    pub allow_https: bool,
    /// Mirrors of the site, which are asked before the sources.
    pub mirrors: Vec<Url>,
    /// The LDAP server for URLs without a host.
    pub ldap_server: Option<String>,
    /// Whether OCSP requests are sent with GET where they fit.
    pub ocsp_get: bool,
    /// The name under which sources are asked. `None`: that of certcheck. The file has no key for it.
    pub user_agent: Option<String>,
    /// The limits of fetching. The file has keys for the size of evidence and the time for it.
    pub limits: FetchLimits,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            offline: false,
            cache_dir: None,
            trust_cache: false,
            shared_store: None,
            shared_store_password_file: None,
            proxy: ProxyFor::None,
            allow_net: Vec::new(),
            allow_port: Vec::new(),
            deny_private: false,
            allow_https: false,
            mirrors: Vec::new(),
            ldap_server: None,
            ocsp_get: false,
            user_agent: None,
            limits: FetchLimits::default(),
        }
    }
}

/// The HTTP proxy for everything that is fetched.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProxyFor {
    /// None.
    #[default]
    None,
    /// The one that HTTP_PROXY and its relatives name.
    Environment,
    /// The one at this URL.
    Url(Url),
}
