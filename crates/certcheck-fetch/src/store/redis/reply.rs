//! Replies of Redis (RESP2), parsed as they arrive and within bounds.
//!
//! ```text
//! +TEXT  -ERROR  :NUMBER  $LENGTH, and so many bytes  *LENGTH, and so many replies
//! ```

use core::fmt;

/// The longest line.
const MAX_LINE: usize = 16 << 10;
/// The replies that are in one, at any depth. A listing has about 500.
const MAX_ITEMS: u64 = 20_000;
/// How deep replies are in each other.
const MAX_DEPTH: usize = 8;
/// The texts of a reply of which the beginnings are kept: a message of a channel has three.
const MAX_WORDS: usize = 4;
/// The end of a line.
const END: &[u8] = b"\r\n";

/// What is taken of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyLimits {
    /// The largest text.
    pub(super) text: u64,
    /// The largest reply.
    pub(super) whole: u64,
    /// How many bytes of each text are kept. None is kept if this is 0.
    pub(super) kept: usize,
}

/// What an engine can send that is not RESP2, or more than is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReplyFault {
    LongLine,
    LineEnd,
    Type,
    Number,
    LargeText(u64),
    Items,
    Depth,
    Large(u64),
}

/// A whole reply.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Reply {
    /// The reply, or the first in it, is an error.
    pub(super) is_error: bool,
    /// The beginnings of the first texts in it.
    pub(super) words: Vec<Vec<u8>>,
}

/// Parses replies. The bytes may be split anywhere.
#[derive(Debug)]
pub(super) struct ReplyParser {
    limits: ReplyLimits,
    line: Vec<u8>,
    text: Option<Text>,
    /// How many replies are missing, for each that others are in.
    open: Vec<u64>,
    items: u64,
    size: u64,
    reply: Reply,
}

/// A text of which the length is known.
#[derive(Debug)]
struct Text {
    missing: u64,
    kept: Vec<u8>,
    end: Vec<u8>,
}

impl fmt::Display for ReplyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongLine => f.write_str("the engine sent a line that is too long"),
            Self::LineEnd => f.write_str("the engine sent a line without its end"),
            Self::Type => f.write_str("the engine sent a reply of an unknown type"),
            Self::Number => f.write_str("the engine sent a length that is no number"),
            Self::LargeText(max) => write!(f, "the engine sent a text of more than {max} bytes"),
            Self::Items => write!(f, "the engine sent a reply with more than {MAX_ITEMS} parts"),
            Self::Depth => write!(f, "the engine sent a reply that is more than {MAX_DEPTH} deep"),
            Self::Large(max) => write!(f, "the engine sent a reply of more than {max} bytes"),
        }
    }
}

impl core::error::Error for ReplyFault {}

impl ReplyParser {
    pub(super) fn new(limits: ReplyLimits) -> Self {
        Self {
            limits,
            line: Vec::new(),
            text: None,
            open: Vec::new(),
            items: 0,
            size: 0,
            reply: Reply::default(),
        }
    }

    /// Takes bytes from the front until a reply is complete. `None` if all were taken and none is.
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Reply>, ReplyFault> {
        loop {
            let before = bytes.len();
            let is_item = if self.text.is_some() { self.take_text(bytes)? } else { self.take_line(bytes)? };
            let taken = before.saturating_sub(bytes.len());
            self.size = self.size.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
            if self.size > self.limits.whole {
                return Err(ReplyFault::Large(self.limits.whole));
            }
            if is_item && self.end_item() {
                (self.items, self.size) = (0, 0);
                return Ok(Some(std::mem::take(&mut self.reply)));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
        }
    }

    /// True if a text is complete.
    fn take_text(&mut self, bytes: &mut &[u8]) -> Result<bool, ReplyFault> {
        let Some(text) = &mut self.text else { return Ok(false) };
        let some = front(bytes, text.missing);
        let room = self.limits.kept.saturating_sub(text.kept.len());
        text.kept.extend_from_slice(some.get(..room).unwrap_or(some));
        text.missing = text.missing.saturating_sub(u64::try_from(some.len()).unwrap_or(u64::MAX));
        if text.missing == 0 {
            let end = front(bytes, u64::try_from(END.len().saturating_sub(text.end.len())).unwrap_or(0));
            text.end.extend_from_slice(end);
            if !END.starts_with(&text.end) {
                return Err(ReplyFault::LineEnd);
            }
            if text.end == END {
                let kept = std::mem::take(&mut text.kept);
                self.text = None;
                self.keep(&kept);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True if a line is complete that is a reply by itself.
    fn take_line(&mut self, bytes: &mut &[u8]) -> Result<bool, ReplyFault> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |end| end.saturating_add(1));
        let some = front(bytes, u64::try_from(length).unwrap_or(u64::MAX));
        if self.line.len().saturating_add(some.len()) > MAX_LINE {
            return Err(ReplyFault::LongLine);
        }
        self.line.extend_from_slice(some);
        if end.is_none() {
            return Ok(false);
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(END).ok_or(ReplyFault::LineEnd)?;
        let (kind, rest) = line.split_first().ok_or(ReplyFault::Type)?;
        match kind {
            b'+' | b':' => self.keep(rest),
            b'-' => {
                self.reply.is_error |= self.reply.words.is_empty();
                self.keep(rest);
            }
            b'$' => match length_of(rest)? {
                None => self.keep(&[]),
                Some(length) if length > self.limits.text => {
                    return Err(ReplyFault::LargeText(self.limits.text));
                }
                Some(missing) => {
                    self.text = Some(Text { missing, kept: Vec::new(), end: Vec::new() });
                    return Ok(false);
                }
            },
            b'*' => match length_of(rest)? {
                None | Some(0) => {}
                Some(length) => {
                    self.items = self.items.saturating_add(length);
                    if self.items > MAX_ITEMS {
                        return Err(ReplyFault::Items);
                    }
                    if self.open.len() >= MAX_DEPTH {
                        return Err(ReplyFault::Depth);
                    }
                    self.open.push(length);
                    return Ok(false);
                }
            },
            _ => return Err(ReplyFault::Type),
        }
        Ok(true)
    }

    fn keep(&mut self, text: &[u8]) {
        if self.limits.kept > 0 && self.reply.words.len() < MAX_WORDS {
            self.reply.words.push(text.get(..self.limits.kept).unwrap_or(text).to_vec());
        }
    }

    /// True if no reply is missing in those that are open.
    fn end_item(&mut self) -> bool {
        while let Some(missing) = self.open.last_mut() {
            *missing = missing.saturating_sub(1);
            if *missing > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

/// Takes as many bytes from the front, or all.
fn front<'b>(bytes: &mut &'b [u8], length: u64) -> &'b [u8] {
    let length = usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()));
    let (some, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    *bytes = rest;
    some
}

/// A length. `None` is that of what is not there.
fn length_of(digits: &[u8]) -> Result<Option<u64>, ReplyFault> {
    if digits == b"-1" {
        return Ok(None);
    }
    let text = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
    text.and_then(|text| text.parse().ok()).map(Some).ok_or(ReplyFault::Number)
}

/// For fuzzers: parses bytes in pieces of this size and at once, which must give the same.
#[cfg(any(test, fuzzing))]
pub(crate) fn exercise(bytes: &[u8], piece: usize) {
    let all = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut parser = ReplyParser::new(ReplyLimits { text: 1_000, whole: 5_000, kept: 10 });
        let mut replies = Vec::new();
        for mut piece in pieces {
            loop {
                match parser.take(&mut piece) {
                    Ok(Some(reply)) => replies.push(reply),
                    Ok(None) => break,
                    Err(fault) => return (replies, Some(fault)),
                }
            }
            assert!(parser.line.len() <= MAX_LINE && parser.open.len() <= MAX_DEPTH);
        }
        (replies, None)
    };
    let at_once = all(&mut std::iter::once(bytes));
    assert!(at_once.0.iter().flat_map(|reply| &reply.words).all(|word| word.len() <= 10));
    let in_pieces = all(&mut bytes.chunks(piece.max(1)));
    assert_eq!(in_pieces.0, at_once.0);
    // Which of two limits is noticed first depends on the pieces.
    assert_eq!(in_pieces.1.is_some(), at_once.1.is_some());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut bytes: &[u8]) -> Result<Vec<Reply>, ReplyFault> {
        let mut parser = ReplyParser::new(ReplyLimits { text: 100, whole: 1 << 17, kept: 4 });
        let mut replies = Vec::new();
        while let Some(reply) = parser.take(&mut bytes)? {
            replies.push(reply);
        }
        Ok(replies)
    }

    #[test]
    fn what_engines_send() {
        let text = "+OK\r\n-ERR x\r\n:-7\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*0\r\n*-1\r\n\
            *3\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n$6\r\nlonger\r\n*2\r\n+a\r\n-b\r\n";
        let expected: [(bool, &[&str]); 10] = [
            (false, &["OK"]),
            (true, &["ERR "]),
            (false, &["-7"]),
            (false, &["a\r\nb"]),
            (false, &[""]),
            (false, &[""]),
            (false, &[]),
            (false, &[]),
            (false, &["a", "1", "long"]),
            (false, &["a", "b"]),
        ];
        let expected = expected.map(|(is_error, words)| Reply {
            is_error,
            words: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        });
        assert_eq!(all(text.as_bytes()), Ok(expected.to_vec()));
    }

    #[test]
    fn what_no_engine_sends() {
        let deep = "*1\r\n".repeat(MAX_DEPTH + 1);
        let long = format!("+{}", "x".repeat(MAX_LINE));
        let wide = format!("*{0}\r\n{1}", 3, "*9000\r\n".repeat(3));
        let large = format!("*19000\r\n{}", "$10\r\n0123456789\r\n".repeat(19_000));
        for (text, fault) in [
            ("\r\n", ReplyFault::Type),
            ("HTTP/1.1 400\r\n", ReplyFault::Type),
            ("%1\r\n", ReplyFault::Type),
            ("+OK\n", ReplyFault::LineEnd),
            ("$x\r\n", ReplyFault::Number),
            ("$-2\r\n", ReplyFault::Number),
            ("$\r\n", ReplyFault::Number),
            ("*+1\r\n", ReplyFault::Number),
            ("$18446744073709551616\r\n", ReplyFault::Number),
            ("$18446744073709551615\r\n", ReplyFault::LargeText(100)),
            ("$101\r\n", ReplyFault::LargeText(100)),
            ("$1\r\nabc", ReplyFault::LineEnd),
            ("*18446744073709551615\r\n", ReplyFault::Items),
            (&wide, ReplyFault::Items),
            (&deep, ReplyFault::Depth),
            (&long, ReplyFault::LongLine),
            (&large, ReplyFault::Large(1 << 17)),
        ] {
            assert_eq!(all(text.as_bytes()), Err(fault), "{text:.40}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_replies_however_they_are_split(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("+OK\r\n".to_owned()),
                    Just("*2\r\n".to_owned()),
                    Just("$-1\r\n".to_owned()),
                    (0..1_500_usize).prop_map(|size| format!("${size}\r\n{}\r\n", "p".repeat(size))),
                    "[-+:$*0-9a\r\n]{0,9}",
                ],
                0..12,
            ),
            piece in 1..50_usize,
        ) {
            exercise(pieces.concat().as_bytes(), piece);
        }
    }
}
