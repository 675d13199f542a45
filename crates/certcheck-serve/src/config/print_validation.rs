//! A validation listener as TOML.

use super::origin::Section;
use super::print::{Page, certificates, duration, list, path, paths, peers, revocation, text, word};
use super::validation::{PeerTls, RouteConfig, ValidationConfig, ValidationPolicy};

impl Page<'_> {
    /// The table of a validation listener, with those within it.
    pub(super) fn validation(&mut self, number: usize, validation: &ValidationConfig) {
        self.text.push_str("\n[[validation]]\n");
        self.section = Section::Validation(number);
        self.value("name", text(&validation.name));
        self.value("protocol", word(validation.protocol));
        self.value("listen", list(&validation.listen, text));
        self.value("allow_remote", validation.allow_remote);
        self.value("peers", peers(&validation.peers));
        self.value_or_none("secret_file", validation.secret_file.as_deref().map(path));
        if let Some(PeerTls { certificates: own, check, allow }) = &validation.tls {
            self.value("certificates", certificates(own));
            self.value("peer_ring", paths(&check.ring));
            self.value("peer_revocation", revocation(check.revocation));
            self.allow("peer_allow", allow);
        }
        self.value("unauthenticated", word(validation.unauthenticated));
        let limits = &validation.limits;
        self.value("check_timeout", duration(limits.check_timeout));
        self.value("max_checks", limits.max_checks);
        self.value("max_checks_per_peer", limits.max_checks_per_peer);
        self.value("max_connections", limits.max_connections);
        self.value("max_connections_per_address", limits.max_connections_per_address);
        self.value("max_request_bytes", limits.max_request_bytes);
        self.value("max_request_bytes_per_peer", limits.max_request_bytes_per_peer);
        self.value("max_remembered_bytes", limits.max_remembered_bytes);
        self.value("max_watches", limits.max_watches);
        for (policy, ValidationPolicy { name, check }) in validation.policies.iter().enumerate() {
            self.section = Section::of_policy(number, policy);
            if policy > 0 {
                self.text.push_str("\n[[validation.policies]]\n");
                self.value("name", text(name));
            }
            self.check(check);
            self.network(&check.network);
            if policy == 0 {
                self.access("validation", &validation.access);
                self.prefix = "";
            }
        }
        self.section = Section::Validation(number);
        for route in &validation.routes {
            self.route(route);
        }
    }

    fn route(&mut self, route: &RouteConfig) {
        self.text.push_str("\n[[validation.route]]\n");
        self.prefix = "route.";
        self.value("name", text(&route.name));
        self.value("source", word(route.source));
        self.value("header", text(&route.header));
        if let Some(header) = &route.chain_header {
            self.value("chain_header", text(header));
        }
        self.value("strict", route.strict);
        if let Some(policy) = &route.policy {
            self.value("policy", text(policy));
        }
        self.prefix = "";
    }
}
