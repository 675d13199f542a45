//! Files that others read while they are written anew.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

/// Replaces a file whole: who reads it has the old content or the new.
///
/// # Errors
/// Which file cannot be written, and why.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".certcheck-")
            .permissions(permissions())
            .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| format!("{}: {error}", path.display()).into())
}

/// As any file that a program writes: of other users the collector of a textfile has to read it.
#[cfg(unix)]
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o644)
}
