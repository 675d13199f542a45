//! The headers of a message.
//!
//! ```text
//! NATS/1.0 STATUS DESCRIPTION
//! NAME: VALUE
//! ```

use bytes::Bytes;

/// What headers begin with. A status may follow.
const VERSION: &[u8] = b"NATS/1.0";

/// The headers of a message. They may be anything: the publisher of a message chooses them.
#[derive(Clone, Debug, Default)]
pub(in crate::store::nats) struct Headers {
    /// The status of an answer, if it is not a message.
    pub(in crate::store::nats) status: Option<u16>,
    /// What the server says about that.
    pub(in crate::store::nats) description: String,
    lines: Bytes,
}

impl Headers {
    /// The headers in these bytes, whatever the first line is. A status stands alone: a server adds lines to each message,
    /// so that a publisher cannot write one.
    pub(super) fn parse(bytes: Bytes) -> Self {
        let first = line(&bytes);
        let lines = bytes.slice(first.len()..);
        match first.strip_prefix(VERSION) {
            Some(rest) if lines.trim_ascii().is_empty() => {
                let rest = String::from_utf8_lossy(rest);
                let (status, description) = rest.trim().split_once(' ').unwrap_or_else(|| (rest.trim(), ""));
                Self { status: status.parse().ok(), description: description.trim().to_owned(), lines }
            }
            _ => Self { status: None, description: String::new(), lines },
        }
    }

    /// The last value with this name: what a server adds is behind what the publisher wrote.
    pub(in crate::store::nats) fn last(&self, name: &str) -> Option<&str> {
        let mut rest = &self.lines[..];
        let mut found = None;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
            let value = line(rest).strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
            found = value.or(found);
        }
        std::str::from_utf8(found?.trim_ascii()).ok()
    }
}

/// The first line, without its end.
fn line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Headers {
        Headers::parse(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_status() {
        for (text, status, description) in [
            ("NATS/1.0 503\r\n\r\n", Some(503), ""),
            ("NATS/1.0 404 Message Not Found\r\n\r\n", Some(404), "Message Not Found"),
            ("NATS/1.0  404  No \r\n\r\n", Some(404), "No"),
            ("NATS/1.0\r\nA: b\r\n\r\n", None, ""),
            ("NATS/1.0 999999\r\n\r\n", None, ""),
            ("HTTP/1.0 503\r\n\r\n", None, ""),
            ("", None, ""),
        ] {
            let headers = parse(text);
            assert_eq!((headers.status, &*headers.description), (status, description), "{text:?}");
        }
    }

    #[test]
    fn values() {
        let headers = parse("NATS/1.0\r\nA: 1\r\nAB: 2\r\nA:3\r\nB\r\nC:\r\n\r\n");
        for (name, value) in [("A", Some("3")), ("AB", Some("2")), ("B", None), ("C", Some("")), ("D", None)]
        {
            assert_eq!(headers.last(name), value, "{name}");
        }
        for text in ["", "A: 1", "NATS/1.0", "NATS/1.0\n"] {
            assert_eq!(parse(text).last("A"), None, "{text:?}");
        }
        // What a publisher writes hides nothing of what the server adds.
        for first in ["junk", "NATS/1.0 503", "NATS/1.0 404 No", "A: 7"] {
            let headers = Headers::parse(format!("{first}\r\nA: 2\r\n\r\nA: 1\r\n\r\n").into());
            assert_eq!((headers.status, headers.last("A")), (None, Some("1")), "{first}");
        }
    }
}
