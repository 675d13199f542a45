//! Rings from the file system. This is the only place in this crate that reads files, and it does so only to load a
//! ring.
//!
//! A ring is a file, a directory of files (flat), or a directory with `anchors/`, `intermediates/` and `distrusted/`. A
//! `ring.toml` may be next to them. Names that begin with a dot, `.md` and `.txt` files are ignored. In a flat ring, a
//! directory without certificates is skipped and listed. A directory `personal/` is ignored: a server may keep its own
//! certificates and keys there. Everything else must be readable.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::KeyRing;
use super::builder::{Placement, RingBuilder};
use super::fault::{RingError, RingFault};
use crate::encoding::{self, EncodingFault};

/// The largest file of a ring that is read. 64 MiB are more than 30,000 certificates.
const MAX_FILE: u64 = 64 << 20;

/// The directory in a ring with the server's own certificates and keys. They are not part of the ring.
const PERSONAL: &str = "personal";

impl KeyRing {
    /// Reads a ring from files and directories.
    ///
    /// # Errors
    /// The first file that cannot be read or parsed, with its name, or a ring without an anchor.
    pub fn from_paths<P: AsRef<Path>>(paths: &[P]) -> Result<Self, RingError> {
        let mut builder = RingBuilder::new();
        for path in paths {
            builder.add_path(path.as_ref())?;
        }
        builder.build()
    }
}

impl RingBuilder {
    /// Adds a file or a directory.
    ///
    /// # Errors
    /// The first file that cannot be read or parsed, with its name.
    pub fn add_path(&mut self, path: &Path) -> Result<&mut Self, RingError> {
        self.note_input(path.display().to_string());
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if !metadata.is_dir() {
            return self.add_file(path, Placement::Flat);
        }
        let parts = [
            ("anchors", Placement::Anchor),
            ("intermediates", Placement::Intermediate),
            ("distrusted", Placement::Distrusted),
        ];
        let is_structured = parts.iter().any(|(name, _)| path.join(name).is_dir());
        for entry in entries(path)? {
            let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_directory = entry.is_dir();
            match parts.iter().find(|(part, _)| *part == name) {
                _ if is_ignored(name) || (is_directory && name == PERSONAL) => {}
                Some((_, placement)) if is_directory => {
                    for file in entries(&entry)? {
                        let inner = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                        if !is_ignored(inner) {
                            self.add_file(&file, *placement)?;
                        }
                    }
                }
                _ if is_directory => {
                    let source = entry.display().to_string();
                    if is_structured || !holds_no_certificates(&entry)? {
                        return Err(RingError { source, fault: RingFault::UnexpectedDirectory });
                    }
                    self.skip(RingError { source, fault: RingFault::NoCertificates });
                }
                _ if name == "ring.toml" => {
                    let text = read(&entry)?;
                    let text = String::from_utf8(text).map_err(|error| RingError {
                        source: entry.display().to_string(),
                        fault: RingFault::Unreadable(error.to_string()),
                    })?;
                    self.add_settings(&entry.display().to_string(), &text)?;
                }
                // Nothing says what a certificate next to the three parts is for.
                _ if is_structured => {
                    let message =
                        "is next to anchors/, intermediates/ and distrusted/: move it into one of them";
                    let fault = RingFault::Unreadable(message.to_owned());
                    return Err(RingError { source: entry.display().to_string(), fault });
                }
                _ => {
                    self.add_file(&entry, Placement::Flat)?;
                }
            }
        }
        Ok(self)
    }

    fn add_file(&mut self, path: &Path, placement: Placement) -> Result<&mut Self, RingError> {
        let file = read(path)?;
        self.add_content(&path.display().to_string(), &file, placement)
    }
}

/// Whether a directory in a flat ring contains nothing that could be meant for the ring, such as a Java key store next
/// to the system's roots. If it has certificates, it is unclear whether they should be trusted or distrusted.
fn holds_no_certificates(directory: &Path) -> Result<bool, RingError> {
    for entry in entries(directory)? {
        if entry.is_dir() {
            return Ok(false);
        }
        match encoding::certificates(&read(&entry)?) {
            // DER of another kind has no certificates. Something that looks like PEM might have some.
            Err(EncodingFault::Missing { .. } | EncodingFault::Der(_)) => {}
            Ok(_) | Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

fn is_ignored(name: &str) -> bool {
    let is_note =
        Path::new(name).extension().is_some_and(|extension| extension == "md" || extension == "txt");
    name.starts_with('.') || is_note
}

/// The entries of a directory, sorted, so that a ring is the same on every machine.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, RingError> {
    let read = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let found: Result<Vec<_>, _> = read.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut found = found.map_err(|error| unreadable(directory, &error))?;
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, RingError> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut content = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(|error| unreadable(path, &error))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > MAX_FILE) {
        let fault = RingFault::TooLarge { max: MAX_FILE };
        return Err(RingError { source: path.display().to_string(), fault });
    }
    Ok(content)
}

fn unreadable(path: &Path, error: &std::io::Error) -> RingError {
    RingError { source: path.display().to_string(), fault: RingFault::Unreadable(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::{Cert, Key, pem};

    use super::*;

    #[test]
    fn a_directory_without_certificates_is_skipped_in_a_flat_ring() {
        let folder = std::env::temp_dir().join(format!("certcheck-ring-{}", std::process::id()));
        let _none = fs::remove_dir_all(&folder);
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, content).expect("written");
        };
        let key = Key::p256("directories");
        let root = pem("CERTIFICATE", &Cert::root("CN=Root", &key).issue(&key));
        write("root.pem", root.as_bytes());
        write("java/cacerts", &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]);
        let ring = KeyRing::from_paths(&[&folder]).expect("skipped");
        assert_eq!((ring.certificates().len(), ring.skipped().len()), (1, 1));
        assert_eq!(ring.skipped()[0].fault, RingFault::NoCertificates);
        // The server's own certificates are not part of the ring.
        write("personal/server.pem", root.as_bytes());
        write("personal/server.key", b"a key");
        let ring = KeyRing::from_paths(&[&folder]).expect("ignored");
        assert_eq!((ring.certificates().len(), ring.skipped().len()), (1, 1));
        // A misspelt part of a ring is an error.
        write("distrust/root.pem", root.as_bytes());
        let error = KeyRing::from_paths(&[&folder]).expect_err("it may be meant to distrust");
        assert_eq!(error.fault, RingFault::UnexpectedDirectory);
        fs::remove_dir_all(folder.join("distrust")).expect("gone");
        write("distrust/root.pem", b"-----BEGIN CERTIFICATE-----\nbroken");
        assert!(KeyRing::from_paths(&[&folder]).is_err());
        fs::remove_dir_all(folder.join("distrust")).expect("gone");
        // Nothing next to the three parts is skipped.
        write("anchors/root.pem", root.as_bytes());
        fs::remove_file(folder.join("root.pem")).expect("gone");
        fs::remove_dir_all(folder.join("java")).expect("gone");
        let ring = KeyRing::from_paths(&[&folder]).expect("ignored here too");
        assert_eq!((ring.certificates().len(), ring.skipped().len()), (1, 0));
        write("other/root.pem", root.as_bytes());
        assert!(KeyRing::from_paths(&[&folder]).is_err());
        fs::remove_dir_all(&folder).expect("gone");
    }
}
