//! `GET /v1/watch?sha256=...`: events about a client that was accepted, until it is not good any more.
//!
//! ```text
//! event: watching      the watch has begun, and the client is good
//! event: ended         it is not good any more: code and message
//! event: unwatched     nothing is known from now on, because the listener ends or uses other settings, such as another secret
//! ```

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::pki_types::CertificateDer;
use certcheck_rustls::{Ended, Engine, Verdict, Watch};
use data_encoding::HEXLOWER_PERMISSIVE;
use http_body_util::Either;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::interval;
use url::form_urlencoded;

use super::active::{Active, Lasting};
use super::answer::{self, Body};
use super::decide::{self, Credential};
use crate::phase::{Phase, reached};

/// How often a silent stream gets a comment, so that a peer that is gone is noticed.
const PING: Duration = Duration::from_secs(15);
/// Events that wait for the peer.
const WAITING: usize = 4;

/// What an event says.
#[derive(Serialize)]
struct Event<'a> {
    sha256: &'a str,
    code: &'a str,
    message: Option<String>,
}

/// Answers with a stream of events, or why there is none.
pub(super) fn answer(
    (settings, lasting): (&watch::Receiver<Arc<Active>>, &Arc<Lasting>),
    query: &str,
    credential: Credential,
    ending: watch::Receiver<Phase>,
) -> Response<Body> {
    let mut settings = settings.clone();
    let active = Arc::clone(&settings.borrow_and_update());
    let (mut sha256, mut policy) = (None, None);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match &*key {
            "sha256" => &mut sha256,
            "policy" => &mut policy,
            _ => return bad("the query has keys besides sha256 and policy"),
        };
        if place.replace(value.into_owned()).is_some() {
            return bad("the query has a key twice");
        }
    }
    let hash = sha256.as_ref().and_then(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok());
    let Some(hash) = hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
        return bad("sha256: not the SHA-256 of a certificate in 64 hexadecimal digits");
    };
    let Some(engine) = active.engine(policy.as_deref()) else {
        return bad("policy: no policy of this name is configured");
    };
    let Some(chain) = lasting.remembered.client(&hash) else {
        let message = "no client with this certificate was accepted lately; ask /v1/verify first";
        return answer::problem(StatusCode::NOT_FOUND, "unknown-client", message);
    };
    let report = engine.look_up(&chain, engine.now());
    if !report.is_accepted() {
        let message = "the client is not good; ask /v1/verify for the reason";
        return answer::problem(StatusCode::NOT_FOUND, report.code(), message);
    }
    if let Err(refusal) = decide::enter(&active, &report) {
        let message = "the client is not accepted by the rules; ask /v1/verify for the reason";
        return answer::problem(StatusCode::NOT_FOUND, refusal.code(), message);
    }
    let Ok(place) = lasting.watches.enter(active.config.limits.max_watches) else {
        let message = "too many watches are open; ask again, or raise `max_watches`";
        return answer::problem(StatusCode::TOO_MANY_REQUESTS, "busy", message);
    };
    let watch = engine.watch(&report, &chain);
    let watched = Watched { settings, engine: Arc::clone(engine), policy, chain, credential };
    let (sender, channel) = Channel::new(WAITING);
    let sha256 = sha256.unwrap_or_default().to_ascii_lowercase();
    tokio::spawn(async move {
        send(sender, &sha256, watch, (watched, ending)).await;
        drop(place);
    });
    let mut response = Response::new(Either::Right(channel));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A client that is watched, and what it was accepted by.
struct Watched {
    settings: watch::Receiver<Arc<Active>>,
    engine: Arc<Engine>,
    policy: Option<String>,
    chain: Arc<[CertificateDer<'static>]>,
    /// What the peer has shown of itself.
    credential: Credential,
}

impl Watched {
    /// Waits until the settings of the listener do not accept the client any more, for this reason, or do not have this
    /// engine or the secret of the peer, which is no reason. What the engine finds out by itself is the watch's.
    async fn end_by_settings(&mut self) -> Option<(&'static str, Option<String>)> {
        while self.settings.changed().await.is_ok() {
            let active = Arc::clone(&self.settings.borrow_and_update());
            if let Credential::Secret(secret) = &self.credential {
                active.secret.filter(|known| known.is_same(secret))?;
            }
            let engine = active.engine(self.policy.as_deref())?;
            if !Arc::ptr_eq(engine, &self.engine) {
                return None;
            }
            let report = engine.look_up(&self.chain, engine.now());
            match decide::enter(&active, &report) {
                _ if report.verdict() == Verdict::Reject => {
                    return Some((report.code(), report.summary().detail));
                }
                Err(refusal) if report.is_accepted() => {
                    return Some((refusal.code(), Some(refusal.to_string())));
                }
                _ => {}
            }
        }
        None
    }
}

fn bad(message: &str) -> Response<Body> {
    answer::problem(StatusCode::BAD_REQUEST, "malformed-request", message)
}

/// Sends events until the client is not good any more, or the peer is gone.
async fn send(
    mut sender: Sender<Bytes, Infallible>,
    sha256: &str,
    watch: Watch,
    (mut watched, mut ending): (Watched, watch::Receiver<Phase>),
) {
    let event = |name: &str, code: &str, message: Option<String>| {
        let data = serde_json::to_string(&Event { sha256, code, message }).unwrap_or_default();
        Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
    };
    if sender.send_data(event("watching", "accept", None)).await.is_err() {
        return;
    }
    let mut pings = interval(PING);
    pings.reset();
    let mut watch = std::pin::pin!(watch);
    let last = loop {
        tokio::select! {
            ended = &mut watch => break match ended {
                Ended::Rejected(report) => event("ended", report.code(), report.summary().detail),
                _ => event("unwatched", "unwatched", None),
            },
            () = reached(&mut ending, Phase::Draining) => break event("unwatched", "unwatched", None),
            end = watched.end_by_settings() => break match end {
                Some((code, message)) => event("ended", code, message),
                None => event("unwatched", "unwatched", None),
            },
            _tick = pings.tick() => {
                if sender.send_data(Bytes::from_static(b":\n\n")).await.is_err() {
                    return;
                }
            }
        }
    };
    let _gone = sender.send_data(last).await;
}
