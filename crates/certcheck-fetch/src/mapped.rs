//! The only place in this crate that maps files: files without a name, which no other process can open.
//!
//! If a file is truncated while it is mapped, the process ends by a signal. So it does at a hole for which the disk
//! has no room. Therefore a file with a name (a blob of the disk store) is copied before it is mapped, and a file
//! that is written through a mapping has its blocks reserved first. On file systems that share blocks (btrfs, XFS)
//! such a copy costs nothing.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use bytes::Bytes;
use certcheck_core::crl;
use memmap2::MmapMut;

/// Files up to this size are read into memory.
const SMALL: u64 = 1 << 20;

/// A file without a name. It is written once, then only read.
#[derive(Debug)]
pub(crate) struct Unnamed(File);

impl Unnamed {
    /// Makes an empty one on the file system of this folder.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        tempfile::tempfile_in(folder).map(Self)
    }

    /// The file, to be written or read. Once it is mapped, it must not be written or truncated: only this crate has
    /// it.
    pub(crate) const fn file(&self) -> &File {
        &self.0
    }

    /// Maps the file. It has been written to its end.
    #[expect(
        unsafe_code,
        reason = "the compiler cannot check that a mapped file does not change; the reason is at the top"
    )]
    pub(crate) fn map(&self) -> io::Result<Bytes> {
        if self.0.metadata()?.len() == 0 {
            return Ok(Bytes::new());
        }
        // SAFETY: the file has no name, so no other process can open it. This process does not write it from here on.
        unsafe { crl::map(&self.0) }
    }
}

/// The content of a file that others may change at any time: a small one in memory, a large one in a copy without a
/// name in this folder.
pub(crate) fn content(file: &File, folder: &Path) -> io::Result<Bytes> {
    if file.metadata()?.len() <= SMALL {
        let mut bytes = Vec::new();
        // It may grow while it is being read.
        file.take(SMALL + 1).read_to_end(&mut bytes)?;
        return Ok(bytes.into());
    }
    let copy = Unnamed::new(folder)?;
    copy_all(file, copy.file())?;
    copy.map()
}

/// Copies within the kernel, and shares blocks if the file system can.
#[cfg(not(miri))]
fn copy_all(from: &File, to: &File) -> io::Result<()> {
    io::copy(&mut &*from, &mut &*to).map(drop)
}

/// Miri cannot copy within the kernel.
#[cfg(miri)]
fn copy_all(mut from: &File, mut to: &File) -> io::Result<()> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    io::Write::write_all(&mut to, &bytes)
}

/// Whether a file has just these bytes.
pub(crate) fn has_content(file: &File, bytes: &[u8]) -> io::Result<bool> {
    let mut file = file;
    file.rewind()?;
    let mut chunk = vec![0; 1 << 16];
    let mut rest = bytes;
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(rest.is_empty()),
            length => match chunk.get(..length).and_then(|read| rest.strip_prefix(read)) {
                Some(after) => rest = after,
                None => return Ok(false),
            },
        }
    }
}

/// Memory of this size in a file without a name in this folder, for large content that should not take the process's
/// own memory. `None` if the file system has no room for all of it: writing to a page without a block ends the
/// process.
#[cfg(not(miri))]
#[expect(unsafe_code, reason = "as above: the file has no name, so no other process can open it")]
pub(crate) fn room(folder: &Path, bytes: usize) -> Option<MmapMut> {
    let file = Unnamed::new(folder).ok()?;
    rustix::fs::fallocate(file.file(), rustix::fs::FallocateFlags::empty(), 0, u64::try_from(bytes).ok()?)
        .ok()?;
    // SAFETY: no other code has the file, it keeps its length, and every page has its block.
    unsafe { MmapMut::map_mut(file.file()) }.ok()
}

/// Miri cannot map files. There it is plain memory.
#[cfg(miri)]
pub(crate) fn room(_: &Path, bytes: usize) -> Option<MmapMut> {
    MmapMut::map_anon(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_empty_file_is_no_bytes() {
        let file = Unnamed::new(&std::env::temp_dir()).unwrap();
        assert!(file.map().unwrap().is_empty());
        file.file().write_all(b"bytes").unwrap();
        let mapped = file.map().unwrap();
        drop(file);
        assert_eq!(mapped.slice(2..), b"tes"[..]);
    }

    #[test]
    fn content_is_what_the_file_had() {
        for length in [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&bytes).unwrap();
            assert!(has_content(file.as_file(), &bytes).unwrap());
            let open = File::open(file.path()).unwrap();
            let read = content(&open, &std::env::temp_dir()).unwrap();
            file.as_file().set_len(0).unwrap();
            assert!(read == bytes, "{length}");
            assert_eq!(has_content(file.as_file(), &bytes).unwrap(), length == 0);
        }
    }

    #[test]
    fn room_is_written_handed_on_and_read_after() {
        let mut room = room(&std::env::temp_dir(), 5000).unwrap();
        assert!(room.iter().all(|byte| *byte == 0));
        room[4999] = 1;
        let bytes = Bytes::from_owner(room);
        let end = bytes.slice(4998..);
        drop(bytes);
        assert_eq!(std::thread::spawn(move || end.to_vec()).join().unwrap(), [0, 1]);
    }
}
