//! A file that is there whole or not at all: written beside its place, then renamed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Content that is not written yet. Whoever drops it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Draft {
    /// As the user gave it, for errors.
    named: PathBuf,
    target: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Draft {
    /// Begins one, so that a path that cannot be written to is told before the work.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let fault = |what: &dyn std::fmt::Display| format!("{}: not written: {what}", path.display());
        let target = match fs::metadata(path) {
            // What a link points to is replaced, not the link.
            Ok(found) if found.is_file() => fs::canonicalize(path).map_err(|error| fault(&error))?,
            Ok(_) => return Err(fault(&"not a file")),
            Err(_) => path.to_path_buf(),
        };
        let name = target.file_name().ok_or_else(|| fault(&"not a file name"))?;
        let mut beside_name = std::ffi::OsString::from(".");
        beside_name.push(name);
        beside_name.push(format!(".{}.new", std::process::id()));
        let beside = target.with_file_name(beside_name);
        let file = File::create_new(&beside).map_err(|error| fault(&error))?;
        Ok(Self { named: path.to_path_buf(), target, beside, file })
    }

    /// Writes it and puts it in its place: who reads it has the old content or the new.
    pub(crate) fn finish(mut self, content: &[u8]) -> Result<(), String> {
        let written = self.file.write_all(content).and_then(|()| self.file.sync_all());
        written
            .and_then(|()| fs::rename(&self.beside, &self.target))
            .map_err(|error| format!("{}: not written: {error}", self.named.display()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is none.
        let _gone = fs::remove_file(&self.beside);
    }
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
            assert!(error.starts_with(&format!("{}: ", refused.display())), "{error}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
