//! Key rings from files, with warnings about skipped files.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use certcheck_core::KeyRing;
use certcheck_core::key_ring::{RingBuilder, RingError, RingFault};

use crate::kind::{self, Wanted};
use crate::visible;

/// Reads a ring. With `skips`, files that cannot be parsed are skipped ([`KeyRing::skipped`]), but not distrusted ones.
///
/// # Errors
/// The first file that cannot be used, by name, with what it is instead.
pub(crate) fn load(paths: &[PathBuf], skips: bool) -> anyhow::Result<KeyRing> {
    let mut builder = RingBuilder::new().skip_unreadable(skips);
    for path in paths {
        builder.add_path(path).map_err(|error| anyhow!(named(&error)))?;
    }
    builder.build().map_err(|error| anyhow!(named(&error)))
}

/// A fault of a ring. Of a file with another content, with what that is.
fn named(error: &RingError) -> String {
    if let RingFault::Unreadable(why) = &error.fault {
        return format!("key ring {}: {why}", error.source);
    }
    let misfit = match &error.fault {
        RingFault::Content(_) => kind::misfit_at(Path::new(&error.source), Wanted::Ring),
        _ => None,
    };
    misfit.map_or_else(|| error.to_string(), |misfit| format!("{}: {misfit}", error.source))
}

/// Warns on standard error of each file that was skipped.
///
/// # Errors
/// Of standard error.
pub(crate) fn warn_of_skipped(ring: &KeyRing) -> io::Result<()> {
    for error in ring.skipped() {
        visible::warn(format_args!("skipped in the ring: {}", named(error)))?;
    }
    Ok(())
}
