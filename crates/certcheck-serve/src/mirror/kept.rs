//! A piece of evidence as it is served.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::revocation::{Answer, EvidenceKind};
use certcheck_rustls::certcheck_fetch::{CachedEvidence, Spool, SpoolError};
use certcheck_rustls::{Policy, Time};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use super::series::{Digest, Signed};

/// Bodies up to this size are not compressed: that would save less than a packet.
const SMALL: usize = 1_400;
/// A compressed body has at most nine tenths of the size, and at least a fiftieth: clients take a smaller one for an attack.
const LEAST_SAVED: usize = 10;
const MOST_SAVED: usize = 50;

/// A piece of evidence as it is served.
pub(super) struct KeptEvidence {
    pub(super) cached: Arc<CachedEvidence>,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(super) digest: String,
    /// The bytes as gzip, if that is smaller.
    pub(super) gzip: Option<Bytes>,
    /// The key that signed it, if it is a CRL.
    pub(super) key: Option<Digest>,
}

impl KeptEvidence {
    /// Prepares evidence. Large evidence takes a while. A compressed body that is large is in a file without a name in this
    /// folder.
    pub(super) fn new(cached: Arc<CachedEvidence>, key: Option<Digest>, folder: &Path) -> Self {
        let bytes = &cached.body().bytes;
        let digest = HEXLOWER.encode(&sha256(bytes));
        let gzip = compressed(bytes, folder);
        Self { cached, digest, gzip, key }
    }

    /// The same evidence after its source has said that it has not changed.
    pub(super) fn seen_again(&self, cached: Arc<CachedEvidence>, key: Option<Digest>) -> Self {
        Self { cached, digest: self.digest.clone(), gzip: self.gzip.clone(), key }
    }

    /// What is the same for all CRLs that follow this one, and its thisUpdate.
    pub(super) fn series(&self) -> Option<(Digest, Time)> {
        let (Answer::Crl(crl), Some(key)) = (self.cached.answer(), self.key) else { return None };
        Some((Signed { crl, key }.series(), crl.this_update()))
    }

    pub(super) fn kind(&self) -> EvidenceKind {
        self.cached.request().kind()
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let all = self.cached.body().bytes.len() + self.gzip.as_ref().map_or(0, Bytes::len);
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// The end of it, by itself and by policy.
    pub(super) fn ends(&self, policy: &Policy) -> Time {
        let (this, next) = self.cached.times();
        policy.freshness.ends(this.unwrap_or_else(|| self.cached.fetched_at()), next)
    }
}

/// The bytes as gzip, if that is worth it.
fn compressed(bytes: &Bytes, folder: &Path) -> Option<Bytes> {
    if bytes.len() <= SMALL {
        return None;
    }
    let max = bytes.len() - bytes.len() / LEAST_SAVED;
    let spool = Spool::new(folder, u64::try_from(max).ok()?);
    let mut encoder = GzEncoder::new(Spooled(spool), Compression::fast());
    encoder.write_all(bytes).ok()?;
    let Spooled(spool) = encoder.finish().ok()?;
    let smaller = spool.finish().ok()?.bytes;
    (smaller.len() >= bytes.len() / MOST_SAVED).then_some(smaller)
}

/// A spool that can be written to.
struct Spooled(Spool);

impl Write for Spooled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes).map_err(|error| match error {
            SpoolError::Io(error) => error,
            _ => io::ErrorKind::FileTooLarge.into(),
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
