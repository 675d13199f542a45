//! CRLs out of files of any size, with a progress bar for large ones.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::anyhow;
use bytes::Bytes;
use certcheck_core::crl::{Crl, CrlReader};
use certcheck_core::crls_of;
use certcheck_core::der::{ViewFault, tag};

use crate::input::{self, InputError};
use crate::kind::{self, Wanted};
use crate::progress::Progress;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// From here on progress is shown.
const LARGE: u64 = 10_000_000;

/// The CRLs of a file, each read or not; `-` is standard input. One in DER is read while it comes in.
pub(crate) fn crls(path: &Path) -> anyhow::Result<Vec<Result<Crl, ViewFault>>> {
    let source = path.display().to_string();
    let found = if path == Path::new("-") {
        crls_from(io::stdin().lock(), None, &source)
    } else {
        File::open(path).map_err(InputError::Io).and_then(|file| {
            let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
            crls_from(file, length, &source)
        })
    };
    found.map_err(|error| anyhow!("{source}: {error}"))
}

fn crls_from(
    input: impl Read,
    length: Option<u64>,
    source: &str,
) -> Result<Vec<Result<Crl, ViewFault>>, InputError> {
    let mut input = Chunks { input, progress: progress(length), read: 0, chunk: vec![0; CHUNK] };
    let first = input.next().map_err(InputError::Io)?;
    if let Some(misfit) = kind::der_misfit(first, Wanted::Crl) {
        return Err(InputError::Misfit(misfit));
    }
    if !is_list(first) {
        let mut content = first.to_vec();
        loop {
            match input.next().map_err(InputError::Io)? {
                [] => break,
                more => content.extend_from_slice(more),
            }
        }
        let content: Bytes = content.into();
        let found = input::settle(&content, crls_of(&content), Wanted::Crl)?;
        return Ok(found.into_iter().map(|der| Crl::parse(der, source)).collect());
    }
    let mut reader = CrlReader::new();
    let mut pushed = reader.push(first);
    while pushed.is_ok() {
        match input.next().map_err(InputError::Io)? {
            [] => break,
            more => pushed = reader.push(more),
        }
    }
    Ok(vec![pushed.and_then(|()| reader.finish(source))])
}

/// Whether this is the beginning of a CRL in DER: a SEQUENCE whose first member is one too, where PKCS #7 has an
/// OBJECT IDENTIFIER.
fn is_list(beginning: &[u8]) -> bool {
    let [tag::SEQUENCE, length, rest @ ..] = beginning else { return false };
    let more = if *length < 0x80 { 0 } else { usize::from(*length & 0x7f) };
    rest.get(more) == Some(&tag::SEQUENCE)
}

/// The progress of reading an input of this length. A small one has none.
fn progress(length: Option<u64>) -> Progress {
    match length {
        Some(length) if length < LARGE => Progress::none(),
        Some(_) => Progress::new(length, "{bar:40} {done} of {whole}, {speed}, {eta} left"),
        None => Progress::new(None, "{spinner} {done}, {speed}"),
    }
}

/// An input in pieces of [`CHUNK`] bytes; the last is shorter, and then there are none.
struct Chunks<R> {
    input: R,
    progress: Progress,
    read: u64,
    chunk: Vec<u8>,
}

impl<R: Read> Chunks<R> {
    fn next(&mut self) -> io::Result<&[u8]> {
        let mut filled = 0;
        while let Some(room) = self.chunk.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.read = self.read.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        self.progress.set(self.read);
        Ok(self.chunk.get(..filled).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::is_list;

    #[test]
    fn lists_and_containers_are_distinguished() {
        assert!(is_list(&[0x30, 0x03, 0x30, 0x01, 0x00]));
        assert!(is_list(&[0x30, 0x82, 0x01, 0x00, 0x30, 0x03]));
        assert!(!is_list(&[0x30, 0x82, 0x01, 0x00, 0x06, 0x03]));
        assert!(!is_list(b"-----BEGIN X509 CRL-----"));
        assert!(!is_list(&[0x30, 0x84, 0x30]));
        assert!(!is_list(&[]));
    }
}
