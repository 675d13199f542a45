//! Bodies on their way: counted, bounded, and without trailers that only the front may send.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use super::names;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is known of a body that is on its way.
#[derive(Debug, Default)]
pub(super) struct Progress {
    bytes: AtomicU64,
    is_too_large: AtomicBool,
}

impl Progress {
    /// The bytes that have passed.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether it was ended because it is too large.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large.load(Ordering::Relaxed)
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct RequestBody {
    inner: Incoming,
    progress: Arc<Progress>,
    max: u64,
    strip: Arc<[String]>,
}

impl RequestBody {
    pub(super) const fn new(
        inner: Incoming,
        progress: Arc<Progress>,
        max: u64,
        strip: Arc<[String]>,
    ) -> Self {
        Self { inner, progress, max, strip }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(mut frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)).transpose()? else {
            return Poll::Ready(None);
        };
        if let Some(data) = frame.data_ref() {
            let more = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let all = self.progress.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more);
            if all > self.max {
                self.progress.is_too_large.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err("the body is too large".into())));
            }
        }
        if let Some(trailers) = frame.trailers_mut() {
            names::strip(trailers, &self.strip);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a response: of the service, or of the front itself. Dropping it reports the exchange.
pub(super) struct ResponseBody {
    inner: Inner,
    progress: Arc<Progress>,
    /// Reports the exchange when it is dropped.
    _report: Box<dyn Send>,
}

enum Inner {
    Service(Incoming),
    Own(Option<Bytes>),
}

impl ResponseBody {
    /// Of the service.
    pub(super) fn service(inner: Incoming, progress: Arc<Progress>, report: Box<dyn Send>) -> Self {
        Self { inner: Inner::Service(inner), progress, _report: report }
    }

    /// Of the front.
    pub(super) fn own(text: String, progress: Arc<Progress>, report: Box<dyn Send>) -> Self {
        let text = (!text.is_empty()).then(|| Bytes::from(text));
        Self { inner: Inner::Own(text), progress, _report: report }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = match &mut self.inner {
            Inner::Own(text) => text.take().map(|text| Ok(Frame::data(text))),
            Inner::Service(body) => ready!(Pin::new(body).poll_frame(context)),
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let more = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.progress.bytes.fetch_add(more, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Own(text) => text.is_none(),
            Inner::Service(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Own(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| u64::try_from(text.len()).unwrap_or(0)))
            }
            Inner::Service(body) => body.size_hint(),
        }
    }
}
