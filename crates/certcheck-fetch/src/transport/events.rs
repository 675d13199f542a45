//! Server-sent events (the HTML standard, section 9.2), read as they arrive and within bounds.

/// The longest event, in bytes.
const MAX_EVENT: usize = 16 << 10;

/// An event of a stream.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Event {
    /// Its type. Empty if it has none.
    pub(crate) kind: String,
    /// Its data.
    pub(crate) data: String,
}

/// A line or an event is longer than allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooLong;

/// Reads events from bytes in pieces of any size. What is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    line: Vec<u8>,
    event: Event,
    /// A line ended with a carriage return: a line feed that follows belongs to it.
    after_return: bool,
}

impl EventReader {
    /// Takes the next bytes. Returns the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            let is_rest_of_end = self.after_return && *byte == b'\n';
            self.after_return = *byte == b'\r';
            match byte {
                _ if is_rest_of_end => {}
                b'\r' | b'\n' => events.extend(self.end_line()),
                _ => self.line.push(*byte),
            }
            if self.line.len() + self.event.data.len() > MAX_EVENT {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// An empty line ends an event. One without data is none.
    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

/// For fuzzers: the size of pieces makes no difference.
#[cfg(fuzzing)]
pub(crate) fn exercise(bytes: &[u8], piece: usize) {
    let read = |piece: usize| {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for bytes in bytes.chunks(piece) {
            match reader.push(bytes) {
                Ok(more) => events.extend(more),
                // Events of the piece that ends it may be among those before it or not.
                Err(TooLong) => return None,
            }
        }
        Some(events)
    };
    let (whole, pieces) = (read(bytes.len().max(1)), read(piece));
    assert_eq!(whole, pieces);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, data: &str) -> Event {
        Event { kind: kind.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_in_pieces_of_any_size() {
        let text = ": welcome\n\nevent: evidence\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\rid: 7\n\nevent: late\ndata: z\n";
        for piece in 1..=text.len() {
            let mut reader = EventReader::default();
            let pieces = text.as_bytes().chunks(piece).map(|piece| reader.push(piece).unwrap());
            let events: Vec<Event> = pieces.flatten().collect();
            assert_eq!(events, [event("evidence", "{\"a\":1}"), event("", "x\ny")], "pieces of {piece}");
        }
    }

    #[test]
    fn long_events_are_refused() {
        let line = vec![b'x'; MAX_EVENT + 1];
        assert_eq!(EventReader::default().push(&line), Err(TooLong));
        let data = "data: xxxxxxxxx\n".repeat(MAX_EVENT / 8);
        assert_eq!(EventReader::default().push(data.as_bytes()), Err(TooLong));
    }
}
