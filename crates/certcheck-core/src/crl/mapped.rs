//! Files mapped into memory, so that a CRL of gigabytes uses only the memory of the pages that are accessed.

use std::fs::File;
use std::io;

use bytes::Bytes;

/// Maps a file with a CRL or its index.
///
/// # Safety
/// No process, including this one, may change or truncate the file while the bytes, or anything made from them, are in
/// use. That holds for files that are written under another name, moved to their place, and never written again, in a
/// directory where only this program writes. Removing or replacing such a file is harmless: the mapped content remains.
///
/// # Errors
/// The error of the system.
#[expect(unsafe_code, reason = "the only use: the compiler cannot check mapped files")]
pub unsafe fn map(file: &File) -> io::Result<Bytes> {
    #[cfg(not(miri))]
    // SAFETY: the bytes are only read, and the caller guarantees that nobody writes them.
    let map = unsafe { memmap2::Mmap::map(file)? };
    #[cfg(miri)]
    let map = copied(file)?;
    // Serial numbers are spread over the whole file.
    #[cfg(all(unix, not(miri)))]
    map.advise(memmap2::Advice::Random)?;
    Ok(Bytes::from_owner(map))
}

/// Copies the bytes into an anonymous mapping for Miri, which cannot map files. The uses of the pointer and the end of
/// the mapping are the same.
#[cfg(miri)]
fn copied(mut file: &File) -> io::Result<memmap2::MmapMut> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)?;
    let mut map = memmap2::MmapMut::map_anon(bytes.len())?;
    map.copy_from_slice(&bytes);
    Ok(map)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "only files can be mapped")]
    fn file_with(name: &str, bytes: &[u8]) -> (PathBuf, File) {
        let path = std::env::temp_dir().join(format!("certcheck-mapped-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        let file = File::open(&path).unwrap();
        (path, file)
    }

    #[expect(unsafe_code, reason = "only this test uses the file")]
    fn mapped(file: &File) -> Bytes {
        // SAFETY: nobody writes it.
        unsafe { map(file) }.unwrap()
    }

    #[test]
    fn what_is_mapped_outlives_file_and_name_in_any_part() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(9000).collect();
        let (path, file) = file_with("outlives", &bytes);
        let whole = mapped(&file);
        drop(file);
        fs::remove_file(&path).unwrap();
        let (head, tail) = (whole.slice(..10), whole.slice(8990..));
        assert_eq!(whole, bytes);
        drop(whole);
        assert_eq!(head, bytes[..10]);
        drop(head);
        assert_eq!(tail.clone(), bytes[8990..]);
    }

    #[test]
    fn parts_may_be_read_and_dropped_by_other_threads() {
        let (path, file) = file_with("threads", &[7; 5000]);
        let whole = mapped(&file);
        fs::remove_file(&path).unwrap();
        let threads: Vec<_> = (0..2)
            .map(|place| {
                let part = whole.slice(place * 2500..(place + 1) * 2500);
                std::thread::spawn(move || part.iter().filter(|byte| **byte == 7).count())
            })
            .collect();
        drop(whole);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 2500);
        }
    }
}
