//! What a listener does for a rule: each value with the setting that it comes from.

use std::net::IpAddr;
use std::time::Duration;

use certcheck_rustls::Revocation;
use certcheck_rustls::certcheck_core::policy::{EvidenceOrder, Nonce};

use super::addresses::AddressRange;
use super::diagnostic::{Code, Diagnostics, Position};
use super::keyring::KeyringName;
use super::permissions::Permissions;
use super::rules::{ActionLevel, ResolvedRule, place};
use super::suite::KnownSuite;
use super::text::Setting;
use super::value::Value;
use super::vocabulary::Permission;

/// The longest handshake that z/OS has.
const LONGEST_HANDSHAKE: u64 = 600;

/// What a listener does for a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ListenerPlan {
    /// The rules that it is for. The first one gives it its name.
    pub rules: Vec<String>,
    /// Where the first one is.
    pub at: Position,
    /// The addresses that it listens on. Empty: all of both families.
    pub addresses: Vec<IpAddr>,
    /// The ports, from the first to the last of each range.
    pub ports: Vec<(u16, u16)>,
    /// The clients that may connect. Empty: all.
    pub clients: Vec<AddressRange>,
    /// What clients are asked for, and how connections are made.
    pub settings: PlannedSettings,
    /// The settings of the policy that hold, in the order of the text.
    pub sources: Vec<PlanSource>,
}

/// The settings of a listener that do not depend on its address.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlannedSettings {
    /// Whether clients need a certificate.
    pub certificate: PlannedCertificate,
    /// Whether a client needs a user by the rules of the configuration.
    pub needs_user: bool,
    /// The time for a handshake and the check of the certificate.
    pub handshake_timeout: Duration,
    /// How long after its full handshake a session may resume.
    pub session_max_age: Duration,
    /// How many sessions are kept, if the policy says.
    pub max_sessions: Option<u64>,
    /// Whether TLS 1.2 is offered.
    pub tls12: bool,
    /// Whether TLS 1.3 is offered.
    pub tls13: bool,
    /// The cipher suites that are offered, by their codes. Empty: all.
    pub suites: Vec<u16>,
    /// Whether a client that asks for an unknown name is refused.
    pub refuses_unknown_names: bool,
    /// The shortest RSA key of a certificate, if the policy says.
    pub min_rsa_bits: Option<u32>,
    /// The smallest curve of a certificate, if the policy says.
    pub min_ec_bits: Option<u32>,
    /// What happens if the revocation status is unknown.
    pub revocation: Revocation,
    /// Which evidence is used first.
    pub order: EvidenceOrder,
    /// The responder that is asked about every certificate.
    pub ocsp_url: Option<String>,
    /// Whether it is asked before the responders that certificates name.
    pub ocsp_url_first: bool,
    /// Whether OCSP requests have a nonce.
    pub nonce: Nonce,
    /// Whether OCSP requests are sent with GET.
    pub ocsp_get: bool,
    /// The largest OCSP response, in bytes.
    pub ocsp_bytes: Option<u64>,
    /// The time for an OCSP response.
    pub ocsp_time: Option<Duration>,
    /// The largest CRL, in bytes.
    pub crl_bytes: Option<u64>,
    /// The time for a CRL.
    pub crl_time: Option<Duration>,
    /// How many sources are asked for one certificate, if the policy says.
    pub max_locations: Option<u32>,
    /// The LDAP server for URLs without a host.
    pub ldap_server: Option<String>,
    /// The HTTP proxy for everything that is fetched.
    pub proxy: Option<String>,
    /// The key ring.
    pub keyring: KeyringName,
    /// The label of the server's certificate.
    pub label: Option<String>,
}

/// Whether clients need a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PlannedCertificate {
    /// They need a good one.
    Required,
    /// One that is sent must be good.
    Optional,
    /// They are not asked for one.
    None,
}

/// A setting of the policy that holds for a listener.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlanSource {
    /// The parameter.
    pub parameter: &'static str,
    /// Its value.
    pub value: String,
    /// The action that it is in. `None`: the rule itself.
    pub level: Option<ActionLevel>,
    /// Where it is.
    pub at: Position,
}

/// The sources of a rule, in the order of the text.
pub(super) fn sources(rule: &ResolvedRule<'_>) -> Vec<PlanSource> {
    let source = |level, setting: &Setting| PlanSource {
        parameter: setting.parameter.name,
        value: setting.value.to_string(),
        level,
        at: setting.at,
    };
    let own = rule.statement.settings().filter(|setting| setting.parameter.refers_to().is_none());
    let mut sources: Vec<_> = own.map(|setting| source(None, setting)).collect();
    let others = rule.settings.values().flatten();
    sources.extend(others.map(|(level, setting)| source(Some(*level), setting)));
    sources.sort_by_key(|source| source.at);
    sources
}

/// The settings of a rule. Nothing if they cannot be those of a listener.
pub(super) fn settings(
    rule: &ResolvedRule<'_>,
    permissions: &Permissions,
    diagnostics: &mut Diagnostics,
) -> Option<PlannedSettings> {
    let keyring = keyring(rule, diagnostics);
    let suites = suites(rule, diagnostics);
    let versions = versions(rule, suites.as_deref().unwrap_or_default(), diagnostics);
    let (keyring, suites, (tls12, tls13)) = (keyring?, suites?, versions?);
    let port = |name: &str, usual: u64| rule.number(name).unwrap_or(usual);
    let seconds = |name: &str| rule.number(name).filter(|number| *number > 0).map(Duration::from_secs);
    let bytes = |name: &str| rule.number(name).filter(|number| *number > 0);
    let bits = |name: &str, least: u64| {
        rule.number(name).filter(|bits| *bits >= least).and_then(|bits| u32::try_from(bits).ok())
    };
    let nonce = match (rule.is_on("OcspNonceGenEnable"), rule.is_on("OcspNonceCheckEnable")) {
        (_, Some(true)) => Nonce::Demand,
        (Some(true), _) => Nonce::Ask,
        _ => Nonce::Off,
    };
    let ldap_server = rule.word("GSK_LDAP_SERVER").map(|server| match server.contains(':') {
        true => server.to_owned(),
        false => format!("{server}:{}", port("GSK_LDAP_SERVER_PORT", 389)),
    });
    let label = rule.setting("ServerCertificateLabel").or_else(|| rule.setting("CertificateLabel"));
    Some(PlannedSettings {
        certificate: certificate(rule),
        needs_user: rule.word("ClientAuthType") == Some("SAFCheck")
            && permissions.has_user_rules()
            && !permissions.allow(Permission::NoUserMapping),
        handshake_timeout: Duration::from_secs(match rule.number("HandshakeTimeout") {
            None => 10,
            Some(0) => LONGEST_HANDSHAKE,
            Some(seconds) => seconds,
        }),
        session_max_age: session_max_age(rule, diagnostics),
        max_sessions: rule.number("GSK_V3_SIDCACHE_SIZE"),
        tls12,
        tls13,
        suites: suites.iter().map(|suite| suite.code).collect(),
        refuses_unknown_names: rule.word("ServerHandshakeSNIMatch") == Some("Required"),
        min_rsa_bits: bits("PeerMinRsaKeySize", 2048),
        min_ec_bits: bits("PeerMinECCKeySize", 256),
        revocation: revocation(rule, permissions, diagnostics),
        order: match rule.is_on("AIACDPPriority") {
            Some(false) => EvidenceOrder::CrlFirst,
            _ => EvidenceOrder::OcspFirst,
        },
        ocsp_url: rule.word("OcspUrl").map(str::to_owned),
        ocsp_url_first: rule.is_on("OcspUrlPriority").unwrap_or(true),
        nonce,
        ocsp_get: rule.is_on("OcspRetrieveViaGet").unwrap_or_default(),
        ocsp_bytes: match rule.number("OcspMaxResponseSize") {
            None => Some(20_480),
            Some(_) => bytes("OcspMaxResponseSize"),
        },
        ocsp_time: match rule.number("OcspResponseTimeout") {
            None => Some(Duration::from_secs(15)),
            Some(_) => seconds("OcspResponseTimeout"),
        },
        crl_bytes: bytes("HttpCdpMaxResponseSize"),
        crl_time: seconds("HttpCdpResponseTimeout"),
        max_locations: bits("MaxSrcRevExtLocValues", 1),
        ldap_server,
        proxy: proxy(rule, diagnostics),
        keyring,
        label: label.and_then(|setting| setting.value.text()).map(str::to_owned),
    })
}

fn certificate(rule: &ResolvedRule<'_>) -> PlannedCertificate {
    // Without their permissions, such rules do not get here.
    if rule.word("HandshakeRole") != Some("ServerWithClientAuth") {
        return PlannedCertificate::None;
    }
    match rule.word("ClientAuthType") {
        Some("PassThru") => PlannedCertificate::None,
        Some("Full") => PlannedCertificate::Optional,
        _ => PlannedCertificate::Required,
    }
}

fn keyring(rule: &ResolvedRule<'_>, diagnostics: &mut Diagnostics) -> Option<KeyringName> {
    let (name, at) = match rule.setting("Keyring") {
        Some(setting) => (setting.value.text()?, setting.at),
        None => (rule.missing_ring?, place(rule)),
    };
    match KeyringName::parse(name) {
        Ok(name) => Some(name),
        Err(reason) => {
            let help = "export the certificates into a folder of --keyring-dir, and name it as `USER/ring`";
            let message = format!("the key ring `{name}` cannot be used: {reason}");
            diagnostics.error_with_help(Code::KeyRing, at, message, help);
            None
        }
    }
}

/// The suites that are offered. Nothing if there is none.
fn suites(rule: &ResolvedRule<'_>, diagnostics: &mut Diagnostics) -> Option<Vec<KnownSuite>> {
    let profile: &[&str] = match rule.word("SuiteBProfile") {
        None | Some("Off") => &[],
        Some("128") => &["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
        Some("192" | "192Min") => &["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
        Some(_) => &["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
    };
    if !profile.is_empty() {
        return Some(profile.iter().filter_map(|name| KnownSuite::of(name)).collect());
    }
    let mut settings: Vec<&Setting> = ["V3CipherSuites", "V3CipherSuites4Char"]
        .iter()
        .filter_map(|name| rule.settings.get(name))
        .flatten()
        .map(|(_, setting)| *setting)
        .collect();
    settings.sort_by_key(|setting| setting.at);
    let mut offered: Vec<KnownSuite> = Vec::new();
    for setting in &settings {
        let Value::List(names) = &setting.value else { continue };
        let (good, bad): (Vec<_>, Vec<_>) =
            names.iter().filter_map(|name| KnownSuite::of(name)).partition(|suite| suite.is_offered());
        offered.extend(good);
        if !bad.is_empty() {
            let names: Vec<_> = bad.iter().map(|suite| suite.name).collect();
            let message =
                format!("{} is not offered: it has no forward secrecy or is too weak", names.join(", "));
            diagnostics.warning(Code::NotApplied, setting.at, message);
        }
    }
    let mut seen = Vec::new();
    offered.retain(|suite| {
        let is_new = !seen.contains(&suite.code);
        seen.push(suite.code);
        is_new
    });
    match settings.first() {
        Some(first) if offered.is_empty() => {
            let help = "add a suite with ECDHE and GCM, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
            let message = "none of the cipher suites of the policy can be offered";
            diagnostics.error_with_help(Code::NotApplied, first.at, message, help);
            None
        }
        _ => Some(offered),
    }
}

/// Whether TLS 1.2 and TLS 1.3 are offered. Nothing if neither can be.
fn versions(
    rule: &ResolvedRule<'_>,
    suites: &[KnownSuite],
    diagnostics: &mut Diagnostics,
) -> Option<(bool, bool)> {
    let has = |name: &str, has_suite: bool| {
        let is_on = rule.is_on(name).unwrap_or(true);
        is_on && (suites.is_empty() || has_suite)
    };
    let tls12 = has("TLSv1.2", suites.iter().any(|suite| !suite.is_tls13()));
    let tls13 = has("TLSv1.3", suites.iter().any(|suite| suite.is_tls13()));
    for (name, is_offered) in [("TLSv1.2", tls12), ("TLSv1.3", tls13)] {
        if let Some(setting) = rule.setting(name).filter(|_| !is_offered && rule.is_on(name) == Some(true)) {
            let message = format!("`{name}` is on, and not offered: no cipher suite of the policy is for it");
            diagnostics.warning(Code::NotApplied, setting.at, message);
        }
    }
    if !tls12 && !tls13 {
        let message =
            format!("the rule `{}` leaves no version of TLS: certcheck has TLS 1.2 and TLS 1.3", rule.name);
        let help = "switch on TLSv1.2 or TLSv1.3, with a cipher suite for it";
        diagnostics.error_with_help(Code::Conflict, place(rule), message, help);
        return None;
    }
    Some((tls12, tls13))
}

/// One age for sessions of all versions: z/OS has one for session identifiers and one for the tickets of TLS 1.3.
fn session_max_age(rule: &ResolvedRule<'_>, diagnostics: &mut Diagnostics) -> Duration {
    let identifiers = rule.setting("GSK_V3_SESSION_TIMEOUT");
    let tickets = match rule.is_on("GSK_SESSION_TICKET_SERVER_ENABLE") {
        Some(false) => Some(0),
        // Tickets exist on z/OS only where the version is on.
        _ if rule.is_on("TLSv1.3") == Some(true) => {
            Some(rule.number("GSK_SESSION_TICKET_SERVER_TIMEOUT").unwrap_or(300))
        }
        _ => rule.number("GSK_SESSION_TICKET_SERVER_TIMEOUT"),
    };
    let age = match (identifiers.and_then(|setting| setting.value.number()), tickets) {
        (Some(identifiers), Some(tickets)) => identifiers.min(tickets),
        (one, other) => one.or(other).unwrap_or(300).min(86_400),
    };
    if let Some(setting) = identifiers.filter(|setting| setting.value.number() > Some(age)) {
        let message = format!("sessions of all versions may resume for {age} s, the shorter time of tickets");
        diagnostics.warning(Code::NotApplied, setting.at, message);
    }
    Duration::from_secs(age)
}

fn revocation(
    rule: &ResolvedRule<'_>,
    permissions: &Permissions,
    diagnostics: &mut Diagnostics,
) -> Revocation {
    let ldap = rule.setting("GSK_LDAP_SERVER");
    let is_on = |name: &str| rule.is_on(name).unwrap_or_default();
    let has_source = is_on("HttpCdpEnable")
        || is_on("OcspAiaEnable")
        || rule.setting("OcspUrl").is_some()
        || ldap.is_some();
    if !has_source {
        let message = format!(
            "the rule `{}` has no source of revocation status, so z/OS checks none; certcheck checks all the same",
            rule.name
        );
        if permissions.allow(Permission::NoRevocation) {
            let message = format!("the rule `{}` checks no revocation, as on z/OS and as allowed", rule.name);
            diagnostics.warning(Code::NeedsPermission, place(rule), message);
            return Revocation::Off;
        }
        let help = "set HttpCdpEnable and OcspAiaEnable to On; --allow no-revocation turns the check off";
        let severity = super::diagnostic::Severity::Warning;
        diagnostics.add(severity, Code::DifferentDefault, place(rule), message, Some(help.to_owned()));
    }
    let level = |name: &str| match rule.word(name) {
        Some("Low") => 0,
        Some("High") => 2,
        _ => 1,
    };
    let of_ldap = if ldap.is_some() { level("GSK_CRL_SECURITY_LEVEL") } else { 0 };
    match level("RevocationSecurityLevel").max(of_ldap) {
        0 => Revocation::SoftFail,
        1 => Revocation::IfOffered,
        _ => Revocation::HardFail,
    }
}

/// One proxy for everything: that for CRLs, else that for OCSP.
fn proxy(rule: &ResolvedRule<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let mut of = |name: &str, port: &str| {
        let setting = rule.setting(name)?;
        let host = setting.value.text()?;
        let proxy = format!("http://{host}:{}", rule.number(port).unwrap_or(80));
        // A host and nothing else: what cannot be used must not be left out.
        let is_host = |url: &url::Url| {
            url.path() == "/"
                && url.username().is_empty()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        if url::Url::parse(&proxy).is_ok_and(|url| is_host(&url) && !host.contains(['/', '@', '\\'])) {
            return Some(proxy);
        }
        let message = format!("`{name}` cannot be `{host}`: it is not a host name or an IP address");
        diagnostics.error(Code::BadValue, setting.at, message);
        None
    };
    let crl = of("HttpCdpProxyServerName", "HttpCdpProxyServerPort");
    let ocsp = of("OcspProxyServerName", "OcspProxyServerPort");
    if let (Some(crl), Some(ocsp), Some(setting)) = (&crl, &ocsp, rule.setting("OcspProxyServerName"))
        && crl != ocsp
    {
        let message = format!("one proxy is used for everything: {crl}");
        diagnostics.warning(Code::NotApplied, setting.at, message);
    }
    crl.or(ocsp)
}
