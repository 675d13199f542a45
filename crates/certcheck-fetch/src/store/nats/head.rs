//! The head of an entry as the content of a message: two lines.
//!
//! ```text
//! cc1 TIME NUMBER SHA CHUNKS SIZE WRITTEN
//! RECORD
//! ```
//! WRITTEN is when the chunks were written, in seconds since 1970: they end with the age that the bucket allows.

use data_encoding::HEXLOWER;

use crate::store::remote::{Fields, MAX_RECORD, Raw, Written, digits};

/// The word that begins a head of this format.
const FORMAT: &str = "cc1";
/// The longest first line.
const MAX_LINE: usize = 256;
/// The largest head.
pub(super) const MAX: usize = MAX_LINE + MAX_RECORD;

/// A head, and when its chunks were written.
pub(super) fn parse(content: &[u8]) -> (Raw, Option<i64>) {
    let junk = || (Raw::Junk(String::new(), "it is no head of ours"), None);
    if content.is_empty() {
        return (Raw::Nothing, None);
    }
    if content.len() > MAX {
        return junk();
    }
    let Some((line, record)) = std::str::from_utf8(content).ok().and_then(|text| text.split_once('\n'))
    else {
        return junk();
    };
    let mut words = line.split(' ');
    if words.next() != Some(FORMAT) {
        return junk();
    }
    let mut word = || words.next().map(str::to_owned);
    let fields = Fields {
        time: word(),
        number: word(),
        sha: word(),
        chunks: word(),
        size: word(),
        record: Some(record.to_owned()),
    };
    let written = words.next().and_then(|text| text.parse().ok());
    if words.next().is_some() {
        return junk();
    }
    (Raw::Fields(fields), written)
}

/// The content of a head whose chunks were written at this time.
pub(super) fn content(head: &Written, at: i64) -> String {
    let Written { version, sha, size, chunks, record } = head;
    let (time, number) = (digits(version.this_update().unix()), HEXLOWER.encode(version.number()));
    format!("{FORMAT} {time} {number} {sha} {chunks} {size} {at}\n{record}")
}

/// For fuzzers: parses a head, and all of it that would be used.
#[cfg(fuzzing)]
pub(crate) fn read_head(bytes: &[u8]) {
    crate::store::remote::read_head(&parse(bytes).0);
}
