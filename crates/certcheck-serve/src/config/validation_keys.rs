//! The keys of `[[validation]]`.

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::HeaderName;
use toml::de::DeValue;

use super::check::CheckConfig;
use super::document::{Reading, Scope, Value};
use super::model::ProxyPeers;
use super::origin::Section;
use super::validation::{
    CertificateSource, PeerTls, RouteConfig, Unauthenticated, ValidationConfig, ValidationLimits,
    ValidationPolicy, ValidationProtocol,
};
use super::values::{Parsed, flaw};
use super::{access_keys, durations, listener_keys, values};

/// The keys of a validation listener alone.
pub(super) const OWN: &[&str] = &[
    "name",
    "protocol",
    "listen",
    "allow_remote",
    "peers",
    "secret_file",
    "certificates",
    "peer_ring",
    "peer_revocation",
    "peer_allow",
    "unauthenticated",
    "policies",
    "route",
    "identity",
    "allow",
    "check_timeout",
    "max_checks",
    "max_checks_per_peer",
    "max_connections",
    "max_connections_per_address",
    "max_request_bytes",
    "max_request_bytes_per_peer",
    "max_remembered_bytes",
    "max_watches",
];
const ROUTE: &[&str] = &["name", "source", "header", "chain_header", "strict", "policy"];
const POLICY: &[&str] = &["name"];

/// The name of the policy that the keys of the table itself are.
const FIRST_POLICY: &str = "default";
/// The most validation listeners, and the most policies and routes of one.
const MAX_VALIDATIONS: usize = 64;
/// The least bytes of requests: those of a few certificates.
const LEAST_REQUEST_BYTES: u64 = 64 << 10;
/// The shortest time limit.
const SHORTEST: Duration = Duration::from_millis(10);

/// All validation listeners.
pub(super) fn validations<'d>(
    reading: &mut Reading<'d>,
    top: Scope<'d>,
    top_keys: &'static [&'static str],
) -> Vec<ValidationConfig> {
    let mut validations = Vec::new();
    for (at, scope) in tables(reading, top, "validation", "[[validation]]", "") {
        let scope = Scope { section: Section::Validation(at), outer: Some(top.own), ..scope };
        validations.extend(validation(reading, scope, at, top_keys));
    }
    validations
}

/// The tables in the list with this name, each with its number.
fn tables<'d>(
    reading: &mut Reading<'d>,
    within: Scope<'d>,
    key: &str,
    title: &str,
    prefix: &'static str,
) -> Vec<(usize, Scope<'d>)> {
    let Some(value) = within.own_value(key) else { return Vec::new() };
    let at = value.span().start;
    let DeValue::Array(array) = value.get_ref() else {
        reading.fault(at, format!("{key}: not a list of tables, each of which is written as {title}"));
        return Vec::new();
    };
    if array.len() > MAX_VALIDATIONS {
        reading.fault(at, format!("{key}: {} of them; at most {MAX_VALIDATIONS} are allowed", array.len()));
        return Vec::new();
    }
    let mut scopes = Vec::new();
    for (number, value) in array.iter().enumerate() {
        let at = value.span().start;
        match value.get_ref().as_table() {
            Some(own) => {
                scopes.push((number, Scope { own, at, prefix, outer: None, outermost: None, ..within }))
            }
            None => reading.fault(at, format!("{key}: not a table, which is written as {title}")),
        }
    }
    scopes
}

fn validation<'d>(
    reading: &mut Reading<'d>,
    scope: Scope<'d>,
    at: usize,
    top_keys: &'static [&'static str],
) -> Option<ValidationConfig> {
    let own = Scope { outer: None, ..scope };
    let name = reading.value(own, "name", format!("validation-{}", at + 1), values::name);
    let title = format!("validation `{name}`: ");
    let elsewhere = (top_keys, "put it before the first table");
    reading.refuse_unknown(scope.own, &title, &[OWN, listener_keys::check_keys()], &[elsewhere]);
    if !own.has("listen") {
        reading.fault(scope.at, format!("{title}`listen` is missing, such as listen = \"127.0.0.1:8700\""));
    }
    if !own.has("secret_file") && !own.has("peer_ring") {
        let message = format!(
            "{title}`secret_file` is missing, the file with a text of 16 to 4096 bytes, or `peer_ring`"
        );
        reading.fault(scope.at, message);
    }
    let folder = reading.folder().to_owned();
    let listen = reading.optional(own, "listen", values::distinct(values::listen));
    let secret_file: Option<PathBuf> = reading.optional(own, "secret_file", values::path(&folder));
    let policies = policies(reading, scope, at, &title);
    let tls = tls(reading, own, &title, &policies);
    Some(ValidationConfig {
        protocol: reading.value(own, "protocol", ValidationProtocol::default(), values::word),
        allow_remote: reading.value(own, "allow_remote", false, values::switch),
        peers: reading.value(own, "peers", this_machine(), values::peers),
        unauthenticated: reading.value(own, "unauthenticated", Unauthenticated::default(), values::word),
        routes: routes(reading, own, &title),
        access: access_keys::access(reading, own, &title),
        limits: limits(reading, own),
        policies,
        name,
        listen: listen?,
        secret_file,
        tls,
    })
}

/// TLS with certificates of peers. Evidence about them is fetched as for the first policy.
fn tls<'d>(
    reading: &mut Reading<'d>,
    own: Scope<'d>,
    title: &str,
    policies: &[ValidationPolicy],
) -> Option<PeerTls> {
    let folder = reading.folder().to_owned();
    let ring = reading.optional(own, "peer_ring", values::one_or_more(values::path(&folder)));
    let usual = CheckConfig::default().revocation;
    let revocation = reading.value(own, "peer_revocation", usual, values::revocation);
    let certificates = listener_keys::certificates(reading, own);
    let allow = access_keys::allow(reading, own, "peer_allow");
    for (key, other) in [
        ("certificates", "peer_ring"),
        ("peer_ring", "certificates"),
        ("peer_revocation", "peer_ring"),
        ("peer_allow", "peer_ring"),
    ] {
        if let Some(at) = own.place_of(key).filter(|_| !own.has(other)) {
            reading.fault(at, format!("{title}{key}: it needs `{other}` too: peers then have certificates"));
        }
    }
    let network = policies.first().map(|policy| policy.check.network.clone()).unwrap_or_default();
    let check = CheckConfig { ring: ring?, revocation, network, ..CheckConfig::default() };
    Some(PeerTls { certificates, check, allow })
}

/// Loopback and Unix sockets.
fn this_machine() -> ProxyPeers {
    let nets = ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect();
    ProxyPeers { nets, unix: true }
}

fn limits<'d>(reading: &mut Reading<'d>, own: Scope<'d>) -> ValidationLimits {
    let usual = ValidationLimits::default();
    let check_timeout =
        reading.value(own, "check_timeout", usual.check_timeout, durations::duration(SHORTEST));
    let mut count = |key, usual| reading.value(own, key, usual, values::count(1, 1_000_000));
    let max_checks = count("max_checks", usual.max_checks);
    let max_checks_per_peer = count("max_checks_per_peer", usual.max_checks_per_peer.min(max_checks));
    let max_connections = count("max_connections", usual.max_connections);
    let of_address = usual.max_connections_per_address.min(max_connections);
    let max_connections_per_address = count("max_connections_per_address", of_address);
    let max_watches = count("max_watches", usual.max_watches);
    let mut bytes = |key, usual, least| reading.value(own, key, usual, values::count(least, 1 << 30));
    let max_request_bytes = bytes("max_request_bytes", usual.max_request_bytes, LEAST_REQUEST_BYTES);
    let of_peer = usual.max_request_bytes_per_peer.min(max_request_bytes);
    ValidationLimits {
        check_timeout,
        max_checks,
        max_checks_per_peer,
        max_connections,
        max_connections_per_address,
        max_request_bytes,
        max_request_bytes_per_peer: bytes("max_request_bytes_per_peer", of_peer, LEAST_REQUEST_BYTES),
        max_watches,
        max_remembered_bytes: bytes("max_remembered_bytes", usual.max_remembered_bytes, 0),
    }
}

/// The keys of the table itself are the first policy. Others take from it what they do not have.
fn policies<'d>(
    reading: &mut Reading<'d>,
    scope: Scope<'d>,
    at: usize,
    title: &str,
) -> Vec<ValidationPolicy> {
    let first =
        ValidationPolicy { name: FIRST_POLICY.to_owned(), check: listener_keys::check(reading, scope) };
    let mut policies = vec![first];
    for (number, table) in tables(reading, scope, "policies", "[[validation.policies]]", "") {
        let scope = Scope {
            section: Section::of_policy(at, number + 1),
            outer: Some(scope.own),
            outermost: scope.outer,
            ..table
        };
        let own = Scope { outer: None, outermost: None, ..scope };
        let name = reading.optional(own, "name", values::name);
        let title = format!("{title}policies: ");
        reading.refuse_unknown(scope.own, &title, &[POLICY, listener_keys::check_keys()], &[]);
        if !own.has("name") {
            reading.fault(scope.at, format!("{title}`name` is missing, such as name = \"strict\""));
        }
        let check = listener_keys::check(reading, scope);
        let Some(name) = name else { continue };
        if policies.iter().any(|other| other.name == name) {
            let at = own.place_of("name").unwrap_or(scope.at);
            reading.fault(at, format!("{title}`{name}` is the name of another policy too"));
        }
        policies.push(ValidationPolicy { name, check });
    }
    policies
}

fn routes<'d>(reading: &mut Reading<'d>, own: Scope<'d>, title: &str) -> Vec<RouteConfig> {
    let mut routes: Vec<RouteConfig> = Vec::new();
    for (_, scope) in tables(reading, own, "route", "[[validation.route]]", "route.") {
        let title = format!("{title}route: ");
        reading.refuse_unknown(scope.own, &title, &[ROUTE], &[]);
        if !scope.has("source") {
            let words = CertificateSource::ALL.map(CertificateSource::name).join("`, `");
            reading.fault(scope.at, format!("{title}`source` is missing: one of `{words}`"));
        }
        let Some(source) = reading.optional(scope, "source", values::word::<CertificateSource>) else {
            continue;
        };
        let usual = RouteConfig::new(source);
        let name = reading.value(scope, "name", usual.name, values::name);
        if routes.iter().any(|other| other.name == name) {
            let at = scope.place_of("name").unwrap_or(scope.at);
            reading.fault(at, format!("{title}`{name}` is the name of another route too"));
        }
        if let Some(at) = scope.place_of("chain_header").filter(|_| !source.has_chain_header()) {
            let message = format!("{title}chain_header: `{}` has no header of its own for it", source.name());
            reading.fault(at, message);
        }
        routes.push(RouteConfig {
            name,
            source,
            header: reading.value(scope, "header", usual.header, header),
            chain_header: match reading.optional(scope, "chain_header", header) {
                Some(header) => Some(header),
                None => usual.chain_header,
            },
            strict: reading.value(scope, "strict", true, values::switch),
            policy: reading.optional(scope, "policy", values::name),
        });
    }
    routes
}

/// The name of a header.
fn header(value: &Value<'_>) -> Parsed<String> {
    match value.get_ref().as_str() {
        Some(text) if text.len() <= 64 && HeaderName::from_bytes(text.as_bytes()).is_ok() => {
            Ok(text.to_owned())
        }
        _ => flaw(value, "is not the name of a header, such as \"X-Client-Cert\""),
    }
}

#[cfg(test)]
mod tests {
    use super::{OWN, ROUTE};

    /// The tables of the page have every key, and no other.
    #[test]
    fn the_page_lists_each_key() {
        let page = include_str!("../../../../docs/validation.md");
        for (title, keys) in
            [("| key of `[[validation]]` |", OWN), ("| key of `[[validation.route]]` |", ROUTE)]
        {
            let (_, table) = page.split_once(title).expect("a table");
            let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
            let mut listed: Vec<&str> = rows
                .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
                .flat_map(|cell| cell.split(", "))
                .map(|key| key.trim_matches('`'))
                .collect();
            let mut known = keys.to_vec();
            listed.sort_unstable();
            known.sort_unstable();
            assert_eq!(listed, known);
        }
    }
}
