//! One connection of a client that speaks HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use certcheck_rustls::Client;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::activity::{Activity, Counting};
use super::exchange::Exchanges;
use super::services::Services;
use super::tasks::Tasks;
use crate::active::Active;
use crate::board::Board;
use crate::config::HttpConfig;
use crate::phase::{Phase, serve_until_drained};
use crate::proxy::{Side, Transferred};

/// How often a silent client of HTTP/2 is asked whether it is there, and how long it may take to answer.
const PING: Duration = Duration::from_secs(30);
/// The smallest buffer that the HTTP/1.1 parser works with.
const MIN_BUFFER: usize = 8_192;

/// A client, and what its requests are passed on by.
pub(crate) struct HttpClient {
    /// Its listener's name.
    pub(crate) listener: Arc<str>,
    /// What the listener does, now and after reloads.
    pub(crate) active: watch::Receiver<Arc<Active>>,
    pub(crate) board: Arc<Board>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) client: Option<Client>,
    /// What each connection to the service begins with.
    pub(crate) header: Option<Vec<u8>>,
    /// Whether it speaks HTTP/2, else HTTP/1.1.
    pub(crate) is_http2: bool,
    /// How near the front is to its end.
    pub(crate) phase: watch::Receiver<Phase>,
}

/// One connection of a client that speaks HTTP: a future that resolves once it has ended. Dropping it cuts the
/// connection and all of its requests, those that go on in another protocol included.
pub(crate) struct HttpConnection {
    served: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>,
    activity: Arc<Activity>,
    tasks: Tasks,
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        self.tasks.end();
    }
}

impl Future for HttpConnection {
    type Output = Result<Side, (Side, io::Error)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = std::task::ready!(self.served.as_mut().poll(context));
        Poll::Ready(ended.map(|()| Side::Client).map_err(|error| (Side::Client, error)))
    }
}

impl HttpConnection {
    /// Serves a client over this stream.
    pub(crate) fn new<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        stream: S,
        http: &HttpConfig,
        client: HttpClient,
    ) -> Self {
        let HttpClient { listener, active, board, peer, client, header, is_http2, phase } = client;
        let (activity, tasks) = (Activity::new(), Tasks::default());
        let io = TokioIo::new(Counting { stream, activity: Arc::clone(&activity) });
        let services = Services::new(tasks.clone(), header, !is_http2);
        let exchanges =
            Arc::new(Exchanges::new(listener, peer, client, active, board, tasks.clone(), services));
        let tunnels = exchanges.tunnels.subscribe();
        let service = service_fn(move |request| Arc::clone(&exchanges).answer(request));
        let served: Pin<Box<dyn Future<Output = io::Result<()>> + Send>> = if is_http2 {
            let connection = http2::Builder::new(tasks.clone())
                .timer(TokioTimer::new())
                .max_concurrent_streams(http.max_streams)
                .max_header_list_size(u32::try_from(http.max_header_bytes).unwrap_or(u32::MAX))
                .keep_alive_interval(PING)
                .keep_alive_timeout(PING)
                .serve_connection(io, service);
            // GOAWAY: the requests that go on are answered, and there are no others.
            let served = serve_until_drained(connection, phase, |connection| connection.graceful_shutdown());
            Box::pin(async move { served.await.map_err(io::Error::other) })
        } else {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(http.header_timeout)
                .max_buf_size(http.max_header_bytes.max(MIN_BUFFER))
                .max_headers(http.max_headers)
                .half_close(false)
                .serve_connection(io, service)
                .with_upgrades();
            // The next answer has `connection: close`, and an idle connection ends at once.
            let served = serve_until_drained(connection, phase, |connection| connection.graceful_shutdown());
            Box::pin(async move {
                served.await.map_err(io::Error::other)?;
                none_left(tunnels).await;
                Ok(())
            })
        };
        Self { served, activity, tasks }
    }

    /// When the last byte passed.
    pub(crate) fn last_activity(&self) -> Instant {
        self.activity.last()
    }

    /// The bytes that passed, those of TLS not counted.
    pub(crate) fn transferred(&self) -> Transferred {
        let (to_upstream, to_client) = self.activity.bytes();
        Transferred { to_upstream, to_client }
    }
}

async fn none_left(mut tunnels: watch::Receiver<usize>) {
    // The sender is gone with the last of them.
    let _none = tunnels.wait_for(|number| *number == 0).await;
}
