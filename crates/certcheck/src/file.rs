//! A file that is written whole or not at all: under another name first, then renamed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tempfile::{Builder, NamedTempFile};

/// A file that is not in its place yet. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Draft {
    /// As the user gave it, for errors.
    named: PathBuf,
    target: PathBuf,
    beside: NamedTempFile,
}

impl Draft {
    /// Begins one, so that a path that cannot be written is reported before the work. It has the mode of the file that it
    /// replaces, and its owner and group if we may set them; if not, the group gets no access.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let fault = |what: &dyn std::fmt::Display| anyhow!("{}: not written: {what}", path.display());
        let before = match fs::metadata(path) {
            Ok(found) if found.is_file() => Some(found),
            Ok(_) => return Err(fault(&"not a file")),
            Err(_) if fs::symlink_metadata(path).is_ok() => return Err(fault(&"a link to nothing")),
            Err(_) => None,
        };
        // What a link points to is replaced, not the link.
        let target = match before {
            Some(_) => fs::canonicalize(path).map_err(|error| fault(&error))?,
            None => path.to_path_buf(),
        };
        let name = target.file_name().ok_or_else(|| fault(&"not a file name"))?;
        let folder = match target.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => return Err(fault(&"not a file name")),
        };
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".new").permissions(of_new_files());
        if !folder.is_dir() {
            return Err(fault(&format_args!("there is no folder {}", folder.display())));
        }
        let beside = builder.tempfile_in(folder).map_err(|error| fault(&error))?;
        if let Some(before) = before {
            follow(beside.as_file(), &before).map_err(|error| fault(&error))?;
        }
        Ok(Self { named: path.to_path_buf(), target, beside })
    }

    /// Writes it and puts it in its place: a reader has the old content or the new.
    pub(crate) fn finish(mut self, content: &[u8]) -> anyhow::Result<()> {
        let file = self.beside.as_file_mut();
        let written = file.write_all(content).and_then(|()| file.sync_all());
        written
            .and_then(|()| self.beside.persist(&self.target).map(drop).map_err(|error| error.error))
            .map_err(|error| anyhow!("{}: not written: {error}", self.named.display()))
    }
}

/// Gives a file the owner, the group and the mode of another.
#[cfg(unix)]
fn follow(file: &fs::File, before: &fs::Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let own = file.metadata()?;
    let is_same = own.uid() == before.uid() && own.gid() == before.gid();
    let follows = is_same || fchown(file, Some(before.uid()), Some(before.gid())).is_ok();
    let mode = before.mode() & if follows { 0o777 } else { 0o707 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// As the umask leaves them.
#[cfg(unix)]
fn of_new_files() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

#[cfg(test)]
mod tests {
    use super::Draft;

    #[test]
    fn is_there_whole_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("certcheck-draft-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("page.html");
        drop(Draft::create(&path).expect("a draft"));
        let files = || std::fs::read_dir(&folder).expect("folder").count();
        assert_eq!(files(), 0);
        Draft::create(&path).expect("a draft").finish(b"one").expect("written");
        Draft::create(&path).expect("a draft").finish(b"two").expect("written");
        assert_eq!((files(), std::fs::read_to_string(&path).expect("a file")), (1, "two".to_owned()));
        for refused in [folder.as_path(), &folder.join("none/page.html"), "/dev/null".as_ref(), "".as_ref()] {
            let error = Draft::create(refused).expect_err("no file");
            assert!(error.to_string().starts_with(&format!("{}: ", refused.display())), "{error}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn who_could_read_it_still_can_and_nobody_else() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("watch.prom");
        let mode = || std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        Draft::create(&path).expect("a draft").finish(b"one").expect("written");
        let as_new = mode();
        assert_ne!(as_new & 0o044, 0, "nobody could read it: {as_new:o}");
        for kept in [0o600, 0o640, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(kept)).expect("ours");
            Draft::create(&path).expect("a draft").finish(b"two").expect("written");
            assert_eq!(mode(), kept, "{kept:o}");
        }
        let link = folder.path().join("link");
        symlink("watch.prom", &link).expect("a link");
        Draft::create(&link).expect("a draft").finish(b"three").expect("written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&path).expect("there"), b"three");
        symlink("nothing", folder.path().join("dangling")).expect("a link");
        let error = Draft::create(&folder.path().join("dangling")).expect_err("no file");
        assert!(error.to_string().ends_with("a link to nothing"), "{error}");
    }
}
