//! Values that contradict each other.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::address::ListenAddress;
use super::check::CheckConfig;
use super::fault::ConfigFault;
use super::listener_keys::HTTP_ALPN;
use super::mirror::MirrorConfig;
use super::model::{ClientCertificate, ListenerConfig, ProxyVersion, ServeConfig, TlsVersion};
use super::origin::{Origins, Section};
use super::validation::{ValidationConfig, ValidationPolicy, ValidationProtocol};
use super::values::suite_name;
use certcheck_rustls::Revocation;

/// The most sockets of a front.
const MAX_SOCKETS: usize = 4_096;

/// What is said about a configuration that does nothing.
pub(super) const NO_LISTENER: &str =
    "no listener: a configuration has at least one [[listener]], [[validation]] or [mirror] table";

/// Every contradiction.
pub(super) fn check(config: &ServeConfig, origins: &Origins) -> Vec<ConfigFault> {
    let mut rules = Rules { origins, faults: Vec::new() };
    if config.listeners.is_empty() && config.validations.is_empty() && config.mirror.is_none() {
        rules.fault(None, "listener", NO_LISTENER);
    }
    for (number, listener) in config.listeners.iter().enumerate() {
        let is_twice = config.listeners.iter().take(number).any(|other| other.name == listener.name);
        if is_twice {
            rules.fault(
                Some(number),
                "name",
                format!("name: `{}` is the name of another listener too", listener.name),
            );
        }
        rules.listener(number, listener);
    }
    for (number, validation) in config.validations.iter().enumerate() {
        let names = config.listeners.iter().map(|listener| &listener.name);
        let mut names =
            names.chain(config.validations.iter().take(number).map(|validation| &validation.name));
        if names.any(|name| *name == validation.name) {
            let message = format!("name: `{}` is the name of another listener too", validation.name);
            rules.fault(Section::Validation(number), "name", message);
        }
        rules.validation(number, validation);
    }
    if let Some(mirror) = &config.mirror {
        rules.mirror(mirror);
    }
    rules.addresses(config);
    if !config.admin.allow_remote
        && let Some(address) = config.admin.listen.iter().find(|address| !address.is_local())
    {
        let message = format!(
            "admin.listen: `{address}` can be reached from other machines; use a loopback address or a Unix socket, or set `allow_remote = true`"
        );
        rules.fault(None, "admin.listen", message);
    }
    rules.faults
}

struct Rules<'r> {
    origins: &'r Origins,
    faults: Vec<ConfigFault>,
}

impl Rules<'_> {
    fn fault(&mut self, section: impl Into<Section>, key: &str, message: impl Into<String>) {
        self.faults.push(ConfigFault::new(self.origins.place(section, key), message.into()));
    }

    fn listener(&mut self, number: usize, listener: &ListenerConfig) {
        let at = Some(number);
        if !listener.allow_remote_upstream && !listener.upstream.is_local() {
            let message = format!(
                "upstream: `{}` is not on this machine, and bytes to it are not encrypted; use a loopback address or a Unix socket, or set `allow_remote_upstream = true`",
                listener.upstream
            );
            self.fault(at, "upstream", message);
        }
        let limits = &listener.limits;
        let (of_address, all) = (limits.max_connections_per_address, limits.max_connections);
        self.share(at, ("max_connections_per_address", of_address), ("max_connections", all));
        let is_checked = listener.client_auth != ClientCertificate::None;
        if is_checked && listener.check.ring.is_empty() {
            let message = format!(
                "listener `{}`: `ring` is missing: the CAs of clients, such as ring = \"keyring\"; or set `client_auth = \"none\"`",
                listener.name
            );
            self.fault(at, "upstream", message);
        }
        if is_checked {
            self.evidence(at, &listener.check);
        }
        self.tls(number, listener);
        self.identity(number, listener);
        let is_v2 = listener.proxy_protocol.version == ProxyVersion::V2;
        let has_tlvs = self.origins.place(at, "proxy_protocol_tlvs").is_some();
        if has_tlvs && !is_v2 {
            let message = "proxy_protocol_tlvs: only version 2 has them; set `proxy_protocol = \"v2\"`";
            self.fault(at, "proxy_protocol_tlvs", message);
        }
    }

    /// Evidence comes from somewhere, if it is needed.
    fn evidence(&mut self, at: impl Into<Section>, check: &CheckConfig) {
        if check.revocation != Revocation::Off
            && check.network.offline
            && check.crl.is_empty()
            && check.ocsp.is_empty()
            && check.network.cache_dir.is_none()
            && check.network.shared_store.is_none()
        {
            let message = "offline: without network, files and cache no revocation status can be known; name `crl`, `ocsp`, `cache_dir` or `shared_store`, or set `revocation = \"off\"`";
            self.fault(at, "offline", message);
        }
    }

    /// A share is not more than the whole.
    fn share(&mut self, at: impl Into<Section>, (key, of_one): (&str, usize), (whole, all): (&str, usize)) {
        if of_one > all {
            self.fault(at, key, format!("{key}: {of_one} is more than {whole}, which is {all}"));
        }
    }

    fn mirror(&mut self, mirror: &MirrorConfig) {
        let at = Section::Mirror;
        if mirror.check.ring.is_empty() {
            let message =
                "mirror: `ring` is missing: the CAs whose CRLs it serves, such as ring = \"keyring\"";
            self.fault(at, "listen", message);
        }
        if mirror.check.network.offline && mirror.tree.is_none() && mirror.check.network.cache_dir.is_none() {
            let message = "offline: without network, `tree` and `cache_dir` there is nothing to serve";
            self.fault(at, "offline", message);
        }
        let limits = &mirror.limits;
        let (of_address, all) = (limits.max_connections_per_address, limits.max_connections);
        self.share(at, ("max_connections_per_address", of_address), ("max_connections", all));
    }

    fn validation(&mut self, number: usize, validation: &ValidationConfig) {
        let (at, name) = (Section::Validation(number), &validation.name);
        if !validation.allow_remote
            && validation.tls.is_none()
            && let Some(address) = validation.listen.iter().find(|address| !address.is_local())
        {
            let message = format!(
                "listen: `{address}` can be reached from other machines, and the secret travels in the clear; use a loopback address or a Unix socket, set `certificates` and `peer_ring`, or set `allow_remote = true`"
            );
            self.fault(at, "listen", message);
        }
        if let Some(tls) = &validation.tls {
            self.evidence(at, &tls.check);
        }
        let limits = &validation.limits;
        for (key, of_one, whole, all) in [
            ("max_checks_per_peer", limits.max_checks_per_peer, "max_checks", limits.max_checks),
            (
                "max_connections_per_address",
                limits.max_connections_per_address,
                "max_connections",
                limits.max_connections,
            ),
            (
                "max_request_bytes_per_peer",
                limits.max_request_bytes_per_peer,
                "max_request_bytes",
                limits.max_request_bytes,
            ),
        ] {
            self.share(at, (key, of_one), (whole, all));
        }
        for (policy, ValidationPolicy { name: policy_name, check }) in validation.policies.iter().enumerate()
        {
            let at = Section::of_policy(number, policy);
            if check.ring.is_empty() {
                let message = format!(
                    "validation `{name}`: policy `{policy_name}`: `ring` is missing: the CAs of clients, such as ring = \"keyring\""
                );
                self.fault(Section::Validation(number), "listen", message);
            }
            self.evidence(at, check);
        }
        if validation.protocol != ValidationProtocol::Http && !validation.routes.is_empty() {
            self.fault(at, "route.source", "route: only listeners with `protocol = \"http\"` have routes");
        }
        for route in &validation.routes {
            if let Some(policy) = &route.policy
                && !validation.policies.iter().any(|known| known.name == *policy)
            {
                let message = format!("route.policy: the validation `{name}` has no policy `{policy}`");
                self.fault(at, "route.policy", message);
            }
        }
    }

    fn tls(&mut self, number: usize, listener: &ListenerConfig) {
        let at = Some(number);
        let tls = &listener.tls;
        for version in &tls.versions {
            let (name, is_of): (_, fn(&str) -> bool) = match version {
                TlsVersion::V1_2 => ("1.2", |suite| suite.contains("_WITH_")),
                TlsVersion::V1_3 => ("1.3", |suite| !suite.contains("_WITH_")),
            };
            if !tls.suites.is_empty() && !tls.suites.iter().any(|suite| is_of(&suite_name(*suite))) {
                let message = format!("suites: none of them is of TLS {name}, which `tls_versions` offers");
                self.fault(at, "suites", message);
            }
        }
        if let Some(suite) = tls.suites.iter().map(|suite| suite_name(*suite)).find(|suite| {
            let of = if suite.contains("_WITH_") { TlsVersion::V1_2 } else { TlsVersion::V1_3 };
            !tls.versions.contains(&of)
        }) {
            self.fault(
                at,
                "suites",
                format!("suites: `{suite}` is of a version that `tls_versions` does not offer"),
            );
        }
    }

    /// Rules about certificates need certificates, and HTTP its own protocols.
    fn identity(&mut self, number: usize, listener: &ListenerConfig) {
        let at = Some(number);
        if listener.client_auth == ClientCertificate::None && !listener.access.are_empty() {
            let key = if listener.access.allow.is_empty() { "identity.rule" } else { "allow" };
            let message = format!("{key}: no client has a certificate with `client_auth = \"none\"`");
            self.fault(at, key, message);
        }
        let is_other = |protocol: &&String| !HTTP_ALPN.contains(&protocol.as_str());
        if listener.http.is_some()
            && let Some(other) = listener.tls.alpn.iter().find(is_other)
        {
            let message = format!("alpn: `{other}` is not spoken by a listener with [listener.http]");
            self.fault(at, "alpn", message);
        }
    }

    /// No socket is there twice, and there are not too many.
    fn addresses(&mut self, config: &ServeConfig) {
        let of_listeners = config.listeners.iter().enumerate().flat_map(|(number, listener)| {
            listener.listen.iter().map(move |address| (Section::Listener(number), "listen", address))
        });
        let of_validations = config.validations.iter().enumerate().flat_map(|(number, validation)| {
            let section = Section::Validation(number);
            validation.listen.iter().map(move |address| (section, "listen", address))
        });
        let of_mirror = config
            .mirror
            .iter()
            .flat_map(|mirror| mirror.listen.iter().map(|address| (Section::Mirror, "listen", address)));
        let of_admin = config.admin.listen.iter().map(|address| (Section::Top, "admin.listen", address));
        let (mut ports, mut others) = (HashMap::<u16, Vec<IpAddr>>::new(), Vec::<&ListenAddress>::new());
        let mut sockets = 0_usize;
        for (section, key, address) in of_listeners.chain(of_validations).chain(of_mirror).chain(of_admin) {
            let is_twice = match address {
                ListenAddress::Tcp { .. } => {
                    let all: Vec<SocketAddr> = address.sockets().collect();
                    sockets += all.len();
                    let twice = all.iter().find(|socket| {
                        let taken = ports.entry(socket.port()).or_default();
                        let is_taken = socket.port() != 0 && taken.contains(&socket.ip());
                        taken.push(socket.ip());
                        is_taken
                    });
                    twice.map(ToString::to_string)
                }
                other => {
                    let is_taken = others.contains(&other);
                    others.push(other);
                    sockets += 1;
                    is_taken.then(|| other.to_string())
                }
            };
            if let Some(socket) = is_twice {
                self.fault(section, key, format!("{key}: `{socket}` is there twice"));
            }
        }
        if sockets > MAX_SOCKETS {
            let message = format!("listen: {sockets} sockets in all; {MAX_SOCKETS} are allowed");
            self.fault(Some(0), "listen", message);
        }
    }
}
