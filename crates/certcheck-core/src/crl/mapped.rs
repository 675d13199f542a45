//! Files mapped into memory, so that a CRL of gigabytes takes no more memory than what is looked at.

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::Mmap;

/// Maps a file that holds a CRL or its index.
///
/// # Safety
/// Nobody changes or truncates the file while the octets, or anything made of them, live: not this process and no other.
/// That is so for files that are written under another name, moved to their place and never written again, in a
/// directory where only this program writes. Removing or replacing such a file is harmless: what is mapped stays.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "the one place: mapping lends octets that the compiler cannot watch")]
pub unsafe fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: the octets are only read, and whoever calls vouches that nobody writes them.
    let map = unsafe { Mmap::map(file)? };
    // Serials are spread over all of it.
    #[cfg(unix)]
    map.advise(memmap2::Advice::Random)?;
    Ok(Bytes::from_owner(map))
}
