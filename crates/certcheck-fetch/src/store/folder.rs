//! A folder that only its owner can write. Its files are complete or absent.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use tempfile::Builder;

use super::StoreError;
use crate::mapped;
use bytes::Bytes;

/// The beginning of the names of temporary files, by which the remains of a killed process are recognised.
const TEMPORARY: &str = ".arriving-";
/// The age at which the remains of a dead process are removed, if no process holds them.
const LEFT_OVER: Duration = Duration::from_secs(60);

/// A folder of the store.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// How often locking is tried again when the file of the lock has just been removed.
const LOCK_TRIES: usize = 8;

/// A lock that is held. Its file is removed before the lock is released, so that no lock file is left behind.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that stays is locked by the next holder, or removed when the store is tidied.
        let _gone: io::Result<()> = fs::remove_file(&self.path);
    }
}

fn io_of(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |error| StoreError::Io(path.display().to_string(), error)
}

/// Whether another user could replace a folder below this one: its owner, or anyone who can write to it. In a sticky
/// folder (`/tmp`) only owners can move their own entries.
const fn fault_of_ancestor(owner: u32, mode: u32, own: u32) -> Option<&'static str> {
    if owner != own && owner != 0 {
        Some("belongs to another user")
    } else if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        Some("can be written by others (`chmod go-w` helps)")
    } else {
        None
    }
}

impl Folder {
    /// Makes the folder, or uses it if only this user can write there: what others can write could change while it is
    /// mapped.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_of(path))?;
        let metadata = fs::metadata(path).map_err(io_of(path))?;
        let whose = if !metadata.is_dir() {
            Some("is not a folder")
        } else if metadata.uid() != geteuid().as_raw() {
            Some("belongs to another user")
        } else if metadata.mode() & 0o022 != 0 {
            Some("can be written by others")
        } else {
            None
        };
        if let Some(why) = whose {
            return Err(StoreError::Unsafe(format!("{} {why}", path.display())));
        }
        for above in path.canonicalize().map_err(io_of(path))?.ancestors().skip(1) {
            let metadata = fs::metadata(above).map_err(io_of(above))?;
            if let Some(why) = fault_of_ancestor(metadata.uid(), metadata.mode(), geteuid().as_raw()) {
                let why = format!("{}, which is above it, {why}", above.display());
                return Err(StoreError::Unsafe(format!("{}: {why}", path.display())));
            }
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading. `None` if there is none. Links, devices, and files of other users are refused.
    pub(super) fn file(&self, name: &str) -> Result<Option<File>, StoreError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => {
                return Err(StoreError::Unusable(format!("{} is a link", path.display())));
            }
            Err(error) => return Err(io_of(&path)(error.into())),
        };
        let metadata = file.metadata().map_err(io_of(&path))?;
        let is_ours =
            metadata.is_file() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0;
        if is_ours {
            Ok(Some(file))
        } else {
            Err(StoreError::Unusable(format!("{} is not a regular file of this user", path.display())))
        }
    }

    /// The content of a small file.
    pub(super) fn content(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(file) = self.file(name)? else { return Ok(None) };
        let mut content = Vec::new();
        file.take(max + 1).read_to_end(&mut content).map_err(io_of(&self.path.join(name)))?;
        if u64::try_from(content.len()).is_ok_and(|length| length > max) {
            return Err(StoreError::Unusable(format!("{name} has more than {max} bytes")));
        }
        Ok(Some(content))
    }

    /// Writes a file: under another name, to the disk, then to its place. A reader sees the old file or the new one.
    pub(super) fn write(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let outcome = || -> io::Result<()> {
            let temporary = Builder::new().prefix(TEMPORARY).tempfile_in(&self.path)?;
            temporary.as_file().lock()?;
            let mut out = BufWriter::with_capacity(1 << 16, temporary.as_file().try_clone()?);
            write(&mut out)?;
            out.flush()?;
            temporary.as_file().sync_data()?;
            if let Err(error) = temporary.persist(&path) {
                // There is something at that path that is not a file.
                self.remove(name);
                error.file.persist(&path).map_err(|error| error.error)?;
            }
            File::open(&self.path)?.sync_all()
        };
        outcome().map_err(io_of(&path))
    }

    /// The content of a file of the store, safe from later changes to the file.
    pub(super) fn bytes_of(&self, name: &str, file: &File) -> Result<Bytes, StoreError> {
        mapped::content(file, &self.path).map_err(io_of(&self.path.join(name)))
    }

    /// Takes a lock that ends when it is dropped, or with the process. `None` if another process has it.
    pub(super) fn try_lock(&self, name: &str) -> Result<Option<Lock>, StoreError> {
        let path = self.path.join(name);
        for _ in 0..LOCK_TRIES {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            let file = file.map_err(io_of(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(io_of(&path)(error)),
            }
            // The process that held it before has removed the file since it was opened, so the lock would keep no one
            // out.
            if file.metadata().is_ok_and(|metadata| metadata.nlink() > 0) {
                return Ok(Some(Lock { _file: file, path }));
            }
        }
        Ok(None)
    }

    /// How long ago a file was written, if it exists.
    pub(super) fn age(&self, name: &str) -> Option<Duration> {
        fs::symlink_metadata(self.path.join(name)).ok()?.modified().ok()?.elapsed().ok()
    }

    /// Removes a file, if it exists.
    pub(super) fn remove(&self, name: &str) {
        // A failure cannot be helped here. The space is found again when the store is next tidied.
        let path = self.path.join(name);
        let gone = fs::remove_file(&path);
        // A folder of that name, which is never made here, would be in the way for ever.
        if gone.is_err_and(|error| error.kind() == io::ErrorKind::IsADirectory) {
            let _gone: io::Result<()> = fs::remove_dir_all(&path);
        }
    }

    /// The names of the files, with their sizes and times. The remains of dead processes are removed.
    pub(super) fn list(&self) -> Result<Vec<(String, u64, SystemTime)>, StoreError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io_of(&self.path))? {
            let Ok(entry) = entry else { continue };
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else {
                continue;
            };
            let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if name.starts_with(TEMPORARY) {
                self.remove_left_over(&name, written);
            } else {
                found.push((name, metadata.len(), written));
            }
        }
        Ok(found)
    }

    fn remove_left_over(&self, name: &str, written: SystemTime) {
        let is_old = written.elapsed().is_ok_and(|age| age > LEFT_OVER);
        if is_old
            && let Ok(Some(file)) = self.file(name)
            && file.try_lock().is_ok()
        {
            self.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors() {
        for (owner, mode, is_safe) in [
            (0, 0o755, true),
            (1000, 0o700, true),
            (1000, 0o755, true),
            (0, 0o1777, true),
            (1000, 0o1775, true),
            (1000, 0o775, false),
            (0, 0o775, false),
            (0, 0o757, false),
            (1001, 0o755, false),
            (1001, 0o1777, false),
        ] {
            assert_eq!(fault_of_ancestor(owner, mode, 1000).is_none(), is_safe, "{owner} {mode:o}");
        }
    }
}
