//! The distribution points of CRLs and the OCSP responders: two servers, which can be broken.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use certcheck_forge::server::{Options, Page, Request, Server};

use super::authority::{Authority, cache_control};
use super::log::{Event, Log};
use super::outage::Outage;
use crate::flags::{LabFault, LabSource};
use crate::text::shown;

/// Connections to one server at once.
const CONNECTIONS: usize = 64;
/// How long one may be idle.
const IDLE: Duration = Duration::from_secs(30);
/// Subjects for which the last answer to the echo service is remembered.
const REMEMBERED: usize = 256;
/// Characters of a foreign name that are shown.
const MAX_SHOWN: usize = 24;

/// The user agent of the echo service.
pub(super) const ECHO_AGENT: &str = "echo/certcheck-lab";

/// Records requests.
///
/// The echo service renews its evidence every second or two. Those are recorded only if the answer has changed.
#[derive(Clone)]
struct Recorder {
    log: Log,
    tells_all: bool,
    last: Arc<Mutex<HashMap<(&'static str, String), String>>>,
}

/// The first characters of a foreign text, safe for a terminal.
fn short(text: &str) -> String {
    shown(&text.chars().take(MAX_SHOWN).collect::<String>())
}

fn asker(request: &Request) -> String {
    let product = request.header("user-agent").and_then(|agent| agent.split(['/', ' ']).next());
    product.filter(|product| !product.is_empty()).map_or_else(|| "somebody".to_owned(), short)
}

impl Recorder {
    fn record(&self, request: &Request, event: Event, same_as: String) {
        let is_echo = request.header("user-agent") == Some(ECHO_AGENT);
        if is_echo && !self.tells_all && !self.is_news(event.subject(), same_as) {
            return;
        }
        self.log.record(event.by(asker(request)));
    }

    fn is_news(&self, subject: (&'static str, String), answer: String) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= REMEMBERED {
            last.clear();
        }
        last.insert(subject, answer.clone()) != Some(answer)
    }
}

/// Says which port could not be taken, and what to do.
pub(super) fn taken(port: u16, what: &str) -> impl FnOnce(io::Error) -> anyhow::Error {
    move |error| {
        anyhow!(
            "port {port} for {what}: {error}; name another with --port: it and the two after it must be free"
        )
    }
}

/// Both servers.
pub(super) struct Sources {
    cdp: Server,
    ocsp: Server,
    recorder: Recorder,
    authority: Mutex<Option<Arc<Authority>>>,
    broken: Mutex<[Option<LabFault>; 2]>,
}

impl Sources {
    /// Starts both, with nothing to serve, on this port and the next, or on free ones.
    ///
    /// # Errors
    /// A port is in use.
    pub(super) fn start(port: Option<u16>, log: Log, tells_all: bool) -> anyhow::Result<Self> {
        let recorder = Recorder { log, tells_all, last: Arc::default() };
        let start = |source: LabSource, port: u16| {
            let recorder = recorder.clone();
            let mut options = Options::default();
            options.port = port;
            options.max_requests = 0;
            options.max_connections = CONNECTIONS;
            options.idle = IDLE;
            Server::start_with(options.observed_by(move |request, fault| {
                if let Some(fault) = fault {
                    let what = request.plain_path().trim_start_matches('/').split('/').next();
                    let event = Event::new(source.code(), short(what.unwrap_or_default()), "broken");
                    recorder.record(request, event.detail(fault), fault.to_owned());
                }
            }))
        };
        let next = |by: u16| port.map_or(0, |port| port.saturating_add(by));
        Ok(Self {
            cdp: start(LabSource::Cdp, next(0)).map_err(taken(next(0), "the CRLs"))?,
            ocsp: start(LabSource::Ocsp, next(1)).map_err(taken(next(1), "the OCSP responder"))?,
            recorder,
            authority: Mutex::default(),
            broken: Mutex::default(),
        })
    }

    /// The URL of a source, with a slash at the end.
    pub(super) fn url(&self, source: LabSource) -> String {
        match source {
            LabSource::Cdp => self.cdp.url("/"),
            LabSource::Ocsp => self.ocsp.url("/"),
        }
    }

    /// Serves what the CAs publish.
    pub(super) fn serve(&self, authority: &Arc<Authority>) {
        *self.authority.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(authority));
        for (issuer, slug) in authority.issuers() {
            let (known, recorder) = (Arc::clone(authority), self.recorder.clone());
            self.cdp.serve_with(&format!("/{slug}.crl"), move |request| {
                let Some(crl) = known.crl(issuer) else { return Page::not_found() };
                let listed =
                    if crl.listed.is_empty() { "no client".to_owned() } else { crl.listed.join(", ") };
                let event = Event::new("cdp", format!("{slug}.crl"), "served")
                    .detail(format!("number {}, lists {listed}", crl.number));
                recorder.record(request, event, listed);
                Page::new(crl.der)
                    .with_type("application/pkix-crl")
                    .with_header("Cache-Control", &cache_control())
            });
            let (known, recorder) = (Arc::clone(authority), self.recorder.clone());
            self.ocsp.serve_with(&format!("/{slug}"), move |request| {
                let Some(answer) = known.ocsp(issuer, request) else { return Page::not_found() };
                let (who, says) = answer.about.unwrap_or((slug, "knows nothing"));
                let says = if answer.page.status == 200 { says } else { "no OCSP request" };
                recorder.record(request, Event::new("ocsp", who, "answered").detail(says), says.to_owned());
                answer.page
            });
        }
    }

    /// Breaks a source in this way and no other.
    pub(super) fn break_with(&self, source: LabSource, how: LabFault) {
        self.set(source, Some(how));
    }

    /// Repairs both.
    pub(super) fn repair(&self) {
        self.set(LabSource::Cdp, None);
        self.set(LabSource::Ocsp, None);
    }

    /// How a source is broken.
    pub(super) fn fault(&self, source: LabSource) -> Option<LabFault> {
        let [cdp, ocsp] = *self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match source {
            LabSource::Cdp => cdp,
            LabSource::Ocsp => ocsp,
        }
    }

    fn set(&self, source: LabSource, how: Option<LabFault>) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let [cdp, ocsp] = &mut *broken;
        let (place, server) = match source {
            LabSource::Cdp => (cdp, &self.cdp),
            LabSource::Ocsp => (ocsp, &self.ocsp),
        };
        *place = how;
        match how.and_then(Outage::of) {
            Some(outage) => server.break_with("/", outage),
            None => server.repair("/"),
        }
        if let Some(authority) = &*self.authority.lock().unwrap_or_else(PoisonError::into_inner) {
            authority.set_stale(source, how == Some(LabFault::Stale));
        }
    }
}
