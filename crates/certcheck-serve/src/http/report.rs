//! The log of requests: one event for each, when its answer has ended or was given up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::{Method, StatusCode, Version};
use metrics::counter;

use super::body::Progress;
use crate::{events, metrics as names};

/// The longest path that is logged, in characters. Queries are not logged, because they often have secrets.
const MAX_PATH: usize = 256;

/// A request that is reported when this is dropped.
pub(super) struct Report {
    pub(super) listener: Arc<str>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) user: Option<Arc<str>>,
    pub(super) subject: Option<Arc<str>>,
    method: Method,
    path: String,
    version: Version,
    since: Instant,
    /// The status of the answer. `None`: the connection ended before there was one.
    pub(super) status: Option<StatusCode>,
    pub(super) received: Arc<Progress>,
    pub(super) sent: Arc<Progress>,
}

impl Report {
    pub(super) fn new<B>(listener: Arc<str>, peer: Option<SocketAddr>, request: &hyper::Request<B>) -> Self {
        Self {
            listener,
            peer,
            user: None,
            subject: None,
            method: request.method().clone(),
            path: cut(request.uri().path()),
            version: request.version(),
            since: Instant::now(),
            status: None,
            received: Arc::default(),
            sent: Arc::default(),
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let class = match self.status.map(|status| status.as_u16() / 100) {
            Some(1) => "1xx",
            Some(2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(_) => "5xx",
            None => "none",
        };
        counter!(names::REQUESTS, "listener" => Arc::clone(&self.listener), "status" => class).increment(1);
        let about = events::About { listener: &self.listener, peer: self.peer };
        let request = events::Request {
            method: self.method.as_str(),
            path: &self.path,
            version: match self.version {
                Version::HTTP_2 => "2",
                Version::HTTP_10 => "1.0",
                _ => "1.1",
            },
            status: self.status.map(|status| status.as_u16()),
            received: self.received.bytes(),
            sent: self.sent.bytes(),
            lasted: self.since.elapsed(),
        };
        events::request_ended(about, self.user.as_deref(), self.subject.as_deref(), request);
    }
}

/// The path, or its beginning. A client chooses it, and its characters may have several bytes.
fn cut(path: &str) -> String {
    match path.char_indices().nth(MAX_PATH) {
        Some((end, _)) => format!("{}...", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_between_characters() {
        for (path, characters) in [
            ("/short", 6),
            (&*format!("/{}", "a".repeat(MAX_PATH - 1)), MAX_PATH),
            (&*format!("/{}", "a".repeat(MAX_PATH)), MAX_PATH + 3),
            (&*format!("/{}é{}", "a".repeat(MAX_PATH - 2), "b".repeat(9)), MAX_PATH + 3),
            (&*format!("/{}", "é".repeat(4 * MAX_PATH)), MAX_PATH + 3),
        ] {
            let shown = cut(path);
            assert_eq!(shown.chars().count(), characters);
            assert!(path.starts_with(shown.trim_end_matches("...")));
        }
    }
}
