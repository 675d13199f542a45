//! The events of a front: docs/observability.md has them in a table.

use core::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use certcheck_rustls::Summary;
use certcheck_rustls::certcheck_fetch::printable;
use tracing::field::{DisplayValue, display};
use tracing::{Span, error, info, info_span, warn};

use crate::config::{EventClass, Upstream};
use crate::identity::AccessRefusal;
use crate::proxy::Transferred;

impl EventClass {
    /// The target of its events, for a filter.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::Connections => "certcheck::connection",
            Self::RefusedClients => "certcheck::client",
            Self::Limits => "certcheck::limit",
            Self::Upstream => "certcheck::upstream",
            Self::Requests => "certcheck::request",
        }
    }
}

/// The listener and the client that an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) listener: &'a str,
    pub(crate) peer: Option<SocketAddr>,
}

/// The span of a handshake, so that the events of its acceptor have the listener.
pub(crate) fn listener_span(listener: &str) -> Span {
    info_span!(target: "certcheck::client", "handshake", listener)
}

/// A connection whose client was accepted has ended.
pub(crate) fn connection_ended(
    about: About<'_>,
    subject: Option<&str>,
    why: &str,
    transferred: Transferred,
    lasted: Duration,
) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    let Transferred { to_upstream, to_client } = transferred;
    let seconds = (lasted.as_secs_f64() * 1_000.0).round() / 1_000.0;
    info!(
        name: "connection-ended", target: "certcheck::connection",
        listener, peer, subject, why, to_upstream, to_client, seconds, "connection ended"
    );
}

/// What an event says about a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) version: &'a str,
    pub(crate) status: Option<u16>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) lasted: Duration,
}

/// The answer to a request has ended, or was given up.
pub(crate) fn request_ended(
    about: About<'_>,
    user: Option<&str>,
    subject: Option<&str>,
    request: Request<'_>,
) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    let Request { method, path, version, status, received, sent, lasted } = request;
    let seconds = (lasted.as_secs_f64() * 1_000.0).round() / 1_000.0;
    info!(
        name: "request-ended", target: "certcheck::request",
        listener, peer, user, subject, method, path, version, status, received, sent, seconds, "request ended"
    );
}

/// A client with a good certificate is refused by the rules of its listener.
pub(crate) fn access_refused(about: About<'_>, subject: Option<&str>, refusal: &AccessRefusal) {
    let (listener, peer, code) = (about.listener, about.peer.map(display), refusal.code());
    info!(
        name: "access-refused", target: "certcheck::client",
        listener, peer, code, subject, detail = %refusal, "client refused by rules"
    );
}

/// What is reported of a client of another proxy or program that is not accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validated<'a> {
    pub(crate) route: &'a str,
    pub(crate) summary: &'a Summary,
    pub(crate) decision_id: Option<&'a str>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) server_name: Option<&'a str>,
    pub(crate) resumed: Option<bool>,
    pub(crate) connection: Option<&'a str>,
}

impl<'a> Validated<'a> {
    /// A client of which nothing else is known.
    pub(crate) const fn new(route: &'a str, summary: &'a Summary) -> Self {
        Self {
            route,
            summary,
            decision_id: None,
            client: None,
            server_name: None,
            resumed: None,
            connection: None,
        }
    }
}

/// A validation listener has not accepted a client.
pub(crate) fn validation_refused(about: About<'_>, validated: Validated<'_>) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    let Validated { route, decision_id, resumed, summary, .. } = validated;
    let (code, subject) = (summary.code, summary.subject.as_deref());
    let detail = [summary.detail.as_deref(), summary.remedy.as_deref()];
    let detail = detail.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let detail = Some(detail).filter(|detail| !detail.is_empty());
    let (client, server_name) = (validated.client.map(display), validated.server_name.map(shown));
    let (connection, detail) = (validated.connection.map(shown), detail.as_deref().map(shown));
    info!(
        name: "validation-refused", target: "certcheck::client",
        listener, peer, route, code, subject, detail, decision_id, client, server_name, resumed, connection,
        "client of another proxy refused"
    );
}

/// A request to a validation listener does not have the secret.
pub(crate) fn peer_refused(about: About<'_>) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    info!(
        name: "validation-peer-refused", target: "certcheck::limit",
        listener, peer, "request without the secret refused"
    );
}

/// What others say, on one line.
fn shown(text: &str) -> DisplayValue<impl Display> {
    display(printable(text))
}

/// So many connections of an address were closed because of a limit.
pub(crate) fn connections_limited(about: About<'_>, code: &str, max: usize, count: u64) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    info!(
        name: "connections-limited", target: "certcheck::limit",
        listener, peer, code, max, count, "connections or requests refused because of a limit"
    );
}

/// A connection from a proxy in front did not begin with a header.
pub(crate) fn header_refused(about: About<'_>, detail: &dyn Display) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    info!(
        name: "proxy-header-refused", target: "certcheck::limit",
        listener, peer, %detail, "connection closed because of its PROXY protocol header"
    );
}

/// A client is not in one of the networks of the listener.
pub(crate) fn address_refused(about: About<'_>) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    info!(
        name: "client-address-refused", target: "certcheck::limit",
        listener, peer, "connection closed because of the client's address"
    );
}

/// The service behind the front cannot be reached.
pub(crate) fn upstream_unreachable(about: About<'_>, upstream: &Upstream, detail: &dyn Display) {
    let (listener, peer) = (about.listener, about.peer.map(display));
    warn!(
        name: "upstream-unreachable", target: "certcheck::upstream",
        listener, peer, %upstream, %detail, "the service cannot be reached"
    );
}

/// A source sent a mirror what it does not serve.
pub(crate) fn mirror_refused(url: &str, code: &str, detail: &dyn Display) {
    let (url, detail) = (printable(url).to_string(), printable(detail.to_string()).to_string());
    warn!(
        name: "mirror-source-refused", target: "certcheck::mirror", url, code, detail,
        "answer of a source not served; what was served before stays"
    );
}

/// A connection could not be taken from a socket.
pub(crate) fn not_accepted(listener: &str, failure: &dyn Display) {
    warn!(
        name: "accept-failed", target: "certcheck::listener",
        listener, error = %failure, "no connection accepted; trying again"
    );
}

/// A socket listens.
pub(crate) fn listening(listener: &str, address: &dyn Display) {
    info!(name: "listening", target: "certcheck::listener", listener, %address, "listening");
}

/// A socket no longer listens.
pub(crate) fn not_listening(listener: &str, address: &dyn Display) {
    info!(name: "listening-ended", target: "certcheck::listener", listener, %address, "no longer listening");
}

/// A configuration is used.
pub(crate) fn reloaded(generation: u64) {
    info!(name: "reloaded", target: "certcheck::reload", generation, "configuration, rings and certificates in use");
}

/// A configuration cannot be used, and the one before stays.
pub(crate) fn reload_failed(detail: &dyn Display) {
    error!(name: "reload-failed", target: "certcheck::reload", %detail, "the configuration in use stays");
}

/// A file that the configuration names has changed.
pub(crate) fn file_changed(file: &Path) {
    let file = file.display();
    info!(name: "file-changed", target: "certcheck::reload", %file, "file changed");
}

/// No further connection is accepted.
pub(crate) fn draining(connections: usize, within: Duration) {
    let seconds = within.as_secs();
    info!(name: "draining", target: "certcheck::drain", connections, seconds, "no further connection is accepted");
}

/// All connections have ended.
pub(crate) fn drained(cut: usize) {
    info!(name: "drained", target: "certcheck::drain", cut, "all connections have ended");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use certcheck_testkit::events::documented;

    /// The table of this crate's events has them all, with their fields, and names nothing else.
    #[test]
    fn the_page_lists_each_event() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let [own, table] = documented(env!("CARGO_PKG_NAME"), &src);
        assert_eq!(own, table);
    }
}
