//! One request and its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_rustls::Client;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use metrics::counter;
use tokio::io::copy_bidirectional;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::body::{Progress, RequestBody, ResponseBody};
use super::identity_headers::IdentityHeaders;
use super::message::{self, Asked};
use super::names;
use super::report::Report;
use super::services::{Failure, Services};
use super::tasks::Tasks;
use crate::access::{self, Entry};
use crate::active::Active;
use crate::board::Board;
use crate::config::{HttpConfig, ServiceVersion};
use crate::{events, metrics as metric_names};

/// What the requests of one connection have in common.
pub(super) struct Exchanges {
    pub(super) listener: Arc<str>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) client: Option<Client>,
    pub(super) active: watch::Receiver<Arc<Active>>,
    pub(super) board: Arc<Board>,
    pub(super) services: Services,
    pub(super) tasks: Tasks,
    /// Connections that go on in another protocol.
    pub(super) tunnels: watch::Sender<usize>,
    /// What was decided by the configuration of that time.
    decided: Mutex<Option<(Arc<Active>, Arc<Decision>)>>,
}

/// What a configuration says about a client.
struct Decision {
    subject: Option<Arc<str>>,
    user: Option<Arc<str>>,
    headers: IdentityHeaders,
    strip: Arc<[String]>,
    refused: Option<&'static str>,
}

impl Exchanges {
    pub(super) fn new(
        listener: Arc<str>,
        peer: Option<SocketAddr>,
        client: Option<Client>,
        active: watch::Receiver<Arc<Active>>,
        board: Arc<Board>,
        tasks: Tasks,
        services: Services,
    ) -> Self {
        Self {
            listener,
            peer,
            client,
            active,
            board,
            services,
            tasks,
            tunnels: watch::Sender::new(0),
            decided: Mutex::default(),
        }
    }

    /// The answer to a request: of the service, or why there is none.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let mut report = Report::new(Arc::clone(&self.listener), self.peer, &request);
        let active = Arc::clone(&self.active.borrow());
        let Some(http) = active.config.http.clone() else {
            // The listener passes bytes since a reload, and this connection cannot.
            return Ok(own(report, StatusCode::SERVICE_UNAVAILABLE, ""));
        };
        let decision = self.decide(&active, &http);
        report.user.clone_from(&decision.user);
        report.subject.clone_from(&decision.subject);
        if let Some(code) = decision.refused {
            return Ok(own(report, StatusCode::FORBIDDEN, code));
        }
        Ok(match self.pass(&active, &http, &decision, request, &report).await {
            Ok((response, tunnel)) => {
                report.status = Some(response.status());
                if let Some(tunnel) = tunnel {
                    self.tunnel(tunnel);
                }
                let sent = Arc::clone(&report.sent);
                response.map(|body| ResponseBody::service(body, sent, Box::new(report)))
            }
            Err(status) => own(report, status, ""),
        })
    }

    /// What the configuration in use says about this client. Decided once for each configuration.
    fn decide(&self, active: &Arc<Active>, http: &HttpConfig) -> Arc<Decision> {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, decision)) = &*decided
            && Arc::ptr_eq(of, active)
        {
            return Arc::clone(decision);
        }
        let decision = Arc::new(self.decision(active, http));
        *decided = Some((Arc::clone(active), Arc::clone(&decision)));
        decision
    }

    fn decision(&self, active: &Active, http: &HttpConfig) -> Decision {
        let strip: Arc<[String]> = http.strip.clone().into();
        let subject: Option<Arc<str>> = access::subject_of(self.client.as_ref()).map(Into::into);
        let decided = access::enter(&active.config.access, self.client.as_ref()).and_then(|entry| {
            let Entry { identity, user } = entry;
            let headers =
                IdentityHeaders::new(http, self.client.as_ref(), identity.as_ref(), user.as_deref())?;
            Ok((headers, user))
        });
        match decided {
            Ok((headers, user)) => {
                Decision { subject, user: user.map(Into::into), headers, strip, refused: None }
            }
            Err(refusal) => {
                let code = refusal.code();
                access::refused(&self.board, &self.listener, self.peer, self.client.as_ref(), &refusal);
                let headers = IdentityHeaders::default();
                Decision { subject, user: None, headers, strip, refused: Some(code) }
            }
        }
    }

    /// Passes a request on. The tunnel is what goes on after an answer with status 101.
    async fn pass(
        &self,
        active: &Active,
        http: &HttpConfig,
        decision: &Decision,
        mut request: Request<Incoming>,
        report: &Report,
    ) -> Result<(Response<Incoming>, Option<Tunnel>), StatusCode> {
        let asked = message::prepare_request(&mut request, http)?;
        if request.body().size_hint().lower() > http.max_body.unwrap_or(u64::MAX) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let client_side = asked.upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
        let request = self.for_service(http, decision, request, &report.received)?;
        let sent = self.services.send(active, http, request);
        let mut response = match in_time(sent, http.response_timeout, &report.received).await {
            Some(Ok(response)) => response,
            Some(Err(_)) if report.received.is_too_large() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
            Some(Err(failure)) => {
                self.failed(active, &failure);
                return Err(failure.status());
            }
            None => {
                self.failed(active, &format_args!("no answer after {:?}", http.response_timeout));
                return Err(StatusCode::GATEWAY_TIMEOUT);
            }
        };
        let is_switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let switched = is_switched.then(|| agreed(&asked, response.headers()).cloned());
        let tunnel = match (switched, client_side) {
            (None, _) => None,
            (Some(Some(protocol)), Some(client)) => {
                let service = hyper::upgrade::on(&mut response);
                message::prepare_response(response.headers_mut(), Some(&protocol));
                return Ok((response, Some(Tunnel { client, service })));
            }
            (Some(_), _) => {
                self.failed(active, &"it changed the protocol without being asked");
                return Err(StatusCode::BAD_GATEWAY);
            }
        };
        message::prepare_response(response.headers_mut(), None);
        Ok((response, tunnel))
    }

    /// The request as it is sent to the service, with what the front says.
    fn for_service(
        &self,
        http: &HttpConfig,
        decision: &Decision,
        request: Request<Incoming>,
        received: &Arc<Progress>,
    ) -> Result<Request<RequestBody>, StatusCode> {
        let (mut head, body) = request.into_parts();
        let service_version = match http.service_version {
            ServiceVersion::Http1 => Version::HTTP_11,
            ServiceVersion::Http2 => Version::HTTP_2,
        };
        let host = head.headers.get(header::HOST).cloned();
        head.uri =
            message::uri_for(&head.uri, service_version, host.as_ref()).ok_or(StatusCode::BAD_REQUEST)?;
        if service_version == Version::HTTP_2 {
            head.headers.remove(header::HOST);
        } else if !body.is_end_stream() && !head.headers.contains_key(header::CONTENT_LENGTH) {
            // Without it, the body of a GET would be lost.
            head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        join_cookies(&mut head.headers);
        decision.headers.set(&mut head.headers);
        if let Some(peer) = self.peer
            && let Ok(address) = HeaderValue::from_str(&peer.ip().to_canonical().to_string())
        {
            head.headers.insert(names::FORWARDED_FOR, address);
        }
        head.headers.insert(names::FORWARDED_PROTO, HeaderValue::from_static("https"));
        head.extensions.clear();
        let max = http.max_body.unwrap_or(u64::MAX);
        let body = RequestBody::new(body, Arc::clone(received), max, Arc::clone(&decision.strip));
        Ok(Request::from_parts(head, body))
    }

    fn failed(&self, active: &Active, detail: &dyn core::fmt::Display) {
        counter!(metric_names::UPSTREAM_FAILURES, "listener" => Arc::clone(&self.listener)).increment(1);
        let about = events::About { listener: &self.listener, peer: self.peer };
        events::upstream_unreachable(about, &active.config.upstream, detail);
    }

    /// Passes bytes between the two, as long as the connection goes on.
    fn tunnel(self: Arc<Self>, tunnel: Tunnel) {
        self.tunnels.send_modify(|number| *number += 1);
        let tasks = self.tasks.clone();
        tasks.spawn(async move {
            if let (Ok(client), Ok(service)) = (tunnel.client.await, tunnel.service.await) {
                let (mut client, mut service) = (TokioIo::new(client), TokioIo::new(service));
                let _ended = copy_bidirectional(&mut client, &mut service).await;
            }
            self.tunnels.send_modify(|number| *number = number.saturating_sub(1));
        });
    }
}

/// Two connections that go on in another protocol.
struct Tunnel {
    client: hyper::upgrade::OnUpgrade,
    service: hyper::upgrade::OnUpgrade,
}

/// The protocol that client and service agree on.
fn agreed<'h>(asked: &Asked, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
    let (wanted, given) = (asked.upgrade.as_ref()?, headers.get(header::UPGRADE)?);
    wanted.as_bytes().eq_ignore_ascii_case(given.as_bytes()).then_some(given)
}

/// The answer, unless for so long neither it nor a byte of the request has come.
async fn in_time(
    answer: impl Future<Output = Result<Response<Incoming>, Failure>>,
    within: Duration,
    received: &Progress,
) -> Option<Result<Response<Incoming>, Failure>> {
    let mut answer = std::pin::pin!(answer);
    let mut before = received.bytes();
    loop {
        tokio::select! {
            answer = &mut answer => return Some(answer),
            () = sleep_until(Instant::now() + within) => {
                let now = received.bytes();
                if now == before {
                    return None;
                }
                before = now;
            }
        }
    }
}

/// HTTP/2 has a header for each cookie, HTTP/1.1 one for all (RFC 9113 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// An answer of the front itself: the status in words, and a code for people.
fn own(mut report: Report, status: StatusCode, code: &str) -> Response<ResponseBody> {
    report.status = Some(status);
    let reason = status.canonical_reason().unwrap_or_default();
    let text = match code {
        "" => format!("{} {reason}\n", status.as_u16()),
        code => format!("{} {reason}: {code}\n", status.as_u16()),
    };
    let sent = Arc::clone(&report.sent);
    let mut response = Response::new(ResponseBody::own(text, sent, Box::new(report)));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
