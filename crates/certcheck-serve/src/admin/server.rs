//! What is answered at which path.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::time::timeout;

use super::reach::Reach;
use super::{metrics, page, reload};
use crate::run::{Front, Shared};
use crate::stream::Stream;
use crate::style;

/// The time for the headers of a request, and for a connection as a whole.
const HEADER: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(120);
/// The most bytes of the headers of a request.
const MAX_HEAD: usize = 16 << 10;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const RELOAD: &str = "/v1/reload";
const PATHS: &str = "there are /, /live, /ready, /metrics, /v1/status, and for POST /v1/reload\n";

type Whole = Full<Bytes>;

/// Answers the requests of a connection.
pub(super) async fn connection(stream: Stream, front: Weak<Shared>, reach: Reach) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let front = front.upgrade();
        async move { Ok::<_, Infallible>(answer(front, &request, reach).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or takes too long, gets nothing.
    let _gone = timeout(WHOLE, served).await;
}

async fn answer<B>(front: Option<Arc<Shared>>, request: &Request<B>, reach: Reach) -> Response<Whole> {
    if reach == Reach::Loopback && !is_for_loopback(request) {
        return whole(StatusCode::MISDIRECTED_REQUEST, TEXT, "ask for localhost\n".to_owned());
    }
    let is_reload = request.uri().path() == RELOAD;
    // HEAD is answered as GET, without the body.
    let allowed: &[Method] = if is_reload { &[Method::POST] } else { &[Method::GET, Method::HEAD] };
    if !allowed.contains(request.method()) {
        let names = if is_reload { "POST" } else { "GET, HEAD" };
        let mut refused = whole(StatusCode::METHOD_NOT_ALLOWED, TEXT, format!("use {names}\n"));
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static(names));
        return refused;
    }
    let Some(front) = front else {
        return whole(StatusCode::SERVICE_UNAVAILABLE, TEXT, "the front has ended\n".to_owned());
    };
    if is_reload {
        if let Some(why) = reload::refusal(reach, request.headers()) {
            return whole(StatusCode::FORBIDDEN, TEXT, format!("{why}\n"));
        }
        let (status, outcome) = reload::reload(Front::from(front)).await;
        return json(status, &outcome);
    }
    match request.uri().path() {
        "/live" | "/livez" => whole(StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/ready" | "/readyz" => {
            let ready = front.ready();
            let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            json(status, &ready)
        }
        "/metrics" => whole(StatusCode::OK, METRICS, metrics::render(&front)),
        "/v1/status" => json(StatusCode::OK, &front.status()),
        "/" => {
            let page = page::page(&front.status()).into_string();
            let mut response = whole(StatusCode::OK, HTML, page);
            let headers = response.headers_mut();
            if let Ok(policy) = HeaderValue::from_str(&style::content_policy()) {
                headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        _ => whole(StatusCode::NOT_FOUND, TEXT, PATHS.to_owned()),
    }
}

/// Whether the request names loopback, or nothing.
fn is_for_loopback<B>(request: &Request<B>) -> bool {
    let Some(host) = request.headers().get(header::HOST) else { return true };
    let Ok(authority) = hyper::http::uri::Authority::try_from(host.as_bytes()) else {
        return host.is_empty();
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Whole> {
    // What is serialized has no maps and no numbers that JSON does not have.
    let text = serde_json::to_string(value).unwrap_or_default();
    whole(status, JSON, text + "\n")
}

fn whole(status: StatusCode, kind: &'static str, body: String) -> Response<Whole> {
    let mut response = Response::new(Whole::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderName::from_static("x-content-type-options");
    headers.insert(nosniff, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_for_loopback_are_answered_there() {
        for (host, is_good) in [
            (Some("localhost:9777"), true),
            (Some("127.0.0.1:9777"), true),
            (Some("[::1]:9777"), true),
            (Some(""), true),
            (None, true),
            (Some("evil.example:9777"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some("10.0.0.1"), false),
        ] {
            let mut request = Request::builder();
            if let Some(host) = host {
                request = request.header("host", host);
            }
            assert_eq!(is_for_loopback(&request.body(()).expect("a request")), is_good, "{host:?}");
        }
    }
}
