//! Files with certificates or OCSP responses, and standard input.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use bytes::Bytes;
use certcheck_core::der::tag;
use certcheck_core::{EncodingFault, certificates_of, ocsp_responses_of};
use pki_types::CertificateDer;

use crate::element::Header;
use crate::kind::{self, Misfit, Wanted};

/// Larger files are not read.
const MAX_FILE: u64 = 64 << 20;

/// What is said where a file is read and a directory is named.
pub(crate) const IS_DIRECTORY: &str = "is a directory: name a file in it";

/// Why an input is no input.
#[derive(Debug)]
pub(crate) enum InputError {
    Io(io::Error),
    TooLarge,
    /// A certificate that the core would refuse.
    TooLong {
        max: u32,
    },
    Content(EncodingFault),
    /// DER that ends before its outermost length says.
    CutOff {
        needed: u64,
        found: usize,
    },
    /// Bytes after the only value of a DER file.
    Trailing {
        value: u64,
        extra: u64,
    },
    /// Something else than what was read for.
    Misfit(Misfit),
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::IsADirectory => f.write_str(IS_DIRECTORY),
            Self::Io(error) => write!(f, "{error}"),
            Self::TooLarge => {
                write!(f, "the file is larger than {} MiB, the most that is read", MAX_FILE >> 20)
            }
            Self::TooLong { max } => {
                write!(f, "a certificate is larger than {max} bytes, the most that is accepted")
            }
            Self::Content(fault) => write!(f, "{fault}"),
            Self::CutOff { needed, found } => write!(
                f,
                "the file is cut off: it begins a DER value of {needed} bytes and has {found}; get the file again"
            ),
            Self::Trailing { value, extra } => write!(
                f,
                "{extra} bytes follow the DER value of {value} bytes; a DER file holds one value: remove them, or get \
                 the file again"
            ),
            Self::Misfit(misfit) => write!(f, "{misfit}"),
        }
    }
}

/// The certificates of a file; `-` is standard input.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, InputError> {
    let content = content(path)?;
    settle(&content, certificates_of(&content), Wanted::Certificate)
}

/// The OCSP responses of a file, in DER; `-` is standard input.
pub(crate) fn ocsp_responses(path: &Path) -> Result<Vec<Bytes>, InputError> {
    let content: Bytes = content(path)?.into();
    settle(&content, ocsp_responses_of(&content), Wanted::OcspResponse)
}

/// What was found in a file, or what the file is instead: DER is recognized by its shape, text by its PEM labels.
pub(crate) fn settle<T>(
    content: &[u8],
    found: Result<T, EncodingFault>,
    wanted: Wanted,
) -> Result<T, InputError> {
    let misfit =
        if found.is_ok() { kind::der_misfit(content, wanted) } else { kind::misfit(content, wanted) };
    match (misfit, found) {
        (Some(misfit), _) => Err(InputError::Misfit(misfit)),
        (None, found) => match der_length(content) {
            Some(needed) if needed > content.len() as u64 => {
                Err(InputError::CutOff { needed, found: content.len() })
            }
            Some(value) if value < content.len() as u64 => {
                Err(InputError::Trailing { value, extra: content.len() as u64 - value })
            }
            _ => found.map_err(InputError::Content),
        },
    }
}

/// How long a DER file is by the length of its outermost SEQUENCE. `None` for anything else.
fn der_length(content: &[u8]) -> Option<u64> {
    let header = Header::read(content).filter(|header| header.tag == tag::SEQUENCE)?;
    Some(header.length as u64 + header.content?)
}

fn content(path: &Path) -> Result<Vec<u8>, InputError> {
    let content =
        if path == Path::new("-") { read(io::stdin().lock()) } else { File::open(path).and_then(read) };
    let content = content.map_err(InputError::Io)?;
    if u64::try_from(content.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(InputError::TooLarge);
    }
    Ok(content)
}

fn read(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut content)?;
    Ok(content)
}
