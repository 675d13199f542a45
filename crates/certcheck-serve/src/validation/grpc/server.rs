//! Calls of gRPC over HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::combinators::WithTrailers;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use metrics::histogram;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};

use super::check::{self, ROUTE};
use super::messages::CheckRequest;
use crate::listener::Peer;
use crate::metrics as names;
use crate::phase::serve_until_drained;
use crate::validation::body::{self, BodyFault};
use crate::validation::context::{Context, Given};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The most bytes of a message: the headers of a request, and a certificate twice.
const MAX_MESSAGE: usize = 256 << 10;
/// The bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// The most bytes of the headers of a call, and calls at once over a connection.
const MAX_HEAD: u32 = 16 << 10;
const MAX_CALLS: u32 = 100;
/// What HTTP/2 lets a peer send before it is read: over a connection, and of one call.
const CONNECTION_WINDOW: u32 = 256 << 10;
const CALL_WINDOW: u32 = 64 << 10;
/// What a header takes besides its name and its value (RFC 9113 6.5.2).
const HEADER_OVERHEAD: usize = 32;
/// How often a silent peer is asked whether it is there, and how long it may take to answer.
const PING: Duration = Duration::from_secs(30);

/// The status of a call. What is decided about a client is in its message.
#[derive(Clone, Copy, Debug)]
enum CallStatus {
    Ok = 0,
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
}

type Body = WithTrailers<Full<Bytes>, std::future::Ready<Option<Result<HeaderMap, Infallible>>>>;

/// Answers the calls of a connection to its end.
pub(in crate::validation) async fn serve<S>(context: Context, io: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let phase = context.phase.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let context = context.clone();
        async move { Ok::<_, Infallible>(answer(&context, peer, request).await) }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CALLS)
        .max_header_list_size(MAX_HEAD)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(CALL_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .serve_connection(TokioIo::new(io), service);
    let _ended = serve_until_drained(served, phase, |served| served.graceful_shutdown()).await;
}

async fn answer(context: &Context, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let begun = Instant::now();
    let active = context.active();
    if request.method() != Method::POST || request.uri().path() != CHECK {
        return of_call(CallStatus::Unimplemented, None);
    }
    let Some(asker) = context.asker(&active, peer, Given::of(request.headers())) else {
        context.count(ROUTE, "refused");
        return of_call(CallStatus::PermissionDenied, None);
    };
    let mut held = context.lasting.bytes.of(peer);
    let mut may_hold = |bytes| context.hold(&mut held, peer, bytes);
    let of_header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + HEADER_OVERHEAD;
    let head: usize = request.headers().iter().map(of_header).sum();
    let request = if may_hold(head) {
        message_of(&mut request.into_body(), may_hold).await
    } else {
        Err(CallStatus::ResourceExhausted)
    };
    let request = match request {
        Ok(request) => request,
        Err(status) => {
            context.count(ROUTE, "unreadable");
            return of_call(status, None);
        }
    };
    let response = check::check(context, &active, asker, request).await;
    let listener = Arc::clone(&context.listener);
    histogram!(names::VALIDATION_SECONDS, "listener" => listener).record(begun.elapsed().as_secs_f64());
    of_call(CallStatus::Ok, Some(&response.encode_to_vec()))
}

/// The one message of a call, if it is whole and not compressed.
async fn message_of(
    body: &mut Incoming,
    may_hold: impl FnMut(usize) -> bool,
) -> Result<CheckRequest, CallStatus> {
    let body = body::read(body, MAX_MESSAGE, may_hold).await.map_err(|fault| match fault {
        BodyFault::NotHeld => CallStatus::ResourceExhausted,
        _ => CallStatus::InvalidArgument,
    })?;
    message_in(&body).ok_or(CallStatus::InvalidArgument)
}

fn message_in(body: &[u8]) -> Option<CheckRequest> {
    let (prefix, message) = body.split_at_checked(PREFIX)?;
    let [0, length @ ..] = prefix else { return None };
    let length = u32::from_be_bytes(length.try_into().ok()?);
    if usize::try_from(length) != Ok(message.len()) {
        return None;
    }
    CheckRequest::decode(message).ok()
}

/// The answer to a call, with its message if there is one.
fn of_call(status: CallStatus, message: Option<&[u8]>) -> Response<Body> {
    let body = message.map_or_else(Bytes::new, |message| {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        Bytes::from([&[0], length.to_be_bytes().as_slice(), message].concat())
    });
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(status as u16));
    let mut response = Response::new(Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers)))));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
