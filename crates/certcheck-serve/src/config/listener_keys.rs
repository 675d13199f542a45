//! The keys of a listener.

use std::time::Duration;

use super::check::{CheckConfig, NetworkConfig};
use super::document::{Reading, Scope, Value};
use super::model::{
    CertificateFiles, ListenerConfig, ListenerLimits, ProxyProtocol, ProxyTlv, ProxyVersion, TlsConfig,
    TlsVersion, UnknownSni,
};
use super::origin::{Section, ValueOrigin};
use super::{access_keys, durations, http_keys, policy_keys, values};
use crate::provider;

/// The keys of a listener alone.
pub(super) const OWN: &[&str] = &[
    "name",
    "listen",
    "upstream",
    "http",
    "identity",
    "allow",
    "at_tls",
    "keyring_dir",
    "at_tls_fragment",
    "at_tls_allow",
];

/// The keys that count for every listener if they are outside of listeners.
pub(super) const INHERITED: &[&str] = &[
    "allow_remote_upstream",
    "certificates",
    "unknown_sni",
    "tls_versions",
    "suites",
    "alpn",
    "session_max_age",
    "max_sessions",
    "send_ca_names",
    "clients",
    "client_auth",
    "max_connections",
    "max_connections_per_address",
    "max_handshakes",
    "handshake_timeout",
    "connect_timeout",
    "idle_timeout",
    "max_lifetime",
    "upstream_probe",
    "proxy_protocol",
    "proxy_protocol_tlvs",
    "accept_proxy_from",
    "ring",
    "ring_skip_unreadable",
    "crl",
    "ocsp",
    "revocation",
    "scope",
    "order",
    "nonce",
    "ocsp_url",
    "ocsp_url_first",
    "aia",
    "purpose",
    "policy",
    "require_explicit_policy",
    "inhibit_policy_mapping",
    "inhibit_any_policy",
    "max_depth",
    "min_rsa_bits",
    "min_ec_bits",
    "allow_sha1",
    "partial_chain",
    "enforce_anchor_validity",
    "pedantic",
    "clock_skew",
    "max_age",
    "max_stale",
    "max_evidence_age",
    "use_deltas",
    "crl_signer_usage",
    "max_locations",
    "offline",
    "cache_dir",
    "trust_cache",
    "shared_store",
    "shared_store_password_file",
    "proxy",
    "allow_net",
    "allow_port",
    "deny_private",
    "allow_https",
    "mirrors",
    "ldap_server",
    "ocsp_get",
    "max_crl_bytes",
    "max_ocsp_bytes",
    "crl_timeout",
    "ocsp_timeout",
];

/// The keys of what certificates are checked by, which validation listeners have too.
pub(super) fn check_keys() -> &'static [&'static str] {
    let first = INHERITED.iter().position(|key| *key == "ring");
    first.and_then(|first| INHERITED.get(first..)).unwrap_or_default()
}

/// The most of anything that is counted.
const MANY: u64 = 1_000_000;
/// The largest limit of evidence, in bytes.
const MAX_EVIDENCE: u64 = 4 << 30;
/// The protocols that are offered where HTTP is spoken.
pub(super) const HTTP_ALPN: [&str; 2] = ["h2", "http/1.1"];
/// The shortest time limit.
const SHORTEST: Duration = Duration::from_millis(100);
/// The shortest time between attempts to reach a service.
const SOONEST_PROBE: Duration = Duration::from_secs(1);

/// A listener. `None` if keys that have no default are missing: that is noted. What an AT-TLS policy says is not there
/// yet, if the listener names one.
pub(super) fn listener<'d>(
    reading: &mut Reading<'d>,
    scope: Scope<'d>,
    top: &'static [&'static str],
) -> Option<ListenerConfig> {
    let number = if let Section::Listener(number) = scope.section { number } else { 0 };
    let name = reading.value(scope, "name", format!("listener-{}", number + 1), values::name);
    let title = format!("listener `{name}`: ");
    let elsewhere = (top, "put it before the first [[listener]] table");
    reading.refuse_unknown(scope.own, &title, &[OWN, INHERITED], &[elsewhere]);
    let own = Scope { outer: None, ..scope };
    for (key, scope, example) in [
        ("listen", own, "listen = [\"0.0.0.0:6777\"]"),
        ("upstream", own, "upstream = \"127.0.0.1:8080\""),
        ("certificates", scope, "certificates = [{ chain = \"server.pem\", key = \"server.key\" }]"),
    ] {
        if !scope.has(key) && !policy_keys::decides(own, key) {
            reading.fault(scope.at, format!("{title}`{key}` is missing, such as {example}"));
        }
    }
    let listen = match policy_keys::decides(own, "listen") {
        true => Some(Vec::new()),
        false => reading.optional(own, "listen", values::distinct(values::listen)),
    };
    let upstream = reading.optional(own, "upstream", values::upstream);
    let (mut tls, check) = (tls(reading, scope), check(reading, scope));
    let http = http_keys::http(reading, own, &title);
    if http.is_some() && tls.alpn.is_empty() {
        tls.alpn = HTTP_ALPN.map(str::to_owned).to_vec();
    }
    let access = access_keys::access(reading, own, &title);
    let limits = limits(reading, scope);
    let proxy_protocol = proxy_protocol(reading, scope);
    let allow_remote_upstream = reading.value(scope, "allow_remote_upstream", false, values::switch);
    let clients = reading.value(scope, "clients", Vec::new(), values::one_or_more(values::net));
    let client_auth = reading.value(scope, "client_auth", Default::default(), values::word);
    let accept_proxy_from = reading.value(scope, "accept_proxy_from", Default::default(), values::peers);
    Some(ListenerConfig {
        name,
        listen: listen?,
        upstream: upstream?,
        allow_remote_upstream,
        tls,
        clients,
        client_auth,
        check,
        access,
        http,
        limits,
        proxy_protocol,
        accept_proxy_from,
    })
}

fn tls<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> TlsConfig {
    let usual = TlsConfig::default();
    let certificates = certificates(reading, scope);
    let supported: Vec<_> = provider::get().map(|provider| provider::suites(&provider)).unwrap_or_default();
    TlsConfig {
        certificates,
        unknown_sni: reading.value(scope, "unknown_sni", UnknownSni::default(), values::word),
        versions: reading.value(
            scope,
            "tls_versions",
            usual.versions,
            values::distinct(values::word::<TlsVersion>),
        ),
        suites: reading.value(scope, "suites", usual.suites, values::distinct(values::suite(&supported))),
        alpn: reading.value(scope, "alpn", usual.alpn, values::distinct(values::alpn)),
        session_max_age: reading.value(
            scope,
            "session_max_age",
            usual.session_max_age,
            durations::duration(Duration::ZERO),
        ),
        max_sessions: reading.value(scope, "max_sessions", usual.max_sessions, values::count(0, MANY)),
        send_ca_names: reading.value(scope, "send_ca_names", usual.send_ca_names, values::switch),
    }
}

pub(super) fn certificates<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> Vec<CertificateFiles> {
    let folder = reading.folder().to_owned();
    let entries = values::one_or_more(values::certificate_files(&folder));
    let entries = reading.optional(scope, "certificates", entries).unwrap_or_default();
    let noted = entries.into_iter().enumerate().map(|(number, (at, files))| {
        let origin = ValueOrigin::File(reading.place(at));
        reading.origins.note(scope.section, format!("certificates.{number}"), origin);
        files
    });
    noted.collect()
}

fn limits<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> ListenerLimits {
    let usual = ListenerLimits::default();
    let mut count = |key, usual| reading.value(scope, key, usual, values::count(1, MANY));
    let max_connections = count("max_connections", usual.max_connections);
    let max_handshakes = count("max_handshakes", usual.max_handshakes);
    let max_connections_per_address =
        count("max_connections_per_address", usual.max_connections_per_address.min(max_connections));
    let mut time = |key, usual| reading.value(scope, key, usual, durations::duration(SHORTEST));
    let handshake_timeout = time("handshake_timeout", usual.handshake_timeout);
    let connect_timeout = time("connect_timeout", usual.connect_timeout);
    let mut bound = |key, usual| reading.value(scope, key, usual, durations::duration_or_off(SHORTEST));
    let (idle_timeout, max_lifetime) =
        (bound("idle_timeout", usual.idle_timeout), bound("max_lifetime", usual.max_lifetime));
    let probe = durations::duration_or_off(SOONEST_PROBE);
    ListenerLimits {
        max_connections,
        max_connections_per_address,
        max_handshakes,
        handshake_timeout,
        connect_timeout,
        idle_timeout,
        max_lifetime,
        upstream_probe: reading.value(scope, "upstream_probe", usual.upstream_probe, probe),
    }
}

fn proxy_protocol<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> ProxyProtocol {
    let usual = ProxyProtocol::default();
    let tlvs = values::list(values::word::<ProxyTlv>);
    ProxyProtocol {
        version: reading.value(scope, "proxy_protocol", ProxyVersion::default(), values::word),
        tlvs: reading.value(scope, "proxy_protocol_tlvs", usual.tlvs, tlvs),
    }
}

pub(super) fn check<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> CheckConfig {
    let usual = CheckConfig::default();
    let folder = reading.folder().to_owned();
    let paths = || values::one_or_more(values::path(&folder));
    let mut check = CheckConfig {
        ring: reading.value(scope, "ring", usual.ring, paths()),
        crl: reading.value(scope, "crl", usual.crl, paths()),
        ocsp: reading.value(scope, "ocsp", usual.ocsp, paths()),
        revocation: reading.value(scope, "revocation", usual.revocation, values::revocation),
        scope: reading.value(scope, "scope", usual.scope, values::word),
        order: reading.value(scope, "order", usual.order, values::word),
        nonce: reading.value(scope, "nonce", usual.nonce, values::word),
        ocsp_url: reading.value(scope, "ocsp_url", usual.ocsp_url, values::one_or_more(values::responder)),
        purpose: reading.value(scope, "purpose", usual.purpose, values::purpose),
        policy: reading.value(scope, "policy", usual.policy, values::distinct(values::oid)),
        max_depth: reading.value(scope, "max_depth", usual.max_depth, values::small(0, 90)),
        min_rsa_bits: reading.value(scope, "min_rsa_bits", usual.min_rsa_bits, values::small(1_024, 8_192)),
        min_ec_bits: reading.value(scope, "min_ec_bits", usual.min_ec_bits, values::small(160, 521)),
        crl_signer_usage: reading.value(scope, "crl_signer_usage", usual.crl_signer_usage, values::word),
        max_locations: reading.value(scope, "max_locations", usual.max_locations, values::small(1, 256)),
        network: network(reading, scope),
        ..CheckConfig::default()
    };
    for (key, switch) in [
        ("ring_skip_unreadable", &mut check.ring_skip_unreadable),
        ("ocsp_url_first", &mut check.ocsp_url_first),
        ("aia", &mut check.aia),
        ("require_explicit_policy", &mut check.require_explicit_policy),
        ("inhibit_policy_mapping", &mut check.inhibit_policy_mapping),
        ("inhibit_any_policy", &mut check.inhibit_any_policy),
        ("allow_sha1", &mut check.allow_sha1),
        ("partial_chain", &mut check.partial_chain),
        ("enforce_anchor_validity", &mut check.enforce_anchor_validity),
        ("pedantic", &mut check.pedantic),
        ("use_deltas", &mut check.use_deltas),
    ] {
        *switch = reading.value(scope, key, *switch, values::switch);
    }
    for (key, seconds) in [
        ("clock_skew", &mut check.freshness.skew),
        ("max_age", &mut check.freshness.max_age),
        ("max_stale", &mut check.freshness.max_stale),
    ] {
        *seconds = reading.value(scope, key, *seconds, durations::seconds);
    }
    check.freshness.oldest = reading.value(scope, "max_evidence_age", None, durations::seconds_or_off);
    check
}

fn network<'d>(reading: &mut Reading<'d>, scope: Scope<'d>) -> NetworkConfig {
    let usual = NetworkConfig::default();
    let folder = reading.folder().to_owned();
    let port =
        |value: &Value<'d>| values::small(1, 65_535)(value).map(|port| u16::try_from(port).unwrap_or(0));
    let mut network = NetworkConfig {
        cache_dir: reading.optional(scope, "cache_dir", values::path(&folder)),
        shared_store: reading.optional(scope, "shared_store", values::shared_store),
        shared_store_password_file: reading.optional(
            scope,
            "shared_store_password_file",
            values::path(&folder),
        ),
        proxy: reading.value(scope, "proxy", usual.proxy, values::proxy),
        allow_net: reading.value(scope, "allow_net", usual.allow_net, values::one_or_more(values::net)),
        allow_port: reading.value(scope, "allow_port", usual.allow_port, values::one_or_more(port)),
        mirrors: reading.value(scope, "mirrors", usual.mirrors, values::one_or_more(values::mirror)),
        ldap_server: reading.optional(scope, "ldap_server", values::ldap_server),
        ..NetworkConfig::default()
    };
    for (key, switch) in [
        ("offline", &mut network.offline),
        ("trust_cache", &mut network.trust_cache),
        ("deny_private", &mut network.deny_private),
        ("allow_https", &mut network.allow_https),
        ("ocsp_get", &mut network.ocsp_get),
    ] {
        *switch = reading.value(scope, key, *switch, values::switch);
    }
    let limits = &mut network.limits;
    for (key, bytes) in [("max_crl_bytes", &mut limits.crl_bytes), ("max_ocsp_bytes", &mut limits.ocsp_bytes)]
    {
        *bytes = reading.value(scope, key, *bytes, values::number(1, MAX_EVIDENCE));
    }
    for (key, time) in [("crl_timeout", &mut limits.crl_whole), ("ocsp_timeout", &mut limits.small_whole)] {
        *time = reading.value(scope, key, *time, durations::duration(SHORTEST));
    }
    network
}

#[cfg(test)]
mod tests {
    use super::{INHERITED, OWN};

    /// The tables of the page have every key, and no other.
    #[test]
    fn the_page_lists_each_key() {
        let page = include_str!("../../../../docs/serve.md");
        let (_, tables) = page.split_once("| key of a listener |").expect("a table");
        let (tables, _) = tables.split_once("| key outside of listeners |").expect("another");
        let first_cells = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let mut listed: Vec<&str> =
            first_cells.flat_map(|cell| cell.split(", ")).map(|key| key.trim_matches('`')).collect();
        let mut known = [OWN, INHERITED].concat();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
