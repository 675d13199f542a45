//! How long each part of an exchange takes, for programs that measure sources.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// The marks of this task's exchange, if it is measured.
    static WATCH: Arc<Mutex<Marks>>;
}

/// The parts of an exchange over HTTP, one after the other. A part that did not happen is `None`: an open connection
/// is not made again, and an address needs no resolver. For LDAP only the whole time is known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchTimings {
    /// Asking the resolver for the host's addresses.
    pub resolve: Option<Duration>,
    /// Connecting, with TLS if the URL has it, without the resolver's part.
    pub connect: Option<Duration>,
    /// From the request to the headers of the answer.
    pub first_byte: Option<Duration>,
    /// From the headers to the last byte.
    pub transfer: Option<Duration>,
    /// The number of requests: more than one if a redirect was followed, or if GET was refused and POST was sent.
    pub requests: u32,
    /// The method of the last request: `GET` or `POST`.
    pub method: Option<&'static str>,
    /// The whole time, including the time between the parts.
    pub whole: Duration,
}

/// The measurements so far.
#[derive(Debug, Default)]
struct Marks {
    resolve: Option<Duration>,
    /// Including the resolver's part.
    connect: Option<Duration>,
    /// From sending to the headers, including the connection.
    headers: Option<Duration>,
    transfer: Option<Duration>,
    requests: u32,
    method: Option<&'static str>,
}

/// A part of an exchange. Several hops add up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Resolve,
    Connect,
    Headers,
    Transfer,
}

/// Measures the exchange that this future makes.
pub(crate) async fn measured<F: Future>(exchange: F) -> (F::Output, FetchTimings) {
    let marks = Arc::new(Mutex::new(Marks::default()));
    let begun = Instant::now();
    let output = WATCH.scope(Arc::clone(&marks), exchange).await;
    let whole = begun.elapsed();
    let marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    let connect = marks.connect.map(|connect| connect.saturating_sub(marks.resolve.unwrap_or_default()));
    let first_byte = marks.headers.map(|headers| headers.saturating_sub(marks.connect.unwrap_or_default()));
    let Marks { resolve, transfer, requests, method, .. } = *marks;
    (output, FetchTimings { resolve, connect, first_byte, transfer, requests, method, whole })
}

/// Notes a request, if the exchange is measured.
pub(crate) fn asked(method: &'static str) {
    note(|marks| {
        marks.requests += 1;
        marks.method = Some(method);
    });
}

fn note(what: impl FnOnce(&mut Marks)) {
    // Usually the exchange is not measured.
    let _ = WATCH.try_with(|marks| what(&mut marks.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Notes how long a part took, if the exchange is measured.
pub(crate) fn took(part: Part, begun: Instant) {
    let elapsed = begun.elapsed();
    note(|marks| {
        let place = match part {
            Part::Resolve => &mut marks.resolve,
            Part::Connect => &mut marks.connect,
            Part::Headers => &mut marks.headers,
            Part::Transfer => &mut marks.transfer,
        };
        *place = Some(place.unwrap_or_default() + elapsed);
    });
}

/// A layer around connecting that notes how long it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connects;

impl<S> Layer<S> for Connects {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> TimedConnector<S> {
        TimedConnector(inner)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct TimedConnector<S>(S);

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let begun = Instant::now();
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            took(Part::Connect, begun);
            connected
        })
    }
}
