//! The files that a configuration names, and whether they have changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config::{CheckConfig, Loaded};

/// What tells one content of a file from another: device, inode, size, and the time of the last change.
type Stamp = (u64, u64, u64, i64, i64);

/// The files at one time.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Files(BTreeMap<PathBuf, Option<Stamp>>);

impl Files {
    /// The file of the configuration, if there is one, and all files that it names. Links are followed.
    pub(crate) fn of(file: Option<&Path>, loaded: &Loaded) -> Self {
        let mut files = Self::default();
        if let Some(file) = file {
            files.note(file, 0);
        }
        for policy in &loaded.policies {
            files.note(policy, 0);
        }
        for path in loaded.config.own_files() {
            files.note(path, 0);
        }
        for path in loaded.config.checks().flat_map(CheckConfig::paths) {
            files.note(path, CheckConfig::DEPTH);
        }
        files
    }

    fn note(&mut self, path: &Path, depth: usize) {
        let metadata = fs::metadata(path).ok();
        let is_folder = metadata.as_ref().is_some_and(fs::Metadata::is_dir);
        let stamp =
            metadata.map(|found| (found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec()));
        self.0.insert(path.to_owned(), stamp);
        if is_folder && depth > 0 {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            for entry in entries {
                self.note(&entry.path(), depth - 1);
            }
        }
    }

    /// A file that is different, new or gone.
    pub(crate) fn changed<'f>(&'f self, before: &'f Self) -> Option<&'f Path> {
        let is_other = |path: &&PathBuf| self.0.get(*path) != before.0.get(*path);
        self.0.keys().chain(before.0.keys()).find(is_other).map(PathBuf::as_path)
    }
}
