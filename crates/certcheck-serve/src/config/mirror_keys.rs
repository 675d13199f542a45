//! The keys of `[mirror]`.

use std::time::Duration;

use certcheck_rustls::Purpose;
use url::Url;

use super::document::{Reading, Scope, Value};
use super::mirror::{MirrorConfig, MirrorLimits};
use super::origin::Section;
use super::values::{Parsed, flaw};
use super::{durations, listener_keys, values};

/// The keys of a mirror alone.
pub(super) const OWN: &[&str] = &[
    "listen",
    "clients",
    "sources",
    "hosts",
    "tree",
    "refresh",
    "max_sources",
    "max_bytes",
    "max_connections",
    "max_connections_per_address",
];
/// The shortest time between two looks at a source.
const SHORTEST: Duration = Duration::from_secs(1);
/// The largest limits.
const MANY: u64 = 1_000_000;
const MAX_BYTES: u64 = 1 << 50;

/// The mirror, if the configuration has one.
pub(super) fn mirror<'d>(
    reading: &mut Reading<'d>,
    top: Scope<'d>,
    top_keys: &'static [&'static str],
) -> Option<MirrorConfig> {
    let table = reading.table_of(top, "mirror", "")?;
    let own = Scope { section: Section::Mirror, ..table };
    let elsewhere = (top_keys, "put it before the first table");
    reading.refuse_unknown(own.own, "mirror: ", &[OWN, listener_keys::check_keys()], &[elsewhere]);
    if !own.has("listen") {
        reading.fault(own.at, "mirror: `listen` is missing, such as listen = [\"0.0.0.0:8790\"]");
    }
    let usual = MirrorConfig::default();
    let folder = reading.folder().to_owned();
    let mut check = listener_keys::check(reading, Scope { outer: Some(top.own), ..own });
    check.purpose = Purpose::Any;
    let mut count = |key, usual| reading.value(own, key, usual, values::count(1, MANY));
    let max_connections = count("max_connections", usual.limits.max_connections);
    let limits = MirrorLimits {
        max_sources: count("max_sources", usual.limits.max_sources),
        max_connections,
        max_connections_per_address: count(
            "max_connections_per_address",
            usual.limits.max_connections_per_address.min(max_connections),
        ),
        max_bytes: reading.value(own, "max_bytes", usual.limits.max_bytes, values::number(1, MAX_BYTES)),
    };
    Some(MirrorConfig {
        listen: reading.value(own, "listen", Vec::new(), values::distinct(values::listen)),
        clients: reading.value(own, "clients", usual.clients, values::one_or_more(values::net)),
        sources: reading.value(own, "sources", usual.sources, values::distinct(source)),
        hosts: reading.value(own, "hosts", usual.hosts, values::distinct(host)),
        tree: reading.optional(own, "tree", values::path(&folder)),
        refresh: reading.value(own, "refresh", usual.refresh, durations::duration(SHORTEST)),
        check,
        limits,
    })
}

/// The URL of a CRL.
fn source(value: &Value<'_>) -> Parsed<Url> {
    let url = value.get_ref().as_str().and_then(|text| Url::parse(text).ok());
    match url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        Some(url) => Ok(url),
        None => flaw(value, "is not the URL of a CRL, such as \"http://crl.example/ca.crl\""),
    }
}

/// A host with or without a port.
fn host(value: &Value<'_>) -> Parsed<String> {
    let text = value.get_ref().as_str().unwrap_or_default();
    let url = Url::parse(&format!("http://{text}")).ok();
    let is_host = url.is_some_and(|url| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        url.host_str().is_some_and(|host| text.eq_ignore_ascii_case(&format!("{host}{port}")))
    });
    if is_host {
        Ok(text.to_ascii_lowercase())
    } else {
        flaw(value, "is not a host, such as \"crl.example\" or \"ocsp.example:8080\"")
    }
}

#[cfg(test)]
mod tests {
    use super::OWN;

    /// The table of the page has every key, and no other.
    #[test]
    fn the_page_lists_each_key() {
        let page = include_str!("../../../../docs/mirror.md");
        let (_, table) = page.split_once("| key of `[mirror]` |").expect("a table");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut listed: Vec<&str> =
            rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        let mut known = OWN.to_vec();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
