//! SHA-256 digests, computed by the built-in provider.
//!
//! This is the only place where the workspace chooses between `ring` and `aws-lc-rs` for hashing.

use crate::provider::digest;

/// A SHA-256 digest.
pub type Sha256Digest = [u8; 32];

/// The SHA-256 digest of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Sha256Digest {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hasher.finish()
}

/// A SHA-256 digest of bytes that arrive in pieces.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// A digest without bytes so far.
    #[must_use]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes that were added.
    #[must_use]
    pub fn finish(self) -> Sha256Digest {
        let mut bytes = Sha256Digest::default();
        bytes.copy_from_slice(self.0.finish().as_ref());
        bytes
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sha256(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Sha256, sha256};

    /// The example of FIPS 180-4: "abc".
    #[test]
    fn pieces_make_the_digest_of_the_whole() {
        let mut hasher = Sha256::new();
        for byte in b"abc" {
            hasher.update(&[*byte]);
        }
        let digest = hasher.finish();
        assert_eq!(digest, sha256(b"abc"));
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest[28..], [0xf2, 0x00, 0x15, 0xad]);
    }
}
