//! Lines and messages of NATS, parsed from bytes as they arrive and within bounds.

use bytes::Bytes;

use super::fault::Fault;

/// The longest line. A server takes lines of 4 KiB from those who publish, and adds some bytes to what it passes on.
pub(super) const MAX_LINE: usize = (4 << 10) + 64;
/// The longest line about the server itself: it lists the servers of a cluster.
const MAX_INFO: usize = 32 << 10;
/// The headers that are kept of a message, the last ones: what a server adds is behind what the publisher wrote.
pub(super) const MAX_HEADERS: usize = 8 << 10;
/// The largest message: servers allow 64 MiB at the limit. An answer that is larger would never end.
const MAX_MESSAGE: u64 = 64 << 20;
/// Memory that is taken on the claim of a length alone.
const AT_ONCE: usize = 512 << 10;

/// What a server sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Frame {
    /// INFO, and its JSON.
    Info(Vec<u8>),
    Ping,
    Pong,
    /// `+OK`, to what a client asked to have acknowledged.
    Acknowledged,
    /// `-ERR`, and its text. The text may be empty.
    Error(String),
    Message(Message),
}

/// A message, or as much of it as is wanted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Message {
    pub(super) subject: Vec<u8>,
    /// With the line that they begin with. Empty if there are none.
    pub(super) headers: Bytes,
    pub(super) payload: Bytes,
}

/// The subject and subscription of a message of which the rest may not have arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start<'l> {
    pub(super) subject: &'l [u8],
    pub(super) subscription: u64,
}

/// How much of a message is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    Subject,
    /// The headers too, and so many bytes of the payload.
    Content(usize),
}

/// Parses what a server sends. The bytes may be split anywhere.
#[derive(Debug, Default)]
pub(super) struct FrameParser {
    line: Vec<u8>,
    body: Option<Body>,
}

/// The rest of a message whose line has been parsed.
#[derive(Debug)]
struct Body {
    subject: Vec<u8>,
    headers: Section,
    payload: Section,
    /// CR LF.
    end: Section,
}

/// Bytes that follow, of which some are kept.
#[derive(Debug, Default)]
struct Section {
    /// How many have not arrived.
    missing: u64,
    /// How many follow before those that are kept.
    skipped: u64,
    /// How many more are kept.
    room: usize,
    kept: Vec<u8>,
}

impl FrameParser {
    /// Takes bytes from the front until a frame is complete. `None` if all were taken and none is. `wanted` says how much of
    /// a message is kept, or why it must not come.
    pub(super) fn take(
        &mut self,
        bytes: &mut &[u8],
        mut wanted: impl FnMut(Start<'_>) -> Result<Wanted, Fault>,
    ) -> Result<Option<Frame>, Fault> {
        loop {
            if let Some(body) = &mut self.body {
                if !body.take(bytes)? {
                    return Ok(None);
                }
                return Ok(self.body.take().map(|body| Frame::Message(body.into_message())));
            }
            let Some(line) = self.line(bytes)? else { return Ok(None) };
            match parse_line(&line, &mut wanted)? {
                Line::Frame(frame) => return Ok(Some(frame)),
                Line::Message(body) => self.body = Some(body),
            }
        }
    }

    /// The next whole line, without its end.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |end| end.saturating_add(1));
        let (some, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        let max = if is_info(self.line.iter().chain(some)) { MAX_INFO } else { MAX_LINE };
        if self.line.len().saturating_add(some.len()) > max {
            return Err(Fault::LongLine);
        }
        self.line.extend_from_slice(some);
        *bytes = rest;
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if !line.ends_with(b"\r\n") {
            return Err(Fault::LineEnd);
        }
        line.truncate(line.len().saturating_sub(2));
        Ok(Some(line))
    }
}

fn is_info<'b>(line: impl Iterator<Item = &'b u8>) -> bool {
    line.take(5).eq(b"INFO ")
}

enum Line {
    Frame(Frame),
    Message(Body),
}

fn parse_line(
    line: &[u8],
    wanted: &mut impl FnMut(Start<'_>) -> Result<Wanted, Fault>,
) -> Result<Line, Fault> {
    let (verb, rest) = match line.iter().position(|byte| is_space(*byte)) {
        Some(at) => line.split_at_checked(at).unwrap_or((line, &[])),
        None => (line, &[][..]),
    };
    Ok(Line::Frame(match verb {
        b"MSG" => return message(rest, false, wanted).map(Line::Message),
        b"HMSG" => return message(rest, true, wanted).map(Line::Message),
        b"INFO" => Frame::Info(rest.trim_ascii().to_vec()),
        b"PING" => Frame::Ping,
        b"PONG" => Frame::Pong,
        b"+OK" => Frame::Acknowledged,
        b"-ERR" => Frame::Error(String::from_utf8_lossy(rest.trim_ascii()).trim_matches('\'').to_owned()),
        _ => return Err(Fault::Verb),
    }))
}

/// `SUBJECT SUBSCRIPTION [REPLY] [HEADERS] SIZE`: HEADERS is the size of the headers, and SIZE includes it.
fn message(
    fields: &[u8],
    has_headers: bool,
    wanted: &mut impl FnMut(Start<'_>) -> Result<Wanted, Fault>,
) -> Result<Body, Fault> {
    let fields = fields.split(|byte| is_space(*byte)).filter(|field| !field.is_empty());
    let fields: Vec<&[u8]> = fields.take(6).collect();
    let (subject, subscription, headers, size) = match (has_headers, &fields[..]) {
        (false, [subject, subscription, size] | [subject, subscription, _, size]) => {
            (subject, subscription, 0, number(size)?)
        }
        (true, [subject, subscription, headers, size] | [subject, subscription, _, headers, size]) => {
            (subject, subscription, number(headers)?, number(size)?)
        }
        _ => return Err(Fault::MessageLine),
    };
    let payload = size.checked_sub(headers).ok_or(Fault::MessageLine)?;
    if size > MAX_MESSAGE {
        return Err(Fault::TooLarge);
    }
    let (headers_room, room) = match wanted(Start { subject, subscription: number(subscription)? })? {
        Wanted::Subject => (0, 0),
        Wanted::Content(room) => (MAX_HEADERS, room),
    };
    Ok(Body {
        subject: subject.to_vec(),
        headers: Section::of_last(headers, headers_room),
        payload: Section::new(payload, room),
        end: Section::new(2, 2),
    })
}

fn number(digits: &[u8]) -> Result<u64, Fault> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number);
    text.and_then(|text| text.parse().ok()).ok_or(Fault::MessageLine)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl Body {
    /// True if the message is complete.
    fn take(&mut self, bytes: &mut &[u8]) -> Result<bool, Fault> {
        for section in [&mut self.headers, &mut self.payload, &mut self.end] {
            section.take(bytes);
        }
        if !b"\r\n".starts_with(&self.end.kept) {
            return Err(Fault::MessageEnd);
        }
        Ok(self.end.missing == 0)
    }

    fn into_message(self) -> Message {
        let Self { subject, headers, payload, .. } = self;
        Message { subject, headers: headers.kept.into(), payload: payload.kept.into() }
    }
}

impl Section {
    fn new(size: u64, room: usize) -> Self {
        let room = usize::try_from(size).map_or(room, |size| size.min(room));
        Self { missing: size, skipped: 0, room, kept: Vec::with_capacity(room.min(AT_ONCE)) }
    }

    /// The same, of which the last are kept.
    fn of_last(size: u64, room: usize) -> Self {
        let section = Self::new(size, room);
        let skipped = size.saturating_sub(u64::try_from(section.room).unwrap_or(u64::MAX));
        Self { skipped, ..section }
    }

    fn take(&mut self, bytes: &mut &[u8]) {
        let taken = usize::try_from(self.missing).map_or(bytes.len(), |missing| missing.min(bytes.len()));
        let (some, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
        let skipped = usize::try_from(self.skipped).map_or(some.len(), |skipped| skipped.min(some.len()));
        self.skipped = self.skipped.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
        let kept = some.get(skipped..).unwrap_or_default();
        let kept = kept.get(..self.room).unwrap_or(kept);
        self.kept.extend_from_slice(kept);
        self.room = self.room.saturating_sub(kept.len());
        self.missing = self.missing.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
        *bytes = rest;
    }
}

/// For fuzzers: parses bytes in pieces of this size and at once, which must give the same.
#[cfg(any(test, fuzzing))]
pub(crate) fn exercise(bytes: &[u8], piece: usize) {
    let room = 1_000;
    let all = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut parser = FrameParser::default();
        let mut frames = Vec::new();
        for mut piece in pieces {
            loop {
                let wanted = |start: Start<'_>| match start.subscription {
                    1 => Ok(Wanted::Content(room)),
                    2 => Ok(Wanted::Subject),
                    _ => Err(Fault::Subscription),
                };
                match parser.take(&mut piece, wanted) {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(fault) => return (frames, Some(fault)),
                }
            }
            assert!(piece.is_empty(), "bytes are left");
            assert!(parser.line.len() <= MAX_INFO, "a line is too long");
        }
        (frames, None)
    };
    let at_once = all(&mut std::iter::once(bytes));
    for frame in &at_once.0 {
        if let Frame::Message(message) = frame {
            assert!(message.payload.len() <= room && message.headers.len() <= MAX_HEADERS);
            let _headers = super::headers::Headers::parse(message.headers.clone());
        }
    }
    assert_eq!(all(&mut bytes.chunks(piece.max(1))), at_once);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut bytes: &[u8]) -> Result<Vec<Frame>, Fault> {
        let mut parser = FrameParser::default();
        let mut frames = Vec::new();
        while let Some(frame) = parser.take(&mut bytes, |_| Ok(Wanted::Content(4)))? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn message(subject: &str, headers: &'static str, payload: &'static str) -> Frame {
        let (headers, payload) = (headers.as_bytes().into(), payload.as_bytes().into());
        Frame::Message(Message { subject: subject.into(), headers, payload })
    }

    #[test]
    fn what_servers_send() {
        let text = "INFO {\"a\":1} \r\nPING\r\nPONG\r\n+OK\r\n-ERR 'Stale Connection'\r\n-ERR\r\n-ERR \r\n\
            MSG a.b 1 3\r\nx\r\n\r\nMSG a 1 reply 0\r\n\r\nMSG\ta  1\t6\r\n123456\r\n\
            HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nxy\r\nHMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n";
        let error = |text: &str| Frame::Error(text.to_owned());
        let expected = [
            Frame::Info(b"{\"a\":1}".to_vec()),
            Frame::Ping,
            Frame::Pong,
            Frame::Acknowledged,
            error("Stale Connection"),
            error(""),
            error(""),
            message("a.b", "", "x\r\n"),
            message("a", "", ""),
            message("a", "", "1234"),
            message("a", "NATS/1.0\r\n\r\n", "xy"),
            message("a", "NATS/1.0\r\n\r\n", ""),
        ];
        assert_eq!(all(text.as_bytes()), Ok(expected.to_vec()));
    }

    #[test]
    fn what_no_server_sends() {
        let long = |start: &str, length: usize| format!("{start}{}", "x".repeat(length));
        for (text, fault) in [
            ("\r\n", Fault::Verb),
            ("PING\n", Fault::LineEnd),
            ("SUB a 1\r\n", Fault::Verb),
            ("ping\r\n", Fault::Verb),
            ("\0\u{1}\u{2}\r\n", Fault::Verb),
            ("MSG\r\n", Fault::MessageLine),
            ("MSG a 1\r\n", Fault::MessageLine),
            ("MSG a 1 b c 5\r\n", Fault::MessageLine),
            ("MSG a x 5\r\n", Fault::MessageLine),
            ("MSG a 1 -1\r\n", Fault::MessageLine),
            ("MSG a 1 +1\r\n", Fault::MessageLine),
            ("MSG a 1 18446744073709551616\r\n", Fault::MessageLine),
            ("MSG a 18446744073709551616 5\r\n", Fault::MessageLine),
            ("MSG a 1 18446744073709551615\r\n", Fault::TooLarge),
            ("MSG a 1 9223372036854775808\r\n", Fault::TooLarge),
            ("MSG a 1 67108865\r\n", Fault::TooLarge),
            ("HMSG a 1 5\r\n", Fault::MessageLine),
            ("HMSG a 1 6 5\r\n", Fault::MessageLine),
            ("HMSG a 1 5 18446744073709551615\r\n", Fault::TooLarge),
            ("MSG a 1 1\r\nxy\r\n", Fault::MessageEnd),
            ("MSG a 1 1\r\nx\ry", Fault::MessageEnd),
            (&long("", MAX_LINE + 1), Fault::LongLine),
            (&long("MSG ", MAX_LINE), Fault::LongLine),
            (&long("INFO ", MAX_INFO), Fault::LongLine),
        ] {
            assert_eq!(all(text.as_bytes()), Err(fault), "{text:.40}");
        }
        let longest = format!("{}\r\n", long("INFO ", MAX_INFO - 7));
        assert!(all(longest.as_bytes()).is_ok());
    }

    #[test]
    fn the_last_headers_are_kept() {
        let headers = format!("{}{}", "a".repeat(100), "h".repeat(MAX_HEADERS));
        let text = format!("HMSG a 1 {} {}\r\n{headers}xy\r\n", headers.len(), headers.len() + 2);
        let frames = all(text.as_bytes()).expect("a message");
        let [Frame::Message(message)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!((message.headers.len(), &message.payload[..]), (MAX_HEADERS, &b"xy"[..]));
        assert!(message.headers.iter().all(|byte| *byte == b'h'));
    }

    /// What a message only claims to have takes no memory, beyond what is wanted of it.
    #[test]
    fn a_claimed_length_takes_no_memory() {
        let mut parser = FrameParser::default();
        let mut line = &b"HMSG a 1 60000000 67000000\r\n"[..];
        let frame = parser.take(&mut line, |_| Ok(Wanted::Content(60 << 20)));
        assert_eq!(frame, Ok(None));
        let body = parser.body.expect("begun");
        assert!(body.payload.kept.capacity() <= 2 * AT_ONCE && body.headers.kept.capacity() <= MAX_HEADERS);
    }

    /// Bytes that are nearly what a server sends.
    fn pieces_of_protocol() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("PING\r\n".to_owned()),
            Just("-ERR\r\n".to_owned()),
            Just("INFO {}\r\n".to_owned()),
            Just("\r\n".to_owned()),
            (0..4_u8, 0..2_000_usize)
                .prop_map(|(id, size)| { format!("MSG s {id} {size}\r\n{}\r\n", "p".repeat(size)) }),
            (1..3_u8, 0..40_usize, 0..40_usize).prop_map(|(id, headers, size)| {
                format!("HMSG s {id} r {headers} {size}\r\n{}\r\n", "p".repeat(size))
            }),
            "[A-Z+ 0-9\r\n-]{0,20}",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_frames_however_they_are_split(
            bytes in prop_oneof![pieces_of_protocol(), prop::collection::vec(any::<u8>(), 0..200)],
            piece in 1..50_usize,
        ) {
            exercise(&bytes, piece);
        }
    }
}
