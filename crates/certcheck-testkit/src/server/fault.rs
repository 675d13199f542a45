//! Named faults of a server.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use certcheck_forge::server::{Connection, Page, Request, ServerFault};

use super::gzip;

/// How a path is broken. If a body is cut or extended, it is the body of the page that is served there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Resets the connection after the request is read.
    Refuse,
    /// Reads the request and never answers.
    HangBeforeHeaders,
    /// Sends correct headers, then nothing.
    HangAfterHeaders,
    /// Sends correct headers, then a byte a second.
    Drip,
    /// Sends correct headers and half of the body, then resets.
    ResetMidBody,
    /// Sends correct headers and half of the body, then closes cleanly.
    Truncate,
    /// Sends Content-Length of twice the body, then closes cleanly.
    WrongLength,
    /// Sends Content-Length of half the body, and the whole body.
    WrongLengthShort,
    /// Sends chunks without end, as fast as they are read.
    EndlessBody,
    /// A body of 1 MiB with Content-Encoding: gzip, which inflates to more than 1 GiB of zeros.
    GzipBomb,
    /// Sends 200 with meaningless bytes.
    Garbage,
    /// Sends 200 with the page of a captive portal.
    Html,
    /// 200 without a body.
    Empty,
    /// 302 to the same URL.
    RedirectLoop,
    /// 302 to this URL.
    RedirectTo(Cow<'static, str>),
    /// Sends 304 for any request.
    NotModifiedWithoutBody,
    /// Sends 429 with Retry-After of this many seconds.
    TooManyRequests(u64),
    /// Sends 503 with Retry-After of this many seconds.
    Unavailable(u64),
    /// 500.
    ServerError,
    /// Sends a TLS alert for any request.
    TlsOnly,
}

impl Fault {
    /// All faults by name. A redirect goes to a port on which nothing listens, and Retry-After is 1.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("refuse", Self::Refuse),
        ("hang-before-headers", Self::HangBeforeHeaders),
        ("hang-after-headers", Self::HangAfterHeaders),
        ("drip", Self::Drip),
        ("reset-mid-body", Self::ResetMidBody),
        ("truncate", Self::Truncate),
        ("wrong-length", Self::WrongLength),
        ("wrong-length-short", Self::WrongLengthShort),
        ("endless-body", Self::EndlessBody),
        ("gzip-bomb", Self::GzipBomb),
        ("garbage", Self::Garbage),
        ("html", Self::Html),
        ("empty", Self::Empty),
        ("redirect-loop", Self::RedirectLoop),
        ("redirect-to", Self::RedirectTo(Cow::Borrowed("http://127.0.0.1:1/"))),
        ("not-modified-without-body", Self::NotModifiedWithoutBody),
        ("too-many-requests", Self::TooManyRequests(1)),
        ("unavailable", Self::Unavailable(1)),
        ("server-error", Self::ServerError),
        ("tls-only", Self::TlsOnly),
    ];

    /// The fault with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| fault.clone())
    }

    /// [`Self::RedirectTo`] this URL.
    #[must_use]
    pub fn redirect_to(url: impl Into<Cow<'static, str>>) -> Self {
        Self::RedirectTo(url.into())
    }
}

impl ServerFault for Fault {
    fn name(&self) -> &'static str {
        let is_same = |known: &Self| std::mem::discriminant(known) == std::mem::discriminant(self);
        Self::ALL.iter().find(|(_, known)| is_same(known)).map_or("none", |(name, _)| name)
    }

    fn page(&self, request: &Request) -> Option<Page> {
        let retry = |status, after: &u64| Page::status(status).with_header("Retry-After", &after.to_string());
        Some(match self {
            Self::GzipBomb => gzip::bomb(),
            Self::Garbage => Page::garbage(),
            Self::Html => Page::new(PORTAL).with_type("text/html; charset=utf-8"),
            Self::Empty => Page::new([]),
            Self::RedirectLoop => Page::redirect(&format!("http://{}{}", request.authority, request.path)),
            Self::RedirectTo(url) => Page::redirect(url),
            Self::NotModifiedWithoutBody => Page::status(304),
            Self::TooManyRequests(after) => retry(429, after),
            Self::Unavailable(after) => retry(503, after),
            Self::ServerError => Page::status(500),
            _ => return None,
        })
    }

    fn act(&self, mut connection: Connection<'_>, page: &dyn Fn() -> Page) -> io::Result<()> {
        match self {
            Self::HangBeforeHeaders => return connection.hang(),
            Self::TlsOnly => {
                connection.send(&ALERT)?;
                return connection.close();
            }
            Self::Refuse => {
                connection.reset();
                return Ok(());
            }
            _ => {}
        }
        let page = page();
        let body = Arc::clone(&page.body);
        let half = body.len() / 2;
        let mut head = |length| connection.send(page.head(page.status, length, true).as_bytes());
        match self {
            Self::HangAfterHeaders => {
                head(Some(body.len().max(1)))?;
                connection.hang()
            }
            Self::Drip => {
                head(Some(body.len()))?;
                for byte in body.iter() {
                    connection.send(&[*byte])?;
                    connection.pause(Duration::from_secs(1))?;
                }
                connection.close()
            }
            Self::ResetMidBody => {
                head(Some(body.len().max(1)))?;
                connection.send(&body[..half])?;
                // Time for the client to read it, because a reset may overtake it.
                connection.pause(Duration::from_millis(10))?;
                connection.reset();
                Ok(())
            }
            Self::WrongLength => {
                head(Some((2 * body.len()).max(1)))?;
                connection.send(&body)?;
                connection.close()
            }
            Self::WrongLengthShort => {
                head(Some(half))?;
                connection.send(&body)?;
                connection.close()
            }
            Self::EndlessBody => {
                let endless = page.with_header("Transfer-Encoding", "chunked");
                connection.send(endless.head(endless.status, None, true).as_bytes())?;
                let chunk = [&b"4000\r\n"[..], &[0; 0x4000], b"\r\n"].concat();
                loop {
                    connection.send(&chunk)?;
                }
            }
            // Truncate. All others are handled above.
            _ => {
                head(Some(body.len().max(1)))?;
                connection.send(&body[..half])?;
                connection.close()
            }
        }
    }
}

/// Fatal, handshake_failure.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

const PORTAL: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>\
<form action=\"/login\"><button>Accept</button></form></body></html>\n";
