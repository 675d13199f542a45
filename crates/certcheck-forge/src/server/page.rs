//! The pages of a server.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::request::Request;

/// An answer. It is cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Page {
    /// The status. 304 never has a body.
    pub status: u16,
    /// The Content-Type. If it is empty, none is sent.
    pub content_type: String,
    /// The body, as sent.
    pub body: Arc<[u8]>,
    /// The ETag, as sent.
    pub etag: Option<String>,
    /// The Last-Modified, as sent.
    pub last_modified: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// How long the request waits for the first byte.
    pub delay: Duration,
}

impl Page {
    /// A page with status 200 and these bytes.
    #[must_use]
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        Self {
            status: 200,
            content_type: "application/byte-stream".to_owned(),
            body: body.as_ref().into(),
            etag: None,
            last_modified: None,
            headers: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    /// A page with this status and an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, content_type: String::new(), ..Self::new([]) }
    }

    /// A page with status 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self { status: 404, ..Self::new(b"not found\n").with_type("text/plain") }
    }

    /// A page with status 200 and a kilobyte of meaningless bytes, the same each time.
    #[must_use]
    pub fn garbage() -> Self {
        let block = |n: u8| Sha256::digest([&b"garbage"[..], &[n]].concat());
        Self::new((0..32).flat_map(|n| block(n).to_vec()).collect::<Vec<_>>())
    }

    /// A page with status 302 that redirects to this URL.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::status(302).with_header("Location", to)
    }

    /// Sets the Content-Type.
    #[must_use]
    pub fn with_type(mut self, content_type: &str) -> Self {
        content_type.clone_into(&mut self.content_type);
        self
    }

    /// Sets the ETag. Quotes are added if it has none. A matching `If-None-Match` is answered with 304.
    #[must_use]
    pub fn with_etag(mut self, etag: &str) -> Self {
        self.etag = Some(if etag.ends_with('"') { etag.to_owned() } else { format!("\"{etag}\"") });
        self
    }

    /// Sets Last-Modified. An `If-Modified-Since` with the same text is answered with 304.
    #[must_use]
    pub fn with_last_modified(mut self, date: &str) -> Self {
        self.last_modified = Some(date.to_owned());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the time to wait before the answer.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The status line and headers with this length, up to the empty line.
    #[must_use]
    pub fn head(&self, status: u16, length: Option<usize>, keep_alive: bool) -> String {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(status));
        let mut line = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {value}\r\n");
        };
        if !self.content_type.is_empty() {
            line("Content-Type", &self.content_type);
        }
        if let Some(etag) = &self.etag {
            line("ETag", etag);
        }
        if let Some(date) = &self.last_modified {
            line("Last-Modified", date);
        }
        self.headers.iter().for_each(|(name, value)| line(name, value));
        if let Some(length) = length {
            line("Content-Length", &length.to_string());
        }
        if !keep_alive {
            line("Connection", "close");
        }
        head.push_str("\r\n");
        head
    }

    /// The complete answer to this request.
    pub(super) fn answer(&self, request: &Request) -> Vec<u8> {
        let keep_alive = request.keeps_alive();
        if self.status == 304 || (self.status == 200 && self.is_known_to(request)) {
            return self.head(304, None, keep_alive).into_bytes();
        }
        let mut answer = self.head(self.status, Some(self.body.len()), keep_alive).into_bytes();
        if request.method != "HEAD" {
            answer.extend_from_slice(&self.body);
        }
        answer
    }

    /// Whether the condition of the request says that the client has this page (RFC 9110 13.2.2).
    fn is_known_to(&self, request: &Request) -> bool {
        if let Some(list) = request.header("if-none-match") {
            let Some(etag) = &self.etag else { return false };
            let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
            return list.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(etag));
        }
        self.last_modified.is_some() && request.header("if-modified-since") == self.last_modified.as_deref()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
