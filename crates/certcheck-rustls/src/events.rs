//! The events about clients: docs/observability.md has them in a table.

use std::net::SocketAddr;

use certcheck_core::reason::Reason;
use certcheck_core::status::Cause;
use certcheck_fetch::{CheckReport, Summary, printable};
use rustls::Error as TlsError;
use tracing::field::display;
use tracing::{Level, debug, enabled, info};

use crate::acceptor::AcceptError;

/// The verifier's remedy where evidence was not in memory.
const TRY_AGAIN: &str = "the evidence is being fetched: have the client try again, wait for it with \
                         `VerifierBuilder::waiting_up_to`, or use an `Acceptor`";

/// The way into the server that an event is about, and the client's address if it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    Acceptor(Option<SocketAddr>),
    /// rustls does not know the client's address.
    Verifier,
}

impl Via {
    /// The value of the field `component`, as in metrics.
    const fn component(self) -> &'static str {
        match self {
            Self::Acceptor(_) => "acceptor",
            Self::Verifier => "verifier",
        }
    }

    const fn peer(self) -> Option<SocketAddr> {
        match self {
            Self::Acceptor(peer) => peer,
            Self::Verifier => None,
        }
    }
}

/// A client whose certificate was checked and is not good.
pub(crate) fn refused(via: Via, report: &CheckReport) {
    if !enabled!(target: "certcheck::client", Level::INFO) {
        return;
    }
    let mut summary = report.summary();
    let reason = report.reason().map(|rejection| &rejection.reason);
    if matches!((via, reason), (Via::Verifier, Some(Reason::RevocationUnknown(Cause::NotTried)))) {
        summary.remedy = Some(TRY_AGAIN.to_owned());
    }
    emit_refused(via, summary);
    for piece in report.considered() {
        let (evidence, cause) = (printable(piece), piece.why.cause().code());
        debug!(name: "evidence-dismissed", target: "certcheck::client", %evidence, cause, "evidence did not count");
    }
}

fn emit_refused(via: Via, summary: Summary) {
    let (component, peer) = (via.component(), via.peer().map(display));
    let Summary { code, subject, certificate, detail, source, remedy, .. } = summary;
    info!(
        name: "client-refused", target: "certcheck::client",
        component, peer, code, subject, certificate, detail, source, remedy, "client refused"
    );
}

/// A connection that the acceptor did not admit.
pub(crate) fn not_admitted(peer: Option<SocketAddr>, error: &AcceptError) {
    let via = Via::Acceptor(peer);
    match error {
        AcceptError::Refused(refused_client) => refused(via, refused_client.report()),
        // The transport ended: no client was refused.
        AcceptError::Handshake(error) if !error.get_ref().is_some_and(|inner| inner.is::<TlsError>()) => {
            let (component, peer, detail) = (via.component(), peer.map(display), printable(error));
            debug!(
                name: "connection-lost", target: "certcheck::client",
                component, peer, %detail, "connection lost in the handshake"
            );
        }
        error => {
            let mut summary = Summary::of_code(error.code());
            summary.detail = Some(printable(error.detail()).to_string());
            summary.remedy = error.remedy();
            emit_refused(via, summary);
        }
    }
}

/// A client that is accepted.
pub(crate) fn accepted(via: Via, report: Option<&CheckReport>, resumed: Option<bool>) {
    if !enabled!(target: "certcheck::client", Level::DEBUG) {
        return;
    }
    let (component, peer) = (via.component(), via.peer().map(display));
    let subject = report.and_then(|report| report.summary().subject);
    let tolerated = report.and_then(CheckReport::tolerated).map(Cause::code);
    debug!(
        name: "client-accepted", target: "certcheck::client",
        component, peer, code = "accept", subject, tolerated, resumed, "client accepted"
    );
}

/// A session that a client wanted to resume, and may not. A full handshake follows.
pub(crate) fn session_not_resumed(peer: Option<SocketAddr>, code: &'static str) {
    let (component, peer) = ("acceptor", peer.map(display));
    debug!(
        name: "session-not-resumed", target: "certcheck::client",
        component, peer, code, "session not resumed; a full handshake follows"
    );
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
