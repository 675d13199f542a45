//! What is asked about, one input at a time: files, all files of directories, lists of files, bundles.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use certcheck_core::EncodingFault;
use pki_types::CertificateDer;
use walkdir::WalkDir;

use super::bundle::Bundle;
use crate::input::{self, InputError};
use crate::kind::{self, Wanted};

/// The file name extensions of certificates: a directory may also hold keys and CRLs.
const ENDINGS: [&str; 7] = ["cer", "cert", "crt", "der", "p7b", "p7c", "pem"];
/// How deep directories are searched. Deeper ones are reported as unreadable.
const DEEPEST: usize = 32;
/// The longest path in a list of files.
const LONGEST_PATH: u64 = 64 << 10;

/// An input, and how its certificates are got.
pub(super) struct Input {
    /// The name for people: the path of a file, with the number of the certificate in a bundle.
    pub(super) name: PathBuf,
    content: Content,
}

enum Content {
    /// Not read yet: that is the work of many threads.
    File,
    Read(Result<Vec<CertificateDer<'static>>, String>),
}

impl Input {
    /// The target, and behind it what is presented with it.
    pub(super) fn chain(self) -> (PathBuf, Result<Vec<CertificateDer<'static>>, String>) {
        let chain = match self.content {
            Content::File => input::certificates(&self.name).map_err(|error| error.to_string()),
            Content::Read(chain) => chain,
        };
        (self.name, chain)
    }
}

/// A directory that is being walked: every certificate below it, and what is skipped.
struct Walk {
    root: PathBuf,
    entries: walkdir::IntoIter,
    has_brought: bool,
}

impl Walk {
    fn new(root: PathBuf) -> Self {
        let entries = WalkDir::new(&root).sort_by_file_name().max_depth(DEEPEST).into_iter();
        Self { root, entries, has_brought: false }
    }

    /// The next file, or what is wrong with it.
    fn next(&mut self) -> Option<Result<PathBuf, (PathBuf, String)>> {
        loop {
            let found = match self.entries.next() {
                Some(Ok(entry)) => classify(&entry).map(|fault| match fault {
                    None => Ok(entry.into_path()),
                    Some(fault) => Err((entry.into_path(), fault)),
                }),
                Some(Err(error)) => {
                    let path = error.path().unwrap_or(&self.root).to_owned();
                    let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    Some(Err((path, message)))
                }
                None if self.has_brought => return None,
                None => {
                    let message =
                        format!("no file in it has the extension of a certificate ({})", ENDINGS.join(", "));
                    Some(Err((self.root.clone(), message)))
                }
            };
            if found.is_some() {
                self.has_brought = true;
                return found;
            }
        }
    }
}

/// Whether an entry of a directory is an input, and why it cannot be one.
fn classify(entry: &walkdir::DirEntry) -> Option<Option<String>> {
    let kind = entry.file_type();
    if kind.is_dir() {
        let is_too_deep = entry.depth() == DEEPEST;
        return is_too_deep.then(|| Some(format!("skipped: more than {DEEPEST} directories deep")));
    }
    // A link may lead anywhere, also back.
    let leads_to = kind.is_symlink().then(|| std::fs::metadata(entry.path()));
    if let Some(Ok(found)) = &leads_to
        && found.is_dir()
    {
        return Some(Some("skipped: a link to a directory".to_owned()));
    }
    if !is_certificates(entry.path()) {
        return None;
    }
    let is_file = match leads_to {
        None => kind.is_file(),
        Some(Ok(found)) => found.is_file(),
        // Who reads it says what is wrong.
        Some(Err(_)) => true,
    };
    // A pipe might never end.
    Some((!is_file).then(|| "skipped: not a regular file".to_owned()))
}

/// A bundle that is being read.
struct Opened {
    path: PathBuf,
    /// Of the certificate that comes next.
    number: u64,
    certificates: Bundle<Source>,
}

type Source = Box<dyn BufRead + Send>;

/// All inputs, in order.
pub(super) struct Inputs {
    /// Paths as they were named.
    named: std::vec::IntoIter<PathBuf>,
    /// A list of more of them, NUL behind each.
    list: Option<Source>,
    directory: Option<Walk>,
    /// Every certificate of a file is a target.
    each: bool,
    bundle: Option<Opened>,
}

impl Inputs {
    /// The named ones, then those of the list.
    ///
    /// # Errors
    /// A list that cannot be opened.
    pub(super) fn new(named: Vec<PathBuf>, list: Option<&Path>, each: bool) -> anyhow::Result<Self> {
        let list = list
            .map(|path| open(path).map_err(|error| anyhow!("{}: {error}", path.display())))
            .transpose()?;
        Ok(Self { named: named.into_iter(), list, directory: None, each, bundle: None })
    }

    /// The next path: of a directory that is being walked, of those that were named, of the list.
    fn path(&mut self) -> Option<Result<PathBuf, (PathBuf, String)>> {
        loop {
            if let Some(walk) = &mut self.directory {
                if let Some(found) = walk.next() {
                    return Some(found);
                }
                self.directory = None;
            }
            let path = match self.named.next() {
                Some(path) => path,
                None => match self.listed()? {
                    Ok(path) => path,
                    Err(error) => return Some(Err((PathBuf::from("the list of files"), error.to_string()))),
                },
            };
            if !path.is_dir() {
                return Some(Ok(path));
            }
            self.directory = Some(Walk::new(path));
        }
    }

    /// The next path of the list.
    fn listed(&mut self) -> Option<io::Result<PathBuf>> {
        let list = self.list.as_mut()?;
        loop {
            let mut bytes = Vec::new();
            match list.by_ref().take(LONGEST_PATH + 1).read_until(0, &mut bytes) {
                Ok(0) => return None,
                Ok(_) if bytes.len() as u64 > LONGEST_PATH => {
                    self.list = None;
                    let message = "a path longer than 64 KiB: end each path with NUL, as find -print0 does";
                    return Some(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
                }
                Ok(_) => {
                    let path = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
                    if path.is_empty() {
                        continue;
                    }
                    let found = path_of(path);
                    if path.contains(&b'\n') && found.as_ref().is_ok_and(|path| !path.exists()) {
                        self.list = None;
                        let message = "a path of several lines: end each path with NUL, as find -print0 does";
                        return Some(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
                    }
                    return Some(found);
                }
                Err(error) => {
                    self.list = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Iterator for Inputs {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(Opened { path, number, certificates }) = &mut self.bundle {
                let Some(read) = certificates.next() else {
                    self.bundle = None;
                    continue;
                };
                let mut name = path.clone().into_os_string();
                name.push(format!("#{number}"));
                *number += 1;
                // Where nothing was found, the file may be something else.
                let named = |error: InputError| match error {
                    InputError::Content(EncodingFault::Missing { .. }) => {
                        kind::misfit_at(path, Wanted::Certificate)
                            .map_or_else(|| error.to_string(), |misfit| misfit.to_string())
                    }
                    _ => error.to_string(),
                };
                let read = read.map(|certificate| vec![certificate]).map_err(named);
                return Some(Input { name: name.into(), content: Content::Read(read) });
            }
            match self.path()? {
                Ok(name) if self.each => match open_bundle(&name).and_then(Bundle::new) {
                    Ok(certificates) => {
                        self.bundle = Some(Opened { path: name, number: 0, certificates });
                    }
                    Err(error) => {
                        return Some(Input { name, content: Content::Read(Err(error.to_string())) });
                    }
                },
                Ok(name) => return Some(Input { name, content: Content::File }),
                Err((name, message)) => return Some(Input { name, content: Content::Read(Err(message)) }),
            }
        }
    }
}

/// A file, or standard input as `-`.
fn open(path: &Path) -> io::Result<Source> {
    const PIECE: usize = 64 << 10;
    Ok(if path == Path::new("-") {
        Box::new(BufReader::with_capacity(PIECE, io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(PIECE, File::open(path)?))
    })
}

/// As [`open`]; DER of something else is refused.
fn open_bundle(path: &Path) -> io::Result<Source> {
    match kind::der_misfit_at(path, Wanted::Certificate) {
        Some(misfit) => Err(io::Error::new(io::ErrorKind::InvalidData, misfit.to_string())),
        None => open(path),
    }
}

fn is_certificates(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    let text = std::str::from_utf8(bytes);
    text.map(PathBuf::from).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
