//! Key rings from files, with what was passed over told.

use std::io;
use std::path::PathBuf;

use certcheck_core::KeyRing;
use certcheck_core::ring::{RingBuilder, RingError};

use crate::visible;

/// Reads a ring. With `skips`, what cannot be parsed is passed over ([`KeyRing::skipped`]), but for what is distrusted.
///
/// # Errors
/// The first file that cannot be used, by name.
pub(crate) fn load(paths: &[PathBuf], skips: bool) -> Result<KeyRing, RingError> {
    let mut builder = RingBuilder::new().skip_unreadable(skips);
    for path in paths {
        builder.add_path(path)?;
    }
    builder.build()
}

/// Says on standard error what was passed over, in a line each.
///
/// # Errors
/// Of standard error.
pub(crate) fn warn_of_skipped(ring: &KeyRing) -> io::Result<()> {
    for error in ring.skipped() {
        visible::remark(format_args!("warning: left out of the ring: {error}"))?;
    }
    Ok(())
}
