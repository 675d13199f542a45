//! The HTTP endpoint of a daemon: `/metrics` for Prometheus, `/healthz` for supervisors.
//!
//! It has no TLS and asks for no password: it is meant for loopback, or for a network that may see the names of the ring.

use std::convert::Infallible;
use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Connections at once; others wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long the head of a request may take.
const HEADER: Duration = Duration::from_secs(5);
/// How long a connection may take in all. It serves one request.
const WHOLE: Duration = Duration::from_secs(30);
/// Bytes of the head of a request.
const MAX_HEAD: usize = 8 << 10;
/// After so many intervals without a round, and at least [`MIN_OVERDUE`], the daemon is not healthy.
const OVERDUE_INTERVALS: u32 = 3;
const MIN_OVERDUE: Duration = Duration::from_secs(600);

const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the endpoint serves.
pub(super) struct Board {
    interval: Duration,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    page: Bytes,
    /// When a round finished last.
    finished: Option<Instant>,
}

impl Board {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, shown: Mutex::default() }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a page of metrics in place of the last one.
    pub(super) fn set(&self, page: String) {
        self.shown().page = page.into();
    }

    /// Notes that a round has finished now.
    pub(super) fn finished(&self) {
        self.shown().finished = Some(Instant::now());
    }

    /// 200 while rounds finish in time.
    fn health(&self) -> (StatusCode, &'static str) {
        match self.shown().finished.map(|finished| finished.elapsed()) {
            Some(since) if since <= overdue(self.interval) => (StatusCode::OK, "ok\n"),
            Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the last round is overdue\n"),
            None => (StatusCode::SERVICE_UNAVAILABLE, "no round has finished yet\n"),
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !matches!(path, "/metrics" | "/healthz") {
            return page(StatusCode::NOT_FOUND, TEXT, "there are /metrics and /healthz\n");
        }
        // HEAD is answered by hyper as GET, without the body.
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "use GET\n");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        if path == "/metrics" {
            return page(StatusCode::OK, METRICS, self.shown().page.clone());
        }
        let (status, text) = self.health();
        page(status, TEXT, text)
    }
}

fn overdue(interval: Duration) -> Duration {
    interval.saturating_mul(OVERDUE_INTERVALS).max(MIN_OVERDUE)
}

fn page(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Takes the address.
///
/// # Errors
/// It is in use, or not of this machine.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let fault = |error| anyhow!("{address}: {error}; name another address with --listen");
    let listener = TcpListener::bind(address).map_err(fault)?;
    listener.set_nonblocking(true).map_err(fault)?;
    Ok(listener)
}

/// Serves until dropped.
///
/// # Errors
/// The runtime does not take the socket.
pub(super) async fn serve(listener: TcpListener, board: Arc<Board>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            // The process has no descriptors left, most likely.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let board = Arc::clone(&board);
        tokio::spawn(async move {
            let service = service_fn(move |request| ready(Ok::<_, Infallible>(board.answer(&request))));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER)
                .max_buf_size(MAX_HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // A client that goes away, or takes too long, gets nothing.
            let _gone = timeout(WHOLE, connection).await;
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(board: &Board, method: Method, path: &str) -> (u16, Option<String>) {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        let response = board.answer(&request);
        let allowed = response.headers().get(ALLOW).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), allowed)
    }

    #[test]
    fn paths_and_methods() {
        let board = Board::new(Duration::from_secs(60));
        assert_eq!(ask(&board, Method::GET, "/metrics"), (200, None));
        assert_eq!(ask(&board, Method::HEAD, "/metrics?x=y"), (200, None));
        assert_eq!(ask(&board, Method::POST, "/metrics"), (405, Some("GET, HEAD".to_owned())));
        assert_eq!(ask(&board, Method::GET, "/"), (404, None));
        assert_eq!(ask(&board, Method::DELETE, "/metrics/"), (404, None));
        assert_eq!(ask(&board, Method::GET, "/healthz"), (503, None));
        board.finished();
        assert_eq!(ask(&board, Method::GET, "/healthz"), (200, None));
    }

    #[test]
    fn rounds_may_be_late_but_not_very_late() {
        assert_eq!(overdue(Duration::from_secs(10)), MIN_OVERDUE);
        assert_eq!(overdue(Duration::from_secs(3_600)), Duration::from_secs(10_800));
        let board = Board::new(Duration::from_secs(10));
        board.shown().finished = Instant::now().checked_sub(MIN_OVERDUE + Duration::from_secs(1));
        if board.shown().finished.is_some() {
            assert_eq!(board.health().0, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}
