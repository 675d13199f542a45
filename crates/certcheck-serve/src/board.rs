//! What operators look at: recent refusals, connections at present, certificates that end soon. All of it is bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_fetch::printable;
use certcheck_rustls::{AcceptError, Client, Engine, Summary, Time, Verdict};

use crate::config::ConfigError;
use crate::cut::cut;
use crate::events::Validated;
use crate::identity::AccessRefusal;

/// Refusals that are kept.
const REFUSALS: usize = 100;
/// The longest text of a refusal, in bytes.
const MAX_TEXT: usize = 1_024;
/// Connections that are listed. Beyond that they are only counted.
const CONNECTIONS: usize = 1_000;
/// Clients whose certificates end soon that are kept.
const CLIENTS: usize = 200;
/// How long before its end a certificate ends soon.
pub(crate) const SOON: i64 = 30 * 86_400;
/// The time for evidence about a ring, and between two looks at it.
const PREFETCH: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(60);
const AGAIN_SOON: Duration = Duration::from_secs(3);

/// What operators look at.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) started: Time,
    is_draining: AtomicBool,
    next: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    refusals: VecDeque<Refusal>,
    connections: BTreeMap<u64, Connection>,
    clients: HashMap<[u8; 32], EndingClient>,
    reload: Option<Reload>,
    /// By the place of the engine in memory.
    rings: HashMap<usize, Vec<RingCa>>,
}

impl Kept {
    /// Drops the oldest refusal of the listener that has the largest number of them: others stay seen.
    fn drop_refusal(&mut self) {
        let mut counts = HashMap::<&str, usize>::new();
        for refusal in &self.refusals {
            *counts.entry(&refusal.listener).or_default() += 1;
        }
        let largest = counts.values().max();
        let is_of_largest = |refusal: &Refusal| counts.get(&*refusal.listener) == largest;
        if let Some(oldest) = self.refusals.iter().rposition(is_of_largest) {
            self.refusals.remove(oldest);
        }
    }
}

/// A client that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) at: Time,
    pub(crate) listener: Arc<str>,
    /// The address that the connection came from.
    pub(crate) peer: Option<SocketAddr>,
    /// The route that another proxy or program has asked on.
    pub(crate) route: Option<String>,
    /// The address of the client, as that proxy has it.
    pub(crate) client: Option<IpAddr>,
    /// The code, what is known of the certificate, why, and what would help.
    pub(crate) summary: Summary,
}

/// A connection whose client was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) since: Time,
    pub(crate) listener: Arc<str>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) subject: Option<String>,
    pub(crate) protocol: &'static str,
    pub(crate) is_resumed: bool,
}

/// A client that was seen, and whose certificate ends soon.
#[derive(Clone, Debug)]
pub(crate) struct EndingClient {
    pub(crate) seen: Time,
    pub(crate) listener: Arc<str>,
    pub(crate) subject: String,
    pub(crate) not_after: Time,
}

/// A reload, and its faults.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    pub(crate) at: Time,
    pub(crate) faults: Vec<String>,
}

/// A CA of a ring: whether its own status is known.
#[derive(Clone, Debug)]
pub(crate) struct RingCa {
    pub(crate) subject: String,
    pub(crate) verdict: Verdict,
    pub(crate) summary: Summary,
}

/// A connection that is listed until this is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    board: Arc<Board>,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.board.kept().connections.remove(&self.number);
    }
}

impl Refusal {
    fn new(listener: &Arc<str>, peer: Option<SocketAddr>, mut summary: Summary) -> Self {
        for text in [&mut summary.subject, &mut summary.detail, &mut summary.source, &mut summary.remedy] {
            // On one line.
            *text = text.take().map(|text| cut(&printable(text).to_string(), MAX_TEXT).to_owned());
        }
        Self { at: now(), listener: Arc::clone(listener), peer, route: None, client: None, summary }
    }
}

/// The time by the clock of the machine.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl Board {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: now(),
            is_draining: AtomicBool::new(false),
            next: AtomicU64::new(0),
            kept: Mutex::default(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that no further connection is accepted.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Notes a client that was refused in its handshake. Handshakes that failed otherwise are only counted: anyone can
    /// make as many as they like.
    pub(crate) fn not_accepted(&self, listener: &Arc<str>, peer: Option<SocketAddr>, error: &AcceptError) {
        let summary = match error {
            AcceptError::Refused(refused) => refused.report().summary(),
            _ if error.code() == "no-certificate" => {
                let mut summary = Summary::of_code("no-certificate");
                summary.detail = Some("the client sent no certificate".to_owned());
                summary.remedy = Some("have the client send a certificate".to_owned());
                summary
            }
            _ => return,
        };
        self.refused(Refusal::new(listener, peer, summary));
    }

    /// Notes a client of another proxy or program that was not accepted.
    pub(crate) fn validation_refused(
        &self,
        listener: &Arc<str>,
        peer: Option<SocketAddr>,
        validated: Validated<'_>,
    ) {
        let refusal = Refusal::new(listener, peer, validated.summary.clone());
        let route = Some(validated.route.to_owned());
        self.refused(Refusal { route, client: validated.client, ..refusal });
    }

    /// Notes a client with a good certificate that rules refuse.
    pub(crate) fn access_refused(
        &self,
        listener: &Arc<str>,
        peer: Option<SocketAddr>,
        subject: Option<String>,
        refusal: &AccessRefusal,
    ) {
        let text = refusal.to_string();
        let detail =
            text.strip_suffix(refusal.hint()).map_or(text.as_str(), |text| text.trim_end_matches("; "));
        let mut summary = Summary::of_code(refusal.code());
        summary.subject = subject;
        summary.detail = Some(detail.to_owned());
        summary.remedy = Some(refusal.hint().to_owned());
        self.refused(Refusal::new(listener, peer, summary));
    }

    fn refused(&self, refusal: Refusal) {
        let mut kept = self.kept();
        if kept.refusals.len() >= REFUSALS {
            kept.drop_refusal();
        }
        kept.refusals.push_front(refusal);
    }

    /// Lists a connection, and its client if its certificate ends soon.
    pub(crate) fn connected(
        self: &Arc<Self>,
        listener: &Arc<str>,
        peer: Option<SocketAddr>,
        client: Option<&Client>,
        protocol: &'static str,
    ) -> Listed {
        let now = now();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let report = client.and_then(Client::report);
        let subject = report.and_then(|report| report.summary().subject);
        let ending = report.and_then(|report| {
            let details = report.details();
            let view = details.view();
            let leaf = &view.path.first()?.certificate;
            let not_after = leaf.not_after();
            (not_after.unix() - now.unix() <= SOON).then(|| (sha256(leaf.der()), not_after))
        });
        let mut kept = self.kept();
        if let Some((key, not_after)) = ending
            && (kept.clients.len() < CLIENTS || kept.clients.contains_key(&key))
        {
            let subject = subject.clone().unwrap_or_default();
            let ending = EndingClient { seen: now, listener: Arc::clone(listener), subject, not_after };
            kept.clients.insert(key, ending);
        }
        if kept.connections.len() < CONNECTIONS {
            let is_resumed = client.is_some_and(Client::is_resumed);
            let listener = Arc::clone(listener);
            let connection = Connection { since: now, listener, peer, subject, protocol, is_resumed };
            kept.connections.insert(number, connection);
        }
        drop(kept);
        Listed { board: Arc::clone(self), number }
    }

    /// Notes the outcome of a reload.
    pub(crate) fn reloaded(&self, error: Option<&ConfigError>) {
        let faults = error.map(|error| error.faults().iter().map(ToString::to_string).collect());
        self.kept().reload = Some(Reload { at: now(), faults: faults.unwrap_or_default() });
    }

    /// The last refusals, the newest first.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        self.kept().refusals.iter().cloned().collect()
    }

    /// The connections that are listed, the oldest first.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.kept().connections.values().cloned().collect()
    }

    /// The clients whose certificates end soon, that first which ends first.
    pub(crate) fn ending_clients(&self) -> Vec<EndingClient> {
        let mut clients: Vec<_> = self.kept().clients.values().cloned().collect();
        clients.sort_by_key(|client| client.not_after);
        clients
    }

    /// The last reload.
    pub(crate) fn reload(&self) -> Option<Reload> {
        self.kept().reload.clone()
    }

    /// What is known of the CAs of an engine's ring. `None` before the first look.
    pub(crate) fn ring(&self, engine: &Arc<Engine>) -> Option<Vec<RingCa>> {
        self.kept().rings.get(&place(engine)).cloned()
    }

    /// Forgets what is known of the rings of other engines.
    pub(crate) fn keep_rings<'e>(&self, engines: impl Iterator<Item = &'e Arc<Engine>>) {
        let places: Vec<usize> = engines.map(place).collect();
        self.kept().rings.retain(|place, _| places.contains(place));
    }

    /// Fetches evidence about the CAs of a ring, again and again, and notes what is known.
    pub(crate) async fn watch_ring(self: Arc<Self>, engine: Arc<Engine>) {
        loop {
            let reports = engine.prefetch_ring(engine.now(), PREFETCH).await;
            let cas: Vec<RingCa> = reports
                .iter()
                .map(|report| {
                    let summary = report.summary();
                    let subject = summary.subject.clone().unwrap_or_default();
                    RingCa { subject, verdict: report.verdict(), summary }
                })
                .collect();
            let is_missing = cas.iter().any(|ca| ca.verdict == Verdict::Undetermined);
            self.kept().rings.insert(place(&engine), cas);
            tokio::time::sleep(if is_missing { AGAIN_SOON } else { AGAIN }).await;
        }
    }
}

fn place(engine: &Arc<Engine>) -> usize {
    Arc::as_ptr(engine).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_grows_without_bounds() {
        let board = Board::new();
        let listener: Arc<str> = "web".into();
        for number in 0..1_500 {
            let refusal = AccessRefusal::BadUser { user: number.to_string(), flaw: "is a number" };
            board.access_refused(&listener, None, None, &refusal);
        }
        let refusals = board.refusals();
        assert_eq!(refusals.len(), REFUSALS);
        let newest = refusals.first().and_then(|refusal| refusal.summary.detail.clone());
        assert_eq!(newest.as_deref(), Some("the user name \"1499\" is a number"));
        let mut long = Summary::of_code("malformed-header");
        long.detail = Some("\u{fc}".repeat(40_000) + "\n");
        let proxies: Arc<str> = "proxies".into();
        board.validation_refused(&proxies, None, Validated::new("nginx", &long));
        for _ in 0..1_500 {
            board.access_refused(&listener, None, None, &AccessRefusal::NotAllowed);
        }
        let refusals = board.refusals();
        assert_eq!(refusals.len(), REFUSALS);
        // One listener leaves a place for another.
        let other = refusals.last().expect("refusals");
        assert_eq!((&*other.listener, other.route.as_deref()), ("proxies", Some("nginx")));
        let text = other.summary.detail.as_deref().unwrap_or_default();
        assert!((MAX_TEXT - 4..=MAX_TEXT).contains(&text.len()), "{} bytes", text.len());
        let listed: Vec<_> = (0..1_500).map(|_| board.connected(&listener, None, None, "tcp")).collect();
        assert_eq!(board.connections().len(), CONNECTIONS);
        drop(listed);
        assert_eq!(board.connections().len(), 0);
    }
}
