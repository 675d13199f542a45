//! `GET /v1/news`: server-sent events about evidence that was replaced, so that neighbours need not wait until theirs ends.

use std::convert::Infallible;
use std::time::Duration;

use certcheck_rustls::certcheck_fetch::mirror::MirrorNews;
use http_body_util::Either;
use http_body_util::channel::{Channel, Sender};
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use tokio::sync::{broadcast, watch};
use tokio::time::interval;

use super::answer::Body;
use crate::phase::{Phase, reached};

/// How often a silent stream gets a comment, so that both sides notice when the other is gone.
const PING: Duration = Duration::from_secs(5);
/// Events that wait for the neighbour.
const WAITING: usize = 4;

/// A stream of events.
pub(super) fn answer(
    news: broadcast::Receiver<MirrorNews>,
    ending: watch::Receiver<Phase>,
) -> Response<Body> {
    let (sender, channel) = Channel::new(WAITING);
    tokio::spawn(send(sender, news, ending));
    let mut response = Response::new(Either::Right(channel));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends events until the neighbour is gone, or the mirror ends.
async fn send(
    mut sender: Sender<Bytes, Infallible>,
    mut news: broadcast::Receiver<MirrorNews>,
    mut ending: watch::Receiver<Phase>,
) {
    let mut pings = interval(PING);
    loop {
        let event = tokio::select! {
            one = news.recv() => match one {
                Ok(one) => event(MirrorNews::EVENT, &serde_json::to_string(&one).unwrap_or_default()),
                Err(broadcast::error::RecvError::Lagged(_)) => event(MirrorNews::MISSED, "{}"),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            // The first is sent at once, so that the headers are.
            _tick = pings.tick() => Bytes::from_static(b":\n\n"),
            () = reached(&mut ending, Phase::Draining) => return,
        };
        if sender.send_data(event).await.is_err() {
            return;
        }
    }
}

fn event(name: &str, data: &str) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}
