//! The requests of one connection to the mirror.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, EvidenceRequest};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::{self, Body, Times, problem, retry};
use super::keeper::Keeper;
use super::listing::Listing;
use super::question::{Question, of_get, of_post, source_of};
use super::select::NotServed;
use super::{news, set, via};
use crate::admission::{Counted, Limit, address_of};
use crate::config::MirrorConfig;
use crate::events::{self, About};
use crate::incoming;
use crate::limit_log::LimitLog;
use crate::listener::Peer;
use crate::metrics as names;
use crate::phase::{Phase, reached, serve_until_drained};
use crate::sockets::Serve;
use crate::stream::Stream;
use crate::write_timeout::WriteTimeout;

/// The time for the headers of a request, and between two requests.
const HEADER: Duration = Duration::from_secs(60);
/// The time for the body of a request, and the bound of its size: an OCSP request is small.
const BODY: Duration = Duration::from_secs(10);
const MAX_BODY: usize = 64 << 10;
/// The time in which a client must take something of what is sent to it.
const WRITE: Duration = Duration::from_secs(60);
/// The bound of the headers of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// What a connection knows of the mirror.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) config: watch::Receiver<Arc<MirrorConfig>>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) listing: Arc<Listing>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) limits: Arc<LimitLog>,
}

impl Serve for Context {
    fn listener(&self) -> &str {
        set::NAME
    }

    fn max_connections(&self) -> usize {
        self.config.borrow().limits.max_connections
    }

    fn serve(self, io: Stream, peer: Peer, counted: Counted) -> impl Future<Output = ()> + Send {
        connection(self, io, peer, counted)
    }

    fn limited(&self, peer: Peer, limit: Limit, max: usize) {
        self.limits.limited(peer.address(), limit, max);
    }
}

/// Serves a connection to its end, if its client may ask.
async fn connection(context: Context, io: Stream, peer: Peer, mut counted: Counted) {
    let (may_connect, max) = {
        let config = context.config.borrow();
        (may_connect(&config, peer), config.limits.max_connections_per_address)
    };
    if !may_connect {
        counter!(names::LIMITED, "listener" => set::NAME, "reason" => "client-address").increment(1);
        events::address_refused(About { listener: set::NAME, peer: peer.address() });
        return;
    }
    if let Some(address) = peer.address()
        && let Err(limit) = counted.of_address(address.ip(), max)
    {
        context.limited(peer, limit, max);
        return;
    }
    let (mut phase, config) = (context.phase.clone(), context.config.clone());
    let client = address_of(peer);
    let service = service_fn(move |request: Request<Incoming>| {
        let context = context.clone();
        async move { Ok::<_, Infallible>(context.answer(request, client).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(WriteTimeout::new(io, WRITE)), service);
    tokio::select! {
        _ended = serve_until_drained(served, phase.clone(), |served| served.graceful_shutdown()) => {}
        () = reached(&mut phase, Phase::Over) => {}
        () = unlisted(config, peer) => {}
    }
    drop(counted);
}

/// Whether a client may connect. Who may open a socket may ask there.
fn may_connect(config: &MirrorConfig, peer: Peer) -> bool {
    peer.address().is_none_or(|address| incoming::may_connect(&config.clients, Some(address)))
}

/// Waits until a reload has removed the mirror, or the client from those that may connect.
async fn unlisted(mut config: watch::Receiver<Arc<MirrorConfig>>, peer: Peer) {
    let _gone = config.wait_for(|config| !may_connect(config, peer)).await;
}

impl Context {
    async fn answer(&self, request: Request<Incoming>, client: IpAddr) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let (kind, response) = self.ask(request, client).await;
        let class = match response.status().as_u16() {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        counter!(names::MIRROR_REQUESTS, "kind" => kind, "status" => class).increment(1);
        if is_head { without_body(response) } else { response }
    }

    /// The answer to a request, and what it was about.
    async fn ask(&self, request: Request<Incoming>, client: IpAddr) -> (&'static str, Response<Body>) {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let source = source_of(request.uri(), host, |url| self.keeper.is_source(url));
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let Some(source) = source else {
            return match request.uri().path() {
                "/v1/news" if request.method() == Method::GET => {
                    ("news", news::answer(self.keeper.news(), self.phase.clone()))
                }
                "/v1/sources" if is_read => {
                    ("sources", whole("application/json", self.listing.json(&self.keeper).await))
                }
                "/" if is_read => ("page", self.page().await),
                "/live" | "/livez" if is_read => {
                    ("live", whole("text/plain; charset=utf-8", Bytes::from_static(b"ok\n")))
                }
                "/" | "/v1/news" | "/v1/sources" | "/live" | "/livez" => ("none", method("GET")),
                _ => {
                    let detail =
                        "there are /, /live, /v1/news, /v1/sources, and /http/HOST/PATH for a source";
                    ("none", problem(StatusCode::NOT_FOUND, "no-source", detail))
                }
            };
        };
        if via::is_own(request.headers()) {
            let detail =
                "the request comes from this mirror: the name of its host leads here, not to the source";
            return ("none", problem(StatusCode::LOOP_DETECTED, "loop", detail));
        }
        let (head, body) = request.into_parts();
        let question = match head.method {
            Method::GET | Method::HEAD => Some(of_get(&source)),
            Method::POST => {
                let is_ocsp = head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == OCSP_REQUEST);
                let limited = Limited::new(body, MAX_BODY).collect();
                match timeout(BODY, limited).await {
                    Ok(Ok(body)) if is_ocsp => of_post(&source, body.to_bytes()),
                    _ => None,
                }
            }
            _ => return ("none", method("GET, HEAD, POST")),
        };
        match question {
            Some(Question::Kept(request)) => {
                let response = self.kept((&request, client), &head.method, &head.headers).await;
                (request.kind().code(), response)
            }
            Some(Question::Through(request)) => ("through", self.through(&request, client).await),
            None => {
                let detail =
                    format!("the body is no OCSP request of at most {MAX_BODY} bytes with its media type");
                ("none", problem(StatusCode::BAD_REQUEST, "malformed-request", &detail))
            }
        }
    }

    async fn kept(
        &self,
        (request, client): (&EvidenceRequest, IpAddr),
        method: &Method,
        asked: &header::HeaderMap,
    ) -> Response<Body> {
        match self.keeper.current(request, client).await {
            Ok(served) => {
                let times = Times { now: self.keeper.now(), next_look: served.next_look, end: served.end };
                answer::of(&served.held, times, method, asked)
            }
            Err(why) => not_served(&why, request.kind()),
        }
    }

    async fn through(&self, request: &EvidenceRequest, client: IpAddr) -> Response<Body> {
        match self.keeper.through(request, client).await {
            Ok(cached) => {
                let mut response = Response::new(Either::Left(Full::from(cached.body().bytes.clone())));
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer::OCSP));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            Err(why) => not_served(&why, EvidenceKind::Ocsp),
        }
    }

    async fn page(&self) -> Response<Body> {
        let page = self.listing.page(&self.keeper).await;
        let mut response = whole("text/html; charset=utf-8", page);
        if let Ok(policy) = HeaderValue::from_str(&crate::style::content_policy()) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// The media type of an OCSP request (RFC 6960 A.1).
const OCSP_REQUEST: &str = "application/ocsp-request";

/// Why nothing is served, as an answer.
fn not_served(why: &NotServed, kind: EvidenceKind) -> Response<Body> {
    match why {
        NotServed::NotASource => {
            let detail =
                "the mirror does not ask this host; `hosts` in its configuration lists those that it asks";
            problem(StatusCode::NOT_FOUND, "not-a-source", detail)
        }
        NotServed::OtherIssuer => {
            let detail = "the ring of the mirror has no CA with the name and key in the request";
            problem(StatusCode::NOT_FOUND, "other-issuer", detail)
        }
        NotServed::Refused(refusal, seconds) => {
            let detail = format!("the source has no {} that can be served: {refusal}", kind.code());
            retry(problem(StatusCode::BAD_GATEWAY, refusal.code(), &printable(&detail)), *seconds)
        }
        NotServed::Busy => {
            let detail = "too many sources are asked at present";
            retry(problem(StatusCode::SERVICE_UNAVAILABLE, "busy", detail), 1)
        }
    }
}

fn printable(text: &str) -> String {
    certcheck_rustls::certcheck_fetch::printable(text).to_string()
}

fn method(allowed: &'static str) -> Response<Body> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "method", &format!("use {allowed}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn whole(kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The same for HEAD: with the length of the body that it does not have.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Either::Left(whole) = &body {
        let length = hyper::body::Body::size_hint(whole).exact().unwrap_or_default();
        if head.status != StatusCode::NOT_MODIFIED {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    Response::from_parts(head, Either::Left(Full::from(Bytes::new())))
}
