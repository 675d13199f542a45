//! The requests of one connection.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::histogram;
use tokio::io::{AsyncRead, AsyncWrite};

use super::active::Active;
use super::answer::{self, Body};
use super::auth::{self, Authorized};
use super::body::{self, BodyFault};
use super::context::{Context, Given};
use super::decide::Asker;
use super::metered::{Meter, Metered};
use super::{request, verify, watch as events_about};
use crate::events::Validated;
use crate::listener::Peer;
use crate::metrics as metric_names;
use crate::phase::serve_until_drained;

/// The time for the headers of a request, and between two requests: longer than proxies keep a connection that is not
/// used.
const HEADER: Duration = Duration::from_secs(90);
/// The most bytes of the headers of a request: those of a certificate, and some.
const MAX_HEAD: usize = 80 << 10;
/// The most headers of a request.
const MAX_HEADERS: usize = 200;
/// The most bytes of a body: ten certificates of 64 KiB in Base64.
const MAX_BODY: usize = 1 << 20;
/// The path of all routes.
const AUTH: &str = "/v1/auth/";
/// The metric label of requests that are on no route.
const NO_ROUTE: &str = "none";

/// Answers the requests of a connection to its end.
pub(super) async fn serve<S>(context: Context, io: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let phase = context.phase.clone();
    let meter = Meter::new(&context, peer);
    let io = Metered { io, meter: Arc::clone(&meter) };
    let service = service_fn(move |request: Request<Incoming>| {
        let (context, meter) = (context.clone(), Arc::clone(&meter));
        async move {
            meter.begin();
            let response = context.answer((peer, &meter), request).await;
            meter.end();
            Ok::<_, Infallible>(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(io), service);
    let _ended = serve_until_drained(served, phase, |served| served.graceful_shutdown()).await;
}

impl Context {
    async fn answer(&self, (peer, meter): (Peer, &Meter), request: Request<Incoming>) -> Response<Body> {
        let begun = Instant::now();
        let active = self.active();
        let path = request.uri().path().to_owned();
        if !meter.is_within() {
            return self.busy(&path, meter, &mut request.into_body()).await;
        }
        let asker = self.asker(&active, peer, Given::of(request.headers()));
        let is_authenticated = asker.is_some();
        let mut response = match (path.strip_prefix(AUTH), asker) {
            (Some(rest), asker) => self.authorize(&active, rest, request.headers(), asker).await,
            (None, None) => {
                self.count(NO_ROUTE, "refused");
                let message = "the request does not have the secret in X-Certcheck-Secret";
                answer::problem(StatusCode::FORBIDDEN, "not-authenticated", message)
            }
            (None, Some(asker)) => self.ask(&active, &path, (request, meter), asker).await,
        };
        if !is_authenticated {
            // Who does not know the secret keeps no place.
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        let listener = Arc::clone(&self.listener);
        histogram!(metric_names::VALIDATION_SECONDS, "listener" => listener)
            .record(begun.elapsed().as_secs_f64());
        response
    }

    /// The answer where further bytes may not be held.
    async fn busy(&self, path: &str, meter: &Meter, body: &mut Incoming) -> Response<Body> {
        self.count(NO_ROUTE, "refused");
        meter.give_up();
        body::discard(body, MAX_BODY).await;
        let is_route = path.starts_with(AUTH);
        if is_route { auth::refused("busy", None).response } else { no_body(BodyFault::NotHeld) }
    }

    /// Envoy puts the path of its own request behind that of the route, and asks with the method of that request.
    async fn authorize(
        &self,
        active: &Active,
        rest: &str,
        headers: &HeaderMap,
        asker: Option<Asker>,
    ) -> Response<Body> {
        let name = rest.split('/').next().unwrap_or_default();
        let route = active.config.routes.iter().find(|route| route.name == name);
        let label = route.map_or(NO_ROUTE, |route| &route.name);
        let Authorized { response, verdict, summary } = match (asker, route) {
            (None, _) => auth::refused("not-authenticated", None),
            (_, None) => {
                auth::refused("no-route", Some(format!("there is no route `{}`", name.escape_debug())))
            }
            (Some(asker), Some(route)) => auth::answer((active, &self.lasting), route, headers, asker).await,
        };
        self.count(label, verdict);
        if let Some(asker) = asker.filter(|_| verdict != "accept") {
            self.refused(asker.peer, Validated::new(label, &summary));
        }
        response
    }

    async fn ask(
        &self,
        active: &Active,
        path: &str,
        (request, meter): (Request<Incoming>, &Meter),
        asker: Asker,
    ) -> Response<Body> {
        match (path, request.method()) {
            ("/v1/verify", &Method::POST) => self.verify(active, (request, meter), asker).await,
            ("/v1/watch", &Method::GET) if asker.is_authenticated() => {
                let query = request.uri().query().unwrap_or_default();
                let of = (&self.active, &self.lasting);
                let response = events_about::answer(of, query, asker.credential, self.phase.clone());
                self.count("watch", if response.status() == StatusCode::OK { "accept" } else { "reject" });
                response
            }
            ("/v1/watch", &Method::GET) => {
                let message = "only a peer with the secret may watch";
                answer::problem(StatusCode::FORBIDDEN, "not-authenticated", message)
            }
            ("/v1/verify" | "/v1/watch", _) => {
                let message = "use POST for /v1/verify and GET for /v1/watch";
                answer::problem(StatusCode::METHOD_NOT_ALLOWED, "method", message)
            }
            _ => {
                let message = "there are /v1/verify, /v1/auth/NAME and /v1/watch";
                answer::problem(StatusCode::NOT_FOUND, "no-route", message)
            }
        }
    }

    async fn verify(
        &self,
        active: &Active,
        (request, meter): (Request<Incoming>, &Meter),
        asker: Asker,
    ) -> Response<Body> {
        const ROUTE: &str = "verify";
        let (head, mut body) = request.into_parts();
        // Its bytes count as they come in.
        let body = match body::read(&mut body, MAX_BODY, |_| meter.is_within()).await {
            Ok(body) => body,
            Err(BodyFault::NotHeld) => return self.busy(head.uri.path(), meter, &mut body).await,
            Err(fault) => {
                self.count(ROUTE, "unreadable");
                return no_body(fault);
            }
        };
        let text = |name| head.headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let kind = text(header::CONTENT_TYPE).unwrap_or_default();
        let question = match request::read(kind, head.uri.query().unwrap_or_default(), &body) {
            Ok(question) => question,
            Err(fault) => {
                self.count(ROUTE, "unreadable");
                let status = match fault {
                    request::RequestFault::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    request::RequestFault::Malformed(_) => StatusCode::BAD_REQUEST,
                };
                return answer::problem(status, "malformed-request", &fault.to_string());
            }
        };
        let id = decision_id();
        let (response, decided) = verify::answer((active, &self.lasting), &question, &id, asker).await;
        self.count(ROUTE, decided.as_ref().map_or("unreadable", |decided| decided.verdict()));
        if let Some(decided) = decided.filter(|decided| decided.verdict() != "accept") {
            let connection = &question.connection;
            let summary = decided.summary();
            let validated = Validated {
                route: ROUTE,
                summary: &summary,
                decision_id: Some(&id),
                client: connection.client_address,
                server_name: connection.server_name.as_deref(),
                resumed: connection.resumed,
                connection: connection.id.as_deref(),
            };
            self.refused(asker.peer, validated);
        }
        response
    }
}

/// The answer to a request without a body that could be read.
fn no_body(fault: BodyFault) -> Response<Body> {
    let (status, code, message) = match fault {
        BodyFault::TooLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, "malformed-request", "the body is larger than 1 MiB")
        }
        BodyFault::Incomplete => (StatusCode::BAD_REQUEST, "malformed-request", "the body ends too early"),
        BodyFault::TooSlow => {
            (StatusCode::REQUEST_TIMEOUT, "malformed-request", "the body took longer than 10 s")
        }
        BodyFault::NotHeld => (
            StatusCode::TOO_MANY_REQUESTS,
            "busy",
            "too many bytes of requests are held; ask again, or raise `max_request_bytes` and `max_request_bytes_per_peer`",
        ),
    };
    answer::problem(status, code, message)
}

/// A name for a decision that no other one has, for logs.
fn decision_id() -> String {
    static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{}", *RUN, NEXT.fetch_add(1, Ordering::Relaxed))
}
