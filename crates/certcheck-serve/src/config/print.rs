//! A configuration as TOML, each value with where it comes from. What is printed can be read again.

use core::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_rustls::certcheck_core::policy::Tolerance;
use certcheck_rustls::{Purpose, Revocation};
use url::Url;

use super::check::{CheckConfig, NetworkConfig, ProxyFor};
use super::durations::duration_text;
use super::http::HttpConfig;
use super::mirror::MirrorConfig;
use super::model::{CertificateFiles, ListenerConfig, ProxyPeers, ServeConfig};
use super::origin::{Origins, Section, ValueOrigin};
use super::values::suite_name;
use super::words::{CAUSES, Word};
use crate::identity::{AccessRules, AllowRule, Condition};

/// The columns before the origin of a value.
const VALUES: usize = 56;

/// The whole configuration as TOML: every value, and where it comes from as a comment. Values that are not set are
/// comments. The password of a proxy is not shown.
#[must_use]
pub fn print(config: &ServeConfig, origins: &Origins) -> String {
    let mut page = Page { text: String::new(), origins, section: Section::Top, prefix: "" };
    page.value("drain_timeout", duration(config.drain_timeout));
    page.value("watch_files", duration_or_off(config.watch_files));
    page.value("sandbox", config.sandbox);
    page.text.push_str("\n[admin]\n");
    page.prefix = "admin.";
    page.value_or_none("listen", some(list(&config.admin.listen, text), config.admin.listen.is_empty()));
    page.value("allow_remote", config.admin.allow_remote);
    page.text.push_str("\n[log]\n");
    page.prefix = "log.";
    page.value("format", word(config.log.format));
    page.value("quiet", list(&config.log.quiet, |class| word(*class)));
    page.prefix = "";
    for (number, listener) in config.listeners.iter().enumerate() {
        page.text.push_str("\n[[listener]]\n");
        page.section = Section::Listener(number);
        page.listener(listener);
    }
    for (number, validation) in config.validations.iter().enumerate() {
        page.validation(number, validation);
    }
    if let Some(mirror) = &config.mirror {
        page.mirror(mirror);
    }
    page.text
}

pub(super) struct Page<'p> {
    pub(super) text: String,
    origins: &'p Origins,
    pub(super) section: Section,
    pub(super) prefix: &'static str,
}

impl Page<'_> {
    pub(super) fn value(&mut self, key: &str, value: impl fmt::Display) {
        let line = format!("{key} = {value}");
        let origin = self.origins.of(self.section, &format!("{}{key}", self.prefix));
        let _ = writeln!(self.text, "{line:VALUES$} # {origin}");
    }

    pub(super) fn value_or_none(&mut self, key: &str, value: Option<String>) {
        match value {
            Some(value) => self.value(key, value),
            None => {
                let _ = writeln!(
                    self.text,
                    "{:VALUES$} # {}",
                    format!("# {key} is not set"),
                    ValueOrigin::Default
                );
            }
        }
    }

    fn listener(&mut self, listener: &ListenerConfig) {
        self.value("name", text(&listener.name));
        self.value("listen", list(&listener.listen, text));
        self.value("upstream", text(&listener.upstream));
        self.value("allow_remote_upstream", listener.allow_remote_upstream);
        self.value("certificates", certificates(&listener.tls.certificates));
        let tls = &listener.tls;
        self.value("unknown_sni", word(tls.unknown_sni));
        self.value("tls_versions", list(&tls.versions, |version| word(*version)));
        let suites = list(&tls.suites, |suite| text(&suite_name(*suite)));
        self.value_or_none("suites", some(suites, tls.suites.is_empty()));
        self.value_or_none("alpn", some(list(&tls.alpn, text), tls.alpn.is_empty()));
        self.value("session_max_age", duration(tls.session_max_age));
        self.value("max_sessions", tls.max_sessions);
        self.value("send_ca_names", tls.send_ca_names);
        self.value_or_none("clients", some(list(&listener.clients, text), listener.clients.is_empty()));
        self.value("client_auth", word(listener.client_auth));
        let limits = &listener.limits;
        self.value("max_connections", limits.max_connections);
        self.value("max_connections_per_address", limits.max_connections_per_address);
        self.value("max_handshakes", limits.max_handshakes);
        self.value("handshake_timeout", duration(limits.handshake_timeout));
        self.value("connect_timeout", duration(limits.connect_timeout));
        self.value("idle_timeout", duration_or_off(limits.idle_timeout));
        self.value("max_lifetime", duration_or_off(limits.max_lifetime));
        self.value("upstream_probe", duration_or_off(limits.upstream_probe));
        let proxy = &listener.proxy_protocol;
        self.value("proxy_protocol", word(proxy.version));
        if proxy.version == super::model::ProxyVersion::V2 {
            self.value("proxy_protocol_tlvs", list(&proxy.tlvs, |tlv| word(*tlv)));
        }
        self.value("accept_proxy_from", peers(&listener.accept_proxy_from));
        self.check(&listener.check);
        self.network(&listener.check.network);
        self.access("listener", &listener.access);
        if let Some(http) = &listener.http {
            self.http(http);
        }
        self.prefix = "";
    }

    pub(super) fn access(&mut self, of: &str, access: &AccessRules) {
        self.allow("allow", &access.allow);
        if access.users.is_empty() && !access.is_user_required && !access.allow_non_ascii {
            return;
        }
        let _ = writeln!(self.text, "\n[{of}.identity]");
        self.prefix = "identity.";
        let rules = list(&access.users, |rule| {
            let conditions = conditions(&rule.conditions);
            let separator = if conditions.is_empty() { "" } else { ", " };
            format!("{{ user = {}{separator}{conditions} }}", text(&rule.user))
        });
        self.value_or_none("rule", some(rules, access.users.is_empty()));
        self.value("required", access.is_user_required);
        self.value("allow_non_ascii", access.allow_non_ascii);
    }

    fn mirror(&mut self, mirror: &MirrorConfig) {
        self.text.push_str("\n[mirror]\n");
        self.section = Section::Mirror;
        self.value("listen", list(&mirror.listen, text));
        self.value_or_none("clients", some(list(&mirror.clients, text), mirror.clients.is_empty()));
        self.value_or_none("sources", some(list(&mirror.sources, text), mirror.sources.is_empty()));
        self.value_or_none("hosts", some(list(&mirror.hosts, text), mirror.hosts.is_empty()));
        self.value_or_none("tree", mirror.tree.as_deref().map(path));
        self.value("refresh", duration(mirror.refresh));
        let limits = &mirror.limits;
        self.value("max_sources", limits.max_sources);
        self.value("max_bytes", limits.max_bytes);
        self.value("max_connections", limits.max_connections);
        self.value("max_connections_per_address", limits.max_connections_per_address);
        self.check(&mirror.check);
        self.network(&mirror.check.network);
    }

    pub(super) fn allow(&mut self, key: &str, rules: &[AllowRule]) {
        let written = list(rules, |rule| format!("{{ {} }}", conditions(&rule.conditions)));
        self.value_or_none(key, some(written, rules.is_empty()));
    }

    fn http(&mut self, http: &HttpConfig) {
        self.text.push_str("\n[listener.http]\n");
        self.prefix = "http.";
        self.value("headers", list(&http.headers, |header| word(*header)));
        self.value("xfcc", list(&http.xfcc, |field| word(*field)));
        self.value("strip", list(&http.strip, text));
        self.value("service_version", word(http.service_version));
        self.value("upgrades", list(&http.upgrades, text));
        self.value("max_header_bytes", http.max_header_bytes);
        self.value("max_headers", http.max_headers);
        self.value("max_body", http.max_body.map_or_else(|| text("off"), |max| max.to_string()));
        self.value("max_streams", http.max_streams);
        self.value("header_timeout", duration(http.header_timeout));
        self.value("response_timeout", duration(http.response_timeout));
    }

    pub(super) fn check(&mut self, check: &CheckConfig) {
        self.value_or_none("ring", some(paths(&check.ring), check.ring.is_empty()));
        self.value("ring_skip_unreadable", check.ring_skip_unreadable);
        self.value_or_none("crl", some(paths(&check.crl), check.crl.is_empty()));
        self.value_or_none("ocsp", some(paths(&check.ocsp), check.ocsp.is_empty()));
        self.value("revocation", revocation(check.revocation));
        self.value("scope", word(check.scope));
        self.value("order", word(check.order));
        self.value("nonce", word(check.nonce));
        self.value_or_none("ocsp_url", some(list(&check.ocsp_url, text), check.ocsp_url.is_empty()));
        self.value("ocsp_url_first", check.ocsp_url_first);
        self.value("aia", check.aia);
        self.value("purpose", purpose(&check.purpose));
        self.value_or_none("policy", some(list(&check.policy, text), check.policy.is_empty()));
        self.value("require_explicit_policy", check.require_explicit_policy);
        self.value("inhibit_policy_mapping", check.inhibit_policy_mapping);
        self.value("inhibit_any_policy", check.inhibit_any_policy);
        self.value("max_depth", check.max_depth);
        self.value("min_rsa_bits", check.min_rsa_bits);
        self.value("min_ec_bits", check.min_ec_bits);
        self.value("allow_sha1", check.allow_sha1);
        self.value("partial_chain", check.partial_chain);
        self.value("enforce_anchor_validity", check.enforce_anchor_validity);
        self.value("pedantic", check.pedantic);
        self.value("clock_skew", seconds(check.freshness.skew));
        self.value("max_age", seconds(check.freshness.max_age));
        self.value("max_stale", seconds(check.freshness.max_stale));
        self.value("max_evidence_age", check.freshness.oldest.map_or_else(|| text("off"), seconds));
        self.value("use_deltas", check.use_deltas);
        self.value("crl_signer_usage", word(check.crl_signer_usage));
        self.value("max_locations", check.max_locations);
    }

    pub(super) fn network(&mut self, network: &NetworkConfig) {
        self.value("offline", network.offline);
        self.value_or_none("cache_dir", network.cache_dir.as_deref().map(path));
        self.value("trust_cache", network.trust_cache);
        self.value_or_none("shared_store", network.shared_store.as_ref().map(text));
        let password = network.shared_store_password_file.as_deref().map(path);
        self.value_or_none("shared_store_password_file", password);
        let proxy = match &network.proxy {
            ProxyFor::None => text("off"),
            ProxyFor::Environment => text("env"),
            ProxyFor::Url(url) => text(&without_password(url)),
        };
        self.value("proxy", proxy);
        self.value_or_none("allow_net", some(list(&network.allow_net, text), network.allow_net.is_empty()));
        let ports = list(&network.allow_port, ToString::to_string);
        self.value_or_none("allow_port", some(ports, network.allow_port.is_empty()));
        self.value("deny_private", network.deny_private);
        self.value("allow_https", network.allow_https);
        self.value_or_none("mirrors", some(list(&network.mirrors, text), network.mirrors.is_empty()));
        self.value_or_none("ldap_server", network.ldap_server.as_ref().map(text));
        self.value("ocsp_get", network.ocsp_get);
        self.value("max_crl_bytes", network.limits.crl_bytes);
        self.value("max_ocsp_bytes", network.limits.ocsp_bytes);
        self.value("crl_timeout", duration(network.limits.crl_whole));
        self.value("ocsp_timeout", duration(network.limits.small_whole));
    }
}

/// `cn = ["a"], dns = ["b"]`
fn conditions(conditions: &[Condition]) -> String {
    let one =
        |condition: &Condition| format!("{} = {}", condition.field().key(), list(condition.patterns(), text));
    conditions.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The URL of a proxy. Its password is not shown.
fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    if url.password().is_some() {
        let _it_has_a_host = url.set_password(Some("not-shown"));
    }
    url
}

/// `[{ chain = "a.pem", key = "a.key" }]`
pub(super) fn certificates(certificates: &[CertificateFiles]) -> String {
    list(certificates, |files| format!("{{ chain = {}, key = {} }}", path(&files.chain), path(&files.key)))
}

/// Networks, and `unix`.
pub(super) fn peers(peers: &ProxyPeers) -> String {
    let nets = peers.nets.iter().map(ToString::to_string);
    list(&nets.chain(peers.unix.then(|| "unix".to_owned())).collect::<Vec<_>>(), text)
}

/// A value, unless it is the empty one.
fn some(value: String, is_empty: bool) -> Option<String> {
    (!is_empty).then_some(value)
}

/// A text in quotes.
pub(super) fn text(value: &(impl ToString + ?Sized)) -> String {
    let mut quoted = String::from("\"");
    for character in value.to_string().chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn path(path: &Path) -> String {
    text(&path.display())
}

pub(super) fn paths(paths: &[PathBuf]) -> String {
    list(paths, |one| path(one))
}

pub(super) fn word(word: impl Word) -> String {
    text(word.word().unwrap_or_default())
}

pub(super) fn list<T>(values: &[T], show: impl Fn(&T) -> String) -> String {
    let values: Vec<String> = values.iter().map(show).collect();
    format!("[{}]", values.join(", "))
}

pub(super) fn duration(duration: Duration) -> String {
    text(&duration_text(duration))
}

fn duration_or_off(limit: Option<Duration>) -> String {
    limit.map_or_else(|| text("off"), duration)
}

fn seconds(seconds: i64) -> String {
    duration(Duration::from_secs(seconds.unsigned_abs()))
}

fn purpose(purpose: &Purpose) -> String {
    match purpose {
        Purpose::Client => text("client"),
        Purpose::Server => text("server"),
        Purpose::Other(oid) => text(oid),
        _ => text("any"),
    }
}

pub(super) fn revocation(revocation: Revocation) -> String {
    match revocation {
        Revocation::Custom(mut tolerance) => tolerated(&mut tolerance),
        usual => word(usual),
    }
}

/// The causes that are tolerated.
fn tolerated(tolerance: &mut Tolerance) -> String {
    let causes: Vec<&str> = CAUSES.iter().filter(|(_, of)| *of(tolerance)).map(|(cause, _)| *cause).collect();
    list(&causes, text)
}
