//! The one place of this crate that maps files.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use certcheck_core::crl;
use memmap2::MmapMut;

/// Maps a file that nobody writes any more.
///
/// Only files that come from our own temporary files are given here: written under a name that nobody else knows, in a
/// folder where only this user can write (the disk store refuses any other, see `store::disk::folder`), and from then on
/// renamed or removed, never written. What is mapped stays when the name goes.
#[expect(unsafe_code, reason = "mapping lends octets that the compiler cannot watch; the proof stands above")]
pub(crate) fn map(file: &File) -> io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: nobody changes or truncates the file, as said above.
    unsafe { crl::map(file) }
}

/// Memory of so many octets in a file without a name in this folder, for what is large and not to take memory of our own.
#[cfg(not(miri))]
#[expect(unsafe_code, reason = "as above: the file has no name, so nobody else can open it")]
pub(crate) fn room(folder: &Path, octets: usize) -> Option<MmapMut> {
    let file = tempfile::tempfile_in(folder).ok()?;
    file.set_len(u64::try_from(octets).ok()?).ok()?;
    // SAFETY: nobody else has the file, and it keeps its length.
    unsafe { MmapMut::map_mut(&file) }.ok()
}

/// Miri cannot map files: there it is memory without one.
#[cfg(miri)]
pub(crate) fn room(_: &Path, octets: usize) -> Option<MmapMut> {
    MmapMut::map_anon(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_no_octets() {
        let path = std::env::temp_dir().join(format!("certcheck-mapped-empty-{}", std::process::id()));
        std::fs::write(&path, b"").unwrap();
        assert!(map(&File::open(&path).unwrap()).unwrap().is_empty());
        std::fs::write(&path, b"octets").unwrap();
        let mapped = map(&File::open(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(mapped.slice(2..), b"tets"[..]);
    }

    #[test]
    fn room_is_written_handed_on_and_read_after() {
        let mut room = room(&std::env::temp_dir(), 5000).unwrap();
        assert!(room.iter().all(|octet| *octet == 0));
        room[4999] = 1;
        let octets = Bytes::from_owner(room);
        let end = octets.slice(4998..);
        drop(octets);
        assert_eq!(std::thread::spawn(move || end.to_vec()).join().unwrap(), [0, 1]);
    }
}
