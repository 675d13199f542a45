//! Named ways to answer wrong.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use ring::digest;

use super::gzip;
use super::page::Page;
use super::request::Request;
use super::wire::Wire;

/// How a path is broken. A body that is to be cut or stretched is that of the page that is served there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Resets the connection once the request is read.
    Refuse,
    /// Reads the request and never answers.
    HangBeforeHeaders,
    /// The right headers, then nothing.
    HangAfterHeaders,
    /// The right headers, then an octet a second.
    Drip,
    /// The right headers and half of the body, then a reset.
    ResetMidBody,
    /// The right headers and half of the body, then a clean close.
    Truncate,
    /// Content-Length of twice the body, then a clean close.
    WrongLength,
    /// Content-Length of half the body, and the whole of it.
    WrongLengthShort,
    /// Chunks without end, as fast as they are taken.
    EndlessBody,
    /// A body of 1 MiB with Content-Encoding: gzip, which inflates to more than 1 GiB of zeros.
    GzipBomb,
    /// 200 with octets that mean nothing.
    Garbage,
    /// 200 with a captive portal's page.
    Html,
    /// 200 without a body.
    Empty,
    /// 302 to the same URL.
    RedirectLoop,
    /// 302 to this URL.
    RedirectTo(Cow<'static, str>),
    /// 304, whatever was asked.
    NotModifiedWithoutBody,
    /// 429 with Retry-After of so many seconds.
    TooManyRequests(u64),
    /// 503 with Retry-After of so many seconds.
    Unavailable(u64),
    /// 500.
    ServerError,
    /// A TLS alert, whatever was asked.
    TlsOnly,
}

impl Fault {
    /// All of them by name; where there is something to choose, with a choice: a redirect goes to a port
    /// where nobody listens, and Retry-After is 1.
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

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| fault.clone())
    }

    /// [`Self::RedirectTo`] this URL.
    #[must_use]
    pub fn redirect_to(url: impl Into<Cow<'static, str>>) -> Self {
        Self::RedirectTo(url.into())
    }

    /// The answer, where the fault is no more than a page.
    pub(super) fn page(&self, request: &Request) -> Option<Page> {
        let retry = |status, after: &u64| Page::status(status).with_header("Retry-After", &after.to_string());
        Some(match self {
            Self::GzipBomb => Page::new(gzip::bomb(4 << 20)).with_header("Content-Encoding", "gzip"),
            Self::Garbage => Page::new(garbage()),
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

    /// Acts on the connection and ends it; `page` makes the right answer.
    pub(super) fn act(&self, mut wire: Wire<'_>, page: impl FnOnce() -> Page) -> io::Result<()> {
        match self {
            Self::HangBeforeHeaders => return wire.hang(),
            Self::TlsOnly => {
                wire.send(&ALERT)?;
                return wire.close();
            }
            Self::Refuse => {
                wire.reset();
                return Ok(());
            }
            _ => {}
        }
        let page = page();
        let body = page.encoded();
        let half = body.len() / 2;
        let mut head = |length| wire.send(page.head(page.status, length, true).as_bytes());
        match self {
            Self::HangAfterHeaders => {
                head(Some(body.len().max(1)))?;
                wire.hang()
            }
            Self::Drip => {
                head(Some(body.len()))?;
                for octet in body.iter() {
                    wire.send(&[*octet])?;
                    wire.pause(Duration::from_secs(1))?;
                }
                wire.close()
            }
            Self::ResetMidBody => {
                head(Some(body.len().max(1)))?;
                wire.send(&body[..half])?;
                // Time for the client to read it: a reset may overtake what is on its way.
                wire.pause(Duration::from_millis(10))?;
                wire.reset();
                Ok(())
            }
            Self::WrongLength => {
                head(Some((2 * body.len()).max(1)))?;
                wire.send(&body)?;
                wire.close()
            }
            Self::WrongLengthShort => {
                head(Some(half))?;
                wire.send(&body)?;
                wire.close()
            }
            Self::EndlessBody => {
                let endless = page.with_header("Transfer-Encoding", "chunked");
                wire.send(endless.head(endless.status, None, true).as_bytes())?;
                let chunk = [&b"4000\r\n"[..], &[0; 0x4000], b"\r\n"].concat();
                loop {
                    wire.send(&chunk)?;
                }
            }
            // Truncate; all others have been answered.
            _ => {
                head(Some(body.len().max(1)))?;
                wire.send(&body[..half])?;
                wire.close()
            }
        }
    }
}

/// Fatal, handshake_failure.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

const PORTAL: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>\
<form action=\"/login\"><button>Accept</button></form></body></html>\n";

/// A kilobyte without a pattern, the same each time.
fn garbage() -> Vec<u8> {
    let block = |n: u8| digest::digest(&digest::SHA256, &[&b"garbage"[..], &[n]].concat());
    (0..32).flat_map(|n| block(n).as_ref().to_vec()).collect()
}
