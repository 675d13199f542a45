//! Octets as they arrive: in memory while they are few, in a temporary file beyond that, mapped at the end.

use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::{Builder, NamedTempFile};

use crate::mapped;

/// Bodies up to here stay in memory.
const SMALL: usize = 1 << 20;
/// What is written at once.
const BUFFER: usize = 256 << 10;

/// Beginning of the names of temporary files: what is left of a process that was killed is known by it.
pub(crate) const TEMPORARY: &str = ".arriving-";

/// Why octets are not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpoolError {
    /// There are more than allowed.
    TooLarge(u64),
    /// The temporary file cannot be written.
    Io(io::Error),
}

/// Takes octets until all are there. For whoever brings evidence in pieces: HTTP, and stores that keep large CRLs in
/// chunks.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<BufWriter<NamedTempFile>>,
    folder: PathBuf,
    taken: u64,
    most: u64,
}

impl Spool {
    /// Takes up to so many octets; the temporary file, if one is needed, comes into this folder.
    #[must_use]
    pub fn new(folder: &Path, most: u64) -> Self {
        Self { memory: Vec::new(), file: None, folder: folder.to_owned(), taken: 0, most }
    }

    /// How many octets came.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// More than allowed, or a disk that is full.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        self.taken = self.taken.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        if self.taken > self.most {
            return Err(SpoolError::TooLarge(self.most));
        }
        if let Some(file) = &mut self.file {
            return file.write_all(octets).map_err(SpoolError::Io);
        }
        self.memory.extend_from_slice(octets);
        if self.memory.len() <= SMALL {
            return Ok(());
        }
        let file = Builder::new().prefix(TEMPORARY).tempfile_in(&self.folder).map_err(SpoolError::Io)?;
        // Held while this process lives: who tidies up leaves it alone.
        file.as_file().lock().map_err(SpoolError::Io)?;
        let mut file = BufWriter::with_capacity(BUFFER, file);
        file.write_all(&std::mem::take(&mut self.memory)).map_err(SpoolError::Io)?;
        self.file = Some(file);
        Ok(())
    }

    /// All octets have come.
    ///
    /// # Errors
    /// A disk that is full.
    pub fn finish(self) -> io::Result<Body> {
        let Some(file) = self.file else { return Ok(Body::from(Bytes::from(self.memory))) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let bytes = mapped::map(file.as_file())?;
        Ok(Body { bytes, file: Some(Arc::new(file)), is_kept: false })
    }
}

/// Octets that have come, and the temporary file they are in, if they are in one.
#[derive(Clone, Debug)]
pub struct Body {
    /// The octets.
    pub bytes: Bytes,
    /// Removed with the last that holds it, unless a store has moved it to its place.
    file: Option<Arc<NamedTempFile>>,
    /// In a file that a store keeps.
    is_kept: bool,
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, file: None, is_kept: false }
    }
}

impl Body {
    /// Whether the octets are in a file and take no memory of our own.
    #[must_use]
    pub const fn is_in_file(&self) -> bool {
        self.file.is_some() || self.is_kept
    }

    /// Octets out of a file that a store keeps.
    pub(crate) const fn of_store(bytes: Bytes) -> Self {
        Self { bytes, file: None, is_kept: true }
    }

    /// The octets in pieces of this size, for stores that take no large ones.
    pub fn chunks(&self, octets: NonZeroUsize) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(octets.get())
    }

    /// The folder of the temporary file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.file()?.parent()
    }

    /// The temporary file that has just these octets.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref().map(NamedTempFile::path)
    }
}
