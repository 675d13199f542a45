//! The one place of this crate that maps files.

use std::fs::File;
use std::io;

use bytes::Bytes;
use certcheck_core::crl;

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
