//! The connections of one client to the service. They are never shared with another client, so that nothing that is
//! wrong with one of them can reach another client's answers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;

use super::body::RequestBody;
use super::tasks::Tasks;
use crate::active::Active;
use crate::config::{HttpConfig, ServiceVersion};
use crate::proxy::UpstreamError;
use crate::stream::Stream;

/// How long a connection may take to be ready again after its last answer has ended.
const SOON: Duration = Duration::from_millis(50);
/// Connections that are kept for the next request.
const KEPT: usize = 16;

/// The connections of one client to the service.
pub(super) struct Services {
    tasks: Tasks,
    /// What each connection begins with.
    header: Option<Vec<u8>>,
    /// Whether requests come one after the other.
    is_serial: bool,
    idle: Mutex<Vec<http1::SendRequest<RequestBody>>>,
    shared: tokio::sync::Mutex<Option<http2::SendRequest<RequestBody>>>,
}

/// Why there is no answer of the service.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be reached.
    Unreachable(UpstreamError),
    /// The exchange failed.
    Exchange(hyper::Error),
}

impl Failure {
    /// What the client is answered.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Unreachable(UpstreamError::Timeout(_)) => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable(_) | Self::Exchange(_) => StatusCode::BAD_GATEWAY,
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Exchange(error)
    }
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        Self::Unreachable(error)
    }
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unreachable(error) => error.fmt(f),
            Self::Exchange(error) => match std::error::Error::source(error) {
                Some(source) => write!(f, "{error}: {source}"),
                None => error.fmt(f),
            },
        }
    }
}

impl Services {
    pub(super) fn new(tasks: Tasks, header: Option<Vec<u8>>, is_serial: bool) -> Self {
        Self { tasks, header, is_serial, idle: Mutex::default(), shared: tokio::sync::Mutex::default() }
    }

    /// Sends a request, over a connection that is there or a new one. A request that a connection has not taken, because
    /// the service has closed it meanwhile, is sent once more.
    pub(super) async fn send(
        &self,
        active: &Active,
        http: &HttpConfig,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        match http.service_version {
            ServiceVersion::Http1 => self.send_http1(active, http, request).await,
            ServiceVersion::Http2 => self.send_http2(active, http, request).await,
        }
    }

    async fn send_http1(
        &self,
        active: &Active,
        http: &HttpConfig,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        *request.version_mut() = Version::HTTP_11;
        if let Some(mut kept) = self.idle().await {
            match kept.try_send_request(request).await {
                Ok(response) => return Ok(self.keep(kept, response)),
                Err(error) => request = not_sent(error)?,
            }
        }
        let stream = self.connect(active).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(http.max_header_bytes)
            .max_headers(http.max_headers)
            .handshake(TokioIo::new(stream))
            .await?;
        self.tasks.spawn(async move {
            // How it ends is seen by its requests.
            let _ended = connection.with_upgrades().await;
        });
        let response = sender.send_request(request).await?;
        Ok(self.keep(sender, response))
    }

    async fn send_http2(
        &self,
        active: &Active,
        http: &HttpConfig,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        *request.version_mut() = Version::HTTP_2;
        let mut shared = self.shared.lock().await;
        if let Some(mut kept) = shared.clone().filter(|kept| !kept.is_closed()) {
            drop(shared);
            match kept.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(error) => request = not_sent(error)?,
            }
            shared = self.shared.lock().await;
        }
        let stream = self.connect(active).await?;
        let (mut sender, connection) = http2::Builder::new(self.tasks.clone())
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(http.max_header_bytes).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(stream))
            .await?;
        self.tasks.spawn(async move {
            let _ended = connection.await;
        });
        *shared = Some(sender.clone());
        drop(shared);
        Ok(sender.send_request(request).await?)
    }

    async fn connect(&self, active: &Active) -> Result<Stream, UpstreamError> {
        active.upstream.connect(&active.config, self.header.as_deref()).await
    }

    /// A connection that is ready for a request.
    async fn idle(&self) -> Option<http1::SendRequest<RequestBody>> {
        let mut waiting = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|kept| !kept.is_closed());
            let ready = idle.iter().position(http1::SendRequest::is_ready);
            if let Some(at) = ready {
                return Some(idle.swap_remove(at));
            }
            if self.is_serial { idle.pop() } else { None }
        }?;
        match timeout(SOON, waiting.ready()).await {
            Ok(Ok(())) => Some(waiting),
            _ => None,
        }
    }

    /// Keeps a connection for the next request, unless it is one of another protocol now.
    fn keep(
        &self,
        sender: http1::SendRequest<RequestBody>,
        response: Response<Incoming>,
    ) -> Response<Incoming> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS && idle.len() < KEPT {
            idle.push(sender);
        }
        response
    }
}

/// The request, if nothing of it was sent.
fn not_sent(mut error: TrySendError<Request<RequestBody>>) -> Result<Request<RequestBody>, Failure> {
    match error.take_message() {
        Some(request) => Ok(request),
        None => Err(Failure::Exchange(error.into_error())),
    }
}
