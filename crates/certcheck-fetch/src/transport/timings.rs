//! How long each part of an exchange takes, for who measures a source.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// Of the exchange that this task makes, if somebody measures it.
    static WATCH: Arc<Mutex<Marks>>;
}

/// The parts of an exchange over HTTP, one after the other. What did not happen is `None`: a connection that stood
/// already was not connected, an address needs no resolver; of LDAP only the whole is known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchTimings {
    /// Asking the resolver for the host's addresses.
    pub resolve: Option<Duration>,
    /// Connecting, TLS included where the URL has it, without the resolver's part.
    pub connect: Option<Duration>,
    /// From the request until the answer's headers are there.
    pub first_byte: Option<Duration>,
    /// From the headers until the last byte.
    pub transfer: Option<Duration>,
    /// How many requests it took: more than one where a redirect was followed, or GET was refused and POST was not.
    pub requests: u32,
    /// Of the last request: `GET` or `POST`.
    pub method: Option<&'static str>,
    /// All of it, with what lies between the parts.
    pub whole: Duration,
}

/// What has been measured so far.
#[derive(Debug, Default)]
struct Marks {
    resolve: Option<Duration>,
    /// With the resolver's part.
    connect: Option<Duration>,
    /// From sending to headers, connecting included.
    headers: Option<Duration>,
    transfer: Option<Duration>,
    requests: u32,
    method: Option<&'static str>,
}

/// A part that several hops of one exchange add to.
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

/// Notes a request, where somebody measures.
pub(crate) fn asked(method: &'static str) {
    note(|marks| {
        marks.requests += 1;
        marks.method = Some(method);
    });
}

fn note(what: impl FnOnce(&mut Marks)) {
    // Nobody measures: the usual case.
    let _ = WATCH.try_with(|marks| what(&mut marks.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Notes how long a part took, where somebody measures.
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

/// Around what connects: notes how long it takes.
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
