//! From the listeners of a policy to the configuration of a front: the same as from TOML.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_rustls::rustls::CipherSuite;

use super::addresses::AddressRange;
use super::compile::CompiledPolicy;
use super::keyring::KeyringName;
use super::plan::{ListenerPlan, PlannedCertificate, PlannedSettings};
use crate::config::{
    CertificateFiles, CheckConfig, ClientCertificate, ConfigError, ConfigFault, ListenAddress,
    ListenerConfig, Loaded, Origins, Place, PortRange, ProxyFor, ServeConfig, TlsVersion, UnknownSni,
    ValueOrigin,
};

/// The files of a key ring.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by those who find the files")]
pub struct RingFiles {
    /// The ring: anchors, intermediates and distrusted certificates.
    pub ring: PathBuf,
    /// The certificates of the server, the default one first.
    pub certificates: Vec<CertificateFiles>,
}

/// The keys of the configuration that a parameter of a policy sets.
const KEYS: &[(&str, &[&str])] = &[
    ("LocalAddr", &["listen"]),
    ("LocalPortRange", &["listen"]),
    ("Port", &["listen"]),
    ("RemoteAddr", &["clients"]),
    ("HandshakeRole", &["client_auth"]),
    ("ClientAuthType", &["client_auth", "identity.required"]),
    ("HandshakeTimeout", &["handshake_timeout"]),
    ("TLSv1.2", &["tls_versions"]),
    ("TLSv1.3", &["tls_versions"]),
    ("V3CipherSuites", &["suites"]),
    ("V3CipherSuites4Char", &["suites"]),
    ("SuiteBProfile", &["suites"]),
    ("ServerHandshakeSNIMatch", &["unknown_sni"]),
    ("PeerMinRsaKeySize", &["min_rsa_bits"]),
    ("PeerMinECCKeySize", &["min_ec_bits"]),
    ("GSK_V3_SESSION_TIMEOUT", &["session_max_age"]),
    ("GSK_SESSION_TICKET_SERVER_ENABLE", &["session_max_age"]),
    ("GSK_SESSION_TICKET_SERVER_TIMEOUT", &["session_max_age"]),
    ("GSK_V3_SIDCACHE_SIZE", &["max_sessions"]),
    ("RevocationSecurityLevel", &["revocation"]),
    ("GSK_CRL_SECURITY_LEVEL", &["revocation"]),
    ("AIACDPPriority", &["order"]),
    ("MaxSrcRevExtLocValues", &["max_locations"]),
    ("OcspUrl", &["ocsp_url"]),
    ("OcspUrlPriority", &["ocsp_url_first"]),
    ("OcspNonceGenEnable", &["nonce"]),
    ("OcspNonceCheckEnable", &["nonce"]),
    ("OcspRetrieveViaGet", &["ocsp_get"]),
    ("OcspMaxResponseSize", &["max_ocsp_bytes"]),
    ("OcspResponseTimeout", &["ocsp_timeout"]),
    ("HttpCdpMaxResponseSize", &["max_crl_bytes"]),
    ("HttpCdpResponseTimeout", &["crl_timeout"]),
    ("HttpCdpProxyServerName", &["proxy"]),
    ("OcspProxyServerName", &["proxy"]),
    ("GSK_LDAP_SERVER", &["ldap_server"]),
    ("Keyring", &["ring", "certificates"]),
    ("CertificateLabel", &["certificates"]),
    ("ServerCertificateLabel", &["certificates"]),
];

/// The configuration of a front for the policy in a file. What a policy does not say, such as the service behind it, is
/// that of `base`. The files of a ring, and of the server's certificate with a label, are found by the caller.
///
/// # Errors
/// Rings that cannot be found, and values that a front cannot have, each with its place in the policy.
pub fn configure(
    policy: &CompiledPolicy,
    file: &Path,
    base: &ListenerConfig,
    find_ring: impl Fn(&KeyringName, Option<&str>) -> Result<RingFiles, String>,
) -> Result<Loaded, ConfigError> {
    let mut faults = Vec::new();
    let mut origins = Origins::default();
    let mut config = ServeConfig::default();
    for plan in &policy.listeners {
        let number = config.listeners.len();
        let place = |parameter: &str| {
            let source = plan.sources.iter().rev().find(|source| source.parameter == parameter)?;
            let (line, column) = (source.at.line, source.at.column);
            Some(Place { file: file.to_owned(), line, column })
        };
        // What the policy or a default of z/OS sets, unless a parameter is named below.
        let at = Place { file: file.to_owned(), line: plan.at.line, column: plan.at.column };
        for key in ["name", "ring", "certificates", "revocation", "max_ocsp_bytes", "ocsp_timeout"] {
            origins.note(Some(number), key, ValueOrigin::File(at.clone()));
        }
        for (parameter, keys) in KEYS {
            for key in *keys {
                if let Some(place) = place(parameter) {
                    origins.note(Some(number), *key, ValueOrigin::File(place));
                }
            }
        }
        let settings = &plan.settings;
        let ring = match find_ring(&settings.keyring, settings.label.as_deref()) {
            Ok(ring) => ring,
            Err(reason) => {
                let message = format!("the key ring `{}`: {reason}", settings.keyring);
                faults.push(ConfigFault::new(place("Keyring"), message));
                continue;
            }
        };
        config.listeners.push(listener(plan, &config, ring, base));
    }
    if !faults.is_empty() {
        return Err(ConfigError::new(faults));
    }
    Loaded::new(config, origins)
}

fn listener(
    plan: &ListenerPlan,
    others: &ServeConfig,
    ring: RingFiles,
    base: &ListenerConfig,
) -> ListenerConfig {
    let settings = &plan.settings;
    let mut listener = base.clone();
    listener.name = name(plan, others);
    listener.listen = listen(plan);
    let networks = plan.clients.iter().flat_map(AddressRange::networks);
    listener.clients =
        networks.filter_map(|(address, length)| ipnet::IpNet::new(address, length).ok()).collect();
    let tls = &mut listener.tls;
    tls.certificates = ring.certificates;
    tls.versions = [(settings.tls12, TlsVersion::V1_2), (settings.tls13, TlsVersion::V1_3)]
        .into_iter()
        .filter_map(|(is_offered, version)| is_offered.then_some(version))
        .collect();
    let suites = settings.suites.iter().copied().map(CipherSuite::from);
    tls.suites = suites.filter(|suite| is_of(*suite, &tls.versions)).collect();
    if settings.refuses_unknown_names {
        tls.unknown_sni = UnknownSni::Refuse;
    }
    tls.session_max_age = settings.session_max_age;
    if let Some(max) = settings.max_sessions {
        tls.max_sessions = usize::try_from(max).unwrap_or(usize::MAX);
    }
    listener.client_auth = match settings.certificate {
        PlannedCertificate::Required => ClientCertificate::Required,
        PlannedCertificate::Optional => ClientCertificate::Optional,
        PlannedCertificate::None => ClientCertificate::None,
    };
    listener.access.is_user_required |= settings.needs_user;
    listener.limits.handshake_timeout = settings.handshake_timeout;
    listener.check = check(settings, ring.ring, &base.check);
    listener
}

/// Whether a suite is for one of the versions.
fn is_of(suite: CipherSuite, versions: &[TlsVersion]) -> bool {
    // The suites of TLS 1.3 have codes of their own.
    let version = if u16::from(suite) >> 8 == 0x13 { TlsVersion::V1_3 } else { TlsVersion::V1_2 };
    versions.contains(&version)
}

/// The name of the first rule, in the letters that listeners have.
fn name(plan: &ListenerPlan, others: &ServeConfig) -> String {
    let rule = plan.rules.first().map(String::as_str).unwrap_or_default();
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let base: String = rule.chars().map(letter).collect();
    let is_taken = |name: &str| others.listeners.iter().any(|other| other.name == name);
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    core::iter::once(base.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(base)
}

fn listen(plan: &ListenerPlan) -> Vec<ListenAddress> {
    let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let addresses = if plan.addresses.is_empty() { &all[..] } else { &plan.addresses };
    let ports: Vec<PortRange> =
        plan.ports.iter().map(|(first, last)| PortRange { first: *first, last: *last }).collect();
    addresses.iter().map(|address| ListenAddress::Tcp { address: *address, ports: ports.clone() }).collect()
}

fn check(settings: &PlannedSettings, ring: PathBuf, base: &CheckConfig) -> CheckConfig {
    let usual = base.clone();
    let mut check = CheckConfig {
        ring: vec![ring],
        revocation: settings.revocation,
        order: settings.order,
        nonce: settings.nonce,
        ocsp_url: settings.ocsp_url.iter().filter_map(|url| url::Url::parse(url).ok()).collect(),
        ocsp_url_first: settings.ocsp_url_first,
        min_rsa_bits: settings.min_rsa_bits.unwrap_or(usual.min_rsa_bits),
        min_ec_bits: settings.min_ec_bits.unwrap_or(usual.min_ec_bits),
        max_locations: settings.max_locations.unwrap_or(usual.max_locations),
        ..usual
    };
    let network = &mut check.network;
    network.ocsp_get = settings.ocsp_get;
    if settings.ldap_server.is_some() {
        network.ldap_server.clone_from(&settings.ldap_server);
    }
    if let Some(url) = settings.proxy.as_deref().and_then(|proxy| url::Url::parse(proxy).ok()) {
        network.proxy = ProxyFor::Url(url);
    }
    let set = |to: &mut u64, from: Option<u64>| *to = from.unwrap_or(*to);
    set(&mut network.limits.ocsp_bytes, settings.ocsp_bytes);
    set(&mut network.limits.crl_bytes, settings.crl_bytes);
    let set = |to: &mut Duration, from: Option<Duration>| *to = from.unwrap_or(*to);
    set(&mut network.limits.small_whole, settings.ocsp_time);
    set(&mut network.limits.crl_whole, settings.crl_time);
    check
}
