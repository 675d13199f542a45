//! Unix sockets. A socket that another process made is never removed, at the beginning or at the end.
//!
//! A file with the ending `.lock` next to the socket is locked as long as the front runs. A socket that is left over is
//! removed only if that file was there and is not locked: then a front made it, and has ended.

use core::fmt;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// A socket that this process made. Its file is removed at the end, if it is still the same.
pub(super) struct OwnSocket {
    path: PathBuf,
    lock_path: PathBuf,
    /// The device and the inode of the file.
    identity: (u64, u64),
    /// Locked until it is closed.
    _lock: File,
}

/// Why a socket cannot be made.
#[derive(Debug)]
pub(super) enum UnixSocketError {
    Io(io::Error),
    Lock(PathBuf, io::Error),
    InUse,
    NotOurs,
}

impl fmt::Display for UnixSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Lock(path, error) => write!(f, "the lock file {} cannot be used: {error}", path.display()),
            Self::InUse => f.write_str("another front listens on it"),
            Self::NotOurs => f.write_str(
                "there is a file of this name that no front has made; remove it if nothing uses it",
            ),
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl OwnSocket {
    /// Makes the socket and listens on it.
    pub(super) fn bind(path: &Path) -> Result<(UnixListener, Self), UnixSocketError> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock_fault = |error| UnixSocketError::Lock(lock_path.clone(), error);
        let was_ours = lock_path.exists();
        // What is there is a link only if somebody else made it.
        if fs::symlink_metadata(&lock_path).is_ok_and(|found| !found.is_file()) {
            return Err(lock_fault(io::Error::other("it is not a regular file")));
        }
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(lock_fault)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(UnixSocketError::InUse),
            Err(TryLockError::Error(error)) => return Err(lock_fault(error)),
        }
        match fs::symlink_metadata(path) {
            Ok(found) if was_ours && found.file_type().is_socket() => {
                fs::remove_file(path).map_err(UnixSocketError::Io)?;
            }
            Ok(_) => {
                if !was_ours {
                    let _gone = fs::remove_file(&lock_path);
                }
                return Err(UnixSocketError::NotOurs);
            }
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(UnixSocketError::Io)?;
        let identity =
            fs::symlink_metadata(path).map(|found| identity(&found)).map_err(UnixSocketError::Io)?;
        Ok((listener, Self { path: path.to_owned(), lock_path, identity, _lock: lock }))
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity) {
            let _gone = fs::remove_file(&self.path);
            let _gone = fs::remove_file(&self.lock_path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_own_sockets_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("front.sock");
        let files = || fs::read_dir(folder.path()).expect("a folder").count();
        let (_listener, own) = OwnSocket::bind(&path).expect("made");
        assert!(matches!(OwnSocket::bind(&path), Err(UnixSocketError::InUse)));
        drop(own);
        assert_eq!(files(), 0);
        // One that another process made, running or not.
        let other = std::os::unix::net::UnixListener::bind(&path).expect("made");
        assert!(matches!(OwnSocket::bind(&path), Err(UnixSocketError::NotOurs)));
        drop(other);
        assert!(matches!(OwnSocket::bind(&path), Err(UnixSocketError::NotOurs)));
        assert_eq!(files(), 1);
        fs::remove_file(&path).expect("removed");
        // One that is left over from a front that was killed.
        let (_listener, own) = OwnSocket::bind(&path).expect("made");
        fs::copy(&own.lock_path, folder.path().join("kept")).expect("copied");
        drop(own);
        drop(std::os::unix::net::UnixListener::bind(&path).expect("made"));
        fs::rename(folder.path().join("kept"), folder.path().join("front.sock.lock")).expect("moved");
        let (_listener, own) = OwnSocket::bind(&path).expect("made again");
        // One that took its place while it ran.
        fs::remove_file(&path).expect("removed");
        let _other = std::os::unix::net::UnixListener::bind(&path).expect("made");
        drop(own);
        assert!(path.exists());
    }
}
