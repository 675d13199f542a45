//! The secret that peers send with each request.

use core::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use certcheck_rustls::certcheck_core::digest::sha256;
use subtle::ConstantTimeEq as _;

/// The shortest and the longest secret.
const LEAST: usize = 16;
const MOST: usize = 4_096;

/// A secret, as its hash: it is compared in a time that says nothing about it.
#[derive(Clone, Copy)]
pub(super) struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

impl Secret {
    /// The secret in a file, without white space around it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let fault = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
        // A pipe would be waited for.
        if std::fs::metadata(path).is_ok_and(|file| !file.is_file()) {
            return Err(fault(&"it is not a regular file"));
        }
        let mut bytes = Vec::new();
        // With a line end behind the longest one, and one byte more.
        let max = u64::try_from(MOST + 3).unwrap_or(u64::MAX);
        File::open(path)
            .and_then(|file| file.take(max).read_to_end(&mut bytes))
            .map_err(|error| fault(&format_args!("it cannot be read: {error}")))?;
        let secret = bytes.trim_ascii();
        if !secret.iter().all(u8::is_ascii_graphic) {
            return Err(fault(&"a secret is printable ASCII without blanks, so that it can be in a header"));
        }
        if !(LEAST..=MOST).contains(&secret.len()) {
            let bytes = secret.len();
            return Err(fault(&format_args!("a secret has {LEAST} to {MOST} bytes, and this one {bytes}")));
        }
        Ok(Self(sha256(secret)))
    }

    /// Whether this is the secret.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(&sha256(given)).into()
    }

    /// Whether both are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_enough_and_can_be_in_a_header() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        for (content, is_good) in [
            ("0123456789abcdef", true),
            ("\n 0123456789abcdef\r\n", true),
            ("0123456789abcde", false),
            ("0123456789 abcdef", false),
            ("0123456789abcdeföö", false),
            ("", false),
            (&"x".repeat(4_096), true),
            (&"x".repeat(4_097), false),
            (&"x".repeat(1 << 20), false),
        ] {
            std::fs::write(&path, content).expect("written");
            assert_eq!(Secret::read(&path).is_ok(), is_good, "{} bytes", content.len());
        }
        std::fs::write(&path, "0123456789abcdef\n").expect("written");
        let secret = Secret::read(&path).expect("good");
        assert!(secret.is(b"0123456789abcdef"));
        for other in ["0123456789abcdeF", "0123456789abcdef\n", "0123456789abcde", ""] {
            assert!(!secret.is(other.as_bytes()), "{other:?}");
        }
        for (path, why) in [(folder.path().join("none"), "cannot be read"), (folder.path().into(), "regular")]
        {
            let fault = Secret::read(&path).expect_err("no secret");
            assert!(fault.contains(why), "{fault}");
        }
    }
}
