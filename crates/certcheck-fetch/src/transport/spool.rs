//! Bytes as they arrive: in memory if they are few, otherwise in a file without a name that is mapped at the end.

use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mapped::Unnamed;
use bytes::Bytes;

/// Bodies up to this size stay in memory.
const SMALL: usize = 1 << 20;
/// The number of bytes that are written at once.
const BUFFER: usize = 256 << 10;

/// Why bytes are refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpoolError {
    /// There are more than allowed.
    TooLarge(u64),
    /// The temporary file cannot be written.
    Io(io::Error),
}

/// Collects bytes until all have arrived. For sources that bring evidence in pieces: HTTP, and stores that keep large
/// CRLs in chunks.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<BufWriter<Spilled>>,
    folder: PathBuf,
    taken: u64,
    max: u64,
}

impl Spool {
    /// Collects at most this many bytes. A temporary file, if one is needed, is made in this folder.
    #[must_use]
    pub fn new(folder: &Path, max: u64) -> Self {
        Self { memory: Vec::new(), file: None, folder: folder.to_owned(), taken: 0, max }
    }

    /// The number of bytes so far.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// If there are more than allowed, or if the disk is full.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.taken = self.taken.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.taken > self.max {
            return Err(SpoolError::TooLarge(self.max));
        }
        if let Some(file) = &mut self.file {
            return file.write_all(bytes).map_err(SpoolError::Io);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() <= SMALL {
            return Ok(());
        }
        let file = Spilled(Unnamed::new(&self.folder).map_err(SpoolError::Io)?);
        let mut file = BufWriter::with_capacity(BUFFER, file);
        file.write_all(&std::mem::take(&mut self.memory)).map_err(SpoolError::Io)?;
        self.file = Some(file);
        Ok(())
    }

    /// Returns the whole body.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn finish(self) -> io::Result<Body> {
        let Some(file) = self.file else { return Ok(Body::from(Bytes::from(self.memory))) };
        let Spilled(file) = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Body { bytes: file.map()?, folder: Some(self.folder.into()) })
    }
}

/// The file for bytes that do not fit into memory, while it is written.
#[derive(Debug)]
struct Spilled(Unnamed);

impl io::Write for Spilled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes of a body. Large ones are in a file without a name, which is removed with the last value that holds it.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes.
    pub bytes: Bytes,
    /// The folder of the file, if there is one.
    folder: Option<Arc<Path>>,
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, folder: None }
    }
}

impl Body {
    /// Whether the bytes are in a file and take none of the process's own memory.
    #[must_use]
    pub const fn is_in_file(&self) -> bool {
        self.folder.is_some()
    }

    /// Bytes in a file without a name in this folder.
    pub(crate) fn in_file(bytes: Bytes, folder: &Path) -> Self {
        Self { bytes, folder: Some(folder.into()) }
    }

    /// The bytes in pieces of this size, for stores that do not accept large values.
    pub fn chunks(&self, bytes: NonZeroUsize) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(bytes.get())
    }

    /// The folder of the file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}
