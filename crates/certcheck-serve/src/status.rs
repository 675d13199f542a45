//! The state of a front as a value: what `/v1/status` shows as JSON, and the status page as a page.
//!
//! Times are RFC 3339 in UTC. Fields may be added, and existing ones keep their meaning.

use std::time::Duration;

use certcheck_rustls::certcheck_core::key_ring::Role;
use certcheck_rustls::certcheck_fetch::{EvidenceState, HostHealth, printable};
use certcheck_rustls::{Summary, Time, Verdict};
use serde::Serialize;

use crate::board::{Board, SOON};
use crate::proxy::Attempt;
pub use crate::validation::status::ValidationStatus;

/// The state of a front.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FrontStatus {
    /// The version of certcheck.
    pub version: &'static str,
    /// When this was looked up.
    pub now: String,
    /// When the front was started.
    pub started: String,
    /// The number of configurations that were used so far.
    pub generation: u64,
    /// Whether clients can be served.
    pub ready: Ready,
    /// The last reload. `None` before the first.
    pub reload: Option<ReloadStatus>,
    /// The listeners.
    pub listeners: Vec<ListenerStatus>,
    /// The listeners that answer other proxies and programs.
    pub validations: Vec<ValidationStatus>,
    /// The rings, each with the listeners that use it.
    pub rings: Vec<RingStatus>,
    /// CRLs, OCSP responses and certificates of issuers in memory. At most 500.
    pub evidence: Vec<EvidenceStatus>,
    /// The hosts that evidence is fetched from.
    pub sources: Vec<SourceStatus>,
    /// The last refusals, the newest first. At most 100.
    pub refusals: Vec<RefusalStatus>,
    /// Connections whose clients were accepted, the oldest first. At most 1,000.
    pub connections: Vec<ConnectionStatus>,
    /// Certificates that end within 30 days: of the server, of rings, and of clients that were seen.
    pub ending: Vec<EndingStatus>,
}

/// Whether clients can be served.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Ready {
    /// Whether nothing is missing.
    pub ready: bool,
    /// What is missing.
    pub missing: Vec<Missing>,
}

/// Something that is missing.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// `draining`, `listener`, `upstream`, `ring` or `evidence`.
    pub kind: &'static str,
    /// What it is, in a sentence.
    pub detail: String,
}

/// A reload.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReloadStatus {
    /// When it was.
    pub at: String,
    /// `loaded`, or `kept` if the configuration before it stays.
    pub outcome: &'static str,
    /// Why it could not be used.
    pub faults: Vec<String>,
}

/// A listener.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ListenerStatus {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// The service behind it.
    pub upstream: String,
    /// The last attempt to connect to it. `None` before the first.
    pub upstream_health: Option<UpstreamStatus>,
    /// `tcp` or `http`.
    pub protocol: &'static str,
    /// `required`, `optional` or `none`.
    pub client_auth: &'static str,
    /// Connections at present, handshakes included.
    pub connections: usize,
    /// The most connections at once.
    pub max_connections: usize,
    /// The end of the server certificate that ends first.
    pub certificate_not_after: Option<String>,
}

/// The last attempt to connect to a service.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct UpstreamStatus {
    /// Whether it was reached.
    pub up: bool,
    /// When it was tried.
    pub asked_at: String,
    /// How long that took.
    pub seconds: f64,
    /// Why it was not reached.
    pub failure: Option<String>,
    /// Attempts in a row that failed.
    pub failures: u32,
}

/// A ring.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RingStatus {
    /// The listeners that use it.
    pub listeners: Vec<String>,
    /// Its anchors.
    pub anchors: usize,
    /// Its intermediates.
    pub intermediates: usize,
    /// Each intermediate whose own status was looked up.
    pub cas: Vec<CaStatus>,
}

/// An intermediate of a ring.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CaStatus {
    /// Its subject.
    pub subject: String,
    /// `accept`, `reject` or `undetermined`.
    pub verdict: &'static str,
    /// `accept`, or the code of the reason.
    pub code: &'static str,
    /// Why, if it is not accepted.
    pub detail: Option<String>,
}

/// A piece of evidence.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EvidenceStatus {
    /// `crl`, `ocsp` or `issuer`.
    pub kind: &'static str,
    /// Where it comes from.
    pub url: String,
    /// The issuer of a CRL.
    pub issuer: Option<String>,
    /// The entries of a CRL.
    pub entries: Option<usize>,
    /// `current`, `ended` if its nextUpdate has passed, or `open` if it has none.
    pub state: &'static str,
    /// Its thisUpdate.
    pub this_update: Option<String>,
    /// Its nextUpdate.
    pub next_update: Option<String>,
    /// Seconds since its thisUpdate.
    pub age_seconds: Option<i64>,
    /// When it was fetched.
    pub fetched_at: String,
    /// `network`, `disk`, `shared` or `memory`.
    pub from: &'static str,
    /// Its size.
    pub bytes: usize,
}

/// A host that evidence is fetched from.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Its name and port.
    pub host: String,
    /// Whether the last exchange brought something that can be used.
    pub up: bool,
    /// When it was asked last.
    pub asked_at: String,
    /// How long that took.
    pub seconds: f64,
    /// Why it brought nothing.
    pub failure: Option<String>,
    /// Requests in a row that it did not answer.
    pub failures: u32,
    /// Seconds that it is not asked, after too many of them.
    pub pause_seconds: Option<u64>,
}

/// A client that was refused.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RefusalStatus {
    /// When it was.
    pub at: String,
    /// The listener.
    pub listener: String,
    /// The address that the connection came from: of the client, or of the proxy that asked about it.
    pub peer: Option<String>,
    /// The route, or the protocol, by which another proxy or program has asked about the client. `None` for a client that
    /// has connected by itself.
    pub route: Option<String>,
    /// The address of that client, where the proxy says it.
    pub client: Option<String>,
    /// The code of the reason.
    pub code: &'static str,
    /// The subject of its certificate.
    pub subject: Option<String>,
    /// Why, in a sentence.
    pub detail: Option<String>,
    /// The source that the reason is about.
    pub source: Option<String>,
    /// What would help.
    pub hint: Option<String>,
}

/// A connection whose client was accepted.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// The listener.
    pub listener: String,
    /// The client's address.
    pub peer: Option<String>,
    /// The subject of its certificate.
    pub subject: Option<String>,
    /// `tcp`, `http/1.1` or `h2`.
    pub protocol: &'static str,
    /// When its client was accepted.
    pub since: String,
    /// Whether its session resumed.
    pub resumed: bool,
}

/// A certificate that ends soon, or has ended.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EndingStatus {
    /// `server`, `ring` or `client`.
    pub kind: &'static str,
    /// The listener that it belongs to, or that its client was seen at.
    pub listener: String,
    /// Its subject. `None` for a server.
    pub subject: Option<String>,
    /// Its end.
    pub not_after: String,
    /// Days until then. Negative if it has ended.
    pub days: i64,
    /// When its client was seen last.
    pub seen: Option<String>,
}

/// Whether a certificate with this end is listed.
pub(crate) fn ends_soon(not_after: Time, now: Time) -> bool {
    not_after.unix() - now.unix() <= SOON
}

impl EndingStatus {
    pub(crate) fn new(
        kind: &'static str,
        listener: &str,
        subject: Option<String>,
        not_after: Time,
        now: Time,
    ) -> Self {
        let days = (not_after.unix() - now.unix()).div_euclid(86_400);
        let (listener, not_after) = (listener.to_owned(), not_after.to_string());
        Self { kind, listener, subject, not_after, days, seen: None }
    }
}

impl EvidenceStatus {
    pub(crate) fn of(state: &EvidenceState, now: Time) -> Self {
        let text = |time: Option<Time>| time.map(|time| time.to_string());
        Self {
            kind: state.kind.code(),
            url: printable(&state.url).to_string(),
            issuer: state.issuer.clone(),
            entries: state.entries,
            state: match state.next_update {
                Some(next) if next < now => "ended",
                Some(_) => "current",
                None => "open",
            },
            this_update: text(state.this_update),
            next_update: text(state.next_update),
            age_seconds: state.this_update.map(|this| now.unix() - this.unix()),
            fetched_at: state.fetched_at.to_string(),
            from: state.origin.code(),
            bytes: state.bytes,
        }
    }
}

/// Seconds, to the microsecond.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e6
}

impl UpstreamStatus {
    pub(crate) fn of(attempt: Attempt) -> Self {
        Self {
            up: attempt.failure.is_none(),
            asked_at: attempt.at.to_string(),
            seconds: seconds(attempt.took),
            failure: attempt.failure,
            failures: attempt.failures,
        }
    }
}

impl SourceStatus {
    pub(crate) fn of(health: &HostHealth) -> Self {
        Self {
            host: printable(&health.host).to_string(),
            up: health.failure.is_none(),
            asked_at: health.asked_at.to_string(),
            seconds: seconds(health.took),
            failure: health.failure.clone(),
            failures: health.failures,
            pause_seconds: health.pause.map(|pause| pause.as_secs()),
        }
    }
}

impl FrontStatus {
    /// What the board knows: refusals, connections, and the last reload.
    pub(crate) fn add_board(&mut self, board: &Board, now: Time) {
        self.reload = board.reload().map(|reload| ReloadStatus {
            at: reload.at.to_string(),
            outcome: if reload.faults.is_empty() { "loaded" } else { "kept" },
            faults: reload.faults,
        });
        self.refusals = board.refusals().into_iter().map(RefusalStatus::of).collect();
        let connection = |one: crate::board::Connection| ConnectionStatus {
            listener: one.listener.to_string(),
            peer: one.peer.map(|peer| peer.to_string()),
            subject: one.subject,
            protocol: one.protocol,
            since: one.since.to_string(),
            resumed: one.is_resumed,
        };
        self.connections = board.connections().into_iter().map(connection).collect();
        self.ending.extend(board.ending_clients().into_iter().map(|client| EndingStatus {
            seen: Some(client.seen.to_string()),
            ..EndingStatus::new("client", &client.listener, Some(client.subject), client.not_after, now)
        }));
    }
}

impl RefusalStatus {
    fn of(refusal: crate::board::Refusal) -> Self {
        let Summary { code, subject, detail, source, remedy, .. } = refusal.summary;
        Self {
            at: refusal.at.to_string(),
            listener: refusal.listener.to_string(),
            peer: refusal.peer.map(|peer| peer.to_string()),
            route: refusal.route,
            client: refusal.client.map(|client| client.to_string()),
            code,
            subject,
            detail,
            source,
            hint: remedy,
        }
    }
}

impl CaStatus {
    pub(crate) fn of(ca: crate::board::RingCa) -> Self {
        let Summary { code, detail, .. } = ca.summary;
        Self { subject: ca.subject, verdict: ca.verdict.code(), code, detail }
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.verdict == Verdict::Undetermined.code()
    }
}

impl RingStatus {
    pub(crate) fn new(ring: &certcheck_rustls::KeyRing, listeners: Vec<String>, cas: Vec<CaStatus>) -> Self {
        let count = |role| ring.certificates().iter().filter(|entry| entry.role() == role).count();
        Self { listeners, anchors: count(Role::Anchor), intermediates: count(Role::Intermediate), cas }
    }
}
