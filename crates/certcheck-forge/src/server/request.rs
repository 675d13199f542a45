//! Requests to a server.

use std::time::Duration;

const HEAD_LIMIT: usize = 64 << 10;
const BODY_LIMIT: usize = 4 << 20;

/// A parsed request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The host and port as the client wrote them: of an absolute target, otherwise of the Host header.
    pub authority: String,
    /// The host without the port.
    pub host: String,
    /// The path and query, as sent.
    pub path: String,
    /// The rest of the path after the prefix of [`Server::serve_with`](super::Server::serve_with).
    pub tail: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The time since the server's start.
    pub at: Duration,
    http_1_0: bool,
}

impl Request {
    /// The first header with this name. Case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let known = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    #[must_use]
    pub fn plain_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    pub(super) fn keeps_alive(&self) -> bool {
        let close = self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        !self.http_1_0 && !close
    }

    /// The request at the start of these bytes and its length, or `None` if it is not complete.
    ///
    /// The error is the status of the answer.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, u16> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if bytes.len() > HEAD_LIMIT { Err(431) } else { Ok(None) };
        };
        let mut request =
            core::str::from_utf8(&bytes[..end]).ok().and_then(Self::parse_head).ok_or(400u16)?;
        if request.header("transfer-encoding").is_some() {
            return Err(411);
        }
        let length = match request.header("content-length") {
            Some(length) => length.parse().map_err(|_| 400u16)?,
            None => 0,
        };
        if length > BODY_LIMIT {
            return Err(413);
        }
        let (from, to) = (end + 4, end + 4 + length);
        if bytes.len() < to {
            return Ok(None);
        }
        request.body = bytes[from..to].to_vec();
        Ok(Some((request, to)))
    }

    fn parse_head(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        let mut request = Self {
            method: method.to_owned(),
            authority: String::new(),
            host: String::new(),
            path: target.to_owned(),
            tail: String::new(),
            headers: lines.map(header).collect::<Option<_>>()?,
            body: Vec::new(),
            at: Duration::ZERO,
            http_1_0: version == "HTTP/1.0",
        };
        if let Some(rest) = target.strip_prefix("http://") {
            let slash = rest.find('/').unwrap_or(rest.len());
            request.authority = rest[..slash].to_owned();
            request.path = super::rooted(&rest[slash..]);
        } else {
            request.authority = request.header("host").unwrap_or_default().to_owned();
        }
        request.host = without_port(&request.authority).to_owned();
        Some(request)
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}
